"""Results for mteb: settings as splits and cells as subsets, so that mteb's means are those of the report."""

import json
import math
from collections.abc import Callable
from pathlib import Path

import pytest

import xlbias
from xlbias.export.mteb_results import iso3_and_script
from xlbias.results.run import Run

pytestmark = pytest.mark.integration


def test_a_file_holds_every_cell_of_every_setting(run_of: Callable[[str], Run], tmp_path: Path) -> None:
    run = run_of("parallel")
    (file,) = xlbias.export_results(run, tmp_path)
    content = json.loads(file.read_text("utf-8"))
    assert (content["task_name"], content["dataset_revision"]) == (run.tasks[0].name, run.tasks[0].fingerprint)
    meta = json.loads((file.parent / "model_meta.json").read_text("utf-8"))
    assert (meta["name"], meta["revision"]) == ("static-small", run.models[0].fingerprint)
    settings = {row["setting"]: row for row in run.settings.iter_rows(named=True)}
    assert content["scores"].keys() == settings.keys()
    assert [len(cells) for cells in content["scores"].values()] == [3, 6, 3]
    for setting, cells in content["scores"].items():
        for ours, theirs in (("ndcg@10", "main_score"), ("map", "map"), ("recall@100", "recall_at_100"), ("rr", "mrr")):
            mean = math.fsum(cell[theirs] for cell in cells) / len(cells)
            assert mean == pytest.approx(settings[setting][ours], abs=1e-12)
    subsets = {cell["hf_subset"]: cell["languages"] for cells in content["scores"].values() for cell in cells}
    assert subsets["de"] == ["deu-Latn"]
    assert subsets["th-en"] == ["tha-Thai", "eng-Latn"]
    assert subsets["en-multilingual"] == ["deu-Latn", "eng-Latn", "tha-Thai"]


def test_cells_without_relevant_passages_are_left_out(run_of: Callable[[str], Run], tmp_path: Path) -> None:
    (file,) = xlbias.export_results(run_of("judged"), tmp_path)
    scores = json.loads(file.read_text("utf-8"))["scores"]
    assert {setting: len(cells) for setting, cells in scores.items()} == {"monolingual": 3, "multilingual": 3}


@pytest.mark.parametrize(("tag", "expected"), [("zh-Hant", "zho-Hant"), ("sr", "srp-Cyrl"), ("pt-BR", "por-Latn")])
def test_languages_are_written_as_mteb_writes_them(tag: str, expected: str) -> None:
    assert iso3_and_script(tag) == expected


@pytest.mark.slow
def test_mteb_loads_them_with_our_numbers(run_of: Callable[[str], Run], tmp_path: Path) -> None:
    mteb = pytest.importorskip("mteb", reason="mteb is not installed: pip install mteb")
    from mteb.results import TaskResult

    run = run_of("parallel")
    (file,) = xlbias.export_results(run, tmp_path)
    loaded = TaskResult.from_disk(file)
    assert TaskResult.from_disk(file, load_historic_data=False).scores == loaded.scores
    for row in run.settings.iter_rows(named=True):
        cells = loaded.scores[row["setting"]]
        assert sum(cell["main_score"] for cell in cells) / len(cells) == pytest.approx(row["ndcg@10"])
    found = mteb.ResultCache(cache_path=tmp_path).load_results(include_remote=False)
    (model,) = found.model_results
    assert (model.model_name, model.model_revision) == ("static-small", run.models[0].fingerprint)
    assert model.task_results[0].scores == loaded.scores
