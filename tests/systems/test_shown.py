"""Censored numbers where people see them: report, JSON, CSV, gate and dashboard show bounds, never as if exact."""

import csv
import io
import json

import polars as pl
import pytest
from support import make_task

import xlbias
from xlbias.check.gate import check_run
from xlbias.check.requirement import parse
from xlbias.dashboard.screens.queries.columns import title
from xlbias.dashboard.screens.query.labels import title_parts
from xlbias.dashboard.views.matrix import about_cell, matrix_sheet
from xlbias.dashboard.views.overview import n_significant
from xlbias.dashboard.views.query_panels import frame
from xlbias.dashboard.widgets.heatmap.cell_text import number_in
from xlbias.dashboard.widgets.table.columns import Column
from xlbias.dashboard.workers.query_list import QueryListings, Wanted
from xlbias.export.values import export_values
from xlbias.report.documents.brief import brief
from xlbias.report.render import render_report
from xlbias.results.findings.language_gaps import language_gaps
from xlbias.results.matrix import matrix
from xlbias.results.overview import overview
from xlbias.results.queries.filter import Filter
from xlbias.results.queries.query import query_view
from xlbias.results.written import bounds, number


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """Every query finds its answer in its own language first, and no other."""
    task = make_task(12).select_languages(["de", "en", "th"])
    file = tmp_path_factory.mktemp("run") / "own.trec"
    lines = []
    for query_id, language, _ in task.queries.iter_rows():
        other = "q0001" if query_id == "q0000" else "q0000"
        lines.append(f"{language}/{query_id} Q0 {language}-{query_id} 1 2.5 own\n")
        lines.append(f"{language}/{query_id} Q0 {language}-{other} 2 1.5 own\n")
    file.write_text("".join(lines))
    return xlbias.import_run(file, task, file.with_name("own.parquet"))


def least_and_most(run):
    row = run.summary.filter(
        (pl.col("measure") == "map") & (pl.col("setting") == "multilingual") & pl.col("query_language").is_null()
    ).row(0, named=True)
    return row["least"], row["most"]


def test_bounds_are_written_as_bounds(run):
    of_map = matrix(run, "map", "own", "made").measure
    assert bounds(0.4123, 0.4371, of_map) == ".412–.437"
    assert bounds(0.4123, 0.4371, of_map, narrow=True) == bounds(0.4123, 0.41231, of_map) == "≥.412"


@pytest.mark.parametrize("form", ["text", "markdown", "html", "latex"])
def test_every_format_of_the_report_shows_them_with_the_caveat(run, form):
    shown = render_report([run], form)
    low, high = (number(end) for end in least_and_most(run))
    assert f"{low}–{high}" in shown or f"{low}--{high}" in shown
    assert "its ranks are known down to 2" in " ".join(shown.split())
    assert "own.trec (depth 2)" in shown or "own.trec \\(depth 2\\)" in shown


def test_json_and_csv_have_them_in_full(run):
    low, high = least_and_most(run)
    (result,) = json.loads(render_report([run], "json"))["results"]
    assert result["settings"]["multilingual"]["map"] is None
    assert result["settings"]["multilingual"]["bounds"]["map"] == [low, high]
    assert result["bias"]["max@r"]["least"] < result["bias"]["max@r"]["most"]
    assert result["bias"]["max@r"]["reason"].startswith("censored")
    assert result["settings"]["multilingual"]["recall@1"] == pytest.approx(1 / 3)
    assert "censored" in result["caveats"]
    rows = list(csv.DictReader(io.StringIO(render_report([run], "csv"))))
    (row,) = [r for r in rows if (r["measure"], r["setting"], r["query_language"]) == ("map", "multilingual", "")]
    assert (row["value"], float(row["least"]), float(row["most"])) == ("", low, high)


def verdict(run, text):
    (found,) = check_run([parse(text)], run)
    return found.outcome


