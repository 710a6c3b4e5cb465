"""`xlbias dashboard` as a command: what it does where there is no terminal, and what it refuses."""

import os
import subprocess
import sys

import pexpect
import pytest
from dashboard.made import LiveRun

from xlbias.report.text import to_text
from xlbias.runs.run import open_run


@pytest.fixture(scope="module")
def run_path(tmp_path_factory):
    return LiveRun(tmp_path_factory.mktemp("runs") / "run.parquet").write_all().finish()


def dashboard(*arguments):
    command = [sys.executable, "-m", "xlbias", "dashboard", *map(str, arguments)]
    environment = {**os.environ, "COLUMNS": "100"}  # whatever the shell that runs the tests says
    return subprocess.run(
        command, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False, timeout=60, env=environment
    )


def test_without_a_terminal_it_prints_the_report(run_path):
    done = dashboard(run_path)

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == to_text(open_run(run_path), 100)
    assert "\x1b" not in done.stdout


def test_without_a_terminal_there_is_nothing_to_wait_for(tmp_path):
    done = dashboard(tmp_path / "none.parquet")

    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith("xlbias: ")
    assert "there is no such run" in done.stderr


def test_a_dumb_terminal_gets_the_report_too(run_path):
    child = pexpect.spawn(sys.executable, ["-m", "xlbias", "dashboard", str(run_path)], env={"TERM": "dumb"})
    output = child.read()
    child.close()

    assert child.exitstatus == 0
    assert b"hybrid" in output
    assert b"\x1b" not in output


def test_an_unknown_theme_is_refused_with_the_names_of_those_there_are(run_path):
    arguments = ["-m", "xlbias", "dashboard", str(run_path), "--theme", "no\x1b[31mne"]
    child = pexpect.spawn(sys.executable, arguments, dimensions=(24, 500))
    output = child.read().decode()
    child.close()

    assert child.exitstatus == 2
    assert "there is no theme" in output
    assert "xlbias-light" in output
    assert "\x1b[31m" not in output
    assert "Traceback" not in output


def test_help_has_an_example_and_loads_no_interface():
    code = (
        "import sys\nfrom xlbias.cli import run\nrun(['dashboard', '--help'])\n"
        "print([name for name in ('textual', 'polars', 'numpy', 'torch') if name in sys.modules], file=sys.stderr)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert "xlbias dashboard run.parquet" in done.stdout
    assert done.stderr == "[]\n"
