"""Parallel accuracy, CSLS and hubness against loops, hand-worked cases and scipy."""

import numpy as np
import pytest
from scipy.stats import ortho_group, skew

from xlbias.measures.alignment.hubness import hubness, occurrences
from xlbias.measures.alignment.parallel_accuracy import csls_accuracy, parallel_accuracy
from xlbias.measures.alignment.similarity import Similarity


def unit(n, d, seed=0):
    rows = np.random.default_rng(seed).standard_normal((n, d))
    return (rows / np.linalg.norm(rows, axis=1)[:, None]).astype(np.float32)


def noisy(x, noise, seed=1):
    y = x + noise * unit(*x.shape, seed)
    return (y / np.linalg.norm(y, axis=1)[:, None]).astype(np.float32)


def matrix(*rows):
    return Similarity.from_matrix(np.array(rows, dtype=np.float32))


def test_accuracy_by_hand_in_both_directions():
    similarity = matrix([0.9, 0.2, 0.8], [0.1, 0.3, 0.7], [0.0, 0.1, 0.95])
    assert parallel_accuracy(similarity).tolist() == [1, 0, 1]
    assert parallel_accuracy(similarity.reversed).tolist() == [1, 1, 1]


def test_a_tie_is_a_miss():
    assert parallel_accuracy(matrix([0.5, 0.5], [0.2, 0.5])).tolist() == [0, 1]
    assert parallel_accuracy(matrix([0.5, 0.4], [0.5, 0.5]).reversed).tolist() == [0, 1]


def test_equal_vectors_everywhere_are_never_right():
    x = np.repeat(unit(1, 33), 57, axis=0)
    similarity = Similarity.of(x, x)
    assert parallel_accuracy(similarity).sum() == 0
    assert csls_accuracy(similarity).sum() == 0
    assert np.isnan(hubness(similarity))


@pytest.mark.parametrize("n", [5, 37, 130])
def test_equal_texts_tie_exactly_wherever_they_stand(n):
    x = unit(n, 100)
    y = noisy(x, 0.1)
    y[-1] = y[1]
    similarity = Similarity.of(x, y)
    assert np.array_equal(similarity.matrix[:, -1], similarity.matrix[:, 1])
    for accuracy in (parallel_accuracy, csls_accuracy):
        found = accuracy(similarity)
        assert found[[1, -1]].tolist() == [0, 0]
        assert found.sum() == n - 2


def test_similarities_are_dot_products():
    x, y = unit(30, 12)[np.arange(30) % 17], unit(30, 12, seed=1)[np.arange(30) % 23]
    assert Similarity.of(x, y).matrix == pytest.approx(x.astype(float) @ y.T.astype(float), abs=1e-6)


@pytest.mark.parametrize("n", [1, 2, 4, 10, 11, 80])
def test_csls_against_loops(n):
    x = unit(n, 16)
    y = noisy(x, 1.5)
    similarity = Similarity.of(x, y)
    s = similarity.matrix.astype(float)
    k = min(10, n)
    to_y = [np.mean(sorted(row)[-k:]) for row in s]
    to_x = [np.mean(sorted(column)[-k:]) for column in s.T]
    scores = np.array([[2 * s[i, j] - to_y[i] - to_x[j] for j in range(n)] for i in range(n)])
    assert csls_accuracy(similarity).tolist() == [float(scores[i].argmax() == i) for i in range(n)]
    assert csls_accuracy(similarity.reversed).tolist() == [float(scores[:, i].argmax() == i) for i in range(n)]


def test_csls_takes_a_hub_down():
    similarity = matrix([0.5, 0.6, 0.0], [0.0, 0.9, 0.0], [0.0, 0.8, 0.7])
    assert parallel_accuracy(similarity).tolist() == [0, 1, 0]
    assert csls_accuracy(similarity).tolist() == [1, 1, 1]


def test_rotation_that_cka_cannot_see_ruins_accuracy():
    x = unit(100, 16)
    y = (x @ ortho_group.rvs(16, random_state=0)).astype(np.float32)
    assert parallel_accuracy(Similarity.of(x, x)).mean() == 1
    assert parallel_accuracy(Similarity.of(x, y)).mean() < 0.2


@pytest.mark.parametrize("n", [11, 60, 300])
def test_hubness_against_scipy(n):
    x = unit(n, 20)
    similarity = Similarity.of(x, noisy(x, 1.0))
    for view in (similarity, similarity.reversed):
        counts = np.bincount(np.argsort(-view.matrix, axis=1)[:, :10].ravel(), minlength=n)
        assert occurrences(view).tolist() == counts.tolist()
        assert hubness(view) == pytest.approx(skew(counts))


def test_a_hub_is_seen():
    y, common = unit(400, 200), unit(1, 200, seed=1)
    x = ((y + 0.5 * common) / np.linalg.norm(y + 0.5 * common, axis=1)[:, None]).astype(np.float32)
    without = Similarity.of(x, y)
    y[7] = common
    assert occurrences(Similarity.of(x, y))[7] > 380
    assert hubness(Similarity.of(x, y)) > 5 > hubness(without)


def test_texts_tied_for_the_last_places_share_them():
    scores = np.zeros((12, 12), dtype=np.float32)
    scores[:, :8] = 1  # eight certain, four tied for two places
    assert occurrences(Similarity.from_matrix(scores)) == pytest.approx([12] * 8 + [6] * 4)


def test_hubness_needs_more_texts_than_neighbours():
    x = unit(10, 4)
    assert np.isnan(hubness(Similarity.of(x, x)))
