"""A grid of trainings: several α and seeds into one folder with one journal, resumable member by member."""

import os
import signal
from pathlib import Path

import pytest
import torch
from narrators import Counting
from sentence_transformers import SentenceTransformer

from xlbias.data.lexicons import load_lexicon
from xlbias.data.task import RetrievalTask
from xlbias.encode.load import load_encoder
from xlbias.errors import TrainingError
from xlbias.evaluation import evaluate
from xlbias.results.run import open_run
from xlbias.train.recipe import Recipe
from xlbias.train.sampling.codeswitch import CodeSwitch
from xlbias.train.trainer.fit import fit, fit_grid

pytestmark = pytest.mark.e2e

QUICK = Recipe(
    base="static", steps=6, batch_size=16, learning_rate=1e-2, query_prefix="", passage_prefix="", dimension=16,
    vocabulary=900, seed=7, validation=0.2, validate_every=3, checkpoint_every=2,
)  # fmt: skip
NAMES = [f"hybrid-alpha{alpha}-seed{seed}" for alpha in ("0", "0.5") for seed in (7, 8)]


def weights(folder: Path) -> torch.Tensor:
    return SentenceTransformer(str(folder), device="cpu")[0].embedding.weight.detach()


@pytest.fixture(scope="module")
def grid(small: RetrievalTask, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("grid") / "out"
    trained = fit_grid(small, out, QUICK, alphas=[0, 0.5], seeds=2)
    assert [training.path.name for training in trained] == NAMES
    return out


def test_every_member_is_the_encoder_of_a_training_of_its_own(grid: Path, small: RetrievalTask, tmp_path: Path) -> None:
    assert sorted(path.name for path in grid.iterdir()) == sorted([*NAMES, "training.parquet"])
    alone = fit(small, tmp_path / "alone", QUICK.overridden(seed=8), alpha=0.5)
    assert torch.equal(weights(alone.path), weights(grid / "hybrid-alpha0.5-seed8"))
    cross = fit(small, tmp_path / "cross", QUICK, sampler="cross")
    assert torch.equal(weights(cross.path), weights(grid / "hybrid-alpha0-seed7"))
    card = load_encoder(str(grid / "hybrid-alpha0.5-seed8"), device="cpu").card
    assert (card["name"], card["alpha"], card["seed"]) == ("hybrid-alpha0.5-seed8", 0.5, 8)


def test_one_journal_holds_all_curves(grid: Path) -> None:
    run = open_run(grid / "training.parquet")
    assert [model.name for model in run.models] == NAMES
    assert all(model.card.steps == 6 for model in run.models)
    curves = run.training.collect()
    assert dict(curves.group_by("model").len().iter_rows()) == dict.fromkeys(NAMES, 6)
    assert run.validation.collect().group_by("model").len()["len"].to_list() == [3] * 4  # before, half-way, at the end


def test_an_evaluation_of_a_member_takes_its_curve_along(grid: Path, small: RetrievalTask) -> None:
    run = evaluate(str(grid / NAMES[3]), small)
    assert run.training.collect()["model"].to_list() == [NAMES[3]] * 6
    assert run.validation.collect()["step"].to_list() == [0, 3, 6]


class Stopping(Counting):
    """Fails after some steps, as a full disk would."""

    def __init__(self, after: int) -> None:
        self.left = after

    def advance(self, units: int = 1) -> None:
        self.left -= units
        if self.left == 0:
            raise OSError("no space left")


def test_a_broken_grid_goes_on_with_the_member_it_was_at(grid: Path, small: RetrievalTask, tmp_path: Path) -> None:
    out = tmp_path / "out"
    with pytest.raises(OSError, match="no space"):
        fit_grid(small, out, QUICK, alphas=[0, 0.5], seeds=2, narrator=Stopping(after=2 * 6 + 5))
    done = [path.name for path in out.iterdir() if (path / "xlbias.json").exists()]
    assert sorted(done) == NAMES[:2]
    before = {name: (out / name / "model.safetensors").stat().st_mtime_ns for name in done}
    fit_grid(small, out, QUICK, alphas=[0, 0.5], seeds=2, resume=True)
    assert {name: (out / name / "model.safetensors").stat().st_mtime_ns for name in done} == before
    for name in NAMES:
        assert torch.equal(weights(out / name), weights(grid / name))
    one, other = (open_run(folder / "training.parquet").training.collect() for folder in (out, grid))
    assert one.select("model", "step", "loss").equals(other.select("model", "step", "loss"))
    assert not list(out.glob("*/checkpoints"))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"alphas": [0.5, 0.5]}, "alpha: expected different probabilities, not 0.5, 0.5"),
        ({"alphas": []}, "alpha: expected different"),
        ({"alphas": [0.5, 2]}, "alpha is 2: expected a probability between 0 and 1"),
        ({"seeds": 0}, "seeds is 0: expected at least 1"),
    ],
)
def test_a_wrong_grid_is_refused_before_anything_is_written(
    options: dict[str, object], message: str, small: RetrievalTask, tmp_path: Path
) -> None:
    with pytest.raises(TrainingError, match=message):
        fit_grid(small, tmp_path / "out", QUICK, **options)
    assert not (tmp_path / "out").exists()


class LastStep(Counting):
    """Presses Ctrl-C at the last step of the first member."""

    left = 6

    def advance(self, units: int = 1) -> None:
        self.left -= units
        if self.left == 0:
            os.kill(os.getpid(), signal.SIGINT)


def test_ctrl_c_at_a_members_last_step_ends_the_grid_after_that_member(small: RetrievalTask, tmp_path: Path) -> None:
    out = tmp_path / "out"
    with pytest.raises(KeyboardInterrupt):
        fit_grid(small, out, QUICK, seeds=2, narrator=LastStep())
    assert [path.parent.name for path in out.glob("*/xlbias.json")] == ["hybrid-alpha0.5-seed7"]
    assert len(fit_grid(small, out, QUICK, seeds=2, resume=True)) == 2


def test_every_seed_switches_other_words(small: RetrievalTask, tmp_path: Path) -> None:
    lexicon = tmp_path / "en-de.tsv"
    lexicon.write_text("the\tdie\nof\tvon\nand\tund\nin\tin\n", "utf-8")
    switch = CodeSwitch(load_lexicon([str(lexicon)]), 0.5)
    grid = fit_grid(small, tmp_path / "out", QUICK, seeds=2, switch=switch)
    alone = fit(small, tmp_path / "alone", QUICK.overridden(seed=8), switch=switch)
    assert [training.card["code_switch"]["seed"] for training in grid] == [7, 8]
    assert torch.equal(weights(grid[1].path), weights(alone.path))
    words = [training.card["batches"]["words"] for training in (*grid, alone)]
    assert words[1] == words[2] != words[0]
