"""How long vectors and texts of an encoder may be, as far as its files say: before any weights are loaded."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from xlbias.encode.layout import CONFIG_FILE, read_modules, read_object
from xlbias.encode.shortened import Shortened
from xlbias.errors import EncoderError

_AFTER_PADDING = ("roberta", "camembert", "mpnet", "longformer", "xlm-r", "xmod", "data2vec-text", "luke", "esm")
"""Kinds of transformers that count a text's positions from behind that of the padding token."""


def check_sizes(folder: Path, shown: str, truncate_dim: int | None, max_length: int | None) -> None:
    """Raise EncoderError where the files of an encoder show that its vectors or texts cannot be as short or as long."""
    whole = _dimension(folder)
    if truncate_dim is not None:
        Shortened(truncate_dim).dimension(truncate_dim if whole is None else whole, shown)
    if max_length is not None:
        check_length(max_length, longest_of(read_object(folder / CONFIG_FILE)), shown)


def check_length(wanted: int, most: int | None, shown: str) -> None:
    """Raise EncoderError unless an encoder that can read `most` tokens (None for any number) can read `wanted`."""
    if wanted < 1 or (most is not None and wanted > most):
        raise EncoderError(
            f"{shown}: reads 1 to {most or 'any number of'} tokens of a text, not --max-length {wanted:,}"
        )


def longest_of(config: dict[str, Any]) -> int | None:
    """Return how many tokens a transformer with this configuration has positions for; None where it does not say."""
    positions = config.get("max_position_embeddings")
    if not isinstance(positions, int) or positions < 1:
        return None
    if not str(config.get("model_type", "")).startswith(_AFTER_PADDING):
        return positions
    padding = config.get("pad_token_id", 1)
    return positions - padding - 1 if isinstance(padding, int) else positions


def _dimension(folder: Path) -> int | None:
    """Return the length of an encoder's vectors, by the last of its modules that says one; None where none does."""
    for module in reversed(read_modules(folder) or []):
        config = read_object(folder / module.path / CONFIG_FILE) if module.path else {}
        for field in ("out_features", "embedding_dimension", "word_embedding_dimension"):
            if isinstance(config.get(field), int):
                return int(config[field]) * _poolings(config)
    return None


def _poolings(config: dict[str, Any]) -> int:
    """Return how many poolings of a text's tokens stand behind one another in its vector."""
    modes = config.get("pooling_mode")
    several = len(modes) if isinstance(modes, list) else 0
    return max(1, several, sum(value is True for key, value in config.items() if key.startswith("pooling_mode_")))
