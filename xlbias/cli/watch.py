"""`--dashboard`: the command goes on in a process of its own while the terminal shows its run.

The process is in a session of its own: neither Ctrl-C in the dashboard nor the end of the terminal reaches it.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO, TYPE_CHECKING, TypeVar

import click

from xlbias.cli.terminal import on_a_terminal
from xlbias.folders import from_here, state_folder
from xlbias.interpreter import own_command
from xlbias.text import as_argument

if TYPE_CHECKING:
    from xlbias.dashboard.workers.process import WatchedProcess

FLAG = "--dashboard"

_PASSED_ON = 60  # lines of a failed command that are passed on at most
_MOST_LOGS = 100

Command = TypeVar("Command", bound=Callable[..., object])


def dashboard_option(command: Command) -> Command:
    """The option of a command that can be watched while it works."""
    return click.option(
        FLAG,
        is_flag=True,
        help="Watch the command in the dashboard. Closing that does not stop it; its log is next to its output.",
    )(command)


def watches(*, quiet: bool = False) -> bool:
    """Whether the dashboard can be shown while the command works; else one sentence on stderr says why not."""
    reason = ""
    if int(os.environ.get("WORLD_SIZE") or 1) > 1 or "RANK" in os.environ:
        reason = "is for a single process: follow this one with `xlbias dashboard` from another terminal"
    elif not on_a_terminal():
        reason = "needs a terminal; there is none, so the work continues without it"
    if reason and not quiet and os.environ.get("RANK", "0") == "0":
        click.echo(f"{FLAG} {reason}", err=True)
    return not reason


def words_without_flag(ctx: click.Context) -> list[str]:
    """Return this command line without the option: what the process of its own is started with."""
    words: list[str] = ctx.find_root().obj["words"]
    end = words.index("--") if "--" in words else len(words)
    return [word for i, word in enumerate(words) if i >= end or word != FLAG]


def watch_command(words: Sequence[str], run: Path, product: Path, *, name: str = "", again: str = "") -> int:
    """Start `xlbias WORDS` in a process of its own, show its run until the user leaves, and say what goes on.

    Args:
        words: the command line.
        run: path of the run that it writes.
        product: what it makes; its log stands next to that, under the same name with ``.log`` behind it.
        name: what to call it, by default ``xlbias`` and the command.
        again: how it is gone on with if it fails.

    A run that another process is writing already is shown instead, and nothing is started.

    Returns the exit code: that of the work where it has failed, else that of the dashboard. What a command says that
    fails before there is anything to see is passed on.
    """
    from xlbias.dashboard.launch import run_dashboard
    from xlbias.dashboard.workers.process import WatchedProcess
    from xlbias.runs.run_file import state_version

    if (writer := living_writer(run)) is not None:
        shown = as_argument(from_here(run))
        said = f"xlbias: {shown} is already being written by process {writer}: this shows it, nothing is started"
        click.echo(said, err=True)
        return run_dashboard(run)
    before = state_version(run)
    log, file = _open_log(product)
    with file:
        start = file.seek(0, os.SEEK_END)
        process = subprocess.Popen(
            own_command(*words),
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
        )
    name = name or f"xlbias {next(word for word in words if not word.startswith('-'))}"
    watched = WatchedProcess(process, name, log, start, again)
    code = 0
    try:
        code = run_dashboard(run, process=watched, ignored=before)
    finally:
        _say_what_goes_on(watched, run)
    return watched.code or code


def living_writer(run: Path) -> int | None:
    """Return the process on this host that is writing the run at a path, None where there is none."""
    from xlbias.runs.journal import live_folder
    from xlbias.runs.writer import read_writer, writer_state

    writer = read_writer(live_folder(run))
    return int(writer["pid"]) if writer is not None and writer_state(writer) == "running" else None


def _open_log(product: Path) -> tuple[Path, IO[bytes]]:
    """Open a log that nobody else writes: next to what is made, or in the user's state folder where that is closed.

    The lock on it is that of the open file, which the process inherits: it ends with the last process that writes.
    """
    from xlbias.files import append_alone

    product = Path(os.path.abspath(product))  # noqa: PTH100  # not resolved: a link's log stands next to the link
    try:
        for number in range(1, _MOST_LOGS):
            path = product.with_name(f"{product.name}{f'-{number}' if number > 1 else ''}.log")
            file = append_alone(path)
            if file is not None:  # else that of a process which still runs
                return path, file
        raise OSError(f"{product}: too many logs")
    except OSError:
        folder = state_folder() / "logs"
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{product.name}-{os.getpid()}.log"
        file = append_alone(path)
        if file is None:  # of this process's own number, so of another host
            raise
        return path, file


def _say_what_goes_on(watched: WatchedProcess, run: Path) -> None:
    """On stderr: whether the work goes on or how it has ended, where its log is, and how to look again."""
    log, shown = as_argument(from_here(watched.log)), as_argument(from_here(run))
    look = f"look at it with: xlbias dashboard {shown}"
    if watched.code is None:
        lines = [f"{watched.name} continues in process {watched.process.pid}; its log: {log}", look]
    elif watched.code == 0:
        lines = [f"{watched.name} has finished; its log: {log}", look]
    elif watched.seen:
        lines = [
            f"{watched.name} {watched.ending()}; its log: {log}",
            *([said] if (said := watched.error()) else []),
            look,
        ]
    else:
        lines = watched.said().splitlines()[-_PASSED_ON:]
        if watched.code > 128:
            lines.append(f"xlbias: {watched.name} {watched.ending()}")
        if watched.log_from == 0:
            watched.log.unlink(missing_ok=True)  # all of it has been passed on
    click.echo("\n".join(lines), err=True)
