"""Two processes evaluate together: the run is that of one, row for row, and a failure ends both with one sentence."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl
import pytest
from processes import start, start_together
from support import make_task

from xlbias.data.parallels import without_parallels
from xlbias.encode import parts, vector_file
from xlbias.errors import EncoderError, XlbiasError
from xlbias.evaluation import evaluate, together
from xlbias.processes.launched import launched
from xlbias.retrieve import index, ranks, topk

if TYPE_CHECKING:
    from xlbias.processes.team import Team

pytestmark = pytest.mark.integration


def evaluate_small(folder: str) -> int:
    """Evaluate small tasks in one of several processes, with vectors in memory and in a file."""
    from xlbias.processes.team import Team

    os.environ["OMP_NUM_THREADS"] = "1"
    for module in (index, ranks, topk, together):
        module.PASSAGE_TILE = 32
    parts.PART_CHARACTERS = 800
    place = launched()
    team = Team(place) if place.world > 1 else None
    if team and not team.leads:
        return team.serve()
    task = make_task(30).select_languages(["ar", "de", "th"])
    tasks = [task, without_parallels(task).renamed("apart")]
    with team.leading() if team else contextlib.nullcontext():
        for name, block in (("held", 65_536), ("filed", 64)):
            vector_file.BLOCK = block
            evaluate("static-small", tasks, Path(folder) / f"{name}.parquet", mitigate=["mean"], team=team)
    return 0


def rows(path: Path) -> pl.DataFrame:
    return pl.read_parquet(path).drop("made_from", strict=False)


@pytest.mark.slow
def test_two_processes_make_the_run_of_one(tmp_path):
    folders = [tmp_path / "one", tmp_path / "two"]
    for folder in folders:
        folder.mkdir()
    outputs = [tmp_path / "said-0", tmp_path / "said-1"]
    started = [
        start(evaluate_small, str(folders[0])),
        *start_together(evaluate_small, str(folders[1]), outputs=outputs),
    ]
    for process in started:
        process.join()
    assert [process.exitcode for process in started] == [0, 0, 0], [path.read_text() for path in outputs]
    for name in ("held", "filed"):
        one, two = (rows(folder / f"{name}.parquet") for folder in folders)
        assert one.filter(pl.col("record") == "ranking").height > 0
        assert two.equals(one)


@pytest.mark.parametrize("dies", [0, 1])
def test_the_death_of_a_process_ends_the_others_with_one_sentence(tmp_path, dies):
    outputs = [tmp_path / "said-0", tmp_path / "said-1"]
    started = start_together(wait_for_death, str(dies), outputs=outputs)
    for process in started:
        process.join()
    assert [process.exitcode for process in started] == [-signal.SIGKILL if rank == dies else 3 for rank in (0, 1)]
    said = "".join(path.read_text() for path in outputs)
    assert said.count("\n") == 1
    assert said.startswith(f"xlbias: process {dies} of 2 (id ")
    assert "has ended: so have the others; what is finished is kept" in said


def test_what_fails_in_another_process_only_is_the_one_sentence(tmp_path):
    """The other is ended with the first one's exit code, and does not say that the first has ended."""
    outputs = [tmp_path / "said-0", tmp_path / "said-1"]
    started = start_together(wait_for_death, "", outputs=outputs)
    for process in started:
        process.join()
    assert [process.exitcode for process in started] == [2, 2]
    said = "".join(path.read_text() for path in outputs)
    assert re.fullmatch(r"xlbias: process 1 of 2 \(id \d+ on .*\): e5: there is no such folder\n", said)


def fail(team: Team) -> None:
    """Fail, in a process that does not lead."""
    raise EncoderError("e5: there is no such folder")


def wait_for_death(dies: str) -> int:
    """Die, or have the other fail, or work on and on, in one of two processes."""
    from xlbias.processes.team import Team

    try:
        team = Team(launched())  # the other may have died before this returns
        if dies and team.rank == int(dies):
            os.kill(os.getpid(), signal.SIGKILL)
        if not team.leads:
            return team.serve()
        with team.leading():
            if not dies:
                team.ask(fail)
            time.sleep(600)
    except XlbiasError as error:  # as the command line says it
        print(f"xlbias: {error}", file=sys.stderr)
        return error.exit_code
    return 0
