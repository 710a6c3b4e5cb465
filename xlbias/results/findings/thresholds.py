"""Thresholds of findings: every adjective of a finding stands for one of these numbers."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field, fields, replace

from xlbias.choices import listed, suggestion
from xlbias.errors import UsageError


def _threshold(default: float, kinds: str, meaning: str, *, most: float = math.inf) -> float:
    return field(default=default, metadata={"kinds": kinds, "meaning": meaning, "most": most})


@dataclass(frozen=True)
class Thresholds:
    """The thresholds of all rules, each at least 0; what they mean is in their metadata and on docs/findings.md.

    Raises UsageError for a number that a threshold cannot be.
    """

    significance: float = _threshold(
        0.05,
        "query_language, passage_language, difference",
        "a difference is significant where its p, corrected over its family, is below",
        most=1,
    )
    language_gap: float = _threshold(
        0.1,
        "query_language, passage_language",
        "a language is served worse where its mean mAP is significantly below that of the other languages, by at least "
        "this share of it",
        most=1,
    )
    pool_ratio: float = _threshold(
        1.5,
        "passage_language",
        "that a language has many passages, so many rivals, is said where it has this many times those of the others "
        "on average",
    )
    pair_level: float = _threshold(
        0.5,
        "worst_pair",
        "a pair of languages is told where its mAP, and the upper end of its interval, are below this share of the "
        "setting's mean",
        most=1,
    )
    token_ratio: float = _threshold(
        2.0,
        "tokenizer",
        "a language is hardly covered where a character takes this many times the tokens of the median language",
    )
    text_ratio: float = _threshold(
        1.25,
        "tokenizer",
        "and a text this many times: a script whose characters say more takes more tokens for one",
    )
    unknown: float = _threshold(
        0.01, "tokenizer", "or where at least this share of its tokens stand for what the vocabulary lacks", most=1
    )
    cut: float = _threshold(
        0.01, "tokenizer", "or where at least this share of its texts are longer than the encoder reads", most=1
    )
    rank_distance: float = _threshold(
        0.1,
        "rank_distance",
        "translations lie far apart where the lower end of normalised rank distance is at least",
        most=1,
    )
    own_language: float = _threshold(
        1.5,
        "own_language",
        "the query's own language is preferred where it comes first this many times as often as if languages took "
        "turns, lower end of the interval",
    )
    exposure: float = _threshold(
        1.25,
        "exposure",
        "a language is shown too much or too little where its share of the first 10 is this many times its share of "
        "the pool, or one over it, and the interval lies beyond 1",
    )
    concordance: float = _threshold(
        0.1,
        "language_order",
        "languages have an order of their own where the lower end of Kendall's W is at least",
        most=1,
    )
    tied: float = _threshold(
        0.01,
        "rank_distance, own_language, exposure, language_order",
        "ties are named as a possible cause from this share of answers that score the same as another passage",
        most=1,
    )
    loss: float = _threshold(
        0.1,
        "shift",
        "quality or alignment is lost away from home where the lower end of the relative loss is at least",
        most=1,
    )
    excluded: float = _threshold(
        0.01,
        "excluded",
        "queries without an answer are told where they are at least this share of the rankings",
        most=1,
    )

    def __post_init__(self) -> None:
        """Raise UsageError for a number that is not between 0 and the most that a threshold can be."""
        for one in fields(self):
            value, most = getattr(self, one.name), one.metadata["most"]
            if not (isinstance(value, int | float) and math.isfinite(value) and 0 <= value <= most):
                up = f"from 0 to {most:g}" if math.isfinite(most) else "of at least 0"
                raise UsageError(f"threshold {one.name}: expected a number {up}, got {value!r}")

    def with_set(self, settings: Iterable[str]) -> Thresholds:
        """Return thresholds with those of texts like ``language_gap=0.2``. Raises UsageError for what is none."""
        known = [one.name for one in fields(self)]
        changed: dict[str, float] = {}
        for text in settings:
            name, equals, value = text.partition("=")
            if name not in known:
                close = suggestion(name, known)
                raise UsageError(f"no threshold {name!r}{close}: choose from {listed(known, len(known))}")
            try:
                changed[name] = float(value)
            except ValueError:
                got = f"got {value!r}" if equals else "nothing was given"
                raise UsageError(f"threshold {name}: expected {name}=NUMBER, {got}") from None
        return replace(self, **changed)


def table() -> list[str]:
    """Return the thresholds as a Markdown table: the page and the command show this one."""
    lines = ["| threshold | default | findings | meaning |", "|---|---|---|---|"]
    for one in fields(Thresholds):
        kinds = ", ".join(f"`{kind}`" for kind in one.metadata["kinds"].split(", "))
        lines.append(f"| `{one.name}` | {one.default:g} | {kinds} | {one.metadata['meaning']} |")
    return lines
