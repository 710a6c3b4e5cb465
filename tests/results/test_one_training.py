"""One training each: where a training stands with one seed, every output that compares it says so."""

import json

import polars as pl
import pytest
from msgspec import convert
from support import make_task, make_vectors

from xlbias.dashboard.views.bias import Differences
from xlbias.encode.precomputed import PrecomputedVectors
from xlbias.evaluation import evaluate
from xlbias.report.documents.matrices import block_of
from xlbias.report.render import render_comparison, render_report
from xlbias.results.compare import Side, compare
from xlbias.results.matrix import difference_matrix, matrix
from xlbias.results.one_training import single_trainings
from xlbias.runs.run_info import ModelInfo

pytestmark = pytest.mark.integration


def card(sampler: str, seed: int, **more: object) -> dict[str, object]:
    recipe = {"sampler": sampler, "seed": seed, "learning_rate": 0.01, **more}
    return {"base": "b", "sampler": sampler, "seed": seed, "recipe": recipe, "sources": [{"name": "t"}]}


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    task = make_task(12)
    models = []
    cards = {"mono-0": card("mono", 0), "mono-1": card("mono", 1), "hybrid": card("hybrid", 0), "base": {}}
    for seed, (name, about) in enumerate(cards.items()):
        made = make_vectors(task, seed)
        models.append(PrecomputedVectors(made.queries, made.passages, name, card=about))
    return evaluate(models, task, tmp_path_factory.mktemp("once") / "run.parquet")


def compared(run, base: str, new: str) -> pl.DataFrame:
    sides = (Side(run, tuple(names.split(","))) for names in (base, new))
    return compare(*sides, "made", permutations=999)


@pytest.mark.parametrize(
    ("base", "new", "once"),
    [
        ("mono-0", "hybrid", True),
        ("base", "hybrid", True),
        ("base", "mono-0,mono-1", True),  # several seeds on one side only are means, tested over ids
        ("mono-0,mono-1", "mono-1,mono-0", False),
        ("base", "base", False),
    ],
)
def test_every_row_of_a_comparison_says_whether_a_side_is_one_training(run, base, new, once):
    frame = compared(run, base, new)
    assert frame["one_training"].to_list() == [once] * frame.height
    for form in ("text", "markdown", "html", "json"):
        text = render_comparison({"made": frame}, base, new, form, permutations=999)
        assert ("One training each" in text or '"one_training": true' in text) == once, form
    assert ("one training each" in render_comparison({"made": frame}, base, new, "text", permutations=999)) == once


def test_what_is_not_tested_says_so_and_p_at_the_resolution_is_or_less(run):
    frame = compared(run, "mono-0", "hybrid")
    least = frame.with_columns(p_corrected=pl.when(measure="map").then(1 / 1000).otherwise("p_corrected"))
    text = render_comparison({"made": least}, "mono-0", "hybrid", "text", permutations=999)
    w, quality = (
        next(row for row in text.splitlines() if row.startswith(f"{name}  ")) for name in ("Kendall W", "mAP mono")
    )
    assert "not tested" in w and "≤.001" in quality
    content = json.loads(render_comparison({"made": frame}, "mono-0", "hybrid", "json", permutations=999))
    assert content["least_p"] == 1 / 1000
    seeds = compared(run, "mono-0,mono-1", "mono-1,mono-0")
    assert json.loads(render_comparison({"made": seeds}, "a", "b", "json", permutations=999))["least_p"] is None


def test_few_documents_are_told_where_they_are_the_units(run):
    frame = compared(run, "mono-0", "hybrid")
    for unit, told in (("document", True), ("id", False)):  # of few ids a caveat tells
        text = render_comparison({"made": frame}, "mono-0", "hybrid", "markdown", permutations=999, unit=unit)
        assert ("made has 12 documents that share no answer; below 50" in text) == told


def test_differences_on_screens_and_in_copies_say_it(run):
    for base, once in (("mono-0", True), ("base", True)):
        frame = compared(run, base, "hybrid")
        shown = matrix(run, "map", "hybrid", "made")
        found = difference_matrix(frame, shown, base)
        assert found.one_training is Differences.of([frame], base).one_training is once
        notes = " ".join(block_of(found).notes)
        assert ("one training each" in notes) == once


def test_a_report_names_the_trainings_that_stand_there_with_one_seed(run):
    assert single_trainings(run.models) == ("hybrid",)
    for form in ("text", "markdown", "html"):
        assert "One training each: hybrid." in render_report([run], form), form
    assert json.loads(render_report([run], "json"))["run"]["one_training_each"] == ["hybrid"]


def test_trainings_of_other_recipes_are_no_seeds_of_one(run):
    models = [{"name": name, "card": one} for name, one in {
        "a": card("mono", 0), "b": card("mono", 1, learning_rate=0.1), "c": card("mono", 1)}.items()]  # fmt: skip
    assert single_trainings(convert(models, list[ModelInfo])) == ("b",)
    assert single_trainings(convert(models[:1], list[ModelInfo])) == ()  # nothing to compare with
