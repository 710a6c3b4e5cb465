"""Single queries of one encoder on one task: the rows that a filter leaves, in compact types, and their texts."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from functools import cached_property

import polars as pl

from xlbias.errors import UsageError
from xlbias.folding import folded, folded_texts
from xlbias.results.matching import OTHER_DATA
from xlbias.results.queries.filter import EXACT, MULTI, NUMBERS, Filter, Term
from xlbias.results.run_numbers import RunNumbers
from xlbias.runs.run_info import TaskInfo
from xlbias.runs.schema import MULTILINGUAL_POOL
from xlbias.text import one_line

QUERY_KEY = ("query_id", "query_language", "pool")
"""The columns that name a row."""

SORTABLE = ("query_language", "pool", "ap", "delta", "first_rank", "last_rank", "n_relevant")

_CODE = sum(
    (
        pl.col(name).to_physical().cast(pl.UInt64) * factor
        for name, factor in zip(QUERY_KEY, (2**32, 2**16, 1), strict=True)
    ),
    start=pl.lit(0, pl.UInt64),
).alias("code")
"""The key as one number: quick to join by. Categories are the same in all frames of a process."""

_COLUMN_OF = {"ap": "ap", "rank": "first_rank", "last": "last_rank", "n": "n_relevant", "delta": "delta"}


# -- what a filter asks of a run -------------------------------------------------------------------------------------


def languages_of(task: TaskInfo) -> tuple[list[str], list[str]]:
    """Return the query languages and the passage languages of a task's entry in a run's metadata."""
    return sorted(task.n_queries), sorted(task.pool_sizes)


def check_filter(filter: Filter, run: RunNumbers, chosen: tuple[str, str]) -> tuple[str, str]:
    """Return the model and task that a filter is about: those it names, else `chosen`.

    Raises UsageError where it names a model, a task or a language that the run does not have.
    """
    model, task = chosen
    for term in filter.about("model"):
        model = _the_one("encoder", term.values[0], [entry.name for entry in run.models])
    for term in filter.about("task"):
        task = _the_one("task", term.values[0], [entry.name for entry in run.tasks])
    queries, passages = languages_of(next(entry for entry in run.tasks if entry.name == task))
    for term in filter.about("q", "d"):
        known = queries if term.name == "q" else [*passages, MULTI]
        missing = set(term.values) - {code.casefold() for code in known}
        if missing:
            what = "queries" if term.name == "q" else "passages"
            shown = ", ".join(one_line(code, 12) for code in known)
            raise UsageError(f"{one_line(task, 40)} has no {what} in {one_line(min(missing), 12)!r}: it has {shown}")
    return model, task


def _the_one(kind: str, asked: str, names: list[str]) -> str:
    """Return the name that is `asked`, or the only one that contains it."""
    if asked in names:
        return asked
    found = [name for name in names if folded(asked) in folded(name)]
    if len(found) == 1:
        return found[0]
    some = ", ".join(one_line(name, 30) for name in (found or names)[:4])
    more = f" and {len(found or names) - 4} more" if len(found or names) > 4 else ""
    said = f"several {kind}s contain" if found else f"no {kind} is called"
    raise UsageError(f"{said} {one_line(asked, 30)!r}: choose from {some}{more}")


def not_comparable(base: Sequence[TaskInfo], new: Sequence[TaskInfo], task: str) -> str:
    """Why two runs' rows of a task cannot be compared, empty where they can.

    The tasks of the base have the names that they have in the new run, see `xlbias.results.matching`.
    """
    if any(entry.name == task + OTHER_DATA for entry in base):
        return "was evaluated on another task of this name"
    entries = [next((entry for entry in tasks if entry.name == task), None) for tasks in (base, new)]
    if entries[0] is None or entries[1] is None:
        return "has not been evaluated on this task"
    same = entries[0].fingerprint == entries[1].fingerprint
    return "" if same else "was evaluated on another task of this name"


def corrected_p(comparison: pl.DataFrame) -> tuple[tuple[str, str, float | None], ...]:
    """Return ``query language, pool, p`` of the differences in mAP of all cells, corrected p.

    Args:
        comparison: what `xlbias.results.compare.compare` gives.
    """
    cells = comparison.filter((pl.col("measure") == "map") & pl.col("query_language").is_not_null())
    rows = cells.select("query_language", pl.col("passage_language").fill_null(MULTILINGUAL_POOL), "p_corrected").rows()
    return tuple(rows)


# -- rows ------------------------------------------------------------------------------------------------------------


def query_rows(run: RunNumbers, model: str, task: str, cells: Collection[tuple[str, str]]) -> pl.DataFrame:
    """Return the rankings of some cells (query language, pool), in the order of the run.

    Columns: ``query_id, query_language, pool, n_relevant, ap, first_rank, last_rank``, names as categories, numbers in
    32 bits; ap and ranks are null for a query without a relevant passage in the pool.
    """
    numbers = ("n_relevant", pl.col("ap").cast(pl.Float32), "first_rank", "last_rank")
    return _of_cells(run, model, task, cells, numbers).collect(engine="streaming")


def queries_answered(
    run: RunNumbers, model: str, task: str, cells: Collection[tuple[str, str]], passages: pl.DataFrame
) -> pl.DataFrame:
    """Return the keys, typed as `query_rows` does, of the rankings in which one of some passages is relevant.

    Args:
        run: the run.
        model: of it.
        task: of it.
        cells: query languages and pools.
        passages: ``passage_id``.
    """
    names = pl.col("relevants").list.eval(pl.element().struct.field("passage_id")).alias("passage_id")
    rows = _of_cells(run, model, task, cells, (names,)).explode("passage_id")
    found = rows.join(passages.select("passage_id").unique().lazy(), on="passage_id", how="semi")
    return found.select(QUERY_KEY).unique().collect(engine="streaming")


def _of_cells(
    run: RunNumbers, model: str, task: str, cells: Collection[tuple[str, str]], more: Sequence[str | pl.Expr]
) -> pl.LazyFrame:
    """Return keys and more of the rankings of some cells."""
    queries, passages = languages_of(next(entry for entry in run.tasks if entry.name == task))
    language = pl.Enum([*dict.fromkeys([*queries, *passages]), MULTILINGUAL_POOL])
    asked, pools = ({cell[i] for cell in cells} for i in range(2))
    rows = run.rankings.filter(
        (pl.col("model") == model)
        & (pl.col("task") == task)
        & pl.col("query_language").is_in(list(asked))
        & pl.col("pool").is_in(list(pools))
    ).select(
        pl.col("query_id").cast(pl.Categorical), pl.col("query_language", "pool").cast(language, strict=False), *more
    )
    if len(cells) < len(asked) * len(pools):
        schema = {"query_language": language, "pool": language}
        wanted = pl.LazyFrame(list(cells), schema=schema, orient="row")
        rows = rows.join(wanted, on=["query_language", "pool"], how="semi", maintain_order="left")
    return rows


def with_differences(rows: pl.DataFrame, base: pl.DataFrame) -> pl.DataFrame:
    """Return `rows` with ``delta``: ap minus that of the same query, language and pool in `base`; null without one."""
    if rows.select(QUERY_KEY).equals(base.select(QUERY_KEY)):
        return rows.with_columns((rows["ap"] - base["ap"]).alias("delta"))
    language = rows.schema["pool"]
    other = base.with_columns(pl.col("query_language", "pool").cast(language, strict=False))
    found = rows.select(_CODE).join(
        other.select(_CODE, "ap").drop_nulls("code"), on="code", how="left", maintain_order="left"
    )
    return rows.with_columns((rows["ap"] - found["ap"]).alias("delta"))


Answered = Callable[[str], pl.DataFrame]
"""Returns the keys of the queries that have some words in a relevant passage, see `queries_answered`."""


def selected(rows: pl.DataFrame, filter: Filter, texts: Texts, answered: Answered | None = None) -> pl.DataFrame:
    """Return the rows that the terms about numbers, ids and texts leave, in the same order.

    Args:
        rows: as `query_rows` makes them.
        filter: the terms; those about cells have been fulfilled.
        texts: of the queries.
        answered: only needed for terms about passages.
    """
    for term in filter.without("q", "d", "set", "p", "model", "task").terms:
        if term.name in ("text", "passage", "any"):
            found = _with_words(rows, term, texts, answered)
            on = [name for name in QUERY_KEY if name in found.columns]
            rows = rows.join(found, on=on, how="anti" if term.negated else "semi", maintain_order="left")
        else:
            holds = _in_ids(rows, term) if term.name == "id" else _compared(rows, term)
            rows = rows.filter(~holds if term.negated else holds)
    return rows


def _with_words(rows: pl.DataFrame, term: Term, texts: Texts, answered: Answered | None) -> pl.DataFrame:
    """Return the keys of the queries that have some words in their text, in a relevant passage, or in any of these."""
    words = term.values[0]
    asked = texts.containing(words, rows.schema["query_language"]) if term.name != "passage" else pl.DataFrame()
    if term.name == "text":
        return asked
    assert answered is not None
    if term.name == "passage":
        return answered(words)
    return pl.concat([rows.select(QUERY_KEY).join(asked, on=asked.columns, how="semi"), answered(words)])


def _in_ids(rows: pl.DataFrame, term: Term) -> pl.Expr:
    ids = rows["query_id"].unique().cast(pl.String)
    wanted = term.values[0].casefold()
    found = ids.filter(ids.str.to_lowercase().str.contains(wanted, literal=True))
    return pl.col("query_id").is_in(found.cast(pl.Categorical).implode())


def _compared(rows: pl.DataFrame, term: Term) -> pl.Expr:
    """Return where a term about a number holds; numbers are compared in 32 bits, so that no rounding decides."""
    assert term.name in NUMBERS
    if term.name == "delta" and "delta" not in rows.columns:
        return pl.lit(False)
    value = 1 / pl.col("first_rank") if term.name == "rr" else pl.col(_COLUMN_OF[term.name])
    value, number = value.cast(pl.Float32), pl.lit(term.number, pl.Float64).cast(pl.Float32)
    holds = {
        "<": value < number,
        "<=": value <= number,
        ">": value > number,
        ">=": value >= number,
        "=": (value - number).abs() < EXACT,
    }[term.operator]
    return holds.fill_null(value=False)


def ordered(rows: pl.DataFrame, by: str | None, *, descending: bool) -> pl.DataFrame:
    """Return rows in the order of a column, what is null last; equal rows keep the order of the run."""
    if by is None or by not in rows.columns:
        return rows.reverse() if descending else rows
    return rows.sort(by, descending=descending, nulls_last=True, maintain_order=True)


# -- texts -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Texts:
    """The query texts of a task, found by language and id.

    Attributes:
        frame: ``query_id, language, text``, in the order of language and id.
    """

    frame: pl.DataFrame

    @classmethod
    def of(cls, run: RunNumbers, task: str) -> Texts:
        """Read the texts of a task; there are none in a run that was written without."""
        rows = run.queries.filter(pl.col("task") == task).select("query_id", "language", "text")
        return cls(rows.collect().sort("language", "query_id"))

    @cached_property
    def _places(self) -> dict[str, tuple[int, int]]:
        counts = self.frame["language"].rle().struct.unnest() if self.frame.height else None
        if counts is None:
            return {}
        starts = counts["len"].cum_sum() - counts["len"]
        return dict(zip(counts["value"], zip(starts, counts["len"], strict=True), strict=True))

    def text(self, query_id: str, language: str) -> str | None:
        """Return the text of a query in a language, None where the run has none."""
        start, length = self._places.get(language, (0, 0))
        ids = self.frame["query_id"].slice(start, length)
        place = bisect_left(ids, query_id)  # no query of Polars, whose threads may be busy with a reader's
        if place >= length or ids[place] != query_id:
            return None
        text: str | None = self.frame["text"][start + place]
        return text

    @cached_property
    def _folded(self) -> pl.Series:
        return folded_texts(self.frame["text"])

    def containing(self, words: str, language: pl.DataType) -> pl.DataFrame:
        """Return ``query_id, query_language`` of the texts that contain some words, typed as the rows are."""
        there = self._folded.str.contains(folded(words), literal=True).fill_null(value=False)
        return self.frame.filter(there).select(
            pl.col("query_id").cast(pl.Categorical),
            pl.col("language").cast(language, strict=False).alias("query_language"),
        )


@dataclass(frozen=True, eq=False)
class PassageTexts:
    """The passage texts of a task, as they are compared.

    Attributes:
        frame: ``passage_id, text``, texts folded.
    """

    frame: pl.DataFrame

    @classmethod
    def of(cls, run: RunNumbers, task: str) -> PassageTexts:
        """Read the texts of a task; there are none in a run that was written without."""
        rows = run.passages.filter(pl.col("task") == task).select("passage_id", "text").collect()
        return cls(rows.with_columns(folded_texts(rows["text"]).alias("text")))

    def containing(self, words: str) -> pl.DataFrame:
        """Return the rows whose texts contain some words."""
        return self.frame.filter(pl.col("text").str.contains(folded(words), literal=True))
