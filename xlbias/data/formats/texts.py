"""Reads texts with ids: objects as BEIR, MIRACL, datasets and Anserini write them, or two or three columns."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import polars as pl

from xlbias.choices import listed
from xlbias.data.formats.items import Item, Items, as_object, first_field
from xlbias.data.formats.judged import PASSAGE_COLUMNS
from xlbias.data.formats.reading import Rows, id_field, parse_json, shown, string_field, text_lines
from xlbias.errors import TaskError
from xlbias.languages import normalise_tag

IDS = ("_id", "docid", "id", "query_id", "query-id", "doc_id", "corpus-id", "topic_id", "qid")
TEXTS = ("text", "contents", "query", "topic_title", "question", "passage")
"""Names of fields, the first of which that is there counts."""

SAY_LANGUAGE = "give it in the task's name, such as [language=en]"
_LANGUAGES = ("language", "lang")
_LONGEST_TAG = 40

Given = dict[str, str | None]
"""A text's ``id, text, language, document, parallel_id``."""


def no_more(item: Item, given: Given, origin: str) -> None:
    """Change nothing of what was read."""


def read_texts(
    paths: Iterable[Path],
    *,
    language: str | None,
    otherwise: str | None = None,
    titles: bool = True,
    remedy: str = SAY_LANGUAGE,
) -> pl.DataFrame:
    """Return ``id, text, language, document, parallel_id, origin`` of files of texts.

    They are JSON Lines, or tab-separated (id, text; or id, title, text). Otherwise as `texts_of`.
    """
    return texts_of(_lines(paths), language=language, otherwise=otherwise, titles=titles, remedy=remedy)


def texts_of(
    items: Items,
    *,
    language: str | None,
    otherwise: str | None = None,
    titles: bool = True,
    more: Callable[[Item, Given, str], None] = no_more,
    remedy: str = SAY_LANGUAGE,
) -> pl.DataFrame:
    """Return ``id, text, language, document, parallel_id, origin`` of objects with an id and a text.

    Args:
        items: the objects, with where they stand.
        language: of all texts; None where each must say its own.
        otherwise: of texts that do not say it.
        titles: whether a title stands before its text, separated by a blank, as BEIR and mteb put it.
        more: is given each object, what was read of it, which it may change, and where it stands.
        remedy: what to do where the language is missing, for the error.

    Raises TaskError with file and line.
    """
    rows = Rows(*PASSAGE_COLUMNS)
    known: set[str] = set()
    for item, origin in items:
        given = _given(item, origin, titles)
        more(item, given, origin)
        tag = language or given["language"] or otherwise
        if tag is None:
            raise TaskError(f"{origin}: the line does not say its language; {remedy}")
        if tag not in known:
            try:
                normalise_tag(tag[:_LONGEST_TAG])
            except TaskError as error:
                raise TaskError(f"{origin}: {error}") from error
            known.add(tag)
        rows.add(given["id"], given["text"], tag, given["document"], given["parallel_id"], origin)
    return rows.frame()


def _given(item: Item, origin: str, titles: bool) -> Given:
    text = first_field(item, TEXTS, string_field, origin)
    title = string_field(item, "title", origin) or ""
    if text is None:
        if not title:
            raise TaskError(f"{origin}: no text; expected one of the fields {listed(TEXTS)}")
        text = ""
    found_id = first_field(item, IDS, id_field, origin)
    if not found_id:
        raise TaskError(f"{origin}: no id; expected one of the fields {listed(IDS)}")
    return {
        "id": found_id,
        "text": f"{title} {text}".strip() if titles and title else text,
        "language": first_field(item, _LANGUAGES, string_field, origin),
        "document": None,
        "parallel_id": None,
    }


def _lines(paths: Iterable[Path]) -> Iterator[tuple[Item, str]]:
    for path in paths:
        for number, line in text_lines(path):
            if not line.strip():
                continue
            origin = f"{shown(path)}, line {number}"
            if line.lstrip().startswith("{"):
                yield as_object(parse_json(line, origin), origin), origin
            else:
                yield _of_columns(line, origin), origin


def _of_columns(line: str, origin: str) -> Item:
    own, tab, text = line.partition("\t")
    if not tab or not own.strip():
        raise TaskError(f"{origin}: expected an id and a text, separated by a tab, or a JSON object")
    return {"id": own.strip(), "text": text.replace("\t", " ")}
