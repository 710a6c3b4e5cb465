"""Exported values by query: their means are the numbers of the report."""

from collections.abc import Callable
from pathlib import Path

import polars as pl
import pyarrow.parquet as pq
import pytest
from conftest import REPOSITORY

import xlbias
from xlbias.data.task import RetrievalTask
from xlbias.errors import RunError, UsageError
from xlbias.export.values import COLUMNS
from xlbias.results.per_query import names_with_values
from xlbias.results.run import Run

pytestmark = pytest.mark.integration


@pytest.mark.parametrize("name", ["parallel", "judged"])
def test_their_means_are_the_numbers_of_cells_and_languages(
    name: str, run_of: Callable[[str], Run], tmp_path: Path
) -> None:
    run = run_of(name)
    n = xlbias.export_values(run, tmp_path / "values.parquet")
    rows = pl.read_parquet(tmp_path / "values.parquet")
    assert (rows.height, rows.columns) == (n, list(COLUMNS))
    keys = ["measure", "setting", "query_language", "passage_language"]
    means = rows.group_by(keys).agg(pl.col("value").mean().alias("mean"), n_values=pl.len())
    both = run.summary.join(means, on=keys, nulls_equal=True)
    assert both["measure"].n_unique() == rows["measure"].n_unique() >= 14
    assert set(rows["measure"]) <= set(names_with_values())
    assert both.height > 70
    assert both["n"].to_list() == both["n_values"].to_list()
    assert both["mean"].to_list() == pytest.approx(both["value"].to_list(), abs=1e-9)


def test_csv_holds_what_parquet_holds_gzipped_by_its_name(run_of: Callable[[str], Run], tmp_path: Path) -> None:
    run = run_of("judged")
    for name in ("values.parquet", "values.csv", "values.csv.gz"):
        xlbias.export_values(run, tmp_path / name, measures=["ndcg@10", "language_rank", "exposure@10"])
    rows = pl.read_parquet(tmp_path / "values.parquet")
    for name in ("values.csv", "values.csv.gz"):
        assert pl.read_csv(tmp_path / name, schema=rows.schema).equals(rows)
    assert (tmp_path / "values.csv").read_bytes().count(b"\n") == rows.height + 1


@pytest.mark.parametrize("ending", ["parquet", "csv"])
def test_censored_values_have_bounds_whose_means_are_those_of_the_report(
    ending: str, run_of: Callable[[str], Run], judged_task: RetrievalTask, tmp_path: Path
) -> None:
    xlbias.export_run(run_of("judged"), tmp_path / "deep.trec")
    first = [line for line in (tmp_path / "deep.trec").read_text().splitlines() if int(line.split()[3]) <= 12]
    (tmp_path / "cut.trec").write_text("\n".join(first) + "\n")
    cut = xlbias.import_run([tmp_path / "cut.trec"], judged_task, tmp_path / "cut.parquet")
    xlbias.export_values(cut, tmp_path / f"values.{ending}", measures=["map", "ndcg@10"])
    read = pl.read_parquet if ending == "parquet" else pl.read_csv
    rows = read(tmp_path / f"values.{ending}").filter(pl.col("setting") == "multilingual")
    assert rows.filter(pl.col("measure") == "ndcg@10")["least"].null_count() == rows.height / 2  # known to rank 12
    ended = rows.filter(pl.col("measure") == "map").with_columns(pl.col("least", "most").fill_null(pl.col("value")))
    assert rows["value"].null_count() == ended.filter(pl.col("least") < pl.col("most")).height > 10
    means = ended.group_by("query_language").agg(pl.col("least", "most").mean())
    cells = cut.summary.filter(
        (pl.col("measure") == "map") & (pl.col("setting") == "multilingual") & pl.col("query_language").is_not_null()
    )
    both = cells.join(means, on="query_language", suffix="_of_rows")
    assert both.height == 3
    for end in ("least", "most"):
        assert both[f"{end}_of_rows"].to_list() == pytest.approx(both[end].to_list(), abs=1e-9)


def test_columns_are_described_in_the_file_and_on_the_page(run_of: Callable[[str], Run], tmp_path: Path) -> None:
    xlbias.export_values(run_of("judged"), tmp_path / "values.parquet", measures=["map"])
    schema = pq.read_schema(tmp_path / "values.parquet")
    assert {field.name: field.metadata[b"description"].decode() for field in schema} == {
        name: text for name, (_, text) in COLUMNS.items()
    }
    table = "".join(f"| `{name}` | {text} |\n" for name, (_, text) in COLUMNS.items())
    assert f"| column | is |\n|---|---|\n{table}\n" in (REPOSITORY / "docs" / "export.md").read_text("utf-8")


def test_a_measure_without_values_by_query_and_a_name_that_is_not_there_are_refused(
    run_of: Callable[[str], Run], tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match=r"measure 'ndcg@1' \(did you mean ndcg@10"):
        xlbias.export_values(run_of("judged"), tmp_path / "values.csv", measures=["ndcg@1"])
    with pytest.raises(UsageError, match=r"measure 'kendall_w'.*has no values by query"):
        xlbias.export_values(run_of("judged"), tmp_path / "values.csv", measures=["kendall_w"])
    with pytest.raises(RunError, match="no encoder 'x'; choose from static-small"):
        xlbias.export_values(run_of("judged"), tmp_path / "values.csv", encoder="x")
    assert list(tmp_path.iterdir()) == []
