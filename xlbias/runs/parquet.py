"""Parquet as runs use it: parts that appear whole or not at all, and the finished file, one record per row group."""

from __future__ import annotations

import io
import json
import os
import re
import stat
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import polars as pl

from xlbias.errors import NotARunError, RunError, unreadable
from xlbias.files import kind_of, write_whole, writing
from xlbias.runs.checksums import digest, seal, sealed, verify
from xlbias.runs.limits import check_counts, check_metadata_size, check_rows
from xlbias.runs.schema import METADATA_KEY, as_record
from xlbias.runs.validation import check_columns, check_metadata

ROW_GROUP = 16_384
"""Rows that a row group holds at least, if its record has as many: large enough to compress well, small enough that
the rows of one cell are found without reading those of all others."""

_CHECKSUM = re.compile(rb',\n "checksum": "([^"]*)"\n}\Z')


def readable(path: Path) -> Any:
    """Return what Polars reads the file at `path` from, whatever its name is.

    An absolute path, as a relative one may look like a URI; an open file where the name is not UTF-8, which Polars
    cannot say.
    """
    try:
        return Path(os.path.abspath(os.fsencode(path)).decode())  # noqa: PTH100  # not resolved: errors name the link
    except UnicodeError:
        return path.open("rb")


def write_part(path: Path, frame: pl.DataFrame) -> None:
    """Write one part of a journal."""
    buffer = io.BytesIO()
    frame.write_parquet(buffer, compression="zstd", compression_level=1)
    write_whole(path, sealed(buffer.getvalue(), frame["record"][0] if frame.height else ""))


def write_run(path: Path, parts: Iterable[Path], metadata: Mapping[str, Any]) -> None:
    """Write the finished run from its parts, in their order. Raises WriteError if it cannot be written.

    Parts of one record must stand together; each row group holds rows of one record only.
    """
    import pyarrow.parquet as pq

    from xlbias.runs.descriptions import described_schema

    schema = described_schema({METADATA_KEY: json.dumps(metadata)})
    # An open file, as pyarrow takes a name for a URI that has a colon in it, and cannot say one that is not UTF-8.
    with writing(path) as file:
        with pq.ParquetWriter(file, schema, compression="zstd", compression_level=3) as writer:
            ends = [(record, _write_group(writer, group, schema, file)) for record, group in _groups(parts)]
        seal(file, ends)


def _groups(parts: Iterable[Path]) -> Iterator[tuple[str, list[pl.DataFrame]]]:
    """Yield what goes into each row group, with its record: frames of parts, as many as make it large enough."""
    waiting: list[pl.DataFrame] = []
    record = ""
    for part in parts:
        frame = read_part(part)
        if frame.is_empty():
            continue
        of_part = part.name.partition("-")[0]
        check_columns(part, of_part, frame.schema)
        if waiting and (record != of_part or sum(f.height for f in waiting) >= ROW_GROUP):
            yield record, waiting
            waiting = []
        record = of_part
        waiting.append(as_record(frame, record))
    if waiting:
        yield record, waiting


def _write_group(writer: Any, group: list[pl.DataFrame], schema: Any, file: IO[bytes]) -> int:
    """Write one row group, and return where it ends."""
    table = pl.concat(group).to_arrow().cast(schema)
    writer.write_table(table, row_group_size=max(1, table.num_rows))
    return file.tell()


def read_part(path: Path, columns: list[str] | None = None) -> pl.DataFrame:
    """Return a part of a journal, or columns of it. Raises RunError if it is damaged."""
    verify(path)
    with reading(path):
        return pl.read_parquet(readable(path), columns=columns, glob=False)


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Turn what Polars raises over a damaged file into a RunError that names it."""
    try:
        yield
    except FileNotFoundError:  # removed by its writer, which has finished: the caller looks again
        raise
    except (pl.exceptions.PolarsError, OSError) as error:
        raise _unreadable(path, error) from error
    except pl.exceptions.PanicException as error:  # no Exception: what Polars did not foresee
        raise _unreadable(path, error) from None


def _unreadable(path: Path, error: BaseException) -> RunError:
    said = " ".join(str(error).split())[:120]
    return RunError(f"{path}: is a damaged Parquet file ({said}): restore it from a copy, or make it again")


def read_through(path: Path, record: str) -> None:
    """Read all rows of a record of a file that has no checksums, a row group at a time, to know that they can be read.

    Not with Polars, which ends some of these with a panic that it prints. Raises RunError if they cannot be.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with path.open("rb") as opened, pq.ParquetFile(opened) as file:
            rows = file.metadata.num_rows
            check_rows(path, rows, opened.seek(0, io.SEEK_END))
            of_record = "record" in file.schema_arrow.names
            for group in range(file.num_row_groups):
                if of_record and record not in file.read_row_group(group, ["record"])["record"].unique().to_pylist():
                    continue
                file.read_row_group(group)
    except FileNotFoundError:
        raise
    except (pa.ArrowException, OSError, ValueError, MemoryError, OverflowError) as error:
        raise _unreadable(path, error) from error


