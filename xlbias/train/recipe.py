"""Recipes: every setting of a training beside tasks and sampler, read from TOML and overridable one by one."""

from __future__ import annotations

import json
import math
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any, get_args, get_type_hints

from xlbias.encode.loadable import POOLINGS
from xlbias.errors import TrainingError
from xlbias.packaged import models_folder
from xlbias.samplers import check_alpha

STATIC = "static"
"""The base that is not loaded but made: `xlbias.encode.static`."""

SCHEDULES = ("linear", "cosine", "constant")
PRECISIONS = ("fp32", "bf16")
MONITORS = {
    "map_multilingual": 1,
    "map_monolingual": 1,
    "map_cross_lingual": 1,
    "rank_distance": -1,
    "loss": -1,
}
"""What validation can look at, and whether more of it is better (1) or worse (-1)."""

_CHOICES = {
    "schedule": SCHEDULES,
    "precision": PRECISIONS,
    "monitor": tuple(MONITORS),
    "pooling": ("", *POOLINGS),
}
_MOST = 2**32
"""No whole number among the settings is larger: seeds go so far, and no one waits for so many steps."""

_OF_LAYERS = ("mini_batch", "gradient_checkpointing", "max_length", "pooling")


@dataclass(frozen=True)
class Recipe:
    """How an encoder is trained. The defaults are those of arXiv 2408.10536 for a pretrained encoder, but for prefixes.

    Attributes:
        base: ``static``, a sentence-transformers folder, or the name of an encoder on the hub.
        steps: number of batches to train on; 0 for as many as `epochs` have.
        epochs: passes of as many batches as the ids of all tasks would fill.
        batch_size: pairs in a batch; every other pair of it is a negative.
        learning_rate: its peak, for AdamW.
        schedule: how it falls after the warm-up: ``linear`` or ``cosine`` to 0, or ``constant``.
        warmup: share of the steps over which it rises from 0.
        weight_decay: of AdamW.
        max_grad_norm: longer gradients are cut to this length; 0 for no limit.
        temperature: cosine similarities are divided by it before the softmax of InfoNCE.
        query_prefix: put before every query, in training and afterwards: a text, or the name of a prompt that the base
            registers; None for what it registers for queries, see `xlbias.encode.prompts`.
        passage_prefix: put before every passage; None likewise.
        accumulate: batches in a step; gradients are averaged over them, negatives stay within a batch.
        mini_batch: texts that go through the encoder at a time, for batches that do not fit into memory at once (the
            gradient-cached form of InfoNCE); 0 for the whole batch.
        precision: ``fp32``, or ``bf16`` for mixed precision with weights in float32.
        gradient_checkpointing: compute activations twice instead of keeping them; for encoders with layers.
        max_length: tokens of a text that are read; 0 for what the base says.
        pooling: makes an encoder of a base that has no pooling, such as a masked language model: ``mean``, ``cls`` or
            another of `xlbias.encode.loadable.POOLINGS`; "" for the base's own.
        hard_negatives: at most so many for each pair, where a task has them.
        validation: share of the query ids of each task that is held out to validate on, 200 at most; 0 for none.
        validate_every: steps between two validations; 0 for a tenth of the training.
        monitor: what is best: ``map_multilingual``, ``map_monolingual``, ``map_cross_lingual``, ``rank_distance`` or
            ``loss``. The encoder of the best validation is the one that is saved.
        patience: stop after so many validations without a better one; 0 to go on to the end.
        checkpoint_every: steps between two checkpoints to go on from; 0 for one every five minutes.
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
    max_grad_norm: float = 1.0
    temperature: float = 0.05
    query_prefix: str | None = None
    passage_prefix: str | None = None
    accumulate: int = 1
    mini_batch: int = 0
    precision: str = "fp32"
    gradient_checkpointing: bool = False
    max_length: int = 0
    pooling: str = ""
    hard_negatives: int = 0
    validation: float = 0.05
    validate_every: int = 0
    monitor: str = "map_multilingual"
    patience: int = 0
    checkpoint_every: int = 0
    seed: int = 0
    dimension: int = 384
    vocabulary: int = 16_000
    initial_scale: float = 0.02

    def __post_init__(self) -> None:
        for field, (valid, expected) in _BOUNDS.items():
            value = getattr(self, field)
            if isinstance(value, int) and value > _MOST:
                raise TrainingError(f"{field} is {shown_value(value)}: expected at most {_MOST:,}")
            if not (isinstance(value, int) or math.isfinite(value)) or not valid(value):
                raise TrainingError(f"{field} is {shown_value(value)}: expected {expected}")
        for field, choices in _CHOICES.items():
            if getattr(self, field) not in choices:
                raise TrainingError(f"{field} is {getattr(self, field)!r}: expected {', '.join(filter(None, choices))}")
        for field in _OF_LAYERS:
            if self.base == STATIC and getattr(self, field):
                raise TrainingError(f"{field} is {getattr(self, field)}: the static encoder has no layers to need it")

    def overridden(self, **values: Any) -> Recipe:
        """The same recipe with the values that are not None; `epochs` without `steps` replaces the recipe's steps."""
        given = {name: value for name, value in values.items() if value is not None}
        if "epochs" in given:
            given.setdefault("steps", 0)
        return replace(self, **given)

    def as_toml(self) -> str:
        """Return the recipe as a file that `read_recipe` reads."""
        return "".join(
            f"# {name}: the base's own\n" if value is None else f"{name} = {json.dumps(value, ensure_ascii=False)}\n"
            for name, value in self.as_dict().items()
        )

    def as_dict(self) -> dict[str, Any]:
        """Return the recipe as a model card shows it: without the settings that were not used."""
        everything = asdict(self)
        del everything["epochs" if self.steps else "steps"]
        if self.base != STATIC:
            unused: tuple[str, ...] = ("dimension", "vocabulary", "initial_scale")
        else:
            unused = _OF_LAYERS
        if not self.pooling:
            unused = (*unused, "pooling")
        for name in unused:
            everything.pop(name, None)
        return everything


