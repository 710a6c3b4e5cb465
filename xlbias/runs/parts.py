"""The parts that the rankings of an encoder on a task are written in, and the columns of lists in them."""

from __future__ import annotations

import hashlib
from collections.abc import Container, Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa

from xlbias.runs.journal import Journal

if TYPE_CHECKING:
    from xlbias.data.task import RetrievalTask

BLOCK = 2048
"""Queries per part at most. A part is what a killed evaluation repeats, and what a live dashboard sees at a time."""

TEXT_BLOCK = 65_536


def write_texts(journal: Journal, tasks: Sequence[RetrievalTask], queries_only: Container[int] = ()) -> None:
    """Write the texts of all tasks, once each; those that are there are not written again.

    Of the tasks at the positions `queries_only`, passages are left to others.
    """
    for t, task in enumerate(tasks):
        about = {"task": task.name, "domain": task.domain}
        for record, frame in (("query", task.queries), ("passage", task.passages)):
            if record == "passage" and t in queries_only:
                continue
            for b, start in enumerate(range(0, frame.height, TEXT_BLOCK)):
                key = f"{t:03d}-{b:05d}"
                if not journal.has(record, key):
                    journal.write(record, key, with_columns(frame[start : start + TEXT_BLOCK], about))


def query_blocks(task: RetrievalTask) -> list[npt.NDArray[np.int64]]:
    """Return the rows of `task.queries` of each part: one language at a time, in pieces of BLOCK."""
    blocks = []
    languages = task.queries["language"].to_numpy()
    for language in task.query_languages:
        rows = np.flatnonzero(languages == language)
        blocks += [rows[start : start + BLOCK] for start in range(0, len(rows), BLOCK)]
    return blocks


def block_key(model: str, task: int, block: int) -> str:
    """Return the key of the part with one block of queries of one encoder on one task."""
    return f"{slug(model)}-{task:03d}-{block:05d}"


def slug(model: str) -> str:
    """Return a part's name for an encoder: it does not depend on which others are named beside it."""
    return hashlib.sha256(model.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def with_columns(frame: pl.DataFrame, about: dict[str, str]) -> pl.DataFrame:
    """Return `frame` with model, task and domain in every row."""
    return frame.with_columns(pl.lit(value).alias(name) for name, value in about.items())


def task_key(model: str, task: int) -> str:
    """Return the key of a part about one encoder on one task."""
    return f"{slug(model)}-{task:03d}"


def list_column(name: str, values: pl.DataFrame, lengths: npt.NDArray[np.int64]) -> pl.Series:
    """Return a column of lists of structs: `values` cut into pieces of the given lengths."""
    offsets = np.concatenate([[0], np.cumsum(lengths)])  # by Polars below: pyarrow would import pandas for an array
    structs = values.to_struct().to_arrow()
    lists = pa.LargeListArray.from_arrays(pl.Series(offsets, dtype=pl.Int64).to_arrow(), structs)
    return pl.Series(name, lists)
