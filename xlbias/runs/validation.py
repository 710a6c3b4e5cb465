"""What is read from a run is checked once, at the door: its metadata when it is opened, its rows as they are read.

What is behind the door may rely on it: every field has its type, every number is one, every name is known. Metadata
are typed records, see `xlbias.runs.run_info`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import polars as pl

from xlbias.choices import listed
from xlbias.errors import RunError
from xlbias.records import decode
from xlbias.runs.run_info import RunInfo
from xlbias.runs.schema import COLUMNS, MULTILINGUAL_POOL, SETTINGS

_DEEPEST = 64  # levels of metadata
_LARGEST = 2**63  # beyond what a column holds
_ROUNDING = 1e-6

# -- metadata --------------------------------------------------------------------------------------------------------


def check_metadata(path: Path, metadata: dict[str, Any]) -> dict[str, Any]:
    """Return `metadata` of a run, models and tasks with the fields that all have. Raises RunError, naming the field."""
    what = f"{path}: its run metadata is damaged"
    if wrong := _out_of_range(metadata):
        raise RunError(f"{what}: {wrong.removeprefix('.')}")
    full = {
        **metadata,
        "models": _with_defaults(metadata.get("models"), {}, {"card": {}}),
        "tasks": _with_defaults(metadata.get("tasks"), {"fingerprint": None}, {"domain": ""}),
    }
    info = decode(full, RunInfo, RunError, file=what)
    for kind, entries in (("models", info.models), ("tasks", info.tasks)):
        names = [entry.name for entry in entries]
        if len(set(names)) < len(names):
            twice = next(name for i, name in enumerate(names) if name in names[:i])
            raise RunError(f"{what}: {kind} has {twice!r} twice")
    return full


def _with_defaults(entries: object, missing: dict[str, Any], null: dict[str, Any]) -> object:
    """Return entries of a run's metadata with defaults for what is `missing`, and for what is missing or `null`.

    What is no list of objects is returned as it is.
    """
    if not isinstance(entries, list):
        return [] if entries is None else entries
    return [
        {**missing, **entry, **{name: default for name, default in null.items() if entry.get(name) is None}}
        if isinstance(entry, dict)
        else entry
        for entry in entries
    ]


def _out_of_range(metadata: object) -> str | None:
    """Return what is wrong with the size of a number or the depth of a list, wherever it stands."""
    waiting: list[tuple[object, str, int]] = [(metadata, "", 0)]
    while waiting:
        value, where, depth = waiting.pop()
        if depth > _DEEPEST:
            return f"{where[:80]}... is more than {_DEEPEST} levels deep"
        if isinstance(value, dict):
            waiting += [
                (one, f"{where}.{name}", depth + 1)
                for name, one in value.items()
                if not (name == "batches" and where.endswith(".card"))  # counts that are looked at one by one
            ]
        elif isinstance(value, list):
            waiting += [(one, f"{where}[{i}]", depth + 1) for i, one in enumerate(value)]
        elif isinstance(value, int) and not -_LARGEST <= value < _LARGEST:
            return f"{where} is a whole number of {value.bit_length()} bits; expected 64 at most"
    return None


# -- rows ------------------------------------------------------------------------------------------------------------

_PRESENT: dict[str, tuple[str, ...]] = {
    "ranking": ("model", "task", "query_id", "query_language", "pool", "setting", "n_relevant", "relevants"),
    "query": ("task", "query_id", "language", "text"),
    "passage": ("task", "passage_id", "language", "text"),
    "alignment": ("model", "task", "measure", "query_id"),
    "summary": ("model", "task", "measure"),
    "training": ("step",),
    "validation": ("step",),
}
"""Columns of each record that are never null."""

_COUNTED = (
    "n", "n_ids", "n_cells", "n_cells_empty", "n_excluded", "n_queries", "step", "memory_bytes",
    "n_monolingual_batches", "n_cross_lingual_batches", "n_mixed_batches",
)  # fmt: skip
_EVALUATED = ("ranking", "alignment", "summary")
"""Records whose numbers are finite or null, and whose tasks the metadata names. A training that diverges has losses
that are no numbers, and is told by them."""


def check_columns(path: Path, record: str, there: Mapping[str, Any]) -> None:
    """Raise RunError where a column of a file has another type than the schema says. One that is missing is null."""
    if "record" not in there:
        raise RunError(f"{path}: is damaged: it has no column 'record', which says what each row is")
    for name, found in there.items():
        wanted = COLUMNS.get(name)
        if wanted is not None and not _fits(found, wanted):
            raise RunError(f"{path}: is damaged: its column {name!r} holds {found}; expected {wanted} ({record} rows)")


def _fits(found: Any, wanted: Any) -> bool:
    """Whether a type is the one wanted; a struct may lack fields, as those of earlier versions do."""
    if found == pl.Null:
        return True
    if isinstance(wanted, pl.List):
        return isinstance(found, pl.List) and _fits(found.inner, wanted.inner)
    if isinstance(wanted, pl.Struct):
        if not isinstance(found, pl.Struct):
            return False
        fields = {field.name: field.dtype for field in wanted.fields}
        return all(field.name not in fields or _fits(field.dtype, fields[field.name]) for field in found.fields)
    return bool(found == wanted)


def checking(path: Path, record: str, pools: Mapping[str, Iterable[str]]) -> Callable[[pl.DataFrame], pl.DataFrame]:
    """Return a function that returns the rows of a record that it is given, any columns of them, if they are sound.

    `pools` are the languages of each task's passages. It raises RunError with file, record and column where a value
    cannot be.
    """
    by_task = {task: frozenset(languages) for task, languages in pools.items()}
    return partial(_checked, path, record, by_task)


def _checked(path: Path, record: str, pools: dict[str, frozenset[str]], frame: pl.DataFrame) -> pl.DataFrame:
    wrong = next(_faults(record, pools, frame), None) if frame.height else None
    if wrong is not None:
        raise RunError(f"{path}: is damaged: in its {record} rows, {wrong}")
    return frame


def _faults(record: str, pools: dict[str, frozenset[str]], frame: pl.DataFrame) -> Iterator[str]:
    there = frame.columns
    for name in _PRESENT[record]:
        if name in there and frame[name].null_count():
            yield f"{name!r} is missing"
    for name in _COUNTED:
        if name in there and _least(frame[name]) < 0:
            yield f"{name!r} is {_least(frame[name]):,}; expected a count"
    if record not in _EVALUATED:
        return
    for name, dtype in frame.schema.items():
        if dtype.is_float() and not frame[name].is_finite().all():
            yield f"{name!r} holds something that is not a number"
    if "task" in there and (unknown := sorted(set(frame["task"].unique()) - set(pools))):
        yield f"'task' is {unknown[0]!r}; the run's metadata has {listed(sorted(pools))}"
    if record == "ranking":
        tasks = frame["task"].unique().to_list() if "task" in there else []
        parts = [frame.filter(pl.col("task") == task) for task in tasks] if len(tasks) > 1 else [frame]
        for part in parts:
            task = part["task"][0] if tasks else None
            languages = pools[task] if task is not None else frozenset().union(*pools.values())
            yield from _of_rankings(languages, part)


def _of_rankings(languages: frozenset[str], frame: pl.DataFrame) -> Iterator[str]:
    there = frame.columns
    if "ap" in there and not frame["ap"].is_between(0.0, 1.0 + _ROUNDING).all():
        yield "'ap' is not between 0 and 1"
    for name, known in (("setting", frozenset(SETTINGS)), ("pool", languages | {MULTILINGUAL_POOL})):
        if name in there and (unknown := sorted(set(frame[name].unique()) - known)):
            yield f"{name!r} is {unknown[0]!r}; expected one of {listed(sorted(known))}"
    if "relevants" in there:
        if "n_relevant" in there and not (frame["relevants"].list.len() == frame["n_relevant"]).all():
            yield "'relevants' are not as many as 'n_relevant' says"
        yield from _of_passages("relevants", frame["relevants"], languages)
    for name in ("top", "tied_with_last"):
        if name in there:
            yield from _of_passages(name, frame[name], languages)


def _of_passages(column: str, lists: pl.Series, languages: frozenset[str]) -> Iterator[str]:
    inner = lists.explode(empty_as_null=False, keep_nulls=False)
    if inner.is_empty():
        return
    fields = {field.name: inner.struct.field(field.name) for field in inner.dtype.fields}  # type: ignore[attr-defined]
    for name in ("passage_id", "language", "rank", "relevance", "n"):
        if name in fields and fields[name].null_count():
            yield f"{column + '.' + name!r} is missing"
    if "rank" in fields and _least(fields["rank"]) < 1:
        yield f"'{column}.rank' is {_least(fields['rank']):,}; expected 1 or more"
    if "tied_before" in fields and (fields["tied_before"] >= fields["rank"]).any():
        yield f"'{column}.tied_before' is not less than the rank"
    if "score" in fields and not fields["score"].is_finite().all():
        yield f"'{column}.score' holds something that is not a number"
    if "language" in fields and (unknown := sorted(set(fields["language"].unique()) - languages)):
        yield f"'{column}.language' is {unknown[0]!r}; the task has {listed(sorted(languages))}"


def _least(column: pl.Series) -> int:
    least = column.min()
    return least if isinstance(least, int) else 1
