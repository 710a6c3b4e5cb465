"""Tells what the files of a data set are, by its card and their names: configurations, splits, and BEIR's three tables.

Data sets of Hugging Face's library `datasets` come as a folder that `save_to_disk` wrote, or as Parquet, JSON Lines or
CSV files, which the head of ``README.md`` may sort into configurations. No file is opened here, so that a repository
on the hub is understood by the list of its files before any is downloaded.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from xlbias.choices import listed, suggestion
from xlbias.data.formats.filenames import language_of
from xlbias.data.formats.items import ENDINGS
from xlbias.data.formats.opening import unpacked_name
from xlbias.errors import TaskError

PARTS = ("test", "dev", "validation", "train")
"""Splits in the order in which one is taken where none is asked for."""

Splits = dict[str, list[str]]
"""Split → its files, as paths below the folder."""

_KIND = re.compile(r"(?:(?P<before>.+)[-_.])?(?P<kind>corpus|queries|query|qrels|default)(?:[-_.](?P<after>.+))?", re.I)
_KINDS = {"query": "queries", "default": "qrels"}
_SHARD = re.compile(r"[-_.]?\d{5}-of-\d{5}(?:-[0-9a-f]{16})?")
_SPLITS = {
    "train": "train", "training": "train", "test": "test", "testing": "test", "dev": "dev", "val": "validation",
    "valid": "validation", "validation": "validation",
}  # fmt: skip
_MOST_STARS = 8  # in a pattern: each makes matching slower
_PAIR = re.compile(r"([A-Za-z]{2,3}(?:_[A-Z][a-z]{3})?)-([a-z]{2,3}(?:_[A-Z][a-z]{3})?)")


@dataclass(frozen=True)
class Subset:
    """The three tables of one subset, mostly a language, as files.

    Attributes:
        name: what its configurations have in common; empty where there is only one.
        corpus: files of passages.
        queries: files of queries.
        qrels: files of judgements.
    """

    name: str
    corpus: list[str]
    queries: list[str]
    qrels: list[str]

    @property
    def files(self) -> list[str]:
        """All files of the subset."""
        return [*self.corpus, *self.queries, *self.qrels]

    def languages(self, pairs: str) -> tuple[str | None, str | None]:
        """Return the languages of its queries and of its corpus, as its name says them; None where it does not.

        A name such as ``en-de`` says two, in the order that `pairs` gives: ``query-corpus`` or ``corpus-query``.
        Raises TaskError where `pairs` is needed and empty.
        """
        two = _PAIR.fullmatch(self.name)
        first, second = (language_of(part) for part in two.groups()) if two else (None, None)
        if first is None or second is None:
            language = language_of(self.name) if self.name else None
            return language, language
        if not pairs:
            raise TaskError(
                f"subset {self.name!r} names two languages; say which comes first: [pairs=query-corpus] or "
                "[pairs=corpus-query]"
            )
        return (first, second) if pairs == "query-corpus" else (second, first)


def configurations(files: Iterable[str], card: Mapping[str, Any]) -> dict[str, Splits]:
    """Return the files of each split of each configuration.

    Args:
        files: paths below the folder, with ``/``.
        card: the head of README.md; its ``configs`` count where they are there.

    Raises TaskError for a card that names files outside.
    """
    names = sorted(files)
    given = card.get("configs")
    if isinstance(given, list) and any(isinstance(one, dict) for one in given):
        return _of_card([one for one in given if isinstance(one, dict)], names)
    found: dict[str, Splits] = {}
    saved = {str(PurePosixPath(name).parent) for name in names if PurePosixPath(name).name == "state.json"}
    for name in names:
        path = PurePosixPath(name)
        folder = str(path.parent)
        if folder in saved:
            if path.suffix != ".arrow" or not path.name.startswith(("data-", "dataset.")):
                continue
            parts = path.parent.parts
        elif unpacked_name(path.name).endswith(ENDINGS) and path.name not in (
            "dataset_dict.json",
            "dataset_infos.json",
        ):
            parts = (*path.parent.parts, _stem(path))
        else:
            continue
        config, split = _place(parts)
        found.setdefault(config, {}).setdefault(split, []).append(name)
    return found


def subsets(configs: Mapping[str, Splits], *, part: str, wanted: Sequence[str] = ()) -> list[Subset]:
    """Return the subsets that have all three tables; none where it is no data set of three tables.

    Args:
        configs: as `configurations` returns them.
        part: the split of the judgements; empty for the first of PARTS that is there.
        wanted: names of subsets; empty for all.

    Raises TaskError for a subset or a part that is not there.
    """
    tables: dict[str, dict[str, Splits]] = {}
    for config, splits in configs.items():
        subset, kind = _kind(config)
        if kind:
            tables.setdefault(subset, {}).setdefault(kind, {}).update(splits)
    known = {name: one for name, one in tables.items() if len(one) == 3}
    if not any("corpus" in one or len(one) > 1 for one in tables.values()):
        return []
    if not known:
        there = listed(sorted(configs))
        raise TaskError(f"no subset has the three tables corpus, queries and qrels; its configurations are {there}")
    for name in wanted:
        if name not in known:
            raise TaskError(f"no subset {name!r}{suggestion(name, known)}; it has {listed(sorted(known)) or 'one'}")
    return [_chosen(name, known[name], part) for name in sorted(known) if not wanted or name in wanted]


def flat(configs: Mapping[str, Splits], *, part: str, wanted: Sequence[str] = ()) -> dict[str, list[str]]:
    """Return the files of a data set of one table, by configuration; of one split of each.

    Raises TaskError for a configuration or a part that is not there.
    """
    for name in wanted:
        if name not in configs:
            raise TaskError(f"no configuration {name!r}{suggestion(name, configs)}; it has {listed(sorted(configs))}")
    chosen = {name: configs[name] for name in (wanted or configs)}
    return {name: splits[_part(splits, part, name, order=("train", *PARTS))] for name, splits in chosen.items()}


def _chosen(name: str, tables: Mapping[str, Splits], part: str) -> Subset:
    where = f"subset {name!r}: qrels" if name else "qrels"
    split = _part(tables["qrels"], part, where, order=PARTS)
    corpus, queries = (
        tables[kind][_part(tables[kind], "", kind, order=(split, kind, ""))] for kind in ("corpus", "queries")
    )
    return Subset(name, corpus, queries, tables["qrels"][split])


def _part(splits: Splits, part: str, what: str, *, order: Sequence[str]) -> str:
    """Return the split that is asked for; where none is, the first of `order` that is there, or the only one."""
    if part in splits or (part and list(splits) == [""]):  # a table without splits is all there is
        return part if part in splits else ""
    if not part:
        first = next((split for split in order if split in splits), None)
        if first is not None or len(splits) == 1:
            return first if first is not None else next(iter(splits))
    there = listed(sorted(split or "(none)" for split in splits))
    raise TaskError(f"{what}: no part {part or 'test'!r}; it has {there}: give it as [part=...]")


def _kind(config: str) -> tuple[str, str]:
    """Return (subset, table) of a configuration's name: ``ar-corpus`` → ``ar``, ``corpus``; no table for another."""
    match = _KIND.fullmatch(config)
    if match is None:
        return "", ""
    kind = match["kind"].lower()
    return match["before"] or match["after"] or "", _KINDS.get(kind, kind)


