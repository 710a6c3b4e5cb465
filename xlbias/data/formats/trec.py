"""Reads TREC collections: topics, qrels and a corpus, as files of their own; one query set, or one a language.

NeuCLIR and CLEF have one set of topics and several languages' collections in one pool: ids of passages are then
unique over all of them, and stay as they are written.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import polars as pl

from xlbias.choices import suggestion
from xlbias.data.formats.base import Format, Option
from xlbias.data.formats.filenames import code_at_end, language_of
from xlbias.data.formats.items import Item, json_lines
from xlbias.data.formats.judged import TITLE, Collection, together
from xlbias.data.formats.judgements import read_judgements
from xlbias.data.formats.opening import opened, unpacked_name
from xlbias.data.formats.paths import exists, expanded
from xlbias.data.formats.reading import id_field, plain_name, provenance, string_field
from xlbias.data.formats.sgml import documents, is_marked_up, topics
from xlbias.data.formats.texts import read_texts, texts_of
from xlbias.data.task import RetrievalTask
from xlbias.errors import TaskError
from xlbias.languages import normalise_tag

_ENDINGS = (".jsonl", ".tsv", ".txt", ".xml", ".sgml", ".trec", ".json")
_KINDS = {"queries": "queries", "topics": "queries", "corpus": "corpus", "docs": "corpus", "qrels": "qrels"}
_NAME_LANGUAGE = "name the file docs.zh.jsonl, or give it as corpus.zh=FILE or [language=zh]"
_PART = re.compile(rf"\s*({'|'.join(_KINDS)})(?:\.([\w-]+))?\s*=\s*(.*?)\s*", re.DOTALL)
_BETWEEN = re.compile(rf",(?=\s*(?:{'|'.join(_KINDS)})(?:\.[\w-]+)?\s*=)")

Files = list[tuple[Path, str | None]]
"""Files, each with its language where that is known."""


def read(path: Path, options: Mapping[str, str]) -> RetrievalTask:
    """Read a folder with ``topics*``, ``qrels*`` and a corpus (``corpus*``, ``docs*`` or ``collection*``)."""
    found = {
        "queries": _files(path, ("topics", "topic", "queries")),
        "corpus": _files(path, ("corpus", "docs", "collection")),
        "qrels": _files(path, ("qrels",)),
    }
    missing = [
        f"{what}*"
        for what, kind in (("topics", "queries"), ("qrels", "qrels"), ("corpus", "corpus"))
        if not found[kind]
    ]
    if missing:
        raise TaskError(f"{path}: no file {' and no file '.join(missing)}; expected topics*, qrels* and corpus* in it")
    return _task(path, {kind: [(file, None) for file in files] for kind, files in found.items()}, options)


def read_named(target: str, options: Mapping[str, str]) -> RetrievalTask | None:
    """Read ``queries=FILE,corpus.zh=FILE,corpus.fa=FILE,qrels=FILE``; a corpus may be a folder of files."""
    parts = [_PART.fullmatch(part) for part in _BETWEEN.split(target)]
    found: dict[str, Files] = {kind: [] for kind in _KINDS.values()}
    for part in parts:
        if part is None:
            close = suggestion(target.partition("=")[0].partition(".")[0].strip(), _KINDS)
            if "=" in target and close:
                raise TaskError(
                    f"trec:{target}: {target.partition('=')[0]!r} is none of its files{close}; expected "
                    "queries=FILE,corpus=FILE,qrels=FILE"
                )
            return None
        path = expanded(part[3])
        if not part[3] or not exists(path):
            raise TaskError(f"{part[1]}={part[3]}: there is no such file")
        language = normalise_tag(part[2]) if part[2] else None
        files = sorted(file for file in path.iterdir() if file.is_file()) if path.is_dir() else [path]
        found[_KINDS[part[1]]] += [(file, language) for file in files]
    missing = [kind for kind, files in found.items() if not files]
    if missing:
        raise TaskError(f"trec:{target}: no {' and no '.join(missing)}; expected queries=FILE,corpus=FILE,qrels=FILE")
    return _task(found["queries"][0][0], found, options)


def looks_like(path: Path) -> bool:
    """Whether a folder holds topics and qrels at first sight."""
    return path.is_dir() and bool(_files(path, ("topics", "topic"))) and bool(_files(path, ("qrels",)))


def _task(path: Path, files: Mapping[str, Files], options: Mapping[str, str]) -> RetrievalTask:
    passages = [_passages(file, tag or _language(file), options) for file, tag in files["corpus"]]
    queries = [_topics(file, tag or options["language"] or _language(file), options) for file, tag in files["queries"]]
    judgements = pl.concat([read_judgements(file) for file, _ in files["qrels"]])
    return together(
        [Collection(str(path), pl.concat(queries), pl.concat(passages), judgements)],
        name=plain_name(path if path.is_dir() else path.parent),
        parallel=False,
        **provenance(path if path.is_dir() else path.parent),
    )


def _files(folder: Path, names: tuple[str, ...]) -> list[Path]:
    """Return the files of a folder, and of folders in it, whose own or folder's name begins with one of `names`."""
    found = [file for file in sorted(folder.glob("*")) if file.is_file() and file.name.lower().startswith(names)]
    folders = [part for part in sorted(folder.glob("*/")) if part.name.lower().startswith(names)]
    return [*found, *(file for part in folders for file in sorted(part.glob("*")) if file.is_file())]


