"""Types of arguments and options: how a word is read, and to what a shell completes it.

What is completed is looked up when a shell asks, with no library that takes long to load.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, Literal

import click
from click.shell_completion import CompletionItem

from xlbias.choices import suggestion

Words = Iterable[tuple[str, str]]
"""Words with what a shell that shows it says of each, or nothing."""

BEGINNING = (":", "=", "/")
"""How a completion ends that is the beginning of a word only."""

RUN_ENDING, LIVE_ENDING = ".parquet", ".live"

DEVICES = ("cpu", "cuda", "mps")
"""Torch devices that are offered."""


class Choice(click.Choice[str]):
    """One of a few words; for a wrong one, those that are close to it are named."""

    def get_invalid_choice_message(self, value: Any, ctx: click.Context | None) -> str:
        """Return what is wrong with a word."""
        return f"{value!r}{suggestion(str(value), self.choices)}; choose from {', '.join(self.choices)}"


class Word(click.ParamType[str]):
    """Any text, of which a shell can complete what is known.

    Args:
        known: returns words for a command line so far. What ends as in BEGINNING is the beginning of one.
        commas: whether several can stand there, with commas between them.
        paths: endings of files that can stand there too, beside folders; ``("",)`` for any file. None for no paths.
    """

    name = "text"

    def __init__(
        self,
        known: Callable[[click.Context], Words] | None = None,
        *,
        commas: bool = False,
        paths: tuple[str, ...] | None = None,
    ) -> None:
        self.known, self.commas, self.paths = known, commas, paths

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        """Return what begins with `incomplete`."""
        done, comma, begun = incomplete.rpartition(",") if self.commas else ("", "", incomplete)
        found = [
            _item(f"{done}{comma}{word}", told)
            for word, told in (_known(self.known, ctx) if self.known is not None else ())
            if word.startswith(begun)
        ]
        return found + (paths(incomplete, self.paths) if self.paths is not None else [])


class RunPath(Word):
    """A run: its file, or the folder that holds it."""

    name = "run"

    def __init__(self) -> None:
        super().__init__(paths=(RUN_ENDING, RUN_ENDING + LIVE_ENDING))

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the path of the run. Raises RunError for a folder that holds none or several."""
        if not Path(value).is_dir():
            return str(value)
        from xlbias.runs.folder import run_of

        return str(run_of(value))


class RunOrFolder(RunPath):
    """A run, or a folder of runs, which stays one."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the path."""
        return str(value)


class TaskName(Word):
    """A task: ``builtin:NAME`` or ``FORMAT:PATH``."""

    name = "task"

    def __init__(self) -> None:
        super().__init__(lambda _: _tasks())

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        """Return tasks and formats, and behind a format the paths of this machine."""
        kind, colon, target = incomplete.partition(":")
        if not colon or kind == "builtin":
            return super().shell_complete(ctx, param, incomplete)
        return paths(target, ("",), before=f"{kind}:")


class RunOrTask(RunPath):
    """A run, or a task."""

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        """Return runs and tasks."""
        tasks = TaskName().shell_complete(ctx, param, incomplete)
        return tasks + (super().shell_complete(ctx, param, incomplete) if ":" not in incomplete else [])


def paths(incomplete: str, endings: tuple[str, ...], *, before: str = "") -> list[CompletionItem]:
    """Return the folders, and the files with one of these endings, whose path begins with `incomplete`.

    A run in progress is named as the run. `before` goes before every path.
    """
    folder, slash, name = incomplete.rpartition("/")
    found: set[str] = set()
    for entry in _entries(Path(folder + slash).expanduser() if folder + slash else Path()):
        if not entry.name.startswith(name) or (entry.name.startswith(".") and not name) or not entry.name.isprintable():
            continue
        if entry.name.endswith(RUN_ENDING + LIVE_ENDING):
            if RUN_ENDING + LIVE_ENDING in endings:
                found.add(entry.name.removesuffix(LIVE_ENDING))
        elif _is_folder(entry):
            found.add(f"{entry.name}/")
        elif entry.name.endswith(endings):
            found.add(entry.name)
    return [_item(f"{before}{folder}{slash}{one}", "") for one in sorted(found)]


# -- what is known ---------------------------------------------------------------------------------------------------


