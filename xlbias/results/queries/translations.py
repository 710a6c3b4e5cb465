"""Translations of passages, as far as a run tells them: parallel texts answer the same queries.

Passages with one `parallel_id` are translations of one another; others are where they answer a query that has one
answer in each language (the rule of `xlbias.evaluation.alignment`). A passage that answers no query has none that the
run knows of. One text may be several in another language, where sentences were cut differently.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import polars as pl

from xlbias.results.run_numbers import RunNumbers
from xlbias.runs.schema import MULTILINGUAL_POOL

_PAIRS = {"query_id": pl.String, "passage_id": pl.String, "language": pl.String, "parallel_id": pl.String}


@dataclass(frozen=True)
class Translation:
    """What a run tells of one passage in another language.

    Attributes:
        passage_ids: the passages of that language; none where the run does not know any.
        text: their texts one after another, None where there are none or the run does not hold them.
        answers: whether the passage answers a query; without one its translations cannot be known.
        document: where the passage itself stands; None where that is not known.
    """

    passage_ids: tuple[str, ...]
    text: str | None
    answers: bool
    document: str | None = None


def first_choice(languages: Iterable[str]) -> str:
    """Return the language that is offered first: English where it exists, else the first of them; empty of none."""
    known = list(languages)
    return next((code for code in known if code.partition("-")[0] == "en"), known[0] if known else "")


def answers(run: RunNumbers, model: str, task: str) -> pl.DataFrame:
    """Return which passages answer which query: ``query_id, passage_id, language, parallel_id``, a row for each pair.

    Judgements hold for a query in every language, so that each id is read in one of its languages only.
    """
    about = run.task(task)
    sizes, n_ids = (about.n_queries, about.n_ids) if about is not None else ({}, None)
    ranked = run.rankings.filter((pl.col("model") == model) & (pl.col("task") == task))
    for pools in (pl.col("pool") == MULTILINGUAL_POOL, pl.col("pool") != MULTILINGUAL_POOL):
        found = _read(ranked.filter(pools), sorted(sizes, key=lambda code: (-sizes[code], code)), n_ids)
        if found.height:
            return found
    return pl.DataFrame(schema=_PAIRS)


def _read(ranked: pl.LazyFrame, languages: Iterable[str], n_ids: int | None) -> pl.DataFrame:
    parts: list[pl.DataFrame] = []
    known = pl.Series("query_id", [], dtype=pl.String)
    for language in languages:
        if n_ids and n_ids <= len(known):
            break
        part = ranked.filter(pl.col("query_language") == language).select("query_id", "relevants").collect()
        part = part.filter(~pl.col("query_id").is_in(known.implode()))
        known = pl.concat([known, part["query_id"].unique()])
        pairs = part.explode("relevants").drop_nulls("relevants").unnest("relevants").select(*_PAIRS)
        parts.append(pairs.unique(["query_id", "passage_id"], maintain_order=True))
    return pl.concat(parts) if parts else pl.DataFrame(schema=_PAIRS)


def translations(
    run: RunNumbers, task: str, pairs: pl.DataFrame, passages: Mapping[str, str], language: str
) -> dict[str, Translation]:
    """Return what the run tells of passages in a language; those that are in it already are left out.

    Args:
        run: has their texts.
        task: whose passages they are.
        pairs: what answers which query, see `answers`.
        passages: languages of passages by their ids.
        language: the language that is read.
    """
    wanted = [name for name, code in passages.items() if code != language]
    if not wanted:
        return {}
    found = _counterparts(pairs, wanted, language)
    answering = set(pairs.filter(pl.col("passage_id").is_in(wanted))["passage_id"].to_list())
    shown = sorted({other for others in found.values() for other in others} | set(wanted))
    held = run.passages.filter((pl.col("task") == task) & pl.col("passage_id").is_in(shown))
    texts: dict[str, str | None] = {}
    documents: dict[str, str | None] = {}
    for name, text, document in held.select("passage_id", "text", "document").collect().iter_rows():
        texts[name], documents[name] = text, document
    return {
        name: Translation(
            tuple(found.get(name, ())), _joined([texts.get(other) for other in found.get(name, ())]),
            name in answering, documents.get(name),
        )
        for name in wanted
    }  # fmt: skip


def _counterparts(pairs: pl.DataFrame, wanted: list[str], language: str) -> dict[str, list[str]]:
    """Return the passages of a language that are translations of those wanted, by id."""
    here = pairs.filter(pl.col("passage_id").is_in(wanted))
    there = pairs.filter(pl.col("language") == language)
    by_parallel = here.drop_nulls("parallel_id").join(
        there.drop_nulls("parallel_id"), on="parallel_id", suffix="_there"
    )
    asked = pairs.filter(pl.col("query_id").is_in(here["query_id"].unique().implode()))
    single = asked.filter(~pl.struct("query_id", "language").is_duplicated().any().over("query_id"))
    by_query = (
        here.filter(pl.col("parallel_id").is_null())
        .join(single.filter(pl.col("language") == language), on="query_id", suffix="_there")
        .filter(pl.col("parallel_id_there").is_null())
    )
    names = ["passage_id", "passage_id_there"]
    both = pl.concat([by_parallel.select(names), by_query.select(names)]).unique().sort(names)
    found: dict[str, list[str]] = {}
    for name, other in both.iter_rows():
        found.setdefault(name, []).append(other)
    return found


def _joined(texts: list[str | None]) -> str | None:
    """Return texts one after another, None where any of them is missing, or there are none."""
    known = [text.strip() for text in texts if text is not None]
    return " ".join(known) if known and len(known) == len(texts) else None
