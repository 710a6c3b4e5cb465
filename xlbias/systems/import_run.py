"""Rankings that another program has made, as a run file: the ranks that they tell, and bounds of what needs more."""

from __future__ import annotations

import hashlib
import json
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from xlbias._version import __version__
from xlbias.data.describe import describe_task
from xlbias.data.task import RetrievalTask
from xlbias.errors import RunError, UsageError
from xlbias.narration import Narrator, Silent
from xlbias.progress import Course, Report, Step
from xlbias.results.binding import BOUND, COLUMN, digest_of
from xlbias.results.run import Run, open_run
from xlbias.results.summary import CONFIDENCE, INTERVAL, summarise
from xlbias.runs.journal import Journal
from xlbias.runs.parts import block_key, query_blocks, task_key, with_columns, write_texts
from xlbias.runs.schema import MULTILINGUAL_POOL, SCHEMA_VERSION
from xlbias.systems.lists import Lists, Order, lists_of
from xlbias.systems.ranking_rows import pool_lists, ranking_rows
from xlbias.systems.reading import read_rankings
from xlbias.systems.source import Source, parse_source
from xlbias.versions import package_versions

DEFAULT_TOP_K = 10

_NUMBERS = "numbers"


def import_run(
    files: str | Path | Sequence[str | Path],
    task: RetrievalTask,
    out: str | Path | None = None,
    *,
    name: str | None = None,
    order: Order = "score",
    depth: int | None = None,
    top_k: int = DEFAULT_TOP_K,
    ignore_unknown: bool = False,
    overwrite: bool = False,
    narrator: Narrator | None = None,
) -> Run:
    """Return a run of rankings that another program has made: TREC runs, or JSON ``{query: {passage: score}}``.

    A file ranks the multilingual pool, unless its name is followed by ``[pool=LANGUAGE]``. Its query ids are those of
    ``xlbias export qrels``: the task's own, or ``LANGUAGE/ID`` where languages share ids; with ``[query=LANGUAGE]``
    they are the task's own.

    Args:
        files: the files of one system, each of other queries or another pool.
        task: whose queries and passages they rank.
        out: path of the run file; by default a temporary one that the operating system may remove.
        name: what reports call the system; by default the runs' tag, or the first file's name.
        order: ``score``: falling scores, equal ones by falling passage id, as trec_eval orders them, whatever the
            file's ranks; or ``rank``: the file's ranks.
        depth: how long lists can be: longer ones are cut, and in a shorter one the system found nothing more. By
            default the length of each file's longest list.
        top_k: how many passages to keep of each ranking for browsing.
        ignore_unknown: leave out queries and passages that are not in the task; else they are errors.
        overwrite: replace what is at `out`.
        narrator: told about progress.

    Ranks of relevant passages that are in no list are censored: numbers that need them have bounds instead of a value,
    see `xlbias.measures.censored`. Raises RunError, TaskError or UsageError where a file cannot be used.
    """
    given = [files] if isinstance(files, (str, Path)) else list(files)
    if not given:
        raise UsageError("nothing to import: expected at least one file of rankings")
    for what, number in (("top k", top_k), ("depth", depth)):
        if number is not None and number < 1:
            raise UsageError(f"{what} is {number}; expected at least 1")
    if order not in ("score", "rank"):
        raise UsageError(f"order is {order!r}; expected score or rank")
    sources = [parse_source(str(one)).of_task(task) for one in given]
    narrator = narrator or Silent()
    path = Path(out) if out is not None else Path(tempfile.mkdtemp(prefix="xlbias-")) / "run.parquet"
    steps = [Step(("read", i), "read", "", _seconds_of(source)) for i, source in enumerate(sources)]
    n_rows = task.queries.height * (len(task.passage_languages) + 1)
    steps += [Step("rank", "rank", "", 2e-5 * n_rows + 0.05), Step(_NUMBERS, _NUMBERS, "", 5e-5 * n_rows + 0.5)]
    with narrator.watch() as show:
        lists, facts, tags = [], [], []
        course = Course(steps, show)
        for i, source in enumerate(sources):
            with course.stage(("read", i), f"reading {source.path.name}"):
                rows = read_rankings(source.path)
                found = lists_of(source, rows, task, order=order, depth=depth, ignore_unknown=ignore_unknown)
            lists.append(found)
            tags += rows["tag"].drop_nulls().unique().to_list()
            facts.append(_facts(found, task))
            _tell(narrator, found, task, order, facts[-1])
        called = name or _name(tags, sources[0])
        about = _about(called, facts, order)
        with course.stage("rank", f"{called}: ranks"):
            rankings = _rankings(lists, task, top_k)
        if rankings.is_empty():
            raise RunError(f"{sources[0].path}: no query of {task.name} has a list")
        write_system(path, about, task, rankings, course, top_k=top_k, overwrite=overwrite, also=show)
    return open_run(path)