def fixed(*words: str) -> Callable[[click.Context], Words]:
    """Return what gives always these words."""
    return lambda _: ((word, "") for word in words)


def of_run(kind: Literal["encoder", "task"], *parameters: str) -> Callable[[click.Context], Words]:
    """Return what gives the names of encoders or tasks of a run: the value of the first parameter that is given."""

    def known(ctx: click.Context) -> Words:
        values = {**_arguments(ctx), **{name: value for name, value in ctx.params.items() if value}}
        given = next((values[name] for name in parameters if name in values), None)
        if given is None:
            return ()
        from xlbias.runs.run_file import RunFile, open_run_file

        run = open_run_file(given if isinstance(given, str) else given[0], RunFile)
        return ((one.name, "") for one in (run.models if kind == "encoder" else run.tasks) if one.name.isprintable())

    return known


def measures(_: click.Context) -> Iterator[tuple[str, str]]:
    """Yield all measures."""
    from xlbias.measures.registry import all_measures

    return ((name, one.label) for name, one in all_measures().items())


def matrix_measures(_: click.Context) -> Iterator[tuple[str, str]]:
    """Yield the measures that have a matrix."""
    from xlbias.results.matrix import MATRIX_MEASURES

    return ((name, "") for name in MATRIX_MEASURES)


def recipes(_: click.Context) -> Iterator[tuple[str, str]]:
    """Yield the recipes that come with xlbias."""
    from xlbias.packaged import models_folder

    return ((path.stem, "") for path in sorted(models_folder().glob("*.toml")))


def recipe_settings(_: click.Context) -> Iterator[tuple[str, str]]:
    """Yield the settings of a recipe, each as the beginning of ``KEY=VALUE``."""
    from msgspec.structs import fields

    from xlbias.train.recipe import Recipe

    return ((f"{field.encode_name}=", "") for field in fields(Recipe))


def finding_kinds(_: click.Context) -> Iterator[tuple[str, str]]:
    """Yield the kinds of findings."""
    from xlbias.results.findings import kinds

    return ((kind, "") for kind in kinds())


def thresholds(_: click.Context) -> Iterator[tuple[str, str]]:
    """Yield the thresholds of findings, each as the beginning of ``NAME=NUMBER``."""
    from dataclasses import fields

    from xlbias.results.findings import Thresholds

    return ((f"{one.name}=", "") for one in fields(Thresholds))


def encoders(_: click.Context) -> Iterator[tuple[str, str]]:
    """Yield the encoders that come with xlbias, and the kinds that there are."""
    from xlbias.encode.kinds import KIND_NAMES
    from xlbias.packaged import packaged_encoders

    yield from ((name, "comes with xlbias") for name in packaged_encoders())
    yield from ((f"{kind}:", "") for kind in KIND_NAMES)


def public_sets(_: click.Context) -> Iterator[tuple[str, str]]:
    """Yield the public data sets."""
    from xlbias.data.public.sets import SETS

    return ((one.name, one.summary) for one in SETS)


def papers(_: click.Context) -> Iterator[tuple[str, str]]:
    """Yield the papers whose printed results are known."""
    from xlbias.results.published import sources

    return ((name, "") for name in sources())


def _tasks() -> Iterator[tuple[str, str]]:
    from xlbias.data.builtin import BUILTIN
    from xlbias.data.formats import FORMAT_NAMES

    yield from ((f"builtin:{name}", summary) for name, summary in BUILTIN.items())
    yield from ((f"{name}:", "") for name in FORMAT_NAMES)


def _arguments(ctx: click.Context) -> dict[str, Any]:
    """Return the arguments of a line that click has not parsed to its end, as an option without a value ends it."""
    names = [one.name or "" for one in ctx.command.params if isinstance(one, click.Argument)]
    of_name = {one.name: one.type for one in ctx.command.params}
    return {name: of_name[name](given, None, ctx) for name, given in zip(names, ctx.args, strict=False)}


def _known(known: Callable[[click.Context], Words], ctx: click.Context) -> list[tuple[str, str]]:
    """Return the words, none where they cannot be looked up: a shell that asks wants no error."""
    try:
        return list(known(ctx))
    except Exception:
        return []


def _item(word: str, told: str) -> CompletionItem:
    return CompletionItem(word, help=told or None)


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return list(entries)
    except OSError:
        return []


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False
