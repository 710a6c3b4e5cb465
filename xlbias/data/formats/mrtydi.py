"""Reads Mr. TyDi as published: ``mrtydi-v1.1-arabic`` with topics, qrels and a collection, a folder for each language.

Topics are ``topic.dev.tsv``, judgements ``qrels.dev.txt``, passages ``collection/docs.jsonl.gz``. Nothing is parallel.
Zhang et al. 2021 (arXiv 2108.08787).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from xlbias.data.formats.base import Format, Option
from xlbias.data.formats.filenames import language_named
from xlbias.data.formats.judged import TITLE, Collection, together
from xlbias.data.formats.judgements import read_judgements
from xlbias.data.formats.opening import unpacked_name
from xlbias.data.formats.reading import plain_name, provenance
from xlbias.data.formats.texts import read_texts
from xlbias.data.task import RetrievalTask
from xlbias.errors import TaskError

_FOLDER = re.compile(r"mrtydi-v[\d.]+-(?P<language>\w+)")


def read(path: Path, options: Mapping[str, str]) -> RetrievalTask:
    """Read one of Mr. TyDi's folders, or a folder that holds some of them."""
    part = options["part"]
    folders = _folders(path)
    if not folders:
        raise TaskError(f"{path}: expected a folder such as mrtydi-v1.1-arabic, or a folder that holds some")
    return together(
        [
            Collection(
                str(folder),
                read_texts([_file(folder, f"topic.{part}.tsv")], language=language),
                read_texts(_passages(folder), language=language, titles=options["title"] == "yes"),
                read_judgements(_file(folder, f"qrels.{part}.txt")),
            )
            for language, folder in sorted(folders.items())
        ],
        name=plain_name(path),
        parallel=False,
        **provenance(path, source="github.com/castorini/mr.tydi", licence="Apache-2.0", domain="encyclopedia"),
    )


def looks_like(path: Path) -> bool:
    """Whether a folder is one of Mr. TyDi's, or holds some."""
    return path.is_dir() and bool(_folders(path))


def _folders(path: Path) -> dict[str, Path]:
    found = {}
    for folder in [path, *sorted(path.glob("mrtydi-*"))]:
        match = _FOLDER.fullmatch(folder.resolve().name)
        language = language_named(match["language"]) if match and folder.is_dir() else None
        if language is not None:
            found[language] = folder
    return found


def _file(folder: Path, name: str) -> Path:
    file = next((file for file in sorted(folder.rglob(f"{name}*")) if unpacked_name(file.name) == name), None)
    if file is None:
        raise TaskError(f"{folder}: no file {name} in it")
    return file


def _passages(folder: Path) -> list[Path]:
    files = [file for file in sorted(folder.rglob("docs*.jsonl*")) if unpacked_name(file.name).endswith(".jsonl")]
    if not files:
        raise TaskError(f"{folder}: no file collection/docs.jsonl in it")
    return files


FORMAT = Format(
    name="mrtydi",
    summary="question → judged passages of Wikipedia, from Mr. TyDi's folders (mrtydi-v1.1-arabic); not parallel",
    example="mrtydi:DIR[part=dev;languages=ar,en]",
    folder=True,
    options=(
        Option("part", "which topics and qrels to read", choices=("train", "dev", "test"), default="dev"),
        TITLE,
    ),
    read=read,
    looks_like=looks_like,
)
