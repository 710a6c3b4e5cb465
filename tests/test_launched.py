"""Which of several processes this is, as launchers say it."""

import pytest

from xlbias.errors import UsageError
from xlbias.processes.launched import Launched, first_host, launched, prepare

SRUN = {"SLURM_PROCID": "5", "SLURM_STEP_NUM_TASKS": "8", "SLURM_LOCALID": "1", "SLURM_NTASKS_PER_NODE": "4"}


@pytest.mark.parametrize(
    ("environment", "found"),
    [
        ({}, Launched()),
        ({"RANK": "3", "WORLD_SIZE": "4", "LOCAL_RANK": "1", "LOCAL_WORLD_SIZE": "2"}, Launched(3, 4, 1, 2)),
        (SRUN, Launched(5, 8, 1, 4)),
        ({**SRUN, "RANK": "0", "WORLD_SIZE": "1"}, Launched()),
        ({"SLURM_PROCID": "0", "SLURM_NTASKS": "8"}, Launched()),  # a batch script, without srun
    ],
)
def test_the_process_is_the_one_that_the_launcher_names(environment, found):
    assert launched(environment) == found


@pytest.mark.parametrize("environment", [{"RANK": "two"}, {"RANK": "2", "WORLD_SIZE": "2"}, {"RANK": "-1"}])
def test_numbers_that_no_launcher_sets_are_refused(environment):
    with pytest.raises(UsageError, match="RANK"):
        launched(environment)


@pytest.mark.parametrize(
    ("nodes", "host"), [("gpu[03-07,9],login1", "gpu03"), ("node7", "node7"), ("a1,a2", "a1"), ("n[2,5]", "n2")]
)
def test_processes_of_slurm_meet_on_the_first_host(nodes, host):
    assert first_host(nodes) == host


def test_what_is_set_stays():
    environment = {**SRUN, "SLURM_STEP_NODELIST": "gpu[03-04]", "MASTER_PORT": "1234", "OMP_NUM_THREADS": "3"}
    prepare(launched(environment), environment)
    assert (environment["RANK"], environment["MASTER_ADDR"]) == ("5", "gpu03")
    assert (environment["MASTER_PORT"], environment["OMP_NUM_THREADS"]) == ("1234", "3")
