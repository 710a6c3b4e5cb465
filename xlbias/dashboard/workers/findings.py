"""Works out the findings of a run in a thread of its own; nothing here touches a widget."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from xlbias.dashboard.workers.snapshot import MANY_CELLS
from xlbias.errors import reason_of
from xlbias.results.findings import findings_in_turn
from xlbias.stopping import GivenUp, wanted

if TYPE_CHECKING:
    from pathlib import Path

    from xlbias.dashboard.workers.snapshot import Snapshot
    from xlbias.results.findings import Finding

_AGAIN = 3.0  # seconds at least between two looks at what a run in progress says
_LAST_WAIT = 3.0  # seconds
_FIRST_FRAME = 0.1  # seconds for which the interpreter is left to painting, where there is much to work out


@dataclass
class _Work:
    """What the thread is at.

    Attributes:
        snapshot: of the run.
        base: of what it is compared with.
        comparing: whether all but its differences is there.
        wanted: whether it is still to be finished.
    """

    snapshot: Snapshot
    base: Snapshot | None
    comparing: bool = False
    wanted: bool = True

    @property
    def key(self) -> tuple[object, ...]:
        """By which the findings are kept."""
        return ("findings", None if self.base is None else id(self.base.run))

    def is_of(self, other: _Work) -> bool:
        """Whether it is about the same files, as they are now or were."""
        return self._paths == other._paths

    @property
    def _paths(self) -> tuple[Path, Path | None]:
        return self.snapshot.run.path, None if self.base is None else self.base.run.path


class FindingsWorker:
    """Findings of a run, kept with its snapshot.

    Those of a run that is looked at no more are given up.

    Args:
        ready: called in the thread whenever they are there, and once it has given up.
    """

    def __init__(self, ready: Callable[[], object]) -> None:
        self._ready = ready
        self._work: _Work | None = None
        self._thread: threading.Thread | None = None
        self._next = 0.0
        self._stopped = False

    @property
    def comparing(self) -> bool:
        """Whether differences are still to come: they take longer than all other findings."""
        work = self._work
        return work is not None and work.wanted and work.comparing

    def of(self, snapshot: Snapshot, base: Snapshot | None) -> tuple[Finding, ...] | str | None:
        """Return the findings of a run, compared with `base` where that is given.

        A sentence where they cannot be worked out; None while they are.
        """
        asked, work = _Work(snapshot, base), self._work
        known: tuple[Finding, ...] | str | None = snapshot.cache.get(asked.key)
        if work is not None and not asked.is_of(work):
            self.give_up()
            self._next = 0.0
        early = not snapshot.finished and time.monotonic() < self._next
        if known is None and not (work or early or self._stopped):
            self._next = time.monotonic() + _AGAIN
            self._work = asked
            self._thread = threading.Thread(target=self._look, args=(asked,), name="findings", daemon=True)
            self._thread.start()
        return known

    def give_up(self) -> None:
        """Want no more what is being worked out: another run is looked at, or none."""
        if self._work is not None:
            self._work.wanted = False

    def _look(self, work: _Work) -> None:
        found: tuple[Finding, ...] | str
        if len(work.snapshot.cells) >= MANY_CELLS:
            time.sleep(_FIRST_FRAME)
        try:
            with wanted(lambda: work.wanted):
                for found, whole in findings_in_turn(work.snapshot.run, None if work.base is None else work.base.run):
                    self._tell(work, found, whole=whole)
        except GivenUp:
            work.snapshot.cache.pop(work.key, None)  # that is not all of it
            self._end()
        except Exception as error:  # a run that changes while it is read, or is damaged
            self._tell(work, f"the findings cannot be worked out: {reason_of(error)}", whole=True)

    def _tell(self, work: _Work, found: tuple[Finding, ...] | str, *, whole: bool) -> None:
        work.snapshot.cache[work.key] = found
        work.comparing = not whole
        if whole:
            self._end()
        elif not self._stopped:
            self._ready()

    def _end(self) -> None:
        self._work = None
        if not self._stopped:
            self._ready()

    def stop(self) -> None:
        """Begin nothing new, tell nobody any more, and wait a moment: native code must not outlive the process."""
        self._stopped = True
        self.give_up()
        thread = self._thread
        if thread is not None:
            thread.join(_LAST_WAIT)
