"""Rank distance: parallel groups, exclusions, the normalised form."""

import polars as pl
import pytest

from xlbias.measures.bias import rank_distance


def distances(rows, pool_size=100):
    frame = pl.LazyFrame(rows, schema=["query_id", "language", "parallel_id", "rank"], orient="row")
    frame = frame.with_columns(pl.lit(pool_size).alias("pool_size"))
    found = rank_distance(frame, ["query_id"]).sort("query_id").collect()
    return {q: (d, norm) for q, d, norm in found.iter_rows()}


def test_distance_is_the_span_of_the_translations_ranks():
    found = distances([("a", "de", None, 4), ("a", "en", None, 9), ("a", "th", None, 2)])
    assert found["a"] == (7, pytest.approx((7 - 2) / (100 - 3)))


def test_relevants_that_stand_together_have_the_least_distance_and_normalised_zero():
    found = distances([("a", "de", None, 5), ("a", "en", None, 6), ("a", "th", None, 7)])
    assert found["a"] == (2, 0.0)


def test_both_ends_of_the_pool_are_normalised_to_one():
    assert distances([("a", "de", None, 1), ("a", "en", None, 100)])["a"] == (99, 1.0)


def test_a_pool_of_nothing_but_relevants_has_no_normalised_distance():
    assert distances([("a", "de", None, 1), ("a", "en", None, 2)], pool_size=2)["a"] == (1, None)


def test_one_relevant_or_none_is_undefined_not_zero():
    found = distances([("a", "de", None, 3), ("b", None, None, None)])
    assert found == {"a": (None, None), "b": (None, None)}


def test_several_relevants_in_a_language_need_their_translations_to_be_known():
    unknown = [("a", "de", None, 1), ("a", "de", None, 2), ("a", "en", None, 50)]
    assert distances(unknown)["a"] == (None, None)
    known = [("a", "de", "s1", 1), ("a", "en", "s1", 11), ("a", "de", "s2", 20), ("a", "en", "s2", 50)]
    assert distances(known)["a"][0] == pytest.approx((10 + 30) / 2)
