"""What is shown of one query, as frames; and as tables that are copied: the same rows, with texts in full."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import polars as pl

from xlbias.languages import language_name
from xlbias.report.document import Table
from xlbias.report.numbers import NOTHING, Entry, count, number, numeric
from xlbias.results.queries.query import InLanguage, Passage, QueryView, beyond, move, ranks_by_passage
from xlbias.results.queries.top import first_rows, lists_of
from xlbias.results.queries.translations import Translation
from xlbias.runs.schema import MULTILINGUAL_POOL
from xlbias.text import clean, one_line

Panel = Literal["top", "relevant", "languages", "ranks"]

RELEVANT = "✓"
"""Beside a relevant passage."""

CHOSEN = "●"
"""Beside the chosen query language."""

_HEAD = 2_000  # characters of a text that a frame holds: no line shows more


@dataclass(frozen=True)
class Reading:
    """A language that passages are read in.

    Attributes:
        language: its code.
        found: what the run tells of passages in other languages, by their ids; None until it has been read.
        trouble: why that cannot be read, if so.
    """

    language: str
    found: Mapping[str, Translation] | None = None
    trouble: str = ""

    @property
    def name(self) -> str:
        """The language in words."""
        return one_line(language_name(self.language), 24)

    def text_of(self, passage: Passage) -> tuple[str, str]:
        """Return a passage in the language; or in its place a sentence of ours, why it is not in the run."""
        if passage.language == self.language:
            return passage.text or "", "" if passage.text else f"The run does not store this {self.name} text."
        if self.found is None or passage.passage_id not in self.found:
            return "", self.trouble or "reading …"
        found = self.found[passage.passage_id]
        if found.text is not None:
            return found.text, ""
        if found.passage_ids:
            return "", f"The run does not store its {self.name} text."
        if found.answers:
            return "", f"Not in the run: no {self.name} passage is known to be its translation."
        where = f" It stands in {one_line(found.document, 40)}." if found.document else ""
        return "", f"Not in the run: it answers no query, so that its translations are not known.{where}"

    def brief_of(self, passage: Passage | None) -> str | None:
        """Return the same for a row of a list."""
        if passage is None:
            return None
        text, said = self.text_of(passage)
        return text[:_HEAD] if not said else said if said == "reading …" else f"– not in the run in {self.name}"


def passages_of(*views: QueryView | None) -> Iterator[Passage]:
    """Return the passages that the panels of a query show."""
    for view in views:
        if view is not None:
            yield from (*view.relevants, *view.top)
            yield from passages_of(view.united)


def frame(
    panel: Panel, view: QueryView, other: QueryView | None = None, reading: Reading | None = None
) -> pl.DataFrame:
    """Return the rows of a panel, in its order; ranks and moves against `other` are null without it.

    ``top``: ``place, rank, mark, language, score, was, move, text``, ranks as they are shown, and of the other run's
    top k ``base_mark, base_language, base_score, base_now, base_text``; see `xlbias.results.queries.top`.
    ``relevant``: ``passage_id, rank, language, score, was, move, text``. ``languages``: ``language, code, ap, rank,
    was_ap, was, move, text``. ``ranks``: ``language, code, ap`` and one column ``in:CODE`` for each passage language.
    With a language to read in, ``top`` has ``translation`` and ``base_translation``; what is relevant is mostly one
    text in several languages.
    """
    made = _FRAMES[panel](view, other)
    if reading is None or panel != "top":
        return made
    rows = first_rows(view, other)
    return made.hstack(
        [
            _texts("translation", [reading.brief_of(row.passage) for row in rows]),
            _texts("base_translation", [reading.brief_of(row.base) for row in rows]),
        ]
    )


def _texts(name: str, texts: Sequence[str | None]) -> pl.Series:
    return pl.Series(name, texts, dtype=pl.String)


def table(
    panel: Panel,
    view: QueryView,
    other: QueryView | None = None,
    rows: Sequence[int] | None = None,
    reading: Reading | None = None,
) -> Table:
    """Return the rows of a panel, all or those numbered, as a table with texts in full, and their translations."""
    made = _TABLES[panel](view, other)
    if reading is not None and panel == "top":
        texts = (_text("".join(reading.text_of(row.passage))) for row in first_rows(view, other))
        lines = tuple((*line, text) for line, text in zip(made.rows, texts, strict=True))
        made = replace(made, heads=(*made.heads, f"in {reading.name}"), rows=lines)
    chosen = made.rows if rows is None else tuple(made.rows[i] for i in rows)
    return Table(f"{_titles(panel)} of {_about(view)}", made.heads, chosen, made.notes, made.labels)


# -- frames ------------------------------------------------------------------------------------------------------------


def _top_frame(view: QueryView, other: QueryView | None) -> pl.DataFrame:
    rows = []
    for place, row in enumerate(first_rows(view, other), 1):
        passage, base = row.passage, row.base
        rows.append(
            {
                "place": place,
                "rank": row.rank,
                "mark": _mark(passage),
                "language": passage.language,
                "score": passage.score,
                "was": row.was,
                "move": row.move,
                "text": _head(passage.text),
                "base_mark": _mark(base) if base else None,
                "base_language": base.language if base else None,
                "base_score": base.score if base else None,
                "base_now": row.base_now,
                "base_text": _head(base.text) if base else None,
            }
        )
    return pl.DataFrame(
        rows,
        schema={
            "place": pl.Int64, "rank": pl.String, **_PASSAGE, "base_mark": pl.String, "base_language": pl.String,
            "base_score": pl.Float64, "base_now": pl.String, "base_text": pl.String,
        },
    )  # fmt: skip


def _relevant_frame(view: QueryView, other: QueryView | None) -> pl.DataFrame:
    before = _ranks(other)
    rows = [{"passage_id": p.passage_id, "rank": p.rank, **_passage_row(p, before, other)} for p in view.relevants]
    return pl.DataFrame(rows, schema={"passage_id": pl.String, "rank": pl.Int64, **_PASSAGE})


def _languages_frame(view: QueryView, other: QueryView | None) -> pl.DataFrame:
    there = {one.language: one for one in other.languages} if other else {}
    rows = []
    for one in view.languages:
        base = there.get(one.language)
        rows.append(
            {
                **_code(one, view),
                "ap": one.ap,
                "rank": one.first_rank,
                "was_ap": base.ap if base else None,
                "was": base.first_rank if base else None,
                "move": _moved(one.first_rank, base.first_rank if base else None),
                "text": _head(one.text),
            }
        )
    schema = {
        **_CODE, "ap": pl.Float64, "rank": pl.Int64, "was_ap": pl.Float64, "was": pl.Int64, "move": pl.String,
        "text": pl.String,
    }  # fmt: skip
    return pl.DataFrame(rows, schema=schema)


def _ranks_frame(view: QueryView, _: QueryView | None) -> pl.DataFrame:
    names = [f"in:{language}" for language in view.passage_languages]
    rows = [
        {**_code(one, view), "ap": one.ap_multilingual, **dict(zip(names, one.ranks, strict=True))}
        for one in view.languages
    ]
    return pl.DataFrame(rows, schema={**_CODE, "ap": pl.Float64, **dict.fromkeys(names, pl.Int64)})


_CODE = {"language": pl.String, "code": pl.String}
_PASSAGE = {
    "mark": pl.String, "language": pl.String, "score": pl.Float64, "was": pl.String, "move": pl.String,
    "text": pl.String,
}  # fmt: skip


def _passage_row(passage: Passage, before: Mapping[str, int], other: QueryView | None) -> dict[str, Any]:
    was = before.get(passage.passage_id)
    compared = other is not None and other.ranked
    return {
        "mark": _mark(passage),
        "language": passage.language,
        "score": passage.score,
        "was": None if other is None or not compared else beyond(other) if was is None else f"{was:,}",
        "move": move(passage.rank, was) if compared else None,
        "text": _head(passage.text),
    }


def _code(one: InLanguage, view: QueryView) -> dict[str, str]:
    mark = CHOSEN if one.language == view.query_language else " "
    return {"language": one.language, "code": f"{mark}{one.language}"}


def _mark(passage: Passage) -> str:
    return RELEVANT if passage.relevance > 0 else ""


def _ranks(view: QueryView | None) -> dict[str, int]:
    return ranks_by_passage(view) if view else {}


def _moved(rank: int | None, before: int | None) -> str | None:
    return None if rank is None or before is None else move(rank, before)


def _head(text: str | None) -> str | None:
    return None if text is None else text[:_HEAD]


_FRAMES: dict[Panel, Callable[[QueryView, QueryView | None], pl.DataFrame]] = {
    "top": _top_frame, "relevant": _relevant_frame, "languages": _languages_frame, "ranks": _ranks_frame,
}  # fmt: skip


# -- tables ------------------------------------------------------------------------------------------------------------


def _top_table(view: QueryView, other: QueryView | None) -> Table:
    shown, before = lists_of(view, other)
    notes = () if shown is view else ("The first passages of all languages: the run does not keep those of this pool.",)
    lines = []
    for row in first_rows(view, other):
        passage, base = row.passage, row.base
        ours = (_text(_mark(passage)), _name(passage.language), _score(passage.score), _name(passage.passage_id))
        theirs = (
            _text(row.was), _text(row.move), _text(_mark(base) if base else None),
            _name(base.language if base else None), _name(base.passage_id if base else None),
        )  # fmt: skip
        texts = [_text(one.text if one else None) for one in ((passage, base) if before else (passage,))]
        lines.append((_rank_text(row.rank), *ours, *(theirs if before else ()), *texts))
    heads = ("rank", "relevant", "language", "score", "passage")
    if before is not None:
        more = ("rank before", "move", "relevant before", "language before", "passage before", "text", "text before")
        return Table("", (*heads, *more), tuple(lines), (*notes, *_notes(before)))
    return Table("", (*heads, "text"), tuple(lines), notes)


def _relevant_table(view: QueryView, other: QueryView | None) -> Table:
    compared: tuple[str, ...] = ("rank before", "move") if other else ()
    lines = []
    for row, passage in zip(_relevant_frame(view, other).iter_rows(named=True), view.relevants, strict=True):
        moved = [_text(row["was"]), _text(row["move"])] if other else []
        named = (_name(passage.passage_id), _name(passage.language))
        lines.append((*named, count(passage.rank), _score(passage.score), *moved, _text(passage.text)))
    heads = ("passage", "language", "rank", "score", *compared, "text")
    return Table("", heads, tuple(lines), _notes(other), 2)


def _languages_table(view: QueryView, other: QueryView | None) -> Table:
    compared: tuple[str, ...] = ("ap before", "first rank before", "move") if other else ()
    lines = []
    for row, one in zip(_languages_frame(view, other).iter_rows(named=True), view.languages, strict=True):
        moved = [_ap(row["was_ap"]), count(row["was"]), _text(row["move"])] if other else []
        lines.append((_name(one.language), _ap(one.ap), count(one.first_rank), *moved, _text(one.text)))
    return Table("", ("language", "ap", "first rank", *compared, "text"), tuple(lines), _notes(other))


def _ranks_table(view: QueryView, _: QueryView | None) -> Table:
    lines = [
        (_name(one.language), _ap(one.ap_multilingual), *(count(rank) for rank in one.ranks)) for one in view.languages
    ]
    note = "Rank of the best relevant passage of each language among the passages of all languages."
    return Table("", ("query language", "ap", *view.passage_languages), tuple(lines), (note,))


_TABLES: dict[Panel, Callable[[QueryView, QueryView | None], Table]] = {
    "top": _top_table, "relevant": _relevant_table, "languages": _languages_table, "ranks": _ranks_table,
}  # fmt: skip


def _titles(panel: Panel) -> str:
    return {"top": "First passages", "relevant": "Relevant passages", "languages": "Languages", "ranks": "Ranks"}[panel]


def _about(view: QueryView) -> str:
    pool = "all passages" if view.pool == MULTILINGUAL_POOL else view.pool
    found = f"{view.query_id}, {view.query_language} in {pool}, {view.model} on {view.task}"
    return clean(found)


def _notes(other: QueryView | None) -> tuple[str, ...]:
    return () if other is None else (clean(f"Before: {other.model}."),)


def _name(text: str | None) -> Entry:
    return Entry(clean(text or NOTHING), kind="name")


def _text(text: str | None) -> Entry:
    return Entry(NOTHING if text is None else clean(text))


def _rank_text(rank: str) -> Entry:
    """A rank as it is shown, which may only be known to be beyond some."""
    known = rank.replace(",", "")
    return numeric(rank, int(known) if known.isdigit() else None)


def _score(score: float | None) -> Entry:
    return numeric(number(score), score)


def _ap(ap: float | None) -> Entry:
    return numeric(number(ap), ap)
