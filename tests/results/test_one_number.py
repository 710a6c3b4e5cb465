"""One name, one number: what a report says of an encoder is what a comparison with it starts from."""

from collections.abc import Iterator

import numpy as np
import polars as pl
import pytest
from results.uneven import integer_vectors, uneven_task
from support import make_task, make_vectors

from xlbias.data.catalog import load_task
from xlbias.data.task import RetrievalTask
from xlbias.encode.precomputed import PrecomputedVectors
from xlbias.evaluation import evaluate
from xlbias.measures.registry import SIDES, measures
from xlbias.report.documents.audit_json import report
from xlbias.results.compare import Side, compare
from xlbias.results.per_query import Key

pytestmark = pytest.mark.integration


def without(task: RetrievalTask, gone: pl.Expr, queries_gone: pl.Expr) -> RetrievalTask:
    """The task without some passages and some queries."""
    passages = task.passages.filter(~gone)
    return RetrievalTask(
        task.name, task.domain, task.source, task.licence,
        task.queries.filter(~queries_gone), passages, task.qrels.join(passages, on="passage_id", how="semi"),
    )  # fmt: skip


def partly_parallel() -> RetrievalTask:
    """Translations are missing here and there, the more so the later the language."""
    number = pl.col("text").str.extract(r"q0*(\d+)").cast(pl.Int64)
    late = pl.col("language").rank("dense").cast(pl.Int64)
    return without(make_task(40), (number * 7) % 11 < late - 1, (number * 5) % 13 < late - 2)


def missing_languages() -> RetrievalTask:
    """Nothing is written in Thai and nobody asks in Arabic; Chinese has three passages."""
    number = pl.col("text").str.extract(r"q0*(\d+)").cast(pl.Int64)
    language = pl.col("language")
    return without(make_task(20), (language == "th") | ((language == "zh") & (number > 2)), language == "ar")


TASKS = {
    "parallel": lambda: make_task(12),
    "partly parallel": partly_parallel,
    "missing languages": missing_languages,
    "several relevants": lambda: uneven_task(0),
    "one language": lambda: make_task(12).select_languages(["th"]),
    "builtin": lambda: load_task("builtin:money[split=test;languages=en,de,th]"),
}
"""Every kind of task; the uneven one has several relevants in a language, in groups or not, graded, and ties."""


@pytest.fixture(scope="module", params=TASKS)
def run(request, tmp_path_factory):
    task = TASKS[request.param]()
    models = []
    for seed, name in enumerate(["base", "new"]):
        made = (integer_vectors if request.param == "several relevants" else make_vectors)(task, seed)
        models.append(PrecomputedVectors(made.queries, made.passages, name))
    return evaluate(models, task, tmp_path_factory.mktemp("one") / "run.parquet")


def numbers(result: dict) -> Iterator[tuple[Key, float | None]]:
    """Every number of one result of the report as JSON."""
    for name in measures("quality"):
        yield from ((Key(name, setting), one[name]) for setting, one in result["settings"].items())
        for cell in result["cells"]:
            yield Key(name, cell["setting"], cell["query_language"], cell["pool"]), cell[name]
    for name, one in result["bias"].items():
        yield from rank_distances(one) if name == "rank_distance" else of_bias(name, one)
    for side in SIDES:
        for name, one in result["alignment"][side].items():
            yield Key(f"{side}.{name}"), one["value"]
            for language, own in one.get("by_language", {}).items():
                yield Key(f"{side}.{name}", None, language), own["value"]
            for pair in one.get("pairs", ()):
                yield Key(f"{side}.{name}", None, pair["language"], pair["other"]), pair["value"]


def rank_distances(one: dict) -> Iterator[tuple[Key, float | None]]:
    for language, said in ((None, one), *one["by_language"].items()):
        for field, end in (("mean", ""), ("median", ".median"), ("normalised", ".normalised")):
            yield Key(f"rank_distance{end}", "multilingual", language), said[field]


def of_bias(name: str, one: dict) -> Iterator[tuple[Key, float | None]]:
    yield from ((Key(name, side), one[side]["value"]) for side in ("own-language", "other-language") if side in one)
    if "value" in one:
        yield Key(name, "multilingual"), one["value"]
    for language, said in one.get("by_language", {}).items():
        yield Key(name, "multilingual", language), said["value"]
    for language, said in one.get("by_passage_language", {}).items():
        yield Key(name, "multilingual", None, language), said["value"]
    for cell in one.get("cells", ()):
        yield Key(name, "multilingual", cell["query_language"], cell["passage_language"]), cell["value"]


def test_report_and_comparison_agree_on_every_number(run):
    task = run.tasks[0].name
    frame = compare(Side(run, ("base",)), Side(run, ("new",)), task, permutations=9)
    said = {result["model"]: dict(numbers(result)) for result in report(run)["results"]}
    compared = set()
    for row in frame.iter_rows(named=True):
        key = Key(*(row[name] for name in Key._fields))
        compared.add(key)
        for side in ("base", "new"):
            theirs = said[side][key]
            assert (row[side] is None) == (theirs is None), (side, key)
            if theirs is not None:
                assert row[side] == pytest.approx(theirs, rel=1e-9, abs=1e-12), (side, key)
    overall = {key for key, value in said["base"].items() if key[2:] == (None, None) and value is not None}
    assert not overall - compared  # whatever a report says of all languages is compared
    assert len(compared) > 40


def test_the_gap_is_over_languages_with_both_sides(run):
    """And so the mean of the languages' own gaps, where all have as many others."""
    said = dict(numbers(report(run)["results"][0]))
    gold = {key[2:]: value for key, value in said.items() if key.measure == "single_gold" and None not in key}
    gaps = []
    for language in {asked for asked, _ in gold}:
        own = gold.get((language, language))
        others = [value for (asked, answer), value in gold.items() if asked == language != answer and value is not None]
        if own is not None and others:
            gaps.append((own, others))
    whole = said.get(Key("single_gold.gap", "multilingual"))
    if not gaps:
        assert whole is None
    else:
        assert whole == pytest.approx(
            np.mean([own for own, _ in gaps]) - np.mean([one for _, others in gaps for one in others])
        )
