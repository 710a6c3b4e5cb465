"""Evaluating an encoder as it is and with what languages have in common taken out, in one run."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from support import LANGUAGES, make_task, make_vectors

from xlbias.encode.mitigate import parse_mitigation
from xlbias.encode.precomputed import PrecomputedVectors
from xlbias.errors import EncoderError, RunError, UsageError
from xlbias.evaluation import evaluate
from xlbias.results import summary as summary_module
from xlbias.results.run import Run, open_run
from xlbias.runs.journal import live_folder

pytestmark = pytest.mark.integration

TASK = make_task(40)
MITIGATIONS = ["mean", "lir:1"]
NAMES = ["offset", "offset+mean", "offset+lir:1"]


def offset_vectors(noise: float = 0.3, dimension: int = 24) -> PrecomputedVectors:
    """What a text says, plus what its language is: translations differ by an offset, and a little."""
    rng = np.random.default_rng(7)
    ids = sorted(set(TASK.queries["query_id"]))
    content = dict(zip(ids, rng.standard_normal((len(ids), dimension)), strict=True))
    language = dict(zip(LANGUAGES, 3 * rng.standard_normal((len(LANGUAGES), dimension)), strict=True))

    def vectors(texts: list[tuple[str, str]]) -> np.ndarray:
        rows = np.array([content[q] + language[tag] for q, tag in texts])
        return (rows + noise * rng.standard_normal(rows.shape)).astype(np.float32)

    queries = TASK.queries.select("query_id", "language").rows()
    passages = [(name.partition("-")[2], tag) for name, tag in TASK.passages.select("passage_id", "language").rows()]
    return PrecomputedVectors(vectors(queries), vectors(passages), "offset")


@pytest.fixture(scope="module", autouse=True)
def few_replicates():
    """Intervals are tested elsewhere (test_summary.py): here fewer do."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(summary_module, "REPLICATES", 300)
        yield


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> Run:
    out = tmp_path_factory.mktemp("run") / "run.parquet"
    return evaluate(offset_vectors(), TASK, out, mitigate=MITIGATIONS)


def overall(run: Run, measure: str, setting: str | None = None) -> dict[str, float]:
    chosen = run.summary.filter(
        (pl.col("measure") == measure)
        & pl.col("query_language").is_null()
        & pl.col("passage_language").is_null()
        & pl.col("setting").eq_missing(setting)
    )
    return dict(chosen.select("model", "value").iter_rows())


def test_there_are_three_models_and_the_metadata_says_which_is_which(run):
    assert [(model.name, model.mitigation) for model in run.models] == list(
        zip(NAMES, [None, *MITIGATIONS], strict=True)
    )
    assert len({model.fingerprint for model in run.models}) == 1
    assert run.rankings.select("model").unique().collect()["model"].sort().to_list() == sorted(NAMES)
    assert run.cells.group_by("model").len()["len"].to_list() == [7 * 8] * 3


def test_the_language_cannot_be_told_any_more_and_translations_come_closer(run):
    before, *after = (overall(run, "rank_distance.normalised", "multilingual")[name] for name in NAMES)
    assert all(value < before / 2 for value in after)
    before, *after = (overall(run, "map", "cross-lingual")[name] for name in NAMES)
    assert all(value > before for value in after)
    chance = 1 / len(LANGUAGES)
    for side in ("passages", "queries"):
        found = overall(run, f"{side}.language_identifiability")
        assert found["offset"] > 0.9
        assert all(found[name] < chance + 0.1 for name in NAMES[1:])
        found = overall(run, f"{side}.alignment")
        assert all(found[name] < found["offset"] or name == "offset" for name in NAMES)


def test_each_is_what_the_same_vectors_mitigated_by_hand_give(run):
    plain = offset_vectors()
    languages = [*TASK.passages["language"], *TASK.queries["language"]]
    both = np.concatenate([plain.passages, plain.queries])
    for text, name in zip(MITIGATIONS, NAMES[1:], strict=True):
        changed = parse_mitigation(text).fit(both, languages).apply(both, languages, "dot")
        passages, queries = changed[: len(plain.passages)], changed[len(plain.passages) :]
        alone = evaluate(PrecomputedVectors(queries, passages, name), TASK)
        same_ranks(alone, run, name)
    same_ranks(evaluate(plain, TASK), run, "offset")


def same_ranks(alone: Run, run: Run, name: str) -> None:
    """The rows of one model: equal, or as near as the rounding of a mean over texts in another order lets them be."""
    key = ["query_id", "query_language", "pool"]
    ours = run.rankings.filter(pl.col("model") == name).sort(key).collect()
    theirs = alone.rankings.sort(key).collect()
    assert ours.select(key).equals(theirs.select(key))
    ranks = [frame["relevants"].list.eval(pl.element().struct.field("rank")) for frame in (ours, theirs)]
    assert ranks[0].equals(ranks[1])
    assert ours["ap"].equals(theirs["ap"])
    numbers = ["value", "low", "high"]
    mine = run.summary.filter(pl.col("model") == name)
    for column in numbers:
        assert mine[column].to_numpy() == pytest.approx(alone.summary[column].to_numpy(), abs=1e-4, nan_ok=True)


