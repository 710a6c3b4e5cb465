"""A run file says what its columns mean: to Arrow, to DuckDB, and as docs/run-file.md prints it."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow.parquet as pq
import pytest
from conftest import REPOSITORY

import xlbias
from xlbias.runs.descriptions import COLUMNS_KEY, as_markdown, described, described_fields
from xlbias.runs.schema import COLUMNS, OF_RECORD, RECORDS

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("run") / "run.parquet"
    xlbias.evaluate("static-small", xlbias.load_task("builtin:calendar[split=test;languages=en,de]"), out=path)
    return path


def leaves(field: Any) -> Iterator[Any]:
    yield field
    if hasattr(field.type, "value_field"):
        for i in range(field.type.value_type.num_fields):
            yield from leaves(field.type.value_type.field(i))


def test_every_column_and_field_of_a_run_file_is_described_to_arrow(path: Path) -> None:
    schema = pq.read_schema(path)
    assert schema.names == list(COLUMNS)
    found = [leaf for field in schema for leaf in leaves(field)]
    assert len(found) > len(COLUMNS) + 12
    for leaf in found:
        assert len(leaf.metadata[b"description"]) > 8, leaf.name
    assert b"cells" in schema.field("value").metadata[b"description"]


def test_duckdb_reads_them_by_record(path: Path) -> None:
    duckdb = pytest.importorskip("duckdb")
    ((found,),) = duckdb.sql(
        f"SELECT decode(value) FROM parquet_kv_metadata('{path}') WHERE decode(key) = '{COLUMNS_KEY}'"
    ).fetchall()
    said = json.loads(found)
    assert list(said) == list(RECORDS)
    for record, about in said.items():
        assert [name for name in about["columns"] if "." not in name] == list(OF_RECORD[record])
        assert about["row"]


def test_every_field_of_a_struct_is_described() -> None:
    for name, dtype in COLUMNS.items():
        inner = getattr(dtype, "inner", None)
        names = [field.name for field in inner.fields] if isinstance(inner, pl.Struct) else []
        assert list(described_fields(name)) == names


@pytest.mark.parametrize("record", RECORDS)
def test_a_description_is_one_line_without_what_breaks_a_table(record: str) -> None:
    for column, text in described(record).items():
        assert text == text.strip().rstrip("."), column
        assert not {"\n", "|"} & set(text), column


def test_the_page_of_the_run_file_has_these_tables() -> None:
    page = (REPOSITORY / "docs" / "run-file.md").read_text("utf-8")
    assert as_markdown() in page, "renew it: python -c 'from xlbias.runs.descriptions import *; print(as_markdown())'"


def test_a_run_file_whose_columns_are_not_described_opens_as_before(path: Path, tmp_path: Path) -> None:
    plain = tmp_path / "plain.parquet"
    table = pq.read_table(path)
    bare = pl.from_arrow(table).to_arrow().schema.with_metadata({b"xlbias": table.schema.metadata[b"xlbias"]})
    pq.write_table(table.cast(bare), plain)
    assert COLUMNS_KEY.encode() not in pq.read_schema(plain).metadata
    assert xlbias.open_run(plain).summary.equals(xlbias.open_run(path).summary)
