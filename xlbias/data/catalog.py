"""From the name of a task to the task: ``builtin:money``, ``lareqa:DIR[languages=en,de;split=test]``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Literal, cast, get_args

from xlbias.choices import suggestion
from xlbias.data.formats import FORMAT_NAMES
from xlbias.data.formats.base import Format, Option
from xlbias.data.formats.paths import existing_path, exists, expanded
from xlbias.data.parallels import without_parallels
from xlbias.data.selves import without_selves
from xlbias.data.split import By, Part, split_task
from xlbias.data.task import RetrievalTask
from xlbias.errors import TaskError, UsageError
from xlbias.records import quoted
from xlbias.text import clean

BUILTIN = "builtin"

_LONGEST = 300  # characters of a task's name in an error

GENERAL_OPTIONS = (
    Option("languages", "only texts in these languages, such as en,de,th (after a split, never before it)"),
    Option("split", "one side of a split without leaks", choices=get_args(Part)),
    Option("by", "what a split keeps together", choices=("document", "id", "auto"), default="auto"),
    Option("test", "share of query ids in the test part of a split", default="0.2"),
    Option("seed", "another seed gives another split", default="0"),
    Option("name", "what reports call the task"),
    Option("domain", "what the task is about, where its data does not say or says it otherwise"),
    Option(
        "parallel",
        "whether texts with one id are translations of one another; no: each language has ids of its own",
        choices=("yes", "no"),
        default="yes",
    ),
    Option(
        "self",
        "a query that is a passage of its own pool is ranked like all others, or left out of it (ignore)",
        choices=("rank", "ignore"),
        default="rank",
    ),
)
_ONLY_WITH_SPLIT = ("by", "test", "seed")
_EXPECTED = "expected builtin:NAME or FORMAT:PATH, see `xlbias data list`"


@dataclass(frozen=True)
class TaskSpec:
    """A parsed task name: format (or ``builtin``), path (or the builtin's name) and the options as given."""

    format: str
    target: str
    options: Mapping[str, str]


def load_task(spec: str) -> RetrievalTask:
    """Load a task by name: ``builtin:NAME`` or ``FORMAT:PATH``, with options in brackets, separated by ``;``.

    For instance ``builtin:money``, ``lareqa:data/xquad-r[languages=en,de,th]``,
    ``bitext:data/ntrex128[pairs=headline;split=train;by=document;test=0.2;seed=0]``. A split is made of the whole
    task and languages are selected afterwards, so that ``split=train`` and ``split=test`` share nothing whatever their
    languages are.

    Raises TaskError if there is no such format, builtin, file, folder or option, or if the data is not what it must
    be; the message names file, place and what was expected.
    """
    parsed = parse_spec(spec)
    if parsed.format == BUILTIN:
        own: dict[str, str] = {}
        general = _checked_options(parsed, ())
        task = _load_builtin(parsed.target)
    else:
        reader = get_format(parsed.format)
        own = _checked_options(parsed, reader.options)
        taken = {option.name for option in reader.options}
        names = [option.name for option in GENERAL_OPTIONS if option.name not in taken]
        general = {name: own.pop(name) for name in names if name in own}
        task = _read(reader, parsed.target, _with_defaults(own, reader.options))
    return _select(task, own, general)


def _read(reader: Format, target: str, options: Mapping[str, str]) -> RetrievalTask:
    """Read a task; where that fails and the path looks like another format's, say so."""
    try:
        if reader.read_named is not None and (reader.read is None or not (target and exists(expanded(target)))):
            task = reader.read_named(target, options)
            if task is not None:
                return task
        return _read_path(reader, target, options)
    except TaskError as error:
        others = [other.name for other in _looking_like(expanded(target)) if other.name != reader.name]
        if not others or "This looks like" in str(error):
            raise
        named = " or ".join(f"{name}:{target}" for name in others)
        raise TaskError(f"{error}. This looks like {others[0]}: use {named}") from error


def _read_path(reader: Format, target: str, options: Mapping[str, str]) -> RetrievalTask:
    if reader.read is None:
        raise TaskError(f"{reader.name}:{target}: expected {reader.name}:{reader.target}, such as {reader.example}")
    return reader.read(existing_path(target, folder=reader.folder, name=reader.name), options)


def _looking_like(path: Path) -> list[Format]:
    """Return the formats that a path looks like at first sight."""
    if not exists(path):
        return []
    return [one for one in describe_formats() if one.looks_like is not None and one.looks_like(path)]


def parse_spec(spec: str) -> TaskSpec:
    """Take a task name apart; a trailing ``[...]`` is options unless a file of that very name exists."""
    kind, colon, rest = spec.partition(":")
    if not colon:
        close = suggestion(spec, builtin_tasks(), before=f"{BUILTIN}:")
        raise TaskError(f"unknown task {quoted(spec, _LONGEST)}{close}: {_EXPECTED}")
    known = (BUILTIN, *FORMAT_NAMES)
    if kind not in known:
        raise TaskError(
            f"unknown format {quoted(kind)} in {quoted(spec, _LONGEST)}{suggestion(kind, known)}: {_EXPECTED}"
        )
    match = re.fullmatch(r"(.*)\[([^\[\]]*)\]", rest, re.DOTALL)
    if kind != BUILTIN and exists(expanded(rest)):
        return TaskSpec(kind, rest, {})
    if match is None:
        if re.search(r"\[\w+=[^\[\]]*$", rest):
            raise TaskError(f"{quoted(spec, _LONGEST)}: its options end without a ]; expected [name=value;name=value]")
        return TaskSpec(kind, rest, {})
    options: dict[str, str] = {}
    for item in filter(None, (item.strip() for item in match.group(2).split(";"))):
        name, equals, value = (part.strip() for part in item.partition("="))
        if not equals or not value:
            raise TaskError(f"option {item!r} in {spec!r} has no value: expected [name=value;name=value]")
        if name in options:
            raise TaskError(f"option {name!r} is there twice in {spec!r}")
        options[name] = value
    return TaskSpec(kind, match.group(1), options)


def get_format(name: str) -> Format:
    """Return the description and reader of one of FORMAT_NAMES."""
    return cast(Format, import_module(f"xlbias.data.formats.{name}").FORMAT)


def describe_formats() -> list[Format]:
    """Return all formats with their help, example and own options, in the order of `xlbias data list`."""
    return [get_format(name) for name in FORMAT_NAMES]


def builtin_tasks() -> dict[str, str]:
    """Return the embedded tasks: name → one line of what they are about."""
    from xlbias.data import builtin

    return dict(builtin.BUILTIN)


def default_tasks(part: Literal["train", "test"]) -> list[str]:
    """Return the tasks of a command that names none: what is trained on by default is held out of evaluation."""
    return [f"{BUILTIN}:{name}[split={part}]" for name in builtin_tasks()]


# -- the parts of load_task --------------------------------------------------------------------------------------------


def _load_builtin(name: str) -> RetrievalTask:
    known = builtin_tasks()
    if name not in known:
        there = ", ".join(f"{BUILTIN}:{task}" for task in known)
        raise TaskError(f"no embedded task {name!r}{suggestion(name, known)}: choose from {there}")
    from xlbias.data.builtin import load_builtin

    return load_builtin(name)


def _checked_options(spec: TaskSpec, own: tuple[Option, ...]) -> dict[str, str]:
    """Return the options given, all of them known and with a value among the choices."""
    known = {option.name: option for option in (*GENERAL_OPTIONS, *own)}
    for name, value in spec.options.items():
        if name not in known:
            raise TaskError(f"{spec.format} has no option {name!r}{suggestion(name, known)}: it has {', '.join(known)}")
        choices = known[name].choices
        if choices and value not in choices:
            raise TaskError(f"option {name}={value!r} of {spec.format}: expected {' or '.join(choices)}")
        if name in _ONLY_WITH_SPLIT and "split" not in spec.options:
            raise TaskError(f"option {name!r} is about a split: give split=train or split=test with it")
    return dict(spec.options)


def _with_defaults(given: Mapping[str, str], options: tuple[Option, ...]) -> dict[str, str]:
    return {option.name: given.get(option.name, option.default) for option in options}


def _select(task: RetrievalTask, own: Mapping[str, str], general: Mapping[str, str]) -> RetrievalTask:
    """Apply the general options, and name the task so that two selections of one corpus never share a name."""
    parts = [f"{name}={Path(value).name if name == 'documents' else value}" for name, value in own.items()]
    if "domain" in general:
        task = task.changed(domain=clean(general["domain"]))
    base = task.name
    if general.get("parallel") == "no":
        task = without_parallels(task)
        parts.append("parallel=no")
    if "split" in general:
        given = {name: general[name] for name in ("split", *_ONLY_WITH_SPLIT) if name in general}
        task = _split(task, given)
        defaults = {option.name: option.default for option in GENERAL_OPTIONS}
        parts += [f"{name}={value}" for name, value in given.items() if value != defaults[name]]
    if "languages" in general:
        whole = task.languages
        task = task.select_languages(filter(None, (tag.strip() for tag in general["languages"].split(","))))
        if task.languages != whole:
            parts.append(f"languages={','.join(task.languages)}")
    if general.get("self") == "ignore":
        task = without_selves(task)
        parts.append("self=ignore")
    selection = f"[{';'.join(parts)}]" if parts else ""
    return task.renamed(clean(general.get("name") or base + selection))


def _split(task: RetrievalTask, given: Mapping[str, str]) -> RetrievalTask:
    try:
        fraction = float(given.get("test", "0.2"))
        seed = int(given.get("seed", "0"))
    except ValueError as error:
        raise TaskError(f"options of a split: test must be a number and seed a whole number ({error})") from error
    try:
        return split_task(
            task,
            cast(Part, given["split"]),
            by=cast(By, given.get("by", "auto")),
            test_fraction=fraction,
            seed=seed,
        )
    except UsageError as error:
        raise TaskError(f"{task.name}: {error}") from error
