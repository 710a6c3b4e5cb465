"""One training each: an encoder is one draw of its training, and another seed may come out otherwise."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

_OF_A_DRAW = ("seed", "name", "out", "device")
"""What of a recipe may differ between trainings that are draws of one recipe."""


def single_trainings(models: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    """Return the encoders of a run that are the only training of their recipe, where there is one to compare with."""
    of_recipe: dict[str, list[str]] = {}
    for model in models:
        card = model.get("card")
        if isinstance(card, Mapping) and "sampler" in card:
            of_recipe.setdefault(_recipe(card), []).append(model["name"])
    alone = {names[0] for names in of_recipe.values() if len(names) == 1}
    return tuple(model["name"] for model in models if model["name"] in alone) if len(models) > 1 else ()


def _recipe(card: Mapping[str, Any]) -> str:
    """Return what the trainings of one recipe have in common."""
    sources = card.get("sources")
    trained_on = [one.get("fingerprint") or one.get("name") for one in sources] if isinstance(sources, list) else []
    recipe = card.get("recipe")
    settings = {k: v for k, v in recipe.items() if k not in _OF_A_DRAW} if isinstance(recipe, Mapping) else None
    return json.dumps([card.get("base"), card["sampler"], card.get("alpha"), card.get("pivot"), trained_on, settings],
                      sort_keys=True, default=str)  # fmt: skip
