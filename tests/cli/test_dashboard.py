"""`xlbias dashboard` as a command: what it does where there is no terminal, and what it refuses."""

import os
import subprocess
import sys

import pexpect
import pytest
from dashboard.made import LiveRun
from dashboard.terminal.test_terminal import Terminal

from xlbias.report.documents.brief import brief
from xlbias.results.run import open_run

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def run_path(tmp_path_factory):
    return LiveRun(tmp_path_factory.mktemp("runs") / "run.parquet").write_all().finish()


def dashboard(*arguments):
    command = [sys.executable, "-m", "xlbias", "dashboard", *map(str, arguments)]
    environment = {**os.environ, "COLUMNS": "100"}  # whatever the shell that runs the tests says
    return subprocess.run(
        command, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False, timeout=240, env=environment
    )


def test_without_a_terminal_it_prints_the_report(run_path):
    done = dashboard(run_path)

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == brief(open_run(run_path), 100)
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
    assert "unknown theme" in output
    assert "xlbias-light" in output
    assert "\x1b[31m" not in output
    assert "Traceback" not in output


def test_it_is_refused_without_a_terminal_too(run_path):
    done = dashboard(run_path, "--theme", "xlbias-lihgt")
    assert (done.returncode, done.stdout) == (2, "")
    assert "unknown theme 'xlbias-lihgt'" in done.stderr
    assert "(did you mean xlbias-light or " in done.stderr


def test_help_has_an_example_and_loads_no_interface():
    code = (
        "import sys\nfrom xlbias.cli import run\nrun(['dashboard', '--help'])\n"
        "print([name for name in ('textual', 'polars', 'numpy', 'torch') if name in sys.modules], file=sys.stderr)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert "xlbias dashboard run.parquet" in done.stdout
    assert done.stderr == "[]\n"


@pytest.fixture(scope="module")
def single_runs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("singles")
    return [LiveRun(folder / f"{name}.parquet", models=(name,)).write_all().finish() for name in ("base", "new")]


def test_of_two_runs_it_prints_the_comparison_without_a_terminal(single_runs):
    done = dashboard(*single_runs)
    command = [sys.executable, "-m", "xlbias", "compare", *map(str, single_runs)]
    compared = subprocess.run(
        command,
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        check=True,
        env={**os.environ, "COLUMNS": "100"},
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == compared.stdout
    assert "base" in done.stdout


def test_of_two_runs_the_second_is_shown_with_differences_from_the_first(single_runs, monkeypatch):
    monkeypatch.chdir(single_runs[0].parent)
    with Terminal("base.parquet", "new.parquet", "--read-only", size=(120, 30)) as terminal:
        terminal.until("finished  new.parquet")
        terminal.press("2")
        terminal.until("base of base.parquet")
        terminal.press("p")
        terminal.until("read-only")
        terminal.press("q")
        assert terminal.ended() == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["a", "b", "c"], "3 runs are too many: expected one, or two to see the differences"),
        (["a", "--port", "80"], "--port is for --serve"),
        (["a", "--serve", "--port", "0"], "--port"),
        ([], "name a run, such as: xlbias dashboard run.parquet"),
    ],
)
def test_what_makes_no_sense_is_said_in_one_sentence(arguments, said):
    done = dashboard(*arguments)
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_alone_on_a_terminal_it_lists_the_runs_near_here(single_runs, monkeypatch, tmp_path):
    monkeypatch.chdir(single_runs[0].parent)
    with Terminal(command=(), XDG_STATE_HOME=str(tmp_path)) as terminal:
        terminal.until("2 runs", "base.parquet", "new.parquet")
        terminal.press("q")
        assert terminal.ended() == 0


def test_a_folder_is_its_one_run_or_the_picker_over_it(single_runs, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "one.parquet").write_bytes(single_runs[0].read_bytes())
    with Terminal(str(tmp_path / "out"), XDG_STATE_HOME=str(tmp_path / "state")) as terminal:
        terminal.until("finished  one.parquet")
        terminal.press("q")
        assert terminal.ended() == 0
    with Terminal(str(single_runs[0].parent), XDG_STATE_HOME=str(tmp_path / "none yet")) as terminal:
        terminal.until("2 runs", "base.parquet")
        terminal.press("q")
        assert terminal.ended() == 0


def test_without_a_terminal_a_folder_is_the_report_of_its_one_run(single_runs, tmp_path):
    (tmp_path / "one.parquet").write_bytes(single_runs[0].read_bytes())
    done = dashboard(tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == brief(open_run(tmp_path / "one.parquet"), 100)
    several = dashboard(single_runs[0].parent)
    assert several.returncode == 2
    assert "base.parquet" in several.stderr
    assert "new.parquet" in several.stderr


def test_without_the_package_serve_says_what_to_install(run_path):
    code = (
        "import sys\nsys.modules['textual_serve'] = None\nfrom xlbias.cli import run\n"
        f"sys.exit(run(['dashboard', {str(run_path)!r}, '--serve']))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "pip install 'xlbias[serve]'" in done.stderr
