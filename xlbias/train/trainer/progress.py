"""How far a training is: what it knows of itself beside tensors."""

from __future__ import annotations

from typing import Any

from msgspec import Struct


class Progress(Struct, forbid_unknown_fields=True):
    """What a training goes on with, as it is in the state of a checkpoint.

    Attributes:
        step: steps made.
        last_loss: mean loss of the last row of the journal.
        seconds: spent on them.
        counts: of what was drawn, see `Tally`.
        validations: one row per validation and task, see `Validation`.
        best_step: step of the best validation so far, 0 for that before the first step; None before there is one.
        worse: validations since then.
    """

    step: int = 0
    last_loss: float = float("nan")
    seconds: float = 0.0
    counts: dict[str, Any] = {}
    validations: list[dict[str, Any]] = []
    best_step: int | None = None
    worse: int = 0

    def stale(self, patience: int) -> bool:
        """Whether so many validations in a row were no better; never for a patience of 0."""
        return 0 < patience <= self.worse

    def of_best(self) -> list[dict[str, Any]]:
        """Return the rows of the best validation so far."""
        return [row for row in self.validations if row["step"] == self.best_step]

    def judged(self, step: int, rows: list[dict[str, Any]], *, better: bool) -> None:
        """Take in the rows of a validation after `step`, and whether it was the best so far."""
        self.best_step, self.worse = (step, 0) if better else (self.best_step, self.worse + 1)
        self.validations += rows
