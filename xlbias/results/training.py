"""How encoders were trained: logged steps and validations as series of points, where it stands, and what was drawn.

They come out of a file that anyone may have written: only finite numbers become points, and models that the file does
not describe are shown by their name alone.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import polars as pl

from xlbias.results.run_numbers import RunNumbers
from xlbias.runs.run_file import Progress
from xlbias.runs.run_info import Card
from xlbias.runs.schema import SETTING_SHORT
from xlbias.samplers import BATCH_KINDS

Points = tuple[tuple[float, float], ...]
"""Step and value, by step."""

MAPS = {
    SETTING_SHORT["monolingual"]: "map_monolingual",
    SETTING_SHORT["cross-lingual"]: "map_cross_lingual",
    SETTING_SHORT["multilingual"]: "map_multilingual",
}
"""Columns of a validation's mean average precision, by the short name of their setting."""

KINDS = {kind: f"n_{kind.replace('-', '_')}_batches" for kind in BATCH_KINDS}
"""Columns of the batches drawn so far, by kind."""

LOSSES = {kind: f"loss_{kind.replace('-', '_')}" for kind in BATCH_KINDS}
"""Columns of the loss of the batches of one kind."""

VALIDATED = ("loss", *MAPS.values(), "rank_distance", "rank_distance_normalised")
"""Columns of the numbers of a validation."""

_OF_CURVE = VALIDATED[:-1]
_PHASE = ": training"  # what the journal's progress calls the phase of a training, behind the encoder's name


@dataclass(frozen=True, eq=False)
class Curves:
    """What is known of one encoder's training.

    Attributes:
        model: the encoder's name.
        steps: its logged steps, by step.
        validation: its validations, a row per step and task.
        card: its model card.
    """

    model: str
    steps: pl.DataFrame
    validation: pl.DataFrame
    card: Card = field(default_factory=Card)

    @property
    def tasks(self) -> list[str]:
        """Tasks of the validations, in the order in which they came."""
        return self.validation["task"].drop_nulls().unique(maintain_order=True).to_list()

    @property
    def step(self) -> int | None:
        """The last step that was logged."""
        found = [frame["step"].max() for frame in (self.steps, self.validation) if frame.height]
        return max((step for step in found if isinstance(step, int)), default=None)

    @property
    def best_step(self) -> int | None:
        """The step whose encoder was saved, None while that is not decided."""
        return self.card.saved_step

    @property
    def seconds(self) -> float | None:
        """How long a finished training took."""
        seconds = self.card.training_seconds
        if not isinstance(seconds, int | float) or isinstance(seconds, bool):
            return None
        return float(seconds) if math.isfinite(seconds) and seconds >= 0 else None

    def logged(self, column: str) -> Points:
        """Return a column of the logged steps as points."""
        return _points(self.steps, column)

    @cached_property
    def loss_by_kind(self) -> dict[str, Points]:
        """The loss of the batches of each kind that was drawn, as points; empty where that was not written down.

        Where several kinds are drawn, the loss over all of them jumps between theirs.
        """
        found = {kind: self.logged(column) for kind, column in LOSSES.items()}
        return {kind: points for kind, points in found.items() if points}

    def validated(self, column: str, task: str | None = None) -> Points:
        """Return a column of the validations of one task as points, or its mean over tasks at each step."""
        if task is not None:
            return _points(self.validation.filter(pl.col("task") == task), column)
        return _points(self._means, column)

    @cached_property
    def _means(self) -> pl.DataFrame:
        """All numbers of the validations at each step, means over the tasks that have a finite one."""
        numbers = [pl.col(name).filter(pl.col(name).is_finite()).mean() for name in VALIDATED]
        return self.validation.group_by("step").agg(numbers).sort("step")

    def last(self, column: str) -> float | None:
        """Return the last finite value of a column of the logged steps."""
        points = self.logged(column)
        return points[-1][1] if points else None

    @cached_property
    def pairs_per_second(self) -> float | None:
        """Throughput of the training steps, see `throughput`."""
        return throughput(self.steps)

    @cached_property
    def batches(self) -> dict[str, int]:
        """Batches drawn so far, by kind; empty where that was not written down."""
        if not self.steps.height:
            return {}
        row = self.steps.select(KINDS.values()).row(-1)
        return {kind: n for kind, n in zip(KINDS, row, strict=True) if n is not None and n >= 0}