def write_system(
    path: Path,
    about: dict[str, Any],
    task: RetrievalTask,
    rankings: pl.DataFrame,
    course: Course,
    *,
    top_k: int,
    overwrite: bool,
    also: Callable[[Report], None],
) -> None:
    """Write the run of one system, whole: texts, rankings, and every number.

    Args:
        path: of the run file.
        about: what its metadata says of the system.
        task: what was searched.
        rankings: `ranking` rows, by query language, query and pool.
        course: has a step ``numbers``.
        top_k: passages that are kept of each ranking.
        overwrite: replace what is at `path`.
        also: told about progress, beside the readers of the run.
    """
    metadata = {
        "created": time.time(),
        "xlbias": __version__,
        "command": [Path(sys.argv[0]).name, *sys.argv[1:]],
        "versions": package_versions(),
        "top_k": top_k,
        "top_of": "all",
        "approximate": False,
        "statistics": {"interval": INTERVAL, "confidence": CONFIDENCE, "seed": 0},
        "models": [about],
        "tasks": [describe_task(task)],
    }
    content = [SCHEMA_VERSION, task.name, task.fingerprint, about["name"], about["fingerprint"], top_k]
    identity = hashlib.sha256(json.dumps(content).encode()).hexdigest()
    name = about["name"]
    who = {"model": name, "task": task.name, "domain": task.domain}
    with Journal.open(path, metadata, identity=identity, overwrite=overwrite) as journal:
        try:
            write_texts(journal, [task])
            for b, rows in enumerate(query_blocks(task)):
                block = task.queries[rows].select("query_id", query_language="language")
                part = rankings.join(block, on=["query_id", "query_language"], how="semi", maintain_order="left")
                if part.height:
                    journal.write("ranking", block_key(name, 0, b), with_columns(part, who))
            with course.stage(_NUMBERS, f"{name}: every number with its interval") as stage:
                stage.doing(stage.phase)
                keys = [block_key(name, 0, b) for b in range(len(query_blocks(task)))]
                there = [key for key in keys if journal.has("ranking", key)]
                bound = pl.concat([journal.read("ranking", key, list(BOUND)) for key in there])
                summary = summarise(bound, task.pool_sizes).with_columns(pl.lit(digest_of(bound)).alias(COLUMN))
                journal.write("summary", task_key(name, 0), with_columns(summary, who))
        except BaseException:
            journal.discard()  # it takes seconds to make anew, and a half says nothing
            raise
        journal.finish()


