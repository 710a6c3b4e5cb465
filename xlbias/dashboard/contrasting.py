"""Compares the samplers of a study in a process of its own: it takes minutes, in which keys must be answered.

``python -m xlbias.dashboard.contrasting RUN`` writes a line ``DONE TOTAL`` before each pair of source and target, and
at last ``found`` and the frame, or ``trouble`` and why there is none.
"""

from __future__ import annotations

import io
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import IO, TYPE_CHECKING

from xlbias.errors import XlbiasError

if TYPE_CHECKING:
    import polars as pl

_MOST_LINE = 4096


class Contrasting:
    """One comparison of all samplers of a study.

    Args:
        path: of the run.
        changed: called in a thread whenever there is something new.
    """

    def __init__(self, path: Path, changed: Callable[[], None]) -> None:
        self.found: pl.DataFrame | None = None
        """The comparison, once it is there; see `xlbias.report.study_tables.contrasts`."""
        self.trouble = ""
        """Why there is none."""
        self.done = self.total = 0
        self._changed = changed
        self._stopped = False
        self._process: subprocess.Popen[bytes] | None = None
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "xlbias.dashboard.contrasting", os.fspath(path.absolute())],
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
        how_far = f"{self.done} of {self.total} pairs: " if self.total else ""
        return f"comparing … {how_far}nothing is called real yet"

    def stop(self) -> None:
        """Want it no more."""
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
            if word == "found":
                self.found = _frame(said.read())
                return
            if word == "trouble":
                self.trouble = rest
                return
            self.done, self.total = int(word), int(rest)
            if not self._stopped:
                self._changed()


def _frame(content: bytes) -> pl.DataFrame | None:
    import polars as pl

    try:
        return pl.read_ipc(io.BytesIO(content))
    except (pl.exceptions.PolarsError, OSError, ValueError):
        return None


def main(path: str, out: IO[bytes]) -> None:
    """Compare the samplers of the study at `path`, and write to `out` how far that is and what comes of it."""
    from xlbias.report.study_tables import contrasts, read_study
    from xlbias.runs.run import open_run

    os.nice(5)
    begun = 0

    def say(line: str) -> None:
        out.write(f"{line}\n".encode())
        out.flush()

    try:
        run = open_run(path)
        study = read_study(run)
        total = len(study.sources) * len(study.targets)

        def tell(_: str) -> None:
            nonlocal begun
            say(f"{begun} {total}")
            begun += 1

        found = contrasts(run, study, tell=tell)
    except XlbiasError as error:
        say(f"trouble {str(error).replace(chr(10), ' ')[:1000]}")
        return
    say("found")
    found.write_ipc(out)
    out.flush()


if __name__ == "__main__":
    main(sys.argv[1], sys.stdout.buffer)
