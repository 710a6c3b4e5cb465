"""Similarities read by compiled code against the same by NumPy, and products whose equal rows are equal."""

import numpy as np
import pytest
import torch

from xlbias.measures.alignment.parallel import ParallelVectors
from xlbias.measures.alignment.similarity import NUMPY, Similarity
from xlbias.retrieve.index import fast_product
from xlbias.retrieve.similarities import Compiled

COMPILED = Compiled()


def matrix(n: int, decimals: int | None, seed: int = 0) -> np.ndarray:
    """Cosines; rounded to so many digits that many are equal, where `decimals` says so."""
    rng = np.random.default_rng(seed)
    x, y = (rng.standard_normal((n, 6)) for _ in range(2))
    x, y = (rows / np.linalg.norm(rows, axis=1)[:, None] for rows in (x, x + y))
    cosines = (x @ y.T).astype(np.float32)
    return cosines if decimals is None else np.round(cosines, decimals)


@pytest.mark.parametrize("decimals", [None, 1, 2])
@pytest.mark.parametrize("n", [1, 2, 9, 10, 11, 16, 17, 64, 65, 300])
def test_compiled_code_reads_what_numpy_reads(n, decimals):
    cosines, k = matrix(n, decimals), min(n, 10)
    nearest, expected = COMPILED.nearest(cosines, k), NUMPY.nearest(cosines, k)
    for one, other, of in zip(nearest, expected, (cosines, cosines.T), strict=True):
        assert np.array_equal(one, np.sort(of, axis=1)[:, -k:])
        assert np.array_equal(one, np.sort(other, axis=1))
        assert np.array_equal(one[:, 0], other[:, 0])
    means = [rows.mean(axis=1) for rows in nearest]
    for one, other in zip(COMPILED.scaled(cosines, *means), NUMPY.scaled(cosines, *means), strict=True):
        assert np.array_equal(one, other)
    counts = zip(COMPILED.occurrences(cosines, *nearest), NUMPY.occurrences(cosines, *nearest), strict=True)
    for one, other in counts:
        assert one == pytest.approx(other, rel=1e-12, abs=1e-12)
        assert one.sum() == pytest.approx(n * k)


@pytest.mark.parametrize("reads", [COMPILED, NUMPY])
@pytest.mark.parametrize("n", [1, 40, 200])
def test_the_sum_over_pairs_is_that_of_the_exponentials(reads, n):
    cosines = matrix(n, None, seed=n)
    cosines[0, 0] = 1.0000001  # rounded up
    expected = np.exp(4 * (np.minimum(cosines.astype(float), 1.0) - 1)).sum()
    assert reads.near(cosines) == pytest.approx(expected, rel=2e-7)
    assert reads.near(np.full((7, 7), -1, np.float32)) == pytest.approx(49 * np.exp(-8), rel=1e-6)
    assert reads.near(np.ones((7, 7), np.float32)) == pytest.approx(49, rel=1e-6)


def test_equal_texts_tie_exactly_wherever_they_stand_and_what_cannot_be_written_is_read():
    rng = np.random.default_rng(1)
    x, y = (rng.standard_normal((300, 48)) for _ in range(2))
    y[[3, 150, 299]] = y[7]
    keys = [(f"{i:03}", language) for language in ("de", "th") for i in range(300)]
    vectors = ParallelVectors.of(*map(list, zip(*keys, strict=True)), np.concatenate([x, y]).astype(np.float32)).vectors
    assert not vectors["de"].flags.writeable
    similarity = Similarity.of(vectors["de"], vectors["th"], COMPILED)
    same = similarity.matrix[:, [3, 7, 150, 299]]
    assert (same == same[:, :1]).all()
    expected = vectors["de"].astype(float) @ vectors["th"].T.astype(float)
    assert np.abs(similarity.matrix - expected).max() < 1e-6
    assert np.array_equal(similarity.reversed.matrix, similarity.matrix.T)


@pytest.mark.parametrize("shape", [(1, 1, 1), (3, 700, 33), (256, 2050, 384), (0, 5, 4), (4, 3, 0)])
def test_products_of_equal_rows_are_equal_wherever_they_stand(shape):
    n, m, d = shape
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((n, d)).astype(np.float32), rng.standard_normal((m, d)).astype(np.float32)
    places = rng.permutation(m)[: m // 2]
    y[places] = y[places[:1]]
    found = fast_product(torch.from_numpy(x), torch.from_numpy(y)).numpy()
    assert np.abs(found - x.astype(float) @ y.T.astype(float)).max(initial=0) < 1e-4
    assert (found[:, places] == found[:, places[:1]]).all()
