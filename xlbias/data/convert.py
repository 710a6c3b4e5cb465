"""Writes a task in other formats: the plain parallel JSON Lines, or a BEIR folder. Whole files or nothing."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import polars as pl

from xlbias.data.outside_ids import outside_query_id
from xlbias.data.task import RetrievalTask
from xlbias.errors import TaskError, UsageError
from xlbias.files import check_parent, is_stream, open_inside, replacing, replacing_folder, write_inside
from xlbias.folding import canonical_texts
from xlbias.text import one_line

_BEIR_FILES = {"README.md", "corpus.jsonl", "queries.jsonl", "qrels", "qrels/test.jsonl", "qrels/test.tsv"}


def write_parallel(task: RetrievalTask, out: Path, *, force: bool = False) -> int:
    """Write `task` as JSON Lines that `parallel:` reads, gzipped if `out` ends in ``.gz``; return the number of items.

    What is read back has the same queries, passages, documents, relevance and negatives; passage and parallel ids are
    made anew, and source and licence are not part of the format. Raises TaskError if the format cannot hold the task,
    UsageError if `out` exists and not `force`.
    """
    items = parallel_items(task)
    domain = None if task.domain == "unknown" else task.domain
    with _replacing(out, force) as part:
        _write_json_lines(
            part, ({**item, "domain": domain} for item in items.iter_rows(named=True)), out.suffix == ".gz"
        )
    return items.height


def parallel_items(task: RetrievalTask) -> pl.DataFrame:
    """Return `task` as items ``id, language, query, passage, document, negatives``, sorted by id and language.

    `negatives` is a list of texts, null where there are none. Raises TaskError where the task does not fit: where
    relevance is graded, a query has two relevant passages in one language, or two passages of a language have one text
    (the format makes one of them).
    """
    _refuse_excluded(task)
    graded = task.qrels.filter(pl.col("relevance") != 1)
    if not graded.is_empty():
        query_id, passage_id, relevance = graded.row(0)
        raise _does_not_fit(task, f"relevance is graded ({relevance} for query {query_id!r}, passage {passage_id!r})")
    relevant = task.qrels.join(task.passages, on="passage_id")
    several = relevant.filter(~pl.struct("query_id", "language").is_first_distinct())
    if not several.is_empty():
        query_id, language = several.select("query_id", "language").row(0)
        raise _does_not_fit(task, f"query {query_id!r} has several relevant passages in language {language!r}")
    text = pl.struct("language", canonical_texts(pl.col("text")))
    equal = task.passages.filter(~text.is_first_distinct())
    if not equal.is_empty():
        passage_id = equal["passage_id"][0]
        raise _does_not_fit(task, f"passage {passage_id!r} has the language and text of another passage")
    negatives = task.negatives.join(task.passages, on="passage_id")
    unasked = task.passages.join(task.qrels, on="passage_id", how="anti").filter(
        # A negative without a document comes back by being one.
        pl.col("document").is_not_null() | ~pl.col("passage_id").is_in(negatives["passage_id"].unique().implode())
    )
    prefix = "unasked/"
    while task.queries["query_id"].str.starts_with(prefix).any():
        prefix = f"_{prefix}"
    columns = ["id", "language", "passage", "document"]
    passages = pl.concat(
        [
            relevant.rename({"query_id": "id", "text": "passage"}),
            unasked.with_columns(id=prefix + pl.col("passage_id"), passage="text"),
        ],
        how="diagonal",
    )
    passages = _with_all_documents(passages, task.more_documents, prefix).select(columns)
    queries = task.queries.select("language", id="query_id", query="text")
    lists = negatives.group_by("language", id="query_id").agg(negatives=pl.col("text").sort())
    return (
        queries.join(passages, on=["id", "language"], how="full", coalesce=True)
        .join(lists, on=["id", "language"], how="full", coalesce=True)
        .select("id", "language", "query", "passage", "document", "negatives")
        .sort("id", "language")
    )


def _with_all_documents(items: pl.DataFrame, more_documents: pl.DataFrame, prefix: str) -> pl.DataFrame:
    """Share out the documents of a passage over its items; where there are too few items, add some that nobody asks.

    `items` has the columns ``id, language, passage, document, passage_id``.
    """
    several = items.join(more_documents.select("passage_id").unique(), on="passage_id", how="semi").sort("id")
    if several.is_empty():
        return items
    own = several.unique("passage_id", keep="first", maintain_order=True)
    documents = pl.concat([own.select("passage_id", "document"), more_documents]).with_columns(
        place=pl.int_range(pl.len()).over("passage_id")
    )
    numbered = several.drop("document").with_columns(place=pl.int_range(pl.len()).over("passage_id"))
    shared = numbered.join(documents, on=["passage_id", "place"], how="left").with_columns(
        pl.col("document").fill_null(pl.col("document").filter(pl.col("place") == 0).first().over("passage_id"))
    )
    left = documents.join(numbered, on=["passage_id", "place"], how="anti").join(
        own.select("passage_id", "language", "passage"), on="passage_id"
    )
    named = left.with_columns(id=pl.format("{}{}/{}", pl.lit(prefix), "passage_id", "place"))
    rest = items.join(several, on="passage_id", how="anti")
    return pl.concat([rest, shared.drop("place"), named.drop("place")], how="diagonal")


def write_beir(task: RetrievalTask, out: Path, *, force: bool = False) -> int:
    """Write `task` as a BEIR folder that `beir:`, beir, mteb and datasets read; return the number of qrels.

    ``corpus.jsonl``, ``queries.jsonl``, ``qrels/test.tsv`` for beir, ``qrels/test.jsonl`` and a README with
    ``configs:`` for mteb and datasets. The ``_id`` of a passage is its own, that of a query is `beir_query_id`. Each
    language version of a query has qrels of its own, to the relevant passages of every language, and to its negatives
    with score 0. Language, documents, parallel id and query id stand in ``metadata``. Raises TaskError for an id that
    the tab-separated qrels cannot hold, UsageError if `out` exists and not `force`, or holds anything but a BEIR
    folder.
    """
    _refuse_excluded(task)
    passages = task.passages.sort("passage_id")
    queries = task.queries.with_columns(beir_id=beir_query_id(task)).sort("beir_id")
    for ids in (passages["passage_id"], queries["beir_id"]):
        broken = ids.filter(ids.str.contains('[\t\r\n"]'))
        if not broken.is_empty():
            raise TaskError(
                f"{task.name}: id {broken[0]!r} holds a tab, line break or quote, which BEIR qrels cannot hold"
            )
    more = task.more_documents.group_by("passage_id").agg(pl.col("document").sort().alias("documents"))
    judged = pl.concat([task.qrels, task.negatives.with_columns(relevance=pl.lit(0, dtype=pl.Int32))])
    qrels = (
        queries.select("query_id", query="beir_id")
        .join(judged, on="query_id")
        .select(pl.col("query").alias("query-id"), pl.col("passage_id").alias("corpus-id"), score="relevance")
        .sort("query-id", "corpus-id")
    )
    with _replacing(out, force, folder=True) as part:
        (part / "qrels").mkdir(parents=True)
        rows = passages.join(more, on="passage_id", how="left", maintain_order="left").iter_rows(named=True)
        _write_json_lines(part / "corpus.jsonl", map(_beir_passage, rows))
        _write_json_lines(part / "queries.jsonl", map(_beir_query, queries.iter_rows(named=True)))
        table = qrels.write_csv(separator="\t", quote_style="never")
        write_inside(part / "qrels" / "test.tsv", table.encode())
        _write_json_lines(part / "qrels" / "test.jsonl", qrels.iter_rows(named=True))
        write_inside(part / "README.md", _beir_readme(task).encode())
    return qrels.height


def beir_query_id(task: RetrievalTask) -> pl.Expr:
    """Return the id of a query outside: its own, or ``LANGUAGE/ID`` where several languages share ids."""
    return outside_query_id(task.queries)


def _does_not_fit(task: RetrievalTask, why: str) -> TaskError:
    return TaskError(f"{task.name}: does not fit the parallel format: {why}; use --format beir")


def _refuse_excluded(task: RetrievalTask) -> None:
    if not task.excluded.is_empty():
        raise TaskError(
            f"{task.name}: no format says that a query is left out of its own pool: convert the task without "
            "self=ignore, and give that option where the result is read"
        )


def _beir_passage(row: dict[str, Any]) -> dict[str, Any]:
    names = ("language", "document", "documents", "parallel_id")
    metadata = {name: row[name] for name in names if row[name] is not None}
    return {"_id": row["passage_id"], "title": "", "text": row["text"], "metadata": metadata}


def _beir_query(row: dict[str, Any]) -> dict[str, Any]:
    metadata = {"language": row["language"], "query_id": row["query_id"]}
    return {"_id": row["beir_id"], "text": row["text"], "metadata": metadata}


def _beir_readme(task: RetrievalTask) -> str:
    """Return a dataset card: what datasets and mteb need to find the three tables, and where the texts come from."""
    configs = (
        ("default", "test", "qrels/test.jsonl"),
        ("corpus", "corpus", "corpus.jsonl"),
        ("queries", "queries", "queries.jsonl"),
    )
    head = ["---", "language:", *(f"- {json.dumps(tag)}" for tag in task.languages), "configs:"]
    for name, split, file in configs:
        head += [f"- config_name: {name}", "  data_files:", f"  - split: {split}", f"    path: {file}"]
    facts = {"source": task.source, "licence": task.licence, "domain": task.domain}
    lines = [f"- {key}: {one_line(value, 200)}" for key, value in facts.items() if value != "unknown"]
    return "\n".join([*head, "---", "", f"# {one_line(task.name, 200)}", "", *lines, ""])


def _write_json_lines(path: Path, objects: Iterable[dict[str, Any]], gzipped: bool = False) -> None:
    """Write one object a line, without fields that are None; the same objects give the same bytes, gzipped too."""
    with (
        open_inside(path) as raw,
        gzip.GzipFile("", "wb", fileobj=raw, mtime=0) if gzipped else nullcontext(raw) as file,
    ):
        for item in objects:
            kept = {name: value for name, value in item.items() if value is not None}
            file.write(json.dumps(kept, ensure_ascii=False).encode() + b"\n")


@contextmanager
def _replacing(out: Path, force: bool, folder: bool = False) -> Iterator[Path]:
    """Give a temporary path, which becomes `out` if the block ends well."""
    out = out.absolute()  # so that it has a name, "." too
    check_out(out, force, folder)
    with (replacing_folder if folder else replacing)(out) as part:
        yield part


def check_out(out: Path, force: bool, folder: bool = False) -> None:
    """Raise UsageError if `out` must not be replaced, WriteError if its own folder is not there."""
    out = out.absolute()
    check_parent(out)
    if (out.exists() or out.is_symlink()) and not (is_stream(out) and not folder):
        if out.is_dir() != folder:
            there, wanted = ("file", "folder") if folder else ("folder", "file")
            raise UsageError(f"{out}: is a {there}; expected a {wanted} name")
        if not force:
            raise UsageError(f"{out}: exists already; give --force to replace it")
        if folder:
            _refuse_all_but_beir(out)


def _refuse_all_but_beir(folder: Path) -> None:
    """Raise UsageError unless the folder holds nothing but what `write_beir` writes: --force must not remove more."""
    if folder.is_symlink():
        raise UsageError(f"{folder}: is a symbolic link; give the folder itself")
    for path in folder.rglob("*"):
        if path.relative_to(folder).as_posix() not in _BEIR_FILES:
            raise UsageError(f"{folder}: holds {path.name}, which is not part of a BEIR folder; remove it yourself")
