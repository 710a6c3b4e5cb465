"""`--dashboard`: the work goes on in a process of its own, whatever becomes of the dashboard and its terminal."""

import json
import os
import pty
import signal
import subprocess
import sys
import time
from contextlib import contextmanager, suppress

import click
import psutil
import pytest
from dashboard.idle import PATIENCE
from dashboard.made import LiveRun
from dashboard.terminal.test_terminal import Terminal

from xlbias.cli import run
from xlbias.cli.watch import _open_log, watches, words_without_flag
from xlbias.dashboard.workers.process import WatchedProcess
from xlbias.results.run import open_run
from xlbias.runs.journal import live_folder

pytestmark = pytest.mark.e2e

WORK = 3 * PATIENCE  # seconds for what a new process does: it imports the libraries first, and the machine may be busy

SQUARES = (("en", "What is the square of", "It is"), ("de", "Was ist das Quadrat von", "Es ist"))
SMALL = ["--batch-size", "8", "--set", "dimension=16", "--set", "vocabulary=300", "--set", "validation=0.3"]


@pytest.fixture
def task(tmp_path):
    lines = [
        {"id": str(i), "language": language, "query": f"{question} {i}?", "passage": f"{answer} {i * i}."}
        for i in range(60)
        for language, question, answer in SQUARES
    ]
    path = tmp_path / "squares.jsonl"
    path.write_text("\n".join(map(json.dumps, lines)), "utf-8")
    return f"parallel:{path}"


@pytest.fixture
def started(tmp_path, monkeypatch):
    """Start commands in a pty, in a folder of their own; end what is left of them."""
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.chdir(tmp_path)
    before = {process.pid for process in psutil.process_iter()}
    terminals = []

    def start(*words, size=(100, 30), **environment):
        terminals.append(Terminal(*words, command=(), size=size, **environment))
        return terminals[-1]

    yield start
    for terminal in terminals:
        terminal.child.close(force=True)
    for process in psutil.process_iter(["pid", "cmdline"]):
        words = process.info["cmdline"] or []
        if process.pid not in before and "xlbias" in words and any(str(tmp_path) in word for word in words):
            process.kill()


@pytest.fixture(scope="module")
def finished_run_bytes(tmp_path_factory):
    return LiveRun(tmp_path_factory.mktemp("finished") / "run.parquet").write_all().finish().read_bytes()


def pid_of(run):
    return json.loads((live_folder(run) / "writer.json").read_text("utf-8"))["pid"]


def is_training(run):
    return (live_folder(run) / "progress.json").exists()


@contextmanager
def stopped_under_way(run, terminal):
    """Stop a training once its first steps are done, to look at it; it goes on afterwards."""
    wait_for(lambda: (terminal.read(0.01), is_training(run) and open_run(run).state.progress.unit == "steps")[1])
    writer = psutil.Process(pid_of(run))
    writer.suspend()
    yield
    writer.resume()


def drained(terminal):
    with suppress(BlockingIOError):
        while os.read(terminal, 65536):
            pass


def wait_for(condition, seconds=120.0):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def ended(terminal):
    """What the terminal says after the dashboard is gone, and the exit code."""
    code = terminal.ended()
    return terminal.raw.rpartition(b"\x1b[?1049l")[2].decode(), code


@pytest.mark.slow
def test_a_training_is_followed_from_the_first_second_to_the_last(started, task, tmp_path):
    words = ["train", "--task", task, "--out", "out", *SMALL, "--steps", "200", "--sampler", "mono"]
    with started(*words, "--dashboard") as terminal:
        terminal.until("xlbias train is starting")
        with stopped_under_way(tmp_path / "out" / "training.parquet", terminal):
            terminal.until("7 Training", "● running", "of 200")
        terminal.until("xlbias train has finished", seconds=WORK)
        terminal.until("step 200 of 200")
        terminal.until("■ finished")
        assert b"Traceback" not in terminal.raw
        terminal.press("q")
        said, code = ended(terminal)
    assert code == 0
    assert "xlbias train has finished; its log: out.log" in said
    assert "xlbias dashboard out/training.parquet" in said
    run = open_run(tmp_path / "out" / "training.parquet")
    assert run.state.status == "finished"
    assert "--dashboard" not in run.metadata["command"]
    assert run.metadata["command"][1:] == words
    log = (tmp_path / "out.log").read_text("utf-8")
    assert "steps\t200" in log
    assert "\x1b" not in log


