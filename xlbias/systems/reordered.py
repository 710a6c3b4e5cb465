"""Lists of a run re-ranked by other scores: what was below stays there, so that ranks are as exact as they were."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import polars as pl

from xlbias.measures.quality.average_precision import average_precision
from xlbias.measures.ragged import Rankings
from xlbias.runs.schema import MULTILINGUAL_POOL

Row = dict[str, Any]


def reordered(row: Row, scores: Mapping[str, float], k: int, language_of: Mapping[str, str]) -> Row:
    """Return a `ranking` row with the first k of its list ordered by falling scores, equal ones as they stood.

    Args:
        row: of a run; its list holds k passages, or all of its pool.
        scores: by passage id, of those k.
        k: how many are re-ranked.
        language_of: languages of passages.

    A relevant passage below them keeps its rank, and so does one whose rank is not known.
    """
    top = [one["passage_id"] for one in (row["top"] or ())[:k]]
    by_score = sorted(range(len(top)), key=lambda place: -scores[top[place]])
    order = [top[place] for place in by_score]
    values = np.array([scores[one] for one in order], dtype=np.float32)
    place_of = {one: place for place, one in enumerate(order)}
    relevants = [_moved(one, place_of, values, len(order)) for one in row["relevants"]]
    known = row["known_to"]
    relevants.sort(key=lambda one: (known is not None and one["rank"] > known, one["rank"]))
    changed = {
        "relevants": relevants,
        "top": [
            {"passage_id": one, "language": language_of[one], "score": float(score)}
            for one, score in zip(order, values, strict=True)
        ],
        "tied_with_last": [] if row["pool"] == MULTILINGUAL_POOL else None,
        "consistency": None,
    }
    return {**row, **changed, **_ends(relevants, known, exact=row["ap"] is not None)}


def _moved(relevant: Row, place_of: Mapping[str, int], values: Any, k: int) -> Row:
    place = place_of.get(relevant["passage_id"])
    if place is None:
        rank = max(relevant["rank"], k + 1)
        before = relevant["tied_before"]  # a tie that reached into the first k is none with them any more
        return {**relevant, "rank": rank, "tied_before": None if before is None else min(before, rank - k - 1)}
    same = np.flatnonzero(values == values[place])
    return {
        **relevant,
        "rank": place + 1,
        "score": float(values[place]),
        "tied_before": int(place - same[0]),
        "tied_after": int(same[-1] - place),
    }


def _ends(relevants: list[Row], known: int | None, *, exact: bool) -> Row:
    ranks = [one["rank"] for one in relevants]
    if not ranks:
        return {"ap": None, "first_rank": None, "last_rank": None}
    found = [rank for rank in ranks if known is None or rank <= known]
    value = None
    if exact:
        of_one = Rankings.of([ranks])
        value = float(average_precision(of_one)[0])
    return {
        "ap": value,
        "first_rank": found[0] if found else None,
        "last_rank": ranks[-1] if len(found) == len(ranks) else None,
    }


def too_short(rankings: pl.LazyFrame, pool_sizes: Mapping[str, int], k: int, pools: list[str]) -> int | None:
    """Return how many passages are kept of a ranking where a list has fewer than k though more were found; else None.

    Args:
        rankings: `ranking` rows of one system on one task.
        pool_sizes: passages by language.
        k: how many each list is to have.
        pools: of which lists are re-ranked.
    """
    sizes = {**pool_sizes, MULTILINGUAL_POOL: sum(pool_sizes.values())}
    lengths = (
        rankings.filter(pl.col("pool").is_in(pools))
        .select("pool", "known_to", length=pl.col("top").list.len().fill_null(0))
        .collect()
    )
    wanted = lengths.with_columns(
        wanted=pl.min_horizontal(pl.lit(k), pl.col("pool").replace_strict(sizes, return_dtype=pl.Int64))
    )
    short = wanted.filter((pl.col("length") < pl.col("wanted")) & pl.col("known_to").is_null())
    kept = int(lengths["length"].max() or 0)  # type: ignore[arg-type]
    cut = wanted.filter((pl.col("length") == kept) & (pl.col("length") < pl.col("wanted")))
    return kept if short.height or cut.height else None
