"""The histogram of what was drawn: exact lines of cards counted by hand, readable and safe whatever a card says."""

import json
import re
from contextlib import suppress

import polars as pl
import pytest
from report.documents.test_audit_text import HOSTILE, small_run

from xlbias.report.documents.audit_json import to_json
from xlbias.report.documents.audit_text import to_text
from xlbias.results.run import open_run
from xlbias.results.training import curves, throughput, trained
from xlbias.runs.journal import Journal
from xlbias.text import width

pytestmark = pytest.mark.integration

BATCHES = {
    "by_kind": {"monolingual": 3, "cross-lingual": 5},
    "by_task": {"news": 6, "law": 2},
    "pairs": {"de": {"de": 6, "th": 4}, "th": {"de": 5, "th": 1}},
    "negatives": 1200,
}
STEPS = pl.DataFrame(
    {"step": [2, 4, 8], "loss": [4.0, 2.5, 1.25], "pairs_per_second": [10.0, 1000.0, 1500.0], "n_mixed_batches": 0}
)


def training_run(tmp_path, batches=BATCHES, name="hy", steps=STEPS, finish=True):
    card = {"name": name} if batches is None else {"name": name, "batches": batches}
    out = tmp_path / "training.parquet"
    metadata = {"models": [{"name": name, "card": card}], "tasks": []}
    with suppress(KeyboardInterrupt), Journal.open(out, metadata, identity="i") as journal:
        if len(steps):
            journal.write("training", "0", steps.with_columns(pl.lit(name).alias("model")))
        if finish:
            journal.finish()
        return open_run(out)


def test_a_training_is_shown_with_what_was_drawn(tmp_path):
    lines = to_text(training_run(tmp_path), 80).splitlines()
    assert lines[2:] == [
        "Training of hy: 8 steps, loss 4.000 to 1.250, 39 pairs a second",
        "batches  share                    of    drawn",
        "      5  62.5%  ██████████        kind  cross-lingual",
        "      3  37.5%  ██████            kind  monolingual",
        "      6  75.0%  ████████████      task  news",
        "      2  25.0%  ████              task  law",
        "  16 pairs and 1,200 hard negatives, in percent: query language down, passage",
        "  language across",
        "      de    th",
        "de  37.5  25.0",
        "th  31.2   6.2",
    ]


def test_the_validation_curve_is_shown_as_means_over_tasks_with_the_step_that_was_saved(tmp_path):
    steps = list(range(0, 401, 10))
    rows = pl.DataFrame(
        {
            "model": "hy",
            "task": ["a", "b"] * len(steps),
            "step": [step for step in steps for _ in range(2)],
            "loss": [2.0, 3.0] * len(steps),
            "map_monolingual": [0.5, 0.25] * len(steps),
            "map_cross_lingual": pl.Series([None, 0.125] * len(steps), dtype=pl.Float64),
            "map_multilingual": pl.Series([None, None] * len(steps), dtype=pl.Float64),
            "rank_distance": [1000.0, 3000.5] * len(steps),
        }
    )
    card = {"name": "hy", "best_step": 230, "batches": {"words": {"words": 1000, "translatable": 40, "replaced": 21}}}
    card["batches"] |= BATCHES
    out = tmp_path / "training.parquet"
    with Journal.open(out, {"models": [{"name": "hy", "card": card}], "tasks": []}, identity="i") as journal:
        journal.write("validation", "0", rows)
        journal.finish()
    text = to_text(open_run(out), 80)
    lines = text.splitlines()
    head = lines.index("step   loss  mono  cross  multi  rank dist.  validation")
    assert lines[head + 1] == "   0  2.500  .375   .125      -     2,000.2"
    curve = lines[head + 1 : head + 1 + 13]
    assert [line for line in curve if line.endswith("saved")] == [" 230  2.500  .375   .125      -     2,000.2  saved"]
    assert [int(line.split()[0]) for line in curve][-1] == 400
    assert "  code-switched: 21 of 40 translatable words, of 1,000 words" in lines
    (model,) = json.loads(to_json(open_run(out)))["run"]["models"]
    assert len(model["training"]["validation"]) == 41
    assert model["training"]["best_step"] == 230
    assert model["training"]["drawn"]["code_switched"] == {"words": 1000, "translatable": 40, "replaced": 21}


def test_an_audit_shows_the_languages_of_each_side_only(tmp_path):
    text = to_text(small_run(tmp_path, card={"batches": BATCHES}), 80)
    assert "mono  cross  multi" in text
    assert "Training of planted\nbatches  share " in text
    assert text.endswith(
        "  16 pairs and 1,200 hard negatives, by language in percent\n"
        "  queries: de=62.5, th=37.5\n  passages: de=68.8, th=31.2\n"
        "\nCaveats\n" + text.partition("\nCaveats\n")[2]
    )


def test_an_encoder_without_a_card_of_a_training_has_no_histogram(tmp_path):
    run = small_run(tmp_path, card={"sampler": "mono"})
    assert "Training of" not in to_text(run, 80)
    assert "training" not in json.loads(to_json(run))["run"]["models"][0]


