"""Reads files the way every reader needs it: lines with numbers, JSON with places, and where the texts come from."""

from __future__ import annotations

import json
import os
import re
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypedDict

import polars as pl

from xlbias.data.formats.opening import opened, unpacked_name
from xlbias.errors import TaskError
from xlbias.text import clean, drop_surrogates

_BOM = b"\xef\xbb\xbf"
_FACTS = re.compile(
    r"^[\s*-]*(repository|source|licen[cs]e|domain)\b[^:\n]*:[ \t]*(\S.*)$", re.IGNORECASE | re.MULTILINE
)
_LONGEST_FACT = 200  # characters: a licence is named in a report, not reprinted
UNKNOWN = "unknown"  # a source, licence or domain that nothing tells
_CHUNK = 65_536  # rows held as Python objects before they become a frame
_MOST_HELD = 64 << 20  # bytes of frames that are held before they are put into a file
# Names that say nothing about what is in the file, so that the folder has to.
_BARE_STEMS = {"data", "dev", "parallel", "task", "test", "train", "valid", "validation"}


def text_lines(path: Path) -> Iterator[tuple[int, str]]:
    r"""Yield (line number from 1, line without its end) of a UTF-8 file, unpacked where it is compressed.

    Lines end at ``\n`` or ``\r\n`` only: U+2028, U+0085 or a form feed inside a text must not shift what is
    aligned by line. Raises TaskError with the line for bytes that are not UTF-8, and for a broken compressed file.
    """
    number = 0
    try:
        with opened(path, lambda: f" (broken after line {number:,})") as file:
            for number, raw in enumerate(file, start=1):
                line = raw.removeprefix(_BOM) if number == 1 else raw
                yield number, line.removesuffix(b"\n").removesuffix(b"\r").decode("utf-8")
    except UnicodeDecodeError as error:
        raise TaskError(f"{path}, line {number}: {_not_utf8(error)}") from error


def json_file(path: Path) -> Any:
    """Parse a UTF-8 JSON file; raises TaskError with the line and column of what is wrong in it."""
    with opened(path) as file:
        raw = file.read().removeprefix(_BOM)
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise TaskError(f"{path}, line {line}: {_not_utf8(error)}") from error
    return parse_json(text, str(path))


def parse_json(text: str, where: str) -> Any:
    """Parse JSON that stands at `where`; raises TaskError with the place inside `text` (a line too, if it has many)."""
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        line = f", line {error.lineno}" if "\n" in text else ""
        raise TaskError(f"{where}{line}: not valid JSON ({error.msg}, column {error.colno})") from error
    except (ValueError, RecursionError) as error:
        raise TaskError(f"{where}: JSON that cannot be read ({error})") from error


def string_field(holder: Mapping[str, Any], field: str, where: str) -> str | None:
    """Return a string field as valid Unicode, None where it is missing or null; TaskError for another type."""
    value = holder.get(field)
    if value is None:
        return None
    if not isinstance(value, str):
        raise TaskError(f"{where}: field {field!r} must be a string, not {json_type(value)}")
    return drop_surrogates(value)


def id_field(holder: Mapping[str, Any], field: str, where: str) -> str | None:
    """Return an id as a string: one that is a whole number is written as such; otherwise as `string_field`."""
    value = holder.get(field)
    if type(value) is int:
        return str(value)
    return string_field(holder, field, where)


def shown(path: Path) -> str:
    """Return a path as text that a frame can hold: bytes of it that are not UTF-8 become U+FFFD."""
    return drop_surrogates(str(path))


def json_type(value: object) -> str:
    """Return what JSON calls the type of a parsed value, for error messages."""
    if isinstance(value, bool):
        return "true or false"
    names: dict[type, str] = {dict: "an object", list: "a list", str: "a string", int: "a number", float: "a number"}
    return names.get(type(value), "null")


