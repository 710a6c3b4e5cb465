"""Commands that a launcher has started in several processes: which of them may be, and one sentence of the others."""

import pytest

from xlbias import cli
from xlbias.cli import COMMANDS, run
from xlbias.cli.several import TOGETHER, begin_together
from xlbias.errors import UsageError

TORCHRUN = {"RANK": "0", "WORLD_SIZE": "2", "LOCAL_RANK": "0", "LOCAL_WORLD_SIZE": "2"}
SRUN = {"SLURM_PROCID": "1", "SLURM_STEP_NUM_TASKS": "2", "SLURM_LOCALID": "1", "SLURM_STEP_NODELIST": "gpu[3-4]"}


@pytest.mark.parametrize("launcher", [TORCHRUN, SRUN])
@pytest.mark.parametrize("command", [name for name in COMMANDS if name not in TOGETHER])
def test_a_command_for_one_process_is_refused_in_several(command, launcher):
    environment = dict(launcher)
    with pytest.raises(UsageError, match=f"`xlbias {command}` is for one process, and 2 have been started: "):
        begin_together(command, environment)
    assert environment == launcher


@pytest.mark.parametrize("command", TOGETHER)
def test_what_a_step_of_srun_does_together_knows_its_place(command):
    """Trainings read the variables of torchrun: without them each process would train an encoder of its own."""
    environment = dict(SRUN)
    begin_together(command, environment)
    assert {name: environment[name] for name in ("RANK", "WORLD_SIZE", "MASTER_ADDR")} == {
        "RANK": "1", "WORLD_SIZE": "2", "MASTER_ADDR": "gpu3",
    }  # fmt: skip


@pytest.mark.parametrize("environment", [{}, {"RANK": "0", "WORLD_SIZE": "1"}, {"RANK": "high"}])
def test_one_process_does_any_command(environment):
    given = dict(environment)
    begin_together("study", given)
    assert given == environment


def test_numbers_that_no_launcher_sets_are_refused_where_they_count():
    with pytest.raises(UsageError, match="RANK='high' in the environment"):
        begin_together("train", {"RANK": "high"})


def test_the_first_process_says_it_and_the_others_nothing(monkeypatch, capsys, tmp_path):
    monkeypatch.setattr(cli, "_LATER", 0.0)
    for name, value in TORCHRUN.items():
        monkeypatch.setenv(name, value)
    assert run(["study", str(tmp_path / "none.toml")]) == 2
    said = capsys.readouterr()
    assert (said.out, said.err.count("\n")) == ("", 1)
    assert said.err.startswith("xlbias: `xlbias study` is for one process, and 2 have been started: start it without")
    monkeypatch.setenv("RANK", "1")
    assert run(["study", str(tmp_path / "none.toml")]) == 2
    assert capsys.readouterr() == ("", "")
