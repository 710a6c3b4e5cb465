"""Domains, recomputed by hand from the overall rows of a summary; what is not known is undefined and says why."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import polars as pl
import pytest
from msgspec import convert
from msgspec.structs import replace as with_fields
from rich.style import Style

from xlbias.dashboard.views.domain_contrasts import baseline_sheet, contrast_sheet
from xlbias.dashboard.views.domain_home import home_sheet
from xlbias.dashboard.views.domains import SHIFTS, design, drop_sheet, read_domains, values_sheet
from xlbias.dashboard.views.sheet import Sheet
from xlbias.dashboard.widgets.heatmap.drawing import Drawing, Styles
from xlbias.dashboard.widgets.heatmap.layout import Layout
from xlbias.measures.registry import measure_of
from xlbias.report.numbers import difference_interval, difference_text
from xlbias.results.study.contrasts import PAIR, judged
from xlbias.results.study.design import Arm, Primary, read_study
from xlbias.results.summary import SUMMARY_SCHEMA
from xlbias.runs.run_info import ModelInfo, TaskInfo
from xlbias.stats.multiplicity import holm

T_OF_2 = 4.302652729911275
"""97.5% quantile of Student's t with 2 degrees of freedom."""

MAP, DISTANCE, GAP = ("map", "cross-lingual"), ("rank_distance.normalised", "multilingual"), SHIFTS[4]
CKA = ("queries.cka", None)
PLAN = {
    "title": "small", "samplers": ["mono", "cross", "hybrid"], "alphas": [0.5], "seeds": 3,
    "sources": {"here": [], "there": []}, "targets": {}, "in_domain": {"home": "here", "away": "there"},
    "baseline": "mono",
}  # fmt: skip
SLUGS = {"mono": "mono", "α=0.5": "hybrid-alpha0.5", "cross": "cross"}
STUDY = [f"{source}-{slug}-seed{seed}" for source in ("here", "there") for slug in SLUGS.values() for seed in range(3)]
TASKS = ("home", "away", "elsewhere")


def run_of(models, tasks=TASKS, cards=None, shifts=SHIFTS, **metadata):
    """A run whose summary has a random number for every model, task and measure, and a row of a cell beside each."""
    rng = np.random.default_rng(5)
    rows = []
    for model in models:
        for task in tasks:
            for measure, setting in shifts:
                value = float(rng.uniform(0.1, 0.9))
                row = {"model": model, "task": task, "domain": "d", "measure": measure, "setting": setting}
                rows.append({**row, "value": value, "low": value - 0.01, "high": value + 0.02, "n_ids": 7})
                rows.append({**row, "query_language": "de", "value": -1.0})  # a cell: no number of everything
    frame = pl.DataFrame(rows, schema={"model": pl.String, "task": pl.String, "domain": pl.String, **SUMMARY_SCHEMA})
    entries = [convert({"name": name, "card": (cards or {}).get(name, {})}, ModelInfo) for name in models]
    return SimpleNamespace(
        path=SimpleNamespace(stem="run"), summary=frame, models=entries, metadata=metadata,
        tasks=[TaskInfo(name, {}, {}, "d", fingerprint=f"print of {name}") for name in tasks],
    )  # fmt: skip


def value(run, model, task, shift):
    """The number of the summary itself."""
    setting = pl.col("setting").is_null() if shift[1] is None else pl.col("setting") == shift[1]
    chosen = run.summary.filter(
        (pl.col("model") == model) & (pl.col("task") == task) & (pl.col("measure") == shift[0]) & setting
        & pl.col("query_language").is_null()
    )  # fmt: skip
    return chosen["value"].item()


def cell(sheet: Sheet, row: str, column: str):
    return sheet.block.entries[sheet.block.rows.index(row)][sheet.block.columns.index(column)]


def by_hand(values):
    """Mean and t-interval of three values."""
    half = T_OF_2 * np.std(values, ddof=1) / np.sqrt(len(values))
    return np.mean(values), np.mean(values) - half, np.mean(values) + half


