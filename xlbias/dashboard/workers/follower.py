"""Follows a run: a thread watches the files and hands over frozen snapshots; it never touches a widget.

Polars and the run are imported in that thread, so that they load while the terminal interface does.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from xlbias.dashboard.workers.outlet import Outlet
from xlbias.dashboard.workers.snapshot import Broken, Event, Snapshot, Waiting, take_snapshot
from xlbias.errors import RunError, reason_of

INTERVAL = 0.5
"""Seconds between two looks at the files: at most two repaints a second, and a dead writer is seen at once."""

_SHARE = 3.0  # after a costly read the thread rests this many times as long, so that the work that it watches goes on


class Follower:
    """Watches the run at `path` in a thread of its own and hands every new `Event` to the sink.

    Begins before there is a sink, and keeps the newest event for it. The sink is called in the follower's thread.
    What is at `path` in the version `ignored` (see `xlbias.runs.run_file.state_version`) was there before the work that
    is waited for, and is taken for nothing until `heed_all`.
    """

    def __init__(self, path: Path, interval: float = INTERVAL, ignored: tuple[Any, ...] | None = None) -> None:
        self.path = path.with_name(path.name.removesuffix(".live")) if path.name.endswith(".live") else path
        self._interval = interval
        self._events: Outlet[Event] = Outlet()
        self._wake = threading.Event()
        self._again = False
        self._ignored = ignored
        self._thread = threading.Thread(target=self._follow, name="follow-run", daemon=True)

    def start(self) -> None:
        """Begin to watch."""
        self._thread.start()

    def stop(self) -> None:
        """Stop watching; once this returns the sink is called no more."""
        self._events.close()
        self._wake.set()

    def attach(self, sink: Callable[[Event], None]) -> None:
        """Hand every event from now on to `sink`, and the newest one if there is one already."""
        self._events.attach(sink)

    @property
    def newest(self) -> Event | None:
        """The newest event, None before the first."""
        return self._events.newest

    def heed_all(self) -> None:
        """Read the run as it is, also where it is what was there before."""
        self._ignored = None
        self.reload()

    def reload(self) -> None:
        """Read the run anew, whether or not it has changed."""
        self._again = True
        self._wake.set()

    def _follow(self) -> None:
        from xlbias.runs.run_file import state_version

        seen: tuple[Any, ...] | None = None
        while not self._events.closed:
            started = time.monotonic()
            self._wake.clear()
            again, self._again = self._again, False
            version = state_version(self.path)
            if again or version != seen:
                old = self._ignored is not None and version == self._ignored
                event = Waiting(self.path, ()) if old else self._read(fresh=again)
                # A run that changes under the reader (its journal becomes a file) is read again, not called broken.
                if isinstance(event, Broken) and state_version(self.path) != version:
                    seen = None
                else:
                    seen = version
                    self._events.hand_over(event)
            cost = time.monotonic() - started
            self._wake.wait(max(self._interval, _SHARE * cost))

    def _read(self, *, fresh: bool) -> Event:
        import polars as pl

        previous = self.newest if isinstance(self.newest, Snapshot) and not fresh else None
        try:
            return take_snapshot(self.path, previous)
        except RunError as error:
            return Broken(self.path, str(error)) if _is_there(self.path) else Waiting(self.path, _others(self.path))
        except (Exception, pl.exceptions.PanicException) as error:  # whatever a damaged file does to its readers
            return Broken(self.path, f"{self.path}: cannot be read: {reason_of(error)}")


def _is_there(path: Path) -> bool:
    from xlbias.runs.journal import live_folder

    return path.exists() or (live_folder(path) / "run.json").exists()


def _others(path: Path) -> tuple[str, ...] | None:
    if not path.parent.is_dir():
        return None
    try:
        return tuple(sorted(file.name for file in path.parent.glob("*.parquet")))
    except OSError:
        return ()
