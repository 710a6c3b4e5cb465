"""`xlbias study` as a user runs it: the steps, the report, Ctrl-C, and wrong values."""

import json
import os
import signal
import time
from pathlib import Path

import pytest
from processes import start

from xlbias.cli import run
from xlbias.results.run import open_run

pytestmark = pytest.mark.e2e

SQUARES = (("en", "What is the square of", "It is"), ("de", "Was ist das Quadrat von", "Es ist"))
PLAN = """\
samplers = ["mono", "cross"]
data = "."
[settings]
steps = 2
batch_size = 8
dimension = 16
vocabulary = 300
validation = 0
[sources]
low = "parallel:{data}/low.jsonl"
[targets]
low-again = "parallel:{data}/low.jsonl"
high = "parallel:{data}/high.jsonl"
[in_domain]
low-again = "low"
"""
HEADER = "step\tencoder\tstate"


@pytest.fixture
def plan(tmp_path: Path) -> Path:
    for name, first in (("low", 0), ("high", 100)):
        lines = [
            {"id": str(i), "language": language, "query": f"{question} {i}?", "passage": f"{answer} {i * i}."}
            for i in range(first, first + 12)
            for language, question, answer in SQUARES
        ]
        (tmp_path / f"{name}.jsonl").write_text("\n".join(map(json.dumps, lines)), "utf-8")
    path = tmp_path / "squares.toml"
    path.write_text(PLAN, "utf-8")
    return path


def steps(capfd: pytest.CaptureFixture[str], *arguments: str) -> list[str]:
    assert run(["study", *arguments, "--dry-run"]) == 0
    header, *rows = capfd.readouterr().out.splitlines()
    assert header == HEADER
    return rows


def test_from_the_plan_to_the_report(plan: Path, capfd: pytest.CaptureFixture[str]) -> None:
    out = plan.with_suffix("")
    assert steps(capfd, str(plan)) == [
        "train\tlow-mono-seed0\tto do", "evaluate\tlow-mono-seed0\tto do", "train\tlow-cross-seed0\tto do",
        "evaluate\tlow-cross-seed0\tto do",
    ]  # fmt: skip
    assert not out.exists()

    assert run(["study", str(plan), "--only-train"]) == 0
    printed = capfd.readouterr()
    assert printed.out == ""
    said = [line for line in printed.err.splitlines() if "%" not in line]  # a slow machine has lines of progress too
    assert [line.split(" in ")[0] for line in said] == [
        "loading the libraries", "1 of 2: low-mono-seed0 trained", "2 of 2: low-cross-seed0 trained",
    ]  # fmt: skip
    assert [row.split("\t")[2] for row in steps(capfd, str(plan))] == ["done", "to do", "done", "to do"]

    assert run(["study", str(plan), "--only", "low-mono-seed0", "--quiet"]) == 0
    assert capfd.readouterr().out == ""
    assert steps(capfd, str(plan), "--only", "low-mono-seed0") == [
        "train\tlow-mono-seed0\tdone", "evaluate\tlow-mono-seed0\tdone",
    ]  # fmt: skip
    assert sorted(path.name for path in out.iterdir()) == ["encoders", "runs"]
    assert run(["study", str(plan), "--only", "low-mono-seed1"]) == 2
    assert "no encoder 'low-mono-seed1' (did you mean low-mono-seed0" in capfd.readouterr().err

    assert run(["study", str(plan), "--quiet"]) == 0
    printed = capfd.readouterr()
    assert printed.err == ""
    report = (out / "report.md").read_text("utf-8")
    assert printed.out.startswith(f"{report}\nFindings\n")
    assert "# squares" in printed.out
    assert sorted(path.name for path in out.iterdir()) == ["encoders", "report.md", "run.parquet", "runs"]
    assert [model.name for model in open_run(out / "run.parquet").models] == ["low-mono-seed0", "low-cross-seed0"]
    assert {row.split("\t")[2] for row in steps(capfd, str(plan))} == {"done"}
    assert run(["study", str(plan), "--power", str(out / "run.parquet")]) != 0
    assert "at least two seeds of each sampler" in capfd.readouterr().err
    assert run(["study", str(plan), "--power", str(out / "run.parquet"), "--quiet"]) != 0
    assert capfd.readouterr().err.count("\n") == 1  # the error alone


@pytest.mark.slow
def test_ctrl_c_ends_with_130_and_keeps_what_is_finished(plan: Path, tmp_path: Path) -> None:
    plan.write_text(PLAN.replace("steps = 2", "steps = 1000000").replace('"mono", "cross"', '"mono"'), "utf-8")
    out = tmp_path / "elsewhere"
    printed = tmp_path / "printed"
    words = ["study", str(plan), "--out", str(out), "--only-train", "--jobs", "2"]
    process = start(run, words, output=printed)
    live = out / "encoders" / "low-mono-seed0" / "training.parquet.live"
    while process.is_alive() and not (live / "progress.json").exists():
        time.sleep(0.1)
    assert process.pid is not None
    os.kill(process.pid, signal.SIGINT)
    process.join()
    assert process.exitcode == 130
    lines = printed.read_text("utf-8").splitlines()
    assert [line for line in lines if " %" not in line] == [  # how far it is, is said every few seconds
        "loading the libraries",
        "interrupted: 0 of 1 steps are finished and kept; the same command continues",
    ]
    assert open_run(live).state.status == "died"  # the process that trained is gone, and has saved a checkpoint
    assert list((live.parent / "checkpoints").glob("step-*"))


@pytest.mark.parametrize(
    ("change", "arguments", "message"),
    [
        (("samplers", "sampler"), [], "squares.toml: unknown key 'sampler' (did you mean samplers?)"),
        (("low.jsonl", "lo.jsonl"), [], "squares.toml: sources.low: parallel:"),
        (("batch_size = 8", "batch_size = 64"), [], "low-mono-seed0: low: no monolingual batch of 64 can be made"),
        (("", ""), ["--data", "nowhere"], "squares.toml: --data: nowhere: there is no such folder"),
        (("", ""), ["--base", "./nowhere", "--dry-run"], "squares.toml: ./nowhere: there is no such folder"),
        (("", ""), ["--jobs", "0"], "Invalid value for '--jobs'"),
        (("", ""), ["--out", "{folder}"], "holds something other than a study"),
        (("", ""), ["--device", "tpu"], "xlbias: device 'tpu': expected cpu, cuda, mps"),
    ],
)
def test_wrong_values_are_one_sentence_and_exit_code_2(
    change: tuple[str, str], arguments: list[str], message: str, plan: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    plan.write_text(PLAN.replace(*change), "utf-8")
    filled = [argument.format(folder=plan.parent) for argument in arguments]
    assert run(["study", str(plan), "--quiet", *filled]) == 2
    printed = capfd.readouterr()
    sentence = printed.err.split("\n\n")[-1]  # below the usage, where the command line is wrong
    assert message in sentence
    assert sentence.count("\n") == 1
    assert printed.out == ""
    if "--device" in arguments:
        assert not plan.with_suffix("").exists()


def test_a_plan_by_another_name_needs_a_folder(plan: Path, capfd: pytest.CaptureFixture[str]) -> None:
    other = plan.rename(plan.with_suffix(".txt"))
    assert run(["study", str(other)]) == 2
    assert "a plan whose name does not end in .toml needs --out" in capfd.readouterr().err
