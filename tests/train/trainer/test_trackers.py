"""What trackers are told of a training: the rows of its journal, by step, under the names that trackers sort by."""

import math
import struct
from pathlib import Path

import pytest

from xlbias.cli import run
from xlbias.data.task import RetrievalTask
from xlbias.errors import TrainingError
from xlbias.results.run import open_run
from xlbias.train.recipe import Recipe
from xlbias.train.trainer import trackers
from xlbias.train.trainer.fit import fit_grid

QUICK = Recipe(
    base="static", steps=8, batch_size=8, learning_rate=1e-2, query_prefix="", passage_prefix="", dimension=8,
    vocabulary=900, seed=7, validation=0.2, validate_every=4,
)  # fmt: skip


def scalars(folder: Path) -> dict[str, dict[int, float]]:
    """The values of a folder that TensorBoard reads, by tag and step: TFRecords of a length, a CRC, an event, a CRC."""
    from tensorboardX.proto.event_pb2 import Event

    found: dict[str, dict[int, float]] = {}
    (file,) = folder.glob("runs/*/events.out.tfevents.*")
    content = file.read_bytes()
    while content:
        (length,) = struct.unpack("<Q", content[:8])
        event = Event.FromString(content[12 : 12 + length])
        content = content[16 + length :]
        for value in event.summary.value:
            if value.HasField("simple_value"):
                found.setdefault(value.tag, {})[event.step] = value.simple_value
    return found


@pytest.mark.e2e
def test_tensorboard_has_every_row_of_the_journal_of_each_training(small: RetrievalTask, tmp_path: Path) -> None:
    trained = fit_grid(small, tmp_path / "grid", QUICK, seeds=2, report_to=["tensorboard"])
    journal = open_run(tmp_path / "grid" / "training.parquet")
    for training in trained:
        name, logged = training.card["name"], scalars(training.path)
        rows = [row for row in journal.training.collect().iter_rows(named=True) if row["model"] == name]
        assert [row["step"] for row in rows] == list(range(1, 9))
        for row in rows:
            for column in row.keys() - {"model", "step"}:
                if row[column] is None:  # a kind of batches that this sampler does not draw
                    assert column.startswith("loss_") and row["step"] not in logged.get(f"train/{column}", ())
                    continue
                assert math.isclose(logged[f"train/{column}"][row["step"]], row[column], rel_tol=1e-6), column
        batches = [logged[f"train/n_{kind}_batches"][8] for kind in ("monolingual", "cross_lingual", "mixed")]
        assert sum(batches) == 8
        assert batches[:2] == [training.card["batches"]["by_kind"][kind] for kind in ("monolingual", "cross-lingual")]
        validated = [row for row in journal.validation.collect().iter_rows(named=True) if row["model"] == name]
        assert [row["step"] for row in validated] == [0, 4, 8]
        for row in validated:
            for column in row.keys() - {"model", "task", "domain", "step"}:
                value = logged[f"eval/small/{column}"][row["step"]]
                assert math.isclose(value, row[column], rel_tol=1e-6), column


@pytest.mark.e2e
def test_nothing_is_reported_unless_it_is_asked_for(small: RetrievalTask, tmp_path: Path) -> None:
    (trained,) = fit_grid(small, tmp_path / "grid", QUICK.overridden(steps=1))
    assert not (trained.path / "runs").exists()


def test_a_tracker_without_its_package_is_refused_before_anything_is_loaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(trackers, "find_spec", lambda module: None)
    assert run(["train", "--report-to", "wandb", "--out", str(tmp_path / "out")]) == 2
    expected = "xlbias: reporting to wandb needs the package wandb: pip install 'xlbias[wandb]'\n"
    assert capsys.readouterr().err == expected
    assert not (tmp_path / "out").exists()


def test_a_tracker_that_is_none_is_named_with_the_one_that_was_meant() -> None:
    expected = r"unknown tracker 'tensorbord' \(did you mean tensorboard\?\): expected tensorboard, wandb, mlflow"
    with pytest.raises(TrainingError, match=expected):
        trackers.check_trackers(["tensorbord"])
