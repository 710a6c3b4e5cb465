"""Reads files of judgements: TREC's four columns, or BEIR's three with a head."""

from __future__ import annotations

import math
import re
from pathlib import Path

import polars as pl

from xlbias.data.formats.items import Item, Items, as_object, first_field, found_fields
from xlbias.data.formats.judged import JUDGEMENT_COLUMNS
from xlbias.data.formats.reading import id_field, parse_json, shown, text_lines
from xlbias.errors import TaskError

_WHOLE = re.compile(r"[+-]?\d{1,9}(\.0+)?")
_TOO_LARGE = 2**31  # what a frame of relevances holds
_QUERIES = ("query-id", "query_id", "qid")
_PASSAGES = ("corpus-id", "corpus_id", "docid", "doc_id", "passage_id")
_SCORES = ("score", "relevance", "label")
_TREC_COLUMNS, _BEIR_COLUMNS = 4, 3


def read_judgements(path: Path) -> pl.DataFrame:
    """Return ``query, passage, relevance, origin`` of a file in any of the usual forms.

    * TREC: ``query iteration passage relevance``, separated by blanks or tabs;
    * BEIR: ``query passage relevance``, separated by tabs, below a line of column names;
    * JSON Lines: objects with ``query-id``, ``corpus-id`` and ``score``.

    Relevance must be a whole number. Raises TaskError with file and line.
    """
    rows: list[tuple[str, str, int, str]] = []
    for number, line in text_lines(path):
        if not line.strip():
            continue
        origin = f"{shown(path)}, line {number}"
        if line.lstrip().startswith("{"):
            rows.append((*_judged(as_object(parse_json(line, origin), origin), origin), origin))
            continue
        tabbed = line.split("\t")
        parts = tabbed if len(tabbed) == _BEIR_COLUMNS else line.split()
        if number == 1 and len(parts) == _BEIR_COLUMNS and not _WHOLE.fullmatch(parts[-1].strip()):
            continue  # names of columns
        if len(parts) not in (_BEIR_COLUMNS, _TREC_COLUMNS):
            raise TaskError(
                f"{origin}: expected 'query 0 passage relevance' (TREC) or 'query passage relevance' separated by tabs "
                f"(BEIR); found {len(parts)} columns"
            )
        query, passage, relevance = parts[0], parts[-2], parts[-1].strip()
        if not _WHOLE.fullmatch(relevance):
            raise TaskError(f"{origin}: relevance must be a whole number, not {relevance[:40]!r}")
        rows.append((query, passage, int(float(relevance)), origin))
    if not rows:
        raise TaskError(f"{path}: the file holds no judgements")
    return _frame(rows)


def judgements_of(items: Items) -> pl.DataFrame:
    """Return ``query, passage, relevance, origin`` of objects with ``query-id``, ``corpus-id`` and ``score``."""
    return _frame([(*_judged(item, origin), origin) for item, origin in items])


def _frame(rows: list[tuple[str, str, int, str]]) -> pl.DataFrame:
    schema = dict(zip(JUDGEMENT_COLUMNS, (pl.String(), pl.String(), pl.Int64(), pl.String()), strict=True))
    return pl.DataFrame(rows, schema=schema, orient="row")


def _judged(item: Item, origin: str) -> tuple[str, str, int]:
    query, passage = (first_field(item, names, id_field, origin) for names in (_QUERIES, _PASSAGES))
    score = next((item[name] for name in _SCORES if item.get(name) is not None), None)
    if query is None or passage is None:
        raise TaskError(f"{origin}: expected the fields 'query-id', 'corpus-id' and 'score'; {found_fields(item)}")
    if isinstance(score, str) and _WHOLE.fullmatch(score.strip()):
        score = float(score)
    if isinstance(score, bool) or not isinstance(score, (int, float)) or not _whole(score):
        raise TaskError(f"{origin}: field 'score' must be a whole number, not {str(score)[:40]!r}")
    return query, passage, int(score)


def _whole(score: float) -> bool:
    return math.isfinite(score) and score == int(score) and abs(score) < _TOO_LARGE
