"""TREC's two formats: runs (``query Q0 passage rank score tag``) and qrels (``query 0 passage relevance``)."""

from __future__ import annotations

import gzip
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, cast

import numpy as np
import numpy.typing as npt
import polars as pl

from xlbias.data.outside_ids import outside_query_id
from xlbias.data.task import RetrievalTask
from xlbias.errors import RunError
from xlbias.export.chosen import Chosen, check_pool
from xlbias.files import writing
from xlbias.results.run import Run
from xlbias.runs.schema import MULTILINGUAL_POOL
from xlbias.text import clean

_BREAKS_A_LINE = r"[\s\x00-\x1f\x7f-\x9f]"
_SIGN = np.int64(1) << 31


@dataclass(frozen=True)
class WrittenRun:
    """What a TREC run holds: how many queries, and passages of each at most."""

    n_queries: int
    depth: int


def export_run(
    run: Run,
    out: str | Path,
    *,
    encoder: str | None = None,
    task: str | None = None,
    pool: str = MULTILINGUAL_POOL,
) -> WrittenRun:
    """Write the first passages that a run keeps of each ranking as a TREC run, gzipped if `out` ends in ``.gz``.

    Args:
        run: the run; it keeps as many passages of a ranking as `evaluate` was told by `top_k`.
        out: the file.
        encoder: whose rankings; it may be left out where there is one only.
        task: of which task; likewise.
        pool: in which pool: a language, or ``multilingual`` for all passages.

    Scores fall from line to line: those that tie are lowered to the next number of 32 bits, so that every tool orders
    the passages as the run does, whatever it does with ties. Raises RunError where the run keeps no passages of that
    pool, or an id holds white space; WriteError if `out` cannot be written.
    """
    chosen = Chosen.of(run, encoder, task, pool)
    top = chosen.lists("top")
    if top.is_empty():
        raise RunError(
            f"{run.path}: it keeps no passages of the rankings of {chosen.encoder!r} on {chosen.task!r} in the pool "
            f"{pool!r}: evaluate with --top-k 100 --top-of all, or choose the multilingual pool"
        )
    _check_ids(run.path, top, "passage_id")
    tag = re.sub(_BREAKS_A_LINE, "_", clean(chosen.encoder)) or "xlbias"
    rank = pl.int_range(1, pl.len() + 1).over("query")
    falling = pl.Series("score", _falling(top["query"], top["score"])).cast(pl.String)
    lines = top.select("query", pl.lit("Q0"), "passage_id", rank.alias("rank"), falling, pl.lit(tag).alias("tag"))
    _write(Path(out), lines)
    return WrittenRun(top["query"].n_unique(), int(lines["rank"].max()))  # type: ignore[arg-type]  # it has rows


def export_qrels(
    source: Run | RetrievalTask, out: str | Path, *, task: str | None = None, pool: str = MULTILINGUAL_POOL
) -> int:
    """Write which passages are relevant as TREC qrels, gzipped if `out` ends in ``.gz``; return how many lines.

    Args:
        source: a run, which knows the relevant passages, or a task, which also knows those judged not relevant (0).
        out: the file.
        task: of a run, which task; it may be left out where there is one only.
        pool: only passages of this pool: a language, or ``multilingual`` for all.

    Ids are those of `export_run`. Passages that a query leaves out of its pools are left out. Raises RunError for a
    pool or a task that is not there, where nothing is relevant, or an id that holds white space; WriteError if `out`
    cannot be written.
    """
    if isinstance(source, RetrievalTask):
        where, judged = source.name, _judged_in_task(source, pool)
    else:
        where, judged = str(source.path), _judged_in_run(source, task, pool)
    if not (judged["relevance"] > 0).any():
        raise RunError(f"{where}: no query has a relevant passage in the pool {pool!r}")
    judged = judged.sort("query", "passage_id")
    _check_ids(where, judged, "passage_id")
    _write(Path(out), judged.select("query", pl.lit("0").alias("iteration"), "passage_id", "relevance"))
    return judged.height


def _judged_in_run(run: Run, task: str | None, pool: str) -> pl.DataFrame:
    first = run.models[0].name if run.models else None
    chosen = Chosen.of(run, first, task, pool)
    return chosen.lists("relevants").select("query", "passage_id", "relevance")


def _judged_in_task(task: RetrievalTask, pool: str) -> pl.DataFrame:
    check_pool(pool, task.pool_sizes, task.name)
    judged = pl.concat([task.qrels, task.negatives.with_columns(relevance=pl.lit(0, dtype=pl.Int32))])
    if pool != MULTILINGUAL_POOL:
        judged = judged.join(task.passages.filter(pl.col("language") == pool), on="passage_id", how="semi")
    queries = task.queries.select("query_id", "language", query=outside_query_id(task.queries))
    pairs = queries.join(judged, on="query_id").join(
        task.excluded, on=["query_id", "language", "passage_id"], how="anti"
    )
    return pairs.select("query", "passage_id", "relevance")


def _falling(query: pl.Series, score: pl.Series) -> npt.NDArray[np.float32]:
    """Return scores that fall within each query, float32: as they are where they do, else the next lower number.

    A float of 32 bits is taken as a whole number in its order, so that the next lower number is one less.
    """
    bits = score.cast(pl.Float32).fill_null(0.0).to_numpy().astype(np.float32).view(np.int32).astype(np.int64)
    numbers = np.where(bits < 0, -(bits + _SIGN), bits)  # -0 is 0
    place = pl.int_range(pl.len()).over("query")
    least = (pl.col("number") + place).cum_min().over("query") - place
    falling = pl.DataFrame({"query": query, "number": numbers}).select(least).to_series().to_numpy()
    return np.where(falling < 0, -falling - _SIGN, falling).astype(np.int32).view(np.float32)


def _check_ids(where: str | Path, lines: pl.DataFrame, passage: str) -> None:
    """Raise RunError if an id holds white space, at which TREC's files are split."""
    for what, column in (("query", "query"), ("passage", passage)):
        broken = lines.filter(pl.col(column).str.contains(_BREAKS_A_LINE) | (pl.col(column) == ""))
        if not broken.is_empty():
            raise RunError(
                f"{where}: the {what} id {broken[column][0]!r} holds white space, which TREC files cannot hold: write "
                "the task with `xlbias data convert --format beir`, or give it ids without"
            )


def _write(out: Path, lines: pl.DataFrame) -> None:
    with compressed(out) as file:
        file.write(lines.write_csv(include_header=False, separator=" ", quote_style="never").encode())


@contextmanager
def compressed(out: Path) -> Iterator[IO[bytes]]:
    """Open a file to write whole, gzipped by its name; the same content gives the same bytes."""
    with writing(out) as raw:
        if out.suffix != ".gz":
            yield raw
            return
        with gzip.GzipFile("", "wb", fileobj=raw, mtime=0) as packed:
            yield cast(IO[bytes], packed)