_BOUNDS: dict[str, tuple[Callable[[float], bool], str]] = {
    "steps": (lambda x: x >= 0, "at least 1, or 0 for whole epochs"),
    "epochs": (lambda x: 0 < x <= 1e6, "more than 0, and at most a million"),
    "batch_size": (lambda x: x >= 2, "at least 2, as the negatives of a pair are the others of its batch"),
    "learning_rate": (lambda x: x > 0, "more than 0"),
    "warmup": (lambda x: 0 <= x < 1, "a share of the steps, from 0 to below 1"),
    "weight_decay": (lambda x: x >= 0, "0 or more"),
    "max_grad_norm": (lambda x: x >= 0, "0 or more"),
    "temperature": (lambda x: x > 0, "more than 0"),
    "accumulate": (lambda x: x >= 1, "at least 1"),
    "mini_batch": (lambda x: x >= 0, "at least 1, or 0 for the whole batch"),
    "max_length": (lambda x: x >= 0, "at least 1, or 0 for what the base says"),
    "hard_negatives": (lambda x: x >= 0, "0 or more"),
    "validation": (lambda x: 0 <= x <= 0.5, "a share of the query ids, from 0 to 0.5"),
    "validate_every": (lambda x: x >= 0, "at least 1, or 0 for a tenth of the training"),
    "patience": (lambda x: x >= 0, "at least 1, or 0 to go on to the end"),
    "checkpoint_every": (lambda x: x >= 0, "at least 1, or 0 for one every five minutes"),
    "seed": (lambda x: 0 <= x < 2**32, "from 0 to 4294967295"),
    "dimension": (lambda x: 1 <= x <= 65_536, "from 1 to 65536"),
    "vocabulary": (lambda x: 1 <= x <= 10_000_000, "from 1 to 10000000"),
    "initial_scale": (lambda x: x > 0, "more than 0"),
}


def recipe_names() -> list[str]:
    """Names of the recipes that come with xlbias, sorted."""
    return sorted(path.stem for path in models_folder().glob("*.toml"))


def find_recipe(name: str) -> Recipe:
    """Return a recipe by name, or from the TOML file of that path. Raises TrainingError if there is none."""
    path = Path(name).expanduser()
    if path.suffix == ".toml":
        return read_recipe(path)
    if name not in recipe_names():
        raise TrainingError(f"unknown recipe {name!r}: expected {', '.join(recipe_names())} or a .toml file")
    return read_recipe(models_folder() / f"{name}.toml")


