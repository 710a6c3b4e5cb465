"""Who is preferred, and how strongly: the numbers of bias of one encoder on one task, a sheet for each question."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import msgspec
import numpy as np
import polars as pl

from xlbias.dashboard.views.bias_hints import reading_of
from xlbias.dashboard.views.bias_panels import EXCESS, BiasView
from xlbias.dashboard.views.sheet import Said, Shades, Sheet, Spot, block_of
from xlbias.languages import language_name, script_of
from xlbias.measures.measure import Measure
from xlbias.measures.registry import measures
from xlbias.report.document import MatrixBlock
from xlbias.report.documents.overall import overall_bias, undefined_notes
from xlbias.report.documents.wording import BETTER
from xlbias.report.numbers import EMPTY, MARK, NO_NUMBER, Entry, difference_entry, entry, measured, number, said_of_p
from xlbias.results.by_key import keys_of
from xlbias.results.cell import Cell
from xlbias.results.matrix import Matrix, difference
from xlbias.results.per_query import Key
from xlbias.runs.run_info import TaskInfo
from xlbias.runs.schema import OTHER, OWN, SETTINGS
from xlbias.stats.multiplicity import holm

ALL = SETTINGS[2]
FURTHEST = 3.0  # a ratio of 8, or an eighth: beyond, colours tell no more
"""Logarithm of the ratio at which colours end."""


CENSORED = "censored: bounds"
"""Of a number whose ranks are not all known."""


@dataclass(frozen=True, eq=False)
class Differences:
    """What the numbers of an encoder are minus those of another one, by key; see `xlbias.results.compare`."""

    rows: Mapping[Key, Mapping[str, Any]]
    against: str

    @property
    def one_training(self) -> bool:
        """Whether one of the two is a training with one seed."""
        return any(row["one_training"] for row in self.rows.values())

    @classmethod
    def of(cls, frames: Sequence[pl.DataFrame], against: str) -> Differences:
        """Take the comparisons of several measures; `against` is what the base is called."""
        found = {
            Key(*(row[name] for name in Key._fields)): row for frame in frames for row in frame.iter_rows(named=True)
        }
        return cls(found, against)

    def corrected(self, keys: Sequence[Key]) -> Differences:
        """Return the same with p corrected by Holm over the numbers of one table."""
        there = [key for key in keys if key in self.rows]
        p = [self.rows[key]["p"] for key in there]
        adjusted = holm(np.array([math.nan if one is None else one for one in p], dtype=np.float64))
        rows = {
            key: {**self.rows[key], "p_corrected": None if math.isnan(value) else float(value)}
            for key, value in zip(there, adjusted, strict=True)
        }
        return Differences({**self.rows, **rows}, self.against)


def bias_sheet(
    view: BiasView,
    who: str,
    task: TaskInfo,
    found: Mapping[Key, Cell],
    differences: Differences | None = None,
    remark: str = "",
) -> Sheet:
    """Return a view of the bias of one encoder on one task.

    Args:
        view: one of VIEWS.
        who: the encoder, as data names it.
        task: the task's entry in the run's metadata.
        found: the numbers of the encoder on the task, see `xlbias.results.by_key.Numbers`.
        differences: show these instead of values.
        remark: what is to be said of it: that a comparison is going on, or why there is none.
    """
    maker = _Maker(view, who, task, found, differences, remark)
    return maker.numbers() if view.shape == "numbers" else maker.sheet()


@dataclass(frozen=True, eq=False)
class _Maker:
    view: BiasView
    who: str
    task: TaskInfo
    found: Mapping[Key, Cell]
    differences: Differences | None
    remark: str

    @property
    def asked(self) -> tuple[str, ...]:
        return tuple(sorted(self.task.n_queries))

    @property
    def answered(self) -> tuple[str, ...]:
        return tuple(sorted(self.task.pool_sizes))

    @property
    def shares(self) -> dict[str, float]:
        """Share of the pool by language."""
        sizes = self.task.pool_sizes
        total = sum(sizes.values())
        return {language: sizes[language] / total if total else math.nan for language in self.answered}

    def _reading(self, view: str, about: Measure | None) -> str:
        shown = self.differences
        return reading_of(
            view, about, self.task, differences=shown is not None, one_training=shown is not None and shown.one_training
        )

    def sheet(self) -> Sheet:
        """A number for every query language, every passage language, or every pair of both."""
        view, about = self.view, measures("bias")[self.view.measure]
        rows = self.answered if view.shape == "answered" else self.asked
        columns = self.answered if view.shape == "pairs" else (about.label,)
        keys = [[self._key(row, column) for column in columns] for row in rows]
        excess = view.name == EXCESS and self.differences is None
        block = self._block(about, rows, columns, keys, excess=excess)
        cells = block.matrix.cells
        differs = excess or self.differences is not None
        ratio = about.name == "exposure@10.ratio" and self.differences is None
        neutral = None if differs else self._neutral(about)
        of_pool = self.differences is None and view.name == "exposure@10"
        middles = list(self.shares.values()) if of_pool else None if neutral is None else [neutral] * len(columns)
        return Sheet(
            block,
            self._reading(view.name, about),
            headline=self._headline(),
            remark=self.remark or self._nothing(cells, about),
            shades=_logarithms(cells) if ratio else None if middles is None else _from(middles, cells),
            diverging=differs or middles is not None,
            neutral=neutral,
            sided=middles is not None,
            logarithms=ratio,
            form="difference" if differs else "value",
            meaning=f"{about.label}: {about.definition}.",
            pinned=self._pinned(columns, about, excess=excess),
            said=Said(rows, columns, lambda row, column: self._said(self._key(row, column), about)),
            name_of=self._named,
            bars=self.differences is None,
        )

    def _block(
        self,
        about: Measure,
        rows: Sequence[str],
        columns: Sequence[str],
        keys: Sequence[Sequence[Key]],
        *,
        excess: bool,
    ) -> MatrixBlock:
        """The numbers; of values it is left to the block to write those that are seen: of many languages few are."""
        title = self._title(about)
        axes = ("passage language" if self.view.shape == "answered" else "query language", "passage language")
        if self.differences is None and not excess:
            cells = tuple(tuple(self.found.get(key, NO_NUMBER) for key in line) for line in keys)
            return MatrixBlock(title, Matrix(about, tuple(rows), tuple(columns), cells, axes=axes))
        shares = self.shares
        entries = [
            [
                _less(self._entry(key, about, None), shares[column], about)
                if excess
                else self._entry(key, about, self.differences)
                for key, column in zip(line, columns, strict=True)
            ]
            for line in keys
        ]
        return block_of(title, about, rows, columns, entries, axes, differs=self.differences is not None)

    def numbers(self) -> Sheet:
        """Every overall number, with its interval, n, and why it is undefined."""
        wanted = list(overall_bias([self.found]))
        differences = self.differences.corrected([key for _, _, key in wanted]) if self.differences else None
        rows = tuple(label for label, _, _ in wanted)
        cells = tuple((self._entry(key, about, differences),) for _, about, key in wanted)
        tails = tuple(self._tail(about, key) for _, about, key in wanted)
        about = measures("bias")["rank_distance"]
        meaning = {label: measure.definition for label, measure, _ in wanted}
        undefined = " ".join(undefined_notes([self.found], wanted))
        reading = self._reading("numbers", None)
        title = self._titled("Bias in the pool of all languages")
        return Sheet(
            block_of(title, about, rows, ("value",), cells, ("measure", ""), differs=differences is not None),
            f"{reading} {undefined}".strip(),
            remark=self.remark,
            shades=tuple((None,) for _ in rows),
            form="text",
            tails=tails,
            name_of=lambda spot: f"{spot[0]}: {meaning[spot[0]]}",
            bars=False,
        )

    # -- parts -----------------------------------------------------------------------------------------------------

    def _key(self, row: str, column: str) -> Key:
        if self.view.shape == "answered":
            return Key(self.view.measure, ALL, None, row)
        if self.view.shape == "pairs":
            return Key(self.view.measure, ALL, row, column)
        return Key(self.view.measure, ALL, row)

    def _neutral(self, about: Measure) -> float | None:
        """The value at which no language is preferred; None where there is no such, or not one for all cells."""
        n = len(self.answered)
        return {
            "exposure@10.ratio": 1.0, "single_gold.gap": 0.0, "language_rank": (n + 1) / 2,
            "same_language@1": 1 / n if n else None,
        }.get(about.name)  # fmt: skip

    def _entry(self, key: Key, about: Measure, differences: Differences | None) -> Entry:
        if differences is None:
            return entry(self.found.get(key, NO_NUMBER), about)
        row = differences.rows.get(key)
        return EMPTY if row is None else difference_entry(difference(row), about)

    def _said(self, key: Key, about: Measure) -> str:
        if self.differences is not None:
            row = self.differences.rows.get(key)
            if row is None or row["difference"] is None:
                censored = row is not None and row.get("least") is not None
                return CENSORED if censored else "no difference: one side has no value here"
            ends = " → ".join(measured(row[side], about) for side in ("base", "new"))
            p = row["p_corrected"]
            return f"{ends}  " + ("not tested: not a mean over ids" if p is None else said_of_p(p))
        number_of = self.found.get(key)
        if number_of is None:
            return "not evaluated yet"
        if number_of.value is None:
            return CENSORED if number_of.bounds is not None else f"undefined {about.undefined}".strip()
        return f"{number_of.n_excluded:,} excluded" if number_of.n_excluded else ""

    def _tail(self, about: Measure, key: Key) -> str:
        row = self.found[key]
        if self.differences is not None and key not in self.differences.rows:
            return "no comparison: not a mean over query ids" if about.statistic != "mean" else ""
        if row.value is None:
            return f"undefined {about.undefined}".strip()
        excluded = f", {row.n_excluded:,} excluded" if row.n_excluded else ""
        return f"better: {BETTER[about.better]}{excluded}"

    def _named(self, spot: Spot) -> str:
        """Say a row or a cell in words: ``German (Latn) queries, answers in Hindi (Deva)``."""
        row = f"{language_name(spot[0])} ({script_of(spot[0])})"
        if self.view.shape == "pairs":
            what = "first passages" if self.view.panel == "exposure" else "answers"
            return f"{row} queries, {what} in {language_name(spot[1])} ({script_of(spot[1])})"
        if self.view.shape == "answered":
            return f"{'passages' if self.view.panel == 'exposure' else 'answers'} in {row}"
        return f"{row} queries"

    def _headline(self) -> tuple[tuple[str, Entry], ...]:
        """The numbers over all languages that a view is about; differences without marks: those are in the table."""
        found = []
        for label, named, setting in _HEADLINES.get(self.view.panel, ()):
            name = self.view.measure if named == "own" else named
            about, key = measures("bias")[name], Key(name, setting)
            whole = self._entry(key, about, self.differences)
            if whole.value is not None:
                found.append((label or about.label, replace(whole, text=whole.text.removesuffix(MARK))))
        return tuple(found)

    def _pinned(
        self, columns: Sequence[str], about: Measure, *, excess: bool
    ) -> tuple[tuple[str, tuple[str, ...]], ...]:
        """What stands under the heads of exposure: shares of the pool, and each language over all queries."""
        if self.view.panel != "exposure" or self.view.shape != "pairs" or self.differences is not None:
            return ()
        shares = self.shares
        totals = [entry(self.found.get(Key(about.name, ALL, None, column), NO_NUMBER), about) for column in columns]
        if excess:
            totals = [_less(one, shares[c], about) for one, c in zip(totals, columns, strict=True)]
        return (
            ("pool", tuple(number(shares[column]) for column in columns)),
            ("all", tuple(one.text for one in totals)),
        )

    def _nothing(self, cells: Sequence[Sequence[Cell]], about: Measure) -> str:
        if any(one.value is not None or one.bounds is not None for line in cells for one in line):
            return ""
        if not keys_of(self.found, about.name):
            return "not evaluated yet"
        return f"undefined {about.undefined}" if about.undefined else "undefined everywhere"

    def _title(self, about: Measure) -> str:
        words = {
            "asked": "by query language",
            "answered": "by passage language",
            "pairs": "query language down, passage language across",
        }[self.view.shape]
        label = "share@10 minus share of the pool" if self.view.name == EXCESS else about.label
        return f"{self._titled(label)}: {words}"

    def _titled(self, label: str) -> str:
        if self.differences is None:
            return f"{label} of {self.who} on {self.task.name}"
        return f"Difference in {label}, {self.who} minus {self.differences.against} on {self.task.name}"


_HEADLINES: dict[str, tuple[tuple[str, str, str], ...]] = {
    "rank": (("all", "own", ALL),),
    "exposure": (("own", "own", OWN), ("other", "own", OTHER)),
    "gold": (
        ("own − other", "single_gold.gap", ALL),
        ("own", "single_gold", OWN),
        ("other", "single_gold", OTHER),
    ),
    "places": (
        ("Kendall W", "kendall_w", ALL),
        ("Friedman χ²", "friedman_chi2", ALL),
        ("p", "friedman_p", ALL),
    ),
    "numbers": (("all", "own", ALL),),
}
"""By panel: label, measure (``own``: that of the view) and setting of the numbers over all languages."""


def _less(value: Entry, share: float, about: Measure) -> Entry:
    """Return a share of the list minus the share of the pool, which is the same in every draw of the interval."""
    if value.value is None:
        return value
    cell = value.cell
    value_, low, high = (None if end is None else end - share for end in (cell.value, cell.low, cell.high))
    return difference_entry(msgspec.structs.replace(cell, value=value_, low=low, high=high), about)


def _from(neutral: Sequence[float], cells: Sequence[Sequence[Cell]]) -> Shades:
    """Return how far values lie from the neutral one of their column."""
    return tuple(
        tuple(None if one.value is None else one.value - at for one, at in zip(line, neutral, strict=True))
        for line in cells
    )


def _logarithms(cells: Sequence[Sequence[Cell]]) -> Shades:
    """Return log2 of ratios, so that twice and half are as far from 1; what is further than eight times is cut."""
    most = 2**FURTHEST
    return tuple(
        tuple(None if one.value is None else math.log2(min(max(one.value, 1 / most), most)) for one in line)
        for line in cells
    )
