"""One training each: an encoder is one draw of its training, and another seed may come out otherwise."""

from __future__ import annotations

import json
from collections.abc import Sequence

from xlbias.runs.run_info import Card, ModelInfo

_OF_A_DRAW = ("seed", "name", "out", "device")
"""What of a recipe may differ between trainings that are draws of one recipe."""


def single_trainings(models: Sequence[ModelInfo]) -> tuple[str, ...]:
    """Return the encoders of a run that are the only training of their recipe, where there is one to compare with."""
    of_recipe: dict[str, list[str]] = {}
    for model in models:
        if model.card.sampler is not None:
            of_recipe.setdefault(recipe_of(model.card), []).append(model.name)
    alone = {names[0] for names in of_recipe.values() if len(names) == 1}
    return tuple(model.name for model in models if model.name in alone) if len(models) > 1 else ()


def recipe_of(card: Card) -> str:
    """Return what the trainings of one recipe have in common."""
    trained_on = [source.fingerprint or source.name for source in card.trained_on]
    settings = None if card.recipe is None else {k: v for k, v in card.recipe.items() if k not in _OF_A_DRAW}
    return json.dumps([card.base, card.sampler, card.alpha, card.pivot, trained_on, settings],
                      sort_keys=True, default=str)  # fmt: skip
