"""A study in two processes: its encoders are those that `xlbias train` makes in two, its rows those of one process."""

import os
import shutil
import signal
import time
from pathlib import Path

import polars as pl
import pytest
import torch
from processes import start, start_together
from sentence_transformers import SentenceTransformer

from xlbias.cli import run
from xlbias.encode.card import read_card
from xlbias.errors import UsageError
from xlbias.results.run import open_run
from xlbias.study.folder import StudyFolder
from xlbias.study.plan_reader import read_plan
from xlbias.study.run_study import run_study

pytestmark = pytest.mark.e2e

MONO, HYBRID = "calendar-mono-seed0", "calendar-hybrid-alpha0.5-seed0"


def command(words: list[str]) -> int:
    """The command line, with one thread: sums are those of any process then."""
    os.environ["OMP_NUM_THREADS"] = "1"
    torch.set_num_threads(1)
    return run(words)


def in_processes(n: int, words: list[str], said: Path) -> list[str]:
    """Run a command in so many processes until it is done; return what each has printed."""
    outputs = [said.with_name(f"{said.name}-{rank}") for rank in range(n)]
    started = start_together(command, words, outputs=outputs) if n > 1 else [start(command, words, output=outputs[0])]
    for process in started:
        process.join()
    printed = [path.read_text("utf-8") for path in outputs]
    assert [process.exitcode for process in started] == [0] * n, printed
    return printed


def rows(path: Path) -> pl.DataFrame:
    return pl.read_parquet(path)


def weights(folder: Path) -> torch.Tensor:
    found: torch.Tensor = SentenceTransformer(str(folder), device="cpu")[0].embedding.weight.detach()
    return found


@pytest.fixture(scope="module")
def plan(small_plan: Path) -> Path:
    """The small plan without validations: an encoder is what its last step has made of it."""
    text = (
        small_plan.read_text("utf-8").replace("validate_every = 4\n", "").replace("validation = 0.2", "validation = 0")
    )
    path = small_plan.with_name("small-trained.toml")
    path.write_text(text, "utf-8")
    return path


@pytest.fixture(scope="module")
def two(plan: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a study that two processes have done."""
    out = tmp_path_factory.mktemp("two") / "out"
    first, second = in_processes(2, ["study", str(plan), "--out", str(out)], out.with_name("said"))
    assert f"4 of 4: {HYBRID} evaluated" in first
    assert "# A small study" in first
    assert second == ""
    return out


def test_what_two_processes_evaluate_one_evaluates_alike(two: Path, plan: Path, tmp_path: Path) -> None:
    out = shutil.copytree(two, tmp_path / "out", ignore=shutil.ignore_patterns("runs", "run.parquet", "report.md"))
    in_processes(1, ["study", str(plan), "--out", str(out)], tmp_path / "said")
    ours, theirs = (rows(folder / "run.parquet") for folder in (two, out))
    assert ours.filter(pl.col("record") == "ranking").height > 0
    assert ours.equals(theirs)
    assert (two / "report.md").read_text("utf-8") == (out / "report.md").read_text("utf-8")


@pytest.mark.slow
def test_its_encoders_are_those_that_two_processes_train(two: Path, plan: Path, tmp_path: Path) -> None:
    study_plan = read_plan(plan)
    settings = [f"--set={name}={value}" for name, value in study_plan.settings.items()]
    task, out = study_plan.spec(study_plan.sources["calendar"][0]), tmp_path / MONO
    in_processes(2, ["train", "-s", "mono", "-t", task, "-o", str(out), *settings], tmp_path / "said")
    study = StudyFolder(two).encoder(MONO)
    assert torch.equal(weights(out), weights(study))
    assert not torch.equal(weights(study), weights(StudyFolder(two).encoder(HYBRID)))
    cards = [read_card(folder) for folder in (out, study)]
    assert [card["processes"] for card in cards] == [2, 2]
    assert cards[0]["identity"] == cards[1]["identity"]


def test_several_encoders_at_a_time_are_refused_in_several_processes(small_plan: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="jobs is 2: expected 1 where several processes do each step together"):
        run_study(read_plan(small_plan), tmp_path / "out", jobs=2, team=object())  # type: ignore[arg-type]


@pytest.mark.slow
@pytest.mark.parametrize("dies", [0, 1])
def test_a_training_that_a_death_has_ended_goes_on_in_one_process(dies: int, small_plan: Path, tmp_path: Path) -> None:
    text = small_plan.read_text("utf-8").replace("steps = 4", "steps = 1000").replace("validate_every = 4", "")
    text = text.replace("checkpoint_every = 2", "checkpoint_every = 50").replace('["mono", "hybrid"]', '["mono"]')
    (tmp_path / "long.toml").write_text(text.replace('"corpora"', f'"{small_plan.parent / "corpora"}"'), "utf-8")
    out = tmp_path / "out"
    words = ["study", str(tmp_path / "long.toml"), "--out", str(out)]
    outputs = [tmp_path / "said-0", tmp_path / "said-1"]
    started = start_together(command, words, outputs=outputs)
    folder = StudyFolder(out).encoder(MONO)
    while not list(folder.glob("checkpoints/step-*")):
        assert all(process.is_alive() for process in started), [path.read_text() for path in outputs]
        time.sleep(0.05)
    pid = started[dies].pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    killed = time.monotonic()
    for process in started:
        process.join()
    assert time.monotonic() - killed < 10
    assert [process.exitcode for process in started] == [-signal.SIGKILL if rank == dies else 3 for rank in (0, 1)]
    said = "".join(path.read_text("utf-8") for path in outputs)
    assert said.count("xlbias: ") == 1
    assert f"xlbias: process {dies} of 2 (id {pid} on " in said
    before = open_run(folder / "training.parquet").training.collect()["step"].to_list()
    in_processes(1, words, tmp_path / "again")
    steps = open_run(folder / "training.parquet").training.collect()["step"].to_list()
    assert steps == sorted(set(steps))
    assert set(before) <= set(steps) and steps[-1] == 1000
    assert read_card(folder)["steps"] == 1000
