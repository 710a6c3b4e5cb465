"""`xlbias train` as a user runs it: the embedded default, its output, Ctrl-C, and wrong values."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from xlbias.cli import run
from xlbias.encode.load import load_encoder
from xlbias.runs.run import open_run

QUICK = ["--steps", "3", "--batch-size", "8"]
SQUARES = (("en", "What is the square of", "It is"), ("de", "Was ist das Quadrat von", "Es ist"))


@pytest.fixture
def corpus(tmp_path: Path) -> str:
    path = tmp_path / "facts.jsonl"
    lines = [
        {"id": str(i), "language": language, "query": f"{question} {i}?", "passage": f"{answer} {i * i}."}
        for i in range(12)
        for language, question, answer in SQUARES
    ]
    path.write_text("\n".join(map(json.dumps, lines)), "utf-8")
    return f"parallel:{path}"


def test_help_is_light() -> None:
    code = (
        "import sys\n"
        "from xlbias.cli import run\n"
        "run(['train', '--help'])\n"
        "heavy = {'torch', 'numpy', 'polars', 'textual', 'sentence_transformers'} & set(sys.modules)\n"
        "print('heavy:', sorted(heavy))\n"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "--sampler" in result.stdout
    assert "heavy: []" in result.stdout


def test_a_training_prints_what_it_did(corpus: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "mine"
    assert run(["train", "--task", corpus, "--out", str(out), "--seed", "4", "--alpha", "1", *QUICK]) == 0
    printed = capfd.readouterr()
    rows = dict(line.split("\t") for line in printed.out.splitlines())
    card = load_encoder(str(out), device="cpu").card
    assert rows["encoder"] == str(out)
    assert rows["steps"] == "3"
    assert rows["loss"] == f"{card['loss']:.4f}"
    assert rows["batches"] == "3 monolingual"
    assert (card["name"], card["seed"], card["alpha"], card["recipe"]["batch_size"]) == ("mine", 4, 1.0, 8)
    assert open_run(out / "training.parquet").training.collect().height == 3
    assert printed.err.splitlines() == [
        "loading the libraries",
        "nothing is held out of facts to validate on: it has 12 query ids, too few to spare 10",
        "mine: hybrid batches of 8 from 12 ids in 2 languages",
        "learning 16,000 sub-words from the training texts",
    ]


def test_quiet_says_nothing(corpus: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    arguments = ["train", "-t", corpus, "-o", str(tmp_path / "out"), "-s", "cross", "--name", "x", "--quiet", *QUICK]
    assert run(arguments) == 0
    assert capfd.readouterr().err == ""
    assert load_encoder(str(tmp_path / "out"), device="cpu").card["name"] == "x"


def test_the_training_parts_of_the_embedded_tasks_are_the_default(tmp_path: Path) -> None:
    assert run(["train", "-o", str(tmp_path / "out"), "--steps", "1", "-q"]) == 0
    card = load_encoder(str(tmp_path / "out"), device="cpu").card
    names = [f"builtin:{name}[split=train]" for name in ("money", "language", "calendar")]
    assert [source["name"] for source in card["sources"]] == names
    assert card["sampler"] == "hybrid"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--alpha", "0.5", "--sampler", "mono"], "--alpha is for the hybrid sampler, not for mono"),
        (["--alpha", "1.5"], "alpha is 1.5: expected a probability between 0 and 1"),
        (["--steps", "2", "--epochs", "1"], "--steps and --epochs contradict each other"),
        (["--steps", "-1"], "steps is -1: expected at least 1, or 0 for whole epochs"),
        (["--lr", "0"], "learning_rate is 0.0: expected more than 0"),
        (["--temperature", "nan"], "temperature is nan: expected more than 0"),
        (["--recipe", "nosuch"], "unknown recipe 'nosuch'"),
        (["--batch-size", "200"], "facts: no monolingual batch of 200 can be made: at most 12 ids in de can meet"),
        (["--device", "tpu"], "device 'tpu': expected cpu, cuda, mps"),
        (["--base", "./nowhere"], "./nowhere: there is no such folder"),
        (["--task", "parallel:nowhere.jsonl"], "nowhere.jsonl"),
        (["--sampler", "all"], "'all' is not one of 'english', 'mixed', 'mono', 'cross', 'hybrid'"),
    ],
)
def test_wrong_values_are_one_sentence_and_exit_code_2(
    arguments: list[str], message: str, corpus: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    tasks = [] if "--task" in arguments else ["--task", corpus]
    assert run(["train", "--quiet", "--out", str(out), *tasks, *arguments]) == 2
    printed = capfd.readouterr()
    assert message in printed.err.splitlines()[-1]
    assert "Traceback" not in printed.err
    assert printed.out == ""
    assert not out.exists()


def test_a_folder_that_holds_something_is_refused(
    corpus: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert run(["train", "-q", "-t", corpus, "-o", str(tmp_path), *QUICK]) == 2
    assert capfd.readouterr().err.splitlines() == [
        f"xlbias: {tmp_path}: is not empty: choose another folder, go on with the training there with --resume, or "
        "replace its checkpoint with --overwrite"
    ]


def test_ctrl_c_ends_with_130_and_keeps_the_curve(corpus: str, tmp_path: Path) -> None:
    out = tmp_path / "out"
    arguments = ["train", "--task", corpus, "--out", str(out), "--steps", "1000000", "--batch-size", "8"]
    process = subprocess.Popen(
        [sys.executable, "-m", "xlbias", *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )  # fmt: skip
    assert process.stderr is not None
    lines = []
    for line in process.stderr:  # a first report of progress: it trains
        lines.append(line)
        if " steps (" in line:
            break
    process.send_signal(signal.SIGINT)
    rest, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert rest == ""
    said = [line for line in errors.splitlines() if line and " steps (" not in line]
    assert said[-1] == "interrupted"
    assert "of 1,000,000 steps; go on with the same command and --resume" in said[-2]
    assert len(said) == 2
    assert sorted(path.name for path in out.iterdir()) == ["checkpoints", "training.parquet.live"]
    run_ = open_run(out / "training.parquet")
    assert run_.state.status == "died"
    assert run_.training.collect().height > 0