def plain_name(path: Path) -> str:
    """Return a readable name for the task in `path`: its own, or its folder's where its own says nothing."""
    resolved = path.resolve()
    name = resolved.name
    if resolved.is_file():
        name = unpacked_name(name).removesuffix(".jsonl").removesuffix(".json")
        if name.lower() in _BARE_STEMS:
            folder = resolved.parent.name
            name = folder if name == "parallel" else f"{folder}-{name}"
    return clean(drop_surrogates(name)).strip() or "task"


class Provenance(TypedDict):
    """Where texts come from, under which licence they may be used, and what they are about."""

    source: str
    licence: str
    domain: str


def provenance(
    folder: Path,
    names: Sequence[str] = ("SOURCE.md",),
    *,
    source: str = UNKNOWN,
    licence: str = UNKNOWN,
    domain: str = UNKNOWN,
) -> Provenance:
    """Return where texts come from as files beside the data state it; else what is known of the corpus as published.

    Read are the lines ``repository: ...`` (or ``source: ...``), ``licence: ...`` and ``domain: ...`` of the files
    called `names`, the first of which counts most; a licence that they do not name is the first line of a file called
    LICENSE, with any suffix.
    """
    facts: dict[str, str] = {}
    for name in reversed(names):
        for key, value in reversed(_FACTS.findall(_head(folder / name))):
            fact = {"repository": "source", "license": "licence"}.get(key.lower(), key.lower())
            facts[fact] = clean(value)[:_LONGEST_FACT].strip()
    if "licence" not in facts:
        for path in sorted(folder.glob("LICEN[CS]E*")):
            first = next((line.strip() for line in _head(path).splitlines() if line.strip()), "")
            if first:
                facts["licence"] = clean(first)[:_LONGEST_FACT]
                break
    return {
        "source": facts.get("source", source),
        "licence": facts.get("licence", licence),
        "domain": facts.get("domain", domain),
    }


class Rows:
    """Collects rows of strings into a frame, chunk by chunk: a large file is never held as Python objects.

    Nor is it held as a frame: what is beyond some megabytes stands in a temporary file without a name, of which only
    what is looked at is in memory.
    """

    def __init__(self, *columns: str) -> None:
        self._columns = columns
        self._rows: list[tuple[str | None, ...]] = []
        self._frames: list[pl.DataFrame] = []
        self._mapped: list[pl.DataFrame] = []
        self._held = 0  # bytes of the frames

    def add(self, *values: str | None) -> None:
        """Append one row, a value per column."""
        self._rows.append(values)
        if len(self._rows) >= _CHUNK:
            self._flush()

    def frame(self) -> pl.DataFrame:
        """Return everything added, in order, as a frame of string columns."""
        self._flush()
        return pl.concat([*self._mapped, *self._frames])

    def _flush(self) -> None:
        schema = dict.fromkeys(self._columns, pl.String())
        self._frames.append(pl.DataFrame(self._rows, schema=schema, orient="row"))
        self._rows = []
        self._held += int(self._frames[-1].estimated_size())
        if self._held > _MOST_HELD:
            self._mapped.append(mapped(pl.concat(self._frames)))
            self._frames, self._held = [], 0


def mapped(frame: pl.DataFrame) -> pl.DataFrame:
    """Return a frame whose content lies in a temporary file, which goes with it; the frame itself where none can be.

    The file is in the folder for temporary files: where that is memory, ``TMPDIR`` names another.
    """
    path = ""
    try:
        number, path = tempfile.mkstemp(prefix="xlbias-texts-")
        with os.fdopen(number, "wb") as file:
            frame.write_ipc(file)
        return pl.read_ipc(path)  # which maps it
    except (OSError, pl.exceptions.PolarsError):
        return frame
    finally:
        if path:
            Path(path).unlink(missing_ok=True)


def _head(path: Path) -> str:
    """Return the start of a small text file, or nothing where it is missing or cannot be read."""
    try:
        with path.open("rb") as file:
            return file.read(16_384).decode("utf-8", "replace")
    except OSError:
        return ""


def _not_utf8(error: UnicodeDecodeError) -> str:
    return f"not valid UTF-8 (byte 0x{error.object[error.start]:02x}); convert the file to UTF-8"
