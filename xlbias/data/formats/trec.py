"""Reads TREC collections: topics, qrels and a corpus, as files of their own; one query set, or one a language.

NeuCLIR and CLEF have one set of topics and several languages' collections in one pool: ids of passages are then
unique over all of them, and stay as they are written.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import polars as pl

from xlbias.data.formats.base import Format, Option
from xlbias.data.formats.filenames import code_at_end, language_of
from xlbias.data.formats.judged import Collection, together
from xlbias.data.formats.judgements import read_judgements
from xlbias.data.formats.opening import opened, unpacked_name
from xlbias.data.formats.reading import plain_name, provenance, shown
from xlbias.data.formats.texts import read_texts
from xlbias.data.task import RetrievalTask
from xlbias.errors import TaskError

_ENDINGS = (".jsonl", ".tsv", ".txt", ".xml", ".trec", ".json")
_TOPIC = re.compile(r"<(top|topic)\b([^>]*)>(.*?)</\1>", re.DOTALL | re.IGNORECASE)
_NUMBER = re.compile(r"<num>\s*(?:Number:)?\s*([^<\s]+)|(?:number|id)\s*=\s*[\"']([^\"']+)[\"']", re.IGNORECASE)
_TITLE = re.compile(r"<(?:[\w-]+-)?title\b[^>]*>\s*(.*?)\s*(?=<)", re.DOTALL | re.IGNORECASE)


def read(path: Path, options: Mapping[str, str]) -> RetrievalTask:
    """Read a folder with ``topics*``, ``qrels*`` and a corpus (``corpus*``, ``docs*`` or ``collection*``)."""
    topics = _files(path, ("topics", "topic", "queries"))
    corpora = _files(path, ("corpus", "docs", "collection"))
    qrels = _files(path, ("qrels",))
    missing = [what for what, found in (("topics*", topics), ("qrels*", qrels), ("corpus*", corpora)) if not found]
    if missing:
        raise TaskError(f"{path}: no file {' and no file '.join(missing)}; expected topics*, qrels* and corpus* in it")
    titles = options["title"] == "yes"
    passages = [read_texts([file], language=_language(file, ""), titles=titles) for file in corpora]
    queries = [_topics(file, _language(file, options["language"])) for file in topics]
    judgements = pl.concat([read_judgements(file) for file in qrels])
    return together(
        [Collection(str(path), pl.concat(queries), pl.concat(passages), judgements)],
        name=plain_name(path),
        **provenance(path),
        parallel=False,
    )


def looks_like(path: Path) -> bool:
    """Whether a folder holds topics and qrels at first sight."""
    return path.is_dir() and bool(_files(path, ("topics", "topic"))) and bool(_files(path, ("qrels",)))


def _files(folder: Path, names: tuple[str, ...]) -> list[Path]:
    """Return the files of a folder, and of folders in it, whose own or folder's name begins with one of `names`."""
    found = [file for file in sorted(folder.glob("*")) if file.is_file() and file.name.lower().startswith(names)]
    folders = [part for part in sorted(folder.glob("*/")) if part.name.lower().startswith(names)]
    return [*found, *(file for part in folders for file in sorted(part.glob("*")) if file.is_file())]


def _language(file: Path, given: str) -> str | None:
    """Return the language of a file: that given, or what its name ends in; None where neither says it."""
    if given:
        return given
    name = unpacked_name(file.name)
    for ending in _ENDINGS:
        name = name.removesuffix(ending)
    code = code_at_end(name.replace("-", ".").replace("_", "."))
    return None if code is None else language_of(code)


def _topics(file: Path, language: str | None) -> pl.DataFrame:
    """Return topics of an XML or SGML file (their titles), or of one of `read_texts`."""
    with opened(file) as stream:
        head = stream.read(4096)
    if not head.lstrip(b"\xef\xbb\xbf").lstrip().startswith(b"<"):
        return read_texts([file], language=language)
    with opened(file) as stream:
        text = stream.read().decode("utf-8", "replace")
    if language is None:
        raise TaskError(f"{file}: the topics do not say their language; give it as [language=en]")
    rows = []
    for place, (_, attributes, body) in enumerate(_TOPIC.findall(text), start=1):
        number, title = _NUMBER.search(body) or _NUMBER.search(attributes), _TITLE.search(body)
        if number is None or title is None:
            raise TaskError(f"{file}: topic {place} has no number or no title")
        origin = f"{shown(file)}, topic {place}"
        rows.append((number[1] or number[2], " ".join(title[1].split()), language, None, None, origin))
    if not rows:
        raise TaskError(f"{file}: no <top> or <topic> in it")
    columns = ("id", "text", "language", "document", "parallel_id", "origin")
    return pl.DataFrame(rows, schema=dict.fromkeys(columns, pl.String()), orient="row")


FORMAT = Format(
    name="trec",
    summary="topic → judged passages, from a folder with topics* (TSV, JSON Lines or XML), qrels* and corpus*, docs* "
    "or collection*; languages from the ends of file names (docs.zh.jsonl), or a field 'language'",
    example="trec:DIR[language=en]",
    folder=True,
    options=(
        Option("language", "language of the topics, where neither their file's name nor its lines say it"),
        Option("title", "whether the title stands before a passage's text", choices=("yes", "no"), default="yes"),
    ),
    read=read,
    looks_like=looks_like,
)
