"""Code that lies in the current folder, as in that of a downloaded model, is never run."""

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pexpect
import pytest
from planted import NUMBA_SETTINGS, console_script, plant

import xlbias
from xlbias.dashboard.workers.study_contrasts import StudyContrasts
from xlbias.interpreter import leave_current_folder, own_command
from xlbias.study.workers import _CONTEXT, _surroundings

pytestmark = pytest.mark.e2e

ROOT = Path(xlbias.__file__).parent.parent


class Folder:
    """The hostile folder, made the current one, and what has run in it."""

    def __init__(self, path, outside):
        self.path, self._ran = path, outside / "ran"
        self.script = console_script(outside)
        plant(path, self._ran)

    @property
    def ran(self):
        """Names of planted modules that have run."""
        return self._ran.read_text("utf-8").split() if self._ran.exists() else []

    def run(self, *words):
        """Run the command `xlbias` here, without a terminal."""
        return subprocess.run([*self.script, *words], capture_output=True, text=True, check=False, timeout=600)

    def run_in_a_terminal(self, *words):
        """Run the command `xlbias` here, and return what a terminal was sent."""
        child = pexpect.spawn(
            self.script[0], [self.script[1], *words], env={**os.environ, "TERM": "xterm"}, timeout=300
        )
        sent = child.read().decode()
        child.close()
        return sent


@pytest.fixture
def folder(tmp_path, monkeypatch):
    (tmp_path / "model").mkdir()
    (tmp_path / "outside").mkdir()
    monkeypatch.chdir(tmp_path / "model")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("PYTHONPATH", str(ROOT))  # nothing of the tests' own, such as the current folder
    monkeypatch.delenv("PYTHONSAFEPATH", raising=False)
    return Folder(tmp_path / "model", tmp_path / "outside")


def test_what_is_planted_would_run(folder):
    subprocess.run([sys.executable, "-c", "import click"], check=True)
    assert "click" in folder.ran


def test_the_command_itself_runs_none_of_it(folder):
    assert folder.run("data", "list").returncode == 0
    assert folder.run("report", "missing.parquet").returncode == 2
    assert folder.ran == []


@pytest.mark.parametrize("command", ["evaluate", "audit"])
def test_an_evaluation_that_is_watched_runs_none_of_it(command, folder):
    words = [command, "static-small", "--task", "parallel:no.jsonl"]
    sent = folder.run_in_a_terminal(*words, *(["--dashboard"] if command == "evaluate" else []))
    assert "no.jsonl" in sent
    assert folder.ran == []


def test_a_training_and_a_study_that_are_watched_run_none_of_it(folder):
    sent = folder.run_in_a_terminal("train", "--task", "parallel:no.jsonl", "--out", "out", "--dashboard")
    assert "no.jsonl" in sent
    (folder.path / "plan.toml").write_text(
        'samplers = ["mono"]\n[sources]\na = "parallel:no.jsonl"\n[targets]\nb = "a:b"'
    )
    sent = folder.run_in_a_terminal("study", "plan.toml", "--dashboard")
    assert "xlbias: " in sent
    assert folder.ran == []


def test_a_process_of_a_study_runs_none_of_it(folder):
    with _surroundings(2):
        process = _CONTEXT.Process(target=time.sleep, args=(0,))
        process.start()
    process.join()
    assert process.exitcode == 0
    assert folder.ran == []
    assert "PYTHONSAFEPATH" not in os.environ


def test_a_comparison_beside_the_dashboard_runs_none_of_it(folder):
    contrasting = StudyContrasts(folder.path / "missing.parquet", lambda: None)
    contrasting._reader.join()
    assert "missing.parquet" in contrasting.trouble
    assert folder.ran == []


def test_what_a_browser_is_shown_runs_none_of_it(folder):
    from xlbias.dashboard.serve import command_line

    done = subprocess.run(command_line(["missing.parquet"]), shell=True, capture_output=True, text=True, check=False)
    assert "missing.parquet: there is no such run" in done.stderr
    assert folder.ran == []


def test_python_dash_m_runs_none_of_it_from_its_first_line_on(folder):
    """Python itself imports a few modules of its own before that, from where it has been told to."""
    done = subprocess.run(
        [sys.executable, "-m", "xlbias", "report", "missing.parquet"], capture_output=True, text=True, check=False
    )
    before = {"importlib", "contextlib", "typing", "runpy", "pkgutil", "warnings", "types", "functools", "collections"}
    assert not set(folder.ran) - before, done.stderr


