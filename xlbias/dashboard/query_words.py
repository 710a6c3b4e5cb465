"""What the Query screen says of a query, its panels and the row under the cursor: parts of lines, and texts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from xlbias.dashboard.widgets.line import Part
from xlbias.languages import language_name
from xlbias.report.layout import number
from xlbias.report.query import InLanguage, Passage, QueryView, beyond, move, ranks_by_passage
from xlbias.report.query_panels import MARK, Panel
from xlbias.runs.schema import MULTILINGUAL_POOL
from xlbias.text import one_line

if TYPE_CHECKING:
    from xlbias.dashboard.app import QueryKey

PANELS: tuple[Panel, ...] = ("top", "relevant", "languages", "ranks")
"""In the order of Tab."""

_NAMES: dict[Panel, str] = {"top": "top k", "relevant": "relevant", "languages": "languages", "ranks": "ranks"}
_CODE = 12

NO_TEXT = "The run does not hold this text."


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
        parts.append(Part(f"{n} relevant, first at {first:,}  " if n > 1 else f"relevant at {first:,}  "))
    else:
        parts.append(Part("nothing relevant in this pool  ", "$text-warning"))
    return parts


def why_no_text(view: QueryView) -> str:
    """Return a sentence in the place of the query's text."""
    if not view.found:
        return f"There is no such query in {one_line(view.task, 40)}."
    if view.chosen is None:
        return f"This query does not exist in {_name(view.query_language)}."
    return "The run does not hold the text of this query."


def no_rows(panel: Panel, view: QueryView) -> str:
    """Return a sentence in the place of rows."""
    if view.chosen is None:
        return ""
    if view.ranked and panel == "top":
        return "The run does not keep the first passages of this pool: that of all languages has them (--top-of)."
    return "Nothing here." if view.ranked else "This query has not been ranked here yet."


def tab_parts(active: Panel, view: QueryView | None) -> list[Part]:
    """Return the names of all panels, with how many rows each has."""
    parts = []
    for panel in PANELS:
        style = "bold reverse" if panel == active else "$quiet"
        parts += [Part(f" {_NAMES[panel]}{_count(panel, view)} ", style, "panel"), Part(" ")]
    return parts


def panel_parts(panel: Panel, view: QueryView | None, other: QueryView | None, *, active: bool) -> list[Part]:
    """Return the title of one panel among several."""
    parts = [Part(f"{'▸' if active else ' '} {_NAMES[panel]}{_count(panel, view)}", "bold" if active else "$quiet")]
    if panel == "ranks":
        parts.append(Part("  in all passages, by language of the relevant one", "$quiet"))
    elif panel == "top" and view is not None and other is not None:
        parts.append(Part("  beside the baseline's", "$quiet"))
    return parts


def _count(panel: Panel, view: QueryView | None) -> str:
    if view is None:
        return ""
    return {
        "top": f" {len(view.top)}", "relevant": f" {len(view.relevants)}", "languages": f" {len(view.languages)}",
        "ranks": "",
    }[panel]  # fmt: skip


def about_cursor(panel: Panel, view: QueryView, other: QueryView | None, row: int) -> tuple[list[Part], str]:
    """Return what the row under the cursor is, and the id of its passage, which comes from data."""
    if panel in ("languages", "ranks"):
        return _about_language(panel, view.languages[row], view), ""
    listed = view.top if panel == "top" else view.relevants
    if row >= len(listed):  # the baseline's list is longer
        return [Part(f"rank {row + 1:,}: nothing", "$quiet")], ""
    return _about_passage(listed[row], other), listed[row].passage_id


def _about_passage(passage: Passage, other: QueryView | None) -> list[Part]:
    parts = [
        Part(f"rank {passage.rank:,}  {_name(passage.language)}  score {number(passage.score)}  "),
        Part(
            f"{MARK} relevant  " if passage.relevance else "not relevant  ", "bold" if passage.relevance else "$quiet"
        ),
    ]
    if passage.relevance > 1:
        parts.append(Part(f"grade {passage.relevance}  "))
    if other is not None and other.ranked:
        was = ranks_by_passage(other).get(passage.passage_id)
        parts.append(Part(f"was {beyond(other) if was is None else f'{was:,}'} {move(passage.rank, was)}  "))
    return parts


def _about_language(panel: Panel, one: InLanguage, view: QueryView) -> list[Part]:
    pool = MULTILINGUAL_POOL if panel == "ranks" else view.pool
    parts = [Part(f"asked in {_name(one.language)}, {_pair(one.language, pool)}  ")]
    ap = one.ap_multilingual if panel == "ranks" else one.ap
    return [*parts, Part(f"ap {number(ap)}  ")]


def text_under_cursor(panel: Panel, view: QueryView, other: QueryView | None, row: int) -> tuple[str, str]:
    """Return the text under the cursor, or a sentence of our own where there is none."""
    if panel == "ranks":
        return "", _ranks_sentence(view, other, view.languages[row])
    if panel == "languages":
        found: Sequence[str | None] = [one.text for one in view.languages]
    else:
        found = [passage.text for passage in (view.top if panel == "top" else view.relevants)]
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
