"""How many threads matrix products of NumPy take: one where there is little to share, or where work is shared out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager, nullcontext

from threadpoolctl import get_cached_controller

_MOST = 8  # threads at a time: each has its own arrays

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


@contextmanager
def side_by_side() -> Iterator[Callable[..., None]]:
    """Yield what begins a piece of work, each with its own part of memory, in as many threads as BLAS has.

    So many are begun, then the next waits for the first; all are done when the block ends. In each, products take one
    thread, so that nothing depends on how many there are, and no product waits for another thread's part of it.
    """
    n = max((one["num_threads"] for one in get_cached_controller().info() if one["user_api"] == "blas"), default=1)
    waiting: list[Future[None]] = []
    with one_thread(), ThreadPoolExecutor(min(n, _MOST)) as workers:

        def begin(do: Callable[..., None], *arguments: object) -> None:
            if n == 1:
                do(*arguments)
                return
            if len(waiting) == min(n, _MOST):
                waiting.pop(0).result()
            waiting.append(workers.submit(do, *arguments))

        yield begin
        for one in waiting:
            one.result()