def _language(file: Path) -> str | None:
    """Return the language that a file's name ends in; None where it does not say it."""
    name = unpacked_name(file.name)
    for ending in _ENDINGS:
        name = name.removesuffix(ending)
    code = code_at_end(name.replace("-", ".").replace("_", "."))
    return None if code is None else language_of(code)


def _passages(file: Path, language: str | None, options: Mapping[str, str]) -> pl.DataFrame:
    titles, otherwise = options["title"] == "yes", options["language"] or None
    if is_marked_up(file):
        items = documents(file, encoding=options["encoding"])
        return texts_of(items, language=language, otherwise=otherwise, titles=titles, remedy=_NAME_LANGUAGE)
    return read_texts([file], language=language, otherwise=otherwise, titles=titles, remedy=_NAME_LANGUAGE)


def _topics(file: Path, language: str | None, options: Mapping[str, str]) -> pl.DataFrame:
    """Return topics of an XML or SGML file, of JSON Lines as NeuCLIR writes them, or of one of `read_texts`."""
    fields = options["fields"]
    if is_marked_up(file):
        return _in_language(topics(file, fields=fields, encoding=options["encoding"]), file, language)
    with opened(file) as stream:
        head: bytes = stream.read(65_536)
    if head.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"{") and b'"topics"' in head:
        return _in_language(_of_neuclir(file, fields, options["translations"]), file, None)
    return read_texts([file], language=language)


def _in_language(items: Iterator[tuple[Item, str]], file: Path, language: str | None) -> pl.DataFrame:
    """Return topics in the language that they say, or else that of the file."""

    def said() -> Iterator[tuple[Item, str]]:
        for item, origin in items:
            if language is None and "language" not in item:
                raise TaskError(f"{file}: the topics do not say their language; give it as [language=en]")
            yield item, origin

    return texts_of(said(), language=language)


def _of_neuclir(file: Path, fields: str, translations: str) -> Iterator[tuple[Item, str]]:
    """Yield topics with ``topics``: the same one in several languages, original or translated by people or machines."""
    for item, origin in json_lines(file):
        own = id_field(item, "topic_id", origin)
        given = item.get("topics")
        if not own or not isinstance(given, list):
            raise TaskError(f"{origin}: expected the fields 'topic_id' and 'topics'")
        seen: set[str] = set()
        for one in sorted((one for one in given if isinstance(one, dict)), key=_by_machine):
            language = string_field(one, "lang", origin) or ""
            wanted = {"all": True, "human": not _by_machine(one), "no": one.get("source") == "original"}[translations]
            words = [string_field(one, f"topic_{name}", origin) or "" for name in fields.split("+")]
            text = " ".join(word.strip() for word in words).strip()
            if not wanted or not text or language in seen:
                continue
            seen.add(language)
            yield {"id": own, "text": text, "language": language}, origin


def _by_machine(topic: Item) -> bool:
    """Whether a topic was translated by a machine: the source is its name then, such as ``sockeye2``."""
    return topic.get("source") not in ("original", "human translation")


FORMAT = Format(
    name="trec",
    summary="topic → judged passages, from a folder with topics* (TSV, JSON Lines, XML or SGML), qrels* and corpus*, "
    "docs* or collection*, or from queries=FILE,corpus.zh=FILE,qrels=FILE; languages from the ends of file names "
    "(docs.zh.jsonl), or a field 'language'",
    example="trec:DIR[language=en]",
    folder=True,
    target="DIR or FILES",
    options=(
        Option("language", "language of topics and passages, where neither their file's name nor its lines say it"),
        TITLE,
        Option(
            "fields",
            "which fields of a topic are the query",
            choices=("title", "description", "title+description"),
            default="title",
        ),
        Option(
            "translations",
            "which translations of a topic are queries too, where its file has some, as NeuCLIR's",
            choices=("human", "all", "no"),
            default="human",
        ),
        Option("encoding", "encoding of XML and SGML that is not UTF-8 and does not declare one, such as latin-1"),
    ),
    read=read,
    read_named=read_named,
    looks_like=looks_like,
)
