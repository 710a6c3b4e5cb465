"""For every rule of findings and caveats a run in which it speaks, and one nearly equal in which it must not.

And every number that a finding says is the one that it points to, wherever that stands.
"""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from itertools import chain
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from dashboard.made import LiveRun
from filelock import FileLock
from results.planted_faults import HOME, LANGUAGES, Planted, drawn, task
from support import make_task

import xlbias
from xlbias.data.convert import beir_query_id
from xlbias.data.notes import Notes
from xlbias.data.task import RetrievalTask
from xlbias.measures.registry import measure_of
from xlbias.results.by_key import Numbers
from xlbias.results.caveats import KINDS as CAVEATS
from xlbias.results.caveats import caveats
from xlbias.results.compare import Side, compare
from xlbias.results.findings import findings, kinds
from xlbias.results.findings.language_gaps import RESOLUTION, language_gaps
from xlbias.results.levels import levels
from xlbias.results.per_query import Key
from xlbias.results.run import Run, open_run
from xlbias.results.written import LEAST_P, difference_text, largest_p, measured, number, signed_text

pytestmark = pytest.mark.integration

TRAINED = {"sources": HOME, "base": "static", "recipe": {"steps": 1}}
MANY = 52  # query ids, of which there are enough


# -- the runs ----------------------------------------------------------------------------------------------------------


def evaluate(encoders, tasks, path: Path) -> Run:
    """Evaluate once for all workers, in a folder that they share."""
    path = _shared[-1] / path.name
    with FileLock(path.with_suffix(".lock")):
        return open_run(path) if path.exists() else xlbias.evaluate(encoders, tasks, path)


class Zeros(Planted):
    """An encoder that has no vector for one text."""

    def vector(self, side, about, language):
        return (
            np.zeros(24) if (about, language, side) == ("home000", "de", "p") else super().vector(side, about, language)
        )


class Narrow(Planted):
    """An encoder whose vectors are all but one."""

    def __init__(self, name, spread):
        super().__init__(name)
        self.spread = spread

    def vector(self, side, about, language):
        return drawn("middle") + self.spread * super().vector(side, about, language)


def faults(path: Path) -> Run:
    home = task("home", "home", 20)
    on_home = {**TRAINED, "sources": [{"name": "home", "domain": "home", "fingerprint": home.fingerprint}]}
    cut = {"th": (50, 0, True), "zh": (4, 1, False)}
    encoders = [
        Planted("fair", card=TRAINED),
        Planted("lame", by_language={("q", "th"): 6.0, ("p", "zh"): 5.0}),
        Planted("sound", by_language={("q", "th"): 0.52, ("p", "zh"): 0.52}),
        Planted("clannish", own=4.0),
        Planted("open", own=0.05),
        Planted("pulled", pull={"en": 3.0, "th": -3.0}),
        Planted("evenly pulled", pull=dict.fromkeys(LANGUAGES, 3.0)),
        Planted("constant", noise=None),
        Planted("random", noise=1e3),
        Planted("cutting", tokens=cut),
        Planted("whole", tokens=dict.fromkeys(LANGUAGES, (5, 0, False))),
        Planted("leaked", card=on_home),
        Zeros("blank"),
        Narrow("narrow", 1e-4),
        Narrow("wide", 0.1),
    ]
    return evaluate(encoders, [home], path)


def domains(path: Path) -> Run:
    """Two trainings: what one loses away from home, and its best step, are planted."""
    cards = [{**TRAINED, "sampler": sampler, "seed": 0, "best_step": n} for n, sampler in enumerate(("mono", "hybrid"))]
    encoders = [Planted("lossy", away=2.5, card=cards[0]), Planted("fair", card=cards[1])]
    return evaluate(encoders, [task("home", "home", 20), task("away", "away", 12)], path)


def many_ids(path: Path) -> Run:
    deaf = Planted("deaf", by_language={("q", "th"): 1e3})
    return evaluate([Planted("constant", noise=None), Planted("sound"), deaf], [task("many", "many", MANY)], path)


