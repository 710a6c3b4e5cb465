"""Encoders without a single vector for a text: their ranks are those of sorting the library's own scores."""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from brute import ranks_of, sorted_ranks, words_task
from scipy.stats import spearmanr
from sentence_transformers import MultiVectorEncoder, SentenceTransformer, SparseEncoder
from support import make_task, make_vectors
from tiny import bare_transformer, edit_json, encoder
from transformers import BertForMaskedLM

from xlbias.encode.cache import VectorCache
from xlbias.encode.load import check_encoder, check_trainable, load_encoder
from xlbias.encode.precomputed import PrecomputedVectors
from xlbias.encode.ragged import Ragged
from xlbias.errors import EncoderError
from xlbias.evaluation import evaluate
from xlbias.report.documents.audit_json import to_json
from xlbias.report.documents.audit_text import to_text
from xlbias.results.caveats import caveats
from xlbias.retrieve.scorer import ManhattanScorer, MaxSimScorer, ScoredIndex, SparseScorer

pytestmark = pytest.mark.integration

TASK = words_task()


def _sparse(folder: Path) -> Path:
    bare = bare_transformer(folder.with_name(folder.name + "-bare"), BertForMaskedLM)
    SparseEncoder(str(bare), device="cpu", prompts={"query": "w9 ", "document": ""}).save(str(folder))
    return folder


def _late(folder: Path) -> Path:
    torch.manual_seed(3)
    MultiVectorEncoder(str(encoder(folder.with_name(folder.name + "-base"))), device="cpu").save(str(folder))
    return folder


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    root = tmp_path_factory.mktemp("scored")
    return {"sparse": _sparse(root / "splade"), "late interaction": _late(root / "colbert")}


def _scores(folder: Path, kind: str, similarity: str | None = None) -> np.ndarray:
    """Return the library's scores for TASK; equal texts are encoded once, as otherwise they differ in last bits."""
    model: Any = (SparseEncoder if kind == "sparse" else MultiVectorEncoder)(str(folder), device="cpu")
    if similarity:
        model.similarity_fn_name = similarity
    found, inverse = [], []
    for encode, frame in ((model.encode_query, TASK.queries), (model.encode_document, TASK.passages)):
        unique = sorted(set(frame["text"]))
        found.append(encode(unique))
        inverse.append([unique.index(text) for text in frame["text"]])
    return model.similarity(*found).numpy()[inverse[0]][:, inverse[1]]


CASES = [("sparse", None), ("sparse", "cosine"), ("sparse", "euclidean"), ("late interaction", None)]


@pytest.mark.parametrize(("kind", "similarity"), CASES)
def test_ranks_are_those_of_sorting_the_librarys_scores(
    folders: dict[str, Path], kind: str, similarity: str | None, tmp_path: Path
) -> None:
    cache = VectorCache(tmp_path / "cache")
    runs = [
        evaluate(str(folders[kind]), TASK, tmp_path / name, device="cpu", similarity=similarity, cache=cache)
        for name in ("first.parquet", "again.parquet")
    ]
    scores = _scores(folders[kind], kind, similarity)
    expected = sorted_ranks(TASK, scores)
    assert [ranks_of(run) for run in runs] == [expected, expected]
    assert any(count > 1 for count in np.unique(scores[0].round(5), return_counts=True)[1]), "nothing ties"

    ids = TASK.queries["query_id"].to_list()
    found = runs[0].rankings.collect()
    rows = found.filter(found["pool"] == "multilingual")
    for query, language, value in rows.select("query_id", "query_language", "consistency").iter_rows():
        own = [at for at, other in enumerate(ids) if other == query]
        at = next(at for at in own if TASK.queries["language"][at] == language)
        together = [spearmanr(scores[at], scores[other]).statistic for other in own if other != at]
        assert value == pytest.approx(np.mean(together), abs=1e-4)


def test_what_has_no_vectors_is_said_and_alignment_is_undefined(folders: dict[str, Path], tmp_path: Path) -> None:
    run = evaluate([str(one) for one in folders.values()], TASK, tmp_path / "run.parquet", device="cpu")
    measures = set(run.summary["measure"])
    assert "map" in measures
    assert not [name for name in measures if name.endswith((".alignment", ".uniformity", ".cosine"))]
    assert "passages.tokens" in measures
    said = [one for one in caveats(run) if one.kind == "no_vectors"]
    assert [(one.model, one.task) for one in said] == [("splade", "words"), ("colbert", "words")]
    assert "64 dimensions, sparse, dot" in to_text(run, 200)
    assert "128 dimensions, late interaction, maxsim" in to_text(run, 200)
    models = json.loads(to_json(run))["run"]["models"]
    assert [model["representation"] for model in models] == ["sparse", "late interaction"]


def test_an_object_is_an_encoder_too_and_its_options_are_noticed(folders: dict[str, Path], tmp_path: Path) -> None:
    model = SparseEncoder(str(folders["sparse"]), device="cpu")
    by_name = evaluate(str(folders["sparse"]), TASK, tmp_path / "run.parquet", device="cpu")
    assert ranks_of(evaluate(model, TASK, tmp_path / "other.parquet")) == ranks_of(by_name)
    known = {
        load_encoder(str(folders["sparse"]), device="cpu", **options).fingerprint
        for options in ({}, {"similarity": "cosine"}, {"query_prompt": ""}, {"max_length": 4}, {"dtype": "bfloat16"})
    }
    assert len(known) == 5


