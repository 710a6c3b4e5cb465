"""Commands that several processes do together, where a launcher has started them: the first one runs the command."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Any

import click

from xlbias.processes.launched import launched, prepare

if TYPE_CHECKING:
    from xlbias.processes.team import Team


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
        prepare(place)
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
