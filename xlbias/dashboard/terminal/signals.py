"""Ends of the dashboard that come from outside: a signal, or a terminal that is closed.

Either way it leaves as on ``q``: the terminal is given back as it was, and what is remembered is written. SIGTERM and
SIGHUP would otherwise leave it in mouse mode and on the alternate screen, without a cursor; and where SIGHUP is ignored
(``nohup``), a closed terminal would be read from as fast as the machine can.
"""

from __future__ import annotations

import select
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

_SIGNALS = (signal.SIGTERM, signal.SIGHUP, signal.SIGINT)
_LOOK = 0.5  # seconds between two looks at whether anybody still wants to know


@contextmanager
def outside_ends(leave: Callable[[int], bool]) -> Iterator[None]:
    """Call `leave` with an exit code, as a shell gives it for the signal, on the first signal and on a closed terminal.

    It returns whether there is a dashboard that can leave; if not, the process exits. It is called in the main thread,
    or in that which watches the terminal. A second signal of the same kind ends the process as if nothing were here.
    Signals that are ignored stay so. To be used in the main thread.
    """

    def handle(number: int, frame: FrameType | None) -> None:
        signal.signal(number, signal.SIG_DFL)
        if not leave(128 + number):
            sys.exit(128 + number)

    before = {number: signal.getsignal(number) for number in _SIGNALS}
    over = threading.Event()
    for number, handler in before.items():
        if handler is not signal.SIG_IGN:
            signal.signal(number, handle)
    if (stdin := sys.__stdin__) is not None:
        arguments = (stdin.fileno(), lambda: leave(128 + signal.SIGHUP), over)
        threading.Thread(target=_watch, args=arguments, name="watch-terminal", daemon=True).start()
    try:
        yield
    finally:
        over.set()
        for number, handler in before.items():
            signal.signal(number, handler)


def _watch(terminal: int, closed: Callable[[], bool], over: threading.Event) -> None:
    """Call `closed` until it is heard once the other end of the terminal is gone, unless it is `over` before."""
    poll = select.poll()
    poll.register(terminal, 0)  # nothing but what is always told: errors and the end
    while not over.is_set():
        events = dict(poll.poll(_LOOK * 1000)).get(terminal, 0)
        if events & (select.POLLHUP | select.POLLERR):
            if closed():
                return
            over.wait(_LOOK)  # it has not begun yet
        elif events:  # a system that cannot tell of this kind of file
            return
