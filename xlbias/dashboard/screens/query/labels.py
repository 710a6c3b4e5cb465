"""What the Query screen says of a query, its panels and the row under the cursor: parts of lines, and texts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from xlbias.dashboard.views.query_panels import RELEVANT, Panel
from xlbias.dashboard.widgets.edge import tabs
from xlbias.dashboard.widgets.text.line import Part
from xlbias.languages import language_name
from xlbias.report.numbers import number
from xlbias.results.queries.query import InLanguage, Passage, QueryView, beyond, move, ranks_by_passage
from xlbias.results.queries.top import First, first_rows, lists_of, n_dropped, ranks_of_relevant
from xlbias.runs.schema import MULTILINGUAL_POOL
from xlbias.text import one_line, width

if TYPE_CHECKING:
    from xlbias.dashboard.workers.snapshot import QueryKey

PANELS: tuple[Panel, ...] = ("top", "relevant", "languages", "ranks")
"""In the order of Tab."""

_NAMES: dict[Panel, str] = {"top": "top k", "relevant": "relevant", "languages": "languages", "ranks": "ranks"}
_CODE = 12
_LEAST_MODEL = 12  # cells

NO_TEXT = "The run does not store this text."


def title_parts(
    key: QueryKey, view: QueryView | None, other: QueryView | None, position: tuple[int, int] | None
) -> list[Part]:
    """Return the title: languages, average precision, where the first relevant passage stands, place in the filter."""
    parts = [Part(f"{_pair(key[1], key[2])}  ", "bold $text-accent")]
    if position is not None:
        parts.append(Part(f"{position[0]:,} of {position[1]:,}  ", "$quiet"))
    if view is None or not view.ranked:
        return parts
    parts.append(Part(f"ap {number(view.ap)}  ", "bold"))
    if other is not None and other.ranked and view.ap is not None and other.ap is not None:
        sign = "+" if view.ap > other.ap else ""
        parts.append(Part(f"was {number(other.ap)}, {sign}{number(view.ap - other.ap)}  "))
    if view.relevants:
        n, first = len(view.relevants), view.relevants[0].rank
        if first is None:
            parts.append(Part(f"{n:,} relevant, none found: ranks are censored  "))
        else:
            parts.append(Part(f"{n:,} relevant, first at {first:,}  " if n > 1 else f"relevant at {first:,}  "))
    else:
        parts.append(Part("nothing relevant in this pool  ", "$text-warning"))
    return parts


def about_run(model: str, task: str, base: str, cells: int) -> str:
    """Return encoder and task, and what moves are taken from: the encoder is cut first where there is no room."""
    rest = f" on {one_line(task, 40)}"
    more = f", moves since {base}" if base else ""
    room = max(_LEAST_MODEL, cells - width(rest) - width(more))
    return f"{one_line(model, room)}{rest}{more}"


def why_no_text(view: QueryView) -> str:
    """Return a sentence in the place of the query's text."""
    if not view.found:
        return f"There is no such query in {one_line(view.task, 40)}."
    if view.chosen is None:
        return f"This query does not exist in {_name(view.query_language)}."
    return "The run does not store the text of this query."


def no_rows(panel: Panel, view: QueryView) -> str:
    """Return a sentence in the place of rows."""
    if view.chosen is None:
        return ""
    if view.ranked and panel == "top":
        return "The run stores no first passages of this pool, nor of all languages (--top-of)."
    return "No rows." if view.ranked else "This query has not been ranked here yet."


def tab_parts(active: Panel, view: QueryView | None, room: int) -> list[Part]:
    """Return the names of all panels, with how many rows each has, in so many cells."""
    narrow = room < 70
    names = {panel: _named(panel, view) for panel in PANELS}
    if narrow:
        names["top"] = names["top"].replace(" languages", "")
    parts = tabs([(f"{name}{_count(panel, view)}", panel == active) for panel, name in names.items()], room)
    if view is not None and not narrow and active == "top" and (said := _about_relevant(view)).text:
        parts += [Part("  "), said]
    return parts


def _named(panel: Panel, view: QueryView | None) -> str:
    return "top k of all languages" if panel == "top" and view is not None and view.united else _NAMES[panel]


def _about_relevant(view: QueryView) -> Part:
    """Where the relevant passages of the pool stand in the list that is shown instead of its own."""
    ranks = ranks_of_relevant(view)
    more = ", …" if len(ranks) > 3 else ""
    said = f"{RELEVANT} {one_line(view.pool, _CODE)} at {', '.join(f'{rank:,}' for rank in ranks[:3])}{more}"
    return Part(said if ranks else "", "bold")


def panel_name(panel: Panel, view: QueryView | None) -> str:
    """Return the name of one panel among several, with how many rows it has."""
    return f"{_named(panel, view)}{_count(panel, view)}"


