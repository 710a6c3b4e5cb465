"""Work that is given up between its pieces, once nobody wants what comes of it.

What computes for seconds says ``piece()`` before each of its pieces. That does nothing, but in a thread that computes
`wanted` something for as long as that says so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_still: ContextVar[Callable[[], bool] | None] = ContextVar("still_wanted", default=None)


class GivenUp(Exception):  # noqa: N818 - not an error
    """What was computed is not wanted any more."""


@contextmanager
def wanted(still: Callable[[], bool]) -> Iterator[None]:
    """Within this block, in this thread, raise `GivenUp` before the next piece once `still` returns False."""
    token = _still.set(still)
    try:
        yield
    finally:
        _still.reset(token)


def piece() -> None:
    """Say that another piece of work begins; raises `GivenUp` where it is not wanted."""
    still = _still.get()
    if still is not None and not still():
        raise GivenUp
