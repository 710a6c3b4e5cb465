"""Recipes: every setting of a training beside tasks and sampler, read from TOML and overridable one by one."""

from __future__ import annotations

import math
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, fields, replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any, get_type_hints

import xlbias
from xlbias.errors import TrainingError

STATIC = "static"
"""The base that is not loaded but made: `xlbias.encode.static`."""

SCHEDULES = ("linear", "cosine", "constant")


@dataclass(frozen=True)
class Recipe:
    """How an encoder is trained. The defaults are those of arXiv 2408.10536 for a pretrained encoder.

    Attributes:
        base: ``static``, a sentence-transformers folder, or the name of an encoder on the hub.
        steps: number of batches to train on; 0 for as many as `epochs` have.
        epochs: passes of as many batches as the ids of all tasks would fill.
        batch_size: pairs in a batch; every other pair of it is a negative.
        learning_rate: its peak, for AdamW.
        schedule: how it falls after the warm-up: ``linear`` or ``cosine`` to 0, or ``constant``.
        warmup: share of the steps over which it rises from 0.
        weight_decay: of AdamW.
        temperature: cosine similarities are divided by it before the softmax of InfoNCE.
        query_prefix: put before every query, in training and afterwards.
        passage_prefix: put before every passage.
        seed: of weights, batches and whatever else is drawn.
        dimension: length of a vector (`static` only; others bring theirs).
        vocabulary: number of sub-words (`static` only).
        initial_scale: standard deviation of untrained token vectors (`static` only).

    Raises TrainingError if a value cannot be used.
    """

    base: str
    steps: int = 0
    epochs: float = 1.0
    batch_size: int = 100
    learning_rate: float = 3e-5
    schedule: str = "linear"
    warmup: float = 0.1
    weight_decay: float = 1e-2
    temperature: float = 0.05
    query_prefix: str = "Query: "
    passage_prefix: str = "Passage: "
    seed: int = 0
    dimension: int = 384
    vocabulary: int = 16_000
    initial_scale: float = 0.02

    def __post_init__(self) -> None:
        for field, (valid, expected) in _BOUNDS.items():
            value = getattr(self, field)
            if not (math.isfinite(value) and valid(value)):
                raise TrainingError(f"{field} is {value}: expected {expected}")
        if self.schedule not in SCHEDULES:
            raise TrainingError(f"schedule is {self.schedule!r}: expected {', '.join(SCHEDULES)}")

    def overridden(self, **values: Any) -> Recipe:
        """The same recipe with the values that are not None; `epochs` without `steps` replaces the recipe's steps."""
        given = {name: value for name, value in values.items() if value is not None}
        if "epochs" in given:
            given.setdefault("steps", 0)
        return replace(self, **given)

    def as_dict(self) -> dict[str, Any]:
        """Return the recipe as a model card shows it: without the settings that were not used."""
        everything = asdict(self)
        del everything["epochs" if self.steps else "steps"]
        if self.base != STATIC:
            for name in ("dimension", "vocabulary", "initial_scale"):
                del everything[name]
        return everything


_BOUNDS: dict[str, tuple[Callable[[float], bool], str]] = {
    "steps": (lambda x: x >= 0, "at least 1, or 0 for whole epochs"),
    "epochs": (lambda x: x > 0, "more than 0"),
    "batch_size": (lambda x: x >= 2, "at least 2, as the negatives of a pair are the others of its batch"),
    "learning_rate": (lambda x: x > 0, "more than 0"),
    "warmup": (lambda x: 0 <= x < 1, "a share of the steps, from 0 to below 1"),
    "weight_decay": (lambda x: x >= 0, "0 or more"),
    "temperature": (lambda x: x > 0, "more than 0"),
    "seed": (lambda x: 0 <= x < 2**32, "from 0 to 4294967295"),
    "dimension": (lambda x: 1 <= x <= 65_536, "from 1 to 65536"),
    "vocabulary": (lambda x: 1 <= x <= 10_000_000, "from 1 to 10000000"),
    "initial_scale": (lambda x: x > 0, "more than 0"),
}


def recipe_folder() -> Path:
    """Folder of the recipes that come with xlbias: in the installed package, or ``models`` in a checkout."""
    package = Path(xlbias.__file__).parent
    installed = package / "_models"
    return installed if installed.is_dir() else package.parent / "models"


def recipe_names() -> list[str]:
    """Names of the recipes that come with xlbias, sorted."""
    return sorted(path.stem for path in recipe_folder().glob("*.toml"))


def find_recipe(name: str) -> Recipe:
    """Return a recipe by name, or from the TOML file of that path. Raises TrainingError if there is none."""
    path = Path(name).expanduser()
    if path.suffix == ".toml":
        return read_recipe(path)
    if name not in recipe_names():
        raise TrainingError(f"unknown recipe {name!r}: expected {', '.join(recipe_names())} or a .toml file")
    return read_recipe(recipe_folder() / f"{name}.toml")


def recipe_for(base: str) -> Recipe:
    """Return the recipe to train `base` with: the one of that name, or the paper's settings for any other encoder."""
    return find_recipe(base) if base in recipe_names() else Recipe(base=base)


def read_recipe(path: Path) -> Recipe:
    """Read a recipe. Raises TrainingError naming the file and the key if it is not one."""
    try:
        content = tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise TrainingError(f"{path}: cannot be read: {error.strerror or error}") from error
    except ValueError as error:  # not UTF-8, or not TOML: the latter's message names the line
        raise TrainingError(f"{path}: is not TOML: {error}") from error
    try:
        return Recipe(**_typed(content))
    except TrainingError as error:
        raise TrainingError(f"{path}: {error}") from error


def _typed(content: Mapping[str, Any]) -> dict[str, Any]:
    """Return `content` as arguments of Recipe, all of them known and of the right type."""
    hints = get_type_hints(Recipe)
    known = [field.name for field in fields(Recipe)]
    if "base" not in content:
        raise TrainingError("has no key 'base': expected 'static', a folder or a hub name")
    values = {}
    for key, value in content.items():
        if key not in hints:
            close = get_close_matches(key, known, n=1)
            hint = f"; did you mean {close[0]!r}?" if close else f": expected {', '.join(known)}"
            raise TrainingError(f"unknown key {key!r}{hint}")
        kind = hints[key]
        if kind is float and type(value) is int:
            value = float(value)  # noqa: PLW2901 - TOML writes 1.0 as 1
        if type(value) is not kind:
            raise TrainingError(f"{key} is {value!r}: expected {_KINDS[kind]}")
        values[key] = value
    return values


_KINDS = {int: "a whole number", float: "a number", str: "a string"}
