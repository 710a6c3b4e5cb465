"""Rows are shared out between threads without a gap, and what befalls one is told."""

import threading

import pytest
import torch

from xlbias.retrieve.row_threads import over_rows


@pytest.fixture(params=[1, 3, 8])
def threads(request):
    before = torch.get_num_threads()
    torch.set_num_threads(request.param)
    yield request.param
    torch.set_num_threads(before)


@pytest.mark.parametrize("n", [0, 1, 33, 256, 257])
def test_every_row_is_in_one_range_and_ranges_are_in_their_order(n, threads):
    ranges = over_rows(n, lambda begin, end: (begin, end))
    assert [row for begin, end in ranges for row in range(begin, end)] == list(range(n))
    assert len(ranges) == max(1, min(threads, n // 32))


def test_ranges_are_taken_at_the_same_time(threads):
    together = threading.Barrier(threads, timeout=60)
    assert over_rows(256, lambda *_: together.wait()) is not None


def test_an_error_of_any_range_is_raised(threads):
    def fail(begin: int, end: int) -> None:
        if end == 256:
            raise ValueError("the last")

    with pytest.raises(ValueError, match="the last"):
        over_rows(256, fail)