STUDY = {
    "title": "planted",
    "samplers": ["mono", "cross", "mixed"],
    "alphas": [],
    "seeds": [0, 1, 2, 3],
    "sources": {"at home": ["home"], "elsewhere": ["away"]},
    "targets": {"home": "home", "away": "away"},
    "in_domain": {"home": "at home", "away": "elsewhere"},
    "baseline": "mono",
}


def study(path: Path) -> Run:
    """What cross-lingual batches gain at home is planted; mixed ones gain nothing."""
    noise = {"mono": 2.0, "cross": 0.8, "mixed": 2.0}
    encoders = [
        Planted(f"{source}-{sampler}-seed{n}", noise=noise[sampler])
        for source in STUDY["sources"] for sampler in noise for n in STUDY["seeds"]
    ]  # fmt: skip
    run = evaluate(encoders, [task("home", "home", 20), task("away", "away", 20)], path)
    return replace(run, metadata={**run.metadata, "study": STUDY})


def seeds(path: Path) -> Run:
    """Two recipes of two trainings each."""
    encoders = [
        Planted(f"{sampler}{n}", card={**TRAINED, "sampler": sampler, "seed": n, "recipe": {"seed": n}})
        for sampler in ("mono", "cross")
        for n in range(2)
    ]
    return evaluate(encoders, [task("home", "home", 10)], path)


def pair(*noise: float) -> Callable[[Path], Run]:
    """Return what makes a run of two trainings, of recipes that differ in alpha, with so much noise."""

    def make(path: Path) -> Run:
        card = {**TRAINED, "sampler": "hybrid", "recipe": {}}
        two = [Planted(f"twin{n}", noise[n], card={**card, "seed": n, "alpha": 0.5 + n / 10}) for n in range(2)]
        return evaluate(two, [task("home", "home", 20)], path)

    return make


def of_texts(name: str, pairs, notes: Notes | None = None, answers=None) -> RetrievalTask:
    """A task of ``(id, language, query, language of the passage, passage)``."""
    queries = pl.DataFrame(
        [(i, tag, text) for i, tag, text, _, _ in pairs], ["query_id", "language", "text"], orient="row"
    )
    passages = pl.DataFrame(
        [(f"{tag}-{i}", tag, text) for i, _, _, tag, text in pairs], ["passage_id", "language", "text"], orient="row"
    )
    qrels = [(i, f"{tag}-{i}", 1) for i, _, _, tag, _ in pairs if answers is None or (i, tag) in answers]
    judged = pl.DataFrame(qrels, ["query_id", "passage_id", "relevance"], orient="row")
    return RetrievalTask(name, "made", "made by the test", "none", queries, passages, judged, notes=notes or Notes())


def odd_tasks(path: Path) -> Run:
    ids = [str(n) for n in range(12)]
    both = [(i, tag) for i in ids for tag in ("de", "en")]
    plain = [(i, tag, f"q {i} {tag}", tag, f"p {i} {tag}") for i, tag in both]
    tasks = [
        of_texts("plain", plain),
        of_texts("trivial", [(i, tag, f"p {i} {tag}", tag, f"p {i} {tag}") for i, tag in both]),
        of_texts("counted", plain, Notes(files_count=True)),
        of_texts("tags", [(i, "pt", f"q {i} pt", "pt-BR", f"p {i} pt") for i in ids] + plain),
        of_texts("one tag", [(i, "pt", f"q {i} pt", "pt", f"p {i} pt") for i in ids] + plain),
        of_texts("unanswered", plain, answers={(i, tag) for i, tag in both if (i, tag) != ("3", "de")}),
    ]
    return evaluate([Planted("any")], tasks, path)


