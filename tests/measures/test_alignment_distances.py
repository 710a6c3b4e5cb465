"""Alignment, uniformity, CKA and centroid distance against hand-worked cases and brute force."""

import numpy as np
import pytest
from scipy.spatial.distance import pdist
from scipy.stats import ortho_group

from xlbias.measures.alignment.alignment import alignment
from xlbias.measures.alignment.centroid_distance import centroid_distance
from xlbias.measures.alignment.cka import linear_cka
from xlbias.measures.alignment.uniformity import TILE, uniformity


def unit(n, d, seed=0):
    rows = np.random.default_rng(seed).standard_normal((n, d))
    return (rows / np.linalg.norm(rows, axis=1)[:, None]).astype(np.float32)


AXES = np.eye(3, dtype=np.float32)


def test_alignment_by_hand():
    assert alignment(AXES, AXES).tolist() == [0, 0, 0]
    assert alignment(AXES, AXES[[1, 0, 2]]).tolist() == [2, 2, 0]
    assert alignment(AXES, -AXES).tolist() == [4, 4, 4]


def test_uniformity_by_hand():
    assert uniformity(AXES) == pytest.approx(-4)  # squared distance 2 everywhere
    assert uniformity(np.concatenate([AXES[:1], -AXES[:1]])) == pytest.approx(-8)
    assert uniformity(np.repeat(AXES[:1], 5, axis=0)) == 0
    assert uniformity(AXES[[0, 0, 1]]) == pytest.approx(np.log((1 + 2 * np.exp(-4)) / 3))


@pytest.mark.parametrize("n", [2, 50, TILE, TILE + 1, 2 * TILE + 77])
def test_uniformity_is_exact_across_tiles(n):
    vectors = unit(n, 5)
    expected = np.log(np.exp(-2 * pdist(vectors.astype(float), "sqeuclidean")).mean())
    assert uniformity(vectors) == pytest.approx(expected, abs=1e-6)


def test_uniformity_of_one_text_is_undefined():
    assert np.isnan(uniformity(AXES[:1]))
    assert np.isnan(uniformity(AXES[:0]))


def test_cka_against_kernels():
    x, y = unit(40, 6), unit(40, 9, seed=1)
    centring = np.eye(40) - 1 / 40
    k, m = (centring @ v.astype(float) @ v.astype(float).T @ centring for v in (x, y))
    expected = (k * m).sum() / np.sqrt((k * k).sum() * (m * m).sum())
    assert linear_cka(x, y) == pytest.approx(expected)


@pytest.mark.parametrize("n", [60, 5000])
def test_cka_of_vectors_that_hardly_differ_keeps_its_digits(n):
    """A common part far longer than what tells texts apart, and more texts than are added up in float32."""
    rng = np.random.default_rng(1)
    topic = rng.standard_normal((n, 8)) * 1e-3
    x, y = (np.ones(8) + topic + rng.standard_normal((n, 8)) * 1e-3 for _ in range(2))
    x, y = ((rows / np.linalg.norm(rows, axis=1)[:, None]).astype(np.float32) for rows in (x, y))
    a, b = (rows - rows.mean(axis=0) for rows in (x.astype(float), y.astype(float)))
    norm = np.linalg.norm
    assert linear_cka(x, y) == pytest.approx(norm(a.T @ b) ** 2 / (norm(a.T @ a) * norm(b.T @ b)), abs=1e-6)


def test_cka_sees_neither_rotation_nor_shift():
    x = unit(60, 8)
    assert linear_cka(x, x) == pytest.approx(1)
    assert linear_cka(x, (x @ ortho_group.rvs(8, random_state=0)).astype(np.float32)) == pytest.approx(1)
    assert linear_cka(x, x + 3) == pytest.approx(1)


def test_cka_of_unrelated_vectors_is_near_zero_for_many_texts():
    assert linear_cka(unit(4000, 8), unit(4000, 8, seed=1)) < 0.01


def test_cka_is_undefined_without_variance():
    x = unit(7, 5)
    assert np.isnan(linear_cka(x, np.repeat(unit(1, 5), 7, axis=0)))
    assert np.isnan(linear_cka(x[:1], x[:1]))
    assert np.isnan(linear_cka(x[:0], x[:0]))
    assert linear_cka(x[:2], unit(2, 5, seed=3)) == pytest.approx(1)  # two texts always look alike


def test_centroid_distance_by_hand():
    assert centroid_distance(AXES, AXES[[2, 0, 1]]) == 0
    assert centroid_distance(AXES[[0, 0]], AXES[[1, 1]]) == pytest.approx(np.sqrt(2))
    assert centroid_distance(AXES[[0, 0]], -AXES[[0, 0]]) == pytest.approx(2)
    assert centroid_distance(AXES[[0, 1]], AXES[[0, 2]]) == pytest.approx(np.sqrt(0.5))
    assert np.isnan(centroid_distance(AXES[:0], AXES[:0]))
