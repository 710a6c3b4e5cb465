"""Commands that several processes do together, where a launcher has started them: the first one runs the command.

`train` is no such command: all processes run it, and its trainer has them agree.
"""

from __future__ import annotations

import os
from collections.abc import Callable, MutableMapping
from functools import wraps
from typing import TYPE_CHECKING, Any

import click

from xlbias.errors import UsageError
from xlbias.processes.launched import launched, prepare

if TYPE_CHECKING:
    from xlbias.processes.team import Team

TOGETHER = ("train", "evaluate", "audit")
"""Commands that several processes can do together; each of the others would be done by every process on its own."""


def begin_together(command: str | None, environment: MutableMapping[str, str] = os.environ) -> None:
    """Prepare this process for a command, where it is one of several. To be called before libraries are imported.

    Raises UsageError for a command that several processes cannot do.
    """
    try:
        place = launched(environment)
    except UsageError:
        if command in TOGETHER:
            raise
        return  # variables that have these names by chance
    if place.world == 1 or command is None:
        return
    if command not in TOGETHER:
        raise UsageError(
            f"`xlbias {command}` is for one process, and {place.world} have been started: start it without torchrun, "
            f"accelerate or srun; what several processes do together is {', '.join(TOGETHER[:-1])} and {TOGETHER[-1]}"
        )
    prepare(place, environment)


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


def current_team() -> Team | None:
    """Return the processes that do the current command together; None where this is the only one."""
    team: Team | None = click.get_current_context().find_root().obj.get("team")
    return team
