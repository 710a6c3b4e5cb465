"""Parquet as runs use it: parts that appear whole or not at all, and the finished file, one record per row group."""

from __future__ import annotations

import io
import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import polars as pl

from xlbias.errors import RunError
from xlbias.files import replacing, write_whole
from xlbias.runs.schema import METADATA_KEY

ROW_GROUP = 16_384
"""Rows that a row group holds at least, if its record has as many: large enough to compress well, small enough that
the rows of one cell are found without reading those of all others."""


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
    write_whole(path, buffer.getvalue())


def write_run(path: Path, parts: Iterable[Path], metadata: Mapping[str, Any]) -> None:
    """Write the finished run from its parts, in their order. Raises WriteError if it cannot be written.

    Parts of one record must stand together; each row group holds rows of one record only.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    from xlbias.runs.schema import COLUMNS

    schema = pl.DataFrame(schema=COLUMNS).to_arrow().schema.with_metadata({METADATA_KEY: json.dumps(metadata)})
    # An open file, as pyarrow takes a name for a URI that has a colon in it, and cannot say one that is not UTF-8.
    with (
        replacing(path) as temporary,
        temporary.open("wb") as file,
        pq.ParquetWriter(file, schema, compression="zstd", compression_level=3) as writer,
    ):
        waiting: list[pl.DataFrame] = []
        record = None
        for part in parts:
            frame = pl.read_parquet(readable(part), glob=False)
            if frame.is_empty():
                continue
            if record not in (None, frame["record"][0]):
                _write_group(writer, waiting, schema, pa)
            record = frame["record"][0]
            waiting.append(frame)
            if sum(f.height for f in waiting) >= ROW_GROUP:
                _write_group(writer, waiting, schema, pa)
        _write_group(writer, waiting, schema, pa)


def _write_group(writer: Any, waiting: list[pl.DataFrame], schema: Any, pa: Any) -> None:
    if waiting:
        table = pl.concat(waiting).to_arrow().cast(pa.schema(schema))
        writer.write_table(table, row_group_size=max(1, table.num_rows))
        waiting.clear()


def read_metadata(path: Path) -> dict[str, Any]:
    """Return the run metadata of a finished run file. Raises RunError if the file is none."""
    try:
        with path.open("rb") as file:
            head = file.read(4)
            file.seek(0, os.SEEK_END)
            size = file.tell()
            file.seek(max(0, size - 4))
            tail = file.read(4)
    except OSError as error:
        raise RunError(f"{path}: cannot be read: {error.strerror or error}") from error
    if head != b"PAR1":
        raise RunError(f"{path}: is not a run file: expected Parquet")
    if size < 12 or tail != b"PAR1":
        raise RunError(f"{path}: is truncated: the Parquet file breaks off after {size:,} bytes")
    try:
        raw = pl.read_parquet_metadata(readable(path)).get(METADATA_KEY)
    except (pl.exceptions.PolarsError, OSError) as error:
        raise RunError(f"{path}: is a damaged Parquet file") from error
    if raw is None:
        raise RunError(f"{path}: is a Parquet file, but not a run of xlbias: it has no {METADATA_KEY!r} metadata")
    try:
        metadata = json.loads(raw)
    except ValueError as error:
        raise RunError(f"{path}: its {METADATA_KEY!r} metadata is not JSON") from error
    return check_schema(path, metadata)


def check_schema(path: Path, metadata: object) -> dict[str, Any]:
    """Return `metadata` if it is that of a run that this version can read. Raises RunError otherwise."""
    from xlbias.runs.schema import SCHEMA_VERSION

    if not isinstance(metadata, dict) or not isinstance(metadata.get("schema"), int):
        raise RunError(f"{path}: its run metadata names no schema version")
    if metadata["schema"] > SCHEMA_VERSION:
        raise RunError(
            f"{path}: was written by a newer xlbias (run schema {metadata['schema']}, this version reads up to "
            f"{SCHEMA_VERSION}): upgrade xlbias to read it"
        )
    for kind, fields in (("models", {"name": str}), ("tasks", {"name": str, "n_queries": dict, "pool_sizes": dict})):
        entries = metadata.get(kind, [])
        if not isinstance(entries, list) or not all(_has_fields(entry, fields) for entry in entries):
            raise RunError(f"{path}: its run metadata is damaged: {kind!r} is not what xlbias writes")
    return metadata


def _has_fields(entry: object, fields: Mapping[str, type]) -> bool:
    return isinstance(entry, dict) and all(isinstance(entry.get(name), kind) for name, kind in fields.items())
