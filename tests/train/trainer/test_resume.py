"""Killed and resumed, a training is the unbroken one: the same batches, the same curve, the same weights."""

import json
import os
import shutil
import signal
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import torch
from narrators import Counting, Signalling
from processes import start
from safetensors.torch import load_file
from sentence_transformers import SentenceTransformer

from xlbias.data.task import RetrievalTask
from xlbias.encode.load import load_encoder
from xlbias.errors import RunError, TrainingError
from xlbias.results.run import open_run
from xlbias.train.recipe import Recipe
from xlbias.train.trainer.checkpoints import Checkpoints, read_progress
from xlbias.train.trainer.fit import fit
from xlbias.train.trainer.interrupts import StopRequest

pytestmark = pytest.mark.e2e

# 51 ids remain to train on, 3 batches an epoch: step 8 is in the middle of the third.
RECIPE = Recipe(
    base="static", steps=12, batch_size=16, learning_rate=3e-3, query_prefix="", passage_prefix="", dimension=16,
    vocabulary=900, seed=7, validation=0.1, validate_every=4, checkpoint_every=3, monitor="map_cross_lingual",
)  # fmt: skip


class Killing(Counting):
    """Kills its process after some steps."""

    def __init__(self, after: int) -> None:
        self.left = after

    def advance(self, units: int = 1) -> None:
        self.left -= units
        if self.left == 0:
            os.kill(os.getpid(), signal.SIGKILL)


def train_until_killed(task: RetrievalTask, out: str, after: int) -> None:
    """Train with resume, in a process of its own."""
    fit(task, out, RECIPE, narrator=Killing(after), resume=True)


def weights(folder: Path) -> torch.Tensor:
    return SentenceTransformer(str(folder), device="cpu")[0].embedding.weight.detach()


@pytest.fixture(scope="module")
def task(small: RetrievalTask) -> RetrievalTask:
    return RetrievalTask("small", "news", "a source", "a licence", small.queries, small.passages, small.qrels)


def modes(folder: Path) -> set[int]:
    """The modes of all files in a folder."""
    return {path.stat().st_mode & 0o777 for path in folder.rglob("*") if path.is_file()}


