"""Finds the run files in a folder and below it, within bounds of depth, number and time."""

from __future__ import annotations

import os
import time
from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path

from xlbias.runs.journal import live_folder

DEPTH = 4
"""Folders below the first one that are looked into."""

SECONDS = 3.0
"""How long is searched."""

MOST = 20_000
"""Files and folders that are looked at."""

_SKIPPED = {"__pycache__", "node_modules", "site-packages"}
_SUFFIX, _LIVE = ".parquet", live_folder(Path("x")).name.removeprefix("x")


class Search:
    """A search below a folder, nearest first.

    Args:
        folder: where it begins; what cannot be read there or below is passed over.
        depth: how many folders deep.
        seconds: after which it ends.
        most: entries after which it ends.
        clock: seconds.
    """

    def __init__(
        self,
        folder: Path,
        *,
        depth: int = DEPTH,
        seconds: float = SECONDS,
        most: int = MOST,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.folder, self._depth, self._seconds, self._most, self._clock = folder, depth, seconds, most, clock
        self.cut_short = False
        """Whether it ended before everything within `depth` was looked at."""

    def paths(self) -> Iterator[Path]:
        """Yield the paths of Parquet files and of runs in progress, each once.

        Links to folders are not followed, nor are hidden folders looked into.
        """
        started, looked = self._clock(), 0
        waiting = deque([(self.folder, 0)])
        while waiting:
            folder, depth = waiting.popleft()
            files: set[str] = set()
            for entry in _entries(folder):
                looked += 1
                if looked > self._most or self._clock() - started > self._seconds:
                    self.cut_short = True
                    return
                name = entry.name
                if _is_folder(entry):
                    if name.endswith(_LIVE) and not name.startswith("."):
                        files.add(name.removesuffix(_LIVE))
                    elif depth < self._depth and not name.startswith(".") and name not in _SKIPPED:
                        waiting.append((folder / name, depth + 1))
                elif name.endswith(_SUFFIX) and not name.startswith(".") and _is_file(entry):
                    files.add(name)
            for name in sorted(files):
                yield folder / name


def _entries(folder: Path) -> Iterator[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as found:
            yield from found
    except OSError:
        return


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir(follow_symlinks=False)
    except OSError:
        return False


def _is_file(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_file()
    except OSError:
        return False
