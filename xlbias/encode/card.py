"""The card of a checkpoint, `xlbias.json`: what it was trained on and how, checked before anything relies on it."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

from xlbias.errors import EncoderError

CARD_FILE = "xlbias.json"
"""What `xlbias train` writes into a checkpoint beside the standard files: sampler, source, seed, ..."""

TRAINING_FILE = "training.parquet"
"""The run file in a checkpoint that holds its loss curve; an evaluation of it copies the curve."""

TRAINED_ON_FILE = "trained_on.parquet"
"""Fingerprints of what a checkpoint was trained on, see `xlbias.encode.trained_on`."""

_LARGEST = 2**63 - 1
"""A run file and every reader of it keep whole numbers in 64 bits."""

_Check = tuple[Callable[[Any], bool], str]


def _is_whole(value: Any) -> bool:
    return type(value) is int and 0 <= value <= _LARGEST


def _is_number(value: Any) -> bool:
    return type(value) in (int, float) and abs(value) <= _LARGEST


_TEXT: _Check = (lambda value: isinstance(value, str), "a string")
_WHOLE: _Check = (_is_whole, f"a whole number from 0 to {_LARGEST}")
_SECONDS: _Check = (lambda value: _is_number(value) and value >= 0, "a number of seconds")
_OBJECT: _Check = (lambda value: isinstance(value, dict), "an object")

_FIELDS: dict[str, _Check] = {
    "name": (lambda value: isinstance(value, str) and value.strip() != "", "a string that is not empty"),
    "base": _TEXT,
    "sampler": _TEXT,
    "pivot": _TEXT,
    "device": _TEXT,
    "run_id": _TEXT,
    "alpha": (lambda value: _is_number(value) and 0 <= value <= 1, "a number from 0 to 1"),
    "seed": _WHOLE,
    "steps": _WHOLE,
    "best_step": _WHOLE,
    "seconds": _SECONDS,
    "training_seconds": _SECONDS,
    "recipe": _OBJECT,
    "batches": _OBJECT,
    "versions": _OBJECT,
}
"""What a field must be where it is there and not null."""

_OF_SOURCE: dict[str, _Check] = {
    "domain": _TEXT,
    "source": _TEXT,
    "licence": _TEXT,
    "fingerprint": _TEXT,
    "languages": (lambda value: isinstance(value, list) and all(isinstance(v, str) for v in value), "a list of tags"),
    "n_ids": _WHOLE,
}


def read_card(folder: Path) -> dict[str, Any]:
    """Return the card of the checkpoint in `folder`, empty where there is none.

    Raises EncoderError naming file and field if it is not readable, if a field that reports show is not of its kind, or
    if a number anywhere in it is too large for a run file, which would only be met when the work is done.
    """
    file = folder / CARD_FILE
    if not file.exists():
        return {}
    try:
        card = json.loads(file.read_text("utf-8"))
        too_large = _too_large(card)
    except (OSError, ValueError, RecursionError) as error:
        raise EncoderError(f"{file}: is not a readable JSON file") from error
    if not isinstance(card, dict):
        raise EncoderError(f"{file}: must hold a JSON object")
    _check(file, "", card, _FIELDS)
    sources = card.get("sources", [])
    if not isinstance(sources, list) or not all(
        isinstance(s, dict) and isinstance(s.get("name"), str) for s in sources
    ):
        raise EncoderError(f"{file}: field 'sources' must be a list of objects with a name")
    for number, source in enumerate(sources):
        _check(file, f"sources[{number}].", source, _OF_SOURCE)
    if too_large is not None:
        raise EncoderError(f"{file}: field {too_large!r} must be a finite number of 64 bits")
    return card


def _check(file: Path, where: str, entry: dict[str, Any], fields: dict[str, _Check]) -> None:
    for name, (valid, expected) in fields.items():
        if entry.get(name) is not None and not valid(entry[name]):
            raise EncoderError(f"{file}: field {where + name!r} must be {expected}")


def _too_large(value: Any, path: str = "") -> str | None:
    """Return where in a card a number stands that a run file cannot hold, such as ``batches.n``; None for nowhere."""
    if isinstance(value, dict):
        parts = [(f"{path}.{key}" if path else str(key), one) for key, one in value.items()]
    elif isinstance(value, list):
        parts = [(f"{path}[{number}]", one) for number, one in enumerate(value)]
    elif isinstance(value, float):
        return None if math.isfinite(value) else path
    else:
        return path if isinstance(value, int) and not -_LARGEST - 1 <= value <= _LARGEST else None
    return next((found for name, one in parts if (found := _too_large(one, name)) is not None), None)
