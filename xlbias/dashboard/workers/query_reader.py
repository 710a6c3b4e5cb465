"""Which query is to be read, of which run, and in which language; and what has been read last."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TypeAlias

import polars as pl

from xlbias.errors import reason_of
from xlbias.results.matching import OTHER_DATA
from xlbias.runs.schema import MULTILINGUAL_POOL
from xlbias.text import one_line

if TYPE_CHECKING:
    from xlbias.dashboard.workers.snapshot import QueryKey
    from xlbias.results.queries.query import QueryView
    from xlbias.results.queries.translations import Translation
    from xlbias.results.run import Run

    Found: TypeAlias = "QueryView | Translated | str"

_MOST = 24
_MOST_CHARACTERS = 20_000_000
_LEAST = 6  # the query, both beside it, and all in the baseline: what is wanted at once never pushes itself out


class Readable(Protocol):
    """What can be read in a thread: a query, or translations of its passages."""

    @property
    def key(self) -> tuple[object, ...]:
        """What is read, whatever the run's state."""

    @property
    def version(self) -> tuple[object, ...]:
        """Changes when there may be more to read."""

    def read(self) -> Found:
        """Read it, or say in a sentence why that cannot be."""


@dataclass(frozen=True, eq=False)
class Wanted:
    """One query of one encoder of a run, as the run is now."""

    run: Run
    model: str
    task: str
    query: QueryKey

    @property
    def key(self) -> tuple[object, ...]:
        """What is read, whatever the run's state."""
        return (str(self.run.path), self.model, self.task, *self.query)

    @property
    def version(self) -> tuple[object, ...]:
        """Changes when there may be more to read: in a run in progress, with the cells of this encoder and task."""
        if self.run.state.status == "finished":
            return self.run.state.version
        here = (pl.col("model") == self.model) & (pl.col("task") == self.task)
        return (self.run.metadata.get("run_id"), self.run.cells.filter(here).height)

    def read(self) -> QueryView | str:
        """Read it, or say in a sentence why that cannot be."""
        from xlbias.results.queries.query import query_view

        try:
            return query_view(self.run, self.model, self.task, *self.query)
        except (Exception, pl.exceptions.PanicException) as error:  # whatever a file that changes does to its readers
            return f"This query cannot be read: {reason_of(error)}"


@dataclass(frozen=True)
class Translated:
    """Passages of a query in a language that the user reads.

    Attributes:
        language: that language.
        found: what the run tells of each passage that is in another one, by passage id.
    """

    language: str
    found: Mapping[str, Translation]

    @property
    def n_characters(self) -> int:
        """Length of all texts."""
        return sum(len(one.text or "") for one in self.found.values())


class Pairs:
    """Which passages answer which query, of the task that was read last."""

    def __init__(self) -> None:
        self._of: tuple[object, ...] = ()
        self._pairs = pl.DataFrame()

    def of(self, wanted: Wanted) -> pl.DataFrame:
        """Return those of the task of a query; read once for each encoder and task, as the run is now."""
        from xlbias.results.queries.translations import answers

        of = (*wanted.key[:3], wanted.version)
        if of != self._of:
            self._pairs = answers(wanted.run, wanted.model, wanted.task)
            self._of = of
        return self._pairs


@dataclass(frozen=True, eq=False)
class WantedTranslations:
    """The passages of a query that is shown, in a language.

    Attributes:
        of: the query.
        passages: languages of its passages by their ids.
        language: the language that is read.
        pairs: remembers what answers which query.
    """

    of: Wanted
    passages: Mapping[str, str]
    language: str
    pairs: Pairs

    @property
    def key(self) -> tuple[object, ...]:
        """What is read, whatever the run's state."""
        return (*self.of.key, "in", self.language)

    @property
    def version(self) -> tuple[object, ...]:
        """Changes with the query."""
        return (*self.of.version, len(self.passages))

    def read(self) -> Translated | str:
        """Read them, or say in a sentence why that cannot be."""
        from xlbias.results.queries.translations import translations

        try:
            pairs = self.pairs.of(self.of)
            return Translated(
                self.language, translations(self.of.run, self.of.task, pairs, self.passages, self.language)
            )
        except (Exception, pl.exceptions.PanicException) as error:  # whatever a file that changes does to its readers
            return f"Translations cannot be read: {reason_of(error)}"


class Views:
    """What was read last, by what was wanted."""

    def __init__(self, most: int = _MOST, most_characters: int = _MOST_CHARACTERS) -> None:
        self._most, self._most_characters = most, most_characters
        self._cache: OrderedDict[tuple[object, ...], tuple[tuple[object, ...], QueryView | Translated | str]] = (
            OrderedDict()
        )

    def get(self, wanted: Readable) -> tuple[Found | None, bool]:
        """Return what was read, None if nothing was, and whether it is as new as the run."""
        version, view = self._cache.get(wanted.key, (None, None))
        if view is not None:
            self._cache.move_to_end(wanted.key)
        return view, version == wanted.version

    def put(self, wanted: Readable, version: tuple[object, ...], view: Found) -> None:
        """Keep a view, and let the oldest ones go; one that says nothing new stays the same object."""
        before = self._cache.get(wanted.key)
        self._cache[wanted.key] = (version, before[1] if before is not None and before[1] == view else view)
        self._cache.move_to_end(wanted.key)
        while len(self._cache) > _LEAST and (
            len(self._cache) > self._most or self.n_characters > self._most_characters
        ):
            self._cache.popitem(last=False)

    @property
    def n_characters(self) -> int:
        """Length of all texts that are kept."""
        return sum(0 if isinstance(view, str) else view.n_characters for _, view in self._cache.values())

    def __len__(self) -> int:
        return len(self._cache)


def valid_query(saved: object, run: Run, task: str) -> QueryKey | None:
    """Return the query that was looked at the last time, None unless the task has its languages."""
    if not (isinstance(saved, list) and len(saved) == 3 and all(isinstance(part, str) for part in saved)):
        return None
    query_id, language, pool = saved
    about = run.task(task)
    there = about is not None and language in about.n_queries and pool in {*about.pool_sizes, MULTILINGUAL_POOL}
    return (query_id, language, pool) if there else None


def why_not_comparable(run: Run, other: Run, task: str, label: str) -> str:
    """Return why a query of one run says nothing about the other; empty where it does."""
    mine, theirs = (r.task(task) for r in (run, other))
    other_data = any(entry.name == task + OTHER_DATA for entry in other.tasks)
    if theirs is None and not other_data:
        return f"{label} has not been evaluated on {one_line(task, 40)}"
    if other_data or (mine is not None and theirs and mine.fingerprint != theirs.fingerprint):
        return f"{label} was evaluated on other texts under this name: not compared"
    return ""
