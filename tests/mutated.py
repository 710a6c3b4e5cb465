"""Inputs that somebody or something has spoilt: valid samples of all that xlbias reads, mutated.

Input number n is always the same one. What is read may be accepted, or refused with an error of xlbias' own; anything
else is a fault: another exception, a panic, an end of the process, more time or memory than so small an input may take.
"""

import faulthandler
import gzip
import json
import os
import random
import resource
import shutil
import sys
import traceback
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import polars as pl
from support import make_task, make_vectors

from xlbias.errors import XlbiasError

SECONDS = 60  # for one input, on a machine that has other things to do
MEMORY = 6 << 30  # bytes, beyond what the libraries have taken before the first input

HOSTILE: list[Any] = [
    None, True, False, -1, 0, 1, 2**31, 2**63, 2**64, 10**40, -(10**25), 0.5, -0.0, 1e308, float("nan"), float("inf"),
    float("-inf"), "", " ", "0", "en", "x" * 400, "\ud800", "\x00", "\x1b[2J", "\u202e", "../..", "e\u0301", "9" * 5000,
    [], {}, [[]], [None], {"": None}, ["en"], {"en": 1}, [1.5, "a"], {"name": 3},
]  # fmt: skip


# -- mutators --------------------------------------------------------------------------------------------------------