def throughput(steps: pl.DataFrame) -> float | None:
    """Return pairs drawn per second of training steps, over all logged steps of one encoder; None where unknown.

    A logged row has the rate of the steps since the row before it. Seconds of validating and of writing checkpoints
    are in none, so that it is more than all pairs over all seconds that the training took.
    """
    rated = (
        steps.select("step", "pairs_per_second")
        .sort("step")
        .with_columns(n=pl.col("step") - pl.col("step").shift(1, fill_value=0))
        .filter(pl.col("pairs_per_second").is_finite() & (pl.col("pairs_per_second") > 0) & (pl.col("n") > 0))
    )
    if rated.is_empty():
        return None
    n = pl.col("n")
    return float(rated.select(n.sum() / (n / pl.col("pairs_per_second")).sum()).item())


def curves(run: RunNumbers) -> tuple[Curves, ...]:
    """Return the trainings of a run that holds some, in the order of its encoders."""
    steps, validations = (
        frame.filter(pl.col("model").is_not_null() & pl.col("step").is_not_null())
        .sort("step", maintain_order=True)
        .collect()
        .partition_by("model", as_dict=True)
        for frame in (run.training, run.validation)
    )
    cards = {model.name: model.card for model in run.models}
    trains = not run.tasks  # nothing but a training has no task: then its encoders are there before their first step
    names = dict.fromkeys([*cards, *(name for (name,) in steps), *(name for (name,) in validations)])
    return tuple(
        Curves(
            name,
            steps.get((name,), run.training.head(0).collect()),
            validations.get((name,), run.validation.head(0).collect()),
            cards.get(name, Card()),
        )
        for name in names
        if trains or (name,) in steps or (name,) in validations
    )


def steps_in_all(training: Curves, progress: Progress | None) -> int | None:
    """Return how many steps a training has, as far as its progress, its card or its recipe say."""
    if in_progress(training, progress) and progress is not None and progress.total:
        return progress.total
    named = training.card.steps, (training.card.recipe or {}).get("steps")
    return next((steps for steps in named if type(steps) is int and steps > 0), None)


def in_progress(training: Curves, progress: Progress | None) -> bool:
    """Whether a run's progress is that of this training."""
    return progress is not None and progress.phase == f"{training.model}{_PHASE}"


def shares(counts: Mapping[str, int]) -> dict[str, float]:
    """Return counts as shares of their sum; empty where that is 0."""
    total = sum(counts.values())
    return {name: n / total for name, n in counts.items()} if total else {}


def summary(trainings: Sequence[Curves]) -> pl.DataFrame:
    """Return a row per training: ``model, step, loss``, and of its last validation, as means over tasks, ``mono, cross,
    multi, rank_distance``; null where there is none.
    """
    rows = []
    for training in trainings:
        row: dict[str, Any] = {"model": training.model, "step": training.step, "loss": training.last("loss")}
        for name, column in [*MAPS.items(), ("rank_distance", "rank_distance")]:
            points = training.validated(column)
            row[name] = points[-1][1] if points else None
        rows.append(row)
    numbers = dict.fromkeys(("loss", *MAPS, "rank_distance"), pl.Float64)
    return pl.DataFrame(rows, schema={"model": pl.String, "step": pl.Int64, **numbers}, orient="row")


