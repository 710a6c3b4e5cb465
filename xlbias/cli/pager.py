"""Output that is longer than the screen goes through a pager, as git's does."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

import click

from xlbias.text import width

_PROGRAM = "less"
_DEFAULTS = {"LESS": "FRX", "LV": "-c"}
"""Settings of pagers where the user has none: leave at once what fits the screen, keep it there afterwards."""


def print_paged(text: str) -> None:
    """Print a text: through the pager where stdout is a terminal on which it does not fit.

    The pager is ``$XLBIAS_PAGER``, else ``$PAGER``, else less. Where that is empty or ``cat``, or cannot be started,
    there is none.
    """
    command = pager()
    if not command or not _is_longer(text) or not _page(text, command):
        click.echo(text, nl=False)


def pager() -> str:
    """Return the command line of the pager, empty where there is none."""
    chosen = os.environ.get("XLBIAS_PAGER", os.environ.get("PAGER", _PROGRAM)).strip()
    return "" if chosen == "cat" else chosen


def _is_longer(text: str) -> bool:
    """Whether stdout is a terminal, and the text has more lines than that, as wide as it is, can show."""
    if not sys.stdout.isatty() or os.environ.get("TERM") == "dumb":
        return False
    columns, lines = shutil.get_terminal_size()
    return sum(max(1, -(-width(line) // columns)) for line in text.splitlines()) >= lines


def _page(text: str, command: str) -> bool:
    """Show a text in the pager until the user leaves it. False where it cannot be started."""
    env = {**_DEFAULTS, **os.environ}
    sys.stdout.flush()
    process = subprocess.Popen(["/bin/sh", "-c", command], stdin=subprocess.PIPE, env=env)
    assert process.stdin is not None
    try:
        process.stdin.write(text.encode(sys.stdout.encoding or "utf-8", "replace"))
        process.stdin.close()
    except BrokenPipeError:  # left before the end
        pass
    while True:
        try:
            return process.wait() != _NOT_FOUND
        except KeyboardInterrupt:  # is for the pager, which goes on
            continue


_NOT_FOUND = 127
"""What a shell says of a command that there is not."""
