"""What a thread hands over to whoever looks: the newest thing, and no more once it is closed."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

Thing = TypeVar("Thing")


class Outlet(Generic[Thing]):
    """Keeps the newest of what a thread makes, and hands it to one sink, in the thread that made it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._sink: Callable[[Thing], None] | None = None
        self._closed = False
        self.newest: Thing | None = None

    def attach(self, sink: Callable[[Thing], None]) -> None:
        """Hand everything from now on to `sink`, and the newest if there is something already."""
        with self._lock:
            self._sink = sink
            if self.newest is not None:
                sink(self.newest)

    def hand_over(self, thing: Thing) -> None:
        """Keep and hand over a thing, unless it is equal to the newest."""
        with self._lock:
            if thing == self.newest or self._closed:
                return
            self.newest = thing
            if self._sink is not None:
                self._sink(thing)

    @property
    def closed(self) -> bool:
        """Whether nothing is handed over any more."""
        return self._closed

    def close(self) -> None:
        """Once this returns the sink is called no more."""
        with self._lock:
            self._closed = True
