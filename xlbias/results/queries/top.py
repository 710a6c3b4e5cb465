"""What came first for a query, now and in the baseline: the first passages, and those that have dropped out of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from xlbias.results.queries.query import Passage, QueryView, beyond, move, ranks_by_passage
from xlbias.runs.schema import MULTILINGUAL_POOL


@dataclass(frozen=True)
class First:
    """One row of the list.

    Attributes:
        passage: its score is that of now, None where it is beyond what the run keeps.
        rank: of now, as it is shown: ``>10`` where it is only known to be beyond the ten first.
        was: rank in the baseline, shown alike; None without one.
        move: from there to here; None without a baseline.
        base: the passage that the baseline has in this place, None beyond its first passages.
        base_now: what rank that one has now, as it is shown.
    """

    passage: Passage
    rank: str
    was: str | None = None
    move: str | None = None
    base: Passage | None = None
    base_now: str | None = None


def lists_of(view: QueryView, other: QueryView | None) -> tuple[QueryView, QueryView | None]:
    """Return the views whose first passages are listed: of all languages, where the pool's own are not kept."""
    if view.united is None:
        return view, other
    if other is not None and other.united is None and other.pool != MULTILINGUAL_POOL:
        return view.united, None
    return view.united, other and (other.united or other)


def first_rows(view: QueryView, other: QueryView | None) -> tuple[First, ...]:
    """Return the first passages by rank, then those that only the baseline has among its first, by rank there.

    Where they are those of all languages, because the pool's own are not kept, the relevant passages of the pool that
    are not among them come last, with their ranks.
    """
    shown, base = lists_of(view, other)
    now = ranks_by_passage(shown)
    compared = base is not None and base.ranked
    before = ranks_by_passage(base) if base is not None else {}
    rows = []
    for place, passage in enumerate(_listed(view, shown, base)):
        rank, was = now.get(passage.passage_id), before.get(passage.passage_id)
        opposite = base.top[place] if base is not None and place < len(base.top) else None
        there = now.get(opposite.passage_id) if opposite is not None else None
        rows.append(
            First(
                passage,
                _shown(rank, shown),
                _shown(was, base) if base is not None and compared else None,
                move(rank, was) if compared else None,
                opposite,
                _shown(there, shown) if opposite is not None else None,
            )
        )
    return tuple(rows)


def _listed(view: QueryView, shown: QueryView, base: QueryView | None) -> Iterator[Passage]:
    yield from shown.top
    listed = {passage.passage_id for passage in shown.top}
    relevant = {passage.passage_id: passage for passage in shown.relevants}
    for passage in base.top if base is not None else ():
        if passage.passage_id not in listed:
            listed.add(passage.passage_id)
            yield relevant.get(passage.passage_id, replace(passage, score=None))
    if shown is not view:
        for passage in view.relevants:
            if passage.passage_id not in listed and passage.passage_id in relevant:
                yield relevant[passage.passage_id]


def n_dropped(view: QueryView, other: QueryView | None) -> int:
    """Return how many of the baseline's first passages are no longer among the first."""
    shown, base = lists_of(view, other)
    return len({p.passage_id for p in base.top} - {p.passage_id for p in shown.top}) if base is not None else 0


def ranks_of_relevant(view: QueryView) -> tuple[int, ...]:
    """Return the ranks, among the passages of all languages, of those that are relevant in the pool of the view."""
    relevant = {passage.passage_id for passage in view.relevants}
    there = view.united.relevants if view.united else ()
    return tuple(p.rank for p in there if p.passage_id in relevant and p.rank is not None)


def _shown(rank: int | None, view: QueryView) -> str:
    return beyond(view) if rank is None else f"{rank:,}"