@pytest.mark.parametrize("text", ["", "none", "lir", "lir:0", "mean:1", "MEAN"])
def test_a_wrong_text_is_refused_before_any_work(tmp_path, text):
    out = tmp_path / "run.parquet"
    with pytest.raises(UsageError, match=r"unknown mitigation .*expected 'mean' or 'lir:R'"):
        evaluate(_NeverUsed(), TASK, out, mitigate=["mean", text])
    assert list(tmp_path.iterdir()) == []


class _NeverUsed:
    name, dimension, similarity, fingerprint = "unused", 4, "cosine", "f"

    def encode(self, texts, kind):
        raise AssertionError("encoded")


def test_an_encoder_encodes_once_for_all_mitigations(tmp_path):
    encoder = _Counting()
    run = evaluate(encoder, make_task(8), tmp_path / "run.parquet", mitigate=MITIGATIONS)
    assert encoder.encoded == 2 * 8 * 7
    assert len(run.models) == 3
    scores = run.rankings.select(pl.col("top").list.eval(pl.element().struct.field("score")).explode()).collect()
    assert scores["top"].abs().max() < 1 + 1e-5  # cosine: of length one again


class _Counting:
    name, dimension, similarity, fingerprint = "counting", 6, "cosine", "f"
    encoded = 0

    def encode(self, texts, kind):
        self.encoded += len(texts)
        rng = np.random.default_rng(len(texts[0]))
        rows = np.array([rng.standard_normal(6) + len(text) for text in texts])
        return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def test_an_unfinished_one_goes_on_and_ends_the_same(tmp_path, run, monkeypatch):
    from xlbias.evaluation import runner as work

    out = tmp_path / "run.parquet"
    real = work.summarise
    calls = []

    def breaks(*arguments, **options):
        calls.append(1)
        if len(calls) == 2:  # of the first mitigation
            raise KeyboardInterrupt
        return real(*arguments, **options)

    monkeypatch.setattr(work, "summarise", breaks)
    with pytest.raises(KeyboardInterrupt):
        evaluate(offset_vectors(), TASK, out, mitigate=MITIGATIONS)
    parts = _parts(out)
    assert len([name for name in parts if name.startswith("summary-")]) == 1
    evaluate(offset_vectors(), TASK, out, mitigate=MITIGATIONS, resume=True)
    assert len(calls) == 4
    assert _comparable(open_run(out)).equals(_comparable(run))


def _parts(out: Path) -> set[str]:
    return {part.name for part in (live_folder(out) / "parts").glob("[!.]*.parquet")}


def _comparable(run: Run) -> pl.DataFrame:
    columns = [c for c in run.rankings.collect_schema().names() if c != "top"]
    return pl.concat([run.summary, run.rankings.select(columns).collect()], how="diagonal")


def test_a_finished_run_without_a_mitigation_is_not_taken_for_one_with_it(tmp_path):
    out = tmp_path / "run.parquet"
    evaluate(make_vectors(TASK), TASK, out)
    with pytest.raises(RunError, match=r"is finished without the encoder 'random0\+mean'"):
        evaluate(make_vectors(TASK), TASK, out, mitigate=["mean"], resume=True)


def test_a_mitigation_that_is_not_possible_does_not_stand_in_the_way_of_resuming(tmp_path):
    out = tmp_path / "run.parquet"
    vectors = make_vectors(TASK, dimension=6)
    with pytest.raises(EncoderError, match="lir:6: the 80 texts in 'ar' span 6 of 6 directions"):
        evaluate(vectors, TASK, out, mitigate=["lir:6"])
    assert [model.name for model in open_run(out).models] == ["random0"]
    resumed = evaluate(vectors, TASK, out, mitigate=["lir:5"], resume=True)
    assert [model.name for model in resumed.models] == ["random0", "random0+lir:5"]


def test_the_same_mitigation_twice_is_one(tmp_path):
    task = make_task(12)
    run = evaluate(make_vectors(task), task, tmp_path / "run.parquet", mitigate=["mean", "mean"])
    assert [model.name for model in run.models] == ["random0", "random0+mean"]


def test_several_encoders_keep_their_order(tmp_path):
    task = make_task(12)
    models = [make_vectors(task, seed=seed) for seed in (1, 0)]
    run = evaluate(models, [task, make_task(12, "other")], tmp_path / "run.parquet", mitigate=["mean"])
    assert [model.name for model in run.models] == ["random1", "random1+mean", "random0", "random0+mean"]
