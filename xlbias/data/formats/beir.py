"""Reads BEIR folders: ``corpus.jsonl``, ``queries.jsonl`` and ``qrels/PART.tsv``; one, or one for each language.

A folder that `xlbias data convert --format beir` wrote comes back as the task it was: languages, query ids, documents
and parallel ids stand in the lines' ``metadata``. Format: Thakur et al. 2021 (arXiv 2104.08663) and its library.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import polars as pl

from xlbias.choices import listed
from xlbias.data.formats.base import Format, Option
from xlbias.data.formats.filenames import by_language, language_code
from xlbias.data.formats.items import json_lines
from xlbias.data.formats.judged import TITLE, Collection, parallel_option, together
from xlbias.data.formats.judgements import read_judgements
from xlbias.data.formats.opening import unpacked_name
from xlbias.data.formats.paths import by_tag, existing_path
from xlbias.data.formats.reading import Provenance, plain_name, provenance
from xlbias.data.formats.tables import collection
from xlbias.data.task import RetrievalTask
from xlbias.errors import TaskError

PARTS = ("test", "dev", "validation", "train")
"""Files of judgements in the order in which one is taken where none is asked for."""

_FILES = ("corpus.jsonl", "queries.jsonl")


def read(path: Path, options: Mapping[str, str]) -> RetrievalTask:
    """Read a BEIR folder, or a folder that holds one for each language, named by it (``en``, ``de``)."""
    if is_beir(path):
        return read_folders({"": path}, options)
    folders = _by_language(path)
    if not folders:
        raise TaskError(
            f"{path}: expected {' and '.join(_FILES)} in it, or in folders in it that are named by a language (en, de)"
        )
    return read_folders(folders, options, name=plain_name(path), facts=provenance(path, _FACTS))


def read_named(target: str, options: Mapping[str, str]) -> RetrievalTask | None:
    """Read ``en=DIR,de=DIR``: a BEIR folder for each language."""
    folders = by_tag(target)
    found = {tag: existing_path(folder, folder=True, name="beir") for tag, folder in folders.items()}
    return read_folders(found, options) if found else None


def read_folders(
    folders: Mapping[str, Path],
    options: Mapping[str, str],
    *,
    name: str | None = None,
    facts: Provenance | None = None,
) -> RetrievalTask:
    """Read BEIR folders by language; one folder may have the language ``""``: its lines, or `options`, say it.

    Raises TaskError with file and line for what is no BEIR folder.
    """
    first = next(iter(folders.values()))
    language = options.get("language") or None
    if language and any(folders):
        raise TaskError("option 'language' is for one folder; here each folder has its own")
    found, more_documents = [], []
    for tag, folder in folders.items():
        one, more = _collection(folder, tag or language, options)
        found.append(one)
        more_documents.append(more)
    task = together(
        found,
        name=name or plain_name(first),
        parallel=options.get("parallel") == "id",
        **(facts or provenance(first, _FACTS)),
    )
    documents = pl.concat(more_documents).join(task.passages, on="passage_id", how="semi", maintain_order="left")
    return task.changed(more_documents=documents)


def is_beir(folder: Path) -> bool:
    """Whether a folder holds a BEIR corpus and queries."""
    return all(_file(folder, name) is not None for name in _FILES)


def _by_language(path: Path) -> dict[str, Path]:
    codes = {}
    for folder in sorted(path.iterdir()):
        code = language_code(folder.name)
        if code is not None and folder.is_dir() and is_beir(folder):
            codes[folder] = code
    return by_language(codes, what="folder")


def _collection(folder: Path, language: str | None, options: Mapping[str, str]) -> tuple[Collection, pl.DataFrame]:
    corpus, queries = (_file(folder, name) for name in _FILES)
    if corpus is None or queries is None:
        raise TaskError(f"{folder}: expected the files {' and '.join(_FILES)}")
    return collection(
        str(folder),
        json_lines(corpus),
        json_lines(queries),
        read_judgements(_judgements(folder, options.get("part", ""))),
        language=language,
        titles=options.get("title", "yes") == "yes",
    )


def _judgements(folder: Path, part: str) -> Path:
    """Return the file of judgements of a part; of the first of PARTS where none is asked for."""
    qrels = folder / "qrels"
    if not qrels.is_dir():
        raise TaskError(f"{folder}: no folder 'qrels' in it; expected qrels/test.tsv")
    endings = (".tsv", ".txt", ".jsonl")
    files: dict[str, Path] = {}
    for ending in reversed(endings):  # the same judgements may be there as .tsv and as .jsonl
        files |= {
            unpacked_name(file.name).removesuffix(ending): file
            for file in sorted(qrels.iterdir())
            if unpacked_name(file.name).endswith(ending)
        }
    wanted = part or next((name for name in PARTS if name in files), next(iter(files), ""))
    if wanted not in files:
        there = f"it has {listed(files)}" if files else "it has no .tsv file"
        raise TaskError(f"{qrels}: no judgements of part {wanted or 'test'!r}; {there}")
    return files[wanted]


def _file(folder: Path, name: str) -> Path | None:
    return next((file for file in sorted(folder.glob(f"{name}*")) if unpacked_name(file.name) == name), None)


_FACTS = ("SOURCE.md", "README.md")

FORMAT = Format(
    name="beir",
    summary="query → judged passages, from a BEIR folder (corpus.jsonl, queries.jsonl, qrels/test.tsv), or one for "
    "each language (en, de), or beir:en=DIR,de=DIR",
    example="beir:DIR[language=en;part=test]",
    folder=True,
    options=(
        Option("language", "language of all texts, where the lines do not say it"),
        Option("part", "which file of judgements to read (default: test, else dev, else train)"),
        TITLE,
        parallel_option("the folders of several languages"),
    ),
    read=read,
    read_named=read_named,
    looks_like=is_beir,
)
