"""Reads files of texts with ids: JSON Lines as BEIR, MIRACL and Anserini write them, or two or three columns."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from xlbias.choices import listed
from xlbias.data.formats.judged import PASSAGE_COLUMNS
from xlbias.data.formats.reading import Rows, id_field, json_type, parse_json, shown, string_field, text_lines
from xlbias.errors import TaskError
from xlbias.languages import normalise_tag

_IDS = ("_id", "docid", "id", "query_id", "topic_id", "qid")
_TEXTS = ("text", "contents", "query", "topic_title")
_LANGUAGES = ("language", "lang")
_LONGEST_TAG = 40

Given = dict[str, str | None]
"""A text's ``id, text, language, document, parallel_id``."""


def read_texts(
    paths: Iterable[Path], *, language: str | None, titles: bool = True, more: Callable[[dict[str, Any], Given], None]
) -> pl.DataFrame:
    """Return ``id, text, language, document, parallel_id, origin`` of files of texts.

    Args:
        paths: files, JSON Lines or tab-separated (id, text; or id, title, text).
        language: of all texts; None where each line must say its own.
        titles: whether a title stands before its text, separated by a blank, as BEIR and mteb put it.
        more: is given each JSON object and what was read of it, and may change that.

    Raises TaskError with file and line.
    """
    rows = Rows(*PASSAGE_COLUMNS)
    known: set[str] = set()
    for path in paths:
        for number, line in text_lines(path):
            if not line.strip():
                continue
            origin = f"{shown(path)}, line {number}"
            given = _of_json(line, origin, titles, more) if line.lstrip().startswith("{") else _of_columns(line, origin)
            tag = language or given["language"]
            if tag is None:
                raise TaskError(
                    f"{origin}: the line does not say its language; give it in the task's name, such as [language=en]"
                )
            if tag not in known:
                try:
                    normalise_tag(tag[:_LONGEST_TAG])
                except TaskError as error:
                    raise TaskError(f"{origin}: {error}") from error
                known.add(tag)
            rows.add(given["id"], given["text"], tag, given["document"], given["parallel_id"], origin)
    return rows.frame()


def no_more(item: dict[str, Any], given: Given) -> None:
    """Change nothing of what was read."""


def _of_json(line: str, origin: str, titles: bool, more: Callable[[dict[str, Any], Given], None]) -> Given:
    item = parse_json(line, origin)
    if not isinstance(item, dict):
        raise TaskError(f"{origin}: expected an object with an id and a text, not {json_type(item)}")
    text = _first(item, _TEXTS, string_field, origin)
    title = string_field(item, "title", origin) or ""
    if text is None:
        if not title:
            raise TaskError(f"{origin}: no text; expected one of the fields {listed(_TEXTS)}")
        text = ""
    found_id = _first(item, _IDS, id_field, origin)
    if not found_id:
        raise TaskError(f"{origin}: no id; expected one of the fields {listed(_IDS)}")
    given: Given = {
        "id": found_id,
        "text": f"{title} {text}".strip() if titles and title else text,
        "language": _first(item, _LANGUAGES, string_field, origin),
        "document": None,
        "parallel_id": None,
    }
    more(item, given)
    return given


def _of_columns(line: str, origin: str) -> Given:
    own, tab, text = line.partition("\t")
    if not tab or not own.strip():
        raise TaskError(f"{origin}: expected an id and a text, separated by a tab, or a JSON object")
    return {"id": own.strip(), "text": text.replace("\t", " "), "language": None, "document": None, "parallel_id": None}


def _first(
    item: dict[str, Any], names: Sequence[str], field: Callable[[dict[str, Any], str, str], str | None], origin: str
) -> str | None:
    return next((value for name in names if (value := field(item, name, origin)) is not None), None)
