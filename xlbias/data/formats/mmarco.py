"""Reads mMARCO as published: MS MARCO's passages and queries, translated; parallel by id.

``chinese_collection.tsv`` and ``chinese_queries.dev.small.tsv`` for each language, anywhere below the folder, and MS
MARCO's own ``qrels.dev.small.tsv``. Bonifacio et al. 2021 (arXiv 2108.13897).
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from xlbias.choices import listed
from xlbias.data.formats.base import Format, Option
from xlbias.data.formats.filenames import language_named
from xlbias.data.formats.judged import Collection, together
from xlbias.data.formats.judgements import read_judgements
from xlbias.data.formats.opening import unpacked_name
from xlbias.data.formats.reading import plain_name, provenance
from xlbias.data.formats.texts import read_texts
from xlbias.data.task import RetrievalTask
from xlbias.errors import TaskError

_COLLECTION = "_collection.tsv"


def read(path: Path, options: Mapping[str, str]) -> RetrievalTask:
    """Read mMARCO's languages below a folder: those whose passages and queries are both there."""
    part = options["part"]
    passages, queries = _by_language(path, _COLLECTION), _by_language(path, f"_queries.{part}.tsv")
    judgements = next(iter(sorted(path.rglob(f"qrels.{part}.tsv*"))), None)
    whole = sorted(passages.keys() & queries.keys())
    if not whole:
        raise TaskError(
            f"{path}: no language with passages and queries of part {part!r}; expected chinese{_COLLECTION} and "
            f"chinese_queries.{part}.tsv below it; there are passages in {listed(sorted(passages)) or 'no language'} "
            f"and queries in {listed(sorted(queries)) or 'none'}"
        )
    if judgements is None:
        raise TaskError(f"{path}: no file qrels.{part}.tsv below it; it comes with MS MARCO")
    judged = read_judgements(judgements)
    return together(
        [
            Collection(
                f"{path}, {language}",
                read_texts([queries[language]], language=language),
                read_texts([passages[language]], language=language),
                judged,
            )
            for language in whole
        ],
        name=plain_name(path),
        parallel=options["parallel"] == "id",
        **provenance(path, source="github.com/unicamp-dl/mMARCO", domain="search"),
    )


def looks_like(path: Path) -> bool:
    """Whether there are mMARCO's passages below a folder."""
    return path.is_dir() and bool(_by_language(path, _COLLECTION))


def _by_language(path: Path, ending: str) -> dict[str, Path]:
    """Return the files below `path` called ``LANGUAGE`` and `ending`, by language."""
    found = {}
    for file in sorted(path.rglob(f"*{ending}*")):
        name = unpacked_name(file.name)
        language = language_named(name.removesuffix(ending)) if name.endswith(ending) else None
        if language is not None:
            found[language] = file
    return found


FORMAT = Format(
    name="mmarco",
    summary="query → passage with the same id in every language, from mMARCO's files (chinese_collection.tsv, "
    "chinese_queries.dev.small.tsv) and MS MARCO's qrels.dev.small.tsv, below a folder",
    example="mmarco:DIR[part=dev.small;languages=en,de,zh]",
    folder=True,
    options=(
        Option("part", "which queries and qrels to read, such as train", default="dev.small"),
        Option(
            "parallel",
            "whether equal ids in several languages are translations of one another",
            choices=("id", "no"),
            default="id",
        ),
    ),
    read=read,
    looks_like=looks_like,
)
