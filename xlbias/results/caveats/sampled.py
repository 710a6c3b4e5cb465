"""Samples: measures whose work grows with the square of the texts are taken over some of very many texts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import polars as pl

from xlbias.measures.bias.rank_consistency import MOST_SCORES
from xlbias.measures.registry import SIDES
from xlbias.results.caveats.caveat import Caveat
from xlbias.results.run_numbers import RunNumbers
from xlbias.results.summary import OVERALL

KIND = "sampled"


def found(run: RunNumbers) -> Iterator[Caveat]:
    """Yield a caveat for every encoder, task and side of which a measure is taken over a sample.

    How many texts a measure is over is its `n`; that of `alignment`, a mean over all ids, tells how many there are.
    """
    sizes = {task.name: (sum(task.n_queries.values()), sum(task.pool_sizes.values())) for task in run.tasks}
    wanted = [f"{side}.{name}" for side in SIDES for name in ("alignment", "parallel_accuracy", "cka", "uniformity")]
    overall = run.summary.filter(OVERALL & pl.col("measure").is_in([*wanted, "rank_consistency"]))
    texts = _texts(run)
    counts: dict[tuple[str, str], dict[str, int]] = {}
    for model, task, measure, many in overall.select("model", "task", "measure", "n").iter_rows():
        counts.setdefault((model, task), {})[measure] = many
    for (model, task), n in counts.items():
        about: dict[str, Any] = {"kind": KIND, "model": model, "task": task}
        for side in SIDES:
            ids, drawn = n.get(f"{side}.alignment", 0), n.get(f"{side}.parallel_accuracy", 0)
            said = [f"accuracy and hubness are over {drawn:,} of {ids:,} ids"] if 0 < drawn < ids else []
            there, used = texts.get((model, task, side), 0), n.get(f"{side}.uniformity", 0)
            if 0 < used < there:
                said.append(f"uniformity is over {used:,} of {there:,} texts")
            if 0 < n.get(f"{side}.cka", 0) < ids:
                said.append(f"CKA is over {n[f'{side}.cka']:,} ids")
            if said:
                sentence = f"{', '.join(said)} of the {side}, a sample with a fixed seed: there are very many."
                share, part = (drawn / ids, (drawn, ids)) if 0 < drawn < ids else (used / there, (used, there))
                yield Caveat(**about, value=share, n=part[0], of=part[1], sentence=sentence)
        queries, passages = sizes[task]
        ranked = n.get("rank_consistency", 0)
        if queries * passages > MOST_SCORES and 0 < ranked < queries:
            sentence = f"rank consistency is over {ranked:,} of {queries:,} queries, a sample with a fixed seed."
            yield Caveat(**about, value=ranked / queries, n=ranked, of=queries, sentence=sentence)


def _texts(run: RunNumbers) -> dict[tuple[Any, Any, str], int]:
    """Return the number of parallel texts by encoder, task and side: those that languages were told apart in."""
    rows = run.summary.filter(
        pl.col("measure").is_in([f"{side}.language_identifiability" for side in SIDES])
        & pl.col("query_language").is_not_null()
    )
    counts = rows.group_by("model", "task", "measure").agg(pl.col("n").sum())
    return {(model, task, measure.partition(".")[0]): n for model, task, measure, n in counts.iter_rows()}
