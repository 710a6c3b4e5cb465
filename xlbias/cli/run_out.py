"""Where a command writes its run: what is wrong with the place is said before any work, and how to go on after it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from xlbias.cli.values import Word
from xlbias.errors import Interrupted, UsageError

if TYPE_CHECKING:
    from xlbias.cli.narrate import StderrNarrator


def run_out_option(default: str) -> Callable[[Any], Any]:
    """Return the option `--out` of a command that writes a run."""
    return click.option(
        "--out",
        "-o",
        default=default,
        type=Word(paths=(".parquet",)),
        show_default=True,
        help="The run file to write.",
    )


def check_choice(*, resume: bool, overwrite: bool) -> None:
    """Raise UsageError where both are asked for."""
    if resume and overwrite:
        raise UsageError("--resume and --overwrite contradict each other")


def check_run_out(out: str, *, resume: bool = False, overwrite: bool = False) -> None:
    """Raise an error unless a run can be written to `out`: nothing is there, or an option says what to do with it."""
    from xlbias.files import check_plain
    from xlbias.runs.journal import check_free

    check_choice(resume=resume, overwrite=overwrite)
    check_plain(Path(out))
    if not (resume or overwrite):
        check_free(Path(out))


@contextmanager
def interruptible(narrator: StderrNarrator, kept: Callable[[], str]) -> Iterator[None]:
    """Say what is kept where the block is interrupted, in the only line of it."""
    try:
        yield
    except KeyboardInterrupt:
        if narrator.quiet:
            raise
        narrator.say(f"interrupted: {kept()}")
        raise Interrupted from None


def resumable(narrator: StderrNarrator, out: str) -> AbstractContextManager[None]:
    """Say how to go on with the run at `out` where the block is interrupted."""
    return interruptible(
        narrator, lambda: f"what is finished is kept; continue with the same command and --resume (run: {out})"
    )
