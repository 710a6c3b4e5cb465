"""Ctrl-C and SIGTERM while training: the step is finished and a checkpoint saved; a later Ctrl-C stops at once."""

from __future__ import annotations

import signal
import threading
import time
from types import FrameType, TracebackType
from typing import Any, Self

_SAME = 1.0  # seconds within which a second signal is the first one's echo: launchers hand signals on


class StopRequest:
    """A context in which Ctrl-C and SIGTERM, which a cluster's scheduler sends, only set `requested`.

    A second Ctrl-C, a second or more after the first signal, raises KeyboardInterrupt at once; SIGTERM never does, as a
    scheduler may send it to each process and to their launcher, which hands it on. Outside the main thread signals
    cannot be caught, and nothing is changed.
    """

    def __init__(self) -> None:
        self.requested = False
        self._at = 0.0
        self._before: dict[signal.Signals, Any] = {}

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
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
