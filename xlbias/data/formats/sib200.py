r"""Reads SIB-200: FLORES sentences with a topic, a folder per language (``eng_Latn``) with train, dev and test.tsv.

The first line of a file names the columns, ``index_id``, ``category`` and ``text``, separated by tabs. A sentence is
searched for its translations: it is a query and a passage in every language that has it. In a language's own pool a
query therefore looks for its own text, so that the monolingual setting is trivial for any encoder that treats queries
and passages alike; what the task measures is the cross-lingual and the multilingual setting.

The topic is the passage's document: ``[split=test;by=document]`` splits by topic. The three files are SIB-200's own
parts, and are all read unless ``part`` chooses one. The authors of FLORES ask that it not be used for training.

SIB-200's own files were written by pandas, which doubles the quotes of a text that has any and puts the text in quotes.
That is taken off again: it falls on some languages more than on others, as they differ in how they quote, and would
make the translations of one sentence differ by more than their language. A text that has quotes but does not begin with
one is left as it is; ``quotes=character`` leaves all of them, for files that were written without quoting. Adelani et
al. 2024 (arXiv 2309.07445).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import polars as pl

from xlbias.data.formats.base import Format, Option
from xlbias.data.formats.filenames import by_language, language_code
from xlbias.data.formats.merging import translations
from xlbias.data.formats.opening import files_named, unpacked_name
from xlbias.data.formats.reading import Rows, plain_name, provenance, shown, text_lines
from xlbias.data.task import RetrievalTask
from xlbias.errors import TaskError

_PARTS = ("train", "dev", "test")
_COLUMNS = ("index_id", "category", "text")
_EXPECTED = f"expected {', '.join(_COLUMNS)}, separated by tabs"
_FLORES_CODE = re.compile(r"[a-z]{3}_[A-Z][a-z]{3}")
_QUOTED = re.compile(r'"((?:[^"]|"")*)"')


def read(path: Path, options: Mapping[str, str]) -> RetrievalTask:
    """Read a folder of languages as sentence → its translations, in one part or in all that are there."""
    sentences = _sentences(path, options["part"], csv=options["quotes"] == "csv")
    return RetrievalTask(
        name=plain_name(path), **provenance(path, domain="mixed"), **translations(sentences, parallel_by="index_id")
    )


def language_files(folder: Path, part: str) -> dict[str, list[Path]]:
    """Find the files of one part (or ``all``) by language. Folders that are no language and hold no part are let be.

    Raises TaskError where the language of a folder is unclear or doubled, or where it lacks the part.
    """
    wanted = _PARTS if part == "all" else (part,)
    codes: dict[Path, str] = {}
    files: dict[Path, list[Path]] = {}
    for inner in sorted(entry for entry in folder.iterdir() if entry.is_dir()):
        there = {unpacked_name(file.name): file for file in files_named(inner, ".tsv")}
        if there.keys().isdisjoint(f"{name}.tsv" for name in _PARTS) and not _FLORES_CODE.fullmatch(inner.name):
            continue
        code = language_code(inner.name)
        if code is None:
            raise TaskError(f"{inner}: cannot tell the language; expected a folder name such as eng_Latn or en")
        codes[inner] = code
        files[inner] = [there[f"{name}.tsv"] for name in wanted if f"{name}.tsv" in there]
        if not files[inner]:
            raise TaskError(f"{inner}: no file {' or '.join(f'{name}.tsv' for name in wanted)} in this folder")
    if not codes:
        raise TaskError(
            f"{folder}: no language in this folder; expected folders such as eng_Latn with "
            f"{', '.join(f'{name}.tsv' for name in _PARTS)}"
        )
    return {tag: files[inner] for tag, inner in by_language(codes, what="folder").items()}


def _sentences(folder: Path, part: str, *, csv: bool) -> pl.DataFrame:
    """Return ``id, language, text, document, origin`` of all sentences; the document is the topic."""
    sentences = Rows("id", "language", "text", "document", "origin")
    topics: dict[str, tuple[str, str]] = {}  # id → topic and where it was first
    for language, files in language_files(folder, part).items():
        seen: dict[str, str] = {}
        for file in files:
            for origin, index_id, topic, text in _rows(file, csv=csv):
                if index_id in seen:
                    raise TaskError(
                        f"{origin}: index_id {index_id!r} is there twice in language {language!r}, "
                        f"first at {seen[index_id]}"
                    )
                seen[index_id] = origin
                known, first = topics.setdefault(index_id, (topic, origin))
                if topic != known:
                    raise TaskError(
                        f"{origin}: category {topic!r}, but {known!r} for the same index_id {index_id!r} at {first}"
                    )
                sentences.add(index_id, language, text, topic, origin)
        if not seen:
            raise TaskError(f"{files[0]}: the file holds no sentences")
    return sentences.frame()


def _rows(file: Path, *, csv: bool) -> Iterator[tuple[str, str, str, str]]:
    """Yield (origin, index_id, category, text) of one file."""
    where = shown(file)
    header: list[str] = []
    for number, line in text_lines(file):
        origin = f"{where}, line {number}"
        cells = line.split("\t")
        if not header:
            header = cells
            _check_header(header, origin)
        elif line:
            if len(cells) != len(header):
                raise TaskError(f"{origin}: {len(cells)} columns, but the first line names {len(header)}")
            row = dict(zip(header, cells, strict=True))
            index_id, topic, text = (_cell(row, column, origin, csv=csv) for column in _COLUMNS)
            yield origin, index_id, topic, text
    if not header:
        raise TaskError(f"{where}: the file is empty; its first line must name the columns: {_EXPECTED}")


def _check_header(header: list[str], origin: str) -> None:
    for column in _COLUMNS:
        if column not in header:
            raise TaskError(f"{origin}: no column {column!r}; {_EXPECTED}")
        if header.count(column) > 1:
            raise TaskError(f"{origin}: the column {column!r} is there twice; {_EXPECTED}")


def _cell(row: Mapping[str, str], column: str, origin: str, *, csv: bool) -> str:
    value = row[column]
    if csv and value.startswith('"'):
        quoted = _QUOTED.fullmatch(value)
        if quoted is None:
            raise TaskError(
                f"{origin}: column {column!r} begins with a quote but is not quoted as in CSV; "
                "choose quotes=character where a quote is a character"
            )
        value = quoted.group(1).replace('""', '"')
    if not value.strip():
        raise TaskError(f"{origin}: column {column!r} is empty")
    return value


def looks_like(path: Path) -> bool:
    """Whether there are folders such as ``eng_Latn`` with a test.tsv."""
    return path.is_dir() and any(_FOLDER.fullmatch(file.parent.name) for file in path.glob("*/test.tsv"))


_FOLDER = re.compile(r"[a-z]{3}_[A-Z][a-z]{3}")

FORMAT = Format(
    name="sib200",
    summary="sentence → translation, with topics, from SIB-200's folders (eng_Latn/test.tsv); monolingual is trivial",
    example="sib200:DIR[part=test]",
    folder=True,
    options=(
        Option("part", "which of SIB-200's own files to read", choices=("all", *_PARTS), default="all"),
        Option(
            "quotes",
            "the texts are quoted as in CSV (as pandas wrote SIB-200), or a quote is a character",
            choices=("csv", "character"),
            default="csv",
        ),
    ),
    read=read,
    looks_like=looks_like,
)