@pytest.fixture(scope="module")
def study():
    return run_of(STUDY, study=PLAN)


@pytest.fixture(scope="module")
def domains(study):
    return read_domains(study)


@pytest.mark.parametrize("shift", [MAP, DISTANCE, CKA])
def test_a_cell_of_a_study_is_the_mean_over_seeds_with_its_t_interval(study, domains, shift):
    found = cell(values_sheet(domains, shift), "there · hybrid α=0.5", "home")
    values = [value(study, f"there-hybrid-alpha0.5-seed{n}", "home", shift) for n in range(3)]
    assert (found.value, found.cell.low, found.cell.high) == pytest.approx(by_hand(values))
    assert found.n == 3


def test_rows_are_source_by_sampler_from_monolingual_to_cross_lingual_and_lead_to_the_first_seed(domains):
    sheet = values_sheet(domains, MAP)
    assert sheet.heads == tuple((source, arm) for source in ("here", "there") for arm in SLUGS)
    assert sheet.opens["here · cross", "away"] == ("here-cross-seed0", "away")
    assert sheet.named(("here · hybrid α=0.5", "away")) == "hybrid α=0.5, trained on here → away"
    assert "seeds 0: ." in sheet.said["here · cross", "away"]


def test_a_seed_that_is_missing_counts_for_less():
    run = run_of([name for name in STUDY if name not in ("here-mono-seed0", "here-mono-seed2")], study=PLAN)
    sheet = values_sheet(read_domains(run), MAP)
    found = cell(sheet, "here · mono", "home")
    assert (found.n, found.cell.low, found.interval) == (1, None, "")
    assert found.value == value(run, "here-mono-seed1", "home", MAP)
    assert sheet.opens["here · mono", "home"] == ("here-mono-seed1", "home")


def test_relative_drop_by_hand(study, domains):
    sheet = drop_sheet(domains, MAP)
    drops = []
    for seed in range(3):
        home, away = (value(study, f"{source}-cross-seed{seed}", "home", MAP) for source in ("here", "there"))
        drops.append((home - away) / home)
    found = cell(sheet, "there · cross", "home")
    assert (found.value, found.cell.low, found.cell.high) == pytest.approx(by_hand(drops))
    assert found.text == f"{np.mean(drops):.0%}"


def test_a_loss_is_positive_also_where_low_is_good(study, domains):
    drops = []
    for seed in range(3):
        home, away = (value(study, f"{source}-mono-seed{seed}", "away", DISTANCE) for source in ("there", "here"))
        drops.append((away - home) / home)
    assert cell(drop_sheet(domains, DISTANCE), "here · mono", "away").value == pytest.approx(np.mean(drops))


def test_no_drop_at_home_nor_where_nobody_is_at_home_nor_where_neither_way_is_good(domains):
    sheet = drop_sheet(domains, MAP)
    assert cell(sheet, "here · mono", "home").text == "home"
    assert cell(sheet, "here · mono", "home").value is None
    nobody = cell(sheet, "here · mono", "elsewhere")
    assert (nobody.value, nobody.text) == (None, "·")
    assert "no encoder is at home" in sheet.said["here · mono", "elsewhere"]
    gap = drop_sheet(domains, GAP)
    assert "no drop" in gap.remark
    assert all(one.value is None for row in gap.block.entries for one in row)


def test_home_and_away_by_hand(study, domains):
    sheet = home_sheet(domains, CKA)
    assert sheet.heads == tuple((task, arm) for task in ("home", "away") for arm in SLUGS)
    home = [value(study, f"there-cross-seed{n}", "away", CKA) for n in range(3)]
    away = [value(study, f"here-cross-seed{n}", "away", CKA) for n in range(3)]
    row = "away: there · cross"
    assert cell(sheet, row, "home").value == pytest.approx(np.mean(home))
    assert cell(sheet, row, "away").value == pytest.approx(np.mean(away))
    drops = [(h - a) / h for h, a in zip(home, away, strict=True)]
    found = cell(sheet, row, "drop")
    assert (found.value, found.cell.low, found.cell.high) == pytest.approx(by_hand(drops))
    assert sheet.opens[row, "away"] == ("there-cross-seed0", "away")


