"""What of a run is exported: an encoder, a task and a pool, each named or the only one, under the ids outside."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import polars as pl

from xlbias.choices import listed, suggestion
from xlbias.data.outside_ids import outside_query_id
from xlbias.errors import RunError
from xlbias.results.run import Run
from xlbias.runs.schema import MULTILINGUAL_POOL


@dataclass(frozen=True)
class Chosen:
    """Rankings of one encoder on one task in one pool."""

    run: Run
    encoder: str
    task: str
    pool: str

    @classmethod
    def of(cls, run: Run, encoder: str | None, task: str | None, pool: str = MULTILINGUAL_POOL) -> Chosen:
        """Return the rankings asked for; None is the only encoder or task. Raises RunError where one is not there."""
        encoder, task = run.only("model", encoder), run.only("task", task)
        check_pool(pool, run.pool_sizes[task], str(run.path))
        return cls(run, encoder, task, pool)

    @cached_property
    def rankings(self) -> pl.LazyFrame:
        """The `ranking` rows, in the run's order."""
        wanted = (pl.col("model") == self.encoder) & (pl.col("task") == self.task) & (pl.col("pool") == self.pool)
        return self.run.rankings.filter(wanted)

    def lists(self, column: str) -> pl.DataFrame:
        """Return the items of a column of lists end to end, with ``query``, the id of the query outside, first."""
        rows = self.rankings.select("query_id", "query_language", column).collect()
        named = rows.join(
            queries_outside(self.run, self.task), on=["query_id", "query_language"], maintain_order="left"
        )
        items = named.select("query", column).explode(column, empty_as_null=False, keep_nulls=False)
        return items.unnest(column)


def check_pool(pool: str, sizes: dict[str, int], where: str) -> None:
    """Raise RunError unless a task with pools of these `sizes` has the pool."""
    known = [MULTILINGUAL_POOL, *sorted(sizes)]
    if pool not in known:
        raise RunError(f"{where}: no pool {pool!r}{suggestion(pool, known)}; choose from {listed(known)}")


def queries_outside(run: Run, task: str) -> pl.DataFrame:
    """Return ``query_id, query_language, query`` of a task of a run: what each query is called outside."""
    queries = run.queries.filter(pl.col("task") == task).select("query_id", "language").collect()
    return queries.select("query_id", pl.col("language").alias("query_language"), query=outside_query_id(queries))
