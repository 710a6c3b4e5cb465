"""The command line as a whole: light, lazy, and one clear sentence for what goes wrong."""

import os
import subprocess
import sys

import click
import pytest

from xlbias.cli import COMMANDS, main, run

HEAVY = {"torch", "polars", "textual", "numpy", "transformers", "sentence_transformers", "faiss", "numba", "rich"}


def imported_by(*arguments: str) -> set[str]:
    code = (
        f"import sys; from xlbias.cli import run; code = run({list(arguments)!r});"
        "print(*sys.modules, file=sys.stderr); sys.exit(code)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stderr.split())


@pytest.mark.e2e
@pytest.mark.parametrize("arguments", [["--help"], *([name, "--help"] for name in COMMANDS)])
def test_help_imports_nothing_heavy(arguments):
    assert not HEAVY & imported_by(*arguments)


def test_help_names_every_command_and_every_command_has_an_example(capsys):
    assert run(["--help"]) == 0
    shown = capsys.readouterr().out
    for name in COMMANDS:
        assert f"  {name} " in shown
        command = main.get_command(click.Context(main), name)
        assert command is not None
        described = (command.epilog or "") + (command.help or "")
        assert f"xlbias {name}" in described, f"{name} has no example"


def test_an_unknown_command_or_option_is_wrong_usage(capsys):
    assert run(["evalute"]) == 2
    assert "No such command 'evalute'" in capsys.readouterr().err
    assert run(["report", "--nonsense"]) == 2


def test_an_error_is_one_sentence_and_a_traceback_only_with_debug(capsys):
    assert run(["report", "missing.parquet"]) == 2
    err = capsys.readouterr().err
    assert err == "xlbias: missing.parquet: there is no such run\n"
    assert run(["report", "missing.parquet", "--debug"]) == 2
    err = capsys.readouterr().err
    assert err.startswith("Traceback (most recent call last):\n")
    assert err.endswith("RunError: missing.parquet: there is no such run\n")


def test_a_traceback_that_quotes_a_hostile_name_prints_nothing_a_terminal_obeys(capsys):
    assert run(["report", "\x1b]52;c;ZXZpbA==\x07.parquet", "--debug"]) == 2
    err = capsys.readouterr().err
    assert "RunError: ␛]52;c;ZXZpbA==␇.parquet" in err
    assert "\x1b" not in err


def test_an_error_that_quotes_a_hostile_name_prints_nothing_a_terminal_obeys(capsys):
    assert run(["report", "\x1b]52;c;ZXZpbA==\x07.parquet"]) == 2
    assert "\x1b" not in capsys.readouterr().err


def test_wrong_usage_that_quotes_a_hostile_word_prints_nothing_a_terminal_obeys(capsys):
    assert run(["report", "a.parquet", "evil\x1b]0;pwn\x07.parquet"]) == 2
    assert "\x1b" not in capsys.readouterr().err


def test_what_nobody_foresaw_is_a_sentence_and_never_the_code_of_a_failed_check(capsys, monkeypatch):
    monkeypatch.setattr("xlbias.results.run.open_run", lambda _: 1 // 0)
    assert run(["report", "a.parquet"]) == 2
    assert "unexpected ZeroDivisionError" in capsys.readouterr().err


def test_a_report_never_replaces_a_run(tmp_path, capsys):
    target = tmp_path / "run.parquet"
    target.write_bytes(b"precious")
    assert run(["report", "a.parquet", "--out", str(target)]) == 2
    assert "is the name of a run" in capsys.readouterr().err
    assert target.read_bytes() == b"precious"


@pytest.mark.e2e
def test_python_dash_m_works_and_a_closed_pipe_is_no_error():
    command = f"set -o pipefail; {sys.executable} -m xlbias data list | true"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False, env={**os.environ})
    assert (done.returncode, done.stderr) == (0, "")


def test_the_version_is_that_of_the_package(capsys):
    import xlbias

    assert run(["--version"]) == 0
    assert xlbias.__version__ in capsys.readouterr().out