def test_differences_are_paired_by_seed_and_nothing_is_real_before_it_is_tested(study, domains):
    sheet = contrast_sheet(domains, MAP, None)
    assert "here · mono" not in sheet.block.rows
    differences = [
        value(study, f"here-cross-seed{n}", "home", MAP) - value(study, f"here-mono-seed{n}", "home", MAP)
        for n in range(3)
    ]
    found = cell(sheet, "here · cross", "home")
    assert (found.value, found.cell.low, found.cell.high) == pytest.approx(by_hand(differences))
    assert not any(one.text.endswith("*") for row in sheet.block.entries for one in row)
    assert sheet.headline == ()


def verdicts(*, verdict: str) -> pl.DataFrame:
    """What a comparison of samplers says: a row that is asked for, and the same against another base."""
    row = {
        "source": "here", "target": "home", "base": "mono", "new": "cross", "measure": "map",
        "setting": "cross-lingual", "difference": 0.125, "low": 0.1, "high": 0.15, "p": 0.001, "n_seeds": 3,
        "p_corrected": 0.02, "verdict": verdict, "cells": "all",
    }  # fmt: skip
    others = [{"base": "cross"}, {"cells": "trained"}]
    aligned = {**row, "measure": "queries.parallel_accuracy", "setting": None, "difference": -0.25}
    return pl.DataFrame([row, *({**row, **other, "difference": -9.0} for other in others), aligned])


@pytest.mark.parametrize(("verdict", "text"), [("better", "+.125*"), ("worse", "+.125*"), ("unclear", "+.125")])
def test_the_mark_is_the_verdict_of_the_study(domains, verdict, text):
    sheet = contrast_sheet(domains, MAP, verdicts(verdict=verdict))
    found = cell(sheet, "here · cross", "home")
    assert (found.text, found.cell.low, found.cell.high) == (text, 0.1, 0.15)
    assert verdict in sheet.said["here · cross", "home"]
    assert "p .020" in sheet.said["here · cross", "home"]
    assert {label: one.text for label, one in sheet.headline}[verdict] == "1"


def test_a_measure_of_alignment_has_a_verdict_too(domains):
    sheet = contrast_sheet(domains, ("queries.parallel_accuracy", None), verdicts(verdict="worse"))
    assert cell(sheet, "here · cross", "home").text == "-.250*"
    assert "worse, confirmed" in sheet.said["here · cross", "home"]


def test_a_measure_that_the_study_does_not_test_has_no_verdict(domains):
    sheet = contrast_sheet(domains, CKA, verdicts(verdict="better"))
    assert "no verdict" in sheet.remark
    assert not any(one.text.endswith("*") for row in sheet.block.entries for one in row)


@pytest.mark.parametrize("plan", ["text", {"samplers": ["mono"]}, {**PLAN, "seeds": None}, {**PLAN, "samplers": 3}])
def test_a_plan_that_cannot_be_read_makes_no_study(plan):
    run = run_of(["a", "b"], study=plan)
    assert design(run) is None
    assert [one.name for one in read_domains(run).members] == ["a", "b"]


# -- a run that is no study ----------------------------------------------------------------------------------------

CARDS = {
    "a": {"sampler": "mono", "sources": [{"name": "other", "fingerprint": "print of home"}]},
    "b": {"sources": ["away[split=train]"]},
    "c": {},
}


@pytest.fixture(scope="module")
def plain():
    return run_of(["a", "b", "c"], tasks=("home", "away[split=test]", "elsewhere"), cards=CARDS)


