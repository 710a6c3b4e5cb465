"""Bounds of a ranking that is cut, against every way in which the pool can go on."""

from itertools import permutations
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from xlbias.data.task import RetrievalTask
from xlbias.results.per_query import Ranked, bias_values, quality_values
from xlbias.results.summary import summarise
from xlbias.runs.schema import MULTILINGUAL_POOL
from xlbias.systems.lists import lists_of
from xlbias.systems.ranking_rows import pool_lists, ranking_rows
from xlbias.systems.source import Source

PASSAGES = {"a1": "ar", "a2": "ar", "a3": "ar", "d1": "de", "d2": "de", "d3": "de", "t1": "th", "t2": "th"}
TIGHT = {
    "map", "rr", "recall@1", "recall@10", "ndcg@10", "precision@10", "success@10", "rank_distance", "max@r",
    "rank_distance.normalised", "single_gold", "same_language@1", "exposure@10",
}  # fmt: skip


def task(qrels):
    ids = list(dict.fromkeys(query for query, _, _ in qrels))
    return RetrievalTask(
        "made", "test", "made", "none",
        pl.DataFrame({"query_id": ids, "language": "de", "text": "?"}),
        pl.DataFrame({"passage_id": list(PASSAGES), "language": list(PASSAGES.values()), "text": list(PASSAGES)}),
        pl.DataFrame(qrels, schema=["query_id", "passage_id", "relevance"], orient="row"),
    )  # fmt: skip


def rankings(about, *orders, depth=None):
    """The `ranking` rows of a list of the multilingual pool for each query, as the system gave it."""
    rows = pl.concat(
        pl.DataFrame({
            "query": query, "passage": list(order), "rank": range(1, len(order) + 1),
            "score": [float(len(order) - i) for i in range(len(order))], "line": range(1, len(order) + 1), "tag": "t",
        })
        for query, order in zip(about.queries["query_id"], orders, strict=True)
    )  # fmt: skip
    found = pool_lists(lists_of(Source(Path("f")), rows, about, depth=depth), about)
    return pl.concat([ranking_rows(one, about, 10) for one in found])


def values(frame, about):
    """Least and greatest value that each query has of every measure, by measure and column, where it has one."""
    ranked = Ranked(frame, about.pool_sizes)
    found = {}
    for table in (*quality_values(ranked), *bias_values(ranked)):
        most = table.values if table.most is None else table.most
        for i, key in enumerate(table.columns):
            there = ~np.isnan(table.values[:, i])
            if there.any():
                found[key] = list(zip(table.values[there, i], most[there, i], strict=True))
    return found


@pytest.mark.integration  # every order, one by one: `make test` has the time
@pytest.mark.parametrize("known", [["d3", "a1", "t2"], ["a2", "a3", "d3"], ["t1", "d2", "a3", "a1"]])
@pytest.mark.parametrize(
    "relevant",
    [
        [("a1", 1), ("d1", 1), ("t1", 1)],
        [("a1", 1), ("a2", 1), ("d1", 1), ("d2", 1)],
        [("a1", 3), ("d1", 1), ("d2", 2), ("t1", 1)],
    ],
    ids=["one in each language", "several in a language", "graded"],
)
def test_bounds_are_the_ends_of_what_any_continuation_gives(known, relevant):
    about = task([("q", *one) for one in relevant])
    rest = [one for one in PASSAGES if one not in known]
    bounds = values(rankings(about, known), about)
    orders = [[*known, *tail] for tail in permutations(rest)]
    whole = task([(f"q{i}", *one) for i in range(len(orders)) for one in relevant])  # a query for each order
    every = values(rankings(whole, *orders), whole)
    assert any(low < high for ((low, high),) in bounds.values())
    for key, ((low, high),) in bounds.items():
        there = every.get(key, [])
        if not there:
            continue
        assert all(least == most for least, most in there)  # a whole ranking is exact
        assert low - 1e-9 <= min(there)[0] and max(there)[0] <= high + 1e-9, key
        if key.measure in TIGHT:
            assert (low, high) == pytest.approx((min(there)[0], max(there)[0]), abs=1e-9), key


def test_what_is_not_found_by_a_list_that_was_not_cut_is_below_every_cut_off_of_the_pool():
    about = task([("q", "a1", 1), ("q", "d1", 1)])
    frame = rankings(about, ["d3", "a1"], depth=3)  # asked for three, it found two
    row = frame.filter(pl.col("pool") == MULTILINGUAL_POOL).row(0, named=True)
    assert [one["rank"] for one in row["relevants"]] == [2, 8]
    assert row["known_to"] == 7  # the pool ends before the first 100
    assert row["ap"] == pytest.approx((1 / 2 + 2 / 8) / 2)


def test_a_censored_number_has_bounds_and_neither_value_nor_interval():
    about = task([("q", "a1", 1), ("q", "d1", 1), ("q", "t1", 1)])
    found = summarise(rankings(about, ["d1", "d3"]), about.pool_sizes)
    overall = found.filter(pl.col("measure") == "map", pl.col("setting") == "multilingual").row(0, named=True)
    assert (overall["value"], overall["low"], overall["high"], overall["weighted"]) == (None, None, None, None)
    assert (overall["least"], overall["most"]) == pytest.approx(((1 + 2 / 7 + 3 / 8) / 3, (1 + 2 / 3 + 3 / 4) / 3))
    first = found.filter(pl.col("measure") == "rr", pl.col("setting") == "multilingual").row(0, named=True)
    assert (first["value"], first["least"], first["most"]) == (1.0, None, None)
    gap = found.filter(pl.col("measure") == "single_gold.gap", pl.col("query_language").is_null()).row(0, named=True)
    assert gap["value"] is None and gap["least"] < gap["most"] <= 1
    for name in ("kendall_w", "friedman_p"):
        assert (
            found.filter(pl.col("measure") == name)["value"].null_count()
            == found.filter(pl.col("measure") == name).height
        )
