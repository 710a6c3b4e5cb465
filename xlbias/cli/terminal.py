"""Whether there is a terminal, for commands that can show the dashboard."""

from __future__ import annotations

import os
import sys


def on_a_terminal() -> bool:
    """Whether there is a terminal to read keys from and to draw on (Textual draws on stderr)."""
    streams = (sys.stdin, sys.stdout, sys.stderr)
    return all(stream.isatty() for stream in streams) and os.environ.get("TERM") != "dumb"


def in_a_browser() -> bool:
    """Whether textual-serve has started this process and takes a terminal's place."""
    return os.environ.get("TEXTUAL_DRIVER", "").startswith("textual.drivers.web_driver")
