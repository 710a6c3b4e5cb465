"""Every rule finds what was planted and is silent where nothing was; every number it names is the one of its cell."""

from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from dashboard.made import LiveRun
from results.planted_faults import HOME, LANGUAGES, N_IDS, Planted, task

from xlbias.dashboard.places import SCREENS
from xlbias.errors import UsageError
from xlbias.evaluation import evaluate
from xlbias.report.documents.brief import brief
from xlbias.report.documents.findings import as_json
from xlbias.report.forms import SECTIONS
from xlbias.report.render import render_report
from xlbias.results.by_key import Numbers
from xlbias.results.compare import Side, compare
from xlbias.results.findings import Thresholds, findings, findings_in_turn, kinds, of_comparison
from xlbias.results.findings.language_gaps import Gap
from xlbias.results.findings.rules.languages import _pool
from xlbias.results.findings.thresholds import table
from xlbias.results.levels import levels
from xlbias.results.per_query import Key
from xlbias.results.run import open_run
from xlbias.runs.run_info import TaskInfo
from xlbias.text import width

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """An encoder for each fault, and one without, on two tasks."""
    trained = {"sources": HOME, "base": "static", "recipe": {"steps": 1}}
    encoders = [
        Planted("fair", card={**trained, "sampler": "hybrid", "seed": 0}),
        Planted("lame", by_language={("q", "th"): 4.0, ("p", "zh"): 3.0}),
        Planted("clannish", own=4.0),
        Planted("constant", noise=None),
        Planted("random", noise=1e3),
        Planted("lossy", away=2.5, card={**trained, "sampler": "mono", "seed": 0}),
        Planted("cutting", tokens={"th": (50, 0, True), "zh": (4, 1, False)}),
    ]
    path = tmp_path_factory.mktemp("planted") / "run.parquet"
    return evaluate(encoders, [task("home", "home"), task("away", "away", 16)], path)


@pytest.fixture(scope="module")
def found(run):
    return findings(run)


def of(found, kind, encoder=None, on="home"):
    return [one for one in found if one.kind == kind and one.encoder == encoder and one.task in (on, None)]


@pytest.mark.parametrize(
    ("kind", "guilty", "innocent"),
    [
        ("query_language", "lame", "fair"),
        ("passage_language", "lame", "fair"),
        ("rank_distance", "clannish", "fair"),
        ("own_language", "clannish", "fair"),
        ("chance_level", "random", "fair"),
        ("chance_level", "constant", "fair"),
        ("tokenizer", "cutting", "fair"),
        ("shift", "lossy", "random"),
        ("worst_pair", "lame", "fair"),
    ],
)
def test_what_is_planted_is_found_and_nothing_else(found, kind, guilty, innocent):
    assert of(found, kind, guilty)
    assert not [one for one in of(found, kind, innocent) if one.concern]


def test_the_worst_languages_are_named_and_tested(found):
    (asked,), (answered,) = (of(found, f"{side}_language", "lame") for side in ("query", "passage"))
    assert (asked.languages, answered.languages) == (("th",), ("zh",))
    assert asked.sentence.startswith("queries in th ")
    assert answered.sentence.startswith("passages in zh ")
    mean, gap, _ = asked.numbers
    assert gap.p < 0.05
    assert gap.high < 0
    assert gap.low <= gap.value <= gap.high
    assert (mean.query_language, mean.n, gap.role) == ("th", N_IDS, "difference from other languages")


def test_a_languages_mean_is_that_of_its_cells(run, found):
    cells = run.matrix("map", model="lame", task="home").drop("multilingual")
    rows = {row[0]: np.mean(row[1:]) for row in cells.iter_rows()}
    (asked,) = of(found, "query_language", "lame")
    others = np.mean([rows[name] for name in LANGUAGES if name != "th"])
    assert asked.numbers[0].value == pytest.approx(rows["th"], abs=1e-12)
    assert asked.numbers[1].value == pytest.approx(rows["th"] - others, abs=1e-12)


