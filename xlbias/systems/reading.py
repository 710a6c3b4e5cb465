"""Reads rankings as other programs write them: TREC runs of six columns, or JSON ``{query: {passage: score}}``."""

from __future__ import annotations

import io
import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl

from xlbias.data.formats.opening import opened
from xlbias.errors import RunError
from xlbias.records import quoted

SCHEMA: dict[str, pl.DataType] = {
    "query": pl.String(),
    "passage": pl.String(),
    "rank": pl.Int64(),
    "score": pl.Float64(),
    "line": pl.UInt32(),
    "tag": pl.String(),
}
"""Of what was read: a row for each passage of each ranking, in the file's order; JSON has no rank, line and tag."""

_COLUMNS = ("query", "Q0", "passage", "rank", "score", "tag")
_SHAPE = "'query Q0 passage rank score tag' (TREC)"


def read_rankings(path: Path) -> pl.DataFrame:
    """Return the rankings of a file with the columns of SCHEMA; it may be compressed.

    Raises RunError with file and line for what is no ranking: other columns, a rank or score that is no number, a
    passage that stands twice in a ranking.
    """
    with opened(path) as file:
        content = file.read()
    content = content.removeprefix(b"\xef\xbb\xbf")
    if not content.strip():
        raise RunError(f"{path}: the file is empty; expected rankings: lines of {_SHAPE}, or JSON")
    is_json = content.lstrip()[:1] in (b"{", b"[")
    frame = _of_json(path, content) if is_json else _at_once(content)
    if frame is None:
        frame = _line_by_line(path, content)
    _refuse_twice(path, frame)
    return frame


def _at_once(content: bytes) -> pl.DataFrame | None:
    """Return the rows of a file that is as it should be, one separator everywhere; None for any other."""
    first = content[: content.find(b"\n") + 1 or len(content)].rstrip(b"\r\n")
    separator = next((s for s in ("\t", " ") if len(first.split(s.encode())) == len(_COLUMNS)), None)
    if separator is None:
        return None
    try:
        frame = pl.read_csv(
            io.BytesIO(content), has_header=False, separator=separator, quote_char=None,
            schema=dict.fromkeys(_COLUMNS, pl.String),
        )  # fmt: skip
    except pl.exceptions.PolarsError:
        return None
    frame = frame.with_row_index("line", offset=1).with_columns(
        pl.col("rank").cast(pl.Int64, strict=False), pl.col("score").cast(pl.Float64, strict=False)
    )
    whole = frame["score"].is_finite().all() and not any(frame[name].null_count() for name in _COLUMNS)
    blank = any(frame[name].str.contains(r"\s").any() for name in ("query", "passage", "tag"))
    return frame.select(list(SCHEMA)) if whole and not blank else None


def _line_by_line(path: Path, content: bytes) -> pl.DataFrame:
    rows: list[tuple[str, str, int, float, int, str]] = []
    for number, line in _lines(path, content):
        parts = line.split()
        if not parts:
            continue
        where = f"{path}, line {number}"
        if len(parts) != len(_COLUMNS):
            hint = "; four columns are judgements (qrels), not rankings" if len(parts) == 4 else ""
            raise RunError(f"{where}: expected {_SHAPE}; found {len(parts)} columns{hint}")
        query, _, passage, rank, score, tag = parts
        rows.append((query, passage, _whole(rank, where), _number(score, where), number, tag))
    return pl.DataFrame(rows, schema=SCHEMA, orient="row")


def _lines(path: Path, content: bytes) -> Iterator[tuple[int, str]]:
    for number, line in enumerate(content.split(b"\n"), 1):
        try:
            yield number, line.decode("utf-8")
        except UnicodeDecodeError as error:
            raise RunError(f"{path}, line {number}: is not UTF-8: {error.reason}") from error


def _whole(text: str, where: str) -> int:
    try:
        value = int(text)
    except ValueError:
        raise RunError(f"{where}: the rank is {quoted(text)}; expected a whole number") from None
    if abs(value) >= 2**63:
        raise RunError(f"{where}: the rank is {quoted(text)}; expected a whole number of 64 bits")
    return value


def _number(text: str, where: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise RunError(f"{where}: the score is {quoted(text)}; expected a finite number")
    return value


def _of_json(path: Path, content: bytes) -> pl.DataFrame:
    def no_twice(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) < len(pairs):
            names = [name for name, _ in pairs]
            twice = next(name for i, name in enumerate(names) if name in names[:i])
            raise RunError(f"{path}: {quoted(twice)} is there twice; expected each query once, and each passage of it")
        return found

    shape = "expected {query: {passage: score}}"
    try:
        given = json.loads(content, object_pairs_hook=no_twice)
    except (ValueError, RecursionError) as error:
        raise RunError(f"{path}: is not JSON: {error}; {shape}, or lines of {_SHAPE}") from error
    if not isinstance(given, dict):
        raise RunError(f"{path}: holds a {type(given).__name__}; {shape}")
    queries: list[str] = []
    passages: list[str] = []
    scores: list[float] = []
    for query, found in given.items():
        if not isinstance(found, dict):
            raise RunError(f"{path}: query {quoted(query)} is {quoted(found)}; {shape}")
        for passage, score in found.items():
            if isinstance(score, bool) or not isinstance(score, (int, float)):
                raise RunError(f"{path}: query {quoted(query)}, passage {quoted(passage)} has the score "
                               f"{quoted(score)}; expected a number")  # fmt: skip
            queries.append(query)
            passages.append(passage)
            scores.append(_number(str(score), f"{path}: query {quoted(query)}, passage {quoted(passage)}"))
    columns: dict[str, Any] = {"query": queries, "passage": passages, "score": scores}
    return pl.DataFrame(columns).select(
        pl.col(name).cast(dtype) if name in columns else pl.lit(None, dtype=dtype).alias(name)
        for name, dtype in SCHEMA.items()
    )


def _refuse_twice(path: Path, frame: pl.DataFrame) -> None:
    pair = ["query", "passage"]
    if frame.select(pair).n_unique() == frame.height:
        return
    again = frame.filter(~pl.struct(pair).is_first_distinct()).row(0, named=True)
    first = frame.filter((pl.col("query") == again["query"]) & (pl.col("passage") == again["passage"]))["line"][0]
    raise RunError(
        f"{path}, line {again['line']}: passage {quoted(again['passage'])} is there twice for query "
        f"{quoted(again['query'])}, first in line {first}"
    )
