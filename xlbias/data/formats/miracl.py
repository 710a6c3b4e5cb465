"""Reads MIRACL as published: topics, qrels and a corpus for each language; nothing is parallel.

MIRACL (Zhang et al. 2023): ``miracl-v1.0-ar/topics/topics.miracl-v1.0-ar-dev.tsv``,
``miracl-v1.0-ar/qrels/qrels.miracl-v1.0-ar-dev.tsv`` and ``miracl-corpus-v1.0-ar/docs-0.jsonl.gz``, anywhere below the
folder.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from xlbias.choices import listed
from xlbias.data.formats.base import Format, Option
from xlbias.data.formats.judged import TITLE, Collection, together
from xlbias.data.formats.judgements import read_judgements
from xlbias.data.formats.opening import unpacked_name
from xlbias.data.formats.reading import plain_name, provenance
from xlbias.data.formats.texts import read_texts
from xlbias.data.task import RetrievalTask
from xlbias.errors import TaskError

_TOPICS = re.compile(r"topics\.miracl-v[\d.]+-(?P<language>[a-z]{2,3})-(?P<part>[\w-]+)\.tsv")
_QRELS = re.compile(r"qrels\.miracl-v[\d.]+-(?P<language>[a-z]{2,3})-(?P<part>[\w-]+)\.tsv")
_CORPUS = re.compile(r"miracl-corpus-v[\d.]+-(?P<language>[a-z]{2,3})")
_PARTS = ("dev", "testA", "testB", "train")
_IN_NAMES = {"testA": "test-a", "testB": "test-b"}
"""How MIRACL's files call parts that its data set on the hub calls otherwise."""


def read(path: Path, options: Mapping[str, str]) -> RetrievalTask:
    """Read MIRACL's languages below a folder: those of which topics, qrels and corpus are there."""
    part = options["part"]
    topics, qrels, corpora = _found(path, _TOPICS, part), _found(path, _QRELS, part), _corpora(path)
    whole = sorted(topics.keys() & qrels.keys() & corpora.keys())
    if not whole:
        there = {"topics": sorted(topics), "qrels": sorted(qrels), "corpora": sorted(corpora)}
        called = _IN_NAMES.get(part, part)
        found = "; ".join(f"{what} of {listed(languages)}" for what, languages in there.items() if languages)
        raise TaskError(
            f"{path}: no language with topics and qrels of part {part!r} and a corpus; expected "
            f"topics.miracl-v1.0-ar-{called}.tsv, qrels.miracl-v1.0-ar-{called}.tsv and "
            f"miracl-corpus-v1.0-ar/docs-0.jsonl below it; there is {found or 'nothing'}"
        )
    titles = options["title"] == "yes"
    found_all = [
        Collection(
            f"{path}, {language}",
            read_texts([topics[language]], language=language),
            read_texts(corpora[language], language=language, titles=titles),
            read_judgements(qrels[language]),
        )
        for language in whole
    ]
    return together(
        found_all,
        name=plain_name(path),
        parallel=False,
        **provenance(path, source="github.com/project-miracl/miracl", licence="Apache-2.0", domain="encyclopedia"),
    )


def looks_like(path: Path) -> bool:
    """Whether there are MIRACL's topics below a folder."""
    return path.is_dir() and next(path.rglob("topics.miracl-*.tsv"), None) is not None


def _found(path: Path, pattern: re.Pattern[str], part: str) -> dict[str, Path]:
    """Return the files below `path` with such a name, of one part, by language."""
    found = {}
    for file in sorted(path.rglob("*.miracl-*")):
        match = pattern.fullmatch(unpacked_name(file.name))
        if match and match["part"].lower().replace("-", "") == part.lower():
            found[match["language"]] = file
    return found


def _corpora(path: Path) -> dict[str, list[Path]]:
    """Return the corpus files below `path`, by language, in the order of their numbers."""
    found: dict[str, list[Path]] = {}
    for folder in sorted([path, *path.rglob("miracl-corpus-*")]):
        match = _CORPUS.fullmatch(folder.name)
        if match and folder.is_dir():
            files = [file for file in folder.iterdir() if unpacked_name(file.name).endswith(".jsonl")]
            found[match["language"]] = sorted(files, key=lambda file: (len(file.name), file.name))
    return {language: files for language, files in found.items() if files}


FORMAT = Format(
    name="miracl",
    summary="question → judged passages of Wikipedia, from MIRACL's topics, qrels and corpora below a folder; not "
    "parallel",
    example="miracl:DIR[part=dev;languages=ar,en]",
    folder=True,
    options=(
        Option("part", "which topics and qrels to read", choices=_PARTS, default="dev"),
        TITLE,
    ),
    read=read,
    looks_like=looks_like,
)
