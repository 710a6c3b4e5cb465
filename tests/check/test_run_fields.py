"""The numbers of a run as fields of requirements: names, languages, and that they are the very rows of its summary."""

import polars as pl
import pytest
from support import LANGUAGES, make_task, make_vectors

from xlbias.check.requirement import parse
from xlbias.check.run_fields import AmbiguousFieldError, RunFields
from xlbias.errors import RunError, UsageError
from xlbias.evaluation import evaluate

pytestmark = pytest.mark.integration

PAIRS = {(a, b) for a in LANGUAGES for b in LANGUAGES}


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    task = make_task(12)
    models = [make_vectors(task, seed) for seed in (0, 1)]
    return evaluate(models, task, tmp_path_factory.mktemp("runs") / "run.parquet")


@pytest.fixture(scope="module")
def fields(run):
    return RunFields(run, "random0", "made")


def value(run, model="random0", column="value", **where):
    chosen = run.summary.filter(model=model, task="made")
    for name in ("setting", "query_language", "passage_language"):
        wanted = where.get(name)
        chosen = chosen.filter(pl.col(name).is_null() if wanted is None else pl.col(name) == wanted)
    return chosen.filter(measure=where["measure"])[column].item()


def test_the_average_of_a_setting_with_its_interval_and_its_counts(run, fields):
    where = {"measure": "map", "setting": "cross-lingual"}
    for end, column in (("", "value"), (".low", "low"), (".high", "high"), (".n", "n"), (".n_excluded", "n_excluded")):
        found = fields.lookup(f"map.cross_lingual{end}", 0)
        assert found == {(): value(run, column=column, **where)}
    low, high = (fields.lookup(f"map.cross_lingual.{end}", 0)[()] for end in ("low", "high"))
    assert low < fields.lookup("map.cross_lingual", 0)[()] < high


def test_cells_by_query_language_and_pool(run, fields):
    cells = fields.lookup("map", 2)
    assert set(cells) == PAIRS | {(language, "multilingual") for language in LANGUAGES}
    expected = {(c["query_language"], c["pool"]): c["map"] for c in run.cells.filter(model="random0").to_dicts()}
    assert cells == expected


def test_the_cells_of_one_setting(fields):
    cells = fields.lookup("map", 2)
    assert fields.lookup("map.monolingual", 1) == {(a,): cells[a, a] for a in LANGUAGES}
    assert fields.lookup("map.multilingual", 1) == {(a,): cells[a, "multilingual"] for a in LANGUAGES}
    assert fields.lookup("map.cross_lingual", 2) == {(a, b): cells[a, b] for a, b in PAIRS if a != b}


def test_a_measure_of_bias_with_and_without_its_setting(run, fields):
    overall = value(run, measure="rank_distance", setting="multilingual")
    assert fields.lookup("rank_distance", 0) == fields.lookup("rank_distance.multilingual", 0) == {(): overall}
    by_language = fields.lookup("rank_distance.normalised", 1)
    assert by_language == fields.lookup("rank_distance.normalised.multilingual", 1)
    assert set(by_language) == {(language,) for language in LANGUAGES}
    assert "rank_distance.monolingual" not in fields.names()


def test_bias_by_answer_language(run, fields):
    measure = "exposure@10.ratio"
    assert set(fields.lookup(measure, 2)) == PAIRS
    where = {"measure": measure, "setting": "multilingual", "passage_language": "de"}
    assert fields.lookup(f"{measure}.by_answer", 1)[("de",)] == value(run, **where)
    assert fields.lookup(f"{measure}.by_answer.low", 1)[("de",)] == value(run, column="low", **where)
    assert fields.lookup(f"{measure}.own_language", 0) == {(): value(run, measure=measure, setting="own-language")}
    assert set(fields.lookup("language_rank.by_answer", 1)) == {(language,) for language in LANGUAGES}
    assert set(fields.lookup("single_gold", 2)) == PAIRS


