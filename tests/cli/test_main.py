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
        f"import sys; from xlbias.cli import run; code = run({list(arguments)!r}); print(*sys.modules); sys.exit(code)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


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
        assert f"xlbias {name}" in (command.epilog or ""), f"{name} has no example"


def test_an_unknown_command_or_option_is_wrong_usage(capsys):
    assert run(["evalute"]) == 2
    assert "No such command 'evalute'" in capsys.readouterr().err
    assert run(["report", "--nonsense"]) == 2


def test_an_error_is_one_sentence_and_a_traceback_only_with_debug(capsys):
    assert run(["report", "missing.parquet"]) == 2
    err = capsys.readouterr().err
    assert err == "xlbias: missing.parquet: there is no such run\n"
    with pytest.raises(Exception, match="there is no such run"):
        run(["report", "missing.parquet", "--debug"])


def test_an_error_that_quotes_a_hostile_name_prints_nothing_a_terminal_obeys(capsys):
    assert run(["report", "\x1b]52;c;ZXZpbA==\x07.parquet"]) == 2
    assert "\x1b" not in capsys.readouterr().err


def test_python_dash_m_works_and_a_closed_pipe_is_no_error():
    command = f"{sys.executable} -m xlbias data list | head -1"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=True, env={**os.environ})
    assert "Traceback" not in done.stderr


def test_the_version_is_that_of_the_package(capsys):
    import xlbias

    assert run(["--version"]) == 0
    assert xlbias.__version__ in capsys.readouterr().out
