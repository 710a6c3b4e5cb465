"""Two and four processes against one."""

from __future__ import annotations

from collections.abc import Iterator

from row import Row, unmeasured

GOAL = "equal results, overhead ≤ 10 %"


def rows(tiny: bool) -> Iterator[Row]:
    del tiny
    yield unmeasured("2 and 4 processes (gloo) against 1", GOAL, "docs/scaling.md tells what was seen by hand")
