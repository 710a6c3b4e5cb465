"""Fair? What comes first in the multilingual pool, and whether translations of one answer stand together."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from xlbias.results.findings.context import Context, said, some
from xlbias.results.findings.finding import Destination, Finding, Number
from xlbias.results.per_query import Key
from xlbias.results.written import number
from xlbias.runs.run_info import ModelInfo, TaskInfo

KINDS = ("rank_distance", "own_language", "exposure", "language_order")

_MULTILINGUAL = "multilingual"
_NAMED = 3


def found(context: Context) -> Iterator[Finding]:
    """Yield what is unfair in the multilingual pool, of every encoder and task."""
    for model, task in context.ranked:
        for rule in (_rank_distance, _own_language, _exposure, _language_order):
            yield from rule(context, model, task)


def _rank_distance(context: Context, model: ModelInfo, task: TaskInfo) -> Iterator[Finding]:
    one = context.number(model.name, task.name, Key("rank_distance.normalised", _MULTILINGUAL))
    if one is None or _low(one) < context.thresholds.rank_distance:
        return
    levels = context.level(model.name, task.name, "rank_distance.normalised", _MULTILINGUAL)
    chance = [level for level in levels if level.role == "chance"]
    beside = f", where a random order has {number(chance[0].value)}" if chance else ""
    ties, tied = context.tied(model.name, task.name)
    sentence = f"translations of an answer lie {said(one)} of the pool apart{beside}{ties}."
    numbers = (one, *chance, *tied)
    short = f"translations {said(one, with_interval=False)} of the pool apart"
    short += f" (random {number(chance[0].value)})." if chance else "."
    yield _finding("rank_distance", sentence, _low(one), "rank_distance.normalised", model, task, numbers, short=short)


def _own_language(context: Context, model: ModelInfo, task: TaskInfo) -> Iterator[Finding]:
    one = context.number(model.name, task.name, Key("same_language@1", _MULTILINGUAL))
    languages = len(task.pool_sizes)
    if one is None or _low(one) * languages < context.thresholds.own_language:
        return
    in_turns = replace(one, value=1 / languages, low=None, high=None, n=languages, role="languages in turns")
    ties, tied = context.tied(model.name, task.name)
    sentence = (
        f"the query's own language comes first for {said(one)} of queries, where 1 of {languages} languages is "
        f"{number(in_turns.value)}{ties}."
    )
    weight = _low(one) - 1 / languages
    short = f"own language first for {said(one, with_interval=False)} of queries."
    numbers = (one, in_turns, *tied)
    yield _finding("own_language", sentence, weight, "same_language@1", model, task, numbers, short=short)


def _exposure(context: Context, model: ModelInfo, task: TaskInfo) -> Iterator[Finding]:
    limit = context.thresholds.exposure
    ratios = [
        one
        for language in sorted(task.pool_sizes)
        if (one := context.number(model.name, task.name, Key("exposure@10.ratio", _MULTILINGUAL, None, language)))
    ]
    much = [one for one in ratios if one.low is not None and one.low > 1 and (one.value or 0.0) >= limit]
    little = [
        one for one in ratios if one.high is not None and one.high < 1 and limit > 0 and (one.value or 0.0) <= 1 / limit
    ]
    if not much and not little:
        return
    much.sort(key=lambda one: -(one.value or 0.0))
    little.sort(key=lambda one: one.value or 0.0)
    parts = [
        f"too {words} {some([f'{one.passage_language} {said(one)}' for one in part], _NAMED)}"
        for part, words in ((much, "much"), (little, "little"))
        if part
    ]
    ties, tied = context.tied(model.name, task.name)
    sentence = f"share of the first 10 over share of the pool, whatever is asked: {'; '.join(parts)}{ties}."
    weight = max(abs(1 - (one.value or 0.0)) for one in (*much, *little)) / 2
    languages = tuple(str(one.passage_language) for one in (*little, *much))
    ends = [
        f"{words} {part[0].passage_language} {said(part[0], with_interval=False)}"
        for part, words in ((much, "most"), (little, "least"))
        if part
    ]
    short = f"share of the first 10 over that of the pool: {', '.join(ends)}."
    numbers = (*much, *little, *tied)
    yield _finding("exposure", sentence, weight, "exposure@10.ratio", model, task, numbers, languages, short)


def _language_order(context: Context, model: ModelInfo, task: TaskInfo) -> Iterator[Finding]:
    w = context.number(model.name, task.name, Key("kendall_w", _MULTILINGUAL))
    if w is None or w.low is None or w.low < context.thresholds.concordance:
        return
    ranks = [
        one
        for language in sorted(task.pool_sizes)
        if (one := context.number(model.name, task.name, Key("language_rank", _MULTILINGUAL, None, language)))
    ]
    if len(ranks) < 2:
        return
    ranks.sort(key=lambda one: one.value or 0.0)
    first, last = ranks[0], ranks[-1]
    ties, tied = context.tied(model.name, task.name)
    sentence = (
        f"answers in {first.passage_language} come first and in {last.passage_language} last, whatever is asked: mean "
        f"rank {said(first, with_interval=False)} and {said(last, with_interval=False)} of {len(ranks)}, Kendall's W "
        f"{said(w)}{ties}."
    )
    languages = (str(last.passage_language), str(first.passage_language))
    short = f"{first.passage_language} first, {last.passage_language} last, whatever is asked: Kendall's W "
    short += f"{said(w, with_interval=False)}."
    numbers = (w, first, last, *tied)
    yield _finding("language_order", sentence, w.low, "language_rank", model, task, numbers, languages, short)


def _finding(
    kind: str,
    sentence: str,
    weight: float,
    measure: str,
    model: ModelInfo,
    task: TaskInfo,
    numbers: tuple[Number, ...],
    languages: tuple[str, ...] = (),
    short: str = "",
) -> Finding:
    place = Destination("bias", "bias", measure, passage_language=languages[0] if languages else None)
    return Finding(
        kind, "fair", sentence, weight, place, model.name, task.name, languages=languages, numbers=numbers, short=short
    )


def _low(one: Number) -> float:
    """Return the lower end of a number; where it has no interval nothing can be said of it."""
    return one.low if one.low is not None else 0.0
