"""The parts that a training is put together from, each on its own."""

import json
import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from sentence_transformers import SentenceTransformer

from xlbias.data.task import RetrievalTask
from xlbias.errors import TrainingError
from xlbias.narration import Silent
from xlbias.results.training import LOSSES
from xlbias.train.recipe import Recipe
from xlbias.train.sampling.pairs import PairTexts
from xlbias.train.trainer.agreement import Agreement
from xlbias.train.trainer.base import BaseEncoder, check_length
from xlbias.train.trainer.checkpoints import STATE_FILE, Checkpoints, read_progress, restore_optimiser
from xlbias.train.trainer.distributed import Processes
from xlbias.train.trainer.divergence import check_losses, check_weights
from xlbias.train.trainer.interrupts import StopRequest
from xlbias.train.trainer.journal_rows import Tally
from xlbias.train.trainer.place import Place, check_device
from xlbias.train.trainer.progress import Progress
from xlbias.train.trainer.step_rows import StepRows

pytestmark = pytest.mark.integration


class Two(Processes):
    """Two processes of which the other one is told what to answer, and counts how often it is asked."""

    def __init__(self, *, other_stops: bool = False) -> None:
        self.rank, self.world, self.asked, self.other_stops = 0, 2, 0, other_stops

    def any(self, *flags: bool) -> tuple[bool, ...]:
        self.asked += 1
        return (flags[0] or self.other_stops, *flags[1:])

    def from_main(self, value: object) -> object:
        return value


def test_one_process_stops_and_saves_when_it_is_asked_to() -> None:
    stop = StopRequest()
    agreement = Agreement(Processes(), stop, every=3, step=0)
    assert [agreement.after(step, last=False) for step in (1, 2, 3, 4)] == [
        (False, False), (False, False), (False, True), (False, False),
    ]  # fmt: skip
    stop.requested = True
    assert agreement.after(5, last=False) == (True, False)


def test_without_a_number_of_steps_a_checkpoint_is_due_five_minutes_after_the_last(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = 1000.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    agreement = Agreement(Processes(), StopRequest(), every=0, step=0)
    now = 1299.0
    assert agreement.after(1, last=False) == (False, False)
    now = 1300.0
    assert agreement.after(2, last=False) == (False, True)
    agreement.saved()
    assert agreement.after(3, last=False) == (False, False)


def test_several_processes_exchange_once_a_second_and_at_the_last_step(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    processes = Two()
    agreement = Agreement(processes, StopRequest(), every=0, step=0)
    for step in range(1, 101):
        now = step / 10
        agreement.after(step, last=step == 100)
    assert 10 <= processes.asked <= 12
    assert Agreement(Two(other_stops=True), StopRequest(), every=0, step=0).after(1, last=True) == (True, False)


@pytest.fixture(scope="module")
def texts(small: RetrievalTask) -> PairTexts:
    return PairTexts([small])


def test_a_row_is_of_the_steps_since_the_last_one(texts: PairTexts, monkeypatch: pytest.MonkeyPatch) -> None:
    now = 10.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    tally = Tally(texts)
    rows = StepRows(1000, batch_size=8, tally=tally, world=1)
    assert (rows.is_due(9), rows.is_due(10)) == (False, True)  # a hundred rows of a thousand steps
    for step in (1, 2):
        rows.drew(step, "mixed")
        tally.kinds["mixed"] += 1
    now = 14.0
    assert rows.is_due(9)  # slow
    rows.not_training(3.0)
    row = rows.row(0.5, 1e-3, np.array([1.0, 3.0], np.float32), 200, torch.device("cpu"))
    assert {name: row[name] for name in ("step", "epoch", "loss", "pairs_per_second", "tokens_per_second")} == {
        "step": 2, "epoch": 0.5, "loss": 2.0, "pairs_per_second": 16.0, "tokens_per_second": 200.0,
    }  # fmt: skip
    assert (row["n_mixed_batches"], row["n_monolingual_batches"]) == (2, 0)
    assert [row[column] for column in LOSSES.values()] == [None, None, 2.0]
    for step, kind in enumerate(("monolingual", "cross-lingual", "monolingual"), 3):
        rows.drew(step, kind)
    row = rows.row(0.5, 1e-3, np.array([1.0, 5.0, 2.0], np.float32), 200, torch.device("cpu"))
    assert [row[column] for column in LOSSES.values()] == [1.5, 5.0, None]
    rows.drew(3, "mixed")
    with pytest.raises(TrainingError, match="the loss is nan at step 3: training diverged; lower"):
        rows.row(0.5, 1e-3, np.array([np.nan], np.float32), 300, torch.device("cpu"))


def test_the_first_step_that_diverged_is_named(texts: PairTexts) -> None:
    check_losses(np.array([1.0], np.float32), [1])
    with pytest.raises(TrainingError, match="the loss is inf at step 7: "):
        check_losses(np.array([1.0, np.inf, np.nan], np.float32), [6, 7, 8])
    model = BaseEncoder("x", TINY, texts, Place("cpu", Processes(), False), Silent()).load()
    check_weights(model, 1)
    with torch.no_grad():
        next(model.parameters())[0, 0] = float("nan")
    with pytest.raises(TrainingError, match="are not finite after step 1,000: training diverged"):
        check_weights(model, 1000)


def test_progress_knows_its_best_validation_and_for_how_long_there_was_no_better() -> None:
    progress = Progress()
    for step, better in ((0, True), (5, True), (10, False), (15, False)):
        progress.judged(step, [{"step": step, "map": 0.1}], better=better)
    assert (progress.best_step, progress.worse, progress.of_best()) == (5, 2, [{"step": 5, "map": 0.1}])
    assert (progress.stale(2), progress.stale(3), progress.stale(0)) == (True, False, False)


TINY = Recipe(base="static", dimension=4, vocabulary=300, seed=3)


def test_the_base_is_the_same_again(texts: PairTexts) -> None:
    base = BaseEncoder("x", TINY, texts, Place("cpu", Processes(), False), Silent())
    one, other = base.load(), base.again()
    assert torch.equal(one[0].embedding.weight, other[0].embedding.weight)
    assert base.prompts == {"query": "", "passage": ""}


def test_texts_are_no_longer_than_the_base_has_positions(two_layers: str) -> None:
    model = SentenceTransformer(two_layers, device="cpu")
    check_length(model, 512)
    with pytest.raises(TrainingError, match="max_length is 513: the base has positions for 512 tokens"):
        check_length(model, 513)


def test_a_device_that_is_not_there_is_refused() -> None:
    assert check_device(None, TINY) == "cpu"
    assert check_device(None, Recipe(base="some/encoder")) is None
    with pytest.raises(TrainingError, match="device 'tpu': expected cpu, cuda, mps"):
        check_device("tpu", TINY)


def test_checkpoints_are_found_by_their_names_oldest_first(tmp_path: Path) -> None:
    checkpoints = Checkpoints(tmp_path)
    assert (checkpoints.all(), checkpoints.kept()) == ([], "")
    for name in ("step-000000012", "step-000000003", "unfinished", "step-3"):
        (checkpoints.folder / name).mkdir(parents=True)
    assert checkpoints.all() == [checkpoints.at(3), checkpoints.at(12)]
    assert checkpoints.kept() == f" (the last good checkpoint is kept: {checkpoints.at(12)})"
    checkpoints.remove_if_empty()
    assert checkpoints.folder.exists()
    checkpoints.remove()
    assert not checkpoints.folder.exists()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"schema": 1}, "has no key 'progress': expected a table of named values; remove"),
        ({"schema": 1, "progress": {"step": "x"}}, "progress.step is 'x': expected a whole number; remove"),
        ({"schema": 1, "progress": {"stpe": 1}}, r"progress: unknown key 'stpe' \(did you mean step\?\); remove"),
        ({"schema": "one"}, "schema is 'one': expected a whole number; remove"),
        ([], r"it is \[\]: expected a table of named values; remove"),
    ],
)
def test_a_state_that_cannot_be_gone_on_with_says_what_to_do(content: object, message: str, tmp_path: Path) -> None:
    (tmp_path / STATE_FILE).write_text(json.dumps(content), "utf-8")
    with pytest.raises(TrainingError, match=rf"state\.json: {message} .* or start again with --overwrite"):
        read_progress(tmp_path)