def test_a_cell_is_the_number_of_the_summary_with_its_interval_over_ids(plain):
    sheet = values_sheet(read_domains(plain), MAP)
    known = value(plain, "b", "home", MAP)
    found = cell(sheet, "b", "home")
    assert (found.value, found.cell.low, found.cell.high, found.n) == (known, known - 0.01, known + 0.02, 7)
    assert sheet.named(("a", "home")) == "a: mono sampler, trained on other → home"
    assert sheet.named(("c", "home")) == "c: training data not known → home"


def test_an_encoder_s_own_task_is_known_by_fingerprint_or_by_another_part_of_it(plain):
    assert [one.home for one in read_domains(plain).members] == [("home",), ("away[split=test]",), ()]


def test_without_a_study_a_drop_is_from_the_encoder_s_own_task(plain):
    sheet = drop_sheet(read_domains(plain), MAP)
    home, away = (value(plain, "a", task, MAP) for task in ("home", "elsewhere"))
    assert cell(sheet, "a", "elsewhere").value == pytest.approx((home - away) / home)
    assert cell(sheet, "a", "home").text == "home"
    assert cell(sheet, "c", "elsewhere").value is None
    assert "its own task is not known" in sheet.said["c", "elsewhere"]
    rows = home_sheet(read_domains(plain), MAP)
    assert rows.block.rows == ("home: a", "away[split=test]: b")
    others = [value(plain, "a", task, MAP) for task in ("away[split=test]", "elsewhere")]
    assert cell(rows, "home: a", "away").value == pytest.approx(np.mean(others))


def test_differences_from_a_baseline_are_marked_where_they_are_tested(plain):
    domains = read_domains(plain)
    tested = {
        "difference": -0.5,
        "low": -0.6,
        "high": -0.4,
        "p_corrected": 0.01,
        "n_ids": 7,
        "base": 0.9,
        "new": 0.4,
        "one_training": True,
    }
    pairs = {("b", "home"): (0.9, 0.4), ("c", "home"): (0.2, 0.3)}
    sheet = baseline_sheet(domains, MAP, "a", pairs, {("b", "home"): tested}, "comparing …")
    assert cell(sheet, "b", "home").text == "-.500*"
    assert (cell(sheet, "c", "home").text, cell(sheet, "a", "home").text) == ("+.100", "·")
    assert "not tested yet" in sheet.said["c", "home"]
    assert sheet.said["b", "home"] == ".900 → .400  p .010"
    assert sheet.remark == "comparing …"


def test_measures_without_any_number_are_left_out():
    run = run_of(["a"], shifts=SHIFTS[:2])
    assert read_domains(run).shifts == SHIFTS[:2]
    assert read_domains(run_of([])).members == ()


@pytest.mark.parametrize("primary", [False, True])
def test_of_some_pairs_a_verdict_is_told_only_if_the_others_cannot_change_it(plain, study, primary):
    """Nine pairs of one contrast, of which five are there; only mAP between languages is primary."""
    rng = np.random.default_rng(3)
    sources = tuple("abcdefghi")
    arms = Arm("mono"), Arm("cross")
    members = {(source, arm, 0): "x" for source in sources for arm in arms}
    primaries = (Primary("mono", "cross", "map", "cross-lingual"),) if primary else ()
    design = replace(read_study(study), sources=sources, arms=arms, members=members, primary=primaries)
    for _ in range(200):
        p = rng.uniform(0, 1, 9) ** 6
        rows = [
            {"measure": "map", "setting": setting, "difference": 0.1, "low": 0.05, "high": 0.2, "p": of,
             "n_seeds": 3, "cells": "all", "source": source, "target": "t", "base": "mono", "new": "cross"}
            for source, of in zip(sources, p, strict=True) for setting in ("cross-lingual", "multilingual")
        ]  # fmt: skip
        frame = pl.DataFrame(rows, schema=PAIR)
        whole = judged(study, design, [frame])
        some = judged(study, design, [frame[:10]], to_come=[(source, "t") for source in sources[5:]])
        assert "open" not in whole["verdict"].to_list()
        for early, final in zip(some["verdict"], whole["verdict"], strict=False):
            assert early in (final, "open")
        tested = (pl.col("setting") == "cross-lingual") if primary else pl.lit(value=True)
        assert (some.filter(tested)["p_corrected"] >= whole[:10].filter(tested)["p_corrected"] - 1e-12).all()
        assert whole.filter(tested)["p_corrected"][0] == pytest.approx(holm(p)[0])
        assert (whole.filter(~tested)["verdict"] == "untested").all()


