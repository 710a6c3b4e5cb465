"""The batch samplers by name: which kinds of batches each draws, how often, and what the paper calls it.

`xlbias.train.sampling` draws the batches; here is what commands, plans and reports say of them, without a library.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from xlbias.errors import TrainingError

MONOLINGUAL, CROSS_LINGUAL, MIXED = BATCH_KINDS = ("monolingual", "cross-lingual", "mixed")
"""Kinds of batches: all in one language; each pair in two languages; each pair in one language, which differ."""

SamplerName = Literal["english", "mixed", "mono", "cross", "hybrid"]

ENGLISH: SamplerName = "english"
"""The one with a pivot language."""
MONO: SamplerName = "mono"
CROSS: SamplerName = "cross"
HYBRID: SamplerName = "hybrid"
"""The one with an α."""

DEFAULT_ALPHA = 0.5
DEFAULT_PIVOT = "en"

UNTRAINED = "untrained"
"""In a study, the encoder that all others were trained from, in the place of a sampler."""

MOST_SEEDS = 10_000
"""Of a grid or a study: an encoder is trained for each."""

PAPER = "arXiv 2408.10536"
"""Where the samplers come from, and some settings of recipes."""

CODE_SWITCH_MODES = ("multilingual", "bilingual")
"""Whether code-switching draws a target language for each text, or has one for all."""


@dataclass(frozen=True)
class Sampler:
    """What is known of a batch sampler.

    Attributes:
        name: ours.
        paper: its name in arXiv 2408.10536.
        about: what a batch is, in a few words.
        shares: α → the kinds of batches that it draws and the probability of each. Kinds stand in one order everywhere,
            so that under one seed ``hybrid`` with α = 1 is ``mono`` and with α = 0 is ``cross``, batch for batch.
    """

    name: SamplerName
    paper: str
    about: str
    shares: Callable[[float], Mapping[str, float]]


SAMPLERS: Mapping[str, Sampler] = {
    sampler.name: sampler
    for sampler in (
        Sampler(ENGLISH, "En-En", "all in English (or --pivot)", lambda _: {MONOLINGUAL: 1.0}),
        Sampler("mixed", "X-X", "each pair in one language, several in a batch", lambda _: {MIXED: 1.0}),
        Sampler(MONO, "X-X-mono", "a batch is in one language", lambda _: {MONOLINGUAL: 1.0}),
        Sampler(CROSS, "X-Y", "query and passage of a pair are in two languages", lambda _: {CROSS_LINGUAL: 1.0}),
        Sampler(HYBRID, "hybrid", "mono or cross", lambda alpha: {MONOLINGUAL: alpha, CROSS_LINGUAL: 1.0 - alpha}),
    )
}


def find_sampler(name: str) -> Sampler:
    """Return a sampler by name. Raises TrainingError if there is none."""
    if name not in SAMPLERS:
        raise TrainingError(f"unknown sampler {name!r}: expected one of {', '.join(SAMPLERS)}")
    return SAMPLERS[name]


def check_alpha(alpha: float) -> None:
    """Raise TrainingError unless `alpha` is a probability."""
    if not 0.0 <= alpha <= 1.0:
        raise TrainingError(f"alpha is {alpha}: expected a probability between 0 and 1")