def _points(frame: pl.DataFrame, column: str) -> Points:
    steps, values = (frame[name].cast(pl.Float64).to_list() for name in ("step", column))  # quicker than a query
    return tuple(
        (step, value)
        for step, value in zip(steps, values, strict=True)
        if step is not None and value is not None and math.isfinite(step) and math.isfinite(value)
    )


def validation_curves(run: RunNumbers) -> dict[str, list[dict[str, Any]]]:
    """Return by model: a row per validation, ``step`` and VALIDATED, all but the last, as means over tasks.

    None where no task gives it.
    """
    rows = (
        run.validation.group_by("model", "step")
        .agg(pl.col(name).mean() for name in _OF_CURVE)
        .sort("model", "step")
        .collect()
    )
    return {
        str(model): curve.drop("model").to_dicts() for (model,), curve in rows.group_by("model", maintain_order=True)
    }


@dataclass(frozen=True)
class Drawn:
    """What a sampler has drawn: batches by kind and by task, pairs by (query language, passage language), negatives."""

    kinds: dict[str, int]
    tasks: dict[str, int]
    pairs: dict[tuple[str, str], int]
    negatives: int
    words: dict[str, int]

    def languages(self, side: int) -> dict[str, int]:
        """Pairs by the language of their query (side 0) or passage (side 1), by tag."""
        counts: Counter[str] = Counter()
        for pair, n in self.pairs.items():
            counts[pair[side]] += n
        return dict(sorted(counts.items()))


@dataclass(frozen=True)
class Trained:
    """One encoder's training: None for what is not known, and `drawn` only where its card says it.

    `pairs_per_second` is that of training steps alone, without validation, see `throughput`.
    `validation` holds a row per validation, `best_step` the step whose encoder was saved.
    """

    model: str
    steps: int | None
    first_loss: float | None
    last_loss: float | None
    pairs_per_second: float | None
    best_step: int | None
    validation: list[dict[str, Any]]
    drawn: Drawn | None


def trained(run: RunNumbers) -> list[Trained]:
    """Return the trainings of a run's encoders, as far as it holds their steps or their cards say what was drawn."""
    logged = {
        row["model"]: row
        for row in run.training.sort("step")
        .group_by("model")
        .agg(
            pl.col("step").last().alias("steps"),
            pl.col("loss").first().alias("first_loss"),
            pl.col("loss").last().alias("last_loss"),
        )
        .collect()
        .to_dicts()
    }
    for (name,), steps in run.training.collect().partition_by("model", as_dict=True).items():
        if name in logged:
            logged[name]["pairs_per_second"] = throughput(steps)
    found = []
    curves = validation_curves(run)
    for model in run.models:
        drawn = _drawn(model.card.batches)
        row = logged.get(model.name, {})
        if row or drawn:
            figures = {name: row.get(name) for name in ("steps", "first_loss", "last_loss", "pairs_per_second")}
            found.append(
                Trained(
                    model=model.name,
                    **figures,
                    best_step=model.card.saved_step,
                    validation=curves.get(model.name, []),
                    drawn=drawn,
                )
            )
    return found


def _drawn(value: object) -> Drawn | None:
    """Return what a card says was drawn, without what is no count; None where nothing is left."""
    if not isinstance(value, Mapping):
        return None
    pairs = value.get("pairs")
    by_pair = {
        (str(query), passage): n
        for query, of_query in (pairs.items() if isinstance(pairs, Mapping) else ())
        for passage, n in _counts(of_query).items()
    }
    negatives = _counts({"n": value.get("negatives")}).get("n", 0)
    words = _counts(value.get("words"))
    drawn = Drawn(_counts(value.get("by_kind")), _counts(value.get("by_task")), by_pair, negatives, words)
    return drawn if drawn.kinds or drawn.tasks or drawn.pairs else None


def _counts(value: object) -> dict[str, int]:
    if not isinstance(value, Mapping):
        return {}
    return {str(key): n for key, n in value.items() if type(n) is int and 0 < n < 1 << 63}
