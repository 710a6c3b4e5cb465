"""Work that is given up between its pieces."""

import threading

import numpy as np
import pytest

from xlbias.stats.bootstrap import bootstrap_intervals
from xlbias.stats.max_t import flip_tests
from xlbias.stopping import GivenUp, piece, wanted

VALUES = np.random.default_rng(0).normal(size=(40, 60))
FAMILIES = np.zeros(60, dtype=np.int64)


def pieces_of(work):
    """How many pieces a work has."""
    seen = []
    with wanted(lambda: seen.append(1) is None):
        work()
    return len(seen)


@pytest.mark.parametrize(
    "work",
    [lambda: flip_tests(VALUES, FAMILIES, permutations=2_000), lambda: bootstrap_intervals(VALUES, replicates=30_000)],
)
def test_tests_and_intervals_are_given_up_at_any_of_their_pieces(work):
    n = pieces_of(work)
    assert n > 2
    for at in (1, n // 2, n):
        seen = []
        with pytest.raises(GivenUp), wanted(lambda seen=seen, at=at: seen.append(1) or len(seen) < at):
            work()
        assert len(seen) == at


def test_what_nobody_gives_up_is_done_whole_also_in_another_thread():
    done = []
    with wanted(lambda: False):
        thread = threading.Thread(target=lambda: done.append(piece()))
        thread.start()
        thread.join()
        with pytest.raises(GivenUp):
            piece()
    assert done == [piece()] == [None]
