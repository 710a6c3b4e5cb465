"""Benchmarks run, and what they claim of error rates holds, on a small scale."""

import importlib.util
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from support import make_task, make_vectors

from xlbias.evaluation import evaluate
from xlbias.results.run import open_run

pytestmark = pytest.mark.integration

BENCHMARKS = Path(__file__).parent.parent / "benchmarks"


@pytest.fixture(scope="module")
def significance():
    spec = importlib.util.spec_from_file_location("significance_benchmark", BENCHMARKS / "significance.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look for their module there
    yield spec.loader.exec_module(module) or module
    del sys.modules[spec.name]


def test_error_rates_are_as_claimed(significance, capsys):
    assert significance.main(["--quick", "--no-time"]) == 0
    printed = capsys.readouterr().out
    assert "0 not as claimed" in printed
    assert printed.count("\n### ") == 4
    plain = [line for line in printed.splitlines() if "plain: seeds uncorrected" in line]
    assert max(float(line.split("|")[2]) for line in plain) > 0.5  # what it would be without the correction


def test_a_rate_that_is_not_as_claimed_makes_it_fail(significance, monkeypatch, capsys):
    wrong = significance.Rate("half of them", np.arange(100) % 2 == 0, claim="<=")
    monkeypatch.setattr(significance, "SECTIONS", (("Wrong", lambda size: [wrong]),))
    assert significance.main(["--quick", "--no-time"]) == 1
    assert "1 not as claimed" in capsys.readouterr().out


def test_figures_of_real_runs_are_printed(significance, tmp_path, capsys):
    task = make_task(24)
    article = pl.col("passage_id").str.tail(4).str.slice(0, 3).alias("document")  # "de-q0012": two of ten questions
    documents = replace(task, passages=task.passages.with_columns(article))
    path = tmp_path / "run.parquet"
    evaluate([make_vectors(documents, seed, 8) for seed in range(4)], documents, path)
    assert significance.main(["--pair", str(path), "--seeds", str(path)]) == 0
    printed = capsys.readouterr().out
    rows = {line.split("|")[1].strip(): line.split("|")[2].strip() for line in printed.splitlines() if "|" in line}
    assert (rows["query id"], rows["paragraph"], rows["document"]) == ("24", "24", "3")
    assert printed.count("random") >= 2
    assert "over ids alone" in printed


def test_the_run_of_the_dashboard_s_benchmark_is_made_as_runs_are_now(tmp_path):
    spec = importlib.util.spec_from_file_location("dashboard_benchmark", BENCHMARKS / "dashboard.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.make_run(tmp_path / "run.parquet", n_ids=12)
    run = open_run(tmp_path / "run.parquet")
    assert run.rankings.collect().height == 2 * 20 * 21 * 12
    assert run.changed == ()


def test_every_row_of_the_table_runs_on_a_tiny_size(monkeypatch, tmp_path, capsys):
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    before = set(sys.modules)
    spec = importlib.util.spec_from_file_location("benchmarks_table", BENCHMARKS / "table.py")
    table = importlib.util.module_from_spec(spec)
    keep = tmp_path / "kept.jsonl"
    try:
        spec.loader.exec_module(table)
        assert table.main(["--tiny", "--keep", str(keep)]) == 0
        printed = capsys.readouterr().out
        monkeypatch.setattr(table, "import_module", lambda name: pytest.fail(f"{name} is measured again"))
        assert table.main(["--tiny", "--keep", str(keep)]) == 0
        assert capsys.readouterr().out == printed
    finally:
        for name in set(sys.modules) - before:
            if str(BENCHMARKS) in str(getattr(sys.modules[name], "__file__", "")):
                del sys.modules[name]
    rows = [line for line in printed.splitlines() if line.startswith("| ") and not line.startswith("| what")]
    assert set(table.ROWS) == {path.stem for path in (BENCHMARKS / "rows").glob("[!_]*.py")}
    assert len(rows) >= len(table.ROWS)
    assert "no goal missed" in printed  # sizes are tiny: nothing is claimed
    of_others = [line for line in rows if "sentence-transformers |" in line or "mteb |" in line]
    assert len(of_others) == 2
    for line in of_others:  # but what they find is what xlbias finds
        apart = line.partition("nDCG@10 at most ")[2].split()
        assert "not measured" in line or float(apart[0]) < 1e-5