def _place(parts: Sequence[str]) -> tuple[str, str]:
    """Return configuration and split of a file by its path: ``ar/qrels/test`` → ``ar-qrels``, ``test``."""
    parts = [part for part in parts if part not in ("data", ".")]
    for number, part in enumerate(parts):
        match = _KIND.fullmatch(part)
        if match is None or match["kind"].lower() == "default":
            continue
        around = [piece for piece in (match["before"], match["after"]) if piece]
        split = next((_SPLITS[piece.lower()] for piece in around if piece.lower() in _SPLITS), "")
        names = [piece for piece in around if piece.lower() not in _SPLITS]
        rest = parts[number + 1 :]
        if rest and not split:
            split = _split(rest[-1]) or rest[-1]
        return "-".join([*parts[:number], *names, match["kind"].lower()]), split
    return "-".join(parts[:-1]) or "default", _split(parts[-1]) if parts else ""


def _split(name: str) -> str:
    return next((_SPLITS[word] for word in re.split(r"[^a-z]+", name.lower()) if word in _SPLITS), "")


def _stem(path: PurePosixPath) -> str:
    name = unpacked_name(path.name)
    for ending in ENDINGS:
        name = name.removesuffix(ending)
    return _SHARD.sub("", name)


def _of_card(configs: Iterable[Mapping[str, Any]], names: Sequence[str]) -> dict[str, Splits]:
    found: dict[str, Splits] = {}
    for config in configs:
        name = str(config.get("config_name", "default"))
        folder = str(config.get("data_dir") or "").strip("/")
        given = config.get("data_files", "**" if folder else None)
        if given is None:
            continue
        splits = found.setdefault(name, {})
        for one in given if isinstance(given, list) else [given]:
            split, paths = (one.get("split"), one.get("path")) if isinstance(one, dict) else (None, one)
            for pattern in paths if isinstance(paths, list) else [paths]:
                if not isinstance(pattern, str):
                    raise TaskError(f"README.md: configuration {name!r} names no files: {str(one)[:80]}")
                for file in _matching(f"{folder}/{pattern}".lstrip("/") if folder else pattern, name, names):
                    own = str(split) if split else _split(PurePosixPath(file).name)
                    splits.setdefault(own, []).append(file)
    return {name: splits for name, splits in found.items() if splits}


def _matching(pattern: str, config: str, names: Sequence[str]) -> list[str]:
    pattern = pattern.removeprefix("./")
    if "://" in pattern or pattern.startswith(("/", "~")) or ".." in pattern.split("/"):
        raise TaskError(
            f"README.md: configuration {config!r} names files outside the data set ({pattern[:80]}): these are not read"
        )
    if pattern.count("*") > _MOST_STARS:
        raise TaskError(f"README.md: configuration {config!r} has a pattern with too many stars: {pattern[:80]}")
    expression = re.compile(_expression(pattern))
    hidden = [part for part in pattern.split("/") if part.startswith((".", "__"))]
    return [
        name
        for name in names
        if expression.fullmatch(name)
        and unpacked_name(name).lower().endswith(ENDINGS)
        and (hidden or not any(part.startswith((".", "__")) for part in name.split("/")))
    ]


def _expression(pattern: str) -> str:
    """Return a pattern of files as a regular expression: ``**`` is any folders, ``*`` and ``?`` stay within a name."""
    pieces = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    parts = re.split(r"(\*\*/|\*\*|\*|\?|\[[^\]/]+\])", pattern)
    return "".join(
        pieces.get(part) or (part if re.fullmatch(r"\[[\w-]+\]", part) else re.escape(part)) for part in parts
    )
