"""Commands that a launcher has started in several processes: who does them, and one sentence where they are refused."""

import pytest

from xlbias import cli
from xlbias.cli import COMMANDS, run
from xlbias.cli.several import TOGETHER, begin_together
from xlbias.errors import UsageError

TORCHRUN = {"RANK": "0", "WORLD_SIZE": "2", "LOCAL_RANK": "0", "LOCAL_WORLD_SIZE": "2"}
SRUN = {"SLURM_PROCID": "1", "SLURM_STEP_NUM_TASKS": "2", "SLURM_LOCALID": "1", "SLURM_STEP_NODELIST": "gpu[3-4]"}
POD = {"RANK": "1", "WORLD_SIZE": "2", "MASTER_ADDR": "job-0", "MASTER_PORT": "23456"}
FOR_ONE = ("demo", "distill", "rerank")
READING = [name for name in COMMANDS if name not in (*TOGETHER, *FOR_ONE)]


@pytest.mark.parametrize("launcher", [TORCHRUN, SRUN, POD])
@pytest.mark.parametrize("command", FOR_ONE)
def test_what_would_leave_processes_idle_for_long_is_refused(command, launcher):
    environment = dict(launcher)
    with pytest.raises(UsageError, match=f"`xlbias {command}` is for one process, and 2 have been started: "):
        begin_together(command, environment)
    assert environment == launcher


@pytest.mark.parametrize("command", [*READING, "--help", "--version", None])
def test_what_reads_is_done_by_the_first_process_as_if_alone(command):
    first, second, of_srun = dict(TORCHRUN), {**TORCHRUN, "RANK": "1", "LOCAL_RANK": "1"}, dict(SRUN)
    assert begin_together(command, first)
    assert first == {}
    assert not begin_together(command, second)
    assert not begin_together(command, of_srun)


def test_a_pod_that_always_says_that_it_is_one_of_several_reads_runs(monkeypatch, capsys):
    for name, value in POD.items():
        monkeypatch.setenv(name, value)
    assert run(["report", "nowhere.parquet"]) == 2
    assert capsys.readouterr().err == "xlbias: nowhere.parquet: there is no such run\n"


@pytest.mark.parametrize("words", [["--help"], ["--version"], ["measures"], ["evaluate", "--help"], ["train", "-h"]])
def test_what_is_printed_is_printed_once(words, monkeypatch, capsys):
    for name, value in TORCHRUN.items():
        monkeypatch.setenv(name, value)
    assert run(words) == 0
    assert capsys.readouterr().out != ""
    for name, value in {**TORCHRUN, "RANK": "1", "LOCAL_RANK": "1"}.items():
        monkeypatch.setenv(name, value)
    assert run(words) == 0
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize("command", TOGETHER)
def test_what_a_step_of_srun_does_together_knows_its_place(command):
    """Trainings read the variables of torchrun: without them each process would train an encoder of its own."""
    environment = dict(SRUN)
    begin_together(command, environment)
    assert {name: environment[name] for name in ("RANK", "WORLD_SIZE", "MASTER_ADDR")} == {
        "RANK": "1", "WORLD_SIZE": "2", "MASTER_ADDR": "gpu3",
    }  # fmt: skip


@pytest.mark.parametrize("environment", [{}, {"RANK": "0", "WORLD_SIZE": "1"}])
@pytest.mark.parametrize("command", COMMANDS)
def test_one_process_does_any_command(command, environment):
    given = dict(environment)
    assert begin_together(command, given)
    assert given == environment


def test_a_variable_that_no_launcher_sets_is_of_no_matter_where_nothing_is_shared():
    environment = {"RANK": "high"}
    assert begin_together("report", environment)
    assert environment == {}


def test_numbers_that_no_launcher_sets_are_refused_where_they_count():
    with pytest.raises(UsageError, match="RANK='high' in the environment"):
        begin_together("train", {"RANK": "high"})


def test_the_first_process_says_it_and_the_others_nothing(monkeypatch, capsys, tmp_path):
    monkeypatch.setattr(cli, "_LATER", 0.0)
    for name, value in TORCHRUN.items():
        monkeypatch.setenv(name, value)
    assert run(["demo", str(tmp_path / "demo")]) == 2
    said = capsys.readouterr()
    assert (said.out, said.err.count("\n")) == ("", 1)
    assert said.err.startswith("xlbias: `xlbias demo` is for one process, and 2 have been started: start it without")
    monkeypatch.setenv("RANK", "1")
    assert run(["demo", str(tmp_path / "demo")]) == 2
    assert capsys.readouterr() == ("", "")
