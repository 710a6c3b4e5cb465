"""Which rankings a stored summary was made from: a digest of their content, kept in every row of the summary.

A file that xlbias has written whole and that has not changed since needs no look at it: its checksums say so. Of a file
that another tool has written, the rankings are read and compared with what the summary says that it was made from.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

import numpy as np
import polars as pl

from xlbias.results.per_query import RANKED

COLUMN = "made_from"
"""The column of a `summary` record that holds the digest."""

BOUND = (*RANKED, "ap", "first_rank", "last_rank")
"""The columns of `ranking` rows that it is made of: what numbers are made of, and what is shown beside them."""


_PIECE = 1 << 16  # texts joined at a time


def digest_of(rankings: pl.DataFrame) -> str:
    """Return a digest of the content of `ranking` rows of one model and task, with the columns BOUND, in their order.

    It is the same however the rows are cut into parts and files.
    """
    hasher = hashlib.blake2b(digest_size=16)
    for name in BOUND:
        if name == "known_to" and rankings[name].null_count() == rankings.height:
            continue  # as if there were no such column: digests are those of versions before it
        for piece in _bytes(rankings[name]):
            hasher.update(piece)
    return hasher.hexdigest()


def _bytes(column: pl.Series) -> Iterator[bytes]:
    """Yield the content of a column: which are null, then lengths and values, or values, of those that are not."""
    yield np.packbits(column.is_null().to_numpy()).tobytes()
    if isinstance(column.dtype, pl.List):
        yield column.list.len().fill_null(0).cast(pl.UInt32).to_numpy().tobytes()
        yield from _bytes(column.explode(empty_as_null=False, keep_nulls=False))
    elif isinstance(column.dtype, pl.Struct):
        for field in column.struct.fields:
            yield from _bytes(column.struct.field(field))
    elif column.dtype == pl.String:
        yield column.fill_null("").str.len_bytes().cast(pl.UInt32).to_numpy().tobytes()
        for start in range(0, len(column), _PIECE):
            yield column[start : start + _PIECE].str.join("").item().encode()
    elif column.dtype != pl.Null:
        yield column.fill_null(0).to_numpy().tobytes()
