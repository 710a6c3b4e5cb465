"""Recipes: every setting of a training beside tasks and sampler, read from TOML and overridable one by one."""

from __future__ import annotations

import json
import sys
import tomllib
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

import msgspec
from msgspec import Meta, Struct

from xlbias.choices import suggestion
from xlbias.encode.load import check_trainable
from xlbias.encode.options import Pooling, Tokens
from xlbias.errors import TaskError, TrainingError
from xlbias.languages import normalise_tag
from xlbias.packaged import models_folder
from xlbias.records import check_record, decode, decode_fields, quoted, read_toml
from xlbias.samplers import MOST_SEEDS, PAPER, check_alpha

STATIC = "static"
"""The base that is not loaded but made: `xlbias.encode.static`, or `xlbias.encode.distil` with ``from``."""

DISTILLED = "static-distilled"
"""The recipe of static encoders that are distilled from another."""

Schedule = Literal["linear", "cosine", "constant"]
Precision = Literal["fp32", "bf16"]
Monitor = Literal["map_multilingual", "map_monolingual", "map_cross_lingual", "rank_distance", "loss"]

MONITORS = {monitor: -1 if monitor in ("rank_distance", "loss") else 1 for monitor in get_args(Monitor)}
"""What validation can look at, and whether more of it is better (1) or worse (-1)."""

OF_PAPER: Mapping[str, object] = {
    "batch_size": 100,
    "learning_rate": 3e-5,
    "weight_decay": 1e-2,
    "query_prefix": "Query: ",
    "passage_prefix": "Passage: ",
}
"""What arXiv 2408.10536 says of its trainings. It does not say temperature, warm-up, schedule, length and epochs."""

_OF_LAYERS = ("mini_batch", "gradient_checkpointing", "max_length", "pooling")
_OF_STATIC = ("dimension", "vocabulary", "initial_scale", "distilled_from", "tokens", "token_prompt")
_WITH = {
    "distilled_from": ("tokens", "token_prompt"),
    "mine_negatives": ("mine_margin",),
    "lora_rank": ("lora_alpha", "lora_dropout"),
}
"""Settings that mean nothing without another one."""
_EXTRA = (
    "symmetric",
    "matryoshka",
    "balanced",
    "task_exponent",
    "language_exponent",
    "task_weights",
    "language_weights",
    *_WITH,
)
"""Settings that are shown only where they are not at their default."""
_MOST = 2**32
"""No whole number among the settings is larger: no one waits for so many steps."""


def _whole(least: int, expected: str, most: int = _MOST) -> Meta:
    return Meta(ge=least, le=most, description=f"{expected}{f'; at most {most:,}' if most == _MOST else ''}")


def _above_0(expected: str = "more than 0", most: float = sys.float_info.max) -> Meta:
    return Meta(gt=0, le=most, description=expected)


_FROM_0 = Meta(ge=0, le=sys.float_info.max, description="0 or more")
_EXPONENT = Meta(ge=0, le=1, description="a number from 0 (each as often) to 1 (in proportion to its size)")

Weight = Annotated[float, Meta(ge=0, le=1e9, description="a weight, 0 or more")]

Seed = Annotated[int, _whole(0, "a seed, from 0 to 4294967295", 2**32 - 1)]


