"""Printed numbers are read as they stand, and found for the task that is their dataset."""

import csv
from pathlib import Path

import polars as pl
import pytest

import xlbias.results.published
from xlbias.data.catalog import load_task
from xlbias.errors import UsageError
from xlbias.results.published import HOUSE_SAMPLERS, MEAN, dataset_of, published, rows_for, sources
from xlbias.runs.run_info import TaskInfo

FILE = Path(xlbias.results.published.__file__).with_name("published.csv")
ROY, HYBRID = "2004.05484", "2408.10536"
MEASURES = {"AP": "map", "R@1": "recall@1", "R@100": "recall@100", "nDCG@10": "ndcg@10"}
XQUAD_R = {
    "ar": 1222, "de": 1276, "el": 1234, "en": 1180, "es": 1215, "hi": 1244,
    "ru": 1219, "th": 852, "tr": 1167, "vi": 1209, "zh": 1196,
}  # fmt: skip


def task(name, pools=None, query_languages=None):
    """What a run says of a task, as far as it matters here."""
    pools = XQUAD_R if pools is None else pools
    return TaskInfo(name, dict.fromkeys(query_languages or pools, 1190), pools)


def everything():
    return pl.concat(published(source) for source in sources())


def test_every_row_of_the_file_is_there_as_printed():
    with FILE.open(encoding="utf-8", newline="") as file:
        printed = list(csv.DictReader(file))
    rows = everything().to_dicts()
    assert len(rows) == len(printed) == 788
    for row, line in zip(rows, printed, strict=True):
        value = float(line.pop("value"))
        line["measure"] = MEASURES.get(line["measure"], line["measure"])
        assert row == {**line, "value": value}


def test_columns_are_typed_and_values_in_range():
    rows = everything()
    assert rows.null_count().row(0) == (0,) * 9
    assert set(rows.drop("value").dtypes) == {pl.String}
    assert rows.schema["value"] == pl.Float64
    assert set(rows["measure"]) == {*MEASURES.values(), "rank_distance"}
    assert rows.filter(pl.col("measure") != "rank_distance")["value"].is_between(0.2, 1).all()
    assert rows.filter(measure="rank_distance")["value"].is_between(100, 1_000).all()
    assert set(rows["setting"]) == {"monolingual", "cross-lingual", "multilingual"}
    assert set(rows["sampler"]) == set(HOUSE_SAMPLERS)
    assert not rows.drop("value").is_duplicated().any()


def test_a_printed_mean_is_the_average_of_its_rows_but_for_one():
    key = ["table", "encoder", "dataset", "sampler", "setting", "measure"]
    rows = published(HYBRID)
    means = rows.filter(query_language=MEAN)
    averages = rows.filter(pl.col("query_language") != MEAN).group_by(key).agg(average=pl.col("value").mean())
    both = means.join(averages, on=key, validate="1:1")
    assert both.height == means.height == averages.height
    # The mean and each of its rows are rounded to half a unit of the last digit, so they may be a whole unit apart.
    unit = pl.when(measure="rank_distance").then(0.1).otherwise(0.0001)
    off = both.filter((pl.col("value") - pl.col("average")).abs() > unit)
    assert off.select(*key, "value", pl.col("average").round(4)).rows() == [
        ("5", "LaBSE", "XQuAD-R", "hybrid", "monolingual", "map", 0.8167, 0.8184)
    ]


def test_numbers_that_can_be_looked_up_in_the_papers():
    assert sources() == [HYBRID, ROY]
    rows = rows_for(HYBRID, task("xquad-r"))
    assert rows.columns == [
        *("encoder", "sampler", "setting", "query_language", "measure", "value", "table", "same_pools")
    ]
    means = rows.filter(encoder="XLM-R", query_language=MEAN, setting="multilingual")
    assert means.filter(measure="rank_distance").select("sampler", "value", "table").rows() == [
        ("X-X-mono", 410.2, "7"),
        ("X-Y", 295.4, "7"),
        ("hybrid", 286.6, "7"),
    ]
    assert means.filter(measure="map")["value"].to_list() == [0.5479, 0.5934, 0.5927]
    assert rows_for(ROY, task("xquad-r")).select("encoder", "sampler", "value").rows() == [
        ("mBERT", "En-En", 0.29),
        ("mBERT", "X-X", 0.23),
        ("mBERT", "X-X-mono", 0.52),
        ("mBERT", "X-Y", 0.66),
    ]


def test_what_cannot_be_recall_at_1_never_stands_beside_it():
    """With a relevant passage in each of 11 languages recall@1 is at most 1/11; the paper prints up to .5 under R@1."""
    printed = published(HYBRID).filter(measure="recall@1", setting="multilingual")
    assert printed.height == 36 and printed["value"].min() > 1 / 11
    beside = rows_for(HYBRID, task("xquad-r")).filter(measure="recall@1")
    assert set(beside["setting"]) == {"monolingual", "cross-lingual"}
    assert beside.height == 72


@pytest.mark.parametrize("source", ["2408.1053", "roy", ""])
def test_a_paper_that_is_not_there_is_one_sentence(source):
    with pytest.raises(UsageError, match=r"choose from 2408\.10536, 2004\.05484$") as caught:
        published(source)
    assert ("did you mean 2408.10536?" in str(caught.value)) == (source == "2408.1053")
    with pytest.raises(UsageError, match="no published results of"):
        rows_for(source, task("xquad-r"))


@pytest.mark.parametrize(
    ("name", "dataset"),
    [
        ("xquad-r", "XQuAD-R"),
        ("XQuAD_R", "XQuAD-R"),
        ("xquadr[languages=de,en]", "XQuAD-R"),
        ("xquad-r[split=test]", "XQuAD-R"),
        ("mlqa-r", "MLQA-R"),
        ("mlqa-dev-r", "MLQA-R"),  # as its folder is called
        ("MIRACL dev", "MIRACL-dev"),
        ("xquad", None),
        ("mlqa", None),  # question → paragraph
        ("miracl", None),
        ("my-xquad-r", None),
        ("builtin:money", None),
        ("", None),
    ],
)
def test_the_dataset_that_a_task_is(name, dataset):
    assert dataset_of(name) == dataset


@pytest.mark.parametrize(
    ("entry", "same"),
    [
        (task("xquad-r"), True),
        (task("XQuAD_R", dict(reversed(XQUAD_R.items()))), True),
        (task("xquadr[languages=de,en]", {"de": 1276, "en": 1180}), False),
        (task("xquad-r", query_languages=["en"]), False),
        (task("xquad-r", dict.fromkeys(XQUAD_R, 240)), False),  # squad:xquad-r: the pools are paragraphs
        (task("xquad-r", {**XQUAD_R, "fr": 1_000}), False),
    ],
)
def test_pools_are_the_same_where_languages_and_sizes_are(entry, same):
    rows = rows_for(HYBRID, entry)
    assert rows.height == rows_for(HYBRID, task("xquad-r")).height > 0
    assert set(rows["same_pools"]) == {same}


def test_no_rows_for_another_dataset():
    for entry in (task("money"), task("miracl-dev")):
        rows = rows_for(ROY, entry)
        assert rows.is_empty()
        assert rows.schema == rows_for(ROY, task("xquad-r")).schema


def test_the_real_corpus_has_the_pools_of_the_papers(shared_data):
    for reader, same in (("lareqa", True), ("squad", False)):
        real = load_task(f"{reader}:{shared_data}/xquad-r")
        entry = task(real.name, real.pool_sizes, real.query_languages)
        assert set(rows_for(HYBRID, entry)["same_pools"]) == {same}
