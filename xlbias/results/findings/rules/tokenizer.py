"""For whom bad? Languages that the tokenizer hardly covers: many tokens a character, unknown tokens, texts cut."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from statistics import median

import polars as pl

from xlbias.measures.registry import SIDES
from xlbias.results.by_key import keys_of
from xlbias.results.findings.context import Context, some
from xlbias.results.findings.finding import Destination, Finding, Number
from xlbias.results.per_query import Key
from xlbias.results.written import number

KINDS = ("tokenizer",)

RATIO = "tokens a character"
"""The role of a number that is one."""

_NAMED = 4
_LEAST = 3  # languages that have a median


def found(context: Context) -> Iterator[Finding]:
    """Yield for every encoder, task and side the languages that are hardly covered."""
    lengths: dict[tuple[str, str], dict[str, float]] = {}
    for model, task in context.ranked:
        for side in SIDES:
            tokens, unknown, cut = (
                _by_language(context, model.name, task.name, f"{side}.{name}")
                for name in ("tokens", "unknown_tokens", "truncated")
            )
            if not tokens:
                continue
            if (task.name, side) not in lengths:
                lengths[task.name, side] = _characters(context, task.name, side)
            of_character = {
                language: one.value / characters
                for language, one in tokens.items()
                if one.value is not None and (characters := lengths[task.name, side].get(language))
            }
            covered = _hardly(context, tokens, of_character)
            why: dict[str, list[str]] = {}
            numbers: list[Number] = []
            for language in sorted(tokens, key=lambda name: -of_character.get(name, 0.0)):
                said: list[str] = []
                if language in covered:
                    said.append(f"{number(of_character[language], digits=2)} tokens a character")
                    ratio = of_character[language]
                    numbers += [
                        tokens[language],
                        replace(tokens[language], value=ratio, low=None, high=None, role=RATIO),
                    ]
                for what, limit, words in (
                    (unknown, context.thresholds.unknown, "unknown"),
                    (cut, context.thresholds.cut, "of texts cut"),
                ):
                    one = what.get(language)
                    if one is not None and one.value is not None and one.value >= limit > 0:
                        said.append(f"{100 * one.value:.3g} % {words}")
                        numbers.append(one)
                if said:
                    why[language] = said
            if not why:
                continue
            beside = ""
            if covered:
                middle = median(of_character.values())
                beside = f" (median of languages {number(middle, digits=2)})"
                numbers.append(
                    Number(f"{side}.tokens", middle, encoder=model.name, task=task.name, role=f"median of {RATIO}")
                )
            named = some([f"{language} {', '.join(texts)}" for language, texts in why.items()], _NAMED)
            yield Finding(
                "tokenizer", "for whom", f"its tokenizer hardly covers {side} in {named}{beside}.",
                max((one.value or 0.0 for one in numbers if one.measure != f"{side}.tokens"), default=0.0),
                Destination("overview", "texts", f"{side}.tokens"), model.name, task.name,
                languages=tuple(why), numbers=tuple(numbers),
            )  # fmt: skip


def _hardly(context: Context, tokens: dict[str, Number], of_character: dict[str, float]) -> set[str]:
    """Return the languages with many tokens both a character and a text."""
    if len(of_character) < _LEAST:
        return set()
    limits = context.thresholds
    texts = median(one.value or 0.0 for one in tokens.values())
    characters = median(of_character.values())
    return {
        language
        for language, ratio in of_character.items()
        if ratio >= limits.token_ratio * characters and (tokens[language].value or 0.0) >= limits.text_ratio * texts
    }


def _by_language(context: Context, model: str, task: str, measure: str) -> dict[str, Number]:
    return {
        key.query_language: one
        for key in keys_of(context.numbers(model, task), measure)
        if key.query_language is not None and key.passage_language is None
        if (one := context.number(model, task, Key(*key))) is not None
    }


def _characters(context: Context, task: str, side: str) -> dict[str, float]:
    """Return the mean number of characters of a text by language; nothing where the run has no texts."""
    if not context.reads_rankings:
        return {}
    texts = context.run.queries if side == "queries" else context.run.passages
    means = (
        texts.filter(pl.col("task") == task)
        .group_by("language")
        .agg(pl.col("text").str.len_chars().mean().alias("characters"))
        .drop_nulls()
        .collect()
    )
    return {language: characters for language, characters in means.iter_rows() if characters}
