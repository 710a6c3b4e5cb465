"""The last door before a terminal: what reaches stdout and stderr commands nothing, whoever has printed it.

What xlbias itself says of data is cleaned where it is said. But libraries print names from files too, and so do
warnings, tracebacks and ``--debug``. `guard_streams` puts both streams behind an `InertStream` for the rest of the
process. What draws on the terminal on purpose (a progress bar, the dashboard) asks for `drawing_stream`.
"""

from __future__ import annotations

import codecs
import re
import sys
from typing import Any, TextIO, cast

_SUSPECT = re.compile(r"[^\t\n\r\x20-\x7e]")
_BAR = re.compile(r"(?:[\n\r]|\x1b\[A)*")  # what tqdm writes to move between its bars; it holds no name
_LOSSY = "xlbias-replace"


class InertStream:
    """A text stream that writes control characters as the marks of `xlbias.text.clean`; white space stays as it is.

    Args:
        stream: where it goes.
        narrates: nothing is lost if it cannot be written. A terminal that has been closed, or a full disk under a log,
            must not end the work that is narrated.

    There is no ``buffer``, through which bytes would go past it.
    """

    def __init__(self, stream: TextIO, *, narrates: bool = False) -> None:
        self.stream, self._narrates = stream, narrates

    def write(self, text: str) -> int:
        """Write `text`, inert; return its length. Raises OSError where it cannot be written, unless it narrates."""
        inert = text
        if _SUSPECT.search(text) and not _BAR.fullmatch(text):
            from xlbias.text import inert as made_inert

            inert = made_inert(text)
        try:
            self.stream.write(inert)
        except OSError:
            if not self._narrates:
                raise
        return len(text)

    def writelines(self, lines: Any) -> None:
        """Write each of `lines`."""
        for line in lines:
            self.write(line)

    def flush(self) -> None:
        """Hand over what has been written. Raises OSError where that fails, unless it narrates."""
        try:
            self.stream.flush()
        except OSError:
            if not self._narrates:
                raise

    def __getattr__(self, name: str) -> Any:
        if name == "buffer":
            raise AttributeError(name)
        return getattr(self.stream, name)


class DrawingStream(InertStream):
    """A stream that may command the terminal, and that outlives it: what cannot be written any more is let go."""

    def __init__(self, stream: TextIO) -> None:
        super().__init__(stream, narrates=True)

    def write(self, text: str) -> int:
        """Write `text` as it is; return its length."""
        try:
            return self.stream.write(text)
        except OSError:
            return len(text)


class Replaced:
    """How many characters the encoding of stdout could not hold; each was written as ``?``."""

    def __init__(self) -> None:
        self.n = 0

    def __call__(self, error: UnicodeError) -> tuple[str, int]:
        """Replace what cannot be encoded, as ``codecs.register_error`` wants it."""
        assert isinstance(error, UnicodeEncodeError)
        n = error.end - error.start
        self.n += n
        return "?" * n, error.end


def guard_streams() -> Replaced:
    """Put stdout and stderr behind an `InertStream`, with ``?`` for what their encoding cannot hold.

    Returns the count of what stdout has lost that way.
    """
    replaced = Replaced()
    codecs.register_error(_LOSSY, replaced)
    for name, errors in (("stdout", _LOSSY), ("stderr", "replace")):
        stream = getattr(sys, name)
        if stream is None or isinstance(stream, InertStream):
            continue
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors=errors)
        setattr(sys, name, InertStream(stream, narrates=name == "stderr"))
    return replaced


def drawing_stream() -> TextIO:
    """Return stderr for what may command the terminal, such as a progress bar; it too outlives a closed terminal."""
    stream = sys.stderr
    return cast(TextIO, DrawingStream(stream.stream)) if isinstance(stream, InertStream) else stream
