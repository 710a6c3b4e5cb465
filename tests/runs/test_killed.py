"""An evaluation killed again and again loses nothing but the part it was at."""

import itertools
import os
import random
import signal
import time
from pathlib import Path

import polars as pl
import pytest
from processes import start
from support import make_task, make_vectors

from xlbias.errors import RunError
from xlbias.results.run import open_run
from xlbias.runs.journal import Journal, live_folder

pytestmark = pytest.mark.e2e

PARTS = 105  # 7 languages × 15 blocks


def evaluate_slowly(out: str, pause: float, most: int | None = None) -> None:
    """Evaluate with resume, in a process of its own; the pause makes parts long enough to be hit.

    Having begun `most` parts it only waits to be killed, however late that comes.
    """
    import torch

    from xlbias import evaluation
    from xlbias.evaluation import runner as work
    from xlbias.runs import parts

    torch.set_num_threads(1)
    search = work.search
    begun = itertools.count(1)

    def slower(*arguments):
        time.sleep(600 if next(begun) == most else pause)
        return search(*arguments)

    work.search = slower
    parts.BLOCK = 8  # what makes so many parts
    task = make_task(n_ids=120)
    evaluation.evaluate(make_vectors(task), task, out, resume=True)


def finished_parts(out: Path) -> dict[str, int]:
    return {p.name: p.stat().st_mtime_ns for p in (live_folder(out) / "parts").glob("[!.]*.parquet")}


def rows(path: Path) -> pl.DataFrame:
    return pl.read_parquet(path)


@pytest.mark.parametrize("kills", [5, pytest.param(20, marks=pytest.mark.slow)])
def test_killed_at_random_moments_it_repeats_at_most_one_part_and_ends_the_same(tmp_path, kills):
    whole = tmp_path / "whole.parquet"
    unbroken = start(evaluate_slowly, str(whole), 0.0)
    unbroken.join()
    assert unbroken.exitcode == 0

    out = tmp_path / "killed.parquet"
    chance = random.Random(1)
    before: dict[str, int] = {}
    for _ in range(kills):
        process = start(evaluate_slowly, str(out), 0.03, PARTS // (kills + 1))
        while process.is_alive() and len(finished_parts(out)) <= len(before):
            time.sleep(0.005)
        time.sleep(chance.uniform(0, 0.12))
        assert process.is_alive()
        os.kill(process.pid, signal.SIGKILL)
        process.join()
        assert not out.exists(), "nothing may stand under the final name before the run is finished"
        after = finished_parts(out)
        assert before.items() <= after.items(), "a finished part was written again"
        for name in after:
            pl.read_parquet(live_folder(out) / "parts" / name)  # every part that is there is whole
        before = after
    last = start(evaluate_slowly, str(out), 0.0)
    last.join()
    assert last.exitcode == 0
    assert rows(out).equals(rows(whole))
    assert not live_folder(out).exists()
    assert open_run(out).metadata["identity"] == open_run(whole).metadata["identity"]


def test_a_run_whose_writer_was_killed_is_said_to_have_died(tmp_path):
    out = tmp_path / "run.parquet"
    process = start(evaluate_slowly, str(out), 0.2)
    while len(finished_parts(out)) < 4:
        time.sleep(0.01)
    running = open_run(out)
    assert running.state.status == "running"
    assert running.cells["n"].sum() > 0  # what is done so far can be read
    os.kill(process.pid, signal.SIGKILL)
    process.join()
    assert open_run(out).state.status == "died"


def test_a_second_writer_is_refused_and_harms_nothing(tmp_path):
    out = tmp_path / "run.parquet"
    process = start(evaluate_slowly, str(out), 0.05)
    while len(finished_parts(out)) < 3:
        time.sleep(0.01)
    for choice in ({}, {"resume": True}, {"overwrite": True}):
        with pytest.raises(RunError, match=f"is being written by process {process.pid} on "):
            Journal.open(out, {}, identity="other", **choice)
    process.join()
    assert process.exitcode == 0
    assert open_run(out).state.status == "finished"
