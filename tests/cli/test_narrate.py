"""How far a command is, on stderr."""

import pytest

from xlbias.cli import narrate
from xlbias.cli.narrate import StderrNarrator, line_of
from xlbias.progress import Report

REPORT = Report(0.6399, 250.0, "hybrid · xquad-r: ranking", 512, 13_090, "queries")


@pytest.mark.parametrize(
    ("report", "line"),
    [
        (REPORT, "63 %, 4 min 10 s left: hybrid · xquad-r: ranking, 512 of 13,090 queries"),
        (Report(0.0, None, "hybrid: loading"), "0 %: hybrid: loading"),
        (Report(1.0, 0.0, "done"), "100 %, 0 s left: done"),
        (Report(0.5, 9_000.0, "\x1b]52;c;eA==\x07evil"), "50 %, 2 h 30 min left: ␛]52;c;eA==␇evil"),
        (
            Report(0.5, 42.0, "mono: training", 200, 400, "steps", "loss 2.310"),
            "50 %, 42 s left: mono: training, 200 of 400 steps, loss 2.310",
        ),
        (Report(0.5, 42.0, "loading", note="loss 2"), "50 %, 42 s left: loading, loss 2"),
    ],
)
def test_a_line_has_share_time_left_and_phase(report, line):
    assert line_of(report) == line


def test_without_a_terminal_there_is_a_line_every_half_a_minute(monkeypatch, capsys):
    now = [100.0]
    monkeypatch.setattr(narrate.time, "monotonic", lambda: now[0])
    with StderrNarrator().watch() as tell:
        for at in (101.0, 129.9, 130.0, 131.0, 160.1):
            now[0] = at
            tell(Report(at / 1000, None, f"at {at}"))
    assert capsys.readouterr().err.splitlines() == ["13 %: at 130.0", "16 %: at 160.1"]


def test_quiet_says_nothing(capsys):
    narrator = StderrNarrator(quiet=True)
    with narrator.watch() as tell:
        tell(REPORT)
        narrator.say("a line")
    assert capsys.readouterr().err == ""