def of_bytes(content: bytes, chance: random.Random) -> bytes:
    """Flip, cut, double, swap, blank, or encode otherwise."""
    data = bytearray(content)
    at, length = chance.randrange(len(data) + 1), chance.choice([1, 1, 2, 8, 64, 512])
    match chance.randrange(12):
        case 0 | 1 | 2:
            for _ in range(chance.choice([1, 1, 3, 20])):
                place = chance.randrange(8 * len(data)) if data else 0
                if data:
                    data[place // 8] ^= 1 << place % 8
        case 3:
            del data[at:]
        case 4:
            del data[at : at + length]
        case 5:
            data[at:at] = data[at : at + length] * chance.choice([1, 2, 50])
        case 6:
            data[at : at + length] = chance.randbytes(length)
        case 7:
            data[at : at + length] = bytes(length)
        case 8:
            other = chance.randrange(len(data) + 1)
            data[at : at + length], data[other : other + length] = data[other : other + length], data[at : at + length]
        case 9:
            with suppress(UnicodeDecodeError):
                text = content.decode()
                data = bytearray(text.encode(chance.choice(["utf-16", "utf-8-sig", "utf-32", "utf-7"])))
        case 10:
            data = bytearray(gzip.compress(content)[: chance.choice([None, 20, -1, -9])])
        case 11:
            data[at:at] = chance.choice([b"\xff\xfe", b"\x00", b"\r", b"\n\n", b'"', b"\t", b"{", b"[" * 3000, b"\xc3"])
    return bytes(data)


def of_json(value: Any, chance: random.Random) -> Any:
    """Put something else somewhere into a JSON value, leave something out, or nest it."""
    value = json.loads(json.dumps(value))
    places: list[tuple[Any, Any]] = []

    def walk(inner: Any) -> None:
        for key in list(inner) if isinstance(inner, dict) else range(len(inner)) if isinstance(inner, list) else ():
            places.append((inner, key))
            walk(inner[key])

    walk(value)
    if not places:
        return chance.choice(HOSTILE)
    for _ in range(chance.choice([1, 1, 1, 2, 5])):
        inner, key = chance.choice(places)
        with suppress(KeyError, IndexError, TypeError):
            match chance.randrange(8):
                case 0 | 1 | 2 | 3:
                    inner[key] = chance.choice(HOSTILE)
                case 4:
                    del inner[key]
                case 5:
                    for _ in range(chance.choice([2, 70, 400])):
                        inner[key] = [inner[key]] if chance.random() < 0.5 else {"x": inner[key]}
                case 6:
                    other, place = chance.choice(places)
                    inner[key], other[place] = other[place], inner[key]
                case 7:
                    if isinstance(inner, list):
                        inner.append(inner[key])
                    else:
                        inner[str(chance.choice(HOSTILE))] = inner.pop(key)
    return value


def as_json(value: Any) -> bytes:
    try:
        return json.dumps(value, ensure_ascii=False).encode("utf-8", "surrogatepass")
    except (RecursionError, ValueError):
        return b"[" * 20_000


def of_lines(content: bytes, chance: random.Random) -> bytes:
    """Leave out, double, swap or spoil lines and the columns in them; spoil a number or a word."""
    lines = content.split(b"\n")
    i, j = chance.randrange(len(lines)), chance.randrange(len(lines))
    match chance.randrange(7):
        case 0:
            del lines[i]
        case 1:
            lines.insert(j, lines[i])
        case 2:
            lines[i], lines[j] = lines[j], lines[i]
        case 3:
            lines[i] = b""
        case 4:
            separator = chance.choice([b"\t", b" ", b",", b"=", b":"])
            columns = lines[i].split(separator)
            chance.choice(
                [columns.reverse, columns.pop, lambda: columns.append(b"x"), lambda: columns.insert(0, b"")]
            )()
            lines[i] = separator.join(columns)
        case 5:
            words = lines[i].split(b" ")
            words[chance.randrange(len(words))] = as_json(chance.choice(HOSTILE))
            lines[i] = b" ".join(words)
        case 6:
            head, equals, _ = lines[i].partition(b"=")
            lines[i] = head + equals + b" " + as_json(chance.choice(HOSTILE))
    return b"\n".join(lines)


def of_text(text: str, chance: random.Random) -> str:
    """Spoil a text of one line, token by token."""
    tokens = [
        "(", ")", "[", "]", ",", "*", "-", "/", "<=", "==", "!=", "and", "or", "not", "min", "count", "nan", "%",
        "1e999", "\x00", "\ud800", "é", "map", ".", "..", "0", "baseline.", "'", '"', ";", "=", ":", "~",
        "9" * 400, "(" * 200,
    ]  # fmt: skip
    for _ in range(chance.choice([1, 1, 2, 4])):
        at = chance.randrange(len(text) + 1)
        length = chance.choice([0, 0, 1, 3, 9])
        text = text[:at] + chance.choice([*tokens, text[at : at + 5], ""]) + text[at + length :]
    return text


def of_frame(frame: pl.DataFrame, chance: random.Random) -> pl.DataFrame:  # noqa: PLR0911  # one for each way
    """Spoil a column of the rows of one record, or the rows."""
    name = chance.choice(frame.columns)
    dtype = frame.schema[name]
    some = pl.Series([chance.random() < chance.choice([0.02, 0.5, 1.0]) for _ in range(frame.height)])
    values: list[Any] = [None]
    if dtype.is_float():
        values += [float("inf"), float("-inf"), float("nan"), -1.0, 1e300, 0.0]
    elif dtype.is_integer():
        values += [0, 1, 2**31 - 1, *([-1, -(2**62), 2**62] if dtype == pl.Int64 else [2**32 - 1])]
    elif dtype == pl.String:
        values += ["", "other", "multilingual", "en", "\x1b[2J", "x" * 500]
    match chance.randrange(9):
        case 0 | 1 | 2 | 3:
            value = pl.lit(chance.choice(values), dtype=dtype)
            return frame.with_columns(pl.when(some).then(value).otherwise(pl.col(name)).alias(name))
        case 4:
            return frame.drop(name)
        case 5:
            with suppress(pl.exceptions.PolarsError):
                other = chance.choice([pl.String, pl.Int64, pl.Float32, pl.Float64, pl.Boolean, pl.Null, pl.Binary])
                return frame.with_columns(pl.col(name).cast(other, strict=False))
        case 6:
            return frame.sample(fraction=chance.choice([0.0, 0.5, 1.0]), seed=chance.randrange(99), shuffle=True)
        case 7:
            return pl.concat([frame, frame.head(chance.choice([1, 40]))])
        case 8:
            lists = [n for n, d in frame.schema.items() if isinstance(d, pl.List) and isinstance(d.inner, pl.Struct)]
            if lists:
                column = chance.choice(lists)
                fields = {field.name: field.dtype for field in frame.schema[column].inner.fields}  # type: ignore[attr-defined]
                field = chance.choice(list(fields))
                value = chance.choice([None, 0, 1, 2**31, "en", "xx", -1, float("nan")])
                spoilt = pl.lit(value).cast(fields[field], strict=False).alias(field)
                change = chance.choice(
                    [
                        pl.element().struct.with_fields(spoilt),
                        pl.element().head(1),
                        pl.concat([pl.element(), pl.element()]),
                    ]
                )
                return frame.with_columns(pl.col(column).list.eval(change))
    return frame


# -- samples ---------------------------------------------------------------------------------------------------------

EXPRESSIONS = [
    "map.multilingual >= 0.3", "min(map[*,*]) >= 0.1", "rank_distance.high <= 500 and not peer < 0.1", "caveats == 0",
    "map[en,de] > 10%", "exposure@10.ratio.by_answer[*] >= 0.5", "abs(map[en,de] - map[de,en]) * 2 <= mean(map[*,*])",
    "map.multilingual >= baseline.map.multilingual - 0.01", "count(map[*,*]) > 3 or recall@10.n == 12",
]  # fmt: skip

RECIPE = """base = "static"
steps = 40
batch_size = 8
learning_rate = 0.01
schedule = "linear"
warmup = 0.1
temperature = 0.07
precision = "fp32"
hard_negatives = 0
validation = 0.05
monitor = "map_multilingual"
seed = 0
dimension = 16
vocabulary = 500
"""

PLAN = """title = "A small study"
samplers = ["mono", "hybrid"]
alphas = [0.25, 0.5]
seeds = 2
top_k = 3
top_of = "all"
recipe = "static"

[settings]
steps = 4
batch_size = 8

[sources]
calendar = ["builtin:calendar[split=train]"]

[targets]
test = "builtin:calendar[split=test]"
money = "builtin:money[languages=de,en]"

[in_domain]
test = "calendar"
"""

CARD = {
    "name": "a", "base": "static", "sampler": "hybrid", "alpha": 0.5, "pivot": None, "seed": 3,
    "sources": [{"name": "made", "domain": "d", "fingerprint": "f", "languages": ["de", "en"], "n_ids": 4}],
    "recipe": {"base": "static", "steps": 100, "learning_rate": 0.01}, "device": "cpu", "versions": {"torch": "2"},
    "processes": 1, "steps": 100, "best_step": 50, "loss": 0.5, "training_seconds": 3.5,
    "validated_on": [{"name": "made", "fingerprint": "f"}],
    "batches": {"by_kind": {"monolingual": 3}, "by_task": {"made": 3}, "pairs": {"de": {"de": 4, "en": 2}}},
    "files": ["config.json"],
}  # fmt: skip


STUDY = {
    "title": "t", "samplers": ["mono", "hybrid"], "alphas": [0.5], "seeds": [0, 1], "baseline": "mono",
    "sources": {"a": ["builtin:money"]}, "targets": {"made": "x"}, "in_domain": {"made": "a"},
}  # fmt: skip


def squad(language: str) -> dict[str, Any]:
    paragraphs = []
    for p in range(3):
        context = f"Passage {p} in {language}. It says {p * 7}. And more."
        questions = [
            {"id": f"q{p}{q}", "question": f"What is {q} of {p}, {language}?",
             "answers": [{"text": str(p * 7), "answer_start": context.index(str(p * 7), 12)}]}
            for q in range(2)
        ]  # fmt: skip
        first = context.index(". ") + 1
        second = context.index(". ", first + 1) + 1
        breaks = [[0, first], [first + 1, second], [second + 1, len(context)]]
        paragraphs.append({"context": context, "qas": questions, "sentence_breaks": breaks})
    return {"version": "1.1", "data": [{"title": "T", "paragraphs": paragraphs}]}


def prepare(folder: Path) -> None:
    """Write a valid sample of everything into `folder`."""
    from xlbias.evaluation import evaluate
    from xlbias.results.run import open_run
    from xlbias.runs.journal import Journal

    task = make_task(5).select_languages(["de", "en", "zh"])
    plain = evaluate([make_vectors(task, seed) for seed in (0, 1)], task, folder / "plain.parquet")
    metadata = {
        **plain.metadata,
        "models": [{**model, "card": {**CARD, "name": model["name"]}} for model in plain.metadata["models"]],
    }
    rows: dict[str, pl.DataFrame] = {
        "ranking": plain.rankings.collect(), "query": plain.queries.collect(), "passage": plain.passages.collect(),
        "alignment": plain.alignments.collect(), "summary": plain.summary,
        "training": pl.DataFrame({"model": ["random0"] * 4, "step": [1, 2, 3, 4], "loss": [2.0, 1.5, 1.2, 1.0],
                                  "epoch": [0.1, 0.2, 0.3, 0.4], "learning_rate": [0.1] * 4}),
        "validation": pl.DataFrame({"model": ["random0"] * 2, "task": ["made"] * 2, "domain": ["test"] * 2,
                                    "step": [2, 4], "map_multilingual": [0.2, 0.4], "n_queries": [9, 9]}),
    }  # fmt: skip
    for name, finish in (("run.parquet", True), ("live.parquet", False)):
        with Journal.open(folder / name, metadata, identity="i") as journal:
            for record, frame in rows.items():
                journal.write(record, "a-0", frame)
            journal.progress("ranking", 3, 9, "queries", force=True)
            if finish:
                journal.finish()
    assert open_run(folder / "run.parquet").summary.height == plain.summary.height
    for name in ("squad", "lareqa"):
        for language in ("de", "en", "zh"):
            write(folder / name / f"{language}.json", as_json(squad(language)))
    for language in ("eng", "deu", "zho"):
        write(
            folder / "bitext" / f"news.{language}", "\n".join(f"Sentence {i} in {language}" for i in range(6)).encode()
        )
    write(folder / "bitext" / "DOCUMENT_IDS.tsv", b"\n".join(b"doc%d" % (i // 2) for i in range(6)))
    for language in ("deu_Latn", "eng_Latn", "zho_Hans"):
        table = "index_id\tcategory\ttext\n" + "".join(f"{i}\ttravel\tText {i} of {language}\n" for i in range(6))
        for part in ("train", "dev", "test"):
            write(folder / "sib200" / language / f"{part}.tsv", table.replace("\n", "\n").encode())
    items = [
        {"id": f"i{i}", "language": language, "query": f"question {i} {language}", "passage": f"answer {i} {language}",
         "document": f"d{i // 2}", "negatives": [f"answer {i} {language} not"]}
        for i in range(4)
        for language in ("de", "en")
    ]  # fmt: skip
    write(folder / "parallel" / "p.jsonl", b"\n".join(map(as_json, items)))
    for language, names in (("de", ["Hund", "Katze"]), ("en", ["dog", "cat"])):
        entries = {emoji: {"default": [name, "x"], "tts": [name]} for emoji, name in zip("🐶🐱", names, strict=True)}
        write(folder / "cldr" / f"{language}.json", as_json({"annotations": {"annotations": entries}}))
    write(folder / "tsv" / "de-en.tsv", b"Hund\tdog\nKatze\tcat\n")
    four = "source-language\tword\ttarget-language\ttranslation\nde\tHund\ten\tdog\nfr\tchat\tzh\t猫\n"
    write(folder / "four" / "lexicon.tsv", four.encode())
    write(folder / "card" / "xlbias.json", as_json(CARD))
    write(folder / "recipe" / "r.toml", RECIPE.encode())
    write(folder / "plan" / "p.toml", PLAN.encode())
    write(folder / "rules" / "r.txt", "\n".join(EXPRESSIONS).encode())


def write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


# -- inputs ----------------------------------------------------------------------------------------------------------


def spoil_file(source: Path, work: Path, chance: random.Random) -> Path:
    """Copy a folder of samples, with one of its files spoilt, and return the copy."""
    shutil.copytree(source, work / source.name)
    files = sorted(path for path in (work / source.name).rglob("*") if path.is_file())
    file = chance.choice(files)
    content = file.read_bytes()
    if file.suffix in (".json", ".jsonl") and chance.random() < 0.6:
        lines = content.split(b"\n")
        i = chance.randrange(len(lines))
        lines[i] = as_json(of_json(json.loads(lines[i]), chance))
        content = b"\n".join(lines)
    else:
        content = chance.choice([of_bytes, of_lines])(content, chance)
    match chance.randrange(12):
        case 0:
            file.unlink()
        case 1:
            file.unlink()
            file = file.with_name(
                chance.choice(["xx" + file.suffix, "a.b.c", file.stem, "zh-Hans" + file.suffix, file.name + ".gz"])
            )
            file.write_bytes(content)
        case 2:
            file.unlink()
            file.mkdir()
        case _:
            file.write_bytes(content)
    return work / source.name


def a_task(kind: str) -> Callable[[Path, Path, random.Random], object]:
    def read(samples: Path, work: Path, chance: random.Random) -> object:
        from xlbias.data.catalog import load_task
        from xlbias.data.describe import describe_task

        folder = spoil_file(samples / kind, work, chance)
        target = folder / "p.jsonl" if kind == "parallel" else folder
        options = chance.choice(
            ["", "", "[languages=de,en]", "[split=test]", "[split=train;by=document]", "[parallel=no]"]
        )
        return describe_task(load_task(f"{kind}:{target}{options}"))

    return read


def a_name(samples: Path, work: Path, chance: random.Random) -> object:
    from xlbias.data.catalog import load_task

    names = [f"parallel:{samples}/parallel/p.jsonl[languages=de,en;split=test;test=0.2]",
             f"squad:{samples}/squad[split=train]",
             f"bitext:{samples}/bitext[pairs=headline;seed=3]", f"sib200:{samples}/sib200[languages=de]"]  # fmt: skip
    return load_task(of_text(chance.choice(names), chance))


def a_lexicon(samples: Path, work: Path, chance: random.Random) -> object:
    from xlbias.data.lexicons import load_lexicon

    kind = chance.choice(["cldr", "cldr", "tsv", "four"])
    folder = spoil_file(samples / kind, work, chance)
    target = folder if kind == "cldr" else folder / {"tsv": "de-en.tsv", "four": "lexicon.tsv"}[kind]
    lexicon = load_lexicon([f"cldr:{target}" if kind == "cldr" else str(target)])
    return [lexicon.find(["", "Hund", ""], "de", target) for target in lexicon.targets("de")], lexicon.describe()


def a_card(samples: Path, work: Path, chance: random.Random) -> object:
    from xlbias.encode.card import read_card

    card = read_card(spoil_file(samples / "card", work, chance))
    if not card or chance.random() < 0.7:
        return card

    def with_card(metadata: dict[str, Any]) -> None:
        metadata["models"][0]["card"] = card

    return all_of(forged(samples, work, chance, with_card), chance)


def a_recipe(samples: Path, work: Path, chance: random.Random) -> object:
    from xlbias.train.recipe import parse_settings, read_recipe

    if chance.random() < 0.2:
        return parse_settings([of_text(chance.choice(RECIPE.splitlines()), chance)])
    recipe = read_recipe(spoil_file(samples / "recipe", work, chance) / "r.toml")
    return recipe.as_toml(), recipe.as_dict()


def a_plan(samples: Path, work: Path, chance: random.Random) -> object:
    from xlbias.study.plan_reader import read_plan
    from xlbias.study.steps import steps_of

    plan = read_plan(spoil_file(samples / "plan", work, chance) / "p.toml")
    if len(plan.seeds) > 1_000:
        return None
    return steps_of(plan.encoders()), json.dumps(plan.as_dict())


def an_expression(samples: Path, work: Path, chance: random.Random) -> object:
    from xlbias.check.requirement import parse, parse_file
    from xlbias.check.run_fields import RunFields

    if chance.random() < 0.2:
        return parse_file(spoil_file(samples / "rules", work, chance) / "r.txt")
    requirement = parse(of_text(chance.choice(EXPRESSIONS), chance))
    run = opened(samples)
    fields = RunFields(run, "random0", "made")
    return requirement.check(fields, fields if chance.random() < 0.8 else None)


_OPENED: dict[Path, Any] = {}


def opened(samples: Path) -> Any:
    from xlbias.results.run import open_run

    return _OPENED.setdefault(samples, open_run(samples / "run.parquet"))


def forged(samples: Path, work: Path, chance: random.Random, about: Callable[[dict[str, Any]], None]) -> Path:
    """Write a run with other metadata, with checksums or as other tools write it."""
    metadata = json.loads(json.dumps(opened(samples).metadata))
    about(metadata)
    frame = pl.read_parquet(samples / "run.parquet")
    return written(frame.partition_by("record", maintain_order=True), metadata, work, chance)


def written(frames: list[pl.DataFrame], metadata: Any, work: Path, chance: random.Random) -> Path:
    from xlbias.runs import parquet

    path = work / "run.parquet"
    try:
        text = json.dumps(metadata)
    except (RecursionError, ValueError):
        text = "[" * 20_000
    if chance.random() < 0.5 and all("record" in frame.columns for frame in frames):
        parts = []
        for i, frame in enumerate(frames):
            with suppress(Exception):  # what the writer refuses is no input
                part = work / f"{frame['record'][0]}-{i}"
                parquet.write_part(part, frame)
                parts.append(part)
        with suppress(Exception):
            parquet.write_run(path, parts, json.loads(text))
            return path
    pl.concat(frames, how="diagonal_relaxed").write_parquet(path, metadata={"xlbias": text})
    return path


def a_run(samples: Path, work: Path, chance: random.Random) -> object:
    source = samples / "run.parquet"
    kind = chance.randrange(4)
    if kind == 0:
        path = work / "run.parquet"
        content = source.read_bytes()
        if chance.random() < 0.5:  # as files of earlier versions, which have no checksums
            pl.read_parquet(source).write_parquet(path, metadata={"xlbias": json.dumps(opened(samples).metadata)})
            content = path.read_bytes()
        path.write_bytes(of_bytes(content, chance))
        return all_of(path, chance)
    frames = pl.read_parquet(source).partition_by("record", maintain_order=True)
    metadata = opened(samples).metadata
    if kind == 1:
        metadata = of_json({**metadata, "study": STUDY}, chance)
    else:
        i = chance.randrange(len(frames))
        frames[i] = of_frame(frames[i], chance)
    try:
        path = written(frames, metadata, work, chance)
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, TypeError, ValueError):
        return None  # no Parquet file can hold it
    return all_of(path, chance)


def a_journal(samples: Path, work: Path, chance: random.Random) -> object:
    from xlbias.runs.journal import Journal, live_folder

    folder = live_folder(work / "live.parquet")
    shutil.copytree(live_folder(samples / "live.parquet"), folder)
    file = chance.choice([path for path in sorted(folder.rglob("*")) if path.is_file() and path.name != "lock"])
    if file.suffix == ".json":
        content = json.loads(file.read_bytes())
        content.pop("checksum", None)
        file.write_bytes(
            of_bytes(file.read_bytes(), chance) if chance.random() < 0.4 else as_json(of_json(content, chance))
        )
    elif chance.random() < 0.5:
        file.write_bytes(of_bytes(file.read_bytes(), chance))
    else:
        with suppress(pl.exceptions.PolarsError):
            of_frame(pl.read_parquet(file), chance).write_parquet(file)
    if chance.random() < 0.4:
        with Journal.open(work / "live.parquet", {"models": []}, identity="i", resume=True) as journal:
            return journal.finish()
    return all_of(work / "live.parquet", chance)


def all_of(path: Path, chance: random.Random) -> object:
    """Read all of a run, and show some of it."""
    from xlbias.report.documents.audit_csv import to_csv
    from xlbias.report.documents.audit_json import to_json
    from xlbias.report.render import render_report
    from xlbias.results.caveats import caveats
    from xlbias.results.compare import Side, compare
    from xlbias.results.run import open_run

    run = open_run(path)
    for name in ("rankings", "queries", "passages", "alignments", "training", "validation"):
        getattr(run, name).collect()
    shown: list[object] = [run.cells, run.settings, run.bias(), run.rank_distances, caveats(run)]
    match chance.randrange(8):
        case 0:
            shown.append(render_report([run], "text", by_language=True))
        case 1:
            shown.append(to_json(run))
        case 2:
            shown.append(to_csv([run]))
        case 3:
            shown.append(render_report([run], chance.choice(["markdown", "latex", "html"])))
        case 4:
            names = [model.name for model in run.models]
            if len(names) > 1 and run.tasks:
                sides = Side(run, (names[0],)), Side(run, (names[1],))
                shown.append(compare(*sides, run.tasks[0].name, measures=["map", "kendall_w"], permutations=50))
        case 5:
            from xlbias.report.documents.study import study_report

            shown.append(study_report(run))
    return shown


READERS: list[tuple[int, str, Callable[[Path, Path, random.Random], object]]] = [
    (8, "run", a_run),
    (5, "journal", a_journal),
    (9, "squad", a_task("squad")),
    (9, "lareqa", a_task("lareqa")),
    (10, "parallel", a_task("parallel")),
    (9, "bitext", a_task("bitext")),
    (8, "sib200", a_task("sib200")),
    (6, "task name", a_name),
    (8, "lexicon", a_lexicon),
    (6, "card", a_card),
    (8, "recipe", a_recipe),
    (8, "plan", a_plan),
    (6, "expression", an_expression),
]
_WEIGHTS = [weight for weight, _, _ in READERS]


def one(number: int, samples: Path, work: Path) -> tuple[str, str]:
    """Read input `number`; return what reads it, and the fault: empty where it is accepted or properly refused."""
    chance = random.Random(f"mutated {number}")
    _, name, read = chance.choices(READERS, _WEIGHTS)[0]
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir()
    try:
        read(samples, work, chance)
    except XlbiasError as error:
        said = str(error)
        return name, "" if said.strip() and len(
            said
        ) < 4_000 else f"an error that says {said[:80]!r} ({len(said)} characters)"
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # a panic is no Exception
        last = traceback.extract_tb(error.__traceback__)
        ours = [frame for frame in last if "/xlbias/" in frame.filename] or list(last)
        place = " < ".join(f"{Path(frame.filename).name}:{frame.lineno}" for frame in reversed(ours[-3:]))
        return name, f"{type(error).__name__}: {str(error)[:160]} ({place})"
    return name, ""


def work_on(numbers: list[int], samples: str, work: str, results: str) -> None:
    """Read inputs one after another in a process of its own, with limits; write a line before and after each."""
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    most = pages * os.sysconf("SC_PAGE_SIZE") + MEMORY
    resource.setrlimit(resource.RLIMIT_AS, (most, most))
    with Path(results).open("a", buffering=1) as file:
        for number in numbers:
            file.write(json.dumps([number]) + "\n")
            faulthandler.dump_traceback_later(SECONDS, exit=True)
            name, fault = one(number, Path(samples), Path(work))
            faulthandler.cancel_dump_traceback_later()
            file.write(json.dumps([number, name, fault]) + "\n")
    sys.stdout.flush()
