"""What reports say in words: of the run, a task and an encoder, of intervals, and over how many queries means are."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from xlbias.choices import listed
from xlbias.report.numbers import number
from xlbias.results.caveats.leaks import seen_counts
from xlbias.results.one_training import single_trainings
from xlbias.results.run import Run
from xlbias.results.summary import INTERVAL, n_cells_of, replicates_for
from xlbias.runs.run_info import ModelInfo, RankingFile, System, TaskInfo
from xlbias.runs.schema import MULTILINGUAL_POOL, SETTING_SHORT
from xlbias.text import clean

BETTER = {"high": "high", "low": "low", "neither": "neither"}
"""Which values are good, as the word in tables."""

ALL = "all"
"""What tables call the multilingual pool."""

_STATUS = {
    "finished": "finished",
    "running": "in progress (numbers are over what is done so far)",
    "died": "unfinished, its writer died",
    "elsewhere": "unfinished, written from another host",
}


def pool_name(pool: str) -> str:
    """Return the name of a pool as tables have it: its language, or ``all``."""
    return ALL if pool == MULTILINGUAL_POOL else pool


def about_run(run: Run) -> str:
    """Return when a run was made, its state and its path."""
    created = run.metadata.get("created")
    when = time.strftime("%Y-%m-%d %H:%M", time.localtime(created)) if isinstance(created, (int, float)) else "?"
    return clean(f"Run of {when}, {_STATUS[run.state.status]}: {run.path}")


def about_task(task: TaskInfo) -> str:
    """Return a task's name, domain and sizes."""
    n_queries, pool = sum(task.n_queries.values()), sum(task.pool_sizes.values())
    sizes = f"{len(task.pool_sizes)} languages, {n_queries:,} queries, {pool:,} passages"
    return clean(f"{task.name} ({task.domain}): {sizes}")


def about_encoder(model: ModelInfo) -> str:
    """Return what an encoder is and how it was used; empty where a run says nothing of its prompts and lengths."""
    if model.system is not None:
        return clean(f"{model.name}: {system_of(model.system)}.")
    facts = [prompts_of(model), reading_of(model)]
    if not any(facts):
        return ""
    said = "; ".join(fact for fact in (", ".join(filter(None, vectors_of(model))), *facts) if fact)
    return clean(f"{model.name}: {said}.")


def vectors_of(model: ModelInfo) -> tuple[str, str, str]:
    """Return how long an encoder's vectors are, what it has in place of them, and how they are compared, each in words.

    What is not known is empty.
    """
    size = f"{model.dimension} dimensions" if model.dimension else ""
    size += f" of {model.own_dimension}" if size and model.own_dimension not in (None, model.dimension) else ""
    return size, str(model.representation or ""), similarity_of(model)


def system_of(system: System) -> str:
    """Return where the rankings of a system are from."""
    said = []
    if system.files:
        settled = "by score" if system.order != "rank" else "by the ranks of the files"
        said.append(f"rankings of {listed([_file_of(one) for one in system.files], 3)}, ordered {settled}")
    if system.reranker is not None:
        said.append(f"the first {system.reranked:,} of {system.first} re-ranked by {system.reranker}")
    return "; ".join(said)


def _file_of(file: RankingFile) -> str:
    facts = [f"pool {file.pool}" if file.pool else "", f"queries in {file.query}" if file.query else ""]
    facts += [f"depth {file.depth:,}" if file.depth else "", f"{file.n_tied:,} equal scores" if file.n_tied else ""]
    facts.append(f"{file.n_missing:,} queries without a list" if file.n_missing else "")
    return f"{file.name} ({', '.join(filter(None, facts))})"


def similarity_of(model: ModelInfo) -> str:
    """Return how an encoder's vectors are compared, and what it asks for itself where that is something else."""
    used, own = model.similarity, model.own_similarity
    return f"{used} (its own: {own})" if own and used and own != used else str(used or "")


def prompts_of(model: ModelInfo) -> str:
    """Return the prompts that an encoder was used with and how they were found; empty where that is not known."""
    prompts = model.prompts
    if not isinstance(prompts, Mapping):
        return ""
    sides = [
        f"{side} prompt {prompts.get(side)!r} ({prompts.get(f'{side}_found')})" if prompts.get(side)
        else f"no {side} prompt ({prompts.get(f'{side}_found')})"
        for side in ("query", "passage")
    ]  # fmt: skip
    unused = prompts.get("unused")
    if isinstance(unused, Mapping) and unused:
        sides.append(f"registered and not used: {', '.join(map(str, unused))}")
    return ", ".join(sides)


def reading_of(model: ModelInfo) -> str:
    """Return the type of an encoder's weights, and how many tokens it reads; empty where that is not known."""
    lengths = model.max_length
    read = []
    if isinstance(lengths, Mapping):
        known = {kind: f"{n:,}" if isinstance(n, int) else "all" for kind, n in lengths.items()}
        if len(set(known.values())) == 1:
            read = [f"reads {next(iter(known.values()))} tokens"]
        else:
            read = [f"reads {n} tokens of a {kind}" for kind, n in known.items()]
    vectors = f"vectors in {model.precision}" if model.precision else ""
    return ", ".join(filter(None, (str(model.dtype or ""), vectors, *read)))


