"""Censored ranks: a ranking that is known down to a depth only, so that numbers which need more have bounds."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from xlbias.choices import listed
from xlbias.measures.registry import measure_of, measures
from xlbias.results.caveats.caveat import Caveat
from xlbias.results.run_numbers import RunNumbers
from xlbias.results.summary import OVERALL
from xlbias.runs.run_info import System

KIND = "censored"

_NEED_ALL = ("rank_consistency", "kendall_w", "friedman_chi2")
"""What is undefined, and has no bounds, where ranks are censored."""


def found(run: RunNumbers) -> Iterator[Caveat]:
    """Yield a caveat for every system and task of which numbers have bounds only."""
    rows = run.summary.filter(pl.col("least").is_not_null())
    for (model, task), part in rows.group_by("model", "task", maintain_order=True):
        about = run.model(str(model))
        bounded = part.filter(OVERALL)["measure"].unique(maintain_order=True).to_list()
        labels = list(dict.fromkeys(measure_of(name).label for name in bounded))
        undefined = listed(measures("bias")[name].label for name in _NEED_ALL)
        sentence = (
            f"{_depth(about.system if about else None)}, so that {listed(labels)} have bounds instead of values, and "
            f"{undefined} are undefined: they need all ranks."
        )
        yield Caveat(KIND, str(task), str(model), n=part.height, sentence=sentence)


def _depth(system: System | None) -> str:
    files = system.files if system is not None else []
    depths = sorted({file.depth for file in files if file.depth is not None})
    missing = sum(file.n_missing or 0 for file in files)
    known = f"its ranks are known down to {' or '.join(f'{depth:,}' for depth in depths)}" if depths else (
        "not all of its ranks are known"
    )  # fmt: skip
    return f"{known}, and {missing:,} queries have no list" if missing else known
