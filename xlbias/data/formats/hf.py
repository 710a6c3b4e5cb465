"""Reads data sets of Hugging Face's `datasets`: saved to disk, as Parquet, JSON Lines or CSV files, or from the hub.

Three layouts are known: BEIR's three tables (configurations ``corpus``, ``queries`` and ``qrels`` or ``default``, with
a language before them where there are several: ``ar-corpus``), pairs to train on, and a column ``translation``. Files
are read as they are: no code of a data set is ever run, and an id that looks like a number stays a text.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import polars as pl

from xlbias.choices import listed
from xlbias.data.formats.base import Format, Option
from xlbias.data.formats.dataset_files import Subset, configurations, flat, subsets
from xlbias.data.formats.filenames import language_of
from xlbias.data.formats.hub import card, is_name, repository
from xlbias.data.formats.items import Item, items_of_all
from xlbias.data.formats.judged import TITLE, parallel_option, together
from xlbias.data.formats.judgements import judgements_of
from xlbias.data.formats.merging import translations
from xlbias.data.formats.pairs import read_pairs
from xlbias.data.formats.reading import UNKNOWN, Provenance, Rows, id_field, plain_name, provenance
from xlbias.data.formats.tables import collection
from xlbias.data.task import RetrievalTask
from xlbias.errors import TaskError

_SCRIPTS = "has no data files that are known, but Python code to make them ({}), which xlbias never runs"
_DEEPEST = 4  # folders below the given one


def read(path: Path, options: Mapping[str, str]) -> RetrievalTask:
    """Read a folder: one that `save_to_disk` wrote, or one of Parquet, JSON Lines, CSV or Arrow files."""
    files = _files(path)
    found = card(path / "README.md")
    facts = _facts(path, found)
    return _task(str(path), files, found, options, name=plain_name(path), facts=facts, folder=lambda _: path)


def read_named(target: str, options: Mapping[str, str]) -> RetrievalTask | None:
    """Read a data set of the hub, ``owner/name``: its card first, then the files that are needed."""
    if not is_name(target):
        return None
    there = repository(target, options["revision"] or None)
    head = card(there.fetch(["README.md"]) / "README.md") if "README.md" in there.files else {}
    facts = _facts(None, head)
    facts["source"] = f"huggingface.co/datasets/{target} at {there.revision[:12]}"
    name = target.rpartition("/")[2]
    return _task(target, there.files, head, options, name=name, facts=facts, folder=there.fetch)


def looks_like(path: Path) -> bool:
    """Whether a folder was saved by `datasets`, or holds files that a README.md sorts into configurations."""
    if not path.is_dir():
        return False
    if any((path / name).is_file() for name in ("dataset_dict.json", "state.json")):
        return True
    try:
        return "configs" in card(path / "README.md")
    except TaskError:
        return False


def _task(
    where: str,
    files: list[str],
    head: Mapping[str, Any],
    options: Mapping[str, str],
    *,
    name: str,
    facts: Provenance,
    folder: Callable[[list[str]], Path],
) -> RetrievalTask:
    """Return the task of a data set, given its files and how to get a folder in which some of them are."""
    part = options["part"]
    wanted = [one for one in (piece.strip() for piece in options["subsets"].split(",")) if one]
    try:
        configs = configurations(files, head)
        if not configs:
            scripts = [file for file in files if file.endswith(".py")]
            raise TaskError(
                _SCRIPTS.format(listed(scripts))
                if scripts
                else "no data set in it: expected what save_to_disk writes, or files of Parquet, JSON Lines or CSV"
            )
        found = subsets(configs, part=part, wanted=wanted)
        if found:
            return _judged(where, found, head, options, name, facts, folder([f for one in found for f in one.files]))
        tables = flat(configs, part=part, wanted=wanted)
    except TaskError as error:
        raise TaskError(f"{where}: {error}") from error
    root = folder([file for table in tables.values() for file in table])
    return _of_rows(where, tables, root, options, head, name, facts)


def _judged(
    where: str,
    found: list[Subset],
    head: Mapping[str, Any],
    options: Mapping[str, str],
    name: str,
    facts: Provenance,
    root: Path,
) -> RetrievalTask:
    collections, more_documents = [], []
    for subset in found:
        asked, searched = subset.languages(options["pairs"])
        given = options["language"] or None
        if given and len(found) > 1 and searched:
            raise TaskError("option 'language' is for one subset; here each has its own")
        default = given or searched or (_only_language(head) if not _say_language(root, subset) else None)
        one, more = collection(
            f"{where}, {subset.name}" if subset.name else where,
            items_of_all(root / file for file in subset.corpus),
            items_of_all(root / file for file in subset.queries),
            judgements_of(items_of_all(root / file for file in subset.qrels)),
            language=default,
            query_language=asked,
            titles=options["title"] == "yes",
        )
        collections.append(one)
        more_documents.append(more)
    task = together(collections, name=name, parallel=options["parallel"] == "id", **facts)
    documents = pl.concat(more_documents).join(task.passages, on="passage_id", how="semi", maintain_order="left")
    return task.changed(more_documents=documents)


def _say_language(root: Path, subset: Subset) -> bool:
    """Whether the first passage of a subset says its own language."""
    first = next(iter(items_of_all([root / subset.corpus[0]])), None)
    if first is None:
        return False
    metadata = first[0].get("metadata")
    return any(
        isinstance(holder, dict) and (holder.get("language") or holder.get("lang")) for holder in (first[0], metadata)
    )


def _of_rows(
    where: str,
    tables: Mapping[str, list[str]],
    root: Path,
    options: Mapping[str, str],
    head: Mapping[str, Any],
    name: str,
    facts: Provenance,
) -> RetrievalTask:
    """Return the task of a data set of one table: pairs, or translations."""
    first = next(_rows(tables, root), None)
    if first is None:
        raise TaskError(f"{where}: the data set has no rows")
    if isinstance(first[0].get("translation"), dict):
        return _translations(_rows(tables, root), name, facts)
    language = options["language"] or _only_language(head)
    return read_pairs(_rows(tables, root), where, language=language, name=name, facts=facts)


def _rows(tables: Mapping[str, list[str]], root: Path) -> Iterator[tuple[Item, str]]:
    """Yield the rows of all configurations; those of one that is named by a language say it, where they do not."""
    for config, files in tables.items():
        language = language_of(config)
        for item, origin in items_of_all(root / file for file in files):
            yield ({"language": language} if language else {}) | item, origin


def _translations(items: Iterator[tuple[Item, str]], name: str, facts: Provenance) -> RetrievalTask:
    """Return sentence → translation of rows with texts by language in a field ``translation``."""
    rows = Rows("id", "language", "text", "document", "origin")
    for number, (item, origin) in enumerate(items, start=1):
        texts = item.get("translation")
        own = id_field(item, "id", origin) or str(number)
        for language, text in texts.items() if isinstance(texts, dict) else ():
            if isinstance(text, str) and text.strip():
                rows.add(own, language, text, None, origin)
    return RetrievalTask(name=name, **facts, **translations(rows.frame(), parallel_by="row"))


def _files(path: Path) -> list[str]:
    return [
        relative.as_posix()
        for file in sorted(path.rglob("*"))
        if file.is_file() and len((relative := file.relative_to(path)).parts) <= _DEEPEST
    ]


def _facts(folder: Path | None, head: Mapping[str, Any]) -> Provenance:
    licence = head.get("license")
    stated = ", ".join(map(str, licence)) if isinstance(licence, list) else licence
    known = stated[:80] if isinstance(stated, str) and stated.strip() else UNKNOWN
    if folder is None:
        return {"source": UNKNOWN, "licence": known, "domain": UNKNOWN}
    return provenance(folder, ("SOURCE.md", "README.md"), licence=known)


def _only_language(head: Mapping[str, Any]) -> str | None:
    """Return the language that a card names, where it names one."""
    given = head.get("language")
    languages = given if isinstance(given, list) else [given]
    return str(languages[0]) if len(languages) == 1 and isinstance(languages[0], str) else None


FORMAT = Format(
    name="hf",
    summary="a data set of Hugging Face's library: a folder that save_to_disk wrote, or of Parquet or JSON Lines "
    "files, or its name on the hub; with configurations corpus, queries and qrels (ar-corpus, ...), pairs, or "
    "translations",
    example="hf:DIR[subsets=ar,en;part=dev]",
    folder=True,
    target="DIR or NAME",
    options=(
        Option("subsets", "which subsets to load, such as ar,en (default: all)"),
        Option("part", "which split to read (default: test, else dev, else train)"),
        Option("language", "language of all texts, where neither subsets nor rows nor the card say it"),
        TITLE,
        parallel_option("several subsets"),
        Option("pairs", "order of the languages in a subset's name such as en-de: query-corpus or corpus-query"),
        Option("revision", "which commit, branch or tag of the hub's data set to read"),
    ),
    read=read,
    read_named=read_named,
    looks_like=looks_like,
)