class Recipe(Struct, frozen=True, forbid_unknown_fields=True):
    """How an encoder is trained.

    By default as a pretrained encoder in arXiv 2408.10536, as far as that says it: batch size, learning rate and weight
    decay. Everything else is ours, temperature, warm-up, schedule, length and epochs among it; see `OF_PAPER`.

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
            another of `xlbias.encode.options.POOLINGS`; "" for the base's own.
        hard_negatives: at most so many for each pair, where a task has them.
        validation: share of the query ids of each task that is held out to validate on, 200 at most; 0 for none.
        validate_every: steps between two validations; 0 for a tenth of the training.
        monitor: what is best: ``map_multilingual``, ``map_monolingual``, ``map_cross_lingual``, ``rank_distance`` or
            ``loss``. The encoder of the best validation is the one that is saved.
        patience: stop after so many validations without a better one; 0 to go on to the end.
        checkpoint_every: steps between two checkpoints to go on from; 0 for one every five minutes.
        symmetric: InfoNCE in both directions: queries find their passages, and passages their queries.
        matryoshka: lengths to which vectors can be cut: the loss is the sum over them (MatryoshkaLoss).
        mine_negatives: hard negatives that the base finds for each query before training, see
            `xlbias.train.trainer.mining`; `hard_negatives` of them go with each pair.
        mine_margin: share of the score of the relevant passage by which a mined negative must stay below it.
        lora_rank: train low-rank changes of the base's linear layers instead of all its weights (LoRA, needs peft); 0
            for all weights.
        lora_alpha: the changes are scaled by this over the rank.
        lora_dropout: share of the inputs of the changes that is left out in training.
        balanced: kinds of batches and the languages of monolingual ones come in turn instead of by chance, so that a
            short training has each as often; not with `language_weights` or `language_exponent`.
        task_exponent: a task is drawn in proportion to its size to this power: 1 in proportion, 0 each as often.
        language_exponent: the same for languages, or language pairs, within a task.
        task_weights: drawn in proportion to these instead, by task name; a task without one has 1.
        language_weights: the same by language; for a pair of languages, their product.
        seed: of weights, batches and whatever else is drawn.
        dimension: length of a vector (`static` only; others bring theirs).
        vocabulary: number of sub-words (`static` only).
        initial_scale: standard deviation of untrained token vectors (`static` only).
        distilled_from: called ``from`` in files and on the command line: the encoder that token vectors are distilled
            from (`static` only).
        tokens: with it, ``base`` for all its tokens, ``seen`` for those in the training texts, ``own`` for as many
            sub-words as `vocabulary` says.
        token_prompt: with it, what is put before each token: a text, or the name of a prompt of that encoder. Of E5,
            nothing is best between languages, the prompt for queries within them.

    Raises TrainingError if a value cannot be used.
    """

    base: Annotated[str, Meta(min_length=1, description="'static', a folder or a hub name")]
    steps: Annotated[int, _whole(0, "at least 1, or 0 for whole epochs")] = 0
    epochs: Annotated[float, _above_0("more than 0, and at most a million", 1e6)] = 1.0
    batch_size: Annotated[int, _whole(2, "at least 2, as the negatives of a pair are the others of its batch")] = 100
    learning_rate: Annotated[float, _above_0()] = 3e-5
    schedule: Schedule = "linear"
    warmup: Annotated[float, Meta(ge=0, lt=1, description="a share of the steps, from 0 to below 1")] = 0.1
    weight_decay: Annotated[float, _FROM_0] = 1e-2
    max_grad_norm: Annotated[float, _FROM_0] = 1.0
    temperature: Annotated[float, _above_0()] = 0.05
    query_prefix: str | None = None
    passage_prefix: str | None = None
    accumulate: Annotated[int, _whole(1, "at least 1")] = 1
    mini_batch: Annotated[int, _whole(0, "at least 1, or 0 for the whole batch")] = 0
    precision: Precision = "fp32"
    gradient_checkpointing: bool = False
    max_length: Annotated[int, _whole(0, "at least 1, or 0 for what the base says")] = 0
    pooling: Literal["", Pooling] = ""
    hard_negatives: Annotated[int, _whole(0, "0 or more")] = 0
    validation: Annotated[float, Meta(ge=0, le=0.5, description="a share of the query ids, from 0 to 0.5")] = 0.05
    validate_every: Annotated[int, _whole(0, "at least 1, or 0 for a tenth of the training")] = 0
    symmetric: bool = False
    matryoshka: tuple[Annotated[int, _whole(1, "a length of vectors, at least 1")], ...] = ()
    mine_negatives: Annotated[int, _whole(0, "0 or more", 1_000)] = 0
    mine_margin: Annotated[float, Meta(ge=0, lt=1, description="a share, from 0 to below 1")] = 0.05
    lora_rank: Annotated[int, _whole(0, "from 1 to 4096, or 0 to train all weights", 4_096)] = 0
    lora_alpha: Annotated[int, _whole(1, "at least 1")] = 16
    lora_dropout: Annotated[float, Meta(ge=0, lt=1, description="a share, from 0 to below 1")] = 0.0
    balanced: bool = False
    task_exponent: Annotated[float, _EXPONENT] = 1.0
    language_exponent: Annotated[float, _EXPONENT] = 0.0
    task_weights: dict[str, Weight] = {}
    language_weights: dict[str, Weight] = {}
    monitor: Monitor = "map_multilingual"
    patience: Annotated[int, _whole(0, "at least 1, or 0 to go on to the end")] = 0
    checkpoint_every: Annotated[int, _whole(0, "at least 1, or 0 for one every five minutes")] = 0
    seed: Seed = 0
    dimension: Annotated[int, _whole(1, "from 1 to 65536", 65_536)] = 384
    vocabulary: Annotated[int, _whole(1, "from 1 to 10000000", 10_000_000)] = 16_000
    initial_scale: Annotated[float, _above_0()] = 0.02
    distilled_from: str = msgspec.field(default="", name="from")
    tokens: Tokens = "base"
    token_prompt: str = ""

    def __post_init__(self) -> None:
        check_record(self, TrainingError)
        for field in (*_OF_LAYERS, "lora_rank"):
            if self.base == STATIC and getattr(self, field):
                raise TrainingError(f"{field} is {getattr(self, field)}: the static encoder has no layers to need it")
        if self.distilled_from and self.base != STATIC:
            raise TrainingError(
                f"from is {quoted(self.distilled_from)}: only the base 'static' is distilled, not {quoted(self.base)}"
            )
        if self.mine_negatives and not self.hard_negatives:
            raise TrainingError("mine_negatives needs hard_negatives: set how many of them go with each pair")
        _check_lengths(self.matryoshka, self.dimension if self.base == STATIC else None)
        for field in ("task", "language"):
            _check_weights(field, getattr(self, f"{field}_weights"), getattr(self, f"{field}_exponent"))
        for field in ("language_weights", "language_exponent"):
            if self.balanced and getattr(self, field):
                raise TrainingError(
                    f"balanced and {field} contradict each other: languages in turn are equally frequent"
                )

    def overridden(self, **values: Any) -> Recipe:
        """The same recipe with the values that are not None; `epochs` without `steps` replaces the recipe's steps."""
        given = {name: value for name, value in values.items() if value is not None}
        if "epochs" in given:
            given.setdefault("steps", 0)
        return msgspec.structs.replace(self, **given)

    def based_on(self, base: str | None, settings: Mapping[str, Any]) -> Recipe:
        """The same recipe for another base (None for its own), pooled as that is, with what `settings` override."""
        of_base = {}
        if base is not None:
            other = recipe_for(base)
            of_base = {name: getattr(other, name) for name in ("base", "pooling")}
            if base != STATIC:
                of_base["distilled_from"] = other.distilled_from
        return self.overridden(**{**of_base, **settings})

    def as_toml(self) -> str:
        """Return the recipe as a file that `read_recipe` reads, with a mark at the settings of the paper."""
        settings = self.as_dict()
        of_paper = settings_of_paper(settings)
        return "".join(
            f"# {name}: the base's own\n"
            if value is None
            else f"{name} = {_toml(value)}{f'  # {PAPER}' if name in of_paper else ''}\n"
            for name, value in settings.items()
        )

    def as_dict(self) -> dict[str, Any]:
        """Return the recipe as a model card shows it: without the settings that were not used."""
        unused = {"epochs" if self.steps else "steps", *(_OF_LAYERS if self.base == STATIC else _OF_STATIC)}
        if not self.pooling:
            unused.add("pooling")
        for name, dependent in _WITH.items():
            if not getattr(self, name):
                unused.update(dependent)
        of_recipe = {field.name: field for field in msgspec.structs.fields(self)}
        unused.update(name for name in _EXTRA if getattr(self, name) == _default(of_recipe[name]))
        values: dict[str, Any] = msgspec.to_builtins(self)
        return {field.encode_name: values[field.encode_name] for name, field in of_recipe.items() if name not in unused}


