"""Compares the samplers of a study in a process of its own: it takes minutes, in which keys must be answered.

``python -m xlbias.dashboard.workers.study_contrasts RUN [FOLDER]`` writes, whenever another pair of source and target
is finished, a line ``DONE TOTAL LEFT BYTES`` and a frame of so many bytes: what can be said of the pairs there are.
LEFT is in seconds, or ``?``. Last comes the frame of all pairs; or ``trouble`` and why there is none. In FOLDER pairs
are kept.
"""

from __future__ import annotations

import io
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from itertools import product
from pathlib import Path
from typing import IO, TYPE_CHECKING

from xlbias.caches import read_checked, try_to_keep
from xlbias.dashboard.terminal.numbers import duration
from xlbias.dashboard.workers.comparisons import COMPARING
from xlbias.errors import XlbiasError
from xlbias.interpreter import own_command

if TYPE_CHECKING:
    import polars as pl

_MOST_LINE = 4096


class StudyContrasts:
    """One comparison of all samplers of a study.

    Args:
        path: of the run.
        changed: called in a thread whenever there is something new.
        folder: where finished pairs of this run, as it is now, are kept; None keeps none.
    """

    def __init__(self, path: Path, changed: Callable[[], None], folder: Path | None = None) -> None:
        self.found: pl.DataFrame | None = None
        """The comparison of all pairs, once it is there; see `xlbias.results.study.contrasts.contrasts`."""
        self.so_far: pl.DataFrame | None = None
        """That of the pairs that are finished."""
        self.trouble = ""
        """Why there is none."""
        self.done = self.total = 0
        self.left: float | None = None
        """Seconds that it will still take."""
        self._changed = changed
        self._stopped = False
        self._process: subprocess.Popen[bytes] | None = None
        paths = [os.fspath(one.absolute()) for one in (path, folder) if one is not None]
        try:
            self._process = subprocess.Popen(
                own_command(*paths, module="xlbias.dashboard.workers.study_contrasts"),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
            )
        except OSError as error:
            self.trouble = str(error)
            return
        self._reader = threading.Thread(target=self._read, args=(self._process,), name="contrast", daemon=True)
        self._reader.start()

    @property
    def remark(self) -> str:
        """How far it is, or why there is nothing; empty once it is there."""
        if self.found is not None:
            return ""
        if self.trouble:
            return f"no verdict: {self.trouble}"
        if not self.total:
            return f"{COMPARING} nothing is confirmed yet"
        left = f", {duration(self.left)} left" if self.left is not None else ""
        return f"{COMPARING} {self.done} of {self.total} pairs{left}"

    def stop(self) -> None:
        """Want it no more; what is finished stays kept."""
        self._stopped = True
        if self._process is not None:
            self._process.kill()

    def _read(self, process: subprocess.Popen[bytes]) -> None:
        assert process.stdout is not None
        with process.stdout as said:
            self._take(said)
        process.wait()
        if self.found is None and not self.trouble:
            self.trouble = "the comparison ended before it was done"
        if not self._stopped:
            self._changed()

    def _take(self, said: IO[bytes]) -> None:
        while line := said.readline(_MOST_LINE):
            word, _, rest = line.decode("utf-8", "replace").strip().partition(" ")
            if word == "trouble":
                self.trouble = rest
                return
            total, left, size = rest.split(" ")
            frame = _frame(said.read(int(size))) if int(size) else None
            self.done, self.total, self.left = int(word), int(total), None if left == "?" else float(left)
            self.so_far = frame
            if self.done == self.total:
                self.found = frame
            elif not self._stopped:
                self._changed()


def _frame(content: bytes) -> pl.DataFrame | None:
    import polars as pl

    try:
        return pl.read_ipc(io.BytesIO(content))
    except (pl.exceptions.PolarsError, OSError, ValueError):
        return None


def _content(frame: pl.DataFrame) -> bytes:
    out = io.BytesIO()
    frame.write_ipc(out)
    return out.getvalue()


def main(path: str, out: IO[bytes], folder: str = "") -> None:
    """Compare the samplers of the study at `path`, and write to `out` how far that is and what comes of it."""
    from xlbias.results.run import open_run
    from xlbias.results.study.contrasts import PAIR, judged, pair_contrasts
    from xlbias.results.study.design import read_study

    os.nice(5)
    cache = Path(folder) if folder else None

    def say(line: str, content: bytes = b"") -> None:
        out.write(f"{line}\n".encode() + content)
        out.flush()

    try:
        run = open_run(path)
        study = read_study(run)
        pairs = list(product(study.sources, study.targets))
        names = [f"{i:04d}" for i in range(len(pairs))]
        known = [read_checked(cache / name, name) if cache else None for name in names]
        parts = {
            pairs[i]: frame
            for i, content in enumerate(known)
            if content and (frame := _frame(content)) is not None and frame.schema == PAIR
        }
        begun, computed = time.monotonic(), 0

        def tell() -> None:
            to_come = [pair for pair in pairs if pair not in parts]
            left = (time.monotonic() - begun) / computed * (len(pairs) - len(parts)) if computed else None
            ready = [parts[pair] for pair in pairs if pair in parts]
            some = any(part.height for part in ready)
            content = _content(judged(run, study, ready, to_come=to_come)) if some or not to_come else b""
            say(f"{len(parts)} {len(pairs)} {'?' if left is None else round(left, 1)} {len(content)}", content)

        tell()
        for i, pair in enumerate(pairs):
            if pair in parts:
                continue
            parts[pair] = pair_contrasts(run, study, *pair)
            computed += 1
            if cache:
                try_to_keep(cache / names[i], _content(parts[pair]), names[i])
            tell()
    except XlbiasError as error:
        say(f"trouble {str(error).replace(chr(10), ' ')[:1000]}")


if __name__ == "__main__":
    main(sys.argv[1], sys.stdout.buffer, *sys.argv[2:3])
