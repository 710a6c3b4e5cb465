"""Which encoder, task and measure are looked at, and which encoder they are compared with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from xlbias.results.matrix import MATRIX_MEASURES
from xlbias.runs.run_info import Card, ModelInfo

if TYPE_CHECKING:
    from textual.app import App

    from xlbias.dashboard.baseline import Baseline
    from xlbias.dashboard.navigation import Navigation
    from xlbias.dashboard.state import State
    from xlbias.dashboard.workers.snapshot import Chosen


class Selection:
    """Changes the choice and brings the present screen up to date."""

    def __init__(self, app: App[Any], state: State, baseline: Baseline, navigation: Navigation) -> None:
        self._app, self._state, self._baseline, self._navigation = app, state, baseline, navigation

    def choose(self, chosen: Chosen) -> None:
        """Look at another encoder and task."""
        if chosen != self._state.chosen:
            self._state.chosen = chosen
            self._navigation.show()

    def step_task(self) -> None:
        """Show the same encoder on the next task."""
        state = self._state
        if state.snapshot and state.chosen:
            names = [task.name for task in state.snapshot.run.tasks]
            self.choose((state.chosen[0], names[(names.index(state.chosen[1]) + 1) % len(names)]))

    def step_encoder(self) -> None:
        """Show the next encoder on the same task."""
        state = self._state
        if state.snapshot and state.chosen:
            names = [model.name for model in state.snapshot.run.models]
            self.choose((names[(names.index(state.chosen[0]) + 1) % len(names)], state.chosen[1]))

    def step_measure(self, step: int) -> None:
        """Show the next measure in the matrix, or the one before."""
        names = list(MATRIX_MEASURES)
        at = names.index(self._state.measure.name) + step
        self._state.measure = MATRIX_MEASURES[names[at % len(names)]]
        self._navigation.show()

    def pick(self) -> None:
        """Choose encoder and task from a list."""
        from xlbias.dashboard.dialogs.picker import Choice, PickDialog

        snapshot = self._state.snapshot
        assert snapshot is not None
        pairs = snapshot.overview.select("model", "task").rows()
        choices = [Choice(pair, f"{pair[0]} on {pair[1]}") for pair in pairs]
        dialog = PickDialog("encoder and task", choices, self._state.chosen)
        self._app.push_screen(dialog, lambda chosen: self.choose(chosen) if chosen else None)

    def pick_baseline(self) -> None:
        """Choose what differences are taken from."""
        from xlbias.dashboard.dialogs.picker import Choice, PickDialog

        state = self._state
        snapshot = state.base or state.snapshot
        assert snapshot is not None
        here = state.snapshot.run.models if state.snapshot and state.chosen else []
        chosen = next((model for model in here if state.chosen and model.name == state.chosen[0]), None)
        models = sorted(snapshot.run.models, key=lambda model: _distance(model, chosen))
        choices = [Choice(model.name, model.name, _remark(model)) for model in models]
        nothing = Choice("", "none: show values")
        dialog = PickDialog("compare with", [*choices, nothing], self._baseline.model)
        self._app.push_screen(dialog, self.take_baseline)

    def take_baseline(self, model: str | None) -> None:
        """Take differences from an encoder; an empty name is none, None changes nothing."""
        if model is None:
            return
        self._baseline.take(model)
        self._navigation.show()
        if model and self._state.chosen and self._baseline.against is None:
            self._app.notify("this encoder is the baseline: choose another one to see differences", markup=False)

    def toggle_difference(self) -> None:
        """Show differences, or values again."""
        self._baseline.is_on = not self._baseline.is_on
        self._navigation.show()


def _distance(model: ModelInfo, chosen: ModelInfo | None) -> tuple[bool, ...]:
    """Order baselines: those trained on the same texts with the same seed first."""
    ours, theirs = (Card() if entry is None else entry.card for entry in (model, chosen))
    return (ours.sources != theirs.sources, ours.seed != theirs.seed, ours.alpha != theirs.alpha)


def _remark(model: ModelInfo) -> str:
    """The sampler, where the name does not say it."""
    sampler = model.card.sampler or ""
    return "" if sampler == model.name else sampler