def _default(field: Any) -> object:
    return field.default_factory() if field.default is msgspec.NODEFAULT else field.default


def _toml(value: object) -> str:
    """Return a value of a recipe as TOML writes it; what JSON writes is TOML but for tables."""
    if isinstance(value, Mapping):
        return (
            "{" + ", ".join(f"{json.dumps(key, ensure_ascii=False)} = {_toml(one)}" for key, one in value.items()) + "}"
        )
    return json.dumps(value, ensure_ascii=False)


def _check_lengths(lengths: Sequence[int], dimension: int | None) -> None:
    """Raise TrainingError unless vectors of `dimension` values, None where it is not known yet, can be cut to these."""
    if len(set(lengths)) < len(lengths):
        raise TrainingError(f"matryoshka is {list(lengths)}: expected different lengths")
    if dimension is not None and lengths and max(lengths) > dimension:
        raise TrainingError(f"matryoshka is {list(lengths)}: the encoder has vectors of {dimension}")


def _check_weights(what: str, weights: Mapping[str, float], exponent: float) -> None:
    """Raise TrainingError where weights leave nothing to draw, are those of no language, or meet an exponent."""
    name = f"{what}_weights"
    if not weights:
        return
    if exponent != (1.0 if what == "task" else 0.0):
        raise TrainingError(f"{name} and {what}_exponent contradict each other")
    for tag in weights if what == "language" else ():
        try:
            normal = normalise_tag(tag)
        except TaskError as error:
            raise TrainingError(f"{name}: {error}") from error
        if normal != tag:
            raise TrainingError(f"{name}: {quoted(tag)}: expected {normal!r}, as tasks call it")


