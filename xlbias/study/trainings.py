"""The trainings of a study: each is done by this process, or by several together, as `xlbias train` would do it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from xlbias.data.task import RetrievalTask
from xlbias.errors import XlbiasError
from xlbias.narration import Narrator
from xlbias.train.recipe import Recipe
from xlbias.train.trainer.fit import fit

if TYPE_CHECKING:
    from xlbias.processes.team import Team


@dataclass(frozen=True)
class PlannedTraining:
    """A training of a study: what `fit` takes of it, but for the tasks of its `source`."""

    name: str
    source: str
    out: Path
    recipe: Recipe
    sampler: str
    alpha: float
    device: str | None

    def fit(self, tasks: Sequence[RetrievalTask], narrator: Narrator | None) -> None:
        """Train, or go on with what an earlier study left; where there are several processes, all must do it."""
        fit(
            tasks,
            self.out,
            self.recipe,
            name=self.name,
            sampler=self.sampler,
            alpha=self.alpha,
            device=self.device,
            resume=True,
            narrator=narrator,
        )


class Trainings:
    """Does trainings one after another.

    Args:
        team: the processes that do each together, of which this is the first; None where it is the only one. The
            others are sent the tasks of a source once, so they need not have the data.
    """

    def __init__(self, team: Team | None) -> None:
        self._team = team
        self._sent: set[str] = set()

    def fit(self, training: PlannedTraining, tasks: Sequence[RetrievalTask], narrator: Narrator) -> None:
        """Do a training on the tasks of its source."""
        if self._team is not None:
            self._team.ask(_fit, training, None if training.source in self._sent else tasks)
            self._sent.add(training.source)
        training.fit(tasks, narrator)


def _fit(team: Team, training: PlannedTraining, tasks: Sequence[RetrievalTask] | None) -> None:
    """Take part in a training, in a process that does not lead; `tasks` are those of a source that is new here."""
    sources = team.state.setdefault("sources", {})
    if tasks is not None:
        sources[training.source] = tasks
    try:
        training.fit(sources[training.source], None)
    except KeyboardInterrupt:
        return  # all have stopped alike, with a checkpoint: the first one says so, and ends the others
    except XlbiasError as error:
        raise type(error)(f"{training.name}: {error}") from error
