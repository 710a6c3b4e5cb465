"""A process that makes the run that the dashboard shows: it is watched here, and never stopped."""

from __future__ import annotations

import re
import signal
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path

from xlbias.folders import from_here
from xlbias.text import clean, one_line

_TAIL = 65_536  # bytes of the log that are ever looked at
_ERRORS = (re.compile(r"xlbias: "), re.compile(r"(?:\w*error|fatal|killed|segmentation fault)\b", re.IGNORECASE))


class WatchedProcess:
    """A process that was started for the dashboard to show, and the log that it writes.

    Args:
        process: the process.
        name: what to call it, such as ``xlbias train``.
        log: the file that its output goes to.
        log_from: where in that file its output begins.
        again: a sentence on how it is gone on with if it fails.
    """

    def __init__(
        self, process: subprocess.Popen[bytes], name: str, log: Path, log_from: int = 0, again: str = ""
    ) -> None:
        self.process, self.name, self.log, self.log_from, self.again = process, name, log, log_from, again
        self.seen = False
        """Whether there was anything of it to see in the dashboard."""
        self.code: int | None = None
        """Its exit code once it has ended, as a shell gives it: 128 and the number of a signal that killed it."""
        self._lock = threading.Lock()
        self._sink: Callable[[int], object] | None = None
        threading.Thread(target=self._wait, name="watch-process", daemon=True).start()

    def attach(self, sink: Callable[[int], object]) -> None:
        """Tell `sink` of the end, in a thread of its own or at once."""
        with self._lock:
            self._sink = sink
            code = self.code
        if code is not None:
            sink(code)

    def detach(self) -> None:
        """Tell nobody any more."""
        with self._lock:
            self._sink = None

    def _wait(self) -> None:
        code = self.process.wait()
        with self._lock:
            self.code = code if code >= 0 else 128 - code
            sink = self._sink
        if sink is not None:
            sink(self.code)

    def said(self) -> str:
        """Return what it has written, cleaned; of very much, the end."""
        try:
            with self.log.open("rb") as file:
                size = file.seek(0, 2)
                file.seek(max(self.log_from, size - _TAIL))
                content = file.read().decode("utf-8", "replace")
        except OSError:
            return ""
        return clean(content, keep_newlines=True)

    def error(self) -> str:
        """Return what it has written as its error: the last line that begins like one, else its last line."""
        lines = [line.strip() for line in reversed(self.said().splitlines()) if line.strip()]
        for begins in _ERRORS:
            for line in lines:
                if begins.match(line):
                    return line
        return lines[0] if lines else ""

    def ending(self) -> str:
        """Return in a few words how it has ended: failed, or killed by which signal."""
        assert self.code is not None
        if self.code == 130:
            return "was interrupted"
        if self.code > 128:
            try:
                return f"was killed ({signal.Signals(self.code - 128).name})"
            except ValueError:
                pass
        return f"failed with exit code {self.code}"

    def trouble(self) -> str:
        """Return a sentence for the banner where it has failed, with what it has written as its error; else nothing."""
        if not self.code:
            return ""
        error = one_line(self.error().removeprefix("xlbias: "), 200)
        words = f": {error}" if error and self.code < 128 else "."
        again = f" {self.again}" if self.again else ""
        return f"✖ {self.name} {self.ending()}{words}{again} Log: {clean(str(from_here(self.log)))}"
