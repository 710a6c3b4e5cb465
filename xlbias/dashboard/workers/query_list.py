"""Lists the queries that a filter leaves, off the interface's thread; what has been read of the run is kept a while."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

import polars as pl

from xlbias.dashboard.workers.comparisons import Against
from xlbias.results.queries.filter import Filter
from xlbias.results.queries.query_rows import (
    PassageTexts,
    Texts,
    languages_of,
    ordered,
    queries_answered,
    query_rows,
    selected,
    with_differences,
)
from xlbias.results.queries.why_empty import why_nothing
from xlbias.results.run import Run

_MOST = 12
_MOST_BYTES = 400_000_000

_Made = TypeVar("_Made")


@dataclass(frozen=True)
class Wanted:
    """What is to be listed: queries of an encoder and task, those that a filter leaves, in an order.

    Attributes:
        against: what differences are taken from, None for no differences.
        p: corrected p of cells (query language, pool, p), for a filter that asks for it.
        by: the column that rows are ordered by, None for the order of the run.
    """

    run: Run
    model: str
    task: str
    filter: Filter
    against: Against | None = None
    p: tuple[tuple[str, str, float | None], ...] = ()
    by: str | None = "ap"
    descending: bool = False


@dataclass(frozen=True, eq=False)
class QueryListing:
    """The rows in their order.

    Attributes:
        wanted: what was asked for.
        frame: the rows, see `xlbias.results.queries.query_rows`; with ``delta`` where there is a baseline.
        n_rows: rows of the cells that were asked for, before the terms about single rows.
        n_scored: rows left that have an AP.
        mean_ap: their mean, None without any.
        texts: of the task.
        nothing: where no row is left, which term leaves none.
        seconds: that it took to put the rows in order, as it will in another one.
        n_censored: rows left whose AP has bounds only; then there is no mean.
    """

    wanted: Wanted
    frame: pl.DataFrame
    n_rows: int
    n_scored: int
    mean_ap: float | None
    texts: Texts
    nothing: str = ""
    seconds: float = 0.0
    n_censored: int = 0


class QueryListings:
    """Makes lists one at a time, and keeps what was read of the run for the next ones."""

    def __init__(self) -> None:
        self._turn = threading.Lock()
        self._cache: OrderedDict[tuple[Hashable, ...], Any] = OrderedDict()

    def of(self, wanted: Wanted, cancelled: Callable[[], bool] = lambda: False) -> QueryListing | None:
        """Return a list, None where it is no longer wanted."""
        with self._turn:
            runs = {wanted.run, *([wanted.against.run] if wanted.against else [])}
            for key in [key for key in self._cache if key[1] not in runs]:
                del self._cache[key]
            rows = None if cancelled() else self._rows(wanted)
            texts = None if cancelled() else self._texts(wanted)
            if rows is None or texts is None or cancelled():
                return None
            answered = partial(self._answered, wanted)
            left = selected(rows, wanted.filter, texts, answered)
            if cancelled():
                return None
            nothing = ""
            if left.is_empty():
                nothing = why_nothing(
                    wanted.filter, rows, lambda terms: selected(rows, Filter(tuple(terms)), texts, answered)
                )
            begun = time.perf_counter()
            frame = ordered(left, wanted.by, descending=wanted.descending)
            seconds = time.perf_counter() - begun
            mean = frame["ap"].cast(pl.Float64).mean()
            n_scored = frame.height - frame["ap"].null_count()
            n_censored = frame.filter(pl.col("ap").is_null() & (pl.col("n_relevant") > 0)).height
            mean_ap = mean if isinstance(mean, float) and not n_censored else None  # those known are not the others
            return QueryListing(wanted, frame, rows.height, n_scored, mean_ap, texts, nothing, seconds, n_censored)

    def _rows(self, wanted: Wanted) -> pl.DataFrame:
        """The rows of the cells that are asked for, with differences."""
        cells = _cells(wanted)
        rows = self._of_model(wanted.run, wanted.model, wanted.task, cells)
        against = wanted.against
        if against is None:
            return rows

        def compared() -> pl.DataFrame:
            return with_differences(rows, self._of_model(against.run, against.model, wanted.task, cells))

        key = ("compared", wanted.run, wanted.model, wanted.task, cells, against.run, against.model)
        return self._once(key, compared)

    def _of_model(self, run: Run, model: str, task: str, cells: frozenset[tuple[str, str]]) -> pl.DataFrame:
        key = ("rows", run, model, task, cells)
        return self._once(key, lambda: query_rows(run, model, task, cells))

    def _texts(self, wanted: Wanted) -> Texts:
        return self._once(("texts", wanted.run, wanted.task), lambda: Texts.of(wanted.run, wanted.task))

    def _answered(self, wanted: Wanted, words: str) -> pl.DataFrame:
        """Keys of the queries that have some words in a relevant passage; passages are read only for this."""
        run, model, task, cells = wanted.run, wanted.model, wanted.task, _cells(wanted)

        def found() -> pl.DataFrame:
            texts: PassageTexts = self._once(("passages", run, task), lambda: PassageTexts.of(run, task))
            return queries_answered(run, model, task, cells, texts.containing(words))

        return self._once(("answered", run, model, task, cells, words), found)

    def _once(self, key: tuple[Hashable, ...], make: Callable[[], _Made]) -> _Made:
        """Return what is kept under `key`, made now if it is not; what was used longest ago goes where it is much."""
        if key not in self._cache:
            self._cache[key] = make()
        self._cache.move_to_end(key)
        found: _Made = self._cache[key]
        while len(self._cache) > _MOST or sum(map(_size, self._cache.values())) > _MOST_BYTES:
            if next(iter(self._cache)) == key:
                break
            self._cache.popitem(last=False)
        return found


def _cells(wanted: Wanted) -> frozenset[tuple[str, str]]:
    """The cells that a filter asks for."""
    p = {(ql, pool): value for ql, pool, value in wanted.p}
    about = next(entry for entry in wanted.run.tasks if entry.name == wanted.task)
    return wanted.filter.cells(*languages_of(about), lambda ql, pool: p.get((ql, pool)))


def _size(made: object) -> int:
    frame = made.frame if isinstance(made, Texts | PassageTexts) else made
    return int(frame.estimated_size()) if isinstance(frame, pl.DataFrame) else 0
