"""Parallel vectors: who shares what, what is refused, what is left out."""

import numpy as np
import pytest

from xlbias.errors import EncoderError, TaskError
from xlbias.measures.alignment.parallel import ParallelVectors

VECTORS = np.array([[2, 0], [0, 3], [0, 5], [4, 0], [1, 1]], dtype=np.float32)
IDS = ["q2", "q1", "q2", "q1", "q3"]
LANGUAGES = ["th", "th", "de", "de", "de"]


def test_a_pair_holds_the_shared_ids_in_one_order_with_unit_vectors():
    parallel = ParallelVectors.of(IDS, LANGUAGES, VECTORS)
    pair = parallel.pair("de", "th")
    assert parallel.languages == ("de", "th")
    assert [parallel.ids[i] for i in pair.ids] == ["q1", "q2"]
    assert pair.x.tolist() == [[1, 0], [0, 1]]
    assert pair.y.tolist() == [[0, 1], [1, 0]]
    assert pair.x.dtype == np.float32


def test_the_order_of_rows_changes_nothing():
    shuffled = [3, 0, 4, 2, 1]
    one = ParallelVectors.of(IDS, LANGUAGES, VECTORS)
    other = ParallelVectors.of([IDS[i] for i in shuffled], [LANGUAGES[i] for i in shuffled], VECTORS[shuffled])
    for language in one.languages:
        assert np.array_equal(one.vectors[language], other.vectors[language])
        assert np.array_equal(one.rows[language], other.rows[language])


def test_stacked_vectors_know_their_language_and_id():
    vectors, language, ids = ParallelVectors.of(IDS, LANGUAGES, VECTORS).stacked()
    assert vectors.shape == (5, 2)
    assert language.tolist() == [0, 0, 0, 1, 1]
    assert ids.tolist() == [0, 1, 2, 0, 1]


def test_a_zero_vector_is_left_out_and_named():
    parallel = ParallelVectors.of(IDS, LANGUAGES, np.where(np.arange(5)[:, None] == 2, 0, VECTORS))
    assert parallel.excluded == (("q2", "de"),)
    assert parallel.pair("de", "th").n == 1


def test_nan_is_refused_by_name():
    with pytest.raises(EncoderError, match="'q1' in 'th'"):
        ParallelVectors.of(IDS, LANGUAGES, np.where(np.arange(5)[:, None] == 1, np.nan, VECTORS))


def test_two_texts_of_one_id_in_one_language_are_refused():
    with pytest.raises(TaskError, match="'q1' has two texts in 'th'"):
        ParallelVectors.of(["q1", "q1"], ["th", "th"], VECTORS[:2])


def test_shapes_must_fit():
    with pytest.raises(EncoderError, match="do not fit"):
        ParallelVectors.of(IDS, LANGUAGES, VECTORS[:3])


def test_a_thinned_pair_has_the_texts_that_are_drawn_first():
    ids = [f"q{i:02}" for i in range(20)] * 2
    parallel = ParallelVectors.of(ids, ["a"] * 20 + ["b"] * 20, np.ones((40, 2)))
    places = np.array([i * 7 % 20 for i in range(20)])  # 0, 3 and 6 are drawn first, as 0, 1 and 2
    assert parallel.pair("a", "b").thinned(3, places).ids.tolist() == [0, 3, 6]
    assert parallel.pair("a", "b").thinned(20, places).n == 20


def test_nothing_at_all():
    parallel = ParallelVectors.of([], [], np.empty((0, 4)))
    assert parallel.languages == ()
    assert [len(part) for part in parallel.stacked()] == [0, 0, 0]
