"""The pager: git's rules, on a terminal only."""

import os
import sys

import pexpect
import pytest

from xlbias.cli import pager

LINES = 12
CODE = """
import sys
from xlbias.cli.pager import print_paged
print_paged("".join(f"line {i}\\n" for i in range(int(sys.argv[1]))))
print("over")
"""
MARKED = "sed 's/^/paged /'"


@pytest.fixture
def child():
    def start(n_lines, **env):
        clean = {k: v for k, v in os.environ.items() if k not in ("PAGER", "XLBIAS_PAGER", "LESS", "LINES", "COLUMNS")}
        started = pexpect.spawn(
            sys.executable, ["-c", CODE, str(n_lines)], env={**clean, "TERM": "xterm", **env}, encoding="utf-8",
            dimensions=(LINES, 80), timeout=60,
        )  # fmt: skip
        started.expect("over")
        return started.before.splitlines()

    return start


@pytest.mark.e2e
def test_what_is_longer_than_the_screen_goes_through_the_pager(child):
    assert child(LINES, PAGER=MARKED) == [f"paged line {i}" for i in range(LINES)]
    assert child(LINES - 1, PAGER=MARKED) == [f"line {i}" for i in range(LINES - 1)]


@pytest.mark.e2e
def test_xlbias_has_a_pager_of_its_own_and_an_empty_one_is_none(child):
    assert child(LINES, PAGER="cat >/dev/null", XLBIAS_PAGER=MARKED)[0] == "paged line 0"
    assert child(LINES, PAGER=MARKED, XLBIAS_PAGER="")[0] == "line 0"
    assert child(LINES, PAGER="cat")[0] == "line 0"


@pytest.mark.e2e
def test_a_pager_that_is_not_there_or_leaves_early_loses_nothing_and_is_no_error(child):
    lines = child(LINES, PAGER="no-such-pager")
    assert lines[-LINES:] == [f"line {i}" for i in range(LINES)]
    assert child(20_000, PAGER="head -n 1") == ["line 0"]


@pytest.mark.e2e
def test_less_gets_the_settings_that_git_gives_it(child):
    assert child(LINES, PAGER='cat >/dev/null; echo "$LESS $LV"') == ["FRX -c"]
    assert child(LINES, PAGER='cat >/dev/null; echo "$LESS"', LESS="-S") == ["-S"]


def test_elsewhere_than_on_a_terminal_there_is_none(monkeypatch, capsys):
    monkeypatch.setenv("PAGER", "false")
    pager.print_paged("line\n" * 1000)
    assert capsys.readouterr().out == "line\n" * 1000


def test_no_pager_stands_anywhere_on_the_line(monkeypatch, capsys):
    from xlbias.cli import run

    monkeypatch.setenv("XLBIAS_PAGER", "less")
    assert run(["measures", "map", "--no-pager"]) == 0
    assert pager.pager() == ""