def about_panel(panel: Panel, view: QueryView | None, other: QueryView | None) -> list[Part]:
    """Return what else is said of one panel among several."""
    parts: list[Part] = []
    if panel == "ranks":
        parts.append(Part(" in all passages, by language of the relevant one ", "$quiet"))
    elif panel == "top" and view is not None:
        if view.united:
            parts += [Part(" the run stores none for this pool  ", "$quiet"), _about_relevant(view)]
        if other is not None and lists_of(view, other)[1] is not None:
            dropped = n_dropped(view, other)
            parts.append(Part(f" beside the baseline's; {dropped:,} dropped out, at the end  ", "$quiet"))
    return parts


def _count(panel: Panel, view: QueryView | None) -> str:
    if view is None:
        return ""
    return {
        "top": f" {len((view.united or view).top):,}", "relevant": f" {len(view.relevants):,}",
        "languages": f" {len(view.languages):,}",
        "ranks": "",
    }[panel]  # fmt: skip


def about_cursor(panel: Panel, view: QueryView, other: QueryView | None, row: int) -> tuple[list[Part], str]:
    """Return what the row under the cursor is, and the id of its passage, which comes from data."""
    if panel in ("languages", "ranks"):
        return _about_language(panel, view.languages[row], view), ""
    if panel == "top":
        first = first_rows(view, other)[row]
        return _about_first(first), first.passage.passage_id
    return _about_passage(view.relevants[row], other), view.relevants[row].passage_id


def _about_first(first: First) -> list[Part]:
    parts = _passage_parts(first.passage, first.rank)
    return [*parts, Part(f"was {first.was} {first.move}  ")] if first.was is not None else parts


def _passage_parts(passage: Passage, rank: str) -> list[Part]:
    score = "" if passage.score is None else f"score {number(passage.score)}  "
    parts = [
        Part(f"rank {rank}  {_name(passage.language)}  {score}"),
        Part(
            f"{RELEVANT} relevant  " if passage.relevance else "not relevant  ",
            "bold" if passage.relevance else "$quiet",
        ),
    ]
    if passage.relevance > 1:
        parts.append(Part(f"grade {passage.relevance:,}  "))
    return parts


def _about_passage(passage: Passage, other: QueryView | None) -> list[Part]:
    parts = _passage_parts(passage, "not known" if passage.rank is None else f"{passage.rank:,}")
    if other is not None and other.ranked:
        was = ranks_by_passage(other).get(passage.passage_id)
        parts.append(Part(f"was {beyond(other) if was is None else f'{was:,}'} {move(passage.rank, was)}  "))
    return parts


def _about_language(panel: Panel, one: InLanguage, view: QueryView) -> list[Part]:
    pool = MULTILINGUAL_POOL if panel == "ranks" else view.pool
    parts = [Part(f"asked in {_name(one.language)}, {_pair(one.language, pool)}  ")]
    ap = one.ap_multilingual if panel == "ranks" else one.ap
    return [*parts, Part(f"ap {number(ap)}  ")]


def passage_under_cursor(panel: Panel, view: QueryView, other: QueryView | None, row: int) -> Passage | None:
    """Return the passage under the cursor, None in panels of queries."""
    if panel == "top":
        return first_rows(view, other)[row].passage
    return view.relevants[row] if panel == "relevant" else None


def text_under_cursor(panel: Panel, view: QueryView, other: QueryView | None, row: int) -> tuple[str, str]:
    """Return the text under the cursor, or a sentence of our own where there is none."""
    if panel == "ranks":
        return "", _ranks_sentence(view, other, view.languages[row])
    if panel == "languages":
        found: Sequence[str | None] = [one.text for one in view.languages]
    elif panel == "top":
        found = [first.passage.text for first in first_rows(view, other)]
    else:
        found = [passage.text for passage in view.relevants]
    text = found[row] if row < len(found) else ""
    return (text, "") if text is not None else ("", NO_TEXT)


def _ranks_sentence(view: QueryView, other: QueryView | None, one: InLanguage) -> str:
    """Every rank of one query language in words, also those that the grid has no room for."""
    before: dict[str, int | None] = {}
    base = next((b for b in other.languages if b.language == one.language), None) if other else None
    if base is not None and other is not None:
        before = dict(zip(other.passage_languages, base.ranks, strict=True))
    said = []
    for language, rank in zip(view.passage_languages, one.ranks, strict=True):
        was = before.get(language)
        moved = f" ({move(rank, was)})" if rank is not None and was is not None else ""
        said.append(f"{one_line(language, _CODE)} {'·' if rank is None else f'{rank:,}'}{moved}")
    return " · ".join(said) if said else "Nothing relevant in any language, or not ranked yet."


def _pair(query_language: str, pool: str) -> str:
    target = "all" if pool == MULTILINGUAL_POOL else one_line(pool, _CODE)
    return f"{one_line(query_language, _CODE)}→{target}"


def _name(language: str) -> str:
    return one_line(language_name(language), 24)
