"""The card of a checkpoint, `xlbias.json`: what it was trained on and how, checked before anything relies on it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from xlbias.errors import EncoderError

CARD_FILE = "xlbias.json"
"""What `xlbias train` writes into a checkpoint beside the standard files: sampler, source, seed, ..."""

TRAINING_FILE = "training.parquet"
"""The run file in a checkpoint that holds its loss curve; an evaluation of it copies the curve."""

TRAINED_ON_FILE = "trained_on.parquet"
"""Fingerprints of what a checkpoint was trained on, see `xlbias.encode.trained_on`."""

_FIELDS: dict[str, tuple[type, ...]] = {"name": (str,), "sampler": (str,), "alpha": (int, float), "seed": (int,)}


def read_card(folder: Path) -> dict[str, Any]:
    """Return the card of the checkpoint in `folder`, empty where there is none.

    Raises EncoderError if it is not readable, or if a field that reports show is not of its kind.
    """
    file = folder / CARD_FILE
    if not file.exists():
        return {}
    try:
        card = json.loads(file.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise EncoderError(f"{file}: is not a readable JSON file") from error
    if not isinstance(card, dict):
        raise EncoderError(f"{file}: must hold a JSON object")
    for name, kinds in _FIELDS.items():
        if card.get(name) is not None and not isinstance(card[name], kinds):
            raise EncoderError(f"{file}: field {name!r} must be {' or '.join(kind.__name__ for kind in kinds)}")
    sources = card.get("sources", [])
    if not isinstance(sources, list) or not all(
        isinstance(s, dict) and isinstance(s.get("name"), str) for s in sources
    ):
        raise EncoderError(f"{file}: field 'sources' must be a list of objects with a name")
    return card
