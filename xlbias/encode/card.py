"""The card of a checkpoint, `xlbias.json`: what it was trained on and how, checked before anything relies on it."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Annotated, Any

from msgspec import Meta, Struct

from xlbias.errors import EncoderError
from xlbias.records import decode, read_json

CARD_FILE = "xlbias.json"
"""What `xlbias train` writes into a checkpoint beside the standard files: sampler, source, seed, ..."""

TRAINING_FILE = "training.parquet"
"""The run file in a checkpoint that holds its loss curve; an evaluation of it copies the curve."""

TRAINED_ON_FILE = "trained_on.parquet"
"""Fingerprints of what a checkpoint was trained on, see `xlbias.encode.trained_on`."""

_LARGEST = 2**63 - 1
"""A run file and every reader of it keep whole numbers in 64 bits."""

_Whole = Annotated[int, Meta(ge=0, le=_LARGEST, description=f"a whole number from 0 to {_LARGEST}")]
_Seconds = Annotated[float, Meta(ge=0, le=_LARGEST, description="a number of seconds")]


class CardSource(Struct, frozen=True):
    """A task that an encoder was trained on."""

    name: str
    domain: str | None = None
    source: str | None = None
    licence: str | None = None
    fingerprint: str | None = None
    languages: Annotated[tuple[str, ...] | None, Meta(description="a list of tags")] = None
    n_ids: _Whole | None = None


class Card(Struct, frozen=True):
    """What must be right in a card where it is there and not null, as reports show it; a card may hold more."""

    name: Annotated[str, Meta(pattern=r"\S", description="a string that is not empty")] | None = None
    base: str | None = None
    sampler: str | None = None
    pivot: str | None = None
    device: str | None = None
    run_id: str | None = None
    alpha: Annotated[float, Meta(ge=0, le=1, description="a number from 0 to 1")] | None = None
    seed: _Whole | None = None
    steps: _Whole | None = None
    best_step: _Whole | None = None
    seconds: _Seconds | None = None
    training_seconds: _Seconds | None = None
    recipe: dict[str, Any] | None = None
    batches: dict[str, Any] | None = None
    versions: dict[str, Any] | None = None
    sources: tuple[CardSource, ...] = ()


def read_card(folder: Path) -> dict[str, Any]:
    """Return the card of the checkpoint in `folder`, empty where there is none.

    Raises EncoderError naming file and field if it is not readable, if a field of `Card` is not of its kind, or if a
    number anywhere in it is too large for a run file, which would only be met when the work is done.
    """
    file = folder / CARD_FILE
    if not file.exists():
        return {}
    card = read_json(file, EncoderError)
    decode(card, Card, EncoderError, file=file)
    too_large = _too_large(card)
    if too_large is not None:
        raise EncoderError(f"{file}: {too_large}: expected a finite number of 64 bits")
    content: dict[str, Any] = card
    return content


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