def edited(kind: str) -> Callable[[Path], Run]:
    """Return what makes a run that another one would be but for one fact of its metadata, or one number."""

    def make(path: Path) -> Run:
        run = made("odd tasks")
        frame, metadata = pl.read_parquet(run.path), json.loads(json.dumps(run.metadata))
        model = metadata["models"][0]
        if kind == "approximate":
            metadata["approximate"] = True
        elif kind == "mitigation":
            model["mitigation"] = "mean"
        elif kind == "no_vectors":
            model["representation"] = "sparse"
        elif kind == "prompts":
            model["prompts"] = {"query": "", "passage": "", "doubts": ["registers a prompt that was not used"]}
        elif kind == "sampled":
            drawn_ids = (pl.col("measure") == "passages.parallel_accuracy") & (pl.col("n") > 6)
            frame = frame.with_columns(pl.when(drawn_ids).then(6).otherwise("n").cast(frame.schema["n"]).alias("n"))
        elif kind == "changed":
            ranking = pl.col("record") == "ranking"
            frame = frame.with_columns(pl.when(ranking).then(0.5).otherwise("ap").alias("ap"))
        frame.write_parquet(path, metadata={"xlbias": json.dumps(metadata)})
        return open_run(path)

    return make


def going_on(path: Path) -> Run:
    live = LiveRun(path, n_queries=20)
    live.write(live.languages[0])
    return open_run(path)


def finished(path: Path) -> Run:
    return open_run(LiveRun(path, n_queries=20).write_all().finish())


def imported(depth: int) -> Callable[[Path], Run]:
    """Return what makes a run of lists that go down to a depth: all 24 passages are a whole ranking."""

    def make(path: Path) -> Run:
        about = make_task(12).select_languages(["de", "en"])
        passages = about.passages["passage_id"].to_list()
        queries = about.queries.select(beir_query_id(about)).to_series().to_list()
        lines = [
            f"{query} Q0 {passages[(rank + at) % len(passages)]} {rank} {100 - rank} system\n"
            for at, query in enumerate(queries)
            for rank in range(1, depth + 1)
        ]
        file = path.with_suffix(".trec")
        file.write_text("".join(lines), "utf-8")
        return xlbias.import_run(file, about, path)

    return make


RUNS: dict[str, Callable[[Path], Run]] = {
    "faults": faults, "domains": domains, "many ids": many_ids, "seeds": seeds, "study": study, "twins": pair(2.0, 2.0),
    "brothers": pair(2.0, 1.0), "odd tasks": odd_tasks, "going on": going_on, "finished": finished,
    "short lists": imported(20), "whole lists": imported(24),
    **{kind: edited(kind) for kind in ("approximate", "mitigation", "no_vectors", "prompts", "sampled", "changed")},
}  # fmt: skip

_folder: list[Path] = []
_shared: list[Path] = []


@pytest.fixture(scope="module", autouse=True)
def _place(tmp_path_factory, shared_folder):
    _folder.append(tmp_path_factory.mktemp("planted"))
    _shared.append(shared_folder / "planted")
    _shared[-1].mkdir(exist_ok=True)
    yield
    made.cache_clear()
    _folder.clear()
    _shared.clear()


@cache
def made(name: str) -> Run:
    return RUNS[name](_folder[-1] / f"{name}.parquet")


# -- what is planted where ---------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Plant:
    """Where a kind must appear, ``(run, encoder, task)``, and where it must not although nearly all is the same."""

    there: tuple[str, str, str]
    not_there: tuple[str, str, str]


def on(run: str, guilty: str, innocent: str, where: str = "home") -> Plant:
    return Plant((run, guilty, where), (run, innocent, where))