def test_json_has_counts_and_shares_under_the_model(tmp_path):
    report = json.loads(to_json(training_run(tmp_path)))
    (model,) = report["run"]["models"]
    assert model["card"]["batches"] == BATCHES  # nothing is taken away
    training = model["training"]
    assert [training[key] for key in ("steps", "first_loss", "last_loss")] == [8, 4.0, 1.25]
    assert training["pairs_per_second"] == pytest.approx(8 / (2 / 10 + 2 / 1000 + 4 / 1500))
    drawn = training["drawn"]
    assert drawn["batches_by_kind"] == {
        "cross-lingual": {"n": 5, "share": 0.625},
        "monolingual": {"n": 3, "share": 0.375},
    }
    assert drawn["batches_by_task"]["news"] == {"n": 6, "share": 0.75}
    assert drawn["pairs_by_query_language"] == {"de": {"n": 10, "share": 0.625}, "th": {"n": 6, "share": 0.375}}
    assert drawn["pairs_by_passage_language"]["de"] == {"n": 11, "share": 0.6875}
    assert {(p["query_language"], p["passage_language"]): p["n"] for p in drawn["pairs"]} == {
        ("de", "de"): 6, ("de", "th"): 4, ("th", "de"): 5, ("th", "th"): 1,
    }  # fmt: skip
    assert drawn["n_negatives"] == 1200
    assert report["results"] == []


def test_a_training_in_progress_shows_how_far_it_is(tmp_path):
    text = to_text(training_run(tmp_path, batches=None, finish=False), 80)
    assert "in progress" in text
    assert text.endswith("\n\nTraining of hy: 8 steps, loss 4.000 to 1.250, 39 pairs a second\n")
    assert "ranked" not in text


def test_a_run_with_neither_says_so(tmp_path):
    assert "Nothing has been ranked yet." in to_text(training_run(tmp_path, batches=None, steps=STEPS.clear()), 80)


def eleven(n):
    return {f"l{i:02d}": {f"l{j:02d}": 100 + i * j for j in range(n)} for i in range(n)}


def test_eleven_languages_fit_eighty_columns(tmp_path):
    lines = to_text(training_run(tmp_path, {**BATCHES, "pairs": eleven(11)}), 80).splitlines()
    assert sum(len(line.split()) == 12 and line.startswith("l") for line in lines) == 11  # one block
    assert max(map(width, lines)) <= 80


def test_many_languages_and_tasks_are_summed_up(tmp_path):
    tasks = {f"task {i:02d}": i + 1 for i in range(20)}
    text = to_text(training_run(tmp_path, {**BATCHES, "pairs": eleven(40), "by_task": tasks}), 80)
    assert "task  and 8 more" in text
    assert "l39=" in text
    assert "down" not in text
    assert len(text.splitlines()) < 50


@pytest.mark.parametrize("columns", [60, 80])
@pytest.mark.parametrize("matrix", [True, False])
def test_names_in_a_card_command_nothing_and_stay_in_their_column(tmp_path, columns, matrix):
    evil = HOSTILE * 50
    n = 3 if matrix else 30
    pairs = {f"{i}{evil}": {f"{i}{evil}": 3} for i in range(n)}
    batches = {"by_kind": {evil: 3}, "by_task": {evil: 3, "日本語の課題" * 40: 1}, "pairs": pairs}
    run = training_run(tmp_path, batches, name=evil)
    for text in (to_text(run, columns), to_json(run)):
        assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e]", text)
    assert max(map(width, to_text(run, columns).splitlines())) <= columns
    assert "8 steps" in to_text(run, columns)
    assert json.loads(to_json(run))["run"]["models"][0]["training"]["drawn"]["batches_by_kind"][evil]["n"] == 3


@pytest.mark.parametrize(
    "batches",
    [
        None, [], "many", 7, {}, {"by_kind": None, "by_task": [1], "pairs": "all"}, {"pairs": {"de": [1], "th": None}},
        {"by_kind": {"monolingual": "3", "mixed": -1, "cross-lingual": True, "odd": 2.5, "huge": 1 << 70}},
        {"by_kind": {"monolingual": 0}, "negatives": {"n": 1}},
    ],
)  # fmt: skip
def test_what_is_no_count_is_left_out(tmp_path, batches):
    run = training_run(tmp_path, batches)
    assert to_text(run, 80).splitlines()[2:] == ["Training of hy: 8 steps, loss 4.000 to 1.250, 39 pairs a second"]
    assert json.loads(to_json(run))["run"]["models"][0]["training"]["drawn"] is None


def test_a_loss_that_is_not_finite_is_shown_as_it_is(tmp_path):
    run = training_run(tmp_path, steps=STEPS.with_columns(loss=pl.Series([4.0, 2.5, float("nan")])))
    assert "loss 4.000 to nan" in to_text(run, 80)
    assert json.loads(to_json(run))["run"]["models"][0]["training"]["last_loss"] is None


def test_the_throughput_is_pairs_over_seconds_of_steps_whatever_the_rows_are_and_the_same_everywhere(tmp_path):
    seconds, pairs = [2.0, 0.5, 1.5], [100, 200, 400]  # of the steps to 1, to 3, and to 7, a hundred pairs each
    steps = pl.DataFrame(
        {"step": [1, 3, 7], "loss": 1.0, "pairs_per_second": [n / s for n, s in zip(pairs, seconds, strict=True)],
         "n_mixed_batches": 0}
    )  # fmt: skip
    run = training_run(tmp_path, steps=steps)
    assert [one.pairs_per_second for one in trained(run)] == [pytest.approx(700 / 4.0)]
    assert [one.pairs_per_second for one in curves(run)] == [pytest.approx(700 / 4.0)]
    for rate in (0.0, float("nan"), float("inf"), -1.0, None):
        assert throughput(steps.with_columns(pairs_per_second=pl.lit(rate, pl.Float64))) is None
