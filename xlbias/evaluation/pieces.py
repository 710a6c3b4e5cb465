"""Pieces of an audit that are kept while it is made: a killed evaluation goes on after the last one finished.

A piece is a file of its own in the journal, removed when the audit it belongs to is written. One that is damaged or
from another version is made again.
"""

from __future__ import annotations

import hashlib
import io
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from xlbias._version import __version__
from xlbias.files import write_whole
from xlbias.measures.alignment.audit import AlignmentValue, Piece
from xlbias.progress import Stage

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

    def __call__(self, side: str, piece: Piece) -> list[AlignmentValue]:
        """Return the rows of a piece of one side."""
        self._stage.doing(f"{self._label}, {piece.label} of {side}")
        path = self._folder / f"{side}-{piece.name}"
        found = _read(path)
        there = found is not None
        if found is None:
            found = piece.make()
            self._folder.mkdir(parents=True, exist_ok=True)
            write_whole(path, _bytes(found))
        self._done += piece.seconds
        self._stage.advance(share=self._done / self._seconds if self._seconds else 1.0, measured=not there)
        return found


def _bytes(rows: list[AlignmentValue]) -> bytes:
    table = [(r.measure, r.language, r.other, r.value, r.n, _listed(r.per_id), _listed(r.ids)) for r in rows]
    buffer = io.BytesIO()
    pl.DataFrame(table, schema=_SCHEMA, orient="row").write_parquet(buffer, compression="zstd", compression_level=1)
    data = buffer.getvalue()
    return data + _checksum(data)


def _read(path: Path) -> list[AlignmentValue] | None:
    try:
        content = path.read_bytes()
    except OSError:
        return None
    data = content[:-32]
    if content[-32:] != _checksum(data):
        return None
    return [
        AlignmentValue(measure, language, other, value, n, _array(per_id, np.float64), _array(ids, np.int64))
        for measure, language, other, value, n, per_id, ids in pl.read_parquet(io.BytesIO(data)).iter_rows()
    ]


def _checksum(data: bytes) -> bytes:
    return hashlib.sha256(__version__.encode() + data).digest()


def _listed(values: npt.NDArray[Any] | None) -> pl.Series | None:
    return None if values is None else pl.Series(values)


def _array(values: list[Any] | None, dtype: type) -> npt.NDArray[Any] | None:
    return None if values is None else np.array(values, dtype=dtype)
