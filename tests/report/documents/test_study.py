"""The report of a study, on a small one made of vectors: what is planted is found, what is not is called unclear."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from support import make_task, make_vectors

from xlbias.encode.precomputed import PrecomputedVectors
from xlbias.errors import RunError
from xlbias.evaluation import evaluate
from xlbias.measures.registry import measure_of
from xlbias.report.document import MatrixBlock, Table
from xlbias.report.documents.brief import brief
from xlbias.report.documents.study import power_document, study_document, study_report
from xlbias.report.render import render
from xlbias.results import documents
from xlbias.results.compare import Side, compare
from xlbias.results.documents import declared_units
from xlbias.results.findings import of_encoders, of_study
from xlbias.results.study.contrasts import contrasts
from xlbias.results.study.design import HEADLINES, Arm, read_study
from xlbias.results.study.drawn import uneven_languages
from xlbias.results.study.numbers import numbers, over_seeds, reference_numbers
from xlbias.results.study.questions import QUESTIONS, answers, least_by_seeds
from xlbias.results.study.shift import home_and_away, robustness
from xlbias.results.summary import OVERALL
from xlbias.results.written import number, signed_text
from xlbias.stats.multiplicity import holm

pytestmark = pytest.mark.integration

PLAN = {
    "title": "A small study",
    "samplers": ["mono", "cross", "hybrid"],
    "alphas": [0.5],
    "seeds": [0, 1, 2],
    "sources": {"here": ["a"], "there": ["b"]},
    "targets": {"home": "a", "away": "b"},
    "in_domain": {"home": "here", "away": "there"},
    "baseline": "mono",
}
LANGUAGES = ["ar", "de", "hi", "zh"]
GAIN = {("mono", None): 0.0, ("hybrid", 0.5): 0.1, ("cross", None): 2.0}


def made_tasks():
    """A task whose documents hold two ids each, and one without documents."""
    home, away = (make_task(n, name).select_languages(LANGUAGES) for n, name in ((40, "home"), (30, "away")))
    document = pl.format("d{}", pl.col("passage_id").str.slice(-4).cast(pl.Int64) // 2)  # ar-q0017: document 8
    return [home.changed(passages=home.passages.with_columns(document.alias("document"))), away]


def vectors_of(tasks, source: str, sampler: str, alpha: float | None, seed: int):
    """Vectors of both tasks: the same for every arm, but passages move to their queries of all languages, at home."""
    found = {}
    for i, task in enumerate(tasks):
        base = make_vectors(task, seed=10 + i)
        rng = np.random.default_rng(seed)
        noise = 0.01 * rng.standard_normal(base.passages.shape).astype(np.float32)
        gain = GAIN[sampler, alpha] if (source == "here") == (task.name == "home") else 0.0
        n_ids = len(base.queries) // len(LANGUAGES)  # rows are by id, then by language
        meant = base.queries.reshape(n_ids, len(LANGUAGES), -1).mean(axis=1).repeat(len(LANGUAGES), axis=0)
        found[task.name] = (base.queries, base.passages + noise + np.float32(gain) * meant)
    return found


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    tasks = made_tasks()
    models = {}
    for source in PLAN["sources"]:
        for sampler, alpha in GAIN:
            for seed in PLAN["seeds"]:
                arm = sampler if alpha is None else f"{sampler}-alpha{alpha:g}"
                models[f"{source}-{arm}-seed{seed}"] = vectors_of(tasks, source, sampler, alpha, seed)
    runs = [
        evaluate(
            [PrecomputedVectors(*found[task.name], name) for name, found in models.items()],
            task,
            tmp_path_factory.mktemp("study") / f"{task.name}.parquet",
        )
        for task in tasks
    ]
    metadata = {**runs[0].metadata, "tasks": [run.metadata["tasks"][0] for run in runs], "study": PLAN}
    return replace(runs[0], metadata=metadata, files=(*runs[0].files, *runs[1].files))


@pytest.fixture(scope="module")
def study(run):
    return read_study(run)


@pytest.fixture(scope="module")
def found(run, study):
    return contrasts(run, study)


@pytest.fixture(scope="module")
def document(run):
    return study_document(run)


def table_of(document, title):
    blocks = (block for section in document.sections for block in section.blocks)
    return next(block for block in blocks if isinstance(block, Table) and block.title == title)


def one(frame: pl.DataFrame, **names):
    return frame.row(by_predicate=pl.all_horizontal(pl.col(k) == v for k, v in names.items()), named=True)


def test_the_design_is_read_from_the_run(study):
    assert [arm.label for arm in study.arms] == ["mono", "hybrid α=0.5", "cross"]  # by their share of mono batches
    assert study.baseline == Arm("mono")
    assert study.of("here", Arm("hybrid", 0.5)) == tuple(f"here-hybrid-alpha0.5-seed{n}" for n in range(3))
    assert len(study.members) == 2 * 3 * 3


def test_a_run_that_is_no_study_says_so(run):
    metadata = {name: value for name, value in run.metadata.items() if name != "study"}
    with pytest.raises(RunError, match="not a study run"):
        read_study(replace(run, metadata=metadata))


def test_encoders_that_are_not_there_yet_are_left_out(run):
    less = replace(run, metadata={**run.metadata, "models": run.metadata["models"][:4]})
    study = read_study(less)
    assert len(study.members) == 4
    assert "4 of 18 encoders" in render(study_document(less), "text")


@pytest.mark.parametrize("n_encoders", [1, 3])
def test_a_study_of_one_sampler_has_a_report_without_comparisons(run, n_encoders):
    plan = {**PLAN, "samplers": ["mono"], "sources": {"here": ["a"]}, "in_domain": {"home": "here"}}
    models = [model for model in run.metadata["models"] if model["name"].startswith("here-mono")][:n_encoders]
    less = replace(run, metadata={**run.metadata, "models": models, "study": plan})
    text = study_report(less)
    assert f"{n_encoders}" in text and "encoders: samplers mono" in text
    assert "there is nothing to compare" in text
    row = next(line for line in text.splitlines() if line.startswith("| mono |"))
    names = [model["name"] for model in models]
    mean = run.settings.filter((pl.col("setting") == "multilingual") & pl.col("model").is_in(names))["map"].mean()
    assert row.split(" | ")[3].startswith(f"{mean:.3f}".lstrip("0"))
    with pytest.raises(RunError, match="has no encoder yet"):
        study_report(replace(less, metadata={**less.metadata, "models": []}))


def test_caveats_stand_in_the_report_of_a_study(run):
    trained = {"sources": [{"name": "home", "fingerprint": run.tasks[0].fingerprint}]}
    first, *rest = run.metadata["models"]
    leaky = replace(run, metadata={**run.metadata, "models": [{**first, "card": trained}, *rest]})
    assert f"{first['name']} on home**: was trained on this task itself" in study_report(leaky).replace("\\", "")


def test_numbers_are_those_of_the_summary(run, study):
    row = one(
        numbers(run, study), source="here", arm="cross", seed=1, target="home", measure="map", setting="multilingual"
    )
    settings = run.settings.filter((pl.col("model") == "here-cross-seed1") & (pl.col("task") == "home"))
    assert row["value"] == settings.filter(pl.col("setting") == "multilingual")["map"][0]


def test_what_was_planted_is_better_and_what_was_not_is_unclear(found):
    planted = one(found, source="here", target="home", base="mono", new="cross", measure="map", setting="cross-lingual")
    assert planted["verdict"] == "better"
    assert planted["p_corrected"] < 0.05
    assert planted["low"] > 0 and planted["n_seeds"] == 3
    nothing = one(found, source="here", target="away", base="mono", new="cross", measure="map", setting="cross-lingual")
    assert nothing["verdict"] == "unclear"
    assert nothing["difference"] == 0.0  # the very same vectors, so the very same ranks


def test_hybrid_is_compared_with_both_ends_and_cross_with_the_baseline(found):
    pairs = set(found.select("base", "new").iter_rows())
    assert pairs == {("mono", "hybrid α=0.5"), ("mono", "cross"), ("cross", "hybrid α=0.5")}
    against_cross = one(
        found, source="there", target="away", base="cross", new="hybrid α=0.5", measure="map", setting="cross-lingual"
    )
    assert against_cross["verdict"] == "worse"


def test_corrections_are_over_all_rows_of_a_measure(found):
    rows = found.filter((pl.col("measure") == "map") & (pl.col("setting") == "multilingual"))
    assert rows.height == 2 * 2 * 3
    smallest = rows.sort("p").row(0, named=True)
    assert smallest["p_corrected"] == pytest.approx(min(1.0, smallest["p"] * rows.height))


def test_primary_contrasts_are_the_family_and_nothing_else_is_tested(run, found):
    chosen = {"base": "mono", "new": "hybrid-alpha0.5", "measure": "map", "setting": "cross-lingual"}
    planned = replace(run, metadata={**run.metadata, "study": {**PLAN, "primary": [chosen]}})
    study = read_study(planned)
    again = contrasts(planned, study)
    is_primary = (pl.col("base") == "mono") & (pl.col("new") == "hybrid α=0.5") & (pl.col("measure") == "map")
    is_primary &= pl.col("setting") == "cross-lingual"
    primary = again.filter(is_primary)
    assert primary.height == 4
    assert primary["p"].to_list() == found.filter(is_primary)["p"].to_list()
    assert primary["p_corrected"].to_list() == pytest.approx(holm(primary["p"].to_numpy()).tolist())
    assert set(again.filter(~is_primary)["verdict"]) == {"untested"}
    assert again.filter(~is_primary)["p_corrected"].null_count() == again.height - 4
    text = study_report(planned)
    assert "not tested" in text and "the primary contrasts of the plan" in text
    nothing = read_study(replace(run, metadata={**run.metadata, "study": {**PLAN, "primary": None, "in_domain": None}}))
    assert (nothing.primary, nothing.in_domain) == ((), {})
    wrong = {**PLAN, "primary": [{**chosen, "base": "mona"}]}
    with pytest.raises(RunError, match="'mona'"):
        read_study(replace(run, metadata={**run.metadata, "study": wrong}))


def test_with_one_seed_nothing_is_confirmed(run):
    plan = {**PLAN, "seeds": [1]}
    models = [model for model in run.metadata["models"] if model["name"].endswith("seed1")]
    less = replace(run, metadata={**run.metadata, "models": models, "study": plan})
    found = contrasts(less, read_study(less))
    assert set(found["verdict"]) == {"unclear"}
    assert found["p"].null_count() == found.height
    assert found["difference"].null_count() == 0


def test_robustness_by_hand(run, study):
    values = numbers(run, study)
    drops = robustness(values, study)

    def value(source, target, seed):
        key = {"arm": "cross", "measure": "map", "setting": "multilingual"}
        return one(values, source=source, target=target, seed=seed, **key)["value"]

    of_seeds = []
    for seed in range(3):
        home, away = value("here", "home", seed), value("there", "away", seed)
        of_seeds.append(
            np.mean([(home - value("there", "home", seed)) / home, (away - value("here", "away", seed)) / away])
        )
    row = one(drops, arm="cross", measure="map", setting="multilingual")
    assert row["drop"] == pytest.approx(np.mean(of_seeds))
    half = 4.302653 * np.std(of_seeds, ddof=1) / np.sqrt(3)  # Student's t of 2 degrees of freedom
    assert (row["low"], row["high"]) == pytest.approx((row["drop"] - half, row["drop"] + half), rel=1e-5)
    assert (row["n_seeds"], row["n_pairs"]) == (3, 2)
    assert row["drop"] > one(drops, arm="mono", measure="map", setting="multilingual")["drop"]


def test_a_mean_over_seeds_has_its_interval(run, study):
    seeds = numbers(run, study).filter((pl.col("source") == "here") & (pl.col("target") == "home"))
    row = one(over_seeds(seeds), arm="cross", measure="map", setting="monolingual")
    three = seeds.filter(
        (pl.col("arm") == "cross") & (pl.col("measure") == "map") & (pl.col("setting") == "monolingual")
    )
    assert row["mean"] == pytest.approx(three["value"].mean())
    assert row["low"] < row["mean"] < row["high"]


def test_the_document_counts_the_verdicts(document):
    table = table_of(document, "In how many pairs of source and target")
    row = next(r for r in table.rows if (r[0].text, r[1].text) == ("cross against mono", "mAP cross"))
    assert [cell.value for cell in row[2:5]] == [2.0, 0.0, 2.0]
    grids = [block for section in document.sections for block in section.blocks if isinstance(block, MatrixBlock)]
    assert all(grid.rows == ("here", "there") and grid.columns == ("home", "away") for grid in grids)


@pytest.mark.parametrize("form", ["text", "markdown", "latex", "html"])
def test_every_format_has_the_same_numbers(document, form):
    text = render(document, form, to_file=True)
    table = table_of(document, "In how many pairs of source and target")
    for row in table.rows:
        for cell in row[2:5]:
            assert cell.text in text
    assert "A small study" in text


def test_the_report_of_a_study_is_markdown(run):
    assert study_report(run).startswith("# A small study")


def with_cards(run, pairs_of, **plan):
    """The same run with the languages that each encoder was trained on, and more in its plan."""
    models = [
        {**model, "card": {"sampler": "mono", "batches": {"pairs": pairs_of(model["name"])}}}
        for model in run.metadata["models"]
    ]
    return replace(run, metadata={**run.metadata, "models": models, "study": {**PLAN, **plan}})


@pytest.mark.parametrize(("source", "target", "unit", "n_units"), [
    ("there", "away", "id", 30), ("here", "home", "document", 20),
])  # fmt: skip
def test_a_pair_is_compared_as_compare_does_by_documents_where_there_are_some(
    run, found, source, target, unit, n_units
):
    sides = [Side(run, tuple(f"{source}-{arm}-seed{seed}" for seed in range(3))) for arm in ("mono", "cross")]
    frame = compare(*sides, target, cells=False, unit=unit)
    for measure, setting in HEADLINES:
        row = frame.row(
            by_predicate=(pl.col("measure") == measure) & pl.col("setting").eq_missing(pl.lit(setting))
            & pl.col("query_language").is_null(), named=True,
        )  # fmt: skip
        ours = found.row(
            by_predicate=(pl.col("measure") == measure) & pl.col("setting").eq_missing(pl.lit(setting))
            & (pl.col("source") == source) & (pl.col("target") == target) & (pl.col("base") == "mono")
            & (pl.col("new") == "cross"), named=True,
        )  # fmt: skip
        assert ours["n_units"] == row["n_units"] == n_units
        for name in ("difference", "low", "high", "p"):
            assert ours[name] == pytest.approx(row[name], abs=1e-12), (measure, name)


def test_what_is_drawn_stands_in_the_report(run, document):
    text = render(document, "text").replace("\n", " ")
    assert "documents where a target names them" in text and "home 20 for 40 ids; query ids on away" in text
    of_ids = declared_units(run, "home", "here-mono-seed0")
    assert {of_ids[f"q{i:04d}"] == of_ids[f"q{i + 1:04d}"] for i in range(0, 40, 2)} == {True}
    assert declared_units(run, "away", "here-mono-seed0") is None


@pytest.mark.parametrize("ids_of_a_document", [1, 5])
def test_documents_that_are_the_ids_or_too_few_are_no_units(run, monkeypatch, ids_of_a_document):
    monkeypatch.setattr(documents, "documents_of_ids", lambda *_: {f"q{i}": i // ids_of_a_document for i in range(40)})
    assert declared_units(run, "home", "here-mono-seed0") is None


@pytest.fixture(scope="module")
def asked(run, study):
    return answers(run, study)


@pytest.mark.parametrize(
    "headline", [("map", "multilingual"), ("queries.parallel_accuracy", None), ("single_gold.gap", "multilingual")]
)
def test_the_questions_are_means_over_pairs_at_home_and_away(run, study, asked, headline):
    values = numbers(run, study).filter(
        (pl.col("measure") == headline[0]) & pl.col("setting").eq_missing(pl.lit(headline[1]))
    )

    def gain(source, target):
        means = [
            values.filter((pl.col("source") == source) & (pl.col("target") == target) & (pl.col("arm") == arm))["value"]
            for arm in ("mono", "cross")
        ]
        return means[1].mean() - means[0].mean()

    home = [gain("here", "home"), gain("there", "away")]
    away = [gain("there", "home"), gain("here", "away")]
    expected = {"home": np.mean(home), "away": np.mean(away), "lost": np.mean(home) - np.mean(away)}
    for over, value in expected.items():
        row = asked.row(
            by_predicate=(pl.col("over") == over) & (pl.col("base") == "mono") & (pl.col("new") == "cross")
            & (pl.col("measure") == headline[0]) & pl.col("setting").eq_missing(pl.lit(headline[1])), named=True,
        )  # fmt: skip
        assert row["difference"] == pytest.approx(value, abs=1e-12), over
        assert row["low"] <= row["difference"] <= row["high"]  # queries are the same for all: their alignment is too
        assert row["least"] >= 0 and (row["least"] > 0 or headline[0].startswith("queries"))


def test_a_gain_at_home_alone_is_better_at_home_and_lost_away(asked):
    key = {"base": "mono", "new": "cross", "measure": "map", "setting": "multilingual"}
    assert {over: one(asked, over=over, **key)["verdict"] for over in QUESTIONS} == {
        "home": "better", "away": "unclear", "lost": "better",
    }  # fmt: skip


def test_of_what_is_lost_the_report_says_so(document):
    table = table_of(document, "Difference lost away from home")
    row = next(r for r in table.rows if (r[0].text, r[1].text) == ("cross against mono", "mAP multi"))
    assert row[3].text == "lost"


def test_cells_of_trained_languages_are_those_of_a_task_with_these_languages(run, study):
    taught = ("ar", "de")
    planned = with_cards(run, lambda _: {one: dict.fromkeys(taught, 5) for one in taught})
    found = contrasts(planned, read_study(planned))
    trained = found.filter((pl.col("cells") == "trained") & (pl.col("base") == "mono") & (pl.col("new") == "cross"))
    assert set(trained["measure"]) == {"map", "rank_distance.normalised", "single_gold.gap", "rank_consistency"}
    cells = run.summary.filter(
        (pl.col("measure") == "map") & pl.col("query_language").is_in(taught) & pl.col("passage_language").is_in(taught)
        & (pl.col("query_language") != pl.col("passage_language")) & (pl.col("task") == "away")
    )  # fmt: skip
    means = [
        np.mean([cells.filter(pl.col("model") == f"there-{arm}-seed{seed}")["value"].mean() for seed in range(3)])
        for arm in ("mono", "cross")
    ]
    row = one(trained, source="there", target="away", measure="map", setting="cross-lingual")
    assert row["difference"] == pytest.approx(means[1] - means[0], abs=1e-12)
    assert "(trained languages)" in study_report(planned)
    everything = with_cards(run, lambda _: {one: dict.fromkeys(LANGUAGES, 5) for one in LANGUAGES})
    assert set(contrasts(everything, read_study(everything))["cells"]) == {"all"}


def test_samplers_that_drew_other_languages_are_told_of(run):
    even = with_cards(run, lambda _: {one: {one: 10} for one in LANGUAGES})
    assert uneven_languages(even, read_study(even)) == []
    uneven = with_cards(run, lambda name: {"ar": {"ar": 30 if "mono" in name else 10}, "de": {"de": 10}})
    found = uneven_languages(uneven, read_study(uneven))
    assert [(one.source, one.language, round(one.share, 2), round(one.other_share, 2)) for one in found] == [
        ("here", "ar", 0.75, 0.5), ("there", "ar", 0.75, 0.5),
    ]  # fmt: skip
    text = study_report(uneven)
    assert "did not draw the same languages" in text and "mono drew 75% of its queries in ar" in text
    assert "All else" not in text


def test_questions_are_a_family_and_a_difference_within_the_margin_is_equal(run):
    chosen = {"base": "mono", "new": "cross", "measure": "map", "setting": "multilingual"}
    primary = [{**chosen, "over": "home"}, {**chosen, "over": "away", "margin": 0.2}, {**chosen, "margin": 0.2}]
    planned = with_cards(run, lambda _: {}, primary=primary)
    study = read_study(planned)
    found = answers(planned, study)
    tested = found.filter(pl.col("verdict") != "untested")
    assert tested.select("over", "verdict").rows() == [("home", "better"), ("away", "equal")]
    assert tested["p_corrected"].to_list() == pytest.approx(holm(tested["p"].to_numpy()).tolist())
    pairs = contrasts(planned, study).filter(pl.col("verdict") != "untested")
    assert {(row["source"], row["target"]): row["verdict"] for row in pairs.iter_rows(named=True)} == {
        ("here", "home"): "better", ("here", "away"): "equal", ("there", "home"): "equal", ("there", "away"): "better",
    }  # fmt: skip
    assert "equal" in study_report(planned)


def test_power_with_the_same_seeds_is_what_the_report_says_and_falls_with_more(run, study, asked):
    chosen = {"over": "home", "base": "mono", "new": "cross", "measure": "map", "setting": "multilingual"}
    family = asked.filter((pl.col("measure") == "map") & (pl.col("setting") == "multilingual")).height
    found = least_by_seeds(run, study, (2, 3, 30), family)
    least = [one(found, **chosen, n_seeds=n)["least"] for n in (2, 3, 30)]
    assert least[1] == pytest.approx(one(asked, **chosen)["least"])
    assert least[0] > least[1] > least[2]
    text = render(power_document(run, (3, 8), family), "text")
    assert "8 seeds" in text and "mAP multi at home" in text


@pytest.fixture(scope="module")
def referenced(run, tmp_path_factory):
    """The same study with the encoder that all began as: the vectors before anything was moved."""
    tasks = made_tasks()
    found = {task.name: make_vectors(task, seed=10 + i) for i, task in enumerate(tasks)}
    runs = [
        evaluate(
            [PrecomputedVectors(found[task.name].queries, found[task.name].passages, "untrained")],
            task,
            tmp_path_factory.mktemp("untrained") / f"{task.name}.parquet",
        )
        for task in tasks
    ]
    metadata = {
        **run.metadata,
        "models": [*run.metadata["models"], *runs[0].metadata["models"]],
        "study": {**PLAN, "reference": True},
    }
    return replace(run, metadata=metadata, files=(*run.files, *(file for one in runs for file in one.files)))


def test_findings_stand_at_the_head_and_are_the_primary_contrasts_in_the_order_of_the_plan(run):
    at = {"base": "mono", "new": "cross", "measure": "map", "setting": "multilingual"}
    primary = [{**at, "over": "away", "margin": 0.2}, {**at, "over": "home"}, {**at, "over": "lost", "margin": 0.99}]
    planned = with_cards(run, lambda _: {}, primary=primary)
    study = read_study(planned)
    asked = answers(planned, study)
    assert answers(planned, study, only_planned=True).equals(asked.filter(pl.col("verdict") != "untested"))
    found = of_study(planned, asked)
    assert [(one.encoder, one.base, one.numbers[0].role) for one in found] == [
        ("cross", "mono", "away"), ("cross", "mono", "home"), ("cross", "mono", "lost"),
    ]  # fmt: skip
    assert found[0].sentence.endswith("equal, as it is sure to lie within the margin of the plan.")
    assert found[1].sentence.startswith("mAP multi +")
    assert found[1].sentence.endswith("confirmed, better.")
    assert found[2].concern and not found[1].concern
    assert found[2].sentence.endswith("confirmed, the gain is lost, but sure to lie within the margin of the plan.")
    document = study_document(planned)
    assert document.sections[0].title == "Findings"
    verdicts = [row[3].text for row in table_of(document, "Difference lost away from home").rows]
    assert verdicts.count("lost (within the margin)") == 1
    assert "cross against mono" in study_report(planned).split("## What was done")[0]


def test_every_sampler_is_compared_with_the_encoder_that_all_began_as(referenced):
    study = read_study(referenced)
    assert study.reference == "untrained" and study.n_planned == 18
    found = contrasts(referenced, study)
    cross = {"base": "untrained", "new": "cross", "measure": "map", "setting": "cross-lingual"}
    assert one(found, **cross, source="here", target="home")["verdict"] == "better"
    assert one(found, **cross, source="here", target="away")["verdict"] == "unclear"
    asked = answers(referenced, study)
    assert one(asked, **cross, over="home")["verdict"] == "better"
    assert one(asked, **cross, over="home")["n_seeds"] == 3
    # what is lost of the gain over one fixed encoder is what is lost of the number itself
    values = numbers(referenced, study)
    drop = one(robustness(values, study), measure="map", setting="cross-lingual", arm="cross")["lost"]
    assert one(asked, **cross, over="lost")["difference"] == pytest.approx(drop)


def test_before_and_after_training_by_hand(referenced):
    study = read_study(referenced)
    values, reference = numbers(referenced, study), reference_numbers(referenced, study)
    found = home_and_away(values, reference, study)
    at = {"over": "home", "measure": "map", "setting": "cross-lingual"}
    overall = referenced.summary.filter(OVERALL & (pl.col("measure") == "map") & (pl.col("setting") == "cross-lingual"))
    of_model = {(m, t): v for m, t, v in overall.select("model", "task", "value").iter_rows()}
    untrained = one(found, **at, arm="untrained")
    assert untrained["mean"] == pytest.approx((of_model["untrained", "home"] + of_model["untrained", "away"]) / 2)
    assert (untrained["low"], untrained["n_seeds"]) == (None, 1)
    of_seeds = [
        (of_model[f"here-mono-seed{n}", "home"] + of_model[f"there-mono-seed{n}", "away"]) / 2 for n in range(3)
    ]
    assert one(found, **at, arm="mono")["mean"] == pytest.approx(np.mean(of_seeds))
    away = (("here", "away"), ("there", "home"))
    assert one(found, **{**at, "over": "away"}, arm="mono")["mean"] == pytest.approx(
        np.mean([of_model[f"{s}-mono-seed{n}", t] for s, t in away for n in range(3)])
    )
    text = study_report(referenced)
    assert "and the untrained one that they began as" in text and "### Before and after training, at home" in text
    assert "untrained" not in study_report(replace(referenced, metadata={**referenced.metadata, "study": PLAN}))


def test_the_short_report_has_a_row_of_the_encoder_that_all_began_as(referenced):
    rows = [line.split() for line in brief(referenced, 100).splitlines() if line.startswith("untrained")]
    assert [row[1] for row in rows] in (["home", "away"], ["here", "there"])
    untrained = reference_numbers(referenced, read_study(referenced))
    value = one(untrained, target="home", measure="map", setting="cross-lingual")["value"]
    assert rows[0][1] != "home" or rows[0][3] == number(value)


def test_behind_the_report_nothing_is_said_of_samplers_again(run, monkeypatch):
    planned = with_cards(run, lambda _: {}, primary=[{"base": "mono", "new": "cross", "measure": "map",
                                                      "setting": "multilingual", "over": "home"}])  # fmt: skip
    monkeypatch.setattr("xlbias.results.study.questions.answers", lambda *_, **__: pytest.fail("answered again"))
    kinds = {found.kind for found in of_encoders(planned)}
    assert "sampler" not in kinds and kinds


def test_with_fewer_seeds_of_a_sampler_the_design_says_how_many(run):
    fewer = {**run.metadata["study"], "fewer_seeds": {"cross": 2}}
    models = [model for model in run.metadata["models"] if "cross-seed2" not in model["name"]]
    some = replace(run, metadata={**run.metadata, "study": fewer, "models": models})
    assert read_study(some).n_planned == 16
    text = study_report(some)
    assert "16 encoders: " in text and "seeds of each source: mono 3, hybrid α=0.5 3, cross 2" in text


def test_the_short_report_says_first_what_the_samplers_changed(run, study):
    text = brief(run, 80)
    shown = text.splitlines()
    assert len(shown) <= 22
    assert shown[1].startswith("Real?      ")
    assert "seed0" not in text
    first = of_study(run, answers(run, study))[0]
    assert first.sentence[:20] in " ".join(text.split())
    heads = next(line.split() for line in shown if line.startswith("sampler"))
    assert heads[:3] == ["sampler", "target", "mono"]


def test_without_tests_the_short_report_has_the_means_that_the_tests_are_of(run, study, monkeypatch):
    monkeypatch.setattr("xlbias.report.documents.study_brief.of_samplers", lambda run: ())
    text = brief(run, 80)
    said = " ".join(text.split())
    tested = answers(run, study).filter(
        (pl.col("measure") == "map") & (pl.col("setting") == "cross-lingual") & (pl.col("base") == "mono")
    )
    of_new = {(row["new"], row["over"]): row["difference"] for row in tested.iter_rows(named=True)}
    for new in ("hybrid α=0.5", "cross"):
        home, away = (signed_text(of_new[new, over], measure_of("map")) for over in ("home", "away"))
        assert f"{new} {home} at home, {away} away (" in said
    assert "tests: report.md" in said
    means = over_seeds(numbers(run, study)).filter(
        (pl.col("measure") == "map") & (pl.col("setting") == "cross-lingual") & (pl.col("arm") == "cross")
    )
    value = number(means.filter(pl.col("target") == "home")["mean"].mean())
    (row,) = (line.split() for line in text.splitlines() if line.startswith("cross") and " home " in line)
    assert row[3] == value
    assert len(text.splitlines()) <= 22


def test_a_study_with_one_training_each_says_so_in_its_short_report(run):
    one_seed = replace(run, metadata={**run.metadata, "study": {**PLAN, "seeds": [0]}})
    assert "But        one training each: not confirmed" in brief(one_seed, 80)


def test_a_study_of_one_sampler_has_the_short_report_of_any_run(run):
    alone = replace(run, metadata={**run.metadata, "study": {**PLAN, "samplers": ["mono"]}})
    assert "here-mono-seed0" in brief(alone, 80)
