"""Starting the dashboard: in the right order, so that it is quick, and with the terminal to itself."""

from __future__ import annotations

import os
import sys
import tempfile
import termios
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib import import_module
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from xlbias.errors import UsageError
from xlbias.folders import state_folder
from xlbias.streams import DrawingStream
from xlbias.text import clean

if TYPE_CHECKING:
    from xlbias.dashboard.workers.process import WatchedProcess
    from xlbias.dashboard.workers.shelf import Shelf


def run_dashboard(
    path: Path | None,
    *,
    theme: str | None = None,
    base: Path | None = None,
    read_only: bool = False,
    ascii: bool | None = None,
    process: WatchedProcess | None = None,
    ignored: tuple[Any, ...] | None = None,
    folder: Path | None = None,
) -> int:
    """Show the run at `path` until the user leaves; return the exit code: that of a signal where one has ended it.

    Args:
        path: of the run; it need not be there yet. None begins with the picker.
        theme: name of the theme, by default that of the last time.
        base: a second run, which differences are taken from.
        read_only: write no files.
        ascii: send the terminal nothing but ASCII; by default where its locale asks for that.
        process: that which makes the run.
        ignored: the version of what was there before that began.
        folder: what the picker searches, by default the current folder.

    Raises UsageError if there is no theme of that name.
    """
    give_a_size()
    with terminal_to_itself() as said:
        # What reads the run is imported first: the reading then goes on, mostly without the interpreter's lock, while
        # the interface is imported. The other way round both imports would wait for each other.
        import_module("xlbias.results.overview")
        from xlbias.dashboard.workers.follower import Follower

        follower = shelf = None
        if path is not None:
            follower = Follower(path, ignored=ignored)
            follower.start()
        else:
            shelf = _shelf(folder)
        follower_of_base = Follower(base) if base is not None else None
        if follower_of_base is not None:
            follower_of_base.start()
        from xlbias.dashboard.app import DashboardApp
        from xlbias.dashboard.terminal.ascii import wanted
        from xlbias.dashboard.terminal.signals import outside_ends

        app = DashboardApp(
            follower,
            theme,
            base=follower_of_base,
            read_only=read_only,
            ascii=wanted() if ascii is None else ascii,
            process=process,
            shelf=shelf,
        )
        with outside_ends(app.leave):
            app.run()
        said.seek(0)
        trouble = said.read().decode("utf-8", "replace") if app.return_code and not app.ended_from_outside else ""
    sys.stderr.write(clean(trouble, keep_newlines=True))
    return app.return_code or 0


def _shelf(folder: Path | None) -> Shelf:
    """Return the runs for the picker, which are looked for while the interface is imported."""
    from xlbias.dashboard.session import recent
    from xlbias.dashboard.workers.shelf import Shelf

    try:
        shelf = Shelf((folder or Path()).absolute(), lambda: recent(state_folder()))
    except OSError as error:  # the current folder has been removed
        raise UsageError("the current folder is not there any more: name a run, or a folder") from error
    shelf.start()
    return shelf


def give_a_size() -> None:
    """Say that a terminal has 80×24 where it does not know its size, as consoles on a serial line and in containers.

    Textual and Rich would take different sizes for it, and the screen would be laid out for one and the other for ever.
    """
    for stream in (sys.__stdin__, sys.__stdout__, sys.__stderr__):
        with suppress(AttributeError, OSError, ValueError, termios.error):  # no stream, or no terminal
            number = stream.fileno()  # type: ignore[union-attr]
            if 0 in termios.tcgetwinsize(number):
                termios.tcsetwinsize(number, (24, 80))


@contextmanager
def terminal_to_itself() -> Iterator[IO[bytes]]:
    """Keep everything but the interface from writing to the terminal through stderr, on which Textual draws.

    Native code writes there on its own: a damaged file makes Polars print what its threads have to say of it. Yields
    the file that it goes to instead.
    """
    stderr = sys.__stderr__
    assert stderr is not None, "the dashboard needs a terminal"
    number = stderr.fileno()
    terminal = os.dup(number)
    drawn = open(terminal, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
    with tempfile.TemporaryFile() as said:
        os.dup2(said.fileno(), number)
        sys.__stderr__ = DrawingStream(drawn)  # type: ignore[misc, assignment]
        try:
            yield said
        finally:
            sys.__stderr__ = stderr  # type: ignore[misc]
            with suppress(OSError):  # there is no terminal any more
                drawn.close()
            os.dup2(terminal, number)
            os.close(terminal)
