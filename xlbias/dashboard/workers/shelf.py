"""Looks for runs in a thread: those below a folder, and those that were looked at before; it never touches a widget.

Only heads are read, and of what is on the screen a small matrix. A look at the files costs little, so that runs in
progress are seen to move; the folders are searched again less often, the longer a search takes.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from xlbias.dashboard.workers.outlet import Outlet

if TYPE_CHECKING:
    from xlbias.results.matrix import Matrix
    from xlbias.runs.heads import Head

INTERVAL = 1.0
"""Seconds between two looks at the runs that are known."""

_SEARCHED = 10.0  # seconds between two searches
_SHARE = 20.0  # of the time a search takes nothing is searched after it
_TOLD = 0.15  # seconds between two lists that are handed over while it searches
_LAST_WAIT = 3.0  # seconds
_DRAWN = 0.4  # seconds between two lists while small matrices are made
_MOST_COMPUTED = 20_000_000  # bytes of a run without stored numbers, from which a matrix is still made


@dataclass(frozen=True)
class Thumbnail:
    """mAP of one encoder on one task of a run, as small as it gets.

    Attributes:
        matrix: the numbers.
        profile: the mean over its pools of every query language, None where there is none.
    """

    matrix: Matrix
    profile: tuple[float | None, ...]


@dataclass(frozen=True)
class Listed:
    """The runs that are known at one moment.

    Attributes:
        heads: of all runs, in no particular order.
        thumbnails: of those that were asked for and have one.
        searching: whether the first search still goes on.
        cut_short: whether there was too much to look at all of it.
    """

    heads: tuple[Head, ...]
    thumbnails: dict[Path, Thumbnail]
    searching: bool
    cut_short: bool


class Shelf:
    """Keeps a list of runs up to date in a thread, and hands every new `Listed` to the sink.

    Args:
        folder: what is searched.
        recent: runs that were looked at, wherever they are.
        interval: seconds between two looks.
    """

    def __init__(self, folder: Path, recent: Callable[[], Sequence[Path]], interval: float = INTERVAL) -> None:
        self.folder = folder
        self._recent, self._interval = recent, interval
        self._lists: Outlet[Listed] = Outlet()
        self._wake = threading.Event()
        self._paused = self._again = False
        self._wanted: tuple[Path, ...] = ()
        self._heads: dict[Path, tuple[tuple[Any, ...], Head | None]] = {}
        self._thumbnails: dict[Path, tuple[tuple[Any, ...], Thumbnail | None]] = {}
        self._thread = threading.Thread(target=self._look, name="look-for-runs", daemon=True)

    def start(self) -> None:
        """Begin to look."""
        self._thread.start()

    def stop(self) -> None:
        """Stop; once this returns the sink is called no more.

        A moment is waited for what is being read: native code must not outlive the process.
        """
        self._lists.close()
        self._wake.set()
        if self._thread.is_alive():
            self._thread.join(_LAST_WAIT)

    def attach(self, sink: Callable[[Listed], None]) -> None:
        """Hand every list from now on to `sink`, and the newest one if there is one already."""
        self._lists.attach(sink)

    def pause(self) -> None:
        """Look at nothing while something else is on the screen."""
        self._paused = True

    def resume(self) -> None:
        """Look again, at everything."""
        self._paused, self._again = False, True
        self._wake.set()

    def want(self, paths: Sequence[Path]) -> None:
        """Make small matrices of these runs, in this order."""
        if tuple(paths) != self._wanted:
            self._wanted = tuple(paths)
            self._wake.set()

    # -- in the thread -----------------------------------------------------------------------------------------------

    def _look(self) -> None:
        paths: list[Path] = []
        cut_short, next_search = False, 0.0
        searching = True
        while not self._lists.closed:
            self._wake.clear()
            if not self._paused:
                if self._again or time.monotonic() >= next_search:
                    self._again = False
                    began = time.monotonic()
                    paths, cut_short = self._search(searching)
                    next_search = time.monotonic() + max(_SEARCHED, _SHARE * (time.monotonic() - began))
                    searching = False
                else:
                    for path in paths:
                        if self._may_move(path):
                            self._head(path)
                self._tell(paths, searching, cut_short)
                self._make_thumbnails(paths, cut_short)
            self._wake.wait(self._interval)

    def _may_move(self, path: Path) -> bool:
        """Whether a run is in progress, or is seen: that all others are still the same is asked less often."""
        head = self._heads.get(path, ((), None))[1]
        return (head is not None and head.live) or path in self._wanted

    def _search(self, first: bool) -> tuple[list[Path], bool]:
        """Return all paths that there are, and whether there are more; told of in between the first time."""
        from xlbias.runs.nearby import Search

        search = Search(self.folder)
        found = dict.fromkeys(path.absolute() for path in self._recent())
        told = time.monotonic()
        for path in found:
            self._head(path)
        for path in search.paths():
            if self._lists.closed or self._paused:
                break
            found[path.absolute()] = None
            self._head(path.absolute())
            if first and time.monotonic() - told > _TOLD:
                told = time.monotonic()
                self._tell(list(found), True, False)
        return list(found), search.cut_short

    def _head(self, path: Path) -> None:
        """Read the head of a run, unless it is as it was."""
        from xlbias.runs.heads import read_head, version_of

        version = version_of(path)
        known = self._heads.get(path)
        if known is None or known[0] != version:
            self._heads[path] = (version, read_head(path))

    def _tell(self, paths: Sequence[Path], searching: bool, cut_short: bool) -> None:
        heads = [self._heads[path][1] for path in paths if path in self._heads]
        known = tuple(head for head in heads if head is not None)
        made = {path: one for path, (_, one) in self._thumbnails.items() if one is not None}
        self._lists.hand_over(Listed(known, made, searching, cut_short))

    def _make_thumbnails(self, paths: Sequence[Path], cut_short: bool) -> None:
        told = 0.0
        for path in self._wanted:
            if self._lists.closed or self._paused or self._again:
                return
            version, head = self._heads.get(path, ((), None))
            if head is None or self._thumbnails.get(path, (None,))[0] == version:
                continue
            self._thumbnails[path] = (version, thumbnail(head))
            if time.monotonic() - told > _DRAWN:
                told = time.monotonic()
                self._tell(paths, False, cut_short)
        if told:
            self._tell(paths, False, cut_short)


def thumbnail(head: Head) -> Thumbnail | None:
    """Return the small matrix of the first encoder on the first task of a run; None where there is none.

    Of a run without stored numbers, such as one in progress, they are computed where it is small.
    """
    import polars as pl

    from xlbias.results.matrix import matrix
    from xlbias.results.run import open_run

    if not head.encoders or not head.tasks or head.status == "broken":
        return None
    try:
        run = open_run(head.path)
        if (head.status != "finished" or run.stored_summary.is_empty()) and head.size > _MOST_COMPUTED:
            return None
        found = matrix(run, "map", head.encoders[0], head.tasks[0])
    except (Exception, pl.exceptions.PanicException):  # whatever a damaged file does to its readers
        return None
    if not found.values:
        return None
    profile = []
    for row in found.cells:
        known = [cell.value for cell in row if cell.value is not None]
        profile.append(sum(known) / len(known) if known else None)
    return Thumbnail(found, tuple(profile))
