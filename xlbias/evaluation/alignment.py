"""The parallel texts of a task: which queries and which passages are translations of one another."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from itertools import combinations

import numpy as np
import polars as pl

from xlbias.data.task import RetrievalTask
from xlbias.encode.similarity import Vectors
from xlbias.encode.vector_rows import HeldRows, VectorRows
from xlbias.measures.alignment.audit import Rows, alignment_rows
from xlbias.measures.alignment.parallel import ParallelVectors
from xlbias.measures.alignment.similarity import Reads
from xlbias.progress import Piece
from xlbias.results.per_query import Aggregate, Key
from xlbias.results.summary import SummaryRow, aggregated, measures_together, replicates_for, seconds_of
from xlbias.stats.bootstrap import bootstrap_intervals

KeepFrame = Callable[[str, Piece[pl.DataFrame]], pl.DataFrame]

MOST_PASSAGES = 1 << 18
"""Parallel passages whose vectors are taken at most: intervals over so many are narrower than a printed digit."""

_WORTH_COMPILING = 1 << 25
"""Similarities of language pairs from which on compiled code reads them: by NumPy they take half a second."""

_PER_ID = 5  # measures that have values per id, about: only for what time they take


def parallel_passages(task: RetrievalTask, passages: pl.DataFrame) -> pl.DataFrame:
    """Return ``id, language, row``: passages that are translations of one another share an id, one in a language.

    The id is their `parallel_id`, or the query they answer where it has one relevant passage in each language. A
    passage has one id, as its own copy would be its rival: of several queries that it answers, that with the most
    answers, and of these the first, by id; the other queries keep what is left. `row` is the position in `passages`.
    """
    rows = passages.select("passage_id", "language", "parallel_id").with_row_index("row")
    known = rows.drop_nulls("parallel_id").select(pl.col("parallel_id").alias("id"), "language", "row")
    of_query = (
        task.qrels.join(rows.filter(pl.col("parallel_id").is_null()), on="passage_id")
        .with_columns(
            pl.struct("query_id", "language").is_duplicated().any().over("query_id").alias("several"),
            pl.len().over("query_id").alias("answers"),
        )
        .filter(~pl.col("several"))
    )
    unknown = (
        of_query.sort("answers", "query_id", "row", descending=[True, False, False])
        .unique("row", keep="first", maintain_order=True)
        .select(pl.col("query_id").alias("id"), "language", "row")
    )
    found = pl.concat([known, unknown]).unique(["id", "language"], keep="first", maintain_order=True)
    return found.filter(pl.len().over("id") > 1)


def alignments(
    task: RetrievalTask,
    passages: pl.DataFrame,
    passage_vectors: Vectors | VectorRows,
    query_vectors: Vectors,
    do: Callable[[str, Piece[Rows]], Rows] = lambda _, piece: piece.make(),
    keep: KeepFrame = lambda _, piece: piece.make(),
    together: Callable[[str, ParallelVectors, list[Piece[Rows]]], Iterable[Piece[Rows]]] = lambda _, __, found: found,
) -> tuple[list[SummaryRow], pl.DataFrame]:
    """Return the alignment of a task's parallel passages and queries.

    Args:
        task: the task; its queries are parallel by their ids.
        passages: its passages, in the order of their vectors.
        passage_vectors: float32 [n_passages, d]; of more than `MOST_PASSAGES` parallel ones, those of a seeded sample
            of ids are taken.
        query_vectors: float32 [n_queries, d].
        do: makes a piece of the work of a side, ``passages`` or ``queries``, or finds that it was made before.
        keep: the same for a piece of its intervals.
        together: gives the pieces of a side in their order, some of them made already, in other processes.

    Returns rows of a summary, measures named ``passages.NAME`` and ``queries.NAME``, and a frame ``measure, query_id,
    value`` of the ids' own values, for those that `query_id` names: comparisons of two encoders are made with them.
    """
    chosen = sampled(parallel_passages(task, passages))
    rows_of = HeldRows(passage_vectors) if isinstance(passage_vectors, np.ndarray) else passage_vectors
    groups = (
        ("passages", chosen["id"], chosen["language"], rows_of.gather(chosen["row"].to_numpy())),
        ("queries", task.queries["query_id"], task.queries["language"], query_vectors),
    )
    rows: list[SummaryRow] = []
    frames = [pl.DataFrame(schema={"measure": pl.String, "query_id": pl.String, "value": pl.Float64})]
    for side, ids, languages, vectors in groups:
        if not len(vectors):
            continue
        parallel = ParallelVectors.of(ids.to_list(), languages.to_list(), vectors)
        values = alignment_rows(
            parallel, do=partial(do, side), reads=reads_of(parallel), together=partial(together, side, parallel)
        )
        rows += _summary_rows(side, values, parallel, keep)
        names = np.asarray(parallel.ids, dtype=object)
        frames += [
            pl.DataFrame({"measure": f"{side}.{one.measure}", "query_id": names[one.ids].tolist(), "value": one.per_id})
            for one in values
            if one.language is None and one.per_id is not None and one.ids is not None
        ]
    return rows, pl.concat(frames)


def reads_of(parallel: ParallelVectors) -> Reads | None:
    """Return what makes and reads similarities, None for NumPy."""
    sizes = [len(vectors) for vectors in parallel.vectors.values()]
    if sum(a * b for a, b in combinations(sizes, 2)) < _WORTH_COMPILING:
        return None
    from xlbias.retrieve.similarities import Compiled  # compiles, the first time for seconds

    return Compiled()


def sampled(parallel: pl.DataFrame, seed: int = 0) -> pl.DataFrame:
    """Return parallel passages as they are, or those of a seeded sample of ids where there are too many to be held."""
    if parallel.height <= MOST_PASSAGES:
        return parallel
    ids = parallel["id"].unique().sort()
    n = max(2, len(ids) * MOST_PASSAGES // parallel.height)
    kept = np.random.default_rng(seed).permutation(len(ids))[:n]
    return parallel.join(ids.gather(kept).to_frame(), on="id", how="semi", maintain_order="left")


def intervals_seconds(n_ids: int, n_languages: int) -> float:
    """Return about how long the intervals of the alignment of one side take."""
    n_cells = n_languages**2
    together = measures_together(n_ids, n_cells)
    return math.ceil(_PER_ID / together) * seconds_of(n_ids, n_cells, together)


def _interval_pieces(values: Rows, n_ids: int) -> Iterator[Piece[pl.DataFrame]]:
    """Yield the parts of the work of the intervals, ``measure, language, other, low, high``: some measures each.

    Of measures with values per id, with the mean over their pairs or languages.
    """
    cells: dict[str, Rows] = {}
    for one in values:
        if one.language is not None and one.per_id is not None:
            cells.setdefault(one.measure, []).append(one)
    names, n_cells = list(cells), max(map(len, cells.values()), default=0)
    together = measures_together(n_ids, n_cells)
    for start in range(0, len(names), together):
        group = names[start : start + together]
        rows = [cells[name] for name in group]
        seconds = seconds_of(n_ids, n_cells, len(group))
        make = partial(_intervals, rows, n_ids, replicates_for(n_ids, n_cells))
        yield Piece("intervals-" + "-".join(group), "intervals", seconds, make)


def _intervals(of_measures: Sequence[Rows], n_ids: int, replicates: int) -> pl.DataFrame:
    cells = [one for rows in of_measures for one in rows]
    table = np.full((n_ids, len(cells)), np.nan)
    for column, one in enumerate(cells):
        table[one.ids, column] = one.per_id
    ends = np.cumsum([len(rows) for rows in of_measures])
    overall = [
        Aggregate(Key(rows[0].measure), tuple(range(end - len(rows), end)))
        for end, rows in zip(ends.tolist(), of_measures, strict=True)
    ]
    found = bootstrap_intervals(
        table,
        derive=lambda means: aggregated(means, overall),
        derived_from=[one.columns for one in overall],
        replicates=replicates,
    )
    keys = [(one.measure, one.language, one.other) for one in cells] + [
        (one.key.measure, None, None) for one in overall
    ]
    schema = {"measure": pl.String, "language": pl.String, "other": pl.String}
    return pl.DataFrame(keys, schema=schema, orient="row").with_columns(low=found.low, high=found.high)


def _summary_rows(side: str, values: Rows, parallel: ParallelVectors, keep: KeepFrame) -> list[SummaryRow]:
    """Return rows of a summary; a measure that is a mean over ids has an interval, as has its mean over pairs."""
    ends: dict[tuple[str, str | None, str | None], tuple[float, float]] = {}
    for piece in _interval_pieces(values, len(parallel.ids)):
        for measure, language, other, low, high in keep(side, piece).iter_rows():
            ends[measure, language, other] = low, high
    rows, nan = [], float("nan")
    for one in values:
        key = Key(f"{side}.{one.measure}", None, one.language, one.other)
        low, high = ends.get((one.measure, one.language, one.other), (nan, nan))
        defined = int(np.isfinite(one.value))
        n, left_out = (one.n, 0) if defined else (0, one.n)
        n_own = n if one.ids is not None else 0
        of_texts = one.measure == "uniformity" and one.language is None
        left_out += len(parallel.excluded) if of_texts else parallel.n_excluded(one.language, one.other)
        rows.append(SummaryRow(key, one.value, low, high, None, n, n, n_own, defined, 1 - defined, left_out))
    return rows
