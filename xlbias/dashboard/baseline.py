"""The part of the application that knows what differences are taken from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from xlbias.dashboard.workers.comparisons import Asked, Comparisons
from xlbias.results.matching import OTHER_DATA
from xlbias.text import one_line

if TYPE_CHECKING:
    from xlbias.dashboard.app import DashboardApp
    from xlbias.dashboard.workers.snapshot import Snapshot
    from xlbias.results.matching import Matched
    from xlbias.results.matrix import DifferenceMatrix, Matrix
    from xlbias.results.run import Run


@dataclass(frozen=True)
class Against:
    """What differences are taken from: one model of a run; `label` is what to call it, cleaned."""

    run: Run
    model: str
    label: str


class Baselines:
    """What differences are taken from, and the differences themselves; mixed into the application."""

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self.baseline: str | None = None
        """The model that the user has chosen to compare with; of the second run where there is one."""
        self.difference_on = True
        self._matched: tuple[tuple[Run, Run], Matched[Run]] | None = None
        self.comparisons = Comparisons(self._tell_of_comparison)

    @property
    def _app(self) -> DashboardApp:
        return cast("DashboardApp", self)

    @property
    def base_run(self) -> Run | None:
        """The second run, its tasks called as the same tasks of the run that is looked at; None where there is none."""
        found = self.matched_base()
        return found.run if found is not None else None

    def matched_base(self) -> Matched[Run] | None:
        """Return how the tasks of the second run match those of the run that is looked at; None without either."""
        from xlbias.results.matching import matched

        app = self._app
        if app.base is None or app.snapshot is None:
            return None
        of = (app.base.run, app.snapshot.run)
        if self._matched is None or any(one is not other for one, other in zip(self._matched[0], of, strict=True)):
            self._matched = (of, matched(*of))
        return self._matched[1]

    def _tell_of_comparison(self) -> None:
        from xlbias.dashboard.app import Compared

        self._app.post_message(Compared())

    def against_for(self, model: str) -> Against | None:
        """Return what differences of a model are taken from; None where there is nothing, or the model itself.

        With two runs: the model that was chosen, else that of the same name, else the only one. With one run: the one
        that was chosen.
        """
        app = self._app
        base = self.base_run
        if app.base is not None and base is not None:
            names = [entry["name"] for entry in base.models]
            only = names[0] if len(names) == 1 else None
            name = next((n for n in (self.baseline, model, only) if n in names), None)
            return Against(base, name, f"{one_line(name, 40)} of {base.path.name}") if name else None
        if app.snapshot is None or self.baseline is None or self.baseline == model:
            return None
        if self.baseline not in [entry["name"] for entry in app.snapshot.run.models]:
            return None
        return Against(app.snapshot.run, self.baseline, one_line(self.baseline, 40))

    @property
    def against(self) -> Against | None:
        """What differences of the chosen model are taken from."""
        return self.against_for(self._app.chosen[0]) if self._app.chosen else None

    def compared(self, model: str, task: str, measure: str, *, urgent: bool = True) -> Any:
        """Return the comparison of a model with the baseline: a frame, a sentence why there is none, None for later.

        Later the present screen's `show` is called again. An empty sentence means that there is no baseline.
        """
        against, snapshot = self.against_for(model), self._app.snapshot
        if against is None or snapshot is None:
            return ""
        there = [entry["name"] for entry in against.run.tasks]
        if task not in there and task + OTHER_DATA not in there:
            return f"{against.label} has not been evaluated on {one_line(task, 40)}"
        return self.comparisons.of(Asked(against.run, against.model, snapshot.run, model, task, measure), urgent=urgent)

    def shown_matrix(self, measure: str, model: str, task: str) -> tuple[Matrix | DifferenceMatrix, str]:
        """Return the matrix to show, differences where they are wanted and ready, and what is to be said of that."""
        from xlbias.results.matrix import difference_matrix

        snapshot = cast("Snapshot", self._app.snapshot)
        plain = snapshot.matrix(measure, model, task)
        if not self.difference_on or self.against_for(model) is None:
            return plain, ""
        found = self.compared(model, task, measure)
        if found is None:
            return plain, "comparing …"
        if isinstance(found, str):
            return plain, found
        against = self.against_for(model)
        assert against is not None
        key = ("difference", id(found), measure, model, task)
        if key not in snapshot.kept:
            snapshot.kept[key] = difference_matrix(found, plain, against.label)
        matrix: DifferenceMatrix = snapshot.kept[key]
        if not any(value is not None for row in matrix.values for value in row):
            return plain, "no differences: this measure is no mean over query ids by language"
        return matrix, ""

    def toggle_difference(self) -> None:
        """Show differences, or values again."""
        self.difference_on = not self.difference_on
        self._app.show()

    def pick_baseline(self) -> None:
        """Choose what differences are taken from."""
        from xlbias.dashboard.dialogs.picker import Choice, PickDialog

        app = self._app
        snapshot = app.base or app.snapshot
        assert snapshot is not None
        shown = app.snapshot.run.models if app.snapshot and app.chosen else []
        chosen = next((model for model in shown if app.chosen and model["name"] == app.chosen[0]), {})
        models = sorted(snapshot.run.models, key=lambda model: _distance(model, chosen))
        choices = [Choice(model["name"], model["name"], _remark(model)) for model in models]
        nothing = Choice("", "none: values instead of differences")
        app.push_screen(PickDialog("differences from", [*choices, nothing], self.baseline), self.take_baseline)

    def take_baseline(self, model: str | None) -> None:
        """Take differences from a model; an empty name is none, None changes nothing."""
        if model is None:
            return
        self.baseline, self.difference_on = model or None, bool(model)
        self.comparisons.forget_waiting()
        self._app.show()
        if model and self._app.chosen and self.against_for(self._app.chosen[0]) is None:
            self._app.notify("this is the baseline itself: other models show differences to it", markup=False)


def _distance(model: dict[str, Any], chosen: dict[str, Any]) -> tuple[bool, ...]:
    """Order baselines: those trained on the same texts with the same seed first."""
    cards: Sequence[dict[str, Any]] = [entry.get("card", {}) for entry in (model, chosen)]
    return tuple(cards[0].get(field) != cards[1].get(field) for field in ("sources", "seed", "alpha"))


def _remark(model: dict[str, Any]) -> str:
    card = model.get("card", {})
    return str(card.get("sampler") or "")