def test_whatever_a_library_starts_keeps_the_folder_off_its_path(folder):
    code = "import subprocess, sys\nfrom xlbias.interpreter import leave_current_folder\nleave_current_folder()\n"
    code += "subprocess.run([sys.executable, '-c', 'import click, textual, multiprocessing'], check=True)\n"
    subprocess.run([sys.executable, "-P", "-c", code], check=True)
    assert folder.ran == []


def test_a_user_without_a_home_is_not_given_a_folder_in_the_current_one(tmp_path, monkeypatch):
    """Numba, for one, would load compiled code from ``~/.cache``."""

    def unknown(number):
        raise KeyError(f"getpwuid(): uid not found: {number}")

    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONSAFEPATH", "1")
    monkeypatch.setattr("sys.path", list(sys.path))
    leave_current_folder()
    assert Path.home().is_absolute()
    monkeypatch.delenv("HOME")
    monkeypatch.setattr("pwd.getpwuid", unknown)
    assert os.path.expanduser("~") == "~"  # noqa: PTH111
    leave_current_folder()
    assert os.environ["HOME"] == "/nonexistent"
    monkeypatch.setenv("HOME", "/nonexistent")  # so that it is put back


def test_an_xlbias_that_is_in_the_current_folder_and_not_installed_starts_processes_of_its_own(tmp_path, monkeypatch):
    shutil.copytree(ROOT / "xlbias", tmp_path / "xlbias", ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.delenv("PYTHONPATH", raising=False)
    monkeypatch.chdir(tmp_path)
    code = "import subprocess, sys\nfrom xlbias.interpreter import leave_current_folder, own_command\n"
    code += "leave_current_folder()\nimport xlbias\nprint(xlbias.__file__)\nsys.stdout.flush()\n"
    code += "subprocess.run(own_command('--version'), check=True)\n"
    code += "subprocess.run([*own_command()[:-2], '-c', 'import xlbias; print(xlbias.__file__)'], check=True)\n"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.count(str(tmp_path / "xlbias" / "__init__.py")) == 2


def test_the_words_of_a_command_of_its_own_follow_the_module():
    assert own_command("report", "-m") == [sys.executable, "-P", "-m", "xlbias", "report", "-m"]


@pytest.mark.slow
def test_whole_commands_in_the_folder_of_an_encoder_run_none_of_it(folder):
    models = ROOT / "models" / "static-small"
    for file in models.iterdir():
        target = folder.path / file.name
        shutil.copytree(file, target) if file.is_dir() else shutil.copy(file, target)
    items = [
        {"id": str(i), "language": language, "query": f"{question} {i}?", "passage": f"{i * i}."}
        for i in range(12)
        for language, question in (("en", "What is the square of"), ("de", "Was ist das Quadrat von"))
    ]
    (folder.path / "squares.jsonl").write_text("\n".join(map(json.dumps, items)), "utf-8")
    task = "parallel:squares.jsonl"
    done = folder.run("evaluate", ".", "--task", task, "--no-cache", "--out", "run.parquet", "-q")
    assert done.returncode == 0, done.stderr
    assert not (folder.path / "numba").exists(), f"{NUMBA_SETTINGS} has been believed"
    settings = "steps = 2\nbatch_size = 8\ndimension = 16\nvocabulary = 300\nvalidation = 0\n"
    (folder.path / "plan.toml").write_text(
        f'samplers = ["mono", "cross"]\n[settings]\n{settings}[sources]\nlow = "{task}"\n[targets]\nagain = "{task}"\n'
    )
    done = folder.run("study", "plan.toml", "--jobs", "2", "-q")
    assert done.returncode == 0, done.stderr
    small = ["--steps", "2", "--batch-size", "8", "--set", "dimension=16", "--set", "vocabulary=300"]
    done = folder.run("train", "--task", task, "--out", "out", *small, "--validate", "none", "-q")
    assert done.returncode == 0, done.stderr
    for command in (["report"], ["compare", "--base", "low-mono-seed0"], ["check", "-r", "map.multilingual > 0"]):
        assert "unexpected" not in folder.run(command[0], "plan/run.parquet", *command[1:]).stderr
    assert folder.ran == []
