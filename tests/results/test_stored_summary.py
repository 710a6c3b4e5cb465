"""The summary that a run stores: the same as its rankings give, without it, in part, and after a kill."""

import json
import os
import signal
import time
from hashlib import sha256
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow.parquet as pq
import pytest
from processes import start
from results.uneven import integer_vectors, uneven_task
from support import make_task, make_vectors

from xlbias.evaluation import evaluate
from xlbias.evaluation import runner as work_module
from xlbias.measures.registry import measures
from xlbias.results import summary as summary_module
from xlbias.results import wide as views
from xlbias.results.run import Run, open_run
from xlbias.results.summary import SUMMARY_SCHEMA, summarise
from xlbias.runs.journal import live_folder

pytestmark = pytest.mark.integration

TASKS = [uneven_task(3), make_task(10)]
ENDS = ["low", "high"]
OF_VECTORS = ~pl.col("measure").is_in([*measures("quality"), *measures("bias")])
"""What no ranking says: alignment, and facts of texts and encoders."""


def models(n: int = 2) -> list:
    """Vectors fit one task only, so an encoder for both is what embeds by hash."""
    return [HashEncoder(seed) for seed in range(n)]


class HashEncoder:
    """Small integers that depend on the text only."""

    dimension, similarity = 6, "dot"

    def __init__(self, seed: int) -> None:
        self.name, self.fingerprint, self.seed = f"hash{seed}", f"hash{seed}", seed

    def encode(self, texts, kind):
        digests = [sha256(f"{self.seed}{kind}{text}".encode()).digest()[:6] for text in texts]
        return np.array([[byte % 5 - 2 or 1 for byte in digest] for digest in digests], dtype=np.float32)


