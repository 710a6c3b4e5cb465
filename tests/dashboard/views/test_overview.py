"""The rows of the overview, without a screen."""

from dataclasses import replace

import polars as pl
import pytest

from xlbias.dashboard.views.overview import matching, n_significant, overview_rows, why_empty
from xlbias.dashboard.workers.snapshot import take_snapshot
from xlbias.report.documents.caveats import MARK
from xlbias.results.caveats import Caveat


@pytest.fixture
def snapshot(finished_run):
    return take_snapshot(finished_run)


def test_a_row_says_how_far_it_is_and_what_it_differs_in(snapshot):
    frame = overview_rows(snapshot, ("+1 -2", None, "…", None))
    assert frame["done"].to_list() == ["20/20"] * 4
    assert frame["significant"].to_list() == ["+1 -2", None, "…", None]
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