def test_while_pairs_are_tested_it_is_not_said_that_nothing_is(domains):
    sheet = contrast_sheet(domains, MAP, verdicts(verdict="better"), "comparing …", going_on=True)
    assert "nothing here is tested" not in sheet.reading
    assert "p at most .020" in sheet.said["here · cross", "home"]
    assert "not tested yet" in sheet.said["here · cross", "away"]
    early = contrast_sheet(domains, MAP, verdicts(verdict="open"), "comparing …", going_on=True)
    assert cell(early, "here · cross", "home").text == "+.125"
    assert "open" in early.said["here · cross", "home"]


def test_the_formula_of_a_drop_is_that_of_its_direction(domains):
    assert "(M[T,T] − M[S,T]) / M[T,T]" in drop_sheet(domains, MAP).reading
    low = drop_sheet(domains, DISTANCE).reading
    assert "(M[S,T] − M[T,T]) / M[T,T]" in low
    assert "lost away" not in low


def test_a_small_difference_of_a_measure_beyond_1_keeps_its_digits():
    assert difference_text(-0.037, measure_of("queries.alignment")) == "-.037"
    assert difference_text(-0.037, measure_of("rank_distance")) == "-.037"
    assert difference_text(12.34, measure_of("rank_distance")) == "12.3"