@pytest.mark.slow
def test_the_work_goes_on_without_the_dashboard_and_its_end_is_reported(started, task, tmp_path):
    words = ["train", "--task", task, "--out", "out", *SMALL, "--steps", "100000", "--sampler", "mono", "--dashboard"]
    run = tmp_path / "out" / "training.parquet"
    with started(*words) as terminal:
        terminal.until("of 100,000", seconds=WORK)
        writer = psutil.Process(pid_of(run))
        assert os.getsid(writer.pid) == writer.pid  # a session of its own, without a terminal
        assert writer.terminal() is None
        terminal.press("\x03")  # Ctrl-C
        said, code = ended(terminal)
    assert code == 0
    assert f"xlbias train continues in process {writer.pid}; its log: out.log" in said
    assert writer.is_running()
    before = open_run(run).state.progress.done

    with started("dashboard", "out/training.parquet") as terminal:  # as it was said
        terminal.until("● running")
        wait_for(lambda: (terminal.read(0.1), open_run(run).state.progress.done > before)[1])
        writer.kill()
        terminal.until("✖ writer died", f"process {writer.pid}")


@pytest.mark.slow
def test_the_end_of_the_terminal_is_not_the_end_of_the_work(started, task, tmp_path):
    words = ["train", "--task", task, "--out", "out", *SMALL, "--steps", "100000", "--sampler", "mono", "--dashboard"]
    run = tmp_path / "out" / "training.parquet"
    shell, terminal = pty.fork()
    if shell == 0:
        os.execve(sys.executable, [sys.executable, "-m", "xlbias", *words], {**os.environ, "TERM": "xterm"})
    os.set_blocking(terminal, False)
    wait_for(lambda: (drained(terminal), is_training(run))[1])
    writer = psutil.Process(pid_of(run))
    os.close(terminal)  # the connection drops: the kernel sends SIGHUP to the session of the terminal
    _, status = os.waitpid(shell, 0)
    assert os.WIFSIGNALED(status) or os.WIFEXITED(status)
    at = open_run(run).state.progress.done
    wait_for(lambda: open_run(run).state.progress.done > at)
    assert open_run(run).state.status == "running"
    writer.kill()


def test_work_that_is_killed_while_it_is_watched_is_reported(started, task, tmp_path):
    words = ["train", "--task", task, "--out", "out", *SMALL, "--steps", "100000", "--sampler", "mono", "--dashboard"]
    with started(*words) as terminal:
        terminal.until("of 100,000", seconds=WORK)
        os.kill(pid_of(tmp_path / "out" / "training.parquet"), signal.SIGKILL)
        terminal.until("✖ xlbias train was killed (SIGKILL)", "the same command with --resume continues. Log: out.log")
        terminal.until("✖ writer died")
        terminal.press("q")
        said, code = ended(terminal)
    assert code == 128 + signal.SIGKILL
    assert "xlbias train was killed (SIGKILL); its log: out.log" in said


def test_what_fails_before_there_is_anything_to_see_says_why_and_nothing_else(started, tmp_path):
    with started("evaluate", "no/such/encoder", "--out", "run.parquet", "--dashboard") as terminal:
        said, code = ended(terminal)
    assert code == 2
    assert "xlbias: no/such/encoder: there is no such folder" in said
    assert "continues" not in said
    assert sorted(path.name for path in tmp_path.iterdir() if path.name != "state") == []


@pytest.mark.slow
def test_an_older_run_is_not_taken_for_that_of_the_work(started, task, tmp_path, finished_run_bytes):
    (tmp_path / "run.parquet").write_bytes(finished_run_bytes)
    with started("evaluate", "static-small", "--task", task, "--out", "run.parquet", "--dashboard") as terminal:
        said, code = ended(terminal)
    assert code == 2
    assert "run.parquet: is there already" in said
    assert "hybrid" not in "".join(terminal.screen.display)
    assert (tmp_path / "run.parquet").read_bytes() == finished_run_bytes

    with started("evaluate", "static-small", "--task", task, "--out", "run.parquet", "--overwrite", "--dashboard") as t:
        t.until("xlbias evaluate has finished", seconds=WORK)
        t.until("static-small")
        t.press("q")
        assert ended(t)[1] == 0


