"""How vectors are compared: distances ranked as they are, cosine whatever the lengths, half precision, the contract."""

import json
import shutil
import zlib
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import torch
from scipy.spatial.distance import cdist
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.modules import Normalize
from support import make_task

from xlbias.data.task import RetrievalTask
from xlbias.encode.contract import check_contract
from xlbias.encode.encoder import Encoder, embed
from xlbias.encode.load import find_encoder, load_encoder
from xlbias.encode.precomputed import PrecomputedVectors
from xlbias.encode.pretrained import PretrainedEncoder
from xlbias.encode.similarity import searchable, unit
from xlbias.errors import EncoderError
from xlbias.evaluation import evaluate
from xlbias.results.run import Run

pytestmark = pytest.mark.integration


class Long:
    """Vectors of many lengths, from a seed and the text."""

    name, dimension, fingerprint = "long", 12, "long-1"

    def __init__(self, similarity: str = "cosine") -> None:
        self.similarity = similarity

    def encode(self, texts, kind):
        return np.array([self._vector(text) for text in texts])

    def _vector(self, text: str) -> np.ndarray:
        """What the id of a text gives, what the text itself gives, a length and an offset."""
        shared, own = (np.random.default_rng(zlib.crc32(part.encode())) for part in (text.split()[1], text))
        direction = shared.standard_normal(self.dimension) + own.standard_normal(self.dimension)
        return direction * own.uniform(0.2, 3.0) + 0.5


@pytest.fixture(scope="module")
def task() -> RetrievalTask:
    return make_task(20)


def expected_ap(scores: np.ndarray, task: RetrievalTask) -> dict[tuple[str, str], float]:
    """AP of every query in the pool of all languages, from scores [n_queries, n_passages]; nothing ties."""
    ids = task.passages["passage_id"].to_list()
    found = {}
    for row, (query_id, language) in enumerate(task.queries.select("query_id", "language").iter_rows()):
        good = [i for i, name in enumerate(ids) if name.endswith(query_id)]
        ranks = sorted(1 + int((scores[row] > scores[row, i]).sum()) for i in good)
        found[query_id, language] = float(np.mean([(n + 1) / rank for n, rank in enumerate(ranks)]))
    return found


def ap(run: Run) -> dict[tuple[str, str], float]:
    rows = run.rankings.filter(pl.col("pool") == "multilingual").select("query_id", "query_language", "ap").collect()
    return {(query_id, language): value for query_id, language, value in rows.iter_rows()}


