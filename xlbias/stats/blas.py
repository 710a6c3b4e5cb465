"""How many threads matrix products over units take: one where there are few units, and so little to share."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext

from threadpoolctl import get_cached_controller

_WORTH_SHARING = 256
"""Units from which on threads of BLAS gain. With fewer, products are many and small, and threads wait for one another
longer than they work."""


def threads_for(n_units: int) -> AbstractContextManager[object]:
    """Return a context in which products of columns with draws of so many units have the threads they are worth."""
    return nullcontext() if n_units >= _WORTH_SHARING else get_cached_controller().limit(limits=1, user_api="blas")
