"""One query in every language it exists in: its texts, what was found for it, and how that moved between two runs.

Only the rows of one query are read: model, task and query id go down into the scan, and texts are read for the
passages that are shown.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from xlbias.results.run_numbers import RunNumbers
from xlbias.runs.schema import MULTILINGUAL_POOL


@dataclass(frozen=True)
class Passage:
    """One passage in a ranking.

    Attributes:
        rank: in the pool, from 1; None where it is censored, so that only the depth is known that it stands below.
        relevance: its grade; 0 if it is not relevant.
        text: None where the run does not hold it.
    """

    passage_id: str
    language: str
    rank: int | None
    score: float | None
    relevance: int
    text: str | None


@dataclass(frozen=True)
class InLanguage:
    """The query in one language.

    Attributes:
        text: None where the run does not hold it.
        ranked: whether it has been searched for in the pool of the view.
        ap: average precision in that pool; None where it is not ranked, or nothing relevant is in the pool.
        first_rank: of the best relevant passage in that pool.
        ap_multilingual: average precision in the multilingual pool.
        ranks: rank in the multilingual pool of the best relevant passage in each of the view's passage languages.
    """

    language: str
    text: str | None
    ranked: bool
    ap: float | None
    first_rank: int | None
    ap_multilingual: float | None
    ranks: tuple[int | None, ...]


@dataclass(frozen=True)
class QueryView:
    """One query of one model on one task, seen in one language and pool.

    Attributes:
        languages: the query in each of its languages, ordered by code; empty if there is no such query.
        passage_languages: languages with something relevant in the multilingual pool, ordered by code.
        ranked: whether the query has been searched for in the chosen language and pool.
        ap: its average precision there; None where nothing relevant is in the pool.
        relevants: every relevant passage there, by rank.
        top: the first passages there, by rank; none where the run does not keep those of the pool.
        united: the same query in the multilingual pool, where the run keeps the first passages of that one alone.
    """

    model: str
    task: str
    query_id: str
    query_language: str
    pool: str
    languages: tuple[InLanguage, ...]
    passage_languages: tuple[str, ...]
    ranked: bool
    ap: float | None
    relevants: tuple[Passage, ...]
    top: tuple[Passage, ...]
    united: QueryView | None = None

    @property
    def found(self) -> bool:
        """Whether the task has this query."""
        return bool(self.languages)

    @property
    def chosen(self) -> InLanguage | None:
        """The query in the chosen language."""
        return next((one for one in self.languages if one.language == self.query_language), None)

    @property
    def n_characters(self) -> int:
        """Length of all its texts together."""
        passages = (passage.text for passage in (*self.relevants, *self.top))
        own = sum(len(text or "") for text in (*passages, *(one.text for one in self.languages)))
        return own + (self.united.n_characters if self.united else 0)


def query_view(run: RunNumbers, model: str, task: str, query_id: str, query_language: str, pool: str) -> QueryView:
    """Read one query of a run; what the run does not hold, or not yet, is None or empty."""
    of_query = (pl.col("task") == task) & (pl.col("query_id") == query_id)
    texts = dict(run.queries.filter(of_query).select("language", "text").collect().iter_rows())
    rows = _rankings(run, of_query & (pl.col("model") == model), query_language, pool)
    union = {ql: row for (ql, in_pool), row in rows.items() if in_pool == MULTILINGUAL_POOL}
    answers = sorted({relevant["language"] for row in union.values() for relevant in row["relevants"] or ()})
    languages = tuple(
        _in_language(language, texts.get(language), rows.get((language, pool)), union.get(language), answers)
        for language in sorted({*texts, *(ql for ql, _ in rows)})
    )
    chosen: Mapping[str, Any] = rows.get((query_language, pool), {})
    instead: Mapping[str, Any] = {} if not chosen or chosen["top"] else union.get(query_language, {})
    instead = instead if instead.get("top") else {}
    passages = [
        passage for row in (chosen, instead) for name in ("relevants", "top") for passage in row.get(name) or ()
    ]
    found = _texts(run, task, {passage["passage_id"] for passage in passages})

    def view(row: Mapping[str, Any], pool: str, united: QueryView | None) -> QueryView:
        relevants = row.get("relevants") or ()
        grades = {relevant["passage_id"]: relevant["relevance"] for relevant in relevants}
        return QueryView(
            model, task, query_id, query_language, pool, languages, tuple(answers), bool(row), row.get("ap"),
            tuple(_passage(relevant, _rank(relevant, row), grades, found) for relevant in relevants),
            tuple(_passage(passage, rank, grades, found) for rank, passage in enumerate(row.get("top") or (), 1)),
            united,
        )  # fmt: skip

    return view(chosen, pool, view(instead, MULTILINGUAL_POOL, None) if instead else None)


def _rankings(
    run: RunNumbers, of_query: pl.Expr, query_language: str, pool: str
) -> dict[tuple[str, str], dict[str, Any]]:
    """Return rankings by query language and pool: those in the chosen pool and in the multilingual one."""
    here = pl.col("query_language") == query_language
    listed = (
        run.rankings.filter(of_query & pl.col("pool").is_in([pool, MULTILINGUAL_POOL]))
        .select(
            "query_language", "pool", "ap", "first_rank", "known_to", "relevants",
            pl.when(here).then("top").otherwise(None),
        )
        .collect()
    )  # fmt: skip
    return {(row["query_language"], row["pool"]): row for row in listed.iter_rows(named=True)}


def _in_language(
    language: str,
    text: str | None,
    row: Mapping[str, Any] | None,
    union: Mapping[str, Any] | None,
    answers: Sequence[str],
) -> InLanguage:
    best: dict[str, int] = {}
    for relevant in (union or {}).get("relevants") or ():
        if (rank := _rank(relevant, union or {})) is not None:
            best[relevant["language"]] = min(rank, best.get(relevant["language"], rank))
    here: Mapping[str, Any] = row or {}
    ranks = tuple(best.get(answer) for answer in answers)
    return InLanguage(
        language, text, row is not None, here.get("ap"), here.get("first_rank"), (union or {}).get("ap"), ranks
    )


def _rank(relevant: Mapping[str, Any], row: Mapping[str, Any]) -> int | None:
    """Return the rank of a relevant passage of a row of rankings, None where it is not known."""
    known, rank = row.get("known_to"), relevant["rank"]
    return int(rank) if known is None or rank <= known else None


def _passage(
    found: Mapping[str, Any], rank: int | None, grades: Mapping[str, int | None], texts: Mapping[str, str | None]
) -> Passage:
    name = found["passage_id"]
    grade = grades.get(name, 0)
    relevance = 1 if grade is None else grade  # every relevant passage counts, also without a grade
    return Passage(name, found["language"], rank, found["score"], relevance, texts.get(name))


def _texts(run: RunNumbers, task: str, names: Iterable[str]) -> dict[str, str | None]:
    wanted = sorted(names)
    if not wanted:
        return {}
    of_these = (pl.col("task") == task) & pl.col("passage_id").is_in(wanted)
    return dict(run.passages.filter(of_these).select("passage_id", "text").collect().iter_rows())


# -- two runs ----------------------------------------------------------------------------------------------------------


def ranks_by_passage(view: QueryView) -> dict[str, int]:
    """Return the ranks that are known: those of the top k and of every relevant passage."""
    passages = (*view.top, *view.relevants)
    return {passage.passage_id: passage.rank for passage in passages if passage.rank is not None}


def move(rank: int | None, before: int | None) -> str:
    """Return how a passage moved: ``▲3`` up, ``▼12`` down, ``·`` not at all, ``new`` from beyond the top k.

    ``▼out`` where it is `rank` that is beyond.
    """
    if rank is None or before is None:
        return "▼out" if rank is None else "new"
    if rank == before:
        return "·"
    return f"▲{before - rank:,}" if before > rank else f"▼{rank - before:,}"


def beyond(view: QueryView) -> str:
    """Return what is known of a rank that is not: ``>10`` for one below the ten first."""
    return f">{len(view.top):,}"
