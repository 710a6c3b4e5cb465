"""Ranks of passages whose vectors lie in a file, against the matrix products alone: time, memory and slope.

By default up to three million: ten are 15 GB of disk. ``XLBIAS_BENCH_PASSAGES=1000000,10000000`` asks for them, and
``XLBIAS_BENCH_IDS=2000`` for so many queries in each of five languages.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

from file_ranks import measure, slope
from row import Row

RATIO, MEGABYTES = 1.3, 1536
GOAL = f"≤ {RATIO} products, ≤ {MEGABYTES:,} MB beyond the page cache"
LANGUAGES = 5


def rows(tiny: bool) -> Iterator[Row]:
    asked = os.environ.get("XLBIAS_BENCH_PASSAGES", "100000,300000,1000000,3000000")
    sizes = [2_000, 4_000] if tiny else [int(size) for size in asked.split(",")]
    n_ids, dimension = (8, 16) if tiny else (int(os.environ.get("XLBIAS_BENCH_IDS", "400")), 384)
    measured = []
    for n in sizes:
        found = measure(n, n_ids, LANGUAGES, dimension)
        measured.append(found)
        large = n >= 1_000_000
        yield Row(
            f"ranks of {n:,} passages from a file, {n_ids:,} ids × {LANGUAGES} languages, one thread",
            GOAL if large else "",
            f"{found.ratio:.2f} products of processors, {found.anonymous:,.0f} MB beyond the start, "
            f"{found.peak:,.0f} MB in all",
            found.ratio <= RATIO and found.peak <= MEGABYTES if large else None,
        )
    if len(sizes) > 1:
        power = slope(measured)
        yield Row("the same, seconds by passages", "power 1: linear", f"power {power:.2f}", power < 1.1)