ODD = ("odd tasks", "any", "plain")
FINDINGS = {
    "quality": Plant(("going on", "mono", "xquad-r"), ("going on", "hybrid", "xquad-r")),  # nothing is ranked yet
    "chance_level": on("faults", "random", "fair"),
    "query_language": on("faults", "lame", "sound"),
    "passage_language": on("faults", "lame", "sound"),
    "worst_pair": on("many ids", "deaf", "sound", "many"),
    "tokenizer": on("faults", "cutting", "whole"),
    "rank_distance": on("faults", "clannish", "open"),
    "own_language": on("faults", "clannish", "open"),
    "exposure": on("faults", "pulled", "evenly pulled"),
    "language_order": on("faults", "pulled", "evenly pulled"),
    "difference": Plant(("brothers", "twin1", "home"), ("twins", "twin1", "home")),  # noise of a seed is none
    "shift": on("domains", "lossy", "fair", "away"),
    "sampler": on("study", "cross", "mixed"),
    "excluded": Plant(("odd tasks", "any", "unanswered"), ODD),
    "caveat": on("many ids", "constant", "sound", "many"),
    "one_training": Plant(("domains", "lossy", "home"), ("seeds", "mono0", "home")),
}
OF_CAVEATS = {
    "changed": Plant(("changed", "any", "plain"), ODD),
    "partial": Plant(("going on", "mono", "xquad-r"), ("finished", "mono", "xquad-r")),
    "approximate": Plant(("approximate", "any", "plain"), ODD),
    "censored": Plant(("short lists", "system", "made"), ("whole lists", "system", "made")),
    "seen": on("faults", "leaked", "fair"),
    "counted": Plant(("odd tasks", "any", "counted"), ODD),
    "trivial": Plant(("odd tasks", "any", "trivial"), ODD),
    "collapsed": on("faults", "narrow", "wide"),
    "ties": on("faults", "constant", "random"),
    "zero": on("faults", "blank", "sound"),
    "tags": Plant(("odd tasks", "any", "tags"), ("odd tasks", "any", "one tag")),
    "prompts": Plant(("prompts", "any", "plain"), ODD),
    "cut": on("faults", "cutting", "whole"),
    "no_gain": on("domains", "lossy", "fair"),
    "mitigation": Plant(("mitigation", "any", "plain"), ODD),
    "no_vectors": Plant(("no_vectors", "any", "plain"), ODD),
    "sampled": Plant(("sampled", "any", "plain"), ODD),
    "few": Plant(("faults", "sound", "home"), ("many ids", "sound", "many")),
}


def test_every_rule_has_a_plant():
    assert set(FINDINGS) == set(kinds())
    assert set(OF_CAVEATS) == set(CAVEATS)


@pytest.mark.parametrize("kind", FINDINGS)
def test_a_finding_appears_where_it_was_planted_and_not_beside_it(kind):
    plant = FINDINGS[kind]
    assert speaks(kind, *plant.there)
    assert not speaks(kind, *plant.not_there)


def speaks(kind, run, encoder, task_name):
    """Whether there is a finding that says that something is so, not that nothing is."""
    found = [one for one in findings(made(run)) if one.kind == kind and one.concerns(encoder, task_name)]
    if kind == "difference":  # is always told, also where nothing is significant
        found = [one for one in found if any(n.value for n in one.numbers if n.role in ("better cells", "worse cells"))]
    if kind == "sampler":  # is always told, also what is unclear
        found = [one for one in found if any(n.p is not None and n.p < 0.05 for n in one.numbers)]
    if kind == "shift":  # is always told, also what is not lost
        found = [one for one in found if one.concern]
    return found


@pytest.mark.parametrize("kind", OF_CAVEATS)
def test_a_caveat_appears_where_it_was_planted_and_not_beside_it(kind):
    for (name, encoder, task_name), there in ((OF_CAVEATS[kind].there, True), (OF_CAVEATS[kind].not_there, False)):
        run = made(name)
        said = [one for one in caveats(run) if one.kind == kind and one.concerns(encoder, task_name)]
        told = {one.sentence for one in findings(run) if one.kind == "caveat" and one.concerns(encoder, task_name)}
        assert bool(said) == there, name
        assert {one.sentence for one in said} <= told


# -- where every number comes from -------------------------------------------------------------------------------------

ALL = list(dict.fromkeys(plant.there[0] for plant in (*FINDINGS.values(), *OF_CAVEATS.values())))


