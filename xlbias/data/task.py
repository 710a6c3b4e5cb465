"""RetrievalTask: queries, passages and relevance in any number of languages, validated once and then trusted."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from functools import cached_property
from typing import Any

import polars as pl

from xlbias.data.notes import Notes, changed_tags
from xlbias.errors import TaskError
from xlbias.languages import normal_tags, normalise_tag

QUERY_SCHEMA: dict[str, pl.DataType] = {"query_id": pl.String(), "language": pl.String(), "text": pl.String()}
PASSAGE_SCHEMA: dict[str, pl.DataType] = {
    "passage_id": pl.String(),
    "language": pl.String(),
    "text": pl.String(),
    "document": pl.String(),
    "parallel_id": pl.String(),
}
QREL_SCHEMA: dict[str, pl.DataType] = {"query_id": pl.String(), "passage_id": pl.String(), "relevance": pl.Int32()}
NEGATIVE_SCHEMA: dict[str, pl.DataType] = {"query_id": pl.String(), "passage_id": pl.String()}
MORE_DOCUMENTS_SCHEMA: dict[str, pl.DataType] = {"passage_id": pl.String(), "document": pl.String()}
EXCLUDED_SCHEMA: dict[str, pl.DataType] = {"query_id": pl.String(), "language": pl.String(), "passage_id": pl.String()}
_OPTIONAL = {"document", "parallel_id"}
_ROWS = 65_536  # sorted and looked at together


@dataclass(frozen=True, eq=False)
class RetrievalTask:
    """One retrieval task, monolingual, partly parallel or fully parallel.

    Attributes:
        name: what the task is called in reports and on the command line.
        domain: what it is about (``encyclopedia``, ``news``, ...).
        source: where the texts come from, for the reader of a report.
        licence: under which licence they may be used.
        queries: frame ``query_id, language, text``; translations of one query share `query_id`, so a query is
            ``(query_id, language)``.
        passages: frame ``passage_id, language, text, document, parallel_id``; `passage_id` is unique in the task.
            `document` (may be null) keeps what belongs together on one side of a split. `parallel_id` (may be null)
            is shared by passages that are translations of one another; it is needed only where a query has several
            relevant passages in one language.
        qrels: frame ``query_id, passage_id, relevance``; relevance > 0 is relevant, and holds for the query in every
            language. Rows judged 0 or less are moved to `negatives`.
        negatives: frame ``query_id, passage_id``: passages judged, or known, not to answer the query, though they look
            as if they did. Training may draw them as hard negatives; measures take no notice of them.
        more_documents: frame ``passage_id, document``: where else the text of a passage stands. A split keeps a
            passage with all its documents.
        excluded: frame ``query_id, language, passage_id``: passages that are left out of the pools in which that
            query is searched, and are not relevant to it: the query itself, where queries are passages. The size of a
            pool, by which measures are normalised, counts them all the same, and rank consistency ranks all passages.
        notes: what the reader took for granted, merged or left out.

    The frames may bring a column `origin` ("FILE, line N"), which error messages quote and which is then dropped.
    Languages are normalised to BCP 47 (see `normal_tags`). Raises TaskError, naming the origin and the field, if
    anything is missing, empty, doubled or refers to something that is not there.
    """

    name: str
    domain: str
    source: str
    licence: str
    queries: pl.DataFrame
    passages: pl.DataFrame
    qrels: pl.DataFrame
    negatives: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=NEGATIVE_SCHEMA))
    more_documents: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=MORE_DOCUMENTS_SCHEMA))
    excluded: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=EXCLUDED_SCHEMA))
    notes: Notes = field(default_factory=Notes)

    def __post_init__(self) -> None:
        queries = self._checked(self.queries, QUERY_SCHEMA, "query", ["query_id", "language"])
        passages = self._checked(self.passages, PASSAGE_SCHEMA, "passage", ["passage_id"])
        pair = ["query_id", "passage_id"]
        qrels = self._checked(self.qrels, QREL_SCHEMA, "qrel", pair)
        negatives = self._checked(self.negatives, NEGATIVE_SCHEMA, "negative", pair)
        for kind, frame in (("qrel", qrels), ("negative", negatives)):
            self._refuse_unknown(kind, frame, queries, "query_id", "query")
            self._refuse_unknown(kind, frame, passages, "passage_id", "passage")
        if tags := changed_tags(self._normal_languages):
            object.__setattr__(self, "notes", replace(self.notes, tags=tags))
        irrelevant = qrels.filter(pl.col("relevance") <= 0)
        qrels = qrels.filter(pl.col("relevance") > 0)
        if qrels.is_empty():
            raise TaskError(f"{self.name}: no query has a relevant passage")
        contradicted = negatives.join(qrels, on=pair, how="semi", maintain_order="left")
        self._refuse(contradicted, "negative", pair, "is relevant too: a passage is one or the other")
        negatives = pl.concat([negatives.select(pair), irrelevant.select(pair)]).unique(maintain_order=True)
        for name, frame, schema in (
            ("queries", queries, QUERY_SCHEMA),
            ("passages", passages, PASSAGE_SCHEMA),
            ("qrels", qrels, QREL_SCHEMA),
            ("negatives", negatives, NEGATIVE_SCHEMA),
            ("more_documents", self.more_documents, MORE_DOCUMENTS_SCHEMA),
            ("excluded", self.excluded, EXCLUDED_SCHEMA),
        ):
            object.__setattr__(self, name, frame.select(list(schema)))

    # -- what is in it ---------------------------------------------------------------------------------------------

    @cached_property
    def query_languages(self) -> list[str]:
        """Languages that queries are in, sorted."""
        return sorted(self.queries["language"].unique().to_list())

    @cached_property
    def passage_languages(self) -> list[str]:
        """Languages that passages are in, sorted: one pool each."""
        return sorted(self.passages["language"].unique().to_list())

    @cached_property
    def languages(self) -> list[str]:
        """All languages of queries and passages, sorted."""
        return sorted({*self.query_languages, *self.passage_languages})

    @cached_property
    def pool_sizes(self) -> dict[str, int]:
        """Number of passages per language."""
        counts = self.passages.group_by("language").len().sort("language")
        return dict(counts.iter_rows())

    @cached_property
    def n_pairs(self) -> int:
        """Number of (query in one language, relevant passage) pairs; XQuAD-R has 143,990."""
        return int(self.relevants_per_query["n"].sum())

    @cached_property
    def relevants_per_query(self) -> pl.DataFrame:
        """Frame ``query_id, language, n``: how many passages, in all languages, are relevant to each query.

        Counted without a row for each pair, of which a parallel corpus has as many as texts times languages.
        """
        counts = self.qrels.group_by("query_id").len("n").cast({"n": pl.Int64})
        taken = self.excluded.join(self.qrels, on=["query_id", "passage_id"], how="semi")
        fewer = taken.group_by("query_id", "language").len("taken").cast({"taken": pl.Int64})
        return (
            self.queries.select("query_id", "language")
            .join(counts, on="query_id", how="left", maintain_order="left")
            .join(fewer, on=["query_id", "language"], how="left", maintain_order="left")
            .select("query_id", "language", n=pl.col("n").fill_null(0) - pl.col("taken").fill_null(0))
        )

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 over all that is in the task, independent of the order of rows: the same task, the same value.

        Negatives, further documents and exclusions count where there are any, so that a task without them has the value
        it had before they existed.
        """
        digest = hashlib.sha256()
        frames = [(self.queries, QUERY_SCHEMA), (self.passages, PASSAGE_SCHEMA), (self.qrels, QREL_SCHEMA)]
        for frame, schema in (
            (self.negatives, NEGATIVE_SCHEMA),
            (self.more_documents, MORE_DOCUMENTS_SCHEMA),
            (self.excluded, EXCLUDED_SCHEMA),
        ):
            if not frame.is_empty():
                frames.append((frame, schema))
        for frame, schema in frames:
            digest.update(f"{frame.height}|{','.join(schema)}|".encode())
            for some in _in_order(frame.select(list(schema))):
                for row in some.iter_rows():
                    digest.update(repr(row).encode("utf-8", "surrogatepass"))
        return digest.hexdigest()

    # -- parts of it -----------------------------------------------------------------------------------------------

    def select_languages(self, languages: Iterable[str]) -> RetrievalTask:
        """The same task with queries and passages of the given languages only (BCP 47 tags).

        Raises TaskError if the task has none of one of them.
        """
        wanted = [tag if tag in self.languages else normalise_tag(tag) for tag in languages]
        for tag in wanted:
            if tag not in self.languages:
                raise TaskError(f"{self.name}: no texts in language {tag!r}; it has {', '.join(self.languages)}")
        return self._with(
            self.queries.filter(pl.col("language").is_in(wanted)),
            self.passages.filter(pl.col("language").is_in(wanted)),
        )

    def select_passages(self, keep: pl.Series) -> RetrievalTask:
        """The same task with the passages whose id is in `keep`, and the queries that still have a relevant one."""
        passages = self.passages.filter(pl.col("passage_id").is_in(keep.implode()))
        qrels = self.qrels.filter(pl.col("passage_id").is_in(passages["passage_id"].implode()))
        queries = self.queries.filter(pl.col("query_id").is_in(qrels["query_id"].unique().implode()))
        return self._with(queries, passages)

    def renamed(self, name: str) -> RetrievalTask:
        """The same task under another name."""
        return self.changed(name=name)

    def changed(self, **changes: Any) -> RetrievalTask:
        """The same task with other fields, of which the frames are rows of its own and are not checked again.

        Raises TaskError where no query, no passage or no relevant passage would be left.
        """
        known = {each.name: getattr(self, each.name) for each in fields(self)}
        task = object.__new__(type(self))
        for name, value in (known | changes).items():
            object.__setattr__(task, name, value)
        for kind, frame in (("query", task.queries), ("passage", task.passages)):
            if frame.is_empty():
                raise TaskError(f"{task.name}: the task is empty: it has no {kind}")
        if task.qrels.is_empty():
            raise TaskError(f"{task.name}: no query has a relevant passage")
        return task

    def _with(self, queries: pl.DataFrame, passages: pl.DataFrame) -> RetrievalTask:
        """The same task with some of its queries and passages, and what is known of both."""
        of_passage = pl.col("passage_id").is_in(passages["passage_id"].implode())
        kept = of_passage & pl.col("query_id").is_in(queries["query_id"].unique().implode())
        return self.changed(
            queries=queries,
            passages=passages,
            qrels=self.qrels.filter(kept),
            negatives=self.negatives.filter(kept),
            more_documents=self.more_documents.filter(of_passage),
            excluded=self.excluded.filter(of_passage).join(queries, on=["query_id", "language"], how="semi"),
        )

    # -- validation ------------------------------------------------------------------------------------------------

    def _checked(
        self, frame: pl.DataFrame, schema: dict[str, pl.DataType], kind: str, key: Sequence[str]
    ) -> pl.DataFrame:
        for column, dtype in schema.items():
            if column not in frame.columns:
                if column not in _OPTIONAL:
                    raise TaskError(f"{self.name}: the {kind} frame has no column {column!r}")
                frame = frame.with_columns(pl.lit(None, dtype=pl.String).alias(column))
            try:
                frame = frame.with_columns(pl.col(column).cast(dtype))
            except pl.exceptions.PolarsError as error:
                raise TaskError(f"{self.name}: column {column!r} of the {kind} frame is not {dtype}") from error
        if frame.is_empty() and kind not in ("qrel", "negative"):
            raise TaskError(f"{self.name}: the task is empty: it has no {kind}")
        for column, dtype in schema.items():
            if column in _OPTIONAL:
                continue
            bad = pl.col(column).is_null()
            if dtype == pl.String():
                bad = bad | ~pl.col(column).str.contains(r"\S")
            self._refuse(frame.filter(bad), kind, key, f"has no {column}")
        if "language" in schema:
            frame = self._with_normal_languages(frame, kind, key, self._normal_languages)
        self._refuse_doubles(frame, kind, key)
        return frame

    def _refuse_doubles(self, frame: pl.DataFrame, kind: str, key: Sequence[str]) -> None:
        doubled = frame.filter(~pl.struct(key).is_first_distinct())
        if doubled.is_empty():
            return
        first = frame.join(doubled.head(1).select(key), on=key, how="semi").row(0, named=True)
        where = f", first at {first['origin']}" if first.get("origin") else ""
        self._refuse(doubled, kind, key, f"is there twice (same {' and '.join(key)}){where}")

    @cached_property
    def _normal_languages(self) -> Mapping[str, str]:
        """The BCP 47 form of every valid tag of both frames as they are given: neither may merge the other's."""
        given = {
            tag
            for frame in (self.queries, self.passages)
            if frame.schema.get("language") == pl.String()
            for tag in frame["language"].drop_nulls().unique().to_list()
        }
        return normal_tags(filter(_is_tag, given))

    def _with_normal_languages(
        self, frame: pl.DataFrame, kind: str, key: Sequence[str], normal: Mapping[str, str]
    ) -> pl.DataFrame:
        tags = frame["language"].unique(maintain_order=True).to_list()
        for tag in tags:
            if tag not in normal:
                try:
                    normalise_tag(tag)
                except TaskError as error:
                    self._refuse(frame.filter(pl.col("language") == tag), kind, key, f"has an {error}")
        return frame.with_columns(pl.col("language").replace_strict(normal, return_dtype=pl.String))

    def _refuse_unknown(self, kind: str, pairs: pl.DataFrame, known: pl.DataFrame, column: str, what: str) -> None:
        unknown = pairs.join(known.select(column).unique(), on=column, how="anti", maintain_order="left")
        self._refuse(unknown, kind, ["query_id", "passage_id"], f"names a {what} that is not there")

    def _refuse(self, rows: pl.DataFrame, kind: str, key: Sequence[str], what: str) -> None:
        """Raise TaskError about the first of `rows`, with its origin; do nothing where there is none."""
        if rows.is_empty():
            return
        first = rows.row(0, named=True)
        origin = first.get("origin") or self.name
        named = ", ".join(f"{column} {_short(first[column])!r}" for column in key)
        more = f" ({rows.height:,} such in all)" if rows.height > 1 else ""
        raise TaskError(f"{origin}: the {kind} with {named} {what}{more}")


def _in_order(frame: pl.DataFrame) -> Iterator[pl.DataFrame]:
    """Yield the rows of a frame sorted by all its columns, some at a time; the ids of passages are order enough."""
    if "text" in frame.columns and "passage_id" in frame.columns:
        order = frame["passage_id"].arg_sort()
        for start in range(0, frame.height, _ROWS):
            yield frame[order[start : start + _ROWS]]
        return
    yield frame.sort(frame.columns, nulls_last=True)


def _is_tag(tag: str) -> bool:
    try:
        return bool(normalise_tag(tag))
    except TaskError:
        return False


def _short(value: object) -> object:
    """Cut an id to what fits a sentence: a megabyte of it helps nobody to find the row."""
    return f"{value[:80]}…" if isinstance(value, str) and len(value) > 80 else value
