"""`xlbias audit`: evaluate, and the dashboard where there is a terminal, in one command."""

import json
import subprocess
import sys

import pytest
from dashboard.idle import PATIENCE
from dashboard.terminal.test_terminal import Terminal

from xlbias.cli import COMMANDS, run
from xlbias.cli.audit import _free_path, command
from xlbias.cli.evaluate import command as evaluate
from xlbias.report.documents.brief import brief
from xlbias.results.run import open_run

pytestmark = pytest.mark.e2e


@pytest.fixture
def task(tmp_path):
    lines = [
        {"id": str(i), "language": language, "query": f"{question} {i}?", "passage": f"{i * i}."}
        for i in range(12)
        for language, question in (("en", "What is the square of"), ("de", "Was ist das Quadrat von"))
    ]
    (tmp_path / "squares.jsonl").write_text("\n".join(map(json.dumps, lines)), "utf-8")
    return f"parallel:{tmp_path / 'squares.jsonl'}"


def test_it_has_the_options_of_evaluate():
    own, theirs = ({p.name: p for p in each.params} for each in (command, evaluate))
    assert set(theirs) - set(own) == {"dashboard"}
    assert set(own) == set(theirs) - {"dashboard"}
    assert all(own[name] is theirs[name] for name in own if name != "out")
    assert "audit" in COMMANDS


def test_help_has_examples_and_loads_nothing_heavy():
    code = (
        "import sys\nfrom xlbias.cli import run\nrun(['audit', '--help'])\n"
        "print([name for name in ('textual', 'polars', 'numpy', 'torch') if name in sys.modules], file=sys.stderr)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "xlbias audit static-small" in done.stdout
    assert done.stderr == "[]\n"


def test_without_a_terminal_it_prints_the_report_and_says_where_the_run_is(task, tmp_path, monkeypatch, capfd):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")
    assert not sys.stdin.isatty()
    assert run(["audit", "static-small", "--task", task, "--no-cache"]) == 0
    printed = capfd.readouterr()
    assert printed.err.startswith("run: audit-static-small.parquet\n")
    found = open_run(tmp_path / "audit-static-small.parquet")
    assert found.state.status == "finished"
    # the path is the one that the command was given, so the head of the report is another one
    assert printed.out.splitlines()[1:] == brief(found, 100).splitlines()[1:]


def test_on_a_terminal_the_dashboard_follows_and_leaving_says_where_the_run_is(task, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    with Terminal("audit", "static-small", "--task", task, "--no-cache", command=(), size=(100, 30)) as terminal:
        terminal.until("xlbias audit is starting")
        terminal.until("xlbias audit has finished", seconds=3 * PATIENCE)
        terminal.until("◆.414")
        terminal.press("2")
        terminal.until("static-small on")
        terminal.press("q")
        assert terminal.ended() == 0
        said = terminal.raw.rpartition(b"\x1b[?1049l")[2].decode()
    assert "look at it with: xlbias dashboard audit-static-small.parquet" in said
    assert open_run(tmp_path / "audit-static-small.parquet").state.status == "finished"


def test_an_earlier_audit_is_not_overwritten(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert str(_free_path(("hub/e5",), overwrite=False)) == "audit-e5.parquet"
    (tmp_path / "audit-e5.parquet").touch()
    (tmp_path / "audit-e5-2.parquet.live").mkdir()
    assert str(_free_path(("hub/e5",), overwrite=False)) == "audit-e5-3.parquet"
    assert str(_free_path(("hub/e5",), overwrite=True)) == "audit-e5.parquet"
    assert str(_free_path(("out/hybrid/", "b"), overwrite=False)) == "audit-hybrid-and-1.parquet"
    assert str(_free_path(("../\x1b]0;x\x07/;rm -rf *",), overwrite=False)) == "audit-rm--rf.parquet"
    assert str(_free_path(("..",), overwrite=False)) == "audit-encoder.parquet"


def test_a_closed_folder_means_a_temporary_one(tmp_path, monkeypatch):
    monkeypatch.setattr("xlbias.cli.audit.os.access", lambda *_: False)
    path = _free_path(("e5",), overwrite=False)
    assert path.is_absolute()
    assert path.parent.is_dir()
    path.parent.rmdir()


@pytest.mark.parametrize(
    ("words", "said"),
    [(["m", "--resume"], "--resume needs --out"), (["m", "--resume", "--overwrite", "--out", "x"], "contradict")],
)
def test_wrong_options_are_one_sentence(words, said, capsys):
    assert run(["audit", *words]) == 2
    assert said in capsys.readouterr().err
