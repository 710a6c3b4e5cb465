"""Commands that several processes do together, where a launcher has started them: the first one runs the command.

`train` is no such command: all processes run it, and its trainer has them agree.
"""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Iterator, Mapping, MutableMapping
from contextlib import contextmanager, redirect_stdout
from functools import wraps
from typing import TYPE_CHECKING, Any

import click

from xlbias.errors import UsageError
from xlbias.processes.launched import forget, has_siblings, is_first, launched, prepare

if TYPE_CHECKING:
    from xlbias.processes.team import Team

TOGETHER = ("train", "evaluate", "audit", "study")
"""Commands that several processes do together."""

_FOR_ONE = ("demo", "distill", "rerank")
"""Commands that compute for long, and that several processes cannot share; all others the first process does alone."""


def begin_together(command: str | None, environment: MutableMapping[str, str] = os.environ) -> bool:
    """Prepare this process for a command, where it is one of several; return whether it has anything to do.

    To be called before libraries are imported. Raises UsageError for a command that would leave the others idle for
    long.
    """
    try:
        place = launched(environment)
        siblings = has_siblings(environment)
    except UsageError:
        if command in TOGETHER:
            raise
        forget(environment)  # variables that have these names by chance
        return True
    if place.world == 1:
        return True
    if command in TOGETHER:
        prepare(place, environment)
        return True
    if command in _FOR_ONE:
        raise UsageError(
            f"`xlbias {command}` is for one process, and {place.world} have been started: start it without torchrun, "
            f"accelerate or srun, or unset RANK and WORLD_SIZE; what several processes do together is "
            f"{', '.join(TOGETHER[:-1])} and {TOGETHER[-1]}"
        )
    if place.rank and siblings:
        return False
    forget(environment)
    return True


@contextmanager
def heard_once(environment: Mapping[str, str] = os.environ) -> Iterator[None]:
    """Let only the first of several processes print, as of ``--help``; what is wrong is said on stderr as ever."""
    if is_first(environment) or not has_siblings(environment):
        yield
        return
    with redirect_stdout(io.StringIO()):
        yield


def several(function: Callable[..., int]) -> Callable[..., int]:
    """Have the first of several processes call `function`, and the others do what it asks them for.

    So wrong input is found, and said, by one process.
    """

    @wraps(function)
    def together(*arguments: Any, **options: Any) -> int:
        place = launched()
        shared = click.get_current_context().find_root().obj
        if place.world == 1 or shared.get("team"):
            return function(*arguments, **options)
        from xlbias.processes.team import Team

        team = shared["team"] = Team(place)
        if not team.leads:
            return team.serve()
        with team.leading():
            return function(*arguments, **options)

    return together


def let_others_go() -> None:
    """Let the other processes end, where there are any: what they share is done, and what follows the first one does.

    What they have made must be written.
    """
    team = current_team()
    if team is not None:
        team.let_go()


def current_team() -> Team | None:
    """Return the processes that do the current command together; None where this is the only one."""
    team: Team | None = click.get_current_context().find_root().obj.get("team")
    return team
