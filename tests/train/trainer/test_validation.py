"""Validation while training: a slice without leaks, the numbers of an evaluation, early stopping, the best encoder."""

import random
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import torch
from narrators import Listening
from sentence_transformers import SentenceTransformer

from xlbias.data.task import RetrievalTask
from xlbias.encode.load import load_pretrained
from xlbias.errors import TrainingError
from xlbias.evaluation import evaluate
from xlbias.narration import Silent
from xlbias.report.documents.audit_text import to_text
from xlbias.results.caveats import caveats
from xlbias.results.run import open_run
from xlbias.train.recipe import MONITORS, Recipe
from xlbias.train.trainer.fit import fit
from xlbias.train.trainer.held_out import hold_out, without_texts_of
from xlbias.train.trainer.validation import Validation, monitored

pytestmark = pytest.mark.e2e

QUICK = Recipe(
    base="static", steps=12, batch_size=16, learning_rate=1e-2, query_prefix="", passage_prefix="", dimension=16,
    vocabulary=900, seed=7, validation=0.2, validate_every=4,
)  # fmt: skip
SAMPLING = {"sampler": "hybrid", "alpha": 0.5}


def texts(task: RetrievalTask) -> set[str]:
    return {*task.queries["text"], *task.passages["text"]}


def parts_of(task: RetrievalTask) -> dict[str, set[str]]:
    return {
        "query ids": set(task.queries["query_id"]),
        "passage ids": set(task.passages["passage_id"]),
        "texts": texts(task),
        "parallel ids": set(task.passages["parallel_id"].drop_nulls()),
        "documents": set(task.passages["document"].drop_nulls()),
    }


def test_nothing_is_on_both_sides_of_a_hold_out(mlqa: RetrievalTask, ntrex: RetrievalTask) -> None:
    split = hold_out([mlqa, ntrex], 0.05, seed=0)
    assert split.notes == []
    assert [task.name for task in split.training] == [task.name for task in split.validation] == ["mlqa", "ntrex"]
    for training, validation in zip(split.training, split.validation, strict=True):
        for what, seen in parts_of(training).items():
            assert not seen & parts_of(validation)[what], what
    n_ids = [task.queries["query_id"].n_unique() for task in split.validation]
    assert 100 < n_ids[0] <= 200  # not 5 % of 9,677
    assert 50 < n_ids[1] <= 100


def test_no_text_of_one_tasks_slice_is_trained_on_in_another(headlines: RetrievalTask, ntrex: RetrievalTask) -> None:
    """Headlines and sentences are cut from one corpus: a slice of one is full of the other's texts."""
    split = hold_out([headlines, ntrex], 0.05, seed=0)
    held = set().union(*map(texts, split.validation))
    for training in split.training:
        assert not held & texts(training)
        assert training.queries.height > 1_000 * len(training.query_languages) * (training.name == "ntrex")
    lost = ntrex.queries["query_id"].n_unique() - split.training[1].queries["query_id"].n_unique()
    assert lost > 100  # more than its own slice: sentences of held-out articles


def test_hard_negatives_go_with_the_queries_that_are_held_out(small: RetrievalTask) -> None:
    ids = small.queries["query_id"].unique().sort()
    other = [*ids[1:], ids[0]]
    wrong = small.qrels.join(pl.DataFrame({"query_id": ids, "other": other}), on="query_id").select(
        pl.col("other").alias("query_id"), "passage_id", pl.lit(0, dtype=pl.Int32).alias("relevance")
    )
    judged = RetrievalTask(
        "judged", "news", "a source", "a licence", small.queries, small.passages, pl.concat([small.qrels, wrong])
    )
    held = small.select_languages(["de"])
    five = held.qrels.filter(pl.col("query_id").is_in(ids[:5].implode()))
    (rest,) = without_texts_of([judged], [held.select_passages(five["passage_id"].unique())])
    assert rest.queries["query_id"].n_unique() == 55
    assert 0 < rest.negatives.height < judged.negatives.height
    assert not set(rest.negatives["query_id"]) & set(ids[:5])


def test_a_task_too_small_to_spare_anything_says_so(small: RetrievalTask) -> None:
    few = small.queries["query_id"].unique().sort()[:30]
    qrels = small.qrels.filter(pl.col("query_id").is_in(few.implode()))
    tiny = small.select_passages(qrels["passage_id"].unique()).renamed("tiny")
    split = hold_out([tiny, small], 0.05, seed=0)
    assert split.notes == ["nothing is held out of tiny to validate on: it has 30 query ids, too few to spare 10"]
    assert [task.name for task in split.validation] == ["small"]
    assert split.validation[0].queries["query_id"].n_unique() == 9  # whole articles, at most the 10 asked for


