"""Rows of a tile of scores shared out between threads: what a kernel does with one has nothing to do with the others.

Kernels let go of the interpreter. Numba's own threads would do the same, but to compile for them takes twice as long,
and they wait for work in a loop, beside those of the products.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from itertools import pairwise
from typing import TypeVar

import torch

Found = TypeVar("Found")

_FEWEST = 32
"""Rows that are worth a thread: it takes some microseconds to wake up, about as many as one row takes."""


def over_rows(n: int, do: Callable[[int, int], Found]) -> list[Found]:
    """Return what `do` gives for ranges of rows that are `n` together, in as many threads as products take."""
    threads = max(1, min(torch.get_num_threads(), n // _FEWEST))
    ends = [n * i // threads for i in range(threads + 1)]
    first, *others = pairwise(ends)
    if not others:
        return [do(*first)]
    waiting = [_pool(os.getpid(), len(others)).submit(do, *rows) for rows in others]
    return [do(*first), *(one.result() for one in waiting)]


@lru_cache(maxsize=4)
def _pool(_process: int, threads: int) -> ThreadPoolExecutor:
    """Return threads of this process: one that was forked has none of them."""
    return ThreadPoolExecutor(threads, thread_name_prefix="xlbias-rows")
