"""Vectors of many texts in a file of the cache, made and kept block by block: safe to delete, resumed after a kill.

A file has a row for each text, in the order in which they are given, float32 or float16. Beside it stands a checksum of
each block that is whole. Rows are read where they are looked at, into memory of the reader's own: of the file no page
is held, and removing it takes nothing from who reads it.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import IO, Any, Literal, cast

import numpy as np
import numpy.typing as npt
import polars as pl

from xlbias.caches import read_checked, try_to_keep
from xlbias.encode.cache import VectorCache
from xlbias.encode.encoder import Advance, Encoder, Encoding, Kind, embed
from xlbias.encode.similarity import unit
from xlbias.encode.vector_rows import Vectors, longest
from xlbias.errors import WriteError

Stored = Literal["float32", "float16"]

BLOCK = 65_536
"""Texts of a block: they are encoded together, longest first, as the texts of a smaller task are."""

_HASHED = 1 << 24  # bytes read at a time to be checked


class VectorFile:
    """Vectors that lie in a file: `xlbias.encode.vector_rows.VectorRows`.

    Args:
        file: the file, open for reading and writing.
        n: how many vectors.
        dimension: how long they are.
        stored: as what numbers they are kept.
        cosine: whether they are of length 1: those kept as float16 are scaled to it again when they are read.
    """

    def __init__(self, file: IO[bytes], n: int, dimension: int, stored: Stored, *, cosine: bool) -> None:
        self._file, self._n, self.dimension, self._cosine = file, n, dimension, cosine
        self._type = np.dtype(stored)
        self._row = dimension * self._type.itemsize
        self._space = np.empty((0, dimension), dtype=self._type)
        os.ftruncate(file.fileno(), n * self._row)

    @property
    def shape(self) -> tuple[int, int]:
        """See `VectorRows`."""
        return self._n, self.dimension

    @cached_property
    def largest_norm(self) -> float:
        """See `VectorRows`."""
        return 1.0 if self._cosine else longest(self)

    def __len__(self) -> int:
        return self._n

    def read(self, start: int, stop: int) -> Vectors:
        """See `VectorRows`."""
        if len(self._space) < stop - start:
            self._space = np.empty((stop - start, self.dimension), dtype=self._type)
        found = self._space[: stop - start]
        self._fill(found, start)
        return self._as_float32(found)

    def gather(self, rows: npt.NDArray[np.integer]) -> Vectors:
        """See `VectorRows`."""
        return np.array(self._as_float32(self._stored(rows)))

    def write(self, start: int, vectors: Vectors, copied: npt.NDArray[np.bool_], of: npt.NDArray[np.integer]) -> None:
        """Keep vectors from row `start` on; where `copied`, those of the earlier rows `of`, bit for bit."""
        kept = vectors.astype(self._type)
        if copied.any():
            before = of[copied] < start
            places = np.flatnonzero(copied)
            kept[places[before]] = self._stored(of[copied][before])
            kept[places[~before]] = kept[of[copied][~before] - start]
        self._at(start, _bytes(kept), os.pwrite)

    def digest(self, start: int, stop: int) -> bytes:
        """Return a SHA-256 of rows as they are kept."""
        found, space = hashlib.sha256(), bytearray(min(_HASHED, (stop - start) * self._row))
        at, end = start * self._row, stop * self._row
        while at < end:
            n = os.preadv(self._file.fileno(), [memoryview(space)[: end - at]], at)
            if n == 0:
                break
            found.update(memoryview(space)[:n])
            at += n
        return found.digest()

    def _as_float32(self, rows: npt.NDArray[np.floating]) -> Vectors:
        if rows.dtype == np.float32:
            return cast(Vectors, rows)
        return unit(rows) if self._cosine else rows.astype(np.float32)

    def _stored(self, rows: npt.NDArray[np.integer]) -> npt.NDArray[np.floating]:
        found = np.empty((len(rows), self.dimension), dtype=self._type)
        for place, row in enumerate(rows.tolist()):
            self._fill(found[place : place + 1], row)
        return found

    def _fill(self, found: npt.NDArray[np.floating], start: int) -> None:
        if found.size:
            self._at(start, _bytes(found), lambda file, part, at: os.preadv(file, [part], at))

    def _at(self, start: int, content: memoryview, do: object) -> None:
        """Read or write all of `content` from a row on."""
        at, done = start * self._row, 0
        while done < len(content):
            try:
                n = do(self._file.fileno(), content[done:], at + done)  # type: ignore[operator]
            except OSError as error:
                raise WriteError(
                    f"{self._file.name}: vectors cannot be kept: {error.strerror or error}; free space there, or name "
                    "another folder with XLBIAS_CACHE"
                ) from error
            if n == 0:
                raise WriteError(f"{self._file.name}: was cut short while it was read: run the command again")
            done += n


def embed_to_file(
    encoder: Encoder,
    texts: pl.Series,
    kind: Kind,
    *,
    cache: VectorCache | None,
    stored: Stored = "float32",
    advance: Advance = lambda *_, **__: None,
    encoding: Encoding | None = None,
) -> VectorFile:
    """Return the vectors of texts in a file, as `xlbias.encode.encoder.embed` makes them; no text is encoded twice.

    Args:
        encoder: what makes them.
        texts: in the order of the rows; equal ones have equal vectors.
        kind: ``"query"`` or ``"passage"``.
        cache: where the file is kept, to be found again and gone on with; None for a temporary one.
        stored: as what numbers they are kept.
        advance: see `embed`.
        encoding: see `embed`.

    Raises WriteError where there is no room for the file, EncoderError as `embed` does.
    """
    n, first = len(texts), first_places(texts)
    cosine = encoder.similarity == "cosine"
    key = f"1|{encoder.fingerprint}|{getattr(encoder, 'batching', '')}|{kind}|{stored}|{encoder.dimension}"
    folder, file = _opened(cache, key, texts)
    found = VectorFile(file, n, encoder.dimension, stored, cosine=cosine)
    for start in range(0, n, BLOCK):
        stop = min(start + BLOCK, n)
        mark = folder / f"block-{start // BLOCK:07d}" if folder else None
        if mark is not None and read_checked(mark, key) == found.digest(start, stop):
            advance(stop - start, share=stop / n, measured=False)
            continue
        of = first[start:stop]
        copied = of != np.arange(start, stop)
        vectors = np.zeros((stop - start, encoder.dimension), dtype=np.float32)
        told = _Told(advance, start, stop, n)
        parts = VectorCache(folder / "parts") if folder else None
        vectors[~copied] = embed(
            encoder,
            texts[start:stop].filter(pl.Series(~copied)).to_list(),
            kind,
            cache=parts,
            advance=told,
            encoding=encoding,
        )
        told.rest()
        found.write(start, vectors, copied, of)
        if mark is not None and folder is not None:
            try_to_keep(mark, found.digest(start, stop), key)
            shutil.rmtree(folder / "parts", ignore_errors=True)
    return found


def _bytes(array: npt.NDArray[np.floating]) -> memoryview:
    return memoryview(cast(Any, array)).cast("B")


def as_stored(vectors: Vectors, stored: Stored, similarity: str) -> Vectors:
    """Return vectors in memory as they are read from a file that keeps them as `stored`."""
    if stored == "float32":
        return vectors
    rounded = vectors.astype(stored)
    return unit(rounded) if similarity == "cosine" else rounded.astype(np.float32)


def first_places(texts: pl.Series) -> npt.NDArray[np.int64]:
    """Return int64 [n]: for each text, the first place where the same one stands."""
    order = texts.arg_sort()
    ordered = texts.gather(order)
    begins = (ordered != ordered.shift(1)).fill_null(True).to_numpy()
    places = order.to_numpy().astype(np.int64)
    firsts = np.minimum.reduceat(places, np.flatnonzero(begins)) if len(places) else places
    found = np.empty(len(places), dtype=np.int64)
    found[places] = firsts[np.cumsum(begins) - 1]
    return found


def _opened(cache: VectorCache | None, key: str, texts: pl.Series) -> tuple[Path | None, IO[bytes]]:
    """Return the folder of the file, and the file; no folder where it is a temporary one."""
    if cache is not None:
        digest = hashlib.sha256(key.encode())
        for start in range(0, len(texts), BLOCK):
            for text in texts[start : start + BLOCK]:
                encoded = text.encode("utf-8", "surrogatepass")
                digest.update(len(encoded).to_bytes(8, "little"))
                digest.update(encoded)
        folder = cache.folder / "files" / digest.hexdigest()
        with suppress(OSError):
            folder.mkdir(parents=True, exist_ok=True)
            file = folder / "vectors"
            os.close(os.open(file, os.O_RDWR | os.O_CREAT, 0o644))  # what is there stays
            return folder, file.open("r+b", buffering=0)
    try:
        return None, cast(IO[bytes], tempfile.TemporaryFile(prefix="xlbias-vectors-", buffering=0))
    except OSError as error:
        raise WriteError(f"{tempfile.gettempdir()}: no file for vectors: {error.strerror or error}") from error


class _Told:
    """Tells how far a block is as a part of the whole."""

    def __init__(self, advance: Advance, start: int, stop: int, n: int) -> None:
        self._advance, self._start, self._left, self._all = advance, start, stop - start, n
        self._size = stop - start

    def __call__(self, units: int, *, share: float, measured: bool) -> None:
        units = min(units, self._left)
        self._left -= units
        self._advance(units, share=(self._start + share * self._size) / self._all, measured=measured)

    def rest(self) -> None:
        """Tell of the texts that were there before."""
        self._advance(self._left, share=(self._start + self._size) / self._all, measured=False)
