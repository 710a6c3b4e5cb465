"""Tokens of a text, and how many of them an encoder does not know or does not read."""

from __future__ import annotations

import numpy as np

from xlbias.measures.measure import Measure
from xlbias.measures.ragged import Floats, Ints

_SOURCE = "Petrov et al. 2023, Language Model Tokenizers Introduce Unfairness Between Languages"


def tokens(counts: Ints) -> float:
    """Return the mean number of tokens, from int64 [n]."""
    return float(counts.mean()) if len(counts) else float("nan")


def unknown_share(unknown: Ints, counts: Ints) -> float:
    """Return the share of tokens that stand for what the vocabulary lacks, from int64 [n] each."""
    total = int(counts.sum())
    return float(unknown.sum() / total) if total else float("nan")


def truncated(cut: np.ndarray[tuple[int, ...], np.dtype[np.bool_]]) -> Floats:
    """Return 1 for a text whose end is not read, else 0: float64 [n], from bool [n]."""
    return cut.astype(np.float64)


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