@pytest.mark.parametrize("name", ALL)
def test_every_number_of_a_finding_is_that_of_its_cell(name):
    run, checked = made(name), 0
    for one in findings(run):
        for n in one.numbers:
            expected = cell(run, one, n)
            for field in ("value", "low", "high", "n", "p"):
                if field in expected:
                    assert getattr(n, field) == pytest.approx(expected[field], abs=1e-12), (one.sentence, n)
                    checked += 1
    assert checked or name in ("mitigation", "no_vectors", "prompts")


def cell(run, finding, n):  # noqa: PLR0911  # one for each role
    """Return what the number must be, worked out from the run without the rules."""
    numbers = Numbers(run.summary)
    if finding.kind == "sampler":
        return of_samplers(numbers, n)
    if n.base is not None:
        return of_comparison(run, n)
    if n.role in ("chance", "base", "published"):
        known = [one for one in levels(run, finding.encoder, n.task, (n.measure,)) if one.setting == n.setting]
        (level,) = (one for one in known if (one.kind, one.name, one.value) == (n.role, n.encoder, n.value))
        return {"value": level.value, "low": level.low, "high": level.high}
    if n.role == "languages in turns":
        return {"value": 1 / len(run.task(n.task).pool_sizes)}
    if n.role in ("mean of its cells", "mean of other languages", "difference from other languages"):
        return of_language(run, n)
    if n.role.endswith("tokens a character"):
        return {"value": tokens_a_character(run, n)}
    if n.role == "relative loss":
        return {"value": loss(run, n)}
    if n.role == "excluded":
        cells = run.cells.filter((pl.col("task") == n.task) & (pl.col("setting") == n.setting if n.setting else True))
        left_out, ranked = cells["n_excluded"].sum(), cells["n"].sum()
        return {"value": left_out / (left_out + ranked), "n": left_out}
    if n.role == "caveat":
        (one,) = (one for one in caveats(run) if one.sentence == finding.sentence and one.model == n.encoder
                  and one.task == n.task)  # fmt: skip
        return {"value": one.value, "n": one.n}
    assert n.role == "", n.role
    row = numbers.of(n.encoder, n.task)[Key(n.measure, n.setting, n.query_language, n.passage_language)]
    return {"value": row.value, "low": row.low, "high": row.high, "n": row.n}


@cache
def compared(run, base, new, task_name):
    return compare(Side(run, tuple(base.split(", "))), Side(run, tuple(new.split(", "))), task_name, measures=["map"])


def of_comparison(run, n):
    frame = compared(run, n.base, n.encoder, n.task)
    cells = frame.filter(pl.col("query_language").is_not_null() & pl.col("difference").is_not_null())
    significant = cells.filter(pl.col("p_corrected") < 0.05)
    if n.role in ("better cells", "worse cells"):
        sign = 1 if n.role == "better cells" else -1
        return {"value": significant.filter(pl.col("difference") * sign > 0).height, "n": cells.height}
    (row,) = frame.filter(
        pl.col("setting").eq_missing(pl.lit(n.setting, dtype=pl.String))
        & pl.col("query_language").eq_missing(pl.lit(n.query_language, dtype=pl.String))
        & pl.col("passage_language").eq_missing(pl.lit(n.passage_language, dtype=pl.String))
    ).to_dicts()
    found = {"value": row["difference"], "low": row["low"], "high": row["high"], "n": row["n_ids"]}
    if n.query_language is not None:
        found["p"] = significant["p_corrected"].max() if n.role == "largest p" else row["p_corrected"]
    return found


def of_samplers(numbers, n):
    """The mean over pairs of source and target, and over seeds, of what the summary has."""

    def gain(source, target):
        means = [
            np.mean([numbers.of(f"{source}-{arm}-seed{k}", target)[Key(n.measure, n.setting)].value
                     for k in STUDY["seeds"]])
            for arm in (n.base, n.encoder)
        ]  # fmt: skip
        return means[1] - means[0]

    home = np.mean([gain(source, target) for target, source in STUDY["in_domain"].items()])
    away = np.mean([gain("elsewhere", "home"), gain("at home", "away")])
    return {"value": {"home": home, "away": away, "lost": home - away}[n.role], "n": 4 if n.role == "lost" else 2}


