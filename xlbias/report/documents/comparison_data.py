"""A comparison as data, every number in full precision: JSON for scripts, CSV for spreadsheets and data frames."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import polars as pl

from xlbias.report.documents.caveats import Doubts, sided_json
from xlbias.report.documents.findings import as_json
from xlbias.report.formats.csv import safe
from xlbias.report.formats.json import finite_in_lines
from xlbias.results.compare import Unit
from xlbias.results.findings import Finding


def to_json(
    frames: Mapping[str, pl.DataFrame],
    base: str,
    new: str,
    *,
    seed: int,
    permutations: int,
    unit: Unit,
    doubts: Doubts,
    found: Sequence[Finding],
) -> str:
    """Return ``{"schema": 1, "base", "new", "seed", "permutations", "unit", "least_p", "findings", "caveats",
    "differences": [...]}``.

    A difference has the columns of `xlbias.results.compare.COMPARISON_SCHEMA`; ``least_p`` is the least p that so many
    sign flips can give, null where p is of Student's t. The arguments are those of `xlbias.report.render`.
    """
    whole = pl.concat(frames.values())
    content = {
        "schema": 1, "base": base, "new": new, "seed": seed, "permutations": permutations, "unit": unit,
        "least_p": 1 / (permutations + 1) if whole["n_seeds"].max() == 1 else None,
        "findings": as_json(found), "caveats": sided_json(doubts), "differences": whole.to_dicts(),
    }  # fmt: skip
    return finite_in_lines(content, levels=2) + "\n"


def to_csv(frames: Mapping[str, pl.DataFrame], doubts: Doubts) -> str:
    """Return the differences as CSV, a row each, with the kinds of the caveats of both sides; texts are inert."""
    whole = pl.concat(frames.values())
    kinds = {
        task: [f"{side}:{one.kind}" for side, some in zip(("base", "new"), sides, strict=True) for one in some]
        for task, sides in doubts.items()
    }
    marks = [" ".join(dict.fromkeys(kinds.get(task, ()))) or None for task in whole["task"]]
    whole = whole.with_columns(pl.Series("caveats", marks, dtype=pl.String))
    texts = [name for name, dtype in whole.schema.items() if dtype == pl.String]
    return whole.with_columns(pl.col(texts).map_elements(safe, return_dtype=pl.String)).write_csv()