def test_every_number_is_the_one_of_its_cell(run, found):
    numbers, checked = Numbers(run.summary), 0
    for one in found:
        for n in one.numbers:
            if n.role or n.base is not None or n.encoder is None:
                continue
            row = numbers.of(n.encoder, n.task)[Key(n.measure, n.setting, n.query_language, n.passage_language)]
            assert (n.value, n.low, n.high, n.n) == (row.value, row.low, row.high, row.n), one
            checked += 1
    assert checked > 50


def test_a_comparison_is_that_of_compare(run, found):
    (one,) = of(found, "difference", found_best(found))
    base, new = Side(run, (one.base,)), Side(run, (one.encoder,))
    frame = compare(base, new, "home", measures=["map"])
    for n in one.numbers:
        if n.role:
            continue
        (row,) = frame.filter(
            pl.col("setting").eq_missing(pl.lit(n.setting))
            & pl.col("query_language").eq_missing(pl.lit(n.query_language, dtype=pl.String))
            & pl.col("passage_language").eq_missing(pl.lit(n.passage_language, dtype=pl.String))
        ).to_dicts()
        assert (n.value, n.low, n.high) == (row["difference"], row["low"], row["high"])
        assert n.p is None or n.p == row["p_corrected"]
    significant = frame.filter(pl.col("query_language").is_not_null() & (pl.col("p_corrected") < 0.05))
    counts = {n.role: n.value for n in one.numbers}
    assert counts["better cells"] == significant.filter(pl.col("difference") > 0).height
    assert counts["worse cells"] == significant.filter(pl.col("difference") < 0).height


def found_best(found):
    return next(one.encoder for one in found if one.kind == "difference" and one.task == "home")


def test_a_side_that_is_worse_is_a_concern_and_one_training_confirms_nothing(run):
    sides = Side(run, ("fair",)), Side(run, ("lossy",))
    frames = {"away": compare(*sides, "away", measures=["map"])}
    (one,) = (one for one in of_comparison(*sides, frames) if one.kind == "difference")
    assert (one.encoder, one.base, one.concern) == ("lossy", "fair", True)
    assert one.sentence.endswith("one training each: not confirmed.")
    assert "0 of 20 cells significantly better, 20 worse (p " in one.sentence


def test_seeds_of_one_recipe_are_one_side_and_confirm(tmp_path):
    def card(sampler, seed):
        return {"sources": HOME, "base": "static", "sampler": sampler, "seed": seed, "recipe": {"seed": seed}}

    encoders = [
        Planted(f"{s}{n}", noise, card=card(s, n)) for s, noise in (("mono", 3), ("cross", 1)) for n in range(3)
    ]
    seeds = evaluate(encoders, [task("home", "home", 12)], tmp_path / "run.parquet")
    (one,) = (one for one in findings(seeds) if one.kind == "difference")
    assert (one.base, one.encoder) == ("mono0, mono1, mono2", "cross0, cross1, cross2")
    assert "confirmed where significant: over query ids and 3 trainings of each side" in one.sentence
    assert not [one for one in findings(seeds) if one.kind == "one_training"]
    assert one.concerns("cross1", "home")


def test_seed_noise_alone_is_not_significant(tmp_path):
    card = {"sources": HOME, "base": "static", "sampler": "mono", "recipe": {}}
    twins = [Planted("one", 2.0, card={**card, "seed": 0}), Planted("two", 2.0, card={**card, "seed": 1, "alpha": 1.0})]
    (one,) = (
        one
        for one in findings(evaluate(twins, [task("home", "home", 30)], tmp_path / "run.parquet"))
        if one.kind == "difference"
    )
    assert "0 of 20 cells significantly better, 0 worse" in one.sentence
    assert not one.concern


def test_ties_are_named_as_a_cause(found):
    (caveat,) = (one for one in of(found, "caveat", "constant") if "score the same" in one.sentence)
    assert caveat.question == "caveat"
    (distance,) = of(found, "rank_distance", "constant")
    assert "ties may be the cause: 100 % of answers" in distance.sentence
    (own,) = of(found, "own_language", "clannish")
    assert "ties" not in own.sentence


