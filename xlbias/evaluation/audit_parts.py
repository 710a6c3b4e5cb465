"""Pieces of an audit that are kept while it is made: a killed evaluation goes on after the last one finished.

A piece is a file of its own in the journal, removed when the audit it belongs to is written. One that is damaged or
from another version is made again.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from xlbias._version import __version__
from xlbias.caches import read_checked, write_checked
from xlbias.measures.alignment.audit import AlignmentValue, Rows
from xlbias.progress import Piece, Stage

_SCHEMA: dict[str, pl.DataType] = {
    "measure": pl.String(),
    "language": pl.String(),
    "other": pl.String(),
    "value": pl.Float64(),
    "n": pl.Int64(),
    "per_id": pl.List(pl.Float64()),
    "ids": pl.List(pl.Int64()),
}


class Pieces:
    """Makes the pieces of one audit, or finds them in a folder, and says how far it is.

    Args:
        folder: where they are kept.
        stage: the step of the course that the audit is.
        label: what the audit is called.
        seconds: about how long all pieces take.
    """

    def __init__(self, folder: Path, stage: Stage, label: str, seconds: float) -> None:
        self._folder, self._stage, self._label = folder, stage, label
        self._seconds, self._done = seconds, 0.0

    def has(self, of: str, piece: Piece[Any]) -> bool:
        """Return whether a piece has been made before; `of` as for `rows`."""
        return read_checked(self._path(of, piece.name), __version__) is not None

    def rows(self, side: str, piece: Piece[Rows]) -> Rows:
        """Return the rows of a piece of one side, ``passages`` or ``queries``."""
        label = f"{piece.label} of {side}"
        return _rows(self._kept(side, piece.name, label, piece.seconds, lambda: _table(piece.make())))

    def frame(self, of: str, piece: Piece[pl.DataFrame]) -> pl.DataFrame:
        """Return the frame of a piece; `of` tells what it is made from."""
        return self._kept(of, piece.name, piece.label, piece.seconds, piece.make)

    def _kept(self, of: str, name: str, label: str, seconds: float, make: Callable[[], pl.DataFrame]) -> pl.DataFrame:
        self._stage.doing(f"{self._label}, {label}")
        path = self._path(of, name)
        content = read_checked(path, __version__)
        if content is not None:
            found = pl.read_parquet(io.BytesIO(content))
        else:
            found = make()
            write_checked(path, _bytes(found), __version__)
        self._done += seconds
        share = self._done / self._seconds if self._seconds else 1.0
        self._stage.advance(share=share, measured=content is None)
        return found

    def _path(self, of: str, name: str) -> Path:
        return self._folder / f"{of}-{hashlib.sha256(name.encode('utf-8', 'backslashreplace')).hexdigest()[:16]}"


def _bytes(frame: pl.DataFrame) -> bytes:
    buffer = io.BytesIO()
    frame.write_parquet(buffer, compression="zstd", compression_level=1)
    return buffer.getvalue()


def _table(rows: Rows) -> pl.DataFrame:
    table = [(r.measure, r.language, r.other, r.value, r.n, _listed(r.per_id), _listed(r.ids)) for r in rows]
    return pl.DataFrame(table, schema=_SCHEMA, orient="row")


def _rows(frame: pl.DataFrame) -> Rows:
    return [
        AlignmentValue(measure, language, other, value, n, _array(per_id, np.float64), _array(ids, np.int64))
        for measure, language, other, value, n, per_id, ids in frame.iter_rows()
    ]


def _listed(values: npt.NDArray[Any] | None) -> pl.Series | None:
    return None if values is None else pl.Series(values)


def _array(values: list[Any] | None, dtype: type) -> npt.NDArray[Any] | None:
    return None if values is None else np.array(values, dtype=dtype)
