"""One of several processes that its launcher asks to end, before they have met and after all is written."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from xlbias.processes import ending

CODE = """
import os, signal, sys, time
from xlbias.processes import ending
ending._LOOK = .02
assert ending.listen() == ("WORLD_SIZE" in os.environ)
{more}
print("listens", os.getpid(), flush=True)
{at}
"""
AT_WORK = "signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])\nwhile True: time.sleep(60)"
KEPT = "so have the others; what is finished is kept, and the same command goes on with it"


def place(folder: Path, rank: int = 0) -> dict[str, str]:
    """What torchrun says to one of two processes."""
    (folder / str(rank)).mkdir(parents=True)
    return {
        "RANK": str(rank), "LOCAL_RANK": str(rank), "WORLD_SIZE": "2",
        "TORCHELASTIC_ERROR_FILE": str(folder / str(rank) / "error.json"),
    }  # fmt: skip


def begun(more: str = "", at: str = AT_WORK, **environment: str) -> subprocess.Popen:
    """A process that listens, with what it is at."""
    process = subprocess.Popen(
        [sys.executable, "-c", CODE.format(more=more, at=at)], env={**os.environ, **environment}, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout.readline().startswith("listens")
    return process


def test_processes_that_have_not_met_end_with_one_sentence_between_them(tmp_path):
    processes = [begun(**place(tmp_path, rank)) for rank in (0, 1)]
    for process in processes:
        process.send_signal(signal.SIGTERM)
    said = "".join(process.communicate()[1] for process in processes)
    assert [process.returncode for process in processes] == [3, 3]
    assert said.count("\n") == 1
    assert said.startswith("xlbias: another process has ended, or the launcher was asked to end (SIGTERM): ")
    assert KEPT in said


def test_what_is_done_is_said_to_be_written(tmp_path):
    process = begun("ending.done()", **place(tmp_path))
    process.send_signal(signal.SIGTERM)
    assert process.communicate()[1].endswith(
        "so have the others; all results were written before that, and nothing is lost\n"
    )
    assert process.returncode == 3


def test_a_process_whose_launcher_is_gone_ends(tmp_path):
    """The launcher is killed, and can ask for nothing."""
    start = (
        "import subprocess, sys, time\n"
        "child = subprocess.Popen([sys.executable, '-c', sys.argv[1]], stdout=subprocess.PIPE)\n"
        "print(child.stdout.readline().decode(), end='', flush=True)\ntime.sleep(600)"
    )
    launcher = subprocess.Popen(
        [sys.executable, "-c", start, CODE.format(more="", at=AT_WORK)], text=True, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, env={**os.environ, **place(tmp_path), "TORCHELASTIC_RUN_ID": "1"},
    )  # fmt: skip
    assert launcher.stdout.readline().startswith("listens")
    launcher.kill()
    _, said = launcher.communicate()  # until the other has closed its stderr, too
    assert said.startswith(
        f"xlbias: the launcher (id {launcher.pid}) has ended: so have its processes; what is finished"
    )
    assert said.count("\n") == 1


def test_one_process_is_ended_by_the_system_as_ever():
    process = begun()
    process.send_signal(signal.SIGTERM)
    assert process.communicate()[1] == ""
    assert process.returncode == -signal.SIGTERM


def test_a_process_that_leaves_does_what_libraries_do_at_its_end(tmp_path):
    leaving = "import atexit; atexit.register(print, 'last'); ending.leave_with(5); sys.exit(5)"
    process = begun(at=leaving, **place(tmp_path))
    assert (process.stdout.read(), process.stderr.read(), process.wait()) == ("last\n", "", 5)


def test_a_process_that_is_forked_is_ended_alone(tmp_path):
    forks = (
        "ready, begin = os.pipe()\nchild = os.fork()\n"
        "if not child:\n    os.write(begin, b'.')\n    time.sleep(60)\n    os._exit(1)\n"
        "os.read(ready, 1)\nos.kill(child, signal.SIGTERM)\nprint(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))"
    )
    process = begun(at=forks, **place(tmp_path))
    assert (process.stdout.read(), process.stderr.read(), process.wait()) == ("-15\n", "", 0)


@pytest.mark.parametrize(
    ("environment", "turns"),
    [
        ({"SLURM_JOB_ID": "7", "SLURM_STEP_ID": "0"}, [True, False]),
        ({"SLURM_JOB_ID": "7"}, ["otherwise", "otherwise"]),
        ({"TORCHELASTIC_ERROR_FILE": "/nowhere/attempt/0/error.json"}, ["otherwise", "otherwise"]),
    ],
)
def test_who_cannot_agree_does_as_it_would(environment, turns, tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    found = []
    for _ in turns:
        with ending.turn(otherwise="otherwise", environment=environment) as mine:
            found.append(mine)
    assert found == turns