@pytest.mark.slow
def test_a_study_shows_its_steps(started, task, tmp_path):
    settings = "steps = 2\nbatch_size = 8\ndimension = 16\nvocabulary = 300\nvalidation = 0\n"
    plan = (
        f'samplers = ["mono", "cross"]\n[settings]\n{settings}[sources]\nlow = "{task}"\n[targets]\nagain = "{task}"\n'
    )
    (tmp_path / "plan.toml").write_text(plan, "utf-8")
    with started("study", "plan.toml", "--dashboard", size=(140, 40)) as terminal:
        terminal.until("of 4 steps", seconds=WORK)
        terminal.until("study: ")
        terminal.until("xlbias study has finished", seconds=WORK)
        terminal.until("low-cross-seed0")
        terminal.press("q")
        said, code = ended(terminal)
    assert code == 0
    assert "xlbias dashboard plan/run.parquet" in said
    assert "# plan" in (tmp_path / "plan.log").read_text("utf-8")


def test_a_run_that_is_being_written_is_shown_and_nothing_is_started(started, tmp_path):
    run = LiveRun(tmp_path / "run.parquet")
    run.write("de")
    with started("audit", "static-small", "--out", "run.parquet") as terminal:
        terminal.until("mono")
        terminal.until("● running")
        terminal.press("q")
        _, code = ended(terminal)
    assert code == 0
    said = f"run.parquet is already being written by process {os.getpid()}: this shows it, nothing is started"
    assert said.encode() in terminal.raw
    assert not list(tmp_path.glob("*.log"))
    run.journal.close()


def test_two_processes_never_write_one_log_and_a_log_that_nobody_writes_is_gone_on_with(tmp_path):
    path, first = _open_log(tmp_path / "run.parquet")
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE, stdout=first)
    first.close()
    try:
        other, second = _open_log(tmp_path / "run.parquet")
        assert (path.name, other.name) == ("run.parquet.log", "run.parquet-2.log")
        second.close()
    finally:
        child.communicate(b"\n")
    again, third = _open_log(tmp_path / "run.parquet")
    third.close()
    assert again == path


@pytest.mark.parametrize(
    ("written", "error"),
    [
        ("loading\nxlbias: x: is there already\n[low, high]: 95 %\n", "x: is there already"),
        ("a\nRuntimeError: CUDA\nlast\n", "RuntimeError: CUDA"), ("a\nb\n", "b"),
    ],
)  # fmt: skip
def test_the_trouble_is_what_was_written_as_an_error(tmp_path, written, error):
    log = tmp_path / "x.log"
    log.write_text("xlbias: an older one\n" + written)
    process = subprocess.Popen([sys.executable, "-c", "raise SystemExit(2)"])
    work = WatchedProcess(process, "xlbias audit", log, len("xlbias: an older one\n"))
    wait_for(lambda: work.code is not None)
    assert work.trouble().startswith(f"✖ xlbias audit failed with exit code 2: {error}")


def test_without_a_terminal_the_work_runs_here(task, tmp_path, capfd):
    assert not sys.stdin.isatty()
    words = ["train", "--task", task, "--out", str(tmp_path / "out"), *SMALL]
    assert run([*words, "--steps", "3", "--sampler", "mono", "--dashboard"]) == 0
    printed = capfd.readouterr()
    assert "steps\t3" in printed.out
    assert printed.err.startswith("--dashboard needs a terminal; there is none, so the work continues without it\n")
    assert not (tmp_path / "out.log").exists()
    assert open_run(tmp_path / "out" / "training.parquet").state.status == "finished"


@pytest.mark.parametrize(
    ("environment", "quiet", "said"),
    [
        ({}, False, "--dashboard needs a terminal"), ({}, True, ""),
        ({"RANK": "0", "WORLD_SIZE": "2"}, False, "--dashboard is for a single process"),
        ({"RANK": "1", "WORLD_SIZE": "2"}, False, ""),
    ],
)  # fmt: skip
def test_where_there_is_nothing_to_watch_one_sentence_says_so(environment, quiet, said, monkeypatch, capsys):
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert not watches(quiet=quiet)
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith(said)
    assert printed.err.count("\n") == bool(said)


def test_an_argument_that_looks_like_the_option_is_left_alone():
    ctx = click.Context(click.Command("x"), obj={"words": ["train", "--dashboard", "--out", "a", "--", "--dashboard"]})
    assert words_without_flag(ctx) == ["train", "--out", "a", "--", "--dashboard"]
