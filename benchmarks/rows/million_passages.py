"""Ranks of passages whose vectors lie in a file, against the matrix products alone: time, memory and slope.

A million and three by default, as ten take hours on two cores: ``XLBIAS_BENCH_PASSAGES=1000000,10000000`` asks for
them.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

import numpy as np
from many_passages import time_ranks
from row import Row

RATIO, MEGABYTES = 1.3, 1536
GOAL = f"≤ {RATIO} products, ≤ {MEGABYTES:,} MB beyond the page cache"
QUERIES, LANGUAGES = 400, 5


def rows(tiny: bool) -> Iterator[Row]:
    asked = os.environ.get("XLBIAS_BENCH_PASSAGES", "1000000,3000000")
    sizes = [2_000, 4_000] if tiny else [int(size) for size in asked.split(",")]
    n_ids, dimension = (8, 16) if tiny else (QUERIES, 384)
    seconds = []
    for n in sizes:
        found = time_ranks(n, n_ids, LANGUAGES, dimension, 1)
        seconds.append(found["ranks_s"])
        ratio, most = found["ratio_of_processor_seconds"], found["resident_at_most_MB"]
        yield Row(
            f"ranks of {n:,} passages from a file, {n_ids:,} ids × {LANGUAGES} languages",
            GOAL,
            f"{ratio:.2f} products of processors, {most:,.0f} MB",
            ratio <= RATIO and most <= MEGABYTES,
        )
    if len(sizes) > 1:
        slope = float(np.polyfit(np.log(sizes), np.log(seconds), 1)[0])
        yield Row(
            "the same, seconds by passages", "slope 1: linear", f"slope {slope:.2f}", None if tiny else slope < 1.1
        )
