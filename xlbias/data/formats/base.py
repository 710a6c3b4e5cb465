"""What a format is to the catalogue: a name, a line of help, its own options, and a reader."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from xlbias.data.task import RetrievalTask


@dataclass(frozen=True)
class Option:
    """One option in the brackets of a task name: ``pairs=headline``.

    `choices` are the values it takes, or none where any text is allowed; `default` is the value that leaving the
    option out stands for.
    """

    name: str
    summary: str
    choices: tuple[str, ...] = ()
    default: str = ""


@dataclass(frozen=True)
class Format:
    """A format that tasks are read from: ``NAME:PATH[option=value]``.

    `read` takes the path (which exists, and is a folder exactly if `folder`) and a value for every one of `options`,
    and returns the task under its plain name; it raises TaskError with file, place and field for what it cannot read.
    `read_named`, where there is one, is asked first where the target is no path that exists, or where there is no
    `read`: it takes the target as it was given (``en=DIR,de=DIR``, or a name in a collection), and returns None where
    that is nothing to it. `target` is what a list says of the target, such as ``TASK``; else DIR or FILE.
    `looks_like` tells whether a path is of this format at first sight, so that a wrong name can be answered with the
    right one. An option with the name of a general one takes its place.
    """

    name: str
    summary: str
    example: str
    folder: bool
    options: tuple[Option, ...]
    read: Callable[[Path, Mapping[str, str]], RetrievalTask] | None = None
    read_named: Callable[[str, Mapping[str, str]], RetrievalTask | None] | None = None
    looks_like: Callable[[Path], bool] | None = None
    target: str = ""
