"""Reads the plan of a study from TOML and checks it before anything runs: every key, type, name and choice."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Literal, cast

from xlbias.data.catalog import parse_spec
from xlbias.errors import UsageError, XlbiasError
from xlbias.samplers import SAMPLERS
from xlbias.study.plan import DATA, Plan
from xlbias.text import clean
from xlbias.train.recipe import (
    MOST_SEEDS,
    STATIC,
    Recipe,
    find_recipe,
    parse_settings,
    recipe_for,
    recipe_name_of,
    shown_value,
)

KEYS = (
    "title", "samplers", "alphas", "seeds", "recipe", "top_k", "top_of", "baseline", "data", "settings", "sources",
    "targets", "in_domain",
)  # fmt: skip
TOPS = ("all", "multilingual")
MOST_TOP_K = 1_000_000

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


def read_plan(path: Path, data: Path | None = None) -> Plan:
    """Read a plan; `data` replaces the folder that it says its data is in.

    A recipe's file and the data's folder are looked for from the folder of the plan, paths in tasks from the current
    one. Raises UsageError naming the file and the key if it is no plan.
    """
    try:
        content = tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror or error}") from error
    except (ValueError, RecursionError) as error:  # not UTF-8, or not TOML: the latter's message names the line
        raise UsageError(f"{path}: is not TOML: {error}") from error
    try:
        return _Reader(path, content).plan(data)
    except XlbiasError as error:
        raise UsageError(f"{path}: {error}") from error


class _Reader:
    """Takes the values of a plan one by one; UsageError names the key, `read_plan` the file."""

    def __init__(self, path: Path, content: Mapping[str, Any]) -> None:
        self.path, self.content = path, content
        for key in content:
            if key not in KEYS:
                raise UsageError(f"unknown key {key!r}{_hint(key, KEYS)}")

    def plan(self, data: Path | None) -> Plan:
        samplers = self._samplers()
        recipe_name, settings, recipe = self._recipe()
        sources, targets = self._sources(), self._targets()
        plan = Plan(
            path=self.path,
            title=clean(self._get("title", str, "a string", self.path.stem)),
            samplers=samplers,
            alphas=self._alphas("hybrid" in samplers),
            seeds=self._seeds(),
            recipe=recipe,
            recipe_name=recipe_name,
            settings=settings,
            top_k=self._top_k(),
            top_of=cast(Literal["all", "multilingual"], self._one_of("top_of", "multilingual", TOPS)),
            baseline=self._one_of("baseline", samplers[0], samplers),
            sources=sources,
            targets=targets,
            in_domain=self._in_domain(sources, targets),
            data=self._data(data),
        )
        for table, name, task in _tasks(sources, targets):
            if DATA in task and plan.data is None:
                raise UsageError(f"{table}.{name}: names {DATA}: add the key 'data', or give --data DIR")
            with _about(f"{table}.{name}"):
                parse_spec(plan.spec(task))
        names = [encoder.name for encoder in plan.encoders()]
        for name in names:
            if names.count(name) > 1:
                raise UsageError(f"alphas: two encoders would be called {name!r}: choose α with fewer digits")
        return plan

    def _get(self, key: str, kind: type[Any], expected: str, default: Any = None) -> Any:
        """Return the value of `key`, of exactly this type; None as default stands for a key that must be there."""
        if key not in self.content:
            if default is None:
                raise UsageError(f"has no key {key!r}: expected {expected}")
            return default
        value = self.content[key]
        if type(value) is not kind:
            raise UsageError(f"{key} is {shown_value(value)}: expected {expected}")
        return value

    def _samplers(self) -> tuple[str, ...]:
        samplers = self._get("samplers", list, 'a list such as ["mono", "cross"]')
        for sampler in samplers:
            if sampler not in SAMPLERS:
                raise UsageError(f"samplers: unknown sampler {shown_value(sampler)}{_hint(sampler, SAMPLERS)}")
        return tuple(_distinct("samplers", samplers))

    def _alphas(self, hybrid: bool) -> tuple[float, ...]:
        if not hybrid and "alphas" in self.content:
            raise UsageError("alphas: are for the sampler 'hybrid', which is not among samplers")
        alphas = self._get("alphas", list, "a list of probabilities", [0.5] if hybrid else [])
        for alpha in alphas:
            if type(alpha) not in (int, float) or not 0 <= alpha <= 1:
                raise UsageError(f"alphas: {shown_value(alpha)} is no probability: expected a number from 0 to 1")
        return tuple(map(float, _distinct("alphas", alphas))) if hybrid else ()

    def _seeds(self) -> tuple[int, ...]:
        seeds = self.content.get("seeds", 1)
        if type(seeds) is int and 1 <= seeds <= MOST_SEEDS:
            return tuple(range(seeds))
        if type(seeds) is not list:
            raise UsageError(
                f"seeds is {shown_value(seeds)}: expected how many, from 1 to {MOST_SEEDS:,}, or a list of them"
            )
        for seed in seeds:
            if type(seed) is not int or not 0 <= seed < 2**32:
                raise UsageError(f"seeds: {shown_value(seed)} is no seed: expected a whole number from 0 to 4294967295")
        return tuple(_distinct("seeds", seeds))

    def _recipe(self) -> tuple[str, dict[str, Any], Recipe]:
        """Return the recipe's name, what is overridden of it, and the recipe, as `xlbias train` puts them together."""
        table = self._table("settings", required=False)
        if "seed" in table:
            raise UsageError("settings.seed: the seeds of a study are its key 'seeds'")
        for key, value in table.items():
            if type(value) not in (bool, int, float, str):
                raise UsageError(f"settings.{key} is {shown_value(value)}: expected a single value")
        with _about("settings"):
            settings = parse_settings(
                [f"{key}={json.dumps(value, ensure_ascii=False)}" for key, value in table.items()]
            )
        base: str | None = settings.get("base")
        name: str = self._get("recipe", str, "a recipe's name or file", base or STATIC)
        file = Path(name).suffix == ".toml"
        with _about("recipe"):
            if "recipe" in self.content:
                recipe = find_recipe(str(self.path.parent / Path(name).expanduser()) if file else name)
            else:
                recipe = recipe_for(name)
        with _about("settings"):
            of_base = {}
            if base:
                known = recipe_name_of(base)
                found = find_recipe(known) if known else Recipe(base)
                of_base = {"base": found.base, "pooling": settings.get("pooling", found.pooling)}
            return name, settings, recipe.overridden(**{**settings, **of_base})

    def _top_k(self) -> int:
        top_k: int = self._get("top_k", int, "a whole number", 10)
        if not 1 <= top_k <= MOST_TOP_K:
            raise UsageError(f"top_k is {shown_value(top_k)}: expected at least 1 and at most {MOST_TOP_K:,}")
        return top_k

    def _one_of(self, key: str, default: str, choices: Collection[str]) -> str:
        value: str = self._get(key, str, " or ".join(choices), default)
        if value not in choices:
            raise UsageError(f"{key} is {shown_value(value)}{_hint(value, choices)}")
        return value

    def _sources(self) -> dict[str, tuple[str, ...]]:
        sources = {}
        for name, tasks in self._table("sources").items():
            if not _NAME.fullmatch(name):
                raise UsageError(f"sources.{name}: encoders' folders are named so: expected letters, digits and . _ -")
            listed = tasks if type(tasks) is list else [tasks]
            if not listed or not all(type(task) is str for task in listed):
                raise UsageError(f"sources.{name} is {shown_value(tasks)}: expected a task, or a list of tasks")
            sources[name] = tuple(listed)
        return sources

    def _targets(self) -> dict[str, str]:
        targets = self._table("targets")
        for name, task in targets.items():
            if not name.strip() or clean(name) != name:
                raise UsageError(f"targets: {name!r} is no name: expected one that can be printed")
            if type(task) is not str:
                raise UsageError(f"targets.{name} is {shown_value(task)}: expected a task")
        return targets

    def _in_domain(self, sources: Collection[str], targets: Collection[str]) -> dict[str, str]:
        in_domain = self._table("in_domain", required=False)
        for target, source in in_domain.items():
            if target not in targets:
                raise UsageError(f"in_domain: unknown target {target!r}{_hint(target, targets)}")
            if source not in sources:
                raise UsageError(f"in_domain.{target}: unknown source {source!r}{_hint(source, sources)}")
        return in_domain

    def _table(self, key: str, *, required: bool = True) -> dict[str, Any]:
        table: dict[str, Any] = self._get(key, dict, f"a table [{key}]", None if required else {})
        if required and not table:
            raise UsageError(f"{key}: is empty: expected at least one NAME = TASK")
        return table

    def _data(self, given: Path | None) -> Path | None:
        if given is not None:
            folder, key = given.expanduser(), "--data"
        elif "data" in self.content:
            named = Path(self._get("data", str, "a folder")).expanduser()
            folder, key = self.path.parent / named, "data"
        else:
            return None
        if not folder.is_dir():
            raise UsageError(f"{key}: there is no folder {folder}" + ("; --data DIR names another" * (key == "data")))
        return folder.resolve()


@contextmanager
def _about(key: str) -> Iterator[None]:
    """Put a key before the message of whatever goes wrong in the block, as UsageError."""
    try:
        yield
    except XlbiasError as error:
        raise UsageError(f"{key}: {error}") from error


def _tasks(sources: Mapping[str, tuple[str, ...]], targets: Mapping[str, str]) -> Iterable[tuple[str, str, str]]:
    """Return table, name and task of all tasks of a plan."""
    yield from (("sources", name, task) for name, tasks in sources.items() for task in tasks)
    yield from (("targets", name, task) for name, task in targets.items())


def _distinct(key: str, values: list[Any]) -> list[Any]:
    if not values:
        raise UsageError(f"{key}: is empty: expected at least one")
    for i, value in enumerate(values):
        if value in values[:i]:
            raise UsageError(f"{key}: {shown_value(value)} is there twice")
    return values


def _hint(word: object, known: Collection[str]) -> str:
    close = get_close_matches(str(word), list(known), n=1)
    return f"; did you mean {close[0]!r}?" if close else f": expected {', '.join(known)}"