def settings_of_paper(recipe: Mapping[str, object]) -> set[str]:
    """Return the settings of a recipe, as in a model card, that the paper names and that are as it says them."""
    if recipe.get("base") == STATIC:  # the paper trains no such encoder
        return set()
    return {name for name, value in OF_PAPER.items() if recipe.get(name) == value}


def distilling(
    name: str, dimension: int, tokens: str, token_prompt: str, vocabulary: int, seed: int, *, with_tasks: bool
) -> Recipe:
    """Return the settings of a distillation. Raises TrainingError where one cannot be used."""
    fields: dict[str, Any] = {"tokens": tokens, "dimension": dimension, "vocabulary": vocabulary, "seed": seed}
    recipe = Recipe(base=STATIC, distilled_from=name, token_prompt=token_prompt, **fields)
    if tokens != "base" and not with_tasks:
        raise TrainingError(f"tokens={tokens} needs texts: name a task that holds them")
    if tokens == "base" and with_tasks:
        raise TrainingError("tokens=base takes all tokens of the encoder: leave the tasks out, or choose seen or own")
    return recipe


def recipe_names() -> list[str]:
    """Names of the recipes that come with xlbias, sorted."""
    return sorted(path.stem for path in models_folder().glob("*.toml"))


def find_recipe(name: str) -> Recipe:
    """Return a recipe by name, or from the TOML file of that path. Raises TrainingError if there is none."""
    path = Path(name).expanduser()
    if path.suffix == ".toml":
        return read_recipe(path)
    if name not in recipe_names():
        close = suggestion(name, recipe_names())
        raise TrainingError(f"unknown recipe {name!r}{close}: expected {', '.join(recipe_names())} or a .toml file")
    return read_recipe(models_folder() / f"{name}.toml")


def recipe_for(base: str) -> Recipe:
    """Return the recipe to train `base` with: the one of that name, or the defaults of `Recipe` for any other encoder.

    A recipe is also that of its base's hub name, ``intfloat/multilingual-e5-small`` for one, unless there is a folder
    of that name here.
    """
    name = _name_of(base)
    return find_recipe(name) if name else Recipe(base=base)


def read_recipe(path: Path) -> Recipe:
    """Read a recipe. Raises TrainingError naming the file and the key if it is not one."""
    return decode(read_toml(path, TrainingError), Recipe, TrainingError, file=path)


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
    return decode_fields(content, Recipe, TrainingError)


def check_base(recipe: Recipe) -> None:
    """Raise EncoderError where the files of the base show that it is no encoder, or TrainingError where LoRA is asked
    for and peft is not installed: before any library is loaded.
    """
    if recipe.distilled_from:
        check_trainable(recipe.distilled_from, done="distilled")
    elif recipe.base != STATIC:
        check_trainable(recipe.base, pooling=recipe.pooling or None)
    if recipe.lora_rank and find_spec("peft") is None:
        raise TrainingError("lora_rank needs the package peft: install it, for example with pip install 'xlbias[lora]'")


def check_grid(alphas: Sequence[float], seeds: int) -> None:
    """Raise TrainingError unless these are different probabilities, and a number of seeds."""
    for alpha in alphas:
        check_alpha(alpha)
    if len(set(alphas)) < len(alphas) or not alphas:
        raise TrainingError(f"alpha: expected different probabilities, not {', '.join(f'{a:g}' for a in alphas)}")
    if not 1 <= seeds <= MOST_SEEDS:
        raise TrainingError(f"seeds is {quoted(seeds)}: expected at least 1 and at most {MOST_SEEDS:,}")


def _name_of(base: str) -> str | None:
    """Return the name of the recipe that `base` means: its own name, or the hub name of its base; None for another."""
    if base in recipe_names():
        return base
    if Path(base).expanduser().exists():
        return None
    hub = base.casefold()  # as on the hub, where upper case makes no difference
    return next((name for name in recipe_names() if find_recipe(name).base.casefold() == hub), None)
