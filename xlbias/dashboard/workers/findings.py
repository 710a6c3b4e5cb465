"""Works out the findings of a run in a thread of its own; nothing here touches a widget."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from xlbias.errors import reason_of
from xlbias.results.findings import findings_in_turn

if TYPE_CHECKING:
    from xlbias.dashboard.workers.snapshot import Snapshot
    from xlbias.results.findings import Finding

_AGAIN = 3.0  # seconds at least between two looks at what a run in progress says
_LAST_WAIT = 3.0  # seconds


class FindingsWorker:
    """Findings of a run, kept with its snapshot.

    Args:
        ready: called in the thread whenever they are there.
    """

    def __init__(self, ready: Callable[[], object]) -> None:
        self._ready = ready
        self.comparing = False
        """Whether differences are still to come: they take longer than all other findings."""
        self._thread: threading.Thread | None = None
        self._next = 0.0
        self._stopped = False

    def of(self, snapshot: Snapshot, base: Snapshot | None) -> tuple[Finding, ...] | str | None:
        """Return the findings of a run, compared with `base` where that is given.

        A sentence where they cannot be worked out; None while they are.
        """
        key = ("findings", None if base is None else id(base.run))
        known: tuple[Finding, ...] | str | None = snapshot.cache.get(key)
        at_work = self._thread is not None and self._thread.is_alive()
        early = not snapshot.finished and time.monotonic() < self._next
        if known is None and not (at_work or early or self._stopped):
            self._next = time.monotonic() + _AGAIN
            self._thread = threading.Thread(target=self._look, args=(snapshot, base, key), name="findings", daemon=True)
            self._thread.start()
        return known

    def _look(self, snapshot: Snapshot, base: Snapshot | None, key: tuple[object, ...]) -> None:
        try:
            for found, whole in findings_in_turn(snapshot.run, None if base is None else base.run):
                self._tell(snapshot, key, found, whole=whole)
        except Exception as error:  # a run that changes while it is read, or is damaged
            self._tell(snapshot, key, f"the findings cannot be worked out: {reason_of(error)}", whole=True)

    def _tell(
        self, snapshot: Snapshot, key: tuple[object, ...], found: tuple[Finding, ...] | str, *, whole: bool
    ) -> None:
        snapshot.cache[key] = found
        self.comparing = not whole
        if whole:
            self._thread = None
        if not self._stopped:
            self._ready()

    def stop(self) -> None:
        """Begin nothing new, tell nobody any more, and wait a moment: native code must not outlive the process."""
        self._stopped = True
        thread = self._thread
        if thread is not None:
            thread.join(_LAST_WAIT)
