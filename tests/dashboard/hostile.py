"""A run whose every text is an attack on terminals, markups, spreadsheets, typesetters, browsers or widths."""

import re
from pathlib import Path

import polars as pl
from dashboard.made import LiveRun, ranking_rows

from xlbias.results.run import open_run

ESCAPES = (
    "\x1b]52;c;aGFja2Vk\x07clip",  # writes the clipboard
    "\x1b]8;;http://evil.example\x07link\x1b]8;;\x07",
    "\x1b]0;owned\x07title",
    "\x1b[31mred\x1b[2J\x1b[H",
    "\x9b31mc1\x9d52;c;aGFja2Vk\x9c",
    "nul\x00bel\x07bs\x08del\x7f",
    "\u202eevil\u2066\u200f\u061c\ufeff\u2028",
)
MARKUP = ("[/]", "[@click=app.quit]quit[/]", "[bold]$quiet[/bold]", "[link=http://evil.example]x[/link]")
FORMULAS = ("=cmd()", "+1+cmd|' /C calc'!A0", "-2+3", "@SUM(A1)", "\t=1+1", "＝1+1")
DOCUMENTS = (
    "<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "](http://evil.example)", "| a | b |",
    r"\input{/etc/passwd}", r"\write18{id}", "$x$ % & # _ {", "]]><svg onload=alert(1)>", "\uffff\ufffe",
)  # fmt: skip
WIDTHS = (
    "👩‍👩‍👧‍👦" * 5,
    "Z" + "\u0300\u0334\u0489" * 200,
    "\u200d\u200c\u200d",
    "ﷺ" * 20,
    "क्षत्रिय ภาษาไทย",
    "日本" * 40,
)
BREAKS = "line\nbreak\rreturn\ttab\x0b\x0c\x85"
ALL = (*ESCAPES, *MARKUP, *FORMULAS, *DOCUMENTS, *WIDTHS, BREAKS)
LONG = "A" * 100_000
LANGUAGES = ("de", "hi", "x\x1b]52;c;aGFja2Vk\x07[/]")
CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]")


def text(number: int) -> str:
    """One of the attacks, told from others by its number."""
    return f"{ALL[number % len(ALL)]} {number}"


def _swapped(frame: pl.DataFrame) -> pl.DataFrame:
    """Give query ids and passages' ids hostile names."""
    ids = {f"q{i}": text(i) for i in range(5)}
    return frame.with_columns(
        pl.col("query_id").replace_strict(ids),
        pl.col("relevants").list.eval(pl.element().struct.with_fields(parallel_id=pl.lit(ALL[0] + "parallel"))),
        pl.col("top").list.eval(pl.element().struct.with_fields(passage_id=pl.lit(ALL[7] + "top"))),
    )


def hostile_run(path: Path) -> Path:
    """Write a finished run of four models on two tasks, with texts, alignment, numbers and a training."""
    models = (text(0), text(7), ALL[21] + "=1", "=cmd()\x1b[31m\u202e" + "B" * 5000)
    tasks = (ESCAPES[0] + MARKUP[1], "=cmd()" + "C" * 3000)
    run = LiveRun(path, models=models, tasks=tasks, languages=LANGUAGES)
    for i, model in enumerate(run.about["models"]):
        model["fingerprint"] = ESCAPES[0] * 10
        model["similarity"] = ESCAPES[1]
        model["card"] = {
            "sampler": text(i), "alpha": 0.5, "seed": 7, "licence": ESCAPES[2],
            "sources": [*([ESCAPES[3]] if i else []), {"name": tasks[i % 2]}],
            "base": ESCAPES[4], "\x1b]0;key\x07": "\ud800lone", "steps": 30,
            "best_step": 20, "device": ESCAPES[0], "training_seconds": 12.5, "checkpoint": ESCAPES[1],
        }  # fmt: skip
    for task in run.about["tasks"]:
        task |= {"domain": ESCAPES[0] + "[/]", "source": ESCAPES[3], "licence": ALL[17], "fingerprint": ESCAPES[6]}
    run.about |= {"device": ESCAPES[0], "versions": {ESCAPES[1]: "\ud800" + ESCAPES[2]}, "command": [ESCAPES[0], "[/]"]}
    for name, about in run.about.items():
        run.journal.describe(name, about)
    for t, task in enumerate(tasks):
        domain = run.about["tasks"][t]["domain"]
        for m, model in enumerate(models):
            for number, language in enumerate(LANGUAGES):
                frame = _swapped(ranking_rows(model, task, language, LANGUAGES)).with_columns(domain=pl.lit(domain))
                run.journal.write("ranking", f"{m:03d}-{t:03d}-{number:05d}", frame)
        _texts(run, t, task, domain)
    _trainings(run, models, tasks)
    _numbers(run)
    return run.finish()


def _texts(run: LiveRun, t: int, task: str, domain: str) -> None:
    where = {"task": task, "domain": domain}
    queries = [
        {**where, "query_id": text(i), "language": language, "text": LONG if i == 0 else text(i + 11)}
        for i in range(5)
        for language in LANGUAGES
    ]
    passages = [
        {**where, "passage_id": f"{language}-{i}", "language": language, "text": LONG + ALL[0] if i == 1 else text(i),
         "document": ALL[0]}
        for i in range(5)
        for language in LANGUAGES
    ]  # fmt: skip
    passages.append({**where, "passage_id": ALL[7] + "top", "language": "de", "text": "".join(ALL), "document": ALL[8]})
    run.journal.write("query", f"{t:03d}", pl.DataFrame(queries))
    run.journal.write("passage", f"{t:03d}", pl.DataFrame(passages))


def _trainings(run: LiveRun, models: tuple[str, ...], tasks: tuple[str, ...]) -> None:
    for m, model in enumerate(models[:3]):
        steps = list(range(10, 40, 10))
        logged = {
            "model": model, "step": steps, "epoch": 0.5, "loss": [1.0 / step for step in steps],
            "learning_rate": 1e-5, "pairs_per_second": 10.0, "tokens_per_second": 100.0, "memory_bytes": 2**30,
            "n_monolingual_batches": steps, "n_cross_lingual_batches": steps, "n_mixed_batches": 0,
        }  # fmt: skip
        run.journal.write("training", f"{m}", pl.DataFrame(logged))
        validated = {
            "model": model, "task": list(tasks), "domain": ESCAPES[0], "step": 20, "loss": 0.5, "n_queries": 5,
            "map_monolingual": 0.5, "map_cross_lingual": 0.25, "map_multilingual": 0.3, "rank_distance": 4.0,
            "rank_distance_normalised": 0.1,
        }  # fmt: skip
        run.journal.write("validation", f"{m}", pl.DataFrame(validated))


def _numbers(run: LiveRun) -> None:
    """Write the numbers of the audit with intervals, and one of a measure that nobody knows."""
    summary = open_run(run.path).summary.with_columns(low=pl.col("value") - 0.05, high=pl.col("value") + 0.05)
    unknown = summary.head(1).with_columns(measure=pl.lit("=cmd()" + ESCAPES[0] + "[/]"))
    for i, (_, part) in enumerate(summary.group_by("model", "task", maintain_order=True)):
        run.journal.write("summary", f"{i:03d}", pl.concat([part, unknown]) if i == 0 else part)