@pytest.fixture(scope="module")
def unbroken(task: RetrievalTask, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return fit(task, tmp_path_factory.mktemp("unbroken") / "out", RECIPE).path


def kill(task: RetrievalTask, folder: Path, after: int) -> Path:
    """Train in a process that is killed after some steps; return the folder of the training."""
    out = folder / "out"
    process = start(train_until_killed, task, str(out), after)
    process.join()
    assert process.exitcode == -signal.SIGKILL
    return out


@pytest.fixture(scope="module")
def killed(task: RetrievalTask, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A training that was killed after its eighth step, two after its last checkpoint."""
    return kill(task, tmp_path_factory.mktemp("killed"), after=8)


@pytest.fixture
def out(killed: Path, tmp_path: Path) -> Path:
    """A copy of it, to go on with."""
    return shutil.copytree(killed, tmp_path / "out")


def curve(out: Path) -> pl.DataFrame:
    rows = open_run(out / "training.parquet").training.collect()
    return rows.select("step", "epoch", "loss", "learning_rate", "n_monolingual_batches", "n_cross_lingual_batches")


def test_killed_in_mid_epoch_and_resumed_it_draws_the_same_batches_and_ends_with_the_same_weights(
    task: RetrievalTask, unbroken: Path, out: Path, tmp_path: Path, seen: list[list[int]]
) -> None:
    assert [path.name for path in Checkpoints(out).all()] == [
        "step-000000004",
        "step-000000006",
    ]  # the best and the last
    resumed = fit(task, out, RECIPE, resume=True)
    after_kill = [batch for batch in seen if len(batch) == 16][-6:]
    seen.clear()
    fit(task, tmp_path / "again", RECIPE)
    assert after_kill == [batch for batch in seen if len(batch) == 16][-6:]
    assert torch.equal(weights(out), weights(unbroken))
    assert curve(out).equals(curve(unbroken))
    cards = [json.loads((folder / "xlbias.json").read_text("utf-8")) for folder in (out, unbroken)]
    assert cards[0]["batches"] == cards[1]["batches"]
    assert cards[0]["validation"] == cards[1]["validation"]
    assert resumed.steps == 12
    assert not (out / "checkpoints").exists()


@pytest.mark.parametrize("after", [2, 12])
def test_killed_before_the_first_checkpoint_or_at_the_last_step(
    after: int, task: RetrievalTask, unbroken: Path, tmp_path: Path
) -> None:
    out = kill(task, tmp_path, after=after)
    fit(task, out, RECIPE, resume=True)
    assert torch.equal(weights(out), weights(unbroken))
    assert curve(out).equals(curve(unbroken))


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"schedule": "constant", "validation": 0.0, "steps": 10, "checkpoint_every": 5},
        {"steps": 9},  # the end of an epoch
        {"learning_rate": 3.0, "schedule": "constant", "steps": 60, "patience": 2, "monitor": "loss"},
    ],
    ids=["best at the end", "no validation", "end of an epoch", "stopped early"],
)
def test_killed_between_the_last_checkpoint_and_the_encoder(
    changes: dict[str, Any], task: RetrievalTask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = RECIPE.overridden(**changes)
    whole = fit(task, tmp_path / "whole", recipe)

    def killed(*_: object) -> None:
        raise MemoryError

    with monkeypatch.context() as patched, pytest.raises(MemoryError):
        patched.setattr("xlbias.train.trainer.training_job.save_encoder", killed)
        fit(task, tmp_path / "out", recipe)
    resumed = fit(task, tmp_path / "out", recipe, resume=True)
    assert (resumed.steps, resumed.loss) == (whole.steps, whole.loss)
    assert resumed.card["batches"] == whole.card["batches"]
    assert resumed.card["validation"] == whole.card["validation"]
    assert torch.equal(weights(resumed.path), weights(whole.path))
    assert curve(resumed.path).equals(curve(whole.path))


def test_an_overwriting_training_that_was_killed_is_gone_on_with_and_the_old_one_is_not_taken_for_it(
    task: RetrievalTask, unbroken: Path, tmp_path: Path
) -> None:
    out = fit(task, tmp_path / "out", RECIPE).path
    old = json.loads((out / "xlbias.json").read_text("utf-8"))["run_id"]
    with pytest.raises(KeyboardInterrupt):
        fit(task, out, RECIPE, overwrite=True, narrator=Signalling(signal.SIGINT, after=5))
    fit(task, out, RECIPE, resume=True)
    assert json.loads((out / "xlbias.json").read_text("utf-8"))["run_id"] != old
    assert curve(out).equals(curve(unbroken))
    assert torch.equal(weights(out), weights(unbroken))


def test_a_finished_training_whose_encoder_is_gone_is_said_to_be_that(task: RetrievalTask, tmp_path: Path) -> None:
    out = fit(task, tmp_path / "out", RECIPE).path
    (out / "xlbias.json").unlink()
    with pytest.raises(TrainingError, match=r"is finished, but .* does not hold its encoder: start again with --over"):
        fit(task, out, RECIPE, resume=True)
    assert curve(out).height == 12


def test_resuming_what_is_finished_changes_nothing(task: RetrievalTask, unbroken: Path) -> None:
    before = (unbroken / "model.safetensors").stat().st_mtime_ns
    assert fit(task, unbroken, RECIPE, resume=True).steps == 12
    assert (unbroken / "model.safetensors").stat().st_mtime_ns == before


def test_a_checkpoint_is_an_encoder_that_loads_and_holds_no_pickle(out: Path) -> None:
    (last,) = Checkpoints(out).all()[-1:]
    assert load_encoder(str(last), device="cpu").encode(["text"], "query").shape == (1, 16)
    assert {path.suffix for path in last.iterdir() if path.is_file()} <= {".json", ".safetensors", ".md"}
    assert read_progress(last).step == 6


def test_all_files_of_an_encoder_and_of_a_checkpoint_have_the_mode_of_the_umask(
    unbroken: Path, out: Path, tmp_path: Path
) -> None:
    (tmp_path / "usual").touch()
    usual = {(tmp_path / "usual").stat().st_mode & 0o777}
    assert modes(unbroken) == usual
    assert [modes(folder) for folder in Checkpoints(out).all()] == [usual] * len(Checkpoints(out).all())
    assert Checkpoints(out).all()


def test_a_resumption_with_other_settings_is_refused(task: RetrievalTask, out: Path) -> None:
    with pytest.raises(RunError, match="was made from other encoders, tasks or settings"):
        fit(task, out, RECIPE.overridden(learning_rate=1e-3), resume=True)
    with pytest.raises(RunError, match="was made from other encoders, tasks or settings"):
        fit(task, out, RECIPE, sampler="cross", resume=True)
    assert len(Checkpoints(out).all()) == 2


@pytest.mark.parametrize("damage", ["cut", "changed", "missing", "pickled", "no state", "other schema"])
def test_a_broken_checkpoint_is_one_sentence(damage: str, task: RetrievalTask, out: Path) -> None:
    folder = Checkpoints(out).all()[-1]
    optimiser, state = folder / "optimiser.safetensors", folder / "state.json"
    match damage:
        case "cut":
            optimiser.write_bytes(optimiser.read_bytes()[:-100])
            message = "optimiser.safetensors: is damaged, so the training cannot go on from step 6: remove"
        case "changed":
            content = bytearray(optimiser.read_bytes())
            content[-50] ^= 1
            optimiser.write_bytes(content)
            message = "optimiser.safetensors: is damaged"
        case "missing":
            optimiser.unlink()
            message = "optimiser.safetensors: is missing"
        case "pickled":
            weights_file = folder / "model.safetensors"
            torch.save({"weight": torch.zeros(2)}, folder / "pytorch_model.bin")
            content = json.loads(state.read_text("utf-8"))
            del content["files"]["model.safetensors"]
            weights_file.unlink()
            for other in folder.glob("*.safetensors"):
                del content["files"][other.name]
                other.unlink()
            state.write_text(json.dumps(content), "utf-8")
            message = "pickled weights are refused"
        case "no state":
            state.write_text("{", "utf-8")
            message = "state.json: is not JSON: .*; remove .* to go on from an older checkpoint"
        case "other schema":
            content = json.loads(state.read_text("utf-8"))
            state.write_text(json.dumps(content | {"schema": 99}), "utf-8")
            message = "has schema 99; this xlbias reads 1"
    with pytest.raises(TrainingError, match=message):
        fit(task, out, RECIPE, resume=True)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1])
def test_a_signal_that_a_cluster_or_a_lost_connection_sends_saves_a_checkpoint(
    number: signal.Signals, task: RetrievalTask, tmp_path: Path, unbroken: Path
) -> None:
    out = tmp_path / "out"
    with pytest.raises(KeyboardInterrupt):
        fit(task, out, RECIPE, narrator=Signalling(number, after=5))
    assert Checkpoints(out).all()[-1].name == "step-000000005"
    assert signal.getsignal(number) is signal.SIG_DFL
    fit(task, out, RECIPE, resume=True)
    assert torch.equal(weights(out), weights(unbroken))
    assert curve(out).equals(curve(unbroken))


@pytest.mark.parametrize("number", StopRequest.ASKS)
def test_each_signal_asks_for_an_end_and_what_is_ignored_stays_so(number: signal.Signals) -> None:
    before = signal.getsignal(number)
    try:
        with StopRequest() as stop:
            os.kill(os.getpid(), number)
            assert stop.requested
        assert signal.getsignal(number) is before
        signal.signal(number, signal.SIG_IGN)  # as nohup does it
        with StopRequest() as stop:
            os.kill(os.getpid(), number)
            assert not stop.requested
        assert signal.getsignal(number) is signal.SIG_IGN
    finally:
        signal.signal(number, before)


def test_dropout_goes_on_where_it_was(task: RetrievalTask, two_layers: str, tmp_path: Path) -> None:
    base = shutil.copytree(two_layers, tmp_path / "base")
    config = json.loads((base / "config.json").read_text("utf-8"))
    (base / "config.json").write_text(json.dumps(config | {"hidden_dropout_prob": 0.3}), "utf-8")
    recipe = Recipe(base=str(base), steps=4, batch_size=4, max_length=32, validation=0.0, learning_rate=1e-3)
    whole = fit(task, tmp_path / "whole", recipe, device="cpu")
    without = fit(task, tmp_path / "without", recipe.overridden(base=two_layers), device="cpu")
    assert whole.loss != without.loss
    with pytest.raises(KeyboardInterrupt):
        fit(task, tmp_path / "out", recipe, device="cpu", narrator=Signalling(signal.SIGINT, after=2))
    resumed = fit(task, tmp_path / "out", recipe, device="cpu", resume=True)
    one, other = (load_file(training.path / "model.safetensors") for training in (whole, resumed))
    assert all(torch.equal(one[name], other[name]) for name in one)
    assert SentenceTransformer(str(resumed.path), device="cpu").max_seq_length == 32
