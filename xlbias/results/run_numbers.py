"""The numbers of a run, from what is stored of it; every module that works on numbers takes these."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import polars as pl

from xlbias.measures.registry import measures
from xlbias.results import binding, wide
from xlbias.results.by_key import Numbers
from xlbias.results.per_query import RANKED
from xlbias.runs.checksums import verify
from xlbias.runs.run_file import RunFile


class RunNumbers(RunFile):
    """A run file with its numbers, each worked out when it is first asked for."""

    @cached_property
    def summary(self) -> pl.DataFrame:
        """Every number: ``model, task, domain`` and the columns of `xlbias.results.summary.SUMMARY_SCHEMA`.

        What a finished evaluation has stored, with intervals; for what is still being ranked, for runs of earlier
        versions, and where rankings have changed since, numbers without intervals, from the rankings there are.
        """
        stored = self.stored_summary.drop(binding.COLUMN)
        missing = self._without(stored)
        if not missing and not self.changed:
            return stored
        of_rankings = pl.col("measure").is_in([*measures("quality"), *measures("bias")])
        if self.changed:  # what no ranking says, such as the alignment of vectors, stays
            gone = stored.filter(of_rankings).join(_pairs(self.changed), on=["model", "task"], how="semi")
            stored = stored.join(gone, on=stored.columns, how="anti", nulls_equal=True, maintain_order="left")
        wanted = _pairs([*missing, *self.changed])
        # A filter, before the join: only so are the rankings of all others not read.
        asked = [pl.col(name).is_in(wanted[name].unique().to_list()) for name in ("model", "task")]
        rankings = self.rankings.select("model", "task", "domain", *RANKED).filter(*asked)
        found = rankings.join(wanted.lazy(), on=["model", "task"], how="semi").collect()
        return pl.concat([stored, wide.summary_of(found, self.pool_sizes)])

    def _without(self, stored: pl.DataFrame) -> list[tuple[str, str]]:
        """Return every encoder and task of the run of which there is no stored summary."""
        known = set(stored.select("model", "task").unique().iter_rows())
        return [(m.name, t.name) for m in self.models for t in self.tasks if (m.name, t.name) not in known]

    @cached_property
    def numbers(self) -> Numbers:
        """The same numbers, looked up by what they are."""
        return Numbers(self.summary)

    @cached_property
    def incomplete(self) -> frozenset[tuple[str, str]]:
        """Every encoder and task whose evaluation is not complete: what numbers it has are partial."""
        if self.state.status == "finished":
            return frozenset()
        return frozenset(self._without(self.stored_summary))

    @cached_property
    def changed(self) -> tuple[tuple[str, str], ...]:
        """Model and task whose rankings are not those that their stored summary was made from.

        Runs of schema 1 do not say what theirs was made from, and are believed.
        """
        if self.metadata["schema"] < 2 or all(verify(file, ()) for file in self.files):
            return ()
        rows = self.stored_summary.group_by("model", "task", maintain_order=True)
        stored = rows.agg(pl.col(binding.COLUMN).unique()).iter_rows()
        return tuple((model, task) for model, task, digests in stored if digests != [self.digest(model, task)])

    def digest(self, model: str, task: str) -> str:
        """Return the digest of the rankings of an encoder on a task, see `xlbias.results.binding`."""
        chosen = (pl.col("model") == model) & (pl.col("task") == task)
        return binding.digest_of(self.rankings.filter(chosen).select(binding.BOUND).collect())

    @cached_property
    def cells(self) -> pl.DataFrame:
        """One row per model, task, query language and pool: ``n``, ``n_excluded`` and the mean of every measure."""
        return wide.cells(self.summary)

    @cached_property
    def settings(self) -> pl.DataFrame:
        """One row per model, task and setting: macro and query-weighted averages over cells, with their counts."""
        return wide.settings(self.summary)

    @cached_property
    def rank_distances(self) -> pl.DataFrame:
        """Rank distance per query: ``model, task, domain, query_language, query_id, rank_distance, normalised``."""
        return wide.rank_distances(self.rankings.collect(), self.pool_sizes)

    def forget(self) -> None:
        """Let go of the numbers that have been read; they are read again when they are next asked for."""
        for name in ("summary", "stored_summary", "cells", "settings", "rank_distances"):
            self.__dict__.pop(name, None)

    def bias(self) -> pl.DataFrame:
        """Rank distance per model, task and query language: ``mean, median, normalised, n, n_excluded``."""
        return wide.rank_distance_by_language(self.summary)


def bound_summary(run: RunNumbers) -> pl.DataFrame:
    """Return the summary of a run with the digests of the rankings that its rows are of, in `binding.COLUMN`."""
    pairs = run.summary.select("model", "task").unique(maintain_order=True)
    digests = [run.digest(*pair) for pair in pairs.iter_rows()]
    bound = pairs.with_columns(pl.Series(binding.COLUMN, digests, dtype=pl.String))
    return run.summary.join(bound, on=["model", "task"], how="left", maintain_order="left")


def _pairs(pairs: Sequence[tuple[str, str]]) -> pl.DataFrame:
    return pl.DataFrame(pairs, schema={"model": pl.String, "task": pl.String}, orient="row")