def test_a_validation_gives_the_numbers_of_an_evaluation(small: RetrievalTask, tmp_path: Path) -> None:
    trained = fit(small, tmp_path / "out", QUICK, validation=[])
    model = SentenceTransformer(str(trained.path), device="cpu")
    validation = Validation([small], batch_size=16, sampling=SAMPLING, temperature=0.05)
    model.train()
    before = (torch.random.get_rng_state(), np.random.get_state()[1].copy(), random.getstate())
    (row,) = validation.measure(model, 3)
    assert model.training
    assert torch.equal(torch.random.get_rng_state(), before[0])
    assert (np.random.get_state()[1] == before[1]).all()
    assert random.getstate() == before[2]

    run = evaluate(str(trained.path), small)
    expected = dict(run.settings.select("setting", "map").iter_rows())
    assert row["map_monolingual"] == pytest.approx(expected["monolingual"], abs=1e-9)
    assert row["map_cross_lingual"] == pytest.approx(expected["cross-lingual"], abs=1e-9)
    assert row["map_multilingual"] == pytest.approx(expected["multilingual"], abs=1e-9)
    assert row["rank_distance"] == pytest.approx(run.bias()["mean"].mean())
    assert row["rank_distance_normalised"] == pytest.approx(run.bias()["normalised"].mean())
    assert (row["step"], row["task"], row["n_queries"]) == (3, "small", 180)


def test_the_validation_loss_is_that_of_the_trainings_loss_on_fixed_batches(
    small: RetrievalTask, tmp_path: Path
) -> None:
    from sentence_transformers.sentence_transformer.losses import MultipleNegativesRankingLoss

    from xlbias.train.sampling.pairs import PairTexts
    from xlbias.train.sampling.samplers import LanguageBatchSampler

    trained = fit(small, tmp_path / "out", QUICK, validation=[])
    model = load_pretrained(str(trained.path), device="cpu").model
    pairs = PairTexts([small])
    sampler = LanguageBatchSampler(pairs, 16, seed=0, **SAMPLING)
    loss = MultipleNegativesRankingLoss(model, scale=1 / 0.05)
    expected = []
    for number in range(4):
        rows = pairs.__getitems__(sampler.batch(0, number))
        features = [model.preprocess([row[column] for row in rows]) for column in ("query", "passage")]
        expected.append(float(loss(features, None).detach()))
    validation = Validation([small], batch_size=16, sampling=SAMPLING, temperature=0.05)
    assert validation.measure(model, 0)[0]["loss"] == pytest.approx(np.mean(expected), rel=1e-5)
    assert validation.measure(model, 0)[0]["loss"] == validation.measure(model, 1)[0]["loss"]


def test_the_curve_is_in_the_journal_and_in_the_card(small: RetrievalTask, tmp_path: Path) -> None:
    trained = fit(small, tmp_path / "out", QUICK)
    rows = open_run(trained.path / "training.parquet").validation.collect()
    assert rows["step"].to_list() == [0, 4, 8, 12]
    assert rows["model"].unique().to_list() == ["out"]
    assert rows["map_multilingual"].to_list() == [row["map_multilingual"] for row in trained.card["validation"]]
    assert rows["loss"][-1] < rows["loss"][0]
    best = max(trained.card["validation"], key=lambda row: row["map_multilingual"])
    assert trained.card["best_step"] == best["step"]
    assert [source["name"] for source in trained.card["validated_on"]] == ["small"]
    held = hold_out([small], QUICK.validation, seed=0).validation[0]
    assert trained.card["sources"][0]["n_ids"] == 60 - held.queries["query_id"].n_unique() == 51


def test_what_is_saved_is_the_best_and_not_the_last(small: RetrievalTask, tmp_path: Path) -> None:
    """A learning rate that is far too high from the start: more training makes it worse."""
    wild = QUICK.overridden(learning_rate=3.0, steps=60, schedule="constant", monitor="loss")
    trained = fit(small, tmp_path / "out", wild)
    curve = {row["step"]: row["loss"] for row in trained.card["validation"]}
    best = min(curve, key=lambda step: curve[step])
    assert best < 60
    assert trained.card["best_step"] == best
    held = hold_out([small], QUICK.validation, seed=0).validation
    validation = Validation(held, batch_size=16, sampling=SAMPLING, temperature=wild.temperature)
    model = SentenceTransformer(str(trained.path), device="cpu")
    assert validation.measure(model, 0)[0]["loss"] == pytest.approx(curve[best], rel=1e-6)


