"""How to read a number of bias: what is good, what its ends mean, and which value is neutral. Judges neither goal."""

from __future__ import annotations

from xlbias.measures.measure import Measure
from xlbias.report.numbers import number
from xlbias.runs.run_info import TaskInfo

_HINTS = {
    "rank_distance": (
        "Low is good: translations of one answer rank close together. Least: their number minus 1; most: the two ends "
        "of the pool of {pool:,}."
    ),
    "rank_distance.normalised": "Low is good: 0 together, 1 at the two ends of the pool. Comparable between tasks.",
    "rank_distance.median": "Low is good: half of the queries have at most this distance. No interval.",
    "max@r": "High is good: 100 if all translations of the answer rank first, 0 if one ranks last.",
    "exposure@10": (
        "Neutral, the middle colour: the language's share of the pool, under the heads. Above it: shown more "
        "often than its size explains. all: over all queries."
    ),
    "exposure@10.ratio": (
        "1 is neutral: shown as often as its share of the pool explains; 2 is twice as often, 0 never. all: all "
        "queries. Middle colour: 1."
    ),
    "exposure@10.languages": (
        "Over queries in all languages. Above 1, a language is shown more often than its share of the pool explains; "
        "below 1, less often. Middle colour: 1."
    ),
    "exposure@10.excess": (
        "0 is neutral: share of the first 10 minus share of the pool (under the heads). all: queries in all languages."
    ),
    "single_gold": (
        "High is good. On the diagonal, query and answer have the same language. Even rows: no language is preferred."
    ),
    "single_gold.gap": (
        "0: own and other languages are found equally well. Above 0, the query's own language is preferred. What is "
        "wanted depends on the use."
    ),
    "language_rank.all": (
        "Place of a language's answer among the {languages} translations, 1 is first. Neutral: {middle} for all. "
        "Kendall W: 0 no language is preferred, 1 always the same order."
    ),
    "language_rank": "{middle} is neutral. Low in a column: the language ranks first, whatever the query language.",
    "kendall_w": "Low is fair: 0 no language is preferred, 1 always the same order of languages.",
    "numbers": "One number a row, over all languages; [low, high] is its 95% interval over query ids.",
    "same_language@1": (
        "{even} is neutral; 1: the best answer is always in the query's language. What is wanted depends on the use."
    ),
    "rank_consistency": "High is good: 1 is the same ranking in every query language, 0 an unrelated one.",
    "peer": "High is fair: if low, ranks depend on the language.",
}

_DIFFERENCES = "New minus baseline, paired by query id; * p < .05 (corrected over {family}); [low, high] 95% over ids."

_GOOD = {
    "high": "Above 0 is better.",
    "low": "Below 0 is better.",
    "neither": "Neither way is better: what is wanted depends on the use.",
}


def reading_of(
    view: str,
    about: Measure | None,
    task: TaskInfo,
    *,
    differences: bool = False,
    one_training: bool = False,
) -> str:
    """Return how a view of bias is read: what is good and neutral.

    Args:
        view: name of the view.
        about: its measure; None where there are many.
        task: the task's entry in the run's metadata.
        differences: whether differences are shown.
        one_training: whether one of the two is a training with one seed.
    """
    sizes = task.pool_sizes
    languages = max(1, len(sizes))
    hint = _HINTS[view].format(
        pool=sum(sizes.values()),
        languages=languages,
        middle=f"{(languages + 1) / 2:g}",
        even=f"1/{languages} = {number(1 / languages)}",
    )
    if differences:
        family = "the rows of this table" if about is None else "all cells of the measure"
        hint = f"{_DIFFERENCES.format(family=family)} {_GOOD[about.better] if about else ''}".strip()
        hint += " One training each: another seed may differ." if one_training else ""
    return hint