def test_alignment_overall_by_language_and_by_pair_in_both_orders(run, fields):
    assert fields.lookup("passages.cka", 0) == {(): value(run, measure="passages.cka")}
    pairs = fields.lookup("passages.cka", 2)
    assert set(pairs) == {(a, b) for a, b in PAIRS if a != b}
    assert pairs["de", "en"] == pairs["en", "de"] is not None
    assert fields.lookup("passages.cka.n", 2)["en", "de"] == 12
    accuracy = fields.lookup("queries.parallel_accuracy", 2)
    for a, b in (("de", "en"), ("en", "de")):  # a directed measure: each order is its own
        where = {"measure": "queries.parallel_accuracy", "query_language": a, "passage_language": b}
        assert accuracy[a, b] == value(run, **where)
    assert set(fields.lookup("passages.uniformity", 1)) == {(language,) for language in LANGUAGES}


def test_every_row_of_the_summary_has_a_name(run, fields):
    rows = run.summary.filter(model="random0", task="made").drop_nulls("value")
    there = {v for name in fields.names() for count in range(3) for v in _table(fields, name, count).values()}
    assert set(rows["value"]) <= there


def test_every_name_has_values_and_can_be_written(fields):
    for name in fields.names():
        counts = [count for count in range(3) if _table(fields, name, count)]
        assert counts
        for count in counts:
            parse(f"count({name}{['', '[*]', '[*,*]'][count]}) >= 1").check(fields)


def _table(fields, name, count):
    try:
        return fields.lookup(name, count)
    except AmbiguousFieldError:
        return {}


def test_models_are_told_apart(run, fields):
    other = RunFields(run, "random1", "made")
    assert other.lookup("map.multilingual", 0) != fields.lookup("map.multilingual", 0)


@pytest.mark.parametrize("name", ["map", "recall@10", "map.low", "map.n"])
def test_a_measure_of_several_settings_is_ambiguous_and_the_error_tells_the_three(fields, name):
    base, _, end = name.partition(".")
    end = end and f".{end}"
    with pytest.raises(AmbiguousFieldError) as error:
        parse(f"{name} >= 0.1").check(fields)
    for setting in ("monolingual", "cross_lingual", "multilingual"):
        assert f"{base}.{setting}{end}" in str(error.value)
    assert f"{name}[*,*]" in str(error.value)


def test_an_ambiguous_measure_of_bias_tells_its_forms(fields):
    with pytest.raises(AmbiguousFieldError) as error:
        parse("exposure@10.ratio >= 0.1").check(fields)
    assert str(error.value) == (
        "exposure@10.ratio is several numbers: write exposure@10.ratio.own_language, exposure@10.ratio.other_language,"
        " exposure@10.ratio[*,*] or exposure@10.ratio.by_answer[*]"
    )


def test_with_one_setting_only_the_bare_name_is_that_one(tmp_path):
    task = make_task(4)
    run = evaluate(make_vectors(task), task, tmp_path / "run.parquet")
    vars(run)["summary"] = run.summary.filter(pl.col("setting") == "monolingual")
    fields = RunFields(run, "random0", "made")
    assert fields.lookup("map", 0) == fields.lookup("map.monolingual", 0) != {}


def test_a_run_without_intervals_has_undefined_ends_which_pass_nothing(tmp_path):
    task = make_task(4)
    run = evaluate(make_vectors(task), task, tmp_path / "run.parquet")
    vars(run)["summary"] = run.summary.with_columns(low=pl.lit(None, pl.Float64), high=pl.lit(None, pl.Float64))
    fields = RunFields(run, "random0", "made")
    assert parse("map.multilingual >= 0").check(fields).passed
    assert not parse("map.multilingual.low >= 0").check(fields).passed


def test_what_is_not_there_is_refused(run, fields):
    with pytest.raises(RunError, match="has no numbers of nobody on made"):
        RunFields(run, "nobody", "made")
    assert fields.lookup("nonsense", 0) == {}
    with pytest.raises(UsageError, match=r"did you mean map\.multilingual"):
        parse("map.multilingul > 0").check(fields)
    with pytest.raises(UsageError, match=r"write language_rank\.by_answer\[\*\]"):
        parse("language_rank.by_answer > 0").check(fields)
    with pytest.raises(UsageError, match="has no language 'xx'"):
        parse("map[xx,de] > 0").check(fields)
