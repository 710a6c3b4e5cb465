"""The rows of the overview, without a screen."""

from dataclasses import replace

import polars as pl
import pytest

from xlbias.dashboard.views.overview import Difference, across, matching, n_significant, overview_rows, why_empty
from xlbias.dashboard.workers.snapshot import take_snapshot
from xlbias.report.documents.caveats import MARK
from xlbias.results.caveats import Caveat
from xlbias.results.findings import Destination, Finding, Number


@pytest.fixture
def snapshot(finished_run):
    return take_snapshot(finished_run)


def test_a_row_says_how_far_it_is_and_what_it_differs_in(snapshot):
    frame = overview_rows(snapshot, (Difference("+1 -2", 0.1, "b"), None, Difference("…"), None))
    assert frame["done"].to_list() == ["20/20"] * 4
    assert frame.select("model", "task", "significant", "delta").rows() == [
        ("mono", "xquad-r", "+1 -2", 0.1), ("hybrid", "xquad-r", "…", None),
        ("mono", "mlqa", None, None), ("hybrid", "mlqa", None, None),
    ]  # fmt: skip
    assert frame["doubted"].null_count() == 4


def test_rows_with_a_caveat_are_marked_and_the_others_are_not(snapshot):
    doubted = replace(snapshot, doubts=(Caveat("seen", "mlqa", "hybrid", sentence="seen"),))
    frame = overview_rows(doubted, (None,) * 4)
    marked = frame.filter(pl.col("doubted") == MARK).select("model", "task").rows()
    assert marked == [("hybrid", "mlqa")]
    assert frame["doubted"].to_list().count("") == 3


def test_a_filter_wants_every_word_whatever_its_case_and_accents(snapshot):
    frame = overview_rows(snapshot, (None,) * 4)
    assert matching(frame, "  HYBRÍD mlqa ").select("model", "task").rows() == [("hybrid", "mlqa")]
    assert matching(frame, "ntrex").height == 4
    assert matching(frame, "hybrid nothing").height == 0
    assert matching(frame, "").height == 4


def test_that_there_is_nothing_yet_is_said(snapshot):
    assert why_empty(None) == "reading the run …"
    assert why_empty(snapshot) == ""
    assert why_empty(replace(snapshot, cells=frozenset())) == "No rankings."


def test_only_significant_cells_of_a_language_count():
    compared = pl.DataFrame(
        {
            "query_language": ["de", "hi", "th", None, "zh"],
            "p_corrected": [0.01, 0.02, 0.05, 0.001, None],
            "difference": [0.1, -0.2, 0.3, 0.4, 0.5],
        }
    )
    assert n_significant(compared) == "+1 -1"


def test_the_difference_across_languages_is_that_of_all_cells():
    compared = pl.DataFrame(
        {
            "setting": ["monolingual", "cross-lingual", "cross-lingual"],
            "query_language": [None, None, "de"],
            "passage_language": [None, None, "hi"],
            "difference": [0.1, 0.2, 0.3],
        }
    )
    assert across(compared) == 0.2
    assert across(compared.head(1)) is None


def test_what_a_finding_is_a_reason_to_doubt_is_marked_where_its_number_stands(snapshot):
    def finding(kind, question, **more):
        return Finding(kind, question, "s", 1.0, Destination("matrix", "matrix"), "hybrid", "mlqa", **more)

    found = (
        finding("worst_pair", "for whom"),
        finding("rank_distance", "fair"),
        finding("difference", "real", base="mono"),
        finding("chance_level", "good", numbers=(Number("map", 0.1, setting="multilingual"),)),
    )
    frame = overview_rows(snapshot, (None,) * 4, found)
    marked = {row[:2]: row[2] for row in frame.select("model", "task", "attention").rows()}
    assert marked["hybrid", "mlqa"] == ["delta", "map_multi", "rank_distance_normalised", "worst"]
    assert marked["mono", "mlqa"] == []
    gains = tuple(replace(one, concern=False) for one in found)
    assert not any(overview_rows(snapshot, (None,) * 4, gains)["attention"].to_list())