@pytest.mark.parametrize("kind", ["sparse", "late interaction"])
def test_what_needs_vectors_is_refused(folders: dict[str, Path], kind: str, tmp_path: Path) -> None:
    folder, out = str(folders[kind]), tmp_path / "run.parquet"
    with pytest.raises(EncoderError, match="--mitigate takes something out of the vector of a text"):
        evaluate(folder, TASK, out, device="cpu", mitigate=["mean"])
    for options in ({"truncate_dim": 4}, {"dtype": "int8"}):
        with pytest.raises(EncoderError, match="means nothing for it: it is a"):
            evaluate(folder, TASK, out, device="cpu", **options)
    with pytest.raises(EncoderError, match="it can be evaluated, and not trained here"):
        check_trainable(folder)
    assert not out.exists()
    if kind == "late interaction":
        with pytest.raises(EncoderError, match="--similarity dot means nothing for it"):
            check_encoder(folder, similarity="dot")
    else:
        with pytest.raises(EncoderError, match="manhattan distance of sparse vectors cannot be ranked by"):
            load_encoder(folder, device="cpu", similarity="manhattan")


def test_an_encoder_of_late_interaction_may_take_the_mean(folders: dict[str, Path], tmp_path: Path) -> None:
    folder = tmp_path / "mean"
    shutil.copytree(folders["late interaction"], folder)
    edit_json(
        folder / "config_sentence_transformers.json", lambda content: content.update(similarity_fn_name="meanmaxsim")
    )
    run = evaluate(str(folder), TASK, tmp_path / "run.parquet", device="cpu")
    scores = _scores(folder, "late interaction")
    assert abs(scores).max() <= 1 + 1e-5
    assert ranks_of(run) == sorted_ranks(TASK, scores)


def test_a_sparse_encoder_that_does_not_say_so_is_refused_and_a_dense_one_is_made_on_purpose(
    folders: dict[str, Path], tmp_path: Path
) -> None:
    folder = tmp_path / "old"
    shutil.copytree(folders["sparse"], folder)
    edit_json(folder / "config_sentence_transformers.json", lambda settings: settings.pop("model_type"))
    with pytest.raises(EncoderError, match=r"is a sparse encoder \(SPLADE\).*does not say so as 'model_type'"):
        check_encoder(str(folder))
    for one in (folder, folders["sparse"]):
        assert load_encoder(str(one), device="cpu", pooling="mean").encode(["w1"], "query").shape == (1, 16)


def test_too_many_scores_are_refused_with_what_to_do_instead(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("xlbias.retrieve.scorer.MOST_OPERATIONS", 10.0)
    scorer = ManhattanScorer(np.ones((2, 3), np.float32), np.ones((4, 3), np.float32))
    with pytest.raises(EncoderError, match=r"mine: scores .* with all 4 passages take 2e\+01 multipl.*import run"):
        ScoredIndex(scorer, list("abcd"), ["en"] * 4, encoder="mine")


def test_a_passage_or_a_query_without_a_token_has_a_score() -> None:
    empty = Ragged(np.array([0, 2, 0]), np.ones((2, 3), np.float32))
    rows = np.arange(3)
    scores = MaxSimScorer(empty, rows, empty, rows).scores(rows)
    assert scores.tolist() == [[-1e9, 0, -1e9], [-1e9, 6, -1e9], [-1e9, 0, -1e9]]
    nothing = Ragged(np.array([0, 1]), np.ones(1, np.float32), np.array([4]))
    assert SparseScorer(nothing, rows[:2], nothing, rows[:2], 5, "cosine").scores(rows[:2]).tolist() == [[0, 0], [0, 1]]


# -- manhattan distance ------------------------------------------------------------------------------------------------


def test_manhattan_distance_is_ranked_by_exactly(tmp_path: Path) -> None:
    task = make_task(9)
    given = make_vectors(task)
    whole = [np.rint(some * 2) for some in (given.queries, given.passages)]  # of small numbers, so that many tie
    run = evaluate(PrecomputedVectors(whole[0], whole[1], similarity="manhattan"), task, tmp_path / "run.parquet")
    scores = -np.abs(whole[0][:, None, :] - whole[1][None, :, :]).sum(axis=2)
    assert ranks_of(run) == sorted_ranks(task, scores)
    assert "passages.uniformity" in set(run.summary["measure"])


def test_an_encoder_that_asks_for_manhattan_distance_gets_it(tmp_path: Path) -> None:
    folder = encoder(tmp_path / "encoder")
    edit_json(
        folder / "config_sentence_transformers.json", lambda content: content.update(similarity_fn_name="manhattan")
    )
    run = evaluate(str(folder), TASK, tmp_path / "run.parquet", device="cpu")
    model = SentenceTransformer(str(folder), device="cpu")
    found = [model.encode(sorted(set(frame["text"]))) for frame in (TASK.queries, TASK.passages)]
    at = [[sorted(set(f["text"])).index(text) for text in f["text"]] for f in (TASK.queries, TASK.passages)]
    assert ranks_of(run) == sorted_ranks(TASK, model.similarity(*found).numpy()[at[0]][:, at[1]])
