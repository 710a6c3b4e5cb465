"""Reads bilingual dictionaries: one pair of words a line.

Four columns, separated by tabs, say their languages themselves::

    source-language<TAB>word<TAB>target-language<TAB>translation

A first line with these very names is a header and may be left out. Two columns need a file name that says the
languages, such as ``en-de.tsv`` or, as MUSE publishes them, ``en-de.txt`` and ``en-de.0-5000.txt``; they are separated
by a tab, or by whitespace where neither word holds any. Either may be packed, ``.gz``. Empty lines are skipped.

A pair is read both ways. That two words translate each other is what such a line says: dictionaries extracted from
parallel texts or published in both directions state the reverse of most pairs too, and a line that stands in both files
counts once. It never joins up with another pair into a third.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from xlbias.data.formats.reading import shown, text_lines
from xlbias.data.lexicons.lexicon import Concept
from xlbias.errors import TaskError
from xlbias.languages import normalise_tag

HEADER = ("source-language", "word", "target-language", "translation")
FOUR_COLUMNS = f"{', '.join(HEADER)}, separated by tabs"
_NAMED = re.compile(r"([A-Za-z]{2,3})-([A-Za-z]{2,3})(?:\.\d+-\d+)?\.(?:tsv|txt)(?:\.gz)?")


def read(path: Path) -> Iterator[Concept]:
    """Yield each pair of a bilingual dictionary. Raises TaskError with file and line for what is none."""
    named = _NAMED.fullmatch(path.name)
    languages: tuple[str, str] | None = None
    four: bool | None = None  # does the first line have four columns?
    empty = True
    for number, line in text_lines(path):
        if not line.strip():
            continue
        where = f"{shown(path)}, line {number}"
        columns = [column.strip() for column in line.split("\t")]
        if four is None:
            four = len(columns) == 4
            if four and tuple(column.casefold() for column in columns) == HEADER:
                continue
            if not four:
                languages = _languages_of_name(named, path, where, len(columns))
        if four:
            pair = _row_of_four(columns, where)
        else:
            assert languages
            pair = _row_of_two(columns, line, languages, where)
        empty = False
        yield dict(pair)
    if empty:
        raise TaskError(f"{shown(path)}: the file holds no pairs of words; expected lines of {FOUR_COLUMNS}")


def _languages_of_name(named: re.Match[str] | None, path: Path, where: str, n_columns: int) -> tuple[str, str]:
    if named is None:
        raise TaskError(
            f"{where}: {_columns(n_columns)}; expected four ({FOUR_COLUMNS}), or two in a file whose name says the "
            "languages, such as en-de.tsv"
        )
    source, target = (_tag(part, shown(path)) for part in named.groups()[:2])
    _refuse_same(source, target, shown(path))
    return source, target


def _row_of_four(columns: list[str], where: str) -> tuple[tuple[str, str], tuple[str, str]]:
    if len(columns) != 4:
        raise TaskError(f"{where}: {_columns(len(columns))}; expected four as on the first line: {FOUR_COLUMNS}")
    for name, value in zip(HEADER, columns, strict=True):
        if not value:
            raise TaskError(f"{where}: the column {name!r} is empty; expected {FOUR_COLUMNS}")
    source, word, target, translation = columns
    source, target = _tag(source, where), _tag(target, where)
    _refuse_same(source, target, where)
    return (source, word), (target, translation)


def _row_of_two(
    columns: list[str], line: str, languages: tuple[str, str], where: str
) -> tuple[tuple[str, str], tuple[str, str]]:
    expected = f"expected a word in {languages[0]!r} and its translation into {languages[1]!r}"
    tabs = len(columns) > 1
    words = columns if tabs else line.split()
    if len(words) != 2:
        hint = "" if tabs else ", separated by a tab where one of them holds a space"
        raise TaskError(f"{where}: {_columns(len(words))}; {expected}{hint}")
    if not all(words):
        raise TaskError(f"{where}: a column is empty; {expected}")
    return (languages[0], words[0]), (languages[1], words[1])


def _columns(n: int) -> str:
    return f"{n} column" if n == 1 else f"{n} columns"


def _tag(text: str, where: str) -> str:
    try:
        return normalise_tag(text)
    except TaskError as error:
        raise TaskError(f"{where}: {error}") from error


def _refuse_same(source: str, target: str, where: str) -> None:
    if source == target:
        raise TaskError(f"{where}: source and target language are both {source!r}; expected two languages")
