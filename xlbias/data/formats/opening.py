"""Opens files as bytes, unpacked by what is in them: a compressed file is read whatever it is called."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import os
import re
import zlib
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, cast

from xlbias.errors import TaskError, unreadable
from xlbias.files import kind_of

_READ = {
    ".gz": ("gzip", re.compile(rb"\x1f\x8b")),
    ".bz2": ("bzip2", re.compile(rb"BZh[1-9](1AY&SY|\x17\x72\x45\x38\x50\x90)")),
    ".xz": ("xz", re.compile(rb"\xfd7zXZ\x00")),
    ".zst": ("zstd", re.compile(rb"\x28\xb5\x2f\xfd")),
}
UTF_16 = "text in UTF-16"
_NAMED = {
    "a zip archive": rb"PK\x03\x04",
    "a 7z archive": rb"7z\xbc\xaf",
    "a rar archive": rb"Rar!\x1a",
    "compressed by lz4": rb"\x04\x22\x4d\x18",
    "compressed by snappy": rb"\xff\x06\x00\x00sNaP",
    "compressed by lzma": rb"\x5d\x00\x00",
    "a Parquet file": rb"PAR1\x15",
    "an Arrow file": rb"ARROW1\x00",
    UTF_16: rb"\xff\xfe|\xfe\xff",
}


def unpacked_name(name: str) -> str:
    """Return the name of a file without the ending of its compression: ``de.json.zst`` → ``de.json``."""
    return next((name.removesuffix(ending) for ending in _READ if name.endswith(ending)), name)


def files_named(folder: Path, ending: str) -> list[Path]:
    """Return the files of a folder with that ending, compressed or not, sorted by name."""
    return sorted(file for file in folder.iterdir() if unpacked_name(file.name).endswith(ending))


@contextmanager
def opened(path: Path, place: Callable[[], str] = str, *, allowed: Collection[str] = ()) -> Iterator[IO[bytes]]:
    """Open a file for reading bytes; gzip, bzip2, xz and zstd are told by how the file begins, and unpacked.

    Raises TaskError, on opening, for a file that is something else than text, and in the block for one that is broken;
    `place` is then asked where. `allowed` are names of what is no UTF-8 and read all the same: UTF_16.
    """
    try:
        if not path.is_file():  # a pipe would be waited for
            raise TaskError(f"{path}: is {kind_of(path.stat().st_mode)}; expected a file of UTF-8 text")
        with path.open("rb") as raw:
            head = raw.read(16)
    except OSError as error:
        raise TaskError(unreadable(path, error)) from error
    kind = next((kind for kind, begins in _READ.values() if begins.match(head)), "")
    expected = _READ[path.suffix][0] if path.suffix in _READ else ""
    if expected and not kind:
        raise TaskError(f"{path}: not a whole {expected} file{place()}")
    for what, begins in _NAMED.items():
        if what not in allowed and re.match(begins, head):
            raise TaskError(
                f"{path}: {what}; expected UTF-8 text, plain or compressed by gzip, bzip2, xz or zstd: convert the file"
            )
    try:
        with _unpacking(path, kind) as file:
            yield file
    except (gzip.BadGzipFile, EOFError, zlib.error, lzma.LZMAError) as error:
        raise TaskError(f"{path}: not a whole {kind} file{place()}") from error
    except OSError as error:
        if error.errno is not None or not kind:
            raise
        # What bzip2 and zstd say of broken data has no number.
        raise TaskError(f"{path}: not a whole {kind} file{place()}") from error


def _unpacking(path: Path, kind: str) -> IO[bytes]:
    if kind == "gzip":
        return cast(IO[bytes], gzip.open(path, "rb"))
    if kind == "bzip2":
        return bz2.open(path, "rb")
    if kind == "xz":
        return cast(IO[bytes], lzma.open(path, "rb"))
    if kind == "zstd":
        return _zstd(path)
    return path.open("rb")


def _zstd(path: Path) -> IO[bytes]:
    import pyarrow

    stream = pyarrow.CompressedInputStream(pyarrow.OSFile(os.fsencode(path)), "zstd")
    return cast(IO[bytes], io.BufferedReader(stream))
