"""What the rules look at: a run, the run it is compared with, its numbers, and the tests that findings need."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

import polars as pl

from xlbias.errors import XlbiasError
from xlbias.measures.measure import Measure
from xlbias.measures.registry import measure_of
from xlbias.results.caveats import Caveat, caveats
from xlbias.results.cell import Cell
from xlbias.results.compare import PERMUTATIONS, Side, Sided, compare_sided
from xlbias.results.findings.finding import Number
from xlbias.results.findings.language_gaps import DRAWS, GAP_SCHEMA, Gap, language_gaps
from xlbias.results.findings.result_cache import ResultCache, made_from
from xlbias.results.findings.thresholds import Thresholds
from xlbias.results.matching import Matched, matched
from xlbias.results.one_training import recipe_of
from xlbias.results.per_query import Key
from xlbias.results.run_numbers import RunNumbers
from xlbias.results.written import measured
from xlbias.runs.run_info import ModelInfo, TaskInfo

if TYPE_CHECKING:
    from xlbias.results.study.design import Study

COMPARED = ("map",)
"""What encoders are compared in."""

MOST_RANKINGS = 2_000_000
"""Above these, nothing is read but the summary unless it is asked for: rankings take seconds to read."""

_MOST_PAIRS = 3  # of sides that are compared on a task, base with each other


class Context:
    """A run, and what rules ask of it; everything is worked out when it is first asked for.

    Args:
        run: the run.
        base: the run that its encoders are compared with; None compares encoders of the run.
        thresholds: what the adjectives of findings stand for.
        whole: whether rankings are read however many there are.
        frames: comparisons that are there already, by task: new minus base of `sides`, as `compare` gives them.
        sides: base and new side of `frames`.
        answers: what a study's samplers changed, where that is there already, see `xlbias.results.study.questions`.
    """

    def __init__(
        self,
        run: RunNumbers,
        base: RunNumbers | None,
        thresholds: Thresholds,
        *,
        whole: bool = False,
        frames: Mapping[str, pl.DataFrame] | None = None,
        sides: tuple[Side, Side] | None = None,
        answers: pl.DataFrame | None = None,
    ) -> None:
        self.run, self.base, self.thresholds = run, base, thresholds
        self._answers = answers
        self._whole, self._frames, self._sides = whole, frames, sides
        self._numbers = run.numbers
        self._gaps: dict[tuple[str, str], list[Gap]] = {}

    @cached_property
    def ranked(self) -> list[tuple[ModelInfo, TaskInfo]]:
        """Every encoder and task of which there are numbers, in the order of the run."""
        return [(m, t) for t in self.run.tasks for m in self.run.models if self._numbers.of(m.name, t.name)]

    @cached_property
    def caveats(self) -> tuple[Caveat, ...]:
        """The caveats of the run."""
        return caveats(self.run)

    @cached_property
    def reads_rankings(self) -> bool:
        """Whether there are so few rankings that they may be read, or that was asked for."""
        return self._whole or few_enough(self.run)

    @cached_property
    def study(self) -> Study | None:
        """The design of the study that the run is of, None where it is of none that can be read."""
        if self.base is not None or not isinstance(self.run.metadata.get("study"), Mapping):
            return None
        from xlbias.results.study.design import read_study

        try:
            return read_study(self.run)
        except (XlbiasError, KeyError, TypeError, ValueError, AttributeError):  # of a version that is not known
            return None

    @cached_property
    def planned(self) -> list[tuple[object, ...]]:
        """The primary contrasts of the study: base, new, measure, setting, over, cells."""
        return [one[:6] for one in self.study.primary] if self.study else []

    @cached_property
    def answers(self) -> pl.DataFrame | None:
        """What the samplers of a study changed at home and away; None where the run is of none, or large, or begun."""
        if self._answers is not None or self.study is None:
            return self._answers
        if not self.study.in_domain or not self.study.members or not self.reads_rankings or self.run.incomplete:
            return None
        from xlbias.results.study.questions import answers

        return answers(self.run, self.study, only_planned=bool(self.planned))

    def numbers(self, encoder: str, task: str) -> Mapping[Key, Cell]:
        """Return the numbers of an encoder on a task."""
        return self._numbers.of(encoder, task)

    def number(self, encoder: str, task: str, key: Key, role: str = "") -> Number | None:
        """Return one number with its coordinates, None where it is not there or undefined."""
        row = self._numbers.of(encoder, task).get(key)
        if row is None or row.value is None:
            return None
        return Number(
            key.measure, row.value, row.low, row.high, row.n, None, encoder, task, key.setting, key.query_language,
            key.passage_language, role=role,
        )  # fmt: skip

    def level(self, encoder: str, task: str, measure: str, setting: str) -> list[Number]:
        """Return the reference levels of a number; without chance where rankings are too many to read."""
        from xlbias.results.levels import levels

        if not self.reads_rankings:
            return []
        return [
            Number(one.measure, one.value, one.low, one.high, None, None, one.name, task, setting, role=one.kind)
            for one in levels(self.run, encoder, task, (measure,))
            if one.setting == setting
        ]

    def tied(self, encoder: str, task: str) -> tuple[str, tuple[Number, ...]]:
        """Return that ties may be the cause, with the share that does, where enough answers tie; else nothing."""
        share = self.number(encoder, task, Key("tied", "multilingual"))
        if share is None or share.value is None or share.value < self.thresholds.tied:
            return "", ()
        text = f"; ties may be the cause: {100 * share.value:.3g} % of answers score the same as another passage"
        return text, (share,)

    def gaps(self, encoder: str, task: str) -> list[Gap]:
        """Return how far the mean of each query and passage language is from that of the others, tested."""
        if (encoder, task) not in self._gaps:
            self._gaps[encoder, task] = self._found_gaps(encoder, task)
        return self._gaps[encoder, task]

    def _found_gaps(self, encoder: str, task: str) -> list[Gap]:
        if (encoder, task) in self.run.incomplete:
            return []
        cache = ResultCache("languages", DRAWS, *made_from(Side(self.run, (encoder,)), task))
        if (content := cache.load()) is None:
            if not self.reads_rankings:
                return []
            content = pl.DataFrame(language_gaps(self.run, encoder, task), schema=GAP_SCHEMA, orient="row")
            cache.keep(content)
        return [Gap(*row) for row in content.iter_rows()]

    @cached_property
    def arms(self) -> list[Side]:
        """The encoders of the run, those that are trainings of one recipe with several seeds together."""
        return _arms(self.run)

    @cached_property
    def _matched(self) -> Matched[RunNumbers] | None:
        return None if self.base is None else matched(self.base, self.run)

    def compared(self) -> Iterator[tuple[str, Side, Side, pl.DataFrame]]:
        """Yield ``task, base, new`` and their differences in `COMPARED`, of every two sides that are compared.

        With another run, encoders of one name, or the best with the only one that it has. Within a run, each with the
        first one; of more than that, the best by mAP in the multilingual pool with the next best.
        """
        if self._frames is not None and self._sides is not None:
            for name, frame in self._frames.items():
                yield name, *self._sides, frame
            return
        for task in self.run.tasks:
            for base, new in self._pairs(task.name):
                if (found := self._difference(base, new, task.name)) is not None:
                    yield task.name, base, new, found

    def _pairs(self, task: str) -> list[tuple[Side, Side]]:
        there = [arm for arm in self.arms if all(self._complete(self.run, model, task) for model in arm.models)]
        if self._matched is not None:
            other = self._matched.run
            theirs = [arm for arm in _arms(other) if all(self._complete(other, one, task) for one in arm.models)]
            same = [(base, new) for new in there for base in theirs if base.models == new.models]
            if same or len(theirs) != 1:
                return same
            best = sorted(there, key=lambda arm: -self._quality(arm, task))[:_MOST_PAIRS]
            return [(theirs[0], new) for new in there if new in best]
        if len(there) <= _MOST_PAIRS + 1:
            return [(there[0], new) for new in there[1:]]
        best = sorted(there, key=lambda arm: -self._quality(arm, task))
        return [(best[1], best[0])]

    def _quality(self, arm: Side, task: str) -> float:
        rows = [self._numbers.of(model, task).get(Key("map", "multilingual")) for model in arm.models]
        values = [row.value for row in rows if row is not None and row.value is not None]
        return sum(values) / len(values) if values else 0.0

    def _complete(self, run: RunNumbers, model: str, task: str) -> bool:
        known = {one.name for one in run.tasks}
        return task in known and (model, task) not in run.incomplete and bool(run.numbers.of(model, task))

    def _difference(self, base: Side, new: Side, task: str) -> pl.DataFrame | None:
        """Return a comparison, from the cache where it has been made before; None where it is too much or not one."""
        about = [*made_from(base, task), *made_from(new, task)]
        cache = ResultCache("comparison", COMPARED, PERMUTATIONS, base.trained, new.trained, *about)
        frame = cache.load()
        if frame is None and self.reads_rankings:
            try:
                frame = compare_sided(Sided(base, task, COMPARED), Sided(new, task, COMPARED), True, PERMUTATIONS, 0)
            except XlbiasError:  # other languages or other data under one name: nothing to compare
                return None
            cache.keep(frame)
        return frame


def few_enough(run: RunNumbers) -> bool:
    """Whether a run has so few rankings that they may be read without being asked for."""
    cells = run.summary.filter((pl.col("measure") == "map") & pl.col("query_language").is_not_null())
    return int(cells["n"].sum() or 0) <= MOST_RANKINGS


def _arms(run: RunNumbers) -> list[Side]:
    of_recipe: dict[str, list[str]] = {}
    for model in run.models:
        key = model.name if model.card.sampler is None or model.mitigation else f"recipe {recipe_of(model.card)}"
        of_recipe.setdefault(key, []).append(model.name)
    return [Side(run, tuple(names)) for names in of_recipe.values()]


def said(one: Number | None, *, with_interval: bool = True) -> str:
    """Return a number as a sentence says it, with its interval where it has one."""
    if one is None:
        return "·"
    about = about_of(one)
    text = measured(one.value, about)
    if with_interval and one.low is not None and one.high is not None:
        text += f" [{measured(one.low, about)}, {measured(one.high, about)}]"
    return text


def about_of(one: Number) -> Measure:
    """Return the measure of a number."""
    return measure_of(one.measure)


def some(names: Sequence[str], most: int) -> str:
    """Return names in a row, the first ones where they are many: ``hi, ar and 4 more``."""
    if len(names) <= most + 1:
        return ", ".join(names)
    return f"{', '.join(names[:most])} and {len(names) - most} more"
