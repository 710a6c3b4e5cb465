"""Vectors and runs that several tests build."""

import zlib

import numpy as np
import polars as pl
from scipy import stats

from xlbias.data.task import RetrievalTask
from xlbias.encode.precomputed import PrecomputedVectors


def ngram_counts(texts: list[str], dimension: int = 48) -> np.ndarray:
    """Hashed character-trigram counts: small integers, so every float32 dot product is exact, and ties are many."""
    vectors = np.zeros((len(texts), dimension), dtype=np.float32)
    for i, text in enumerate(texts):
        for start in range(max(1, len(text) - 2)):
            vectors[i, zlib.crc32(text[start : start + 3].encode()) % dimension] += 1
    return vectors


LANGUAGES = ["ar", "de", "en", "hi", "ru", "th", "zh"]


def make_task(n_ids: int = 60, name: str = "made") -> RetrievalTask:
    """Fully parallel queries and passages in seven languages."""
    ids = [f"q{i:04d}" for i in range(n_ids)]
    queries = [(q, language, f"question {q} in {language}") for q in ids for language in LANGUAGES]
    passages = [(f"{language}-{q}", language, f"passage {q} in {language}") for q in ids for language in LANGUAGES]
    qrels = [(q, f"{language}-{q}", 1) for q in ids for language in LANGUAGES]
    return RetrievalTask(
        name, "test", "made by the test", "none",
        pl.DataFrame(queries, schema=["query_id", "language", "text"], orient="row"),
        pl.DataFrame(passages, schema=["passage_id", "language", "text"], orient="row"),
        pl.DataFrame(qrels, schema=["query_id", "passage_id", "relevance"], orient="row"),
    )  # fmt: skip


def make_vectors(task: RetrievalTask, seed: int = 0, dimension: int = 24) -> PrecomputedVectors:
    """Random vectors for a task."""
    rng = np.random.default_rng(seed)
    queries = rng.standard_normal((task.queries.height, dimension)).astype(np.float32)
    passages = rng.standard_normal((task.passages.height, dimension)).astype(np.float32)
    return PrecomputedVectors(queries, passages, f"random{seed}")


def bca_by_the_book(replicates, estimate, left_out, n, confidence=0.95):
    """Efron 1987, (2.3) and (6.6), one quantity, with Hesterberg's wider normal quantiles."""
    replicates, left_out = replicates[~np.isnan(replicates)], left_out[~np.isnan(left_out)]
    rounding = 1e-12 * abs(estimate)  # equal but for the order of a sum
    below, not_above = (replicates < estimate - rounding).mean(), (replicates <= estimate + rounding).mean()
    centre = stats.norm.ppf((below + not_above) / 2)
    influence = left_out.mean() - left_out
    a = (influence**3).sum() / (6 * (influence**2).sum() ** 1.5) if influence.any() else 0.0
    wide = stats.t.ppf((1 + confidence) / 2, n - 1) * np.sqrt(n / (n - 1))
    z = centre + np.array([-wide, wide])
    return np.quantile(replicates, stats.norm.cdf(centre + z / (1 - a * z)))


def skillings_mack(blocks):
    """χ² of lists of values, None where one is missing, the greatest there can be, and how many blocks count."""
    blocks = [[(i, v) for i, v in enumerate(block) if v is not None] for block in blocks]
    blocks = [block for block in blocks if len(block) > 1]
    k = 1 + max((i for block in blocks for i, _ in block), default=-1)
    total, covariance = np.zeros(k), np.zeros((k, k))
    for block in blocks:
        size = len(block)
        there = [i for i, _ in block]
        score = np.sqrt(12 / (size + 1)) * (stats.rankdata(np.round([v for _, v in block], 9)) - (size + 1) / 2)
        variance = (score**2).mean()
        total[there] += score
        covariance[np.ix_(there, there)] += variance * (size * np.eye(size) - 1) / (size - 1)
    most = sum(len(block) - 1 for block in blocks)
    degrees = int(np.linalg.matrix_rank(covariance, tol=1e-9)) if blocks else 0
    return float(total @ np.linalg.pinv(covariance, rcond=1e-9) @ total), degrees, most, len(blocks)


class Breaks:
    """An encoder that fails when it is used."""

    name, dimension, similarity, fingerprint = "breaks", 4, "cosine", "f"

    def encode(self, texts, kind):
        raise ZeroDivisionError