def cosine(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    return -cdist(x, y, "cosine")


SCORES = {
    "cosine": cosine,
    "dot": lambda x, y: x @ y.T,
    "euclidean": lambda x, y: -cdist(x, y, "euclidean"),
}


@pytest.mark.parametrize("similarity", SCORES)
def test_an_encoder_is_ranked_by_the_similarity_it_asks_for(task, similarity):
    encoder = Long(similarity)
    x, y = (encoder.encode(frame["text"].to_list(), kind) for frame, kind in
            ((task.queries, "query"), (task.passages, "passage")))  # fmt: skip
    scores = SCORES[similarity](x, y)
    others = [SCORES[name](x, y) for name in SCORES if name != similarity]
    run = evaluate(encoder, task)
    found = ap(run)
    assert found == pytest.approx(expected_ap(scores, task), abs=1e-9)
    assert all(expected_ap(other, task) != found for other in others)
    assert run.models[0].similarity == similarity
    given = PrecomputedVectors(x.tolist(), y.tolist(), similarity=similarity)
    assert ap(evaluate(given, task)) == found


def test_the_scores_of_a_distance_are_what_a_user_expects(task):
    encoder = Long("euclidean")
    run = evaluate(encoder, task)
    row = run.rankings.filter(pl.col("pool") == "multilingual").collect().row(5, named=True)
    asked = task.queries.filter(query_id=row["query_id"], language=row["query_language"])["text"].to_list()
    for kind in ("relevants", "top"):
        ids = [one["passage_id"] for one in row[kind]]
        texts = [task.passages.filter(passage_id=name)["text"][0] for name in ids]
        distances = cdist(encoder.encode(asked, "query"), encoder.encode(texts, "passage"))[0]
        assert [-one["score"] for one in row[kind]] == pytest.approx(distances.tolist(), abs=2e-3)


@pytest.mark.parametrize("shift", [0.0, 50.0])
def test_euclidean_ranks_agree_with_distances_in_float64(shift):
    rng = np.random.default_rng(5)
    x, y = (rng.standard_normal((n, 64)).astype(np.float32) + np.float32(shift) for n in (40, 500))
    found = searchable(x, y, "euclidean")
    products = found.queries @ found.passages.T
    exact = -cdist(x.astype(np.float64), y.astype(np.float64))
    agreeing = np.argsort(-products, axis=1) == np.argsort(-exact, axis=1)
    assert agreeing.mean() > 0.995  # float32 has two neighbours of 500 the other way round now and then
    assert found.scores(products[0], np.zeros(500, np.int64)) == pytest.approx(exact[0], abs=1e-3)
    same = searchable(x, np.repeat(y[:1], 9, axis=0), "euclidean").passages
    assert (same == same[0]).all()  # equal vectors tie exactly


def with_similarity(folder: Path, name: str) -> str:
    shutil.copytree(find_encoder("static-small"), folder)
    config = folder / "config_sentence_transformers.json"
    config.write_text(json.dumps({**json.loads(config.read_text("utf-8")), "similarity_fn_name": name}), "utf-8")
    return str(folder)


def test_a_model_is_ranked_by_its_own_distance_or_by_the_one_that_is_asked_for(tmp_path):
    folder = with_similarity(tmp_path / "far", "euclidean")
    own, asked = load_encoder(folder, device="cpu"), load_encoder(folder, device="cpu", similarity="cosine")
    assert (own.similarity, asked.similarity, asked.own_similarity) == ("euclidean", "cosine", "euclidean")
    assert own.fingerprint != asked.fingerprint
    texts = ["Prices are in yen.", "one two three"]
    plain = SentenceTransformer(folder, device="cpu").encode(texts)
    assert own.encode(texts, "query") == pytest.approx(plain, abs=1e-6)
    assert np.linalg.norm(asked.encode(texts, "query"), axis=1) == pytest.approx(1.0)
    assert np.abs(np.linalg.norm(plain, axis=1) - 1.0).min() > 0.01


def test_a_similarity_that_is_none_is_refused_and_a_distance_gives_way_to_one_that_is_asked_for(tmp_path):
    folder = with_similarity(tmp_path / "blocks", "manhattan")
    assert load_encoder(folder, device="cpu").similarity == "manhattan"
    assert load_encoder(folder, device="cpu", similarity="dot").similarity == "dot"
    with pytest.raises(
        EncoderError, match=r"similarity 'near' is unknown: choose from cosine, dot, euclidean, manhattan"
    ):
        load_encoder(folder, device="cpu", similarity="near")


def test_vectors_of_half_precision_are_scaled_in_float32():
    model = SentenceTransformer(find_encoder("static-small"), device="cpu")
    wide = model.encode(["Prices are in yen.", "ein Satz", "one"], normalize_embeddings=True)
    half = PretrainedEncoder(model.to(torch.bfloat16), "half")
    assert half.dtype == "bfloat16"
    rough = model.encode(["Prices are in yen.", "ein Satz", "one"], normalize_embeddings=True).astype(np.float32)
    assert np.abs(np.linalg.norm(rough, axis=1) - 1.0).max() > 1e-4
    found = half.encode(["Prices are in yen.", "ein Satz", "one"], "query")
    assert found.dtype == np.float32
    assert np.linalg.norm(found.astype(np.float64), axis=1) == pytest.approx(1.0, abs=1e-6)
    assert (found * wide).sum(axis=1) == pytest.approx(1.0, abs=1e-3)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_a_text_whose_vector_is_zero_in_half_precision_is_a_vector_of_zeros(dtype):
    words = SentenceTransformer(find_encoder("static-small"), device="cpu")[0]
    model = SentenceTransformer(modules=[words, Normalize()], device="cpu")
    with torch.no_grad():
        words.embedding.weight[model.tokenize(["one"])["input_ids"]] = 0.0
    half = PretrainedEncoder(model.to(dtype), "half")
    found = half.encode(["ein Satz", "one"], "query")
    assert np.linalg.norm(found[0].astype(np.float64)) == pytest.approx(1.0, abs=1e-6)
    assert (found[1] == 0.0).all()
    embed(half, ["one", "ein Satz"], "passage")  # no error: it is a vector


def test_scaling_keeps_zeros_and_vectors_of_length_1_and_equal_rows_equal():
    rng = np.random.default_rng(1)
    rows = rng.standard_normal((9_000, 7)).astype(np.float32)
    rows[[5, 8_999]] = rows[5]
    rows[6] = 0.0
    scaled = unit(rows)
    assert np.linalg.norm(scaled[:6].astype(np.float64), axis=1) == pytest.approx(1.0, abs=1e-6)
    assert (scaled[6] == 0.0).all()
    assert (scaled[5] == scaled[8_999]).all()
    assert (unit(scaled) == scaled).all()


# -- the contract ------------------------------------------------------------------------------------------------------


class Lists(Long):
    def encode(self, texts, kind):
        return super().encode(texts, kind).tolist()


class Ragged(Long):
    def encode(self, texts, kind):
        return [[1.0], [1.0, 2.0]]


class NoKind(Long):
    def encode(self, texts):
        return super().encode(texts, "passage")


def test_lists_and_other_kinds_of_numbers_are_vectors_too(task):
    assert ap(evaluate(Lists(), task)) == ap(evaluate(Long(), task))
    as_half = PrecomputedVectors(np.ones((2, 3), np.float16), [[1, 2, 3]])
    assert as_half.queries.dtype == as_half.passages.dtype == np.float32
    encoder: Encoder = Ragged()
    with pytest.raises(EncoderError, match="long: gave a list that is no array of numbers: rows of 1 to 2 numbers"):
        embed(encoder, ["a", "b"], "query")
    with pytest.raises(EncoderError, match="vectors: gave a list that is no array of numbers"):
        PrecomputedVectors([[1.0], [1.0, 2.0]], np.ones((1, 1)))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"similarity": "near"}, "its similarity is 'near'; expected one of cosine, dot, euclidean"),
        ({"similarity": None}, "its similarity is None"),
        ({"dimension": 0}, "its dimension is 0; expected the length of its vectors"),
        ({"fingerprint": ""}, "its fingerprint is ''; expected a text that changes"),
        ({"encode": None}, r"its encode is None; expected a method encode\(texts, kind\)"),
    ],
)
def test_an_object_that_is_no_encoder_is_refused_before_any_work(task, change, message):
    encoder = Long()
    for field, value in change.items():
        setattr(encoder, field, value)
    with pytest.raises(EncoderError, match=f"long: not an encoder: {message}"):
        evaluate(encoder, task)


def test_an_encoder_without_kind_is_refused_in_one_sentence(task):
    with pytest.raises(
        EncoderError, match=r"long: not an encoder: its encode takes no kind .* expected encode\(texts, kind"
    ):
        evaluate(NoKind(), task)
    del NoKind.encode
    check_contract(NoKind())
