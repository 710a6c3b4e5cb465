"""Signals that end a training: the step is finished and a checkpoint saved; a later Ctrl-C stops at once."""

from __future__ import annotations

import signal
import threading
import time
from types import FrameType, TracebackType
from typing import Any, Self

_SAME = 1.0  # seconds within which a second signal is the first one's echo: launchers hand signals on


class StopRequest:
    """A context in which the signals of `ASKS` only set `requested`.

    A second Ctrl-C, a second or more after the first signal, raises KeyboardInterrupt at once; the others never do, as
    a scheduler may send them to each process and to their launcher, which hands them on. Signals that are ignored, as
    SIGHUP is under ``nohup``, stay so. Outside the main thread signals cannot be caught, and nothing is changed.
    """

    ASKS = (
        signal.SIGINT,  # Ctrl-C
        signal.SIGTERM,  # kill, and the end of a job
        signal.SIGHUP,  # the end of the terminal: a connection that drops
        signal.SIGUSR1,  # a scheduler's warning some time before it kills, as with Slurm's --signal
        signal.SIGUSR2,
        signal.SIGXCPU,  # the end of the time that `ulimit` or a scheduler allows
    )

    def __init__(self) -> None:
        self.requested = False
        self._at = 0.0
        self._before: dict[signal.Signals, Any] = {}

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            for number in self.ASKS:
                if signal.getsignal(number) is not signal.SIG_IGN:
                    self._before[number] = signal.signal(number, self._handle)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _handle(self, number: int, frame: FrameType | None) -> None:
        if not self.requested:
            self.requested, self._at = True, time.monotonic()
        elif number == signal.SIGINT and time.monotonic() - self._at >= _SAME:
            raise KeyboardInterrupt
