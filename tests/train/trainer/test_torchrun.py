"""Two processes under torchrun with gloo: together the batches, the losses and the encoder of one process."""

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from processes import start, start_together
from sentence_transformers import SentenceTransformer

from xlbias.cli import run
from xlbias.data.convert import write_parallel
from xlbias.data.task import RetrievalTask
from xlbias.encode.card import read_card
from xlbias.results.run import open_run
from xlbias.train.sampling.batch import Batch
from xlbias.train.sampling.pairs import PairTexts

pytestmark = pytest.mark.e2e

TESTS = Path(__file__).resolve().parents[2]

# 3 batches an epoch, so that 10 steps end in the fourth.
SETTINGS = {
    "steps": 10, "batch_size": 16, "dimension": 16, "vocabulary": 900, "seed": 3, "validation": 0.1,
    "validate_every": 5, "checkpoint_every": 4,
}  # fmt: skip


def command(batches: str, pause: float, words: list[str], shares: int = 1) -> int:
    """The command line, in a process that writes down its batches, and waits a moment at each.

    Hard negatives that cannot be dealt out equally to so many shares are left out.
    """
    look_up = PairTexts.__getitems__

    def spy(self: PairTexts, batch: Batch) -> list[dict[str, str]]:
        if len(self) > 20:  # not the few that are held out
            time.sleep(pause)
            with Path(f"{batches}-{os.environ.get('RANK', '0')}").open("a") as file:
                file.write(json.dumps([batch.epoch, batch.number, batch.kind, list(batch)]) + "\n")
        return look_up(self, replace(batch, negatives=batch.negatives[: len(batch.negatives) // shares * shares]))

    PairTexts.__getitems__ = spy  # type: ignore[method-assign, assignment]
    return run(words)


@pytest.fixture(scope="module")
def corpus(small: RetrievalTask, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("corpus") / "small.jsonl"
    write_parallel(small, path)
    return path


def words_of(corpus: Path, out: Path, settings: dict[str, float], *options: str) -> list[str]:
    return [
        "train", "-t", f"parallel:{corpus}", "-o", str(out), *(f"--set={k}={v}" for k, v in settings.items()), *options,
    ]  # fmt: skip


def train(
    corpus: Path,
    out: Path,
    processes: int,
    *options: str,
    settings: dict[str, float] = SETTINGS,
    code: int = 0,
    shares: int = 1,
) -> list[str]:
    """Train in so many processes, as torchrun would start them; return what each has printed."""
    outputs = [Path(f"{out}.printed-{rank}") for rank in range(processes)]
    arguments = (f"{out}.batches", 0.0, words_of(corpus, out, settings, *options), shares)
    if processes == 1:
        started = [start(command, *arguments, output=outputs[0])]
    else:
        started = start_together(command, *arguments, outputs=outputs)
    for process in started:
        process.join()
    printed = [path.read_text("utf-8") for path in outputs]
    assert [process.exitcode for process in started] == [code] * processes, printed
    return printed


def drawn(out: Path, rank: int) -> list[tuple[int, int, str, list[int]]]:
    return [json.loads(line) for line in Path(f"{out}.batches-{rank}").read_text("utf-8").splitlines()]


@pytest.fixture(scope="module")
def one(corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("one") / "out"
    train(corpus, out, 1)
    return out


@pytest.fixture(scope="module")
def two(corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[str]]:
    out = tmp_path_factory.mktemp("two") / "out"
    return out, train(corpus, out, 2)


def test_two_processes_draw_together_what_one_draws(one: Path, two: tuple[Path, list[str]]) -> None:
    whole, first, second = drawn(one, 0), drawn(two[0], 0), drawn(two[0], 1)
    assert len(whole) == len(first) == len(second) == 10
    for (epoch, number, kind, pairs), a, b in zip(whole, first, second, strict=True):
        assert a[:3] == b[:3] == [epoch, number, kind]  # one kind and one batch in both processes
        assert a[3] + b[3] == pairs
        assert len(a[3]) == len(b[3]) == 8
    assert {kind for _, _, kind, _ in whole} == {"monolingual", "cross-lingual"}


def test_the_loss_curve_and_the_encoder_are_those_of_one_process(one: Path, two: tuple[Path, list[str]]) -> None:
    curves = [open_run(out / "training.parquet").training.collect() for out in (one, two[0])]
    assert curves[0]["step"].to_list() == curves[1]["step"].to_list() == list(range(1, 11))
    # Negatives of the other process count as well: with half the negatives the loss would be lower by about log 2.
    assert curves[1]["loss"].to_numpy() == pytest.approx(curves[0]["loss"].to_numpy(), rel=1e-4)
    weights = [
        SentenceTransformer(str(out), device="cpu")[0].embedding.weight.detach().numpy() for out in (one, two[0])
    ]
    # Adam turns rounding into steps of either sign where a gradient is almost nothing: a few token vectors differ.
    assert np.isclose(*weights, rtol=0, atol=1e-3).mean() > 0.99
    cards = [read_card(out) for out in (one, two[0])]
    assert cards[0]["batches"] == cards[1]["batches"]
    assert [card["processes"] for card in cards] == [1, 2]
    values = [pl.DataFrame(card["validation"])["map_multilingual"].to_numpy() for card in cards]
    assert values[1] == pytest.approx(values[0], abs=0.02)


def test_an_encoder_with_layers_learns_the_same_in_two_processes(corpus: Path, two_layers: str, tmp_path: Path) -> None:
    """BERT's pooler is reached by no loss, which must not stop the exchange of gradients."""
    options = ["--base", two_layers, "--set", "max_length=24", "--set", "steps=3", "--lr", "1e-3", "--device", "cpu"]
    curves = []
    for processes, extra in ((1, []), (2, []), (2, ["--set", "mini_batch=3"])):
        out = tmp_path / f"out{len(curves)}"
        train(corpus, out, processes, *options, *extra, settings={"batch_size": 8, "validation": 0})
        curves.append(open_run(out / "training.parquet").training.collect()["loss"].to_list())
    assert len(curves[0]) == 3
    assert curves[1] == pytest.approx(curves[0], rel=1e-4)
    assert curves[2] == pytest.approx(curves[0], rel=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize("option", ["lora_rank=4", "mine_negatives=3"])
def test_low_rank_changes_and_mined_negatives_learn_the_same_in_two_processes(
    option: str, corpus: Path, two_layers: str, tmp_path: Path
) -> None:
    options = ["--base", two_layers, "--set", "max_length=24", "--set", "steps=3", "--lr", "1e-3", "--device", "cpu"]
    if option.startswith("mine"):
        options += ["--set", "hard_negatives=1"]
    found = []
    for processes in (1, 2):
        out = tmp_path / f"out{processes}"
        settings = {"batch_size": 8, "validation": 0}
        train(corpus, out, processes, *options, "--set", option, settings=settings, shares=3 - processes)
        loss = open_run(out / "training.parquet").training.collect()["loss"].to_list()
        vectors = SentenceTransformer(str(out), device="cpu").encode(["eins zwei", "one two three"])
        drawn_of = {name: of for name, of in read_card(out)["batches"].items() if name != "negatives"}
        found.append((loss, vectors, drawn_of))
    assert len(found[0][0]) == 3
    assert found[1][0] == pytest.approx(found[0][0], rel=1e-4)
    assert found[1][1] == pytest.approx(found[0][1], abs=1e-3)
    assert found[1][2] == found[0][2]


def test_only_the_first_process_talks(two: tuple[Path, list[str]]) -> None:
    out, (first, second) = two
    assert [line.split("\t")[0] for line in first.splitlines() if "\t" in line][:3] == ["encoder", "prompts", "steps"]
    assert first.count("learning 900 sub-words") == 1
    assert "sub-words" not in second
    assert "\t" not in second
    assert not list(out.glob("checkpoints"))


def test_a_batch_that_cannot_be_shared_out_is_one_sentence(corpus: Path, tmp_path: Path) -> None:
    printed = train(corpus, tmp_path / "out", 2, settings=SETTINGS | {"batch_size": 15}, code=2)
    sentence = "xlbias: a batch of 15 cannot be shared out equally to 2 processes: choose a batch size divisible by 2"
    assert "".join(printed).count(sentence) == 1


@pytest.mark.slow
def test_two_processes_stop_together_and_go_on_with_the_batches_that_are_left(corpus: Path, tmp_path: Path) -> None:
    """The first half under torchrun itself, which hands on the signal that a scheduler sends."""
    out, steps = tmp_path / "out", 200
    settings = SETTINGS | {"steps": steps, "validation": 0, "checkpoint_every": 0}
    script = tmp_path / "spied.py"
    script.write_text(
        f"import sys\nsys.path.insert(0, {str(TESTS)!r})\nfrom train.trainer.test_torchrun import command\n"
        f"sys.exit(command({f'{out}.batches'!r}, 0.05, sys.argv[1:]))\n"
    )
    launcher = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2", str(script)]
    with subprocess.Popen(
        [sys.executable, *launcher, *words_of(corpus, out, settings)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        written = Path(f"{out}.batches-0")
        deadline = time.monotonic() + 600
        while not written.exists() or len(drawn(out, 0)) < 30:
            assert time.monotonic() < deadline
            assert process.poll() is None
            time.sleep(0.1)
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=600)
    assert "continue with the same command and --resume" in errors
    assert 30 <= len(drawn(out, 0)) == len(drawn(out, 1)) < steps
    (checkpoint,) = (out / "checkpoints").iterdir()
    assert {file.name for file in checkpoint.glob("random-*")} == {f"random-0000{rank}.safetensors" for rank in (0, 1)}
    train(corpus, out, 2, "--resume", settings=settings)
    assert read_card(out)["steps"] == steps
    n_epoch = max(number for _, number, _, _ in drawn(out, 0)) + 1
    for rank in (0, 1):
        seen = [epoch * n_epoch + number for epoch, number, _, _ in drawn(out, rank)]
        assert seen == list(range(steps))
    assert open_run(out / "training.parquet").training.collect()["step"].is_sorted()