def test_a_base_that_no_step_improves_stays_and_it_is_said(small: RetrievalTask, tmp_path: Path) -> None:
    good = fit(small, tmp_path / "good", QUICK.overridden(steps=40, validation=0.0))
    wild = QUICK.overridden(base=str(good.path), learning_rate=5.0, schedule="constant", warmup=0.0, monitor="loss")
    told: list[str] = []
    narrator = Silent()
    narrator.say = told.append  # type: ignore[method-assign]
    trained = fit(small, tmp_path / "out", wild, narrator=narrator)
    curve = {row["step"]: row["loss"] for row in trained.card["validation"]}
    assert min(curve, key=lambda step: curve[step]) == 0
    assert trained.card["best_step"] == 0
    weights = [
        SentenceTransformer(str(folder), device="cpu")[0].embedding.weight for folder in (good.path, trained.path)
    ]
    assert torch.equal(*weights)
    assert any("training did not help" in line for line in told)
    assert "Training did not help" in (trained.path / "README.md").read_text("utf-8")
    run = evaluate(str(trained.path), small)
    assert "Training did not help" in to_text(run)
    assert [one.kind for one in caveats(run) if one.kind == "no_gain"] == ["no_gain"]
    assert trained.card["trained_on"]["n_texts"] == good.card["trained_on"]["n_texts"], "the base's, and no more"


def test_patience_counts_from_the_base_on(small: RetrievalTask, tmp_path: Path) -> None:
    good = fit(small, tmp_path / "good", QUICK.overridden(steps=40, validation=0.0))
    wild = QUICK.overridden(
        base=str(good.path), learning_rate=5.0, schedule="constant", warmup=0.0, monitor="loss", patience=2
    )
    trained = fit(small, tmp_path / "out", wild)
    assert (trained.card["best_step"], trained.steps) == (0, 8)


def test_early_stopping_waits_for_as_many_validations_as_it_is_told(small: RetrievalTask, tmp_path: Path) -> None:
    wild = QUICK.overridden(
        learning_rate=3.0, steps=400, schedule="constant", monitor="loss", patience=3, validate_every=2
    )
    listening = Listening()
    trained = fit(small, tmp_path / "out", wild, narrator=listening)
    curve = [(row["step"], row["loss"]) for row in trained.card["validation"] if row["step"]]
    assert trained.steps == curve[-1][0] < 400
    best = min(curve, key=lambda point: point[1])[0]
    assert trained.steps == best + 3 * 2
    assert listening.lines[-1] == (
        f"out: stopped early after step {trained.steps}: 3 validations in a row brought no better loss than step {best}"
    )


def test_another_task_can_be_validated_on_and_its_texts_are_not_trained_on(
    small: RetrievalTask, ntrex: RetrievalTask, tmp_path: Path
) -> None:
    other = ntrex.select_languages(["de", "en"])
    ids = set(small.queries["query_id"].unique().sort()[:20])
    rest = other.queries["query_id"].unique().sort()[200:220]
    keep = other.qrels.filter(pl.col("query_id").is_in([*ids, *rest]))
    held = other.select_passages(keep["passage_id"].unique()).renamed("held")
    trained = fit(small, tmp_path / "out", QUICK, validation=[held])
    assert trained.card["sources"][0]["n_ids"] == 40  # 20 of the 60 are in the other task too
    assert {row["task"] for row in trained.card["validation"]} == {"held"}
    with pytest.raises(TrainingError, match="small: all its texts are in the validation tasks too"):
        fit(small, tmp_path / "all", QUICK, validation=[small.renamed("same")])


def test_a_monitor_that_the_tasks_do_not_give_is_named_before_the_first_step(
    small: RetrievalTask, tmp_path: Path
) -> None:
    german = small.select_languages(["de"])
    with pytest.raises(
        TrainingError, match="the validation tasks give no map_cross_lingual: monitor another of map_mu"
    ):
        fit(german, tmp_path / "out", QUICK.overridden(monitor="map_cross_lingual"), sampler="mono")
    assert fit(german, tmp_path / "mono", QUICK.overridden(monitor="map_monolingual"), sampler="mono").steps == 12


@pytest.mark.parametrize("monitor", MONITORS)
def test_better_is_more_whatever_is_monitored(monitor: str) -> None:
    rows = [[{name: value for name in MONITORS}] for value in (0.1, 0.4)]  # noqa: C420
    worse, better = (rows[1], rows[0]) if monitor in {"loss", "rank_distance"} else rows
    assert monitored(better, monitor) > monitored(worse, monitor)
