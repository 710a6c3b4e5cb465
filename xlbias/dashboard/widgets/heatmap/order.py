"""In which order a matrix shows its languages: by code, by mean, by script, or by family."""

from __future__ import annotations

from typing import Literal

from xlbias.results.matrix import Matrix
from xlbias.runs.schema import MULTILINGUAL_POOL

Sort = Literal["language", "mean", "script", "family"]
SORTS: tuple[Sort, ...] = ("language", "mean", "script", "family")


def order(matrix: Matrix, sort: Sort, *, reverse: bool) -> tuple[list[int], list[int]]:
    """Return the rows and the columns of `matrix` in the order to show them; the multilingual pool stays last.

    ``mean`` puts the best first: rows by the mean over the single languages' pools (over the multilingual pool where a
    measure has values there only), columns by the mean over query languages. What has no value yet goes last.
    """
    rows = list(range(len(matrix.query_languages)))
    pools = [i for i, pool in enumerate(matrix.pools) if pool != MULTILINGUAL_POOL]
    union = [i for i, pool in enumerate(matrix.pools) if pool == MULTILINGUAL_POOL]
    if sort in ("script", "family"):
        from xlbias.languages import family_of, script_of

        group_of = script_of if sort == "script" else family_of
        rows.sort(key=lambda r: (group_of(matrix.query_languages[r]), matrix.query_languages[r]), reverse=reverse)
        pools.sort(key=lambda c: (group_of(matrix.pools[c]), matrix.pools[c]), reverse=reverse)
    elif sort == "mean":
        across = pools if any(matrix.values[r][c] is not None for r in rows for c in pools) else union
        row_means = {r: _mean([matrix.values[r][c] for c in across]) for r in rows}
        pool_means = {c: _mean([matrix.values[r][c] for r in rows]) for c in pools}
        downwards = (matrix.measure.better != "low") != reverse
        rows = _by_mean(rows, row_means, downwards=downwards)
        pools = _by_mean(pools, pool_means, downwards=downwards)
    elif reverse:
        rows.reverse()
        pools.reverse()
    return rows, pools + union


def _mean(values: list[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None


def _by_mean(indices: list[int], means: dict[int, float | None], *, downwards: bool) -> list[int]:
    known = [(mean, i) for i in indices if (mean := means[i]) is not None]
    known.sort(key=lambda pair: (-pair[0] if downwards else pair[0], pair[1]))
    return [i for _, i in known] + [i for i in indices if means[i] is None]
