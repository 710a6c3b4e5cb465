"""How many threads matrix products of NumPy take: one where there is little to share, or where work is shared out."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext

from threadpoolctl import get_cached_controller

_WORTH_SHARING = 256
"""Units from which on threads of BLAS gain. With fewer, products are many and small, and threads wait for one another
longer than they work."""


def one_thread() -> AbstractContextManager[object]:
    """Return a context in which products take one thread. BLAS is found once, as looking for it takes milliseconds."""
    limited: AbstractContextManager[object] = get_cached_controller().limit(limits=1, user_api="blas")
    return limited


def threads_for(n_units: int) -> AbstractContextManager[object]:
    """Return a context in which products of columns with draws of so many units have the threads they are worth."""
    return nullcontext() if n_units >= _WORTH_SHARING else one_thread()
