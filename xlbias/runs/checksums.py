"""Checksums of a run file and of a journal's parts, so that no bit that has flipped on a disk gives another number.

They stand between the data and the footer of the Parquet file, where no reader looks: any other tool opens the file as
ever. Parquet's own checksums cover pages only, neither their headers nor the footer, and few readers heed them.

======  =====================================================================================
bytes   what
======  =====================================================================================
...     the data: sections end to end, from the first byte of the file on
16      MARK
...     JSON: for each section the record it holds, its length and its checksum
16      checksum of all that follows the data, but for this and the next two: mark, JSON, footer
4       length of the JSON, little endian
16      MARK
...     the footer, its length and ``PAR1``, as in any Parquet file
======  =====================================================================================

A checksum is the XXH3 of 128 bits: it finds what chance has changed (all of it, for practical purposes), not what
somebody has changed on purpose. The mark stands twice, so that no single damage makes the checksums go unnoticed.
"""

from __future__ import annotations

import io
import json
import mmap
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import xxhash

from xlbias.errors import RunError

MARK = b"xlbias checksums"
_DIGEST = 16
_END = 8  # bytes after the footer: its length and PAR1
_FIXED = _DIGEST + 4 + len(MARK)
_SEARCHED = 32 << 20  # bytes at the end of a file without checksums that are searched for the remains of some
_PIECE = 16 << 20
_ANY = ""  # the record of what belongs to none


@dataclass(frozen=True)
class Section:
    """A stretch of the data that holds one record."""

    record: str
    start: int
    length: int
    checksum: bytes


def sealed(content: bytes, record: str) -> bytes:
    """Return the Parquet file `content`, which holds rows of one record, with checksums."""
    file = io.BytesIO(content)
    seal(file, [(record, _footer(content[-_END:], len(content)))])
    return file.getvalue()


def seal(file: IO[bytes], ends: Sequence[tuple[str, int]]) -> None:
    """Add checksums to the whole Parquet file in `file`, which must be open for reading and writing.

    `ends` are the records of its sections, in their order, each with the position where it ends.
    """
    size = file.seek(0, io.SEEK_END)
    file.seek(size - _END)
    footer = _footer(file.read(), size)
    file.seek(0)
    start, entries = 0, []
    for record, end in (*ends, (_ANY, footer)):
        if end > start:
            entries.append((record, end - start, _hashed(file, end - start)))
            start = end
    tail = file.read()
    file.seek(footer)
    file.write(_described(entries, tail) + tail)


def verify(path: Path, records: Collection[str] | None = None) -> bool:
    """Compare the bytes of these records, by default of all, and of the footer with their checksums.

    Returns whether the file has any: those of earlier versions have none. Raises RunError where one does not fit.
    """
    with path.open("rb") as file:
        try:
            mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        except ValueError as error:
            raise RunError(f"{path}: is empty") from error
        with mapped, memoryview(mapped) as view:
            found = _sections(path, mapped, view)
            if found is None:
                return False
            for section in found:
                if records is None or section.record in (_ANY, *records):
                    _compare(path, view, section)
    return True


def digest(content: bytes) -> str:
    """Return the checksum of `content`, in hexadecimal digits."""
    return xxhash.xxh3_128_hexdigest(content)


def _compare(path: Path, view: memoryview, section: Section) -> None:
    hasher = xxhash.xxh3_128()
    end = section.start + section.length
    for start in range(section.start, end, _PIECE):
        with view[start : min(start + _PIECE, end)] as piece:
            hasher.update(piece)
    if hasher.digest() != section.checksum:
        raise _damaged(path, f"its {section.record} rows are not what was written")


def _sections(path: Path, mapped: mmap.mmap, view: memoryview) -> list[Section] | None:
    """Return the sections of a file's data, None where it has no checksums."""
    size = len(view)
    footer = _footer(bytes(view[-_END:]), size) if size >= _END else -1
    if footer < _FIXED or bytes(view[footer - len(MARK) : footer]) != MARK:
        if mapped.rfind(MARK, max(0, size - _SEARCHED)) >= 0:  # there are checksums, but not where they should be
            raise _damaged(path, "its footer is not what was written")
        return None
    length = int.from_bytes(view[footer - len(MARK) - 4 : footer - len(MARK)], "little")
    end = footer - _FIXED
    begin = end - length
    data = begin - len(MARK)
    if data < 0 or bytes(view[data:begin]) != MARK:
        raise _damaged(path, "its checksums are not what was written")
    digest = _tail_digest(bytes(view[begin:end]), bytes(view[footer:]))
    if digest != bytes(view[end : end + _DIGEST]):
        raise _damaged(path, "its footer is not what was written")
    sections, start = [], 0
    try:
        for record, count, checksum in json.loads(bytes(view[begin:end])):
            sections.append(Section(str(record), start, int(count), bytes.fromhex(checksum)))
            start += int(count)
    except (ValueError, TypeError, RecursionError) as error:
        raise _damaged(path, "its checksums are not what xlbias writes") from error
    if start != data or any(section.length < 0 for section in sections):
        raise _damaged(path, "its checksums are not those of this file")
    return sections


def _footer(end: bytes, size: int) -> int:
    """Return where the footer of a Parquet file of `size` bytes begins, from the last bytes of it."""
    return size - _END - int.from_bytes(end[:4], "little")


def _described(entries: Sequence[Any], tail: bytes) -> bytes:
    body = json.dumps(entries, separators=(",", ":")).encode()
    return MARK + body + _tail_digest(body, tail) + len(body).to_bytes(4, "little") + MARK


def _tail_digest(body: bytes, tail: bytes) -> bytes:
    return xxhash.xxh3_128(MARK + body + tail).digest()


def _hashed(file: IO[bytes], length: int) -> str:
    hasher = xxhash.xxh3_128()
    while length and (piece := file.read(min(length, _PIECE))):
        hasher.update(piece)
        length -= len(piece)
    return hasher.hexdigest()


def _damaged(path: Path, what: str) -> RunError:
    return RunError(f"{path}: is damaged: {what} (a checksum does not fit): restore it from a copy, or make it again")