def _rankings(lists: Sequence[Lists], task: RetrievalTask, top_k: int) -> pl.DataFrame:
    """Return the `ranking` rows of all files: a file of one pool stands above what the multilingual one says of it."""
    pools = [*task.passage_languages, MULTILINGUAL_POOL]
    taken: dict[tuple[str, str], Source] = {}
    parts = []
    for of_file in sorted(lists, key=lambda one: one.source.pool is None):
        for one in pool_lists(of_file, task):
            languages = task.queries["language"].to_numpy()[one.queries]
            open_queries = np.ones(len(languages), dtype=np.bool_)
            for language in of_file.languages:
                before = taken.get((language, one.pool))
                if before is None:
                    taken[language, one.pool] = of_file.source
                elif before.pool == of_file.source.pool:
                    raise UsageError(
                        f"{of_file.source} and {before} both rank queries in {language} in the pool {one.pool}: name "
                        "one of them"
                    )
                else:
                    open_queries &= languages != language
            if not open_queries.any():
                continue
            rows = ranking_rows(one.only(one.queries[open_queries]), task, top_k)
            place = pl.lit(pools.index(one.pool)).alias("pool_place")
            parts.append(rows.with_columns(pl.Series("q", one.queries[open_queries]), place))
    order = task.queries.with_row_index("q").select(pl.col("q").cast(pl.Int64), language_of="language")
    return (
        pl.concat(parts)
        .join(order, on="q", how="left")
        .sort("language_of", "q", "pool_place")
        .drop("q", "pool_place", "language_of")
    )


def _facts(lists: Lists, task: RetrievalTask) -> dict[str, Any]:
    n_lists = int((lists.lengths > 0).sum())
    asked = task.queries.filter(pl.col("language").is_in(list(lists.languages))).height
    return {
        "name": lists.source.path.name,
        "sha256": hashlib.sha256(lists.source.path.read_bytes()).hexdigest(),
        "query": lists.source.query,
        "pool": lists.source.pool,
        "depth": lists.depth,
        "n_lists": n_lists,
        "n_missing": asked - n_lists,
        "n_ignored": lists.n_ignored,
        "n_tied": lists.n_tied,
    }


def _tell(narrator: Narrator, lists: Lists, task: RetrievalTask, order: Order, facts: dict[str, Any]) -> None:
    """Say what was taken for granted of a file."""
    file = lists.source
    narrator.say(f"{file}: {facts['n_lists']:,} lists of up to {lists.depth:,} passages")
    if facts["n_missing"]:
        narrator.say(f"{file}: queries without a list, which count as not retrieved: {facts['n_missing']:,}")
    absent = sorted(set(task.query_languages) - set(lists.languages))
    if absent and file.query is None:
        narrator.say(f"{file}: no list of a query in {', '.join(absent)}: nothing is said of them")
    if facts["n_tied"]:
        settled = "by falling passage id, as in trec_eval" if order == "score" else "by the file's ranks"
        narrator.say(f"{file}: {facts['n_tied']:,} passages score the same as the one before them: ordered {settled}")
    if lists.n_misordered:
        what = (
            "their ranks say another order than their scores: ordered by score, as trec_eval does; order by rank with "
            "--order rank"
            if order == "score"
            else "their scores say another order than their ranks: ordered by rank"
        )
        narrator.say(f"{file}: in {lists.n_misordered:,} lists, {what}")
    if lists.n_ignored:
        narrator.say(f"{file}: rows left out, as their query or passage is not in {task.name}: {lists.n_ignored:,}")
    if file.pool is None and len(task.passage_languages) > 1:
        languages = task.passages["language"].to_numpy()[np.unique(lists.passage)]
        only = set(languages.tolist())
        if len(only) == 1:
            one = only.pop()
            narrator.say(
                f"{file}: all passages are in {one}; if only these were searched, say so: {file.path}[pool={one}]"
            )


def _about(name: str, facts: Sequence[dict[str, Any]], order: Order) -> dict[str, Any]:
    system = {"order": order, "files": list(facts)}
    content = [order, [(one["sha256"], one["query"], one["pool"], one["depth"]) for one in facts]]
    fingerprint = hashlib.sha256(json.dumps(content).encode()).hexdigest()
    return {"name": name, "fingerprint": fingerprint, "similarity": None, "card": {}, "system": system}


def _name(tags: Sequence[str], source: Source) -> str:
    distinct = sorted(set(tags))
    if len(distinct) == 1:
        return distinct[0]
    return source.path.name.removesuffix(".gz").rsplit(".", 1)[0] or source.path.name


def _seconds_of(source: Source) -> float:
    try:
        return source.path.stat().st_size * 2e-8 + 0.02
    except OSError:
        return 0.02
