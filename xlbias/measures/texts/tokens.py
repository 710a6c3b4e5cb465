"""Tokens of a text, and how many of them an encoder does not know or does not read."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from xlbias.measures.measure import Measure
from xlbias.measures.ragged import Bools, Floats, Ints

_SOURCE = "Petrov et al. 2023, Language Model Tokenizers Introduce Unfairness Between Languages"


@dataclass(frozen=True, eq=False)
class Counts:
    """Of n texts, with prompt and special tokens.

    Attributes:
        tokens: int64 [n], tokens of each text before anything is cut.
        unknown: int64 [n], those that stand for what the vocabulary lacks.
        cut: bool [n], whether a text's end is not read.
    """

    tokens: Ints
    unknown: Ints
    cut: Bools


def tokens(counts: Counts) -> float:
    """Return the mean number of tokens."""
    return float(counts.tokens.mean()) if len(counts.tokens) else float("nan")


def unknown_share(counts: Counts) -> float:
    """Return the share of tokens that stand for what the vocabulary lacks."""
    total = int(counts.tokens.sum())
    return float(counts.unknown.sum() / total) if total else float("nan")


def truncated(counts: Counts) -> Floats:
    """Return 1 for a text whose end is not read, else 0: float64 [n]."""
    return counts.cut.astype(np.float64)


MEASURES = (
    Measure(
        name="truncated",
        label="texts cut",
        family="texts",
        definition="Share of texts with more tokens than the encoder reads, so that their end is missing",
        compute=truncated,
        source=_SOURCE,
        better="low",
        undefined="where there are no texts",
    ),
    Measure(
        name="tokens",
        label="tokens per text",
        family="texts",
        definition="Mean number of tokens of a text, with prompt and special tokens, before anything is cut",
        compute=tokens,
        source=_SOURCE,
        high=float("inf"),
        better="low",
        unit="tokens",
        undefined="where there are no texts",
    ),
    Measure(
        name="unknown_tokens",
        label="unknown tokens",
        family="texts",
        definition="Share of tokens that stand for what the vocabulary lacks",
        compute=unknown_share,
        source=_SOURCE,
        better="low",
        undefined="where texts have no tokens",
    ),
)