EARLIER_STATE = """{
 "schema": 1,
 "progress": {
  "step": 6, "last_loss": NaN, "seconds": 12, "best_step": null, "worse": 0, "validations": [{"step": 0, "loss": null}],
  "counts": {"by_kind": {"monolingual": 3}, "by_task": {"small": 6}, "pairs": {"de": {"en": 9}}, "negatives": 0}
 },
 "optimiser": {"groups": [{"lr": 0.003, "betas": [0.9, 0.999], "params": [0]}], "scalars": {}},
 "schedule": {"last_epoch": 6},
 "files": {"a": {"bytes": 1, "sha256": "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb"}}
}"""


def test_the_state_of_an_earlier_version_is_gone_on_with(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As xlbias 0.1.0 wrote it; its schema must change when this cannot be read any more."""
    monkeypatch.setattr("xlbias.train.trainer.checkpoints.check_encoder", lambda _: None)
    (tmp_path / STATE_FILE).write_text(EARLIER_STATE, "utf-8")
    (tmp_path / "a").write_text("a")
    progress = read_progress(tmp_path)
    assert (progress.step, progress.seconds, progress.best_step) == (6, 12.0, None)
    assert progress.counts["pairs"] == {"de": {"en": 9}}
    assert np.isnan(progress.last_loss)
    optimiser, schedule = SimpleNamespace(load_state_dict=None), SimpleNamespace(load_state_dict=None)
    loaded = []
    optimiser.load_state_dict = schedule.load_state_dict = loaded.append
    save_file({"0.exp_avg": torch.ones(2)}, tmp_path / "optimiser.safetensors")
    restore_optimiser(tmp_path, optimiser, schedule)
    assert loaded[0]["param_groups"] == [{"lr": 0.003, "betas": (0.9, 0.999), "params": [0]}]
    assert torch.equal(loaded[0]["state"][0]["exp_avg"], torch.ones(2))
    assert loaded[1] == {"last_epoch": 6}