def test_languages_that_the_tokenizer_hardly_covers_are_told_with_why(found):
    on = [one for one in of(found, "tokenizer", "cutting") if " queries in " in one.sentence]
    assert len(on) == 1
    assert on[0].languages == ("th", "zh")
    assert "th 4.17 tokens a character, 100 % of texts cut" in on[0].sentence
    assert "zh 25 % unknown" in on[0].sentence


def test_a_loss_is_told_beside_the_first_sampler(run, found):
    (fair, lossy) = (of(found, "shift", name)[0] for name in ("fair", "lossy"))
    assert (fair.concern, lossy.concern) == (False, True)
    assert lossy.base == "fair"
    numbers = Numbers(run.summary)
    key = Key("map", "cross-lingual")
    home, away = (numbers.of("lossy", name)[key].value for name in ("home", "away"))
    (loss, *_) = lossy.numbers
    assert loss.value == pytest.approx(1 - away / home)
    assert loss.low < loss.value < loss.high
    assert "; fair: " in lossy.sentence


def test_caveats_stand_with_the_findings_the_gravest_first(found):
    of_caveats = [one for one in found if one.question == "caveat"]
    assert [one.weight for one in of_caveats] == sorted((one.weight for one in of_caveats), reverse=True)
    (few,) = (one for one in of_caveats if one.task == "home" and "query ids" in one.sentence and one.encoder is None)
    assert f"it has {N_IDS} query ids" in few.sentence
    (alone,) = (one for one in found if one.kind == "one_training")
    assert alone.sentence.startswith("one training each: fair, lossy;")


def test_levels_stand_beside_the_quality(run, found):
    (good,) = of(found, "quality", "fair")
    chance = [n for n in good.numbers if n.role == "chance"]
    known = {one.setting: one.value for one in levels(run, "fair", "home") if one.measure == "map"}
    assert [n.value for n in chance] == [known[n.setting] for n in chance]
    assert known["monolingual"] == pytest.approx(sum(1 / k for k in range(1, N_IDS + 1)) / N_IDS)
    for text in (good.sentence, good.short):
        assert "; chance .133, .133, " in text
    assert "[" not in good.short


def test_thresholds_decide(run):
    strict = findings(run, thresholds=Thresholds(language_gap=1.0, own_language=5.0, rank_distance=1.0))
    assert not [one for one in strict if one.kind in ("query_language", "passage_language", "rank_distance")]
    assert not of(strict, "own_language", "clannish")
    assert Thresholds().with_set(["language_gap=0.2"]) == replace(Thresholds(), language_gap=0.2)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("langage_gap=1", "no threshold 'langage_gap' (did you mean language_gap or own_language?)"),
        ("cut", "threshold cut: expected cut=NUMBER, nothing was given"),
        ("cut=much", "threshold cut: expected cut=NUMBER, got 'much'"),
        ("cut=2", "threshold cut: expected a number from 0 to 1, got 2.0"),
        ("token_ratio=nan", "threshold token_ratio: expected a number of at least 0, got nan"),
    ],
)
def test_a_wrong_threshold_is_one_sentence(text, said):
    with pytest.raises(UsageError) as error:
        Thresholds().with_set([text])
    assert said in str(error.value)


def test_the_page_has_every_threshold_and_kind():
    page = (Path(__file__).parents[3] / "docs" / "findings.md").read_text("utf-8")
    assert page.rstrip().endswith("\n".join(table()))
    assert set(kinds()) <= {word.strip("`,") for word in page.split()}
    named = {kind for one in fields(Thresholds) for kind in one.metadata["kinds"].split(", ")}
    assert named <= set(kinds())