def recipe_for(base: str) -> Recipe:
    """Return the recipe to train `base` with: the one of that name, or the paper's settings for any other encoder.

    A recipe is also that of its base's hub name, ``intfloat/multilingual-e5-small`` for one, unless there is a folder
    of that name here.
    """
    name = recipe_name_of(base)
    return find_recipe(name) if name else Recipe(base=base)


def recipe_name_of(base: str) -> str | None:
    """Return the name of the recipe that `base` means: its own name, or the hub name of its base; None for another."""
    if base in recipe_names():
        return base
    if Path(base).expanduser().exists():
        return None
    hub = base.casefold()  # as on the hub, where upper case makes no difference
    return next((name for name in recipe_names() if find_recipe(name).base.casefold() == hub), None)


def read_recipe(path: Path) -> Recipe:
    """Read a recipe. Raises TrainingError naming the file and the key if it is not one."""
    try:
        content = tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise TrainingError(f"{path}: cannot be read: {error.strerror or error}") from error
    except (ValueError, RecursionError) as error:  # not UTF-8, or not TOML: the latter's message names the line
        raise TrainingError(f"{path}: is not TOML: {error}") from error
    try:
        if "base" not in content:
            raise TrainingError("has no key 'base': expected 'static', a folder or a hub name")
        return Recipe(**_typed(content))
    except TrainingError as error:
        raise TrainingError(f"{path}: {error}") from error


def parse_settings(settings: Sequence[str]) -> dict[str, Any]:
    """Return settings given as ``KEY=VALUE``, each of the right type. Raises TrainingError if one is not."""
    content: dict[str, Any] = {}
    for setting in settings:
        key, equals, value = (part.strip() for part in setting.partition("="))
        if not equals:
            raise TrainingError(f"the setting {setting!r} has no value: expected KEY=VALUE")
        try:
            content[key] = tomllib.loads(f"value = {value}")["value"]
        except (ValueError, RecursionError):
            content[key] = value  # a word, which TOML would want in quotes
    return _typed(content)


def shown_value(value: object) -> str:
    """Return a value from a file as an error says it: its beginning, where it is long."""
    try:
        text = repr(value)
    except (ValueError, RecursionError):  # a number of thousands of digits, or lists in lists
        return f"too large a {type(value).__name__}"
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"


def check_grid(alphas: Sequence[float], seeds: int) -> None:
    """Raise TrainingError unless these are different probabilities, and a number of seeds."""
    for alpha in alphas:
        check_alpha(alpha)
    if len(set(alphas)) < len(alphas) or not alphas:
        raise TrainingError(f"alpha: expected different probabilities, not {', '.join(f'{a:g}' for a in alphas)}")
    if not 1 <= seeds <= MOST_SEEDS:
        raise TrainingError(f"seeds is {shown_value(seeds)}: expected at least 1 and at most {MOST_SEEDS:,}")


def _typed(content: Mapping[str, Any]) -> dict[str, Any]:
    """Return `content` as arguments of Recipe, all of them known and of the right type."""
    hints = get_type_hints(Recipe)
    known = [field.name for field in fields(Recipe)]
    values = {}
    for key, value in content.items():
        if key not in hints:
            close = get_close_matches(key, known, n=1)
            hint = f"; did you mean {close[0]!r}?" if close else f": expected {', '.join(known)}"
            raise TrainingError(f"unknown key {key!r}{hint}")
        kind = _kind(hints[key])
        if kind is float and type(value) is int and abs(value) <= _MOST:
            value = float(value)  # noqa: PLW2901 - TOML writes 1.0 as 1
        if type(value) is not kind:
            raise TrainingError(f"{key} is {shown_value(value)}: expected {_KINDS[kind]}")
        values[key] = value
    return values


def _kind(hint: Any) -> type:
    """Return the type of a setting's values: TOML has no null, so a setting that may be None is left out for it."""
    kind: type = next((kind for kind in get_args(hint) if kind is not type(None)), hint)
    return kind


MOST_SEEDS = 10_000
"""Of a grid or a study: an encoder is trained for each."""

_SHOWN = 60  # characters of a value in an error

_KINDS = {int: "a whole number", float: "a number", str: "a string", bool: "true or false"}
