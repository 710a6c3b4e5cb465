"""Reads files of rows as objects, each with where it stands: JSON Lines, JSON, CSV, TSV, Parquet and Arrow."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from xlbias.choices import listed
from xlbias.data.formats.opening import opened, unpacked_name
from xlbias.data.formats.reading import json_file, json_type, parse_json, shown, text_lines
from xlbias.errors import TaskError

if TYPE_CHECKING:
    import pyarrow as pa

Item = dict[str, Any]
Items = Iterable[tuple[Item, str]]
"""Objects, each with its origin: ``FILE, line N``."""

ENDINGS = (".jsonl", ".ndjson", ".json", ".csv", ".tsv", ".parquet", ".arrow")
"""Of the names of files that hold rows; those of text may be compressed."""


def items_of(path: Path) -> Iterator[tuple[Item, str]]:
    """Yield the rows of a file as objects, by the ending of its name; a file with another one is JSON Lines.

    Cells of CSV and TSV are texts as they are written, whatever they look like. Raises TaskError with file and line.
    """
    name = unpacked_name(path.name).lower()
    if name.endswith((".csv", ".tsv")):
        return _of_table(path, name[-3:])
    if name.endswith((".parquet", ".arrow")):
        return _of_arrow(path, "Parquet" if name.endswith(".parquet") else "Arrow")
    if name.endswith(".json") and _begins_with(path, b"["):
        return _of_list(path)
    return json_lines(path)


def items_of_all(paths: Iterable[Path]) -> Iterator[tuple[Item, str]]:
    """Yield the rows of several files, one after another."""
    for path in paths:
        yield from items_of(path)


def json_lines(path: Path) -> Iterator[tuple[Item, str]]:
    """Yield the objects of a JSON Lines file; raises TaskError for a line that holds something else."""
    for number, line in text_lines(path):
        if line.strip():
            origin = f"{shown(path)}, line {number}"
            yield as_object(parse_json(line, origin), origin), origin


def as_object(value: object, origin: str) -> Item:
    """Return a JSON object; TaskError for another value."""
    if not isinstance(value, dict):
        raise TaskError(f"{origin}: expected an object, not {json_type(value)}")
    return value


def first_field(
    item: Item, names: Iterable[str], field: Callable[[Item, str, str], str | None], origin: str
) -> str | None:
    """Return the value of the first of the fields `names` that is there, as `field` reads it; None where none is."""
    return next((value for name in names if (value := field(item, name, origin)) is not None), None)


def _of_list(path: Path) -> Iterator[tuple[Item, str]]:
    for number, value in enumerate(json_file(path), start=1):
        origin = f"{shown(path)}, row {number}"
        yield as_object(value, origin), origin


def _of_table(path: Path, kind: str) -> Iterator[tuple[Item, str]]:
    with opened(path) as file:
        try:
            frame = pl.read_csv(file.read(), separator="\t" if kind == "tsv" else ",", infer_schema=False)
        except pl.exceptions.PolarsError as error:
            raise TaskError(f"{path}: cannot be read as {kind.upper()}: {error}") from error
    for number, row in enumerate(frame.iter_rows(named=True), start=1):
        yield row, f"{shown(path)}, row {number}"


def _of_arrow(path: Path, kind: str) -> Iterator[tuple[Item, str]]:
    import pyarrow as pa

    number = 0
    try:
        for batch in _parquet(path) if kind == "Parquet" else _arrow(path):
            batch.validate(full=True)  # a broken file may point anywhere
            for row in batch.to_pylist():
                number += 1
                yield row, f"{shown(path)}, row {number}"
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        reason = " ".join(str(error).split())
        raise TaskError(f"{path}: cannot be read as {kind}: {reason[:200] or 'the file is broken'}") from error


def _parquet(path: Path) -> Iterator[pa.RecordBatch]:
    import pyarrow.parquet as pq

    with pq.ParquetFile(path) as file:
        texts = [field.name for field in file.schema_arrow if not _is_media(field.type)]
        yield from file.iter_batches(batch_size=4096, columns=texts)


def _arrow(path: Path) -> Iterator[pa.RecordBatch]:
    import pyarrow as pa

    with pa.memory_map(str(path)) as source:
        try:
            yield from pa.ipc.open_stream(source)  # as `datasets` saves
        except pa.ArrowInvalid:
            source.seek(0)
            file = pa.ipc.open_file(source)
            for number in range(file.num_record_batches):
                yield file.get_batch(number)


def _is_media(kind: pa.DataType) -> bool:
    """Whether a column holds pictures or sounds: bytes, or a struct with bytes."""
    import pyarrow.types as is_a

    if is_a.is_struct(kind):
        return any(_is_media(kind.field(number).type) for number in range(kind.num_fields))
    return bool(is_a.is_binary(kind) or is_a.is_large_binary(kind))


def _begins_with(path: Path, start: bytes) -> bool:
    with opened(path) as file:
        return file.read(4096).removeprefix(b"\xef\xbb\xbf").lstrip().startswith(start)


def found_fields(item: Item) -> str:
    """Return the names of an object's fields, for the end of a sentence."""
    return f"found {listed(item)}" if item else "found no field"
