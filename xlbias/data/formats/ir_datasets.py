"""Takes collections from the library ir_datasets, where it is installed; several ids make one task.

MacAvaney et al. 2021 (arXiv 2103.02280). The languages are those that the library states.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import polars as pl

from xlbias.choices import listed, suggestion
from xlbias.data.formats.base import Format, Option
from xlbias.data.formats.judged import JUDGEMENT_COLUMNS, TITLE, Collection, parallel_option, together
from xlbias.data.formats.packages import reason, required
from xlbias.data.formats.reading import UNKNOWN
from xlbias.data.formats.texts import texts_of
from xlbias.data.task import RetrievalTask
from xlbias.errors import TaskError


def read_named(target: str, options: Mapping[str, str]) -> RetrievalTask:
    """Read one data set of ir_datasets, or several with commas between them. Raises TaskError."""
    library = required("ir_datasets", extra="ir_datasets")
    ids = [one for one in (piece.strip() for piece in target.split(",")) if one]
    if not ids:
        raise TaskError("ir_datasets: expected the id of a data set, such as ir_datasets:mr-tydi/sw/dev")
    found = [_collection(library, one, options) for one in ids]
    return together(
        found,
        name=", ".join(ids),
        source=f"ir_datasets {', '.join(ids)}",
        licence=UNKNOWN,
        domain=UNKNOWN,
        parallel=options["parallel"] == "id",
    )


def _collection(library: Any, name: str, options: Mapping[str, str]) -> Collection:
    try:
        dataset = library.load(name)
    except KeyError as error:
        known = list(library.registry)
        raise TaskError(f"ir_datasets:{name}: no such data set{suggestion(name, known)}") from error
    missing = [what for what in ("docs", "queries", "qrels") if not getattr(dataset, f"has_{what}")()]
    if missing:
        more = [one for one in library.registry if one.startswith(f"{name}/")]
        hint = f"; choose one of {listed(more)}" if more else ""
        raise TaskError(f"ir_datasets:{name}: it has no {' and no '.join(missing)}{hint}")
    asked = options["query_language"] or _language(dataset.queries_lang(), options["language"], name, "queries")
    searched = _language(dataset.docs_lang(), options["language"], name, "docs")
    titles = options["title"] == "yes"
    try:
        return Collection(
            f"ir_datasets:{name}",
            texts_of(_texts(dataset.queries_iter(), "query_id", f"ir_datasets:{name}, query"), language=asked),
            texts_of(
                _texts(dataset.docs_iter(), "doc_id", f"ir_datasets:{name}, document"), language=searched, titles=titles
            ),
            _judgements(dataset.qrels_iter(), name),
        )
    except TaskError:
        raise
    except Exception as error:  # of the network, a download's checksum, a licence that must be accepted first
        raise TaskError(f"ir_datasets:{name}: ir_datasets cannot load it: {reason(error)}") from error


def _language(stated: str | None, given: str, name: str, what: str) -> str:
    """Return the language that the library states, or else the one given."""
    if stated and "," not in stated:
        return stated
    if given:
        return given
    why = f"several languages ({stated}) in one" if stated else "no language for it"
    raise TaskError(f"ir_datasets:{name}: its {what} have {why}; give it as [language=en]")


def _texts(records: Iterator[Any], own: str, where: str) -> Iterator[tuple[dict[str, Any], str]]:
    """Yield records as objects: with a title apart where they have one, else with their usual text."""
    for number, record in enumerate(records, start=1):
        fields = record._fields
        title = record.title if "title" in fields and own == "doc_id" else ""
        text = record.text if title and "text" in fields else record.default_text()
        yield {"id": getattr(record, own), "title": title, "text": text}, f"{where} {number}"


def _judgements(records: Iterator[Any], name: str) -> pl.DataFrame:
    rows = [
        (one.query_id, one.doc_id, int(one.relevance), f"ir_datasets:{name}, qrel {number}")
        for number, one in enumerate(records, start=1)
    ]
    schema = dict(zip(JUDGEMENT_COLUMNS, (pl.String(), pl.String(), pl.Int64(), pl.String()), strict=True))
    return pl.DataFrame(rows, schema=schema, orient="row")


FORMAT = Format(
    name="ir_datasets",
    summary="a collection of the library ir_datasets, where that is installed, or several: ID,ID; languages as the "
    "library states them",
    example="ir_datasets:mr-tydi/sw/dev,mr-tydi/ar/dev",
    folder=False,
    target="ID",
    options=(
        Option("language", "language of the texts, where the library does not state it"),
        Option("query_language", "language of the queries, where it is another one and the library does not state it"),
        TITLE,
        parallel_option("several collections"),
    ),
    read_named=read_named,
)