def name_of(row: Mapping[str, Any]) -> str:
    """Return an encoder's name with its sampler and α, where known, as one cleaned text."""
    sampler = row.get("sampler")
    alpha = row.get("alpha")
    about = f" ({sampler}{f' α={alpha:g}' if sampler == 'hybrid' and alpha is not None else ''})" if sampler else ""
    return clean(f"{row['model']}{'' if sampler and str(row['model']) == sampler else about}")


def counts(run: Run, rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return over how many queries the means of a task are taken, a sentence for each encoder where they differ.

    With the query-weighted average beside the macro average where the two are not the same number.
    """
    found: dict[str, list[str]] = {}
    for row in rows:
        sizes, weighted = [], []
        of_row = run.settings.filter((pl.col("model") == row["model"]) & (pl.col("task") == row["task"]))
        for setting in of_row.iter_rows(named=True):
            if setting["n_rankings"] is None or setting["n_cells"] is None:  # a summary from elsewhere may say neither
                continue
            short = SETTING_SHORT[setting["setting"]]
            sizes.append(f"{short} {setting['n_rankings']:,} queries in {setting['n_cells']} cells")
            if number(setting["map"]) != number(setting["map_weighted"]):
                weighted.append(f"{short} {number(setting['map_weighted'])}")
        if weighted:
            found.setdefault(f"weighted by queries: {', '.join(weighted)}", []).append(name_of(row))
        found.setdefault(f"n: {', '.join(sizes)}", []).append(name_of(row))
    everyone = len(rows)
    return [text if len(who) == everyone else f"{text} ({', '.join(who)})" for text, who in found.items()]


def n_of(smallest: int, largest: int) -> str:
    """Return the number of queries of a matrix's cells."""
    least = "" if smallest == largest else f"{smallest:,} to "
    return f"n = {least}{largest:,} queries a cell"


def intervals(run: Run) -> str:
    """Return what the intervals of a run are, or that it has none."""
    there = run.summary.filter(pl.col("low").is_not_null())
    if there.is_empty():
        return "No intervals: they are taken when an evaluation is complete."
    languages = there.group_by("task").agg(pl.col("n_ids").max(), pl.col("query_language").drop_nulls().unique())
    draws = sorted({replicates_for(n, n_cells_of(asked, run.pool_sizes[task])) for task, n, asked in languages.rows()})
    drawn = " or ".join(f"{n:,}" for n in draws)
    how = run.metadata.get("statistics", {}).get("interval", INTERVAL)
    return f"[low, high]: 95 % {how}, {drawn} draws, seed 0."


def coverage_notes(run: Run) -> list[str]:
    """Return what a reader must know of a run's coverage, one sentence each; nothing where all is there."""
    notes = []
    for model, task, n, excluded in (
        run.cells.group_by("model", "task", maintain_order=True)
        .agg(pl.col("n").sum(), pl.col("n_excluded").sum())
        .iter_rows()
    ):
        if excluded:
            notes.append(
                f"{model} on {task}: {excluded:,} of {n + excluded:,} rankings are excluded, as their pool holds "
                "nothing relevant to the query."
            )
    for model, task, n, excluded in (
        run.bias().group_by("model", "task", maintain_order=True).agg(pl.col("n").sum(), pl.col("n_excluded").sum())
    ).iter_rows():
        if excluded:
            notes.append(
                f"{model} on {task}: rank distance is undefined for {excluded:,} of {n + excluded:,} queries, which "
                "have fewer than two relevant passages, or several in a language whose translations are not known."
            )
    return notes


def training_notes(run: Run) -> list[str]:
    """Return which trainings stand beside others with one seed, so that they say nothing of their samplers."""
    names = single_trainings(run.models)
    if not names:
        return []
    return [
        f"One training each: {listed(names)}. Another seed may come out otherwise, so that differences are those of "
        "these encoders, not of their samplers."
    ]


def leak_notes(run: Run) -> list[str]:
    """Return for which encoders it is known that they have seen nothing of a task, and for which nothing is known."""
    counts = seen_counts(run)
    ranked = set(run.cells.select("model", "task").unique().iter_rows())
    unseen: dict[str, list[str]] = {}
    unknown: dict[str, None] = {}
    for model in run.models:
        for task in run.tasks:
            who = (model.name, task.name)
            known = counts.get(who)
            if who in ranked and known is None:
                unknown[who[0]] = None
            elif who in ranked and known is not None and not any(n for n, _ in known.values()):
                unseen.setdefault(who[0], []).append(who[1])
    by_tasks: dict[str, list[str]] = {}
    for name, tasks in unseen.items():
        by_tasks.setdefault(listed(tasks), []).append(name)
    notes = [f"{listed(names)}: trained on no text of {tasks}." for tasks, names in by_tasks.items()]
    if unknown:
        they = "they were" if len(unknown) > 1 else "it was"
        notes.append(f"{listed(unknown)}: what {they} trained on is not known, so leaks cannot be told.")
    return notes