@pytest.fixture(scope="module", autouse=True)
def few_replicates():
    """Intervals are tested elsewhere (test_summary.py): here fewer do."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(summary_module, "REPLICATES", 300)
        yield


@pytest.fixture(scope="module")
def finished(tmp_path_factory) -> Run:
    return evaluate(models(), TASKS, tmp_path_factory.mktemp("finished") / "run.parquet")


def stored(run: Run) -> pl.DataFrame:
    """Rows of the record itself."""
    assert run.path.is_file()
    frame = pl.read_parquet(run.path).filter(pl.col("record") == "summary")
    return frame.select("model", "task", "domain", *SUMMARY_SCHEMA)


def of_rankings(run: Run) -> pl.DataFrame:
    return views.summary_of(run.rankings.collect(), run.pool_sizes)


def test_a_finished_run_stores_one_summary_of_each_model_and_task(finished):
    assert finished.summary.equals(stored(finished))
    who = finished.summary.select("model", "task").unique(maintain_order=True).rows()
    assert who == [(model.name, task.name) for model in sorted(models(), key=_slug) for task in TASKS]
    assert not finished.summary.select("model", "task", *list(SUMMARY_SCHEMA)[:4]).is_duplicated().any()
    groups = pq.ParquetFile(finished.path)
    records = [set(groups.read_row_group(g, ["record"])["record"].to_pylist()) for g in range(groups.num_row_groups)]
    assert records.count({"summary"}) == 1


def _slug(model: HashEncoder) -> str:
    return work_module.slug(model.name)


def test_it_equals_what_its_rankings_give_bit_for_bit(finished):
    ours = finished.summary.filter(~OF_VECTORS)
    assert ours.drop(ENDS).equals(of_rankings(finished).drop(ENDS))
    found = [
        rows[:1].select("model", "task", "domain").join(summarise(rows, finished.pool_sizes[task]), how="cross")
        for (_, task), rows in finished.rankings.collect().group_by("model", "task", maintain_order=True)
    ]
    assert ours.equals(pl.concat(found))  # with intervals: the same seed gives the same bits


def test_intervals_are_there_and_hold_the_value(finished):
    means = finished.summary.filter((pl.col("n_ids") >= 10) & ~OF_VECTORS)
    means = means.filter(~pl.col("measure").str.contains("friedman|median"))
    assert means.height > 500
    assert means[ENDS[0]].null_count() == means[ENDS[1]].null_count() == 0
    assert (means["low"] <= means["value"]).all()
    assert (means["value"] <= means["high"]).all()
    alignment = finished.summary.filter(pl.col("measure").str.ends_with("s.alignment"))
    assert alignment["low"].is_not_null().any()


def test_views_show_what_is_stored(finished, monkeypatch):
    monkeypatch.setattr(views, "summary_of", None)  # nothing is computed again
    run = open_run(finished.path)
    assert run.cells.height == 2 * (4 * 5 + 7 * 8)
    first = run.summary.filter(pl.col("measure") == "map", pl.col("query_language").is_not_null()).row(0, named=True)
    cell = run.cells.filter(
        model=first["model"], task=first["task"], query_language=first["query_language"], pool=first["passage_language"]
    )
    assert cell.select("map", "n", "n_excluded").row(0) == (first["value"], first["n"], first["n_excluded"])
    assert run.settings.height == 2 * 2 * 3
    assert run.bias().height == 2 * (4 + 7)


def test_the_same_evaluation_gives_the_same_bits(finished, tmp_path):
    again = evaluate(models(), TASKS, tmp_path / "again.parquet")
    assert again.summary.equals(finished.summary)
    assert again.alignments.collect().equals(finished.alignments.collect())


def test_a_file_of_before_summaries_opens_and_has_the_same_numbers(finished, tmp_path):
    """No summary rows, and none of the columns that came with them."""
    old = tmp_path / "old.parquet"
    gone = ["measure", "passage_language", "value", *ENDS, "weighted", "n", "n_ids", "n_cells", "n_cells_empty"]
    gone += ["n_excluded", "n_queries", "consistency"]
    table = pq.read_table(finished.path)
    keep = pl.from_arrow(table)["record"].is_in(["ranking", "query", "passage"])
    pq.write_table(table.filter(keep.to_arrow()).drop_columns(gone), old)
    run = open_run(old)
    assert run.summary[ENDS[0]].null_count() == run.summary.height
    consistency = pl.col("measure") == "rank_consistency"
    ours = finished.summary.filter(~OF_VECTORS & ~consistency)
    assert run.summary.filter(~consistency).drop(ENDS).equals(ours.drop(ENDS))
    assert run.summary.filter(consistency & (pl.col("value").is_not_null() | (pl.col("n") > 0))).is_empty()
    assert run.cells.equals(finished.cells)
    assert run.settings.equals(finished.settings)
    assert run.bias().equals(finished.bias())
    assert run.rank_distances.equals(finished.rank_distances)
    assert run.alignments.collect().is_empty()


# -- in part -----------------------------------------------------------------------------------------------------------


def interrupted(out: Path, monkeypatch, *, after: int, block: int = 2048) -> Path:
    """Evaluate until `after` summaries are written, and stop; return the journal."""
    with monkeypatch.context() as patch:
        real, calls = work_module.summarise, []

        def stops(*arguments, **options):
            calls.append(1)
            if len(calls) > after:
                raise KeyboardInterrupt
            return real(*arguments, **options)

        patch.setattr(work_module, "summarise", stops)
        patch.setattr("xlbias.runs.parts.BLOCK", block)
        with pytest.raises(KeyboardInterrupt):
            evaluate(models(), TASKS, out)
    return live_folder(out)


def parts(folder: Path, record: str) -> list[Path]:
    return sorted((folder / "parts").glob(f"{record}-*.parquet"))


def test_a_run_in_progress_has_what_is_stored_and_for_the_rest_numbers_without_intervals(
    finished, tmp_path, monkeypatch
):
    out = tmp_path / "run.parquet"
    folder = interrupted(out, monkeypatch, after=1)
    assert [len(parts(folder, record)) for record in ("summary", "ranking")] == [1, 4 + 7]
    run = open_run(out)
    assert run.state.status != "finished"
    key = ["model", "task", *list(SUMMARY_SCHEMA)[:4]]
    whole = finished.summary.filter(model="hash0").sort(key)
    live = run.summary.sort(key)
    first, second = (task.name for task in TASKS)
    assert live.filter(task=first).equals(whole.filter(task=first))  # stored, alignment with it
    rest = live.filter(task=second)
    assert rest.drop(ENDS).equals(whole.filter(~OF_VECTORS, task=second).drop(ENDS))
    assert rest.select(pl.col(ENDS).null_count()).row(0) == (rest.height,) * 2


def test_a_run_in_progress_counts_what_is_done(finished, tmp_path, monkeypatch):
    """Some blocks of some languages: numbers over these queries, and nothing of the others."""
    out = tmp_path / "run.parquet"
    folder = interrupted(out, monkeypatch, after=0, block=5)
    ranked = parts(folder, "ranking")
    assert len(ranked) > 6
    for part in ranked[1::2]:
        part.unlink()
    run = open_run(out)
    done = run.rankings.collect()
    whole = finished.rankings.filter(model="hash0", task=TASKS[0].name).collect()
    assert 0 < done.height < whole.height
    assert run.summary.equals(
        views.summary_of(
            whole.join(done, on=["query_id", "query_language"], how="semi", maintain_order="left"), run.pool_sizes
        )
    )
    for cell in run.cells.rows(named=True):
        rows = done.filter(query_language=cell["query_language"], pool=cell["pool"])
        assert cell["n"] == rows.filter(pl.col("n_relevant") > 0).height
        assert cell["n"] + cell["n_excluded"] == rows.height
        assert cell["map"] is None if cell["n"] == 0 else cell["map"] == pytest.approx(rows["ap"].mean())


def test_a_run_that_has_only_begun_has_no_numbers(tmp_path, monkeypatch):
    out = tmp_path / "run.parquet"
    folder = interrupted(out, monkeypatch, after=0)
    for part in parts(folder, "ranking"):
        part.unlink()
    run = open_run(out)
    assert run.summary.is_empty()
    assert run.cells.is_empty()
    assert run.settings.is_empty()
    assert run.bias().is_empty()
    assert run.summary.schema == pl.Schema({**views.WHO, **SUMMARY_SCHEMA})


# -- resumed -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("after", [0, 1, 3])
def test_resumed_between_rankings_and_summary_it_ends_the_same(finished, tmp_path, monkeypatch, after):
    out = tmp_path / "run.parquet"
    folder = interrupted(out, monkeypatch, after=after)
    before = {part.name: part.stat().st_mtime_ns for part in parts(folder, "ranking")}
    seen = []
    with monkeypatch.context() as patch:
        real = work_module.search
        patch.setattr(work_module, "search", lambda *arguments: seen.append(1) or real(*arguments))
        resumed = evaluate(models(), TASKS, out, resume=True)
    assert len(seen) == 2 * (4 + 7) - len(before)  # nothing is ranked twice
    assert resumed.summary.equals(finished.summary)
    assert resumed.rankings.collect().equals(finished.rankings.collect())
    assert resumed.alignments.collect().equals(finished.alignments.collect())


def test_a_summary_that_is_missing_from_a_journal_is_made_again(finished, tmp_path, monkeypatch):
    """Also where ranking parts are missing with it, as after a part was lost."""
    out = tmp_path / "run.parquet"
    folder = interrupted(out, monkeypatch, after=3)
    for part in [*parts(folder, "summary")[:2], parts(folder, "ranking")[3]]:
        part.unlink()
    assert evaluate(models(), TASKS, out, resume=True).summary.equals(finished.summary)


KILLED = 12


def evaluate_and_wait(out: str) -> None:
    """Evaluate, and wait where the summary would be made, to be killed there."""
    work_module.summarise = lambda *_, **__: time.sleep(600)
    task = make_task(KILLED)
    evaluate(make_vectors(task), task, out)


@pytest.mark.slow
@pytest.mark.e2e
def test_killed_before_its_summary_was_made_it_makes_the_same(tmp_path):
    out = tmp_path / "run.parquet"
    process = start(evaluate_and_wait, str(out))
    progress = live_folder(out) / "progress.json"
    waiting = time.monotonic() + 300
    while not (progress.is_file() and "audit" in json.loads(progress.read_text("utf-8"))["phase"]):
        assert time.monotonic() < waiting and process.is_alive()
        time.sleep(0.02)
    assert len(parts(live_folder(out), "ranking")) == 7
    os.kill(process.pid, signal.SIGKILL)
    process.join()
    died = open_run(out)
    assert died.state.status == "died"
    assert died.cells.height == 7 * 8
    task = make_task(KILLED)
    whole = evaluate(make_vectors(task), task, tmp_path / "whole.parquet")
    resumed = evaluate(make_vectors(task), task, out, resume=True)
    assert resumed.summary.equals(whole.summary)
    assert died.summary.drop(ENDS).equals(whole.summary.filter(~OF_VECTORS).drop(ENDS))


def test_a_top_list_of_the_union_only_gives_the_same_numbers(tmp_path):
    task = TASKS[0]
    runs = [
        evaluate(integer_vectors(task), task, tmp_path / f"{top_of}.parquet", top_of=top_of)
        for top_of in ("all", "multilingual")
    ]
    assert runs[0].summary.equals(runs[1].summary)