def test_a_rule_is_one_file(tmp_path, monkeypatch):
    from xlbias.results.findings import _rules, rules

    (tmp_path / "zzz_new.py").write_text(
        "from xlbias.results.findings.finding import Finding, Destination\n"
        "KINDS = ('brand_new',)\n"
        "def found(context):\n"
        "    yield Finding('brand_new', 'good', 'it is new.', 9, Destination('overview', 'overview'))\n",
        "utf-8",
    )
    monkeypatch.setattr(rules, "__path__", [*rules.__path__, str(tmp_path)])
    _rules.cache_clear()
    try:
        assert "brand_new" in kinds()
    finally:
        monkeypatch.undo()
        _rules.cache_clear()


def test_the_same_whether_tests_were_kept_or_not(run, found):
    again = findings(open_run(run.path))
    assert as_json(again) == as_json(found)


@pytest.mark.parametrize("columns", [60, 80, 140])
def test_no_line_of_the_short_report_is_too_wide(run, columns):
    assert max(map(width, brief(run, columns).splitlines())) <= columns


def test_two_encoders_fit_one_screen(tmp_path):
    made = [Planted("a", 3.0, own=4.0, by_language={("q", "th"): 9.0}), Planted("b", 1.0, own=2.0)]
    two = evaluate(made, [task("home", "home", 20)], tmp_path / "run.parquet")
    text = brief(two, 80)
    assert len(findings(two)) > 8
    assert [len(brief(two, columns).splitlines()) <= 22 for columns in (70, 75, 80, 85, 90, 100, 120)] == [True] * 7
    lines = text.splitlines()
    assert [line.split()[0] for line in lines if line.startswith(("encoder", "a ", "b ", "chance"))] == [
        "encoder", "a", "b", "chance",
    ]  # fmt: skip
    assert "Real?" in text
    assert lines[-1].endswith("--full")
    whole = render_report([two], "text")
    assert whole.splitlines()[2] == "Findings"
    assert "chance, a random order of the same pools: mono " in whole


def test_a_finding_leads_to_a_section_that_there_is(found):
    assert {one.leads_to.section for one in found} <= {*SECTIONS, "matrix", "compare"}
    assert {one.leads_to.screen for one in found} <= set(SCREENS)


def test_of_what_goes_on_nothing_is_tested_and_it_is_said(tmp_path):
    live = LiveRun(tmp_path / "run.parquet", n_queries=20)
    live.write(live.languages[0])
    partial = findings(open_run(live.path))
    assert {one.kind for one in partial} <= {"quality", "caveat", "one_training"}
    assert any(one.sentence.startswith("partial: ") for one in partial)


def test_that_a_language_has_more_rivals_is_said_with_its_gap():
    gap = Gap("passage", "th", 0.1, 0.3, -0.2, -0.3, -0.1, 0.001, 30)
    task = TaskInfo("t", {}, {"de": 100, "en": 100, "th": 170})
    assert _pool(gap, task, 1.5) == "; th has 1.7 times as many passages as they have"
    assert _pool(gap, task, 2.0) == _pool(gap._replace(side="query"), task, 1.5) == ""


def test_what_takes_longest_comes_last_and_all_of_it_is_what_the_run_says(tmp_path):
    path = LiveRun(tmp_path / "run.parquet", n_queries=12).write_all().finish()
    (known, all_of_it), (found, whole) = findings_in_turn(open_run(path))
    assert (all_of_it, whole) == (False, True)
    assert found == findings(open_run(path))
    assert known == tuple(one for one in found if one.kind != "difference")
    assert len(known) < len(found)
    again = open_run(path)
    findings(again)
    assert [*findings_in_turn(again)] == [(found, True)]


def test_every_encoder_is_compared_with_the_only_one_of_another_run(tmp_path):
    run = LiveRun(tmp_path / "run.parquet", tasks=("xquad-r",), n_queries=12).write_all().finish()
    base = LiveRun(tmp_path / "base.parquet", models=("old",), tasks=("xquad-r",), n_queries=12).write_all().finish()
    found = findings(open_run(run), open_run(base))
    assert [(one.base, one.encoder) for one in found if one.kind == "difference"] == [
        ("old", "mono"),
        ("old", "hybrid"),
    ]