def of_language(run, n):
    side = "query" if n.query_language is not None else "passage"
    cells = run.cells.filter(
        (pl.col("model") == n.encoder) & (pl.col("task") == n.task) & (pl.col("pool") != "multilingual")
    ).rename({"pool": "passage_language"})
    means = {language: part["map"].mean() for (language,), part in cells.group_by(f"{side}_language")}
    language = n.query_language or n.passage_language
    others = np.mean([mean for name, mean in means.items() if name != language])
    (gap,) = (one for one in language_gaps(run, n.encoder, n.task) if (one.side, one.language) == (side, language))
    if n.role == "mean of its cells":
        return {"value": means[language]}
    if n.role == "mean of other languages":
        return {"value": others}
    return {"value": means[language] - others, "low": gap.low, "high": gap.high, "p": gap.p, "n": gap.n}


def tokens_a_character(run, n):
    texts = run.queries if n.measure.startswith("queries") else run.passages
    texts = texts.filter(pl.col("task") == n.task).collect()
    numbers = Numbers(run.summary).of(n.encoder, n.task)
    ratios = {
        language: numbers[Key(n.measure, None, language)].value / np.mean([len(text) for text in part["text"]])
        for (language,), part in texts.group_by("language")
    }
    return np.median(list(ratios.values())) if n.role.startswith("median") else ratios[n.query_language]


def loss(run, n):
    numbers = Numbers(run.summary)
    key = Key("map", "cross-lingual") if n.measure == "map" else Key(n.measure)
    sides = [
        np.mean([numbers.of(n.encoder, one.name)[key].value for one in run.tasks if (one.domain == "home") == home])
        for home in (True, False)
    ]
    return 1 - sides[1] / sides[0]


WORDS = re.compile(r"P@1|first 10|1 of \d+ languages|below \d+ %|twin\d|mono\d|cross\d")
"""What a sentence says that is no number of a run."""


@pytest.mark.parametrize("name", ["faults", "many ids", "domains", "brothers", "twins", "going on", "study"])
def test_a_sentence_says_no_number_but_those_that_it_points_to(name):
    run, checked = made(name), 0
    for one in findings(run):
        if one.question == "caveat":
            continue
        known = set(chain.from_iterable(texts(n) for n in one.numbers)) | counts(run, one)
        for said in re.findall(r"[-+]?\d*\.?\d(?:[\d,]*\d)?", WORDS.sub("", f"{one.sentence} {one.short}")):
            assert said in known, (said, one.sentence, one.short)
            checked += 1
    assert checked > (200 if name == "faults" else 3)


def texts(n):
    """Yield all ways in which a number, its interval, its p and what it is over may be written."""
    about = measure_of(n.measure)
    for value in (n.value, n.low, n.high):
        if value is not None:
            yield from (measured(value, about), difference_text(value, about), signed_text(value, about))
            yield from (number(value), number(value, digits=2), f"{100 * value:.0f}", f"{100 * value:.3g}")
    if n.role in ("better cells", "worse cells"):
        yield from (f"{n.value:.0f}", str(n.n))
    for least in (LEAST_P, RESOLUTION, None):
        yield from re.findall(r"[\d.]+", largest_p(n.p, least))


def counts(run, finding):
    """Return what a sentence counts: languages, pairs that are not named, trainings."""
    if finding.kind == "worst_pair":
        cells = run.cells.filter((pl.col("model") == finding.encoder) & (pl.col("task") == finding.task))
        settings = cells.group_by("setting").len()["len"].to_list()
        return {str(len(finding.numbers) - 1 - 3), *map(str, settings)}
    if finding.kind in ("query_language", "passage_language"):
        return {str(len(finding.languages) - 1)}
    if finding.kind == "difference":
        return {str(len(finding.encoder.split(", ")))}
    return {str(len(LANGUAGES))} if finding.kind in ("language_order",) else set()