def read_metadata(path: Path) -> dict[str, Any]:
    """Return the run metadata of a finished run file. Raises RunError if the file is none."""
    try:
        mode = path.stat().st_mode
        if not stat.S_ISREG(mode):
            raise RunError(f"{path}: is {kind_of(mode)}; expected a run file")
        with path.open("rb") as file:
            head = file.read(4)
            file.seek(0, os.SEEK_END)
            size = file.tell()
            file.seek(max(0, size - 4))
            tail = file.read(4)
    except OSError as error:
        raise RunError(unreadable(path, error, "run")) from error
    if head != b"PAR1":
        raise RunError(f"{path}: is not a run file: expected Parquet")
    if size < 12 or tail != b"PAR1":
        raise RunError(f"{path}: is truncated: the Parquet file breaks off after {size:,} bytes")
    verify(path, ())
    with reading(path):
        raw = pl.read_parquet_metadata(readable(path)).get(METADATA_KEY)
    if raw is None:
        raise NotARunError(f"{path}: is a Parquet file, but not a run of xlbias: it has no {METADATA_KEY!r} metadata")
    check_metadata_size(path, len(raw))
    return check_schema(path, parsed(raw, f"{path}: its {METADATA_KEY!r} metadata"))


def packed(metadata: Mapping[str, Any]) -> bytes:
    """Return metadata of a journal as JSON, with a checksum of itself as its last entry."""
    content = json.dumps(metadata, ensure_ascii=False, indent=1).encode("utf-8", "backslashreplace")
    return content[: -len(b"\n}")] + b',\n "checksum": "' + digest(content).encode() + b'"\n}'


def unpacked(content: bytes, file: Path) -> Any:
    """Return what `packed` has packed; that of earlier versions has no checksum. Raises RunError if it is damaged."""
    found = _CHECKSUM.search(content)
    if found is not None:
        content = content[: found.start()] + b"\n}"
        if digest(content).encode() != found[1]:
            raise RunError(f"{file}: is damaged (its checksum does not fit)")
    return parsed(content, str(file))


def parsed(text: str | bytes, what: str) -> Any:
    """Return JSON, with null for NaN and infinities, which it does not have. Raises RunError if `text` is none."""
    try:
        return json.loads(text, parse_constant=lambda _: None)
    except (ValueError, RecursionError) as error:
        raise RunError(f"{what} is not readable JSON") from error


def check_schema(path: Path, metadata: object) -> dict[str, Any]:
    """Return `metadata` if it is that of a run that this version can read. Raises RunError otherwise."""
    from xlbias.runs.schema import SCHEMA_VERSION

    if not isinstance(metadata, dict) or type(metadata.get("schema")) is not int or metadata["schema"] < 1:
        raise RunError(f"{path}: its run metadata names no schema version")
    if metadata["schema"] > SCHEMA_VERSION:
        raise RunError(
            f"{path}: was written by a newer xlbias (run schema {metadata['schema']}, this version reads up to "
            f"{SCHEMA_VERSION}): upgrade xlbias to read it"
        )
    checked = check_metadata(path, metadata)
    check_counts(path, checked)
    return checked


def row_groups(path: Path) -> Iterator[tuple[str, pl.DataFrame]]:
    """Yield the record and the rows of a run file's row groups, one by one: memory stays that of one.

    Raises RunError if the file is not what was written.
    """
    import pyarrow.parquet as pq

    verify(path)
    with path.open("rb") as opened, pq.ParquetFile(opened) as file:  # a name with a colon is none for pyarrow
        for group in range(file.num_row_groups):
            frame = pl.DataFrame(file.read_row_group(group))
            if frame.height:
                yield frame["record"][0], frame
