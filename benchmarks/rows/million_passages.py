"""Ranks of 1 and 10 million passages from a map: time, memory and slope."""

from __future__ import annotations

from collections.abc import Iterator

from row import Row, unmeasured

GOAL = "≤ 1.3 products, ≤ 1.5 GB beyond the page cache"


def rows(tiny: bool) -> Iterator[Row]:
    del tiny
    yield unmeasured("ranks of 1 and 10 million passages, 2,000 queries × 5 languages", GOAL, "no measurement yet")