def test_the_gate_decides_only_where_both_bounds_agree(run):
    low, high = least_and_most(run)
    middle = (low + high) / 2
    assert verdict(run, f"map.multilingual > {low - 0.01}").passed
    failed = verdict(run, f"map.multilingual > {high + 0.01}")
    assert not failed.passed and "is not >" in failed.failures[0] and "(bounds)" in failed.failures[0]
    undecided = verdict(run, f"map.multilingual > {middle}")
    assert not undecided.passed
    assert undecided.failures[0].endswith("or not: undecided, as ranks are censored")
    assert not verdict(run, f"map.multilingual <= {middle}").passed  # nor is the opposite
    assert verdict(run, "map.multilingual.least < map.multilingual.most").passed
    assert verdict(run, f"map.multilingual * 2 - 0.1 > {2 * low - 0.11}").passed
    assert verdict(run, "max(map[*,multilingual]) < 1").passed
    assert verdict(run, "abs(single_gold.gap.multilingual) >= 0").passed
    assert verdict(run, "caveats[censored] == 1").passed


def test_the_dashboard_marks_them_and_says_both_ends(run):
    shown = matrix(run, "map", "own", "made")
    sheet = matrix_sheet(shown)
    column = shown.columns.index("multilingual")
    low, high = shown.cells[0][column].bounds
    assert number_in(sheet, 0, column, 5) == f"≥{number(low)}"
    assert number_in(sheet, 0, column, 4) == f"≥{number(low)}"[:4]
    said, interval, counted = about_cell(shown, (shown.rows[0], "multilingual"))
    assert (said, interval) == (f"mAP {number(low)}–{number(high)}", "")
    assert counted.startswith("censored")
    assert shown.bounded and not shown.part(["de"], ["de"]).bounded
    assert len(matrix_sheet(matrix(run, "single_gold", "own", "made")).block.columns) == 3  # by answer language
    row = overview(run).row(0, named=True)
    assert (row["map_multi"], row["best_pair"], row["worst_pair"]) == (None, None, None)
    column = Column("map_multi", "multi", 5, number, lower="map_multi_least")
    assert column.of_row(row, 5) == f"≥{number(least_and_most(run)[0])}"


def test_differences_that_bounds_decide_are_counted_as_significant():
    frame = pl.DataFrame({
        "query_language": ["de", "de", "en"], "p_corrected": [0.01, 0.01, 0.2],
        "difference": [None, -0.1, 0.1], "least": [0.1, None, None], "most": [0.3, None, None],
    })  # fmt: skip
    assert n_significant(frame) == "+1 -1"


def test_a_query_shows_what_was_found_and_no_rank_of_what_was_not(run):
    view = query_view(run, "own", "made", "q0003", "de", "multilingual")
    assert [(p.language, p.rank) for p in view.relevants] == [("de", 1), ("en", None), ("th", None)]
    assert (view.ap, view.languages[0].first_rank, view.languages[0].ranks) == (None, 1, (1, None, None))
    assert frame("relevant", view)["rank"].to_list() == [1, None, None]
    none = query_view(run, "own", "made", "q0003", "de", "en")
    assert any("none found" in part.text for part in title_parts(("q0003", "de", "en"), none, None, None))


def test_findings_the_brief_report_and_values_by_query_say_nothing_of_them_as_if_exact(run, tmp_path):
    low = least_and_most(run)[0]
    assert f"≥{number(low)}" in brief(run)
    assert language_gaps(run, "own", "made") == []
    export_values(run, tmp_path / "values.csv", measures=["map", "recall@1", "single_gold"])
    rows = list(csv.DictReader((tmp_path / "values.csv").open()))
    multilingual = [row for row in rows if row["passage_language"] == "multilingual"]
    assert {row["measure"] for row in multilingual} == {"map", "recall@1"}
    censored = [row for row in multilingual if row["value"] == ""]
    assert {row["measure"] for row in censored} == {"map"}
    assert all(0 <= float(row["least"]) < float(row["most"]) <= 1 for row in censored)
    own = [row for row in rows if row["measure"] == "map" and row["value"]]
    assert own and all(row["query_language"] == row["passage_language"] for row in own)


def test_a_list_of_queries_has_no_mean_of_those_whose_ap_happens_to_be_known(run):
    found = QueryListings().of(Wanted(run, "own", "made", Filter()))
    assert (found.mean_ap, found.n_scored, found.n_censored) == (None, 0, 36)
    assert "36 with censored AP" in "".join(part.text for part in title(found, ""))