def test_the_ends_of_an_interval_of_differences_are_written_as_differences_are():
    assert difference_interval(0.11, 0.134, measure_of("exposure@10.ratio")) == "[.110, .134]"
    assert difference_interval(-0.5, 12.34, measure_of("rank_distance")) == "[-.500, 12.3]"
    assert difference_interval(None, 1.0, measure_of("map")) == ""
    sheet = baseline_sheet(
        read_domains(run_of(["a", "b"])), ("queries.alignment", None), "a", {("b", "home"): (1.5, 1.463)}, {}
    )
    layout = Layout.fit(sheet, 60, 20)
    drawing = Drawing(sheet, (0, 1), (0, 1, 2), layout, 0, 0, None, None, Styles(*[Style()] * 4))
    assert "-.037" in "".join(segment.text for segment in drawing.line(layout.y(1, 0) + (layout.lines - 1) // 2))


# -- who is at home ------------------------------------------------------------------------------------------------

GIVEN = {"domain": "money", "source": "a data set"}
OWN = {"a": {"sources": [{"name": "builtin:money[split=train]", **GIVEN}, {"name": "away[split=train]"}]}}


def run_with(tasks, **about):
    """A run of one encoder; `about` says more of the task `home`."""
    run = run_of(["a"], tasks=tasks, cards=OWN)
    run.tasks[0] = with_fields(run.tasks[0], **about)
    return run


@pytest.mark.parametrize(
    ("about", "own"),
    [
        (GIVEN, ("home",)),
        ({"domain": "money", "source": "another"}, ()),
        ({"domain": "law", "source": "a data set"}, ()),
        ({"domain": "money"}, ()),
        ({}, ()),
    ],
)
def test_the_same_domain_of_the_same_data_set_is_home_whatever_the_task_is_called(about, own):
    assert read_domains(run_with(("home", "elsewhere"), **about)).members[0].home == own


@pytest.mark.parametrize("empty", ["unknown", "", None])
def test_what_is_not_known_is_nobody_s_home(empty):
    nothing = {"domain": empty, "source": empty}
    run = run_of(["a"], tasks=("home", "elsewhere"), cards={"a": {"sources": [{"name": "x", **nothing}]}})
    run.tasks[0] = with_fields(run.tasks[0], domain=empty or "", source=empty)
    assert read_domains(run).members[0].home == ()


def test_who_is_at_home_on_several_loses_of_their_mean_and_each_has_its_row():
    run = run_with(("home", "away[split=test]", "elsewhere"), **GIVEN)
    domains = read_domains(run)
    first, second, away = (value(run, "a", task, MAP) for task in ("home", "away[split=test]", "elsewhere"))
    sheet = drop_sheet(domains, MAP)
    assert cell(sheet, "a", "elsewhere").value == pytest.approx(1 - away / ((first + second) / 2))
    assert cell(sheet, "a", "elsewhere").n is None
    assert sheet.remark == ""
    rows = home_sheet(domains, MAP)
    assert rows.heads == (("home", "a"), ("away[split=test]", "a"))
    for row, home in (("home: a", first), ("away[split=test]: a", second)):
        assert cell(rows, row, "home").value == home
        assert cell(rows, row, "drop").value == pytest.approx(1 - away / home)


def test_where_nobody_is_away_that_is_said():
    domains = read_domains(run_with(("home", "away[split=test]"), **GIVEN))
    why = "every encoder at home on a target has no other target"
    assert drop_sheet(domains, MAP).remark == f"no drop: {why}"
    assert home_sheet(domains, MAP).remark == why
    assert cell(drop_sheet(domains, MAP), "a", "home").text == "home"
    nobody = read_domains(run_of(["a"]))
    assert "no encoder is known" in drop_sheet(nobody, MAP).remark


# -- cells on a panel ------------------------------------------------------------------------------------------------


def drawn(sheet, width, height):
    """What a panel shows, a text for each line of its cells."""
    layout = Layout.fit(sheet, width, height)
    rows, columns = range(len(sheet.block.rows)), range(len(sheet.block.columns))
    drawing = Drawing(sheet, tuple(rows), tuple(columns), layout, 0, 0, None, None, Styles(*[Style()] * 4))
    lines = [y for row in rows for y in range(layout.y(row, 0), layout.y(row, 0) + layout.lines)]
    return ["".join(segment.text for segment in drawing.line(y)) for y in lines]


def with_ends(sheet, *ends):
    """A sheet whose first cells have other intervals."""
    first, *others = sheet.block.entries[0]
    changed = [replace(cell, interval=text) for cell, text in zip([first, *others], ends, strict=True)]
    return replace(sheet, block=replace(sheet.block, own_entries=(tuple(changed), *sheet.block.entries[1:])))


def test_below_the_numbers_stand_intervals_of_all_cells_or_of_none(study, domains):
    plain = contrast_sheet(domains, MAP, None)
    sheet = with_ends(plain, "[-.003, -.001]", "[.001, .002]", "[.003, .004]")
    wide = drawn(sheet, 120, 40)
    assert "[-.003, -.001]" in wide[2]
    assert "[.001, .002]" in wide[2]
    narrow = drawn(sheet, 58, 40)
    assert "[" not in "".join(narrow)
    assert narrow[2].split() == ["n", "3"] * 3


def test_a_cell_without_n_has_nothing_below_its_number():
    run = run_with(("home", "elsewhere"), **GIVEN)
    lines = drawn(drop_sheet(read_domains(run), MAP), 80, 20)
    assert len(lines) == 3
    assert "home" in lines[1]
    assert lines[2].strip() == ""


def test_names_of_tasks_are_whole_where_there_is_room(study):
    names = ("home", "ntrex-headlines-test", "elsewhere")
    sheet = values_sheet(read_domains(run_of(["a"], tasks=names)), MAP)
    for width in (120, 50):
        layout = Layout.fit(sheet, width, 20)
        drawing = Drawing(sheet, (0,), (0, 1, 2), layout, 0, 0, None, None, Styles(*[Style()] * 4))
        heads = "".join(segment.text for segment in drawing.line(0))
        assert names[1][:8] in heads
        assert (names[1] in heads) == (width == 120)
