"""What differences are taken from, and the differences."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xlbias.dashboard.workers.comparisons import COMPARING, Against, Asked, Comparisons
from xlbias.results.matching import OTHER_DATA
from xlbias.text import one_line

if TYPE_CHECKING:
    from collections.abc import Callable

    import polars as pl

    from xlbias.dashboard.state import State
    from xlbias.results.matching import Matched
    from xlbias.results.matrix import Matrix
    from xlbias.results.run import Run


class Baseline:
    """The encoder that the user has chosen to compare with, and the comparisons with it.

    Args:
        state: what is looked at.
        ready: called in a thread whenever a comparison is finished.
    """

    def __init__(self, state: State, ready: Callable[[], object]) -> None:
        self._state = state
        self.model: str | None = None
        """The encoder that has been chosen; of the second run where there is one."""
        self.is_on = True
        """Whether differences are wanted, not values."""
        self.comparisons = Comparisons(ready)
        self._matched: tuple[tuple[Run, Run], Matched[Run]] | None = None

    @property
    def run(self) -> Run | None:
        """The second run, its tasks called as the same tasks of the run that is looked at; None where there is none."""
        found = self.matched()
        return found.run if found is not None else None

    def matched(self) -> Matched[Run] | None:
        """Return how the tasks of the second run match those of the run that is looked at; None without either."""
        from xlbias.results.matching import matched

        state = self._state
        if state.base is None or state.snapshot is None:
            return None
        of = (state.base.run, state.snapshot.run)
        if self._matched is None or any(one is not other for one, other in zip(self._matched[0], of, strict=True)):
            self._matched = (of, matched(*of))
        return self._matched[1]

    def no_common_task(self) -> str:
        """Say so where the two runs can have no differences; empty where they can."""
        found = self.matched()
        if found is None or not found.run.tasks or not found.to.tasks or found.own:
            return ""
        return f"No differences: {found.run.path.name} has none of the tasks of this run."

    def against_for(self, model: str) -> Against | None:
        """Return what differences of an encoder are taken from; None where there is nothing, or the encoder itself.

        With two runs: the encoder that was chosen, else that of the same name, else the only one. With one run: the one
        that was chosen.
        """
        state, base = self._state, self.run
        if state.base is not None and base is not None:
            names = [entry.name for entry in base.models]
            only = names[0] if len(names) == 1 else None
            name = next((n for n in (self.model, model, only) if n in names), None)
            return Against(base, name, f"{one_line(name, 40)} of {base.path.name}") if name else None
        if state.snapshot is None or self.model is None or self.model == model:
            return None
        if self.model not in [entry.name for entry in state.snapshot.run.models]:
            return None
        return Against(state.snapshot.run, self.model, one_line(self.model, 40))

    @property
    def against(self) -> Against | None:
        """What differences of the chosen encoder are taken from."""
        return self.against_for(self._state.chosen[0]) if self._state.chosen else None

    def compared(self, model: str, task: str, measure: str, *, urgent: bool = True) -> pl.DataFrame | str | None:
        """Return the comparison of an encoder with the baseline: a frame, a sentence why there is none, None for later.

        Later `ready` is called. An empty sentence means that there is no baseline.
        """
        against, snapshot = self.against_for(model), self._state.snapshot
        if against is None or snapshot is None:
            return ""
        there = [entry.name for entry in against.run.tasks]
        if task not in there and task + OTHER_DATA not in there:
            return f"{against.label} has not been evaluated on {one_line(task, 40)}"
        return self.comparisons.of(Asked(against.run, against.model, snapshot.run, model, task, measure), urgent=urgent)

    def matrix(self, measure: str, model: str, task: str) -> tuple[Matrix, str]:
        """Return the matrix to show, differences where they are wanted and ready, and what is to be said of that."""
        from xlbias.results.caveats import of_side
        from xlbias.results.compare import Side
        from xlbias.results.matrix import difference_matrix

        snapshot = self._state.snapshot
        assert snapshot is not None
        values = snapshot.matrix(measure, model, task)
        against = self.against_for(model)
        if not self.is_on or against is None:
            return values, ""
        found = self.compared(model, task, measure)
        if found is None:
            return values, COMPARING
        if isinstance(found, str):
            return values, found
        key = ("difference", id(found), measure, model, task)
        if key not in snapshot.cache:
            of_base = [one for one in of_side(Side(against.run, (against.model,)), task) if one.marks]
            snapshot.cache[key] = difference_matrix(found, values, against.label, of_base)
        matrix: Matrix = snapshot.cache[key]
        if not matrix.values:
            return values, "no differences: this measure is not a mean over query ids by language"
        return matrix, ""

    def take(self, model: str) -> None:
        """Take differences from an encoder; an empty name is none."""
        self.model, self.is_on = model or None, bool(model)
        self.comparisons.forget_waiting()
