"""Takes retrieval tasks from the library mteb, where it is installed: each language subset becomes a language.

Muennighoff et al. 2023 (arXiv 2210.07316), Enevoldsen et al. 2025 (arXiv 2502.13595).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from types import ModuleType
from typing import Any

import polars as pl

from xlbias.choices import listed, suggestion
from xlbias.data.formats.base import Format, Option
from xlbias.data.formats.filenames import shortest_tags
from xlbias.data.formats.items import Item
from xlbias.data.formats.judged import JUDGEMENT_COLUMNS, TITLE, Collection, parallel_option, together
from xlbias.data.formats.packages import reason, required
from xlbias.data.formats.reading import UNKNOWN
from xlbias.data.formats.tables import collection
from xlbias.data.task import RetrievalTask
from xlbias.errors import TaskError
from xlbias.languages import normalise_tag


def read_named(target: str, options: Mapping[str, str]) -> RetrievalTask:
    """Read a task of mteb by its name. Raises TaskError where it is none, or cannot be loaded."""
    mteb = required("mteb", extra="mteb")
    task = _task(mteb, target, None)
    wanted = [one for one in (piece.strip() for piece in options["subsets"].split(",")) if one]
    unknown = next((one for one in wanted if one not in task.hf_subsets), None)
    if unknown is not None:
        there = listed(task.hf_subsets)
        raise TaskError(f"mteb:{target}: no subset {unknown!r}{suggestion(unknown, task.hf_subsets)}; it has {there}")
    return of_mteb(
        _task(mteb, target, wanted) if wanted else task,
        part=options["part"],
        pairs=options["pairs"],
        titles=options["title"] == "yes",
        parallel=options["parallel"] == "id",
    )


def _task(mteb: ModuleType, name: str, subsets: list[str] | None) -> Any:
    try:
        task = mteb.get_task(name, hf_subsets=subsets)
    except KeyError as error:
        close = re.search(r"Did you mean: '([^']+)'", str(error.args[0]) if error.args else "")
        hint = f" (did you mean {close[1]}?)" if close else ""
        raise TaskError(f"mteb:{name}: no such task{hint}") from error
    from mteb.abstasks.retrieval import AbsTaskRetrieval

    if not isinstance(task, AbsTaskRetrieval):
        raise TaskError(f"mteb:{name}: is not a retrieval task, but one of {task.metadata.type}")
    return task


def of_mteb(
    task: Any, *, part: str = "", pairs: str = "", titles: bool = True, parallel: bool = False
) -> RetrievalTask:
    """Return a retrieval task of mteb, loaded as mteb does it, as a task of xlbias.

    Args:
        task: an `AbsTaskRetrieval`, with the subsets that are wanted.
        part: split; empty for the first of those that mteb evaluates.
        pairs: of the two languages of a subset, ``query-corpus`` or ``corpus-query``.
        titles: whether a title stands before its text, as mteb puts it.
        parallel: whether equal ids in several subsets are translations of one another.

    Raises TaskError for data that cannot be loaded, and where a part or the order of two languages is missing.
    """
    name = str(task.metadata.name)
    split = part or str(task.metadata.eval_splits[0])
    if split not in task.metadata.eval_splits:
        raise TaskError(f"mteb:{name}: no part {split!r}; it has {listed(task.metadata.eval_splits)}")
    task.filter_eval_splits(eval_splits=[split])
    try:
        task.load_data()
        task.convert_v1_dataset_format_to_v2(num_proc=None)
    except Exception as error:  # of the network, the hub, the data or the task's own code
        raise TaskError(f"mteb:{name}: mteb cannot load it: {reason(error)}") from error
    languages = _languages(task, name, pairs)
    found, more_documents = [], []
    for subset, parts in task.dataset.items():
        asked, searched = languages[subset]
        one, more = _collection(f"mteb:{name}, {subset}", parts[split], asked, searched, titles)
        found.append(one)
        more_documents.append(more)
    meta = task.metadata
    result = together(
        found,
        name=name,
        parallel=parallel,
        source=f"huggingface.co/datasets/{meta.dataset.get('path')} at {str(meta.dataset.get('revision'))[:12]}, mteb",
        licence=str(meta.license or UNKNOWN),
        domain=", ".join(sorted(str(domain).lower() for domain in meta.domains or ())) or UNKNOWN,
    )
    documents = pl.concat(more_documents).join(result.passages, on="passage_id", how="semi", maintain_order="left")
    return result.changed(more_documents=documents)


def _collection(
    name: str, tables: Mapping[str, Any], asked: str, searched: str, titles: bool
) -> tuple[Collection, pl.DataFrame]:
    for kind in ("corpus", "queries"):
        if "text" not in tables[kind].column_names:
            raise TaskError(f"{name}: its {kind} has no texts; xlbias evaluates text")
    judged = [
        (str(query), str(passage), int(score), f"{name}, query {query}")
        for query, scores in tables["relevant_docs"].items()
        for passage, score in scores.items()
    ]
    schema = dict(zip(JUDGEMENT_COLUMNS, (pl.String(), pl.String(), pl.Int64(), pl.String()), strict=True))
    judgements = pl.DataFrame(judged, schema=schema, orient="row")
    corpus, queries = (_rows(tables[kind], f"{name}, {kind}") for kind in ("corpus", "queries"))
    return collection(name, corpus, queries, judgements, language=searched, query_language=asked, titles=titles)


def _rows(table: Any, where: str) -> Iterator[tuple[Item, str]]:
    for number, row in enumerate(table, start=1):
        yield row, f"{where}, row {number}"


def _languages(task: Any, name: str, pairs: str) -> dict[str, tuple[str, str]]:
    """Return (language of the queries, of the corpus) by subset."""
    given = task.metadata.eval_langs
    by_subset = given if isinstance(given, dict) else dict.fromkeys(task.hf_subsets, given)
    found: dict[str, tuple[str, str]] = {}
    for subset in task.hf_subsets:
        tags = [normalise_tag(str(tag)) for tag in by_subset[subset]]
        if len(tags) == 1 or (len(tags) == 2 and tags[0] == tags[1]):
            found[subset] = (tags[0], tags[0])
        elif len(tags) == 2 and pairs:
            found[subset] = (tags[0], tags[1]) if pairs == "query-corpus" else (tags[1], tags[0])
        elif len(tags) == 2:
            raise TaskError(
                f"mteb:{name}: subset {subset!r} has two languages; say which comes first: [pairs=query-corpus] or "
                "[pairs=corpus-query]"
            )
        else:
            raise TaskError(f"mteb:{name}: subset {subset!r} has {len(tags)} languages in one table: {listed(tags)}")
    short = shortest_tags({tag for pair in found.values() for tag in pair})
    return {subset: (short[asked], short[searched]) for subset, (asked, searched) in found.items()}


FORMAT = Format(
    name="mteb",
    summary="a retrieval task of the library mteb, where that is installed; its language subsets become languages",
    example="mteb:MIRACLRetrieval[subsets=ar,sw]",
    folder=False,
    target="TASK",
    options=(
        Option("subsets", "which subsets to load, by mteb's names, such as ar,en (default: all)"),
        Option("part", "which split to read (default: the first that mteb evaluates)"),
        TITLE,
        parallel_option("several subsets"),
        Option("pairs", "order of the languages of a subset that has two: query-corpus or corpus-query"),
    ),
    read_named=read_named,
)
