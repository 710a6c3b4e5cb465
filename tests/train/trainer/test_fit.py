"""A training from end to end: the batches the real trainer sees, what it leaves behind, and what goes wrong."""

import json
import logging
import os
import signal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.numpy
import torch
from narrators import Counting
from sentence_transformers import SentenceTransformer
from tiny import bare_transformer
from transformers import BertForMaskedLM

from xlbias.data.task import RetrievalTask
from xlbias.encode.load import load_encoder
from xlbias.errors import EncoderError, RunError, TrainingError
from xlbias.results.run import open_run
from xlbias.train.recipe import Recipe
from xlbias.train.sampling.pairs import PairTexts
from xlbias.train.sampling.samplers import LanguageBatchSampler
from xlbias.train.trainer import interrupts, training_job
from xlbias.train.trainer.arguments import training_arguments
from xlbias.train.trainer.fit import Training, fit

pytestmark = pytest.mark.e2e

QUICK = Recipe(
    base="static", steps=12, batch_size=16, learning_rate=1e-2, query_prefix="", passage_prefix="", dimension=16,
    vocabulary=900, seed=7, validation=0.0,
)  # fmt: skip


@pytest.fixture(scope="module")
def trained(small: RetrievalTask, tmp_path_factory: pytest.TempPathFactory) -> Training:
    return fit(small, tmp_path_factory.mktemp("trained") / "hybrid", QUICK)


def weights(folder: Path) -> torch.Tensor:
    return SentenceTransformer(str(folder), device="cpu")[0].embedding.weight.detach()


# -- the batches -------------------------------------------------------------------------------------------------------


def test_the_real_trainer_sees_every_batch_of_every_epoch_once_and_in_order(
    small: RetrievalTask, tmp_path: Path, seen: list[list[int]]
) -> None:
    result = fit(small, tmp_path / "out", QUICK.overridden(epochs=3.0))
    sampler = LanguageBatchSampler(PairTexts([small]), 16, seed=7)
    expected = [sampler.batch(epoch, i).pairs.tolist() for epoch in range(3) for i in range(len(sampler))]
    assert len(sampler) == 60 // 16
    assert result.steps == len(seen) == 3 * len(sampler)
    assert seen == expected
    assert len({tuple(batch) for batch in seen}) == len(seen)  # no epoch repeats another


def test_the_same_seed_gives_the_same_weights_bit_for_bit(
    trained: Training, small: RetrievalTask, tmp_path: Path
) -> None:
    torch.manual_seed(99)  # whatever state the caller left
    fit(small, tmp_path / "again", QUICK)
    fit(small, tmp_path / "other", QUICK.overridden(seed=8))
    assert torch.equal(weights(trained.path), weights(tmp_path / "again"))
    assert not torch.equal(weights(trained.path)[:100], weights(tmp_path / "other")[:100])


@pytest.mark.parametrize(("alpha", "pure"), [(1.0, "mono"), (0.0, "cross")])
def test_hybrid_at_its_ends_trains_the_same_encoder_as_mono_and_cross(
    alpha: float, pure: str, small: RetrievalTask, tmp_path: Path
) -> None:
    ours = fit(small, tmp_path / "hybrid", QUICK, sampler="hybrid", alpha=alpha)
    theirs = fit(small, tmp_path / "pure", QUICK, sampler=pure)
    assert ours.card["alpha"] == theirs.card["alpha"] == alpha
    assert torch.equal(weights(ours.path), weights(theirs.path))


# -- what is left behind -----------------------------------------------------------------------------------------------


def test_the_checkpoint_is_a_sentence_transformers_folder_of_safetensors(trained: Training) -> None:
    names = {path.name for path in trained.path.iterdir()}
    assert {"modules.json", "model.safetensors", "tokenizer.json", "README.md", "xlbias.json"} <= names
    assert not any(path.suffix in {".bin", ".pt", ".pth", ".pkl"} for path in trained.path.rglob("*"))
    assert not any(name.startswith(".") for name in names)
    texts = ["Welcome to Berlin", "ประเทศไทย", ""]
    plain = SentenceTransformer(str(trained.path), device="cpu").encode(texts, normalize_embeddings=True)
    assert load_encoder(str(trained.path), device="cpu").encode(texts, "passage") == pytest.approx(plain, abs=1e-6)


def test_training_brings_translations_together(small: RetrievalTask, tmp_path: Path) -> None:
    longer = fit(small, tmp_path / "longer", QUICK.overridden(steps=60), sampler="cross")
    losses = open_run(longer.path / "training.parquet").training.collect()["loss"]
    assert losses[-5:].mean() < 0.5 * losses[:5].mean()
    german, english = (small.queries.filter(language=tag).sort("query_id")["text"].to_list() for tag in ("de", "en"))
    encoder = load_encoder(str(longer.path), device="cpu")
    scores = encoder.encode(german, "query") @ encoder.encode(english, "passage").T
    assert (scores.argmax(axis=1) == np.arange(len(scores))).mean() > 0.5


def test_the_card_says_what_was_trained_on_what(trained: Training, small: RetrievalTask) -> None:
    card = json.loads((trained.path / "xlbias.json").read_text("utf-8"))
    assert card == trained.card
    assert {key: card[key] for key in ("name", "base", "sampler", "alpha", "seed", "steps")} == {
        "name": "hybrid", "base": "static", "sampler": "hybrid", "alpha": 0.5, "seed": 7, "steps": 12,
    }  # fmt: skip
    source = card["sources"][0]
    assert (source["name"], source["domain"], source["fingerprint"]) == ("small", small.domain, small.fingerprint)
    assert (source["n_ids"], source["languages"], source["licence"]) == (60, ["de", "en", "th"], small.licence)
    assert card["recipe"] == QUICK.as_dict()
    assert card["loss"] == trained.loss
    assert card["versions"]["torch"] == torch.__version__
    assert sum(card["batches"]["by_kind"].values()) == card["batches"]["by_task"]["small"] == 12
    assert sum(n for of_query in card["batches"]["pairs"].values() for n in of_query.values()) == 12 * 16
    assert load_encoder(str(trained.path), device="cpu").card == card


def test_counts_of_batches_are_those_that_were_trained_on(trained: Training, small: RetrievalTask) -> None:
    sampler = LanguageBatchSampler(PairTexts([small]), 16, seed=7)
    settings = [sampler.batch(*divmod(i, len(sampler))).kind for i in range(12)]
    expected = {setting: settings.count(setting) for setting in set(settings)}
    assert trained.card["batches"]["by_kind"] == expected
    assert set(expected) == {"monolingual", "cross-lingual"}


def test_the_model_card_for_people_cannot_be_broken_by_a_name(small: RetrievalTask, tmp_path: Path) -> None:
    hostile = small.renamed("a | b\n# <script>\x1b]0;x\x07`")
    fit(hostile, tmp_path / "out", QUICK.overridden(steps=1), name="[x](y)\n---")
    text = (tmp_path / "out" / "README.md").read_text("utf-8")
    assert text.splitlines().count("---") == 2
    assert not any(bad in text for bad in ("\x1b", "\x07", "<script", "\n# &lt;"))
    assert [line.count(" | ") for line in text.splitlines() if "script>" in line] == [4]
    assert load_encoder(str(tmp_path / "out"), device="cpu").card["sources"][0]["name"] == hostile.name


def test_the_journal_becomes_a_run_with_the_loss_curve(trained: Training) -> None:
    run = open_run(trained.path / "training.parquet")
    assert run.state.status == "finished"
    assert run.metadata["models"] == [{"name": "hybrid", "card": trained.card}]
    rows = run.training.collect()
    assert rows["step"].to_list() == list(range(1, 13))
    assert rows["model"].unique().to_list() == ["hybrid"]
    assert rows["epoch"][-1] == pytest.approx(12 / 3)
    assert rows["learning_rate"].max() == pytest.approx(QUICK.learning_rate)
    assert rows["learning_rate"][0] < QUICK.learning_rate  # warm-up
    assert rows["loss"][-1] == trained.loss
    assert (rows["n_monolingual_batches"] + rows["n_cross_lingual_batches"]).to_list() == rows["step"].to_list()
    assert (rows["pairs_per_second"] > 0).all()
    assert (rows["memory_bytes"] > 1_000_000).all()


def test_any_encoder_can_be_trained_with_the_papers_prefixes(
    small: RetrievalTask, two_layers: str, tmp_path: Path
) -> None:
    out = tmp_path / "tuned"
    papers = {"query_prefix": "Query: ", "passage_prefix": "Passage: "}
    fit(small, out, Recipe(base=two_layers, steps=2, batch_size=4, validation=0.0, **papers), device="cpu")
    tuned = load_encoder(str(out), device="cpu")
    expected = tuned.model.encode(["Query: Wer?"], normalize_embeddings=True)
    assert tuned.encode(["Wer?"], "query") == pytest.approx(expected, abs=1e-6)
    assert tuned.model.prompts == {"query": "Query: ", "document": "Passage: "}
    before, after = (safetensors.numpy.load_file(Path(folder) / "model.safetensors") for folder in (two_layers, out))
    shared = before.keys() & after.keys()
    assert len(shared) > 36  # 16 of each layer, and the embeddings
    assert sum(not np.array_equal(before[name], after[name]) for name in shared) > len(shared) / 2


def test_a_masked_language_model_is_a_base_where_its_pooling_is_named(small: RetrievalTask, tmp_path: Path) -> None:
    base = str(bare_transformer(tmp_path / "base", BertForMaskedLM))
    recipe = Recipe(base=base, steps=2, batch_size=4, validation=0.0)
    with pytest.raises(EncoderError, match="looks like a masked language model"):
        fit(small, tmp_path / "refused", recipe, device="cpu")
    fit(small, tmp_path / "out", recipe.overridden(pooling="cls"), device="cpu")
    trained = load_encoder(str(tmp_path / "out"), device="cpu")
    assert trained.model[1].pooling_mode == "cls"
    assert trained.card["recipe"]["pooling"] == "cls"


@pytest.fixture
def base_with_prompts(trained: Training, tmp_path: Path) -> str:
    """A base that registers prompts by names of its own, and one that is not for retrieval."""
    model = SentenceTransformer(str(trained.path), device="cpu")
    model.prompts = {"search_query": "suche: ", "search_document": "text: ", "clustering": "gruppe: "}
    model.similarity_fn_name = "manhattan"  # cannot be ranked by, but it is trained for cosine
    model.save_pretrained(str(tmp_path / "base"))
    return str(tmp_path / "base")


@pytest.mark.parametrize(
    ("overrides", "query", "passage"),
    [
        ({}, "suche: ", "text: "),
        ({"query_prefix": "clustering"}, "gruppe: ", "text: "),
        ({"query_prefix": "Query: ", "passage_prefix": ""}, "Query: ", ""),
    ],
)
def test_a_base_keeps_its_own_prompts_unless_others_are_asked_for(
    base_with_prompts: str,
    small: RetrievalTask,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    overrides,
    query,
    passage,
) -> None:
    trained_with = []

    def spied(*arguments):
        made = training_arguments(*arguments)
        trained_with.append(made.prompts)
        return made

    monkeypatch.setattr(training_job, "training_arguments", spied)
    out = tmp_path / "out"
    recipe = Recipe(base=base_with_prompts, steps=1, batch_size=4, validation=0.0, **overrides)
    card = fit(small, out, recipe, device="cpu").card
    assert trained_with == [{"query": query, "passage": passage, "negative": passage}]
    assert card["prompts"] == json.loads((out / "xlbias.json").read_text("utf-8"))["prompts"]
    assert card["prompts"] == {"query": query, "passage": passage}
    saved = json.loads((out / "config_sentence_transformers.json").read_text("utf-8"))["prompts"]
    assert saved == {
        "query": query, "document": passage, "search_query": query, "search_document": passage, "clustering": "gruppe: "
    }  # fmt: skip
    tuned = load_encoder(str(out), device="cpu")
    assert (tuned.prompts.query.text, tuned.prompts.passage.text) == (query, passage)
    assert tuned.own_similarity == "cosine"
    assert json.dumps(query) in (out / "README.md").read_text("utf-8")


# -- what goes wrong ---------------------------------------------------------------------------------------------------


def test_divergence_stops_with_the_step_and_without_a_checkpoint(small: RetrievalTask, tmp_path: Path) -> None:
    out = tmp_path / "out"
    with pytest.raises(
        TrainingError, match=r"the loss is (nan|inf) at step \d+: training diverged; lower the learning"
    ):
        fit(small, out, QUICK.overridden(learning_rate=1e39, steps=40))
    assert [path.name for path in out.iterdir()] == ["training.parquet.live"]


class Interrupting(Counting):
    """Presses Ctrl-C after some steps, several times where that is asked for, with seconds between."""

    def __init__(self, after: int, times: int = 1, apart: float = 0.0) -> None:
        self.left, self.times, self.apart, self.now = after, times, apart, 0.0
        self.said: list[str] = []

    def say(self, text: str) -> None:
        self.said.append(text)

    def advance(self, units: int = 1) -> None:
        self.left -= units
        if self.left == 0:
            for _ in range(self.times):
                os.kill(os.getpid(), signal.SIGINT)  # handled before this returns
                self.now += self.apart

    def monotonic(self) -> float:
        """Its clock, for what listens to signals."""
        return self.now


def test_ctrl_c_finishes_the_step_saves_a_checkpoint_and_says_how_to_go_on(
    small: RetrievalTask, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    narrator = Interrupting(after=6)
    with pytest.raises(KeyboardInterrupt):
        fit(small, out, QUICK, narrator=narrator)
    assert narrator.said[-1] == "out: stopped after 6 of 12 steps; continue with the same command and --resume"
    assert sorted(path.name for path in out.iterdir()) == ["checkpoints", "training.parquet.live"]
    assert [path.name for path in (out / "checkpoints").iterdir()] == ["step-000000006"]
    assert open_run(out / "training.parquet").training.collect()["step"].to_list() == [1, 2, 3, 4, 5, 6]
    with pytest.raises(TrainingError, match="is not empty: choose another folder, continue the training there with "):
        fit(small, out, QUICK)
    assert fit(small, out, QUICK, overwrite=True).steps == 12
    assert not (out / "checkpoints").exists()


def test_a_second_ctrl_c_stops_at_once(small: RetrievalTask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    narrator = Interrupting(after=6, times=2, apart=1.1)
    monkeypatch.setattr(interrupts, "time", narrator)
    with pytest.raises(KeyboardInterrupt):
        fit(small, tmp_path / "out", QUICK, narrator=narrator)
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["training.parquet.live"]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_signals_that_come_at_once_are_one(
    small: RetrievalTask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A terminal's Ctrl-C reaches a launcher too, which hands it on."""
    narrator = Interrupting(after=6, times=3)
    monkeypatch.setattr(interrupts, "time", narrator)
    with pytest.raises(KeyboardInterrupt):
        fit(small, tmp_path / "out", QUICK, narrator=narrator)
    assert [path.name for path in (tmp_path / "out" / "checkpoints").iterdir()] == ["step-000000006"]


def test_weights_that_are_not_finite_are_never_saved_as_an_encoder(small: RetrievalTask, tmp_path: Path) -> None:
    """The loss of the only step is computed before the update that ruins the weights."""
    with pytest.raises(TrainingError, match="are not finite after step 1: training diverged"):
        fit(small, tmp_path / "out", QUICK.overridden(steps=1, learning_rate=1e39, warmup=0.0))
    assert not (tmp_path / "out" / "xlbias.json").exists()


def test_a_training_that_fails_leaves_the_earlier_checkpoint_as_it_was(small: RetrievalTask, tmp_path: Path) -> None:
    out = tmp_path / "out"
    fit(small, out, QUICK.overridden(steps=2))
    before = weights(out)
    with pytest.raises(KeyboardInterrupt):
        fit(small, out, QUICK, overwrite=True, narrator=Interrupting(after=6))
    assert torch.equal(weights(out), before)
    assert json.loads((out / "xlbias.json").read_text("utf-8"))["steps"] == 2


def test_only_an_earlier_training_is_overwritten_and_other_files_stay(small: RetrievalTask, tmp_path: Path) -> None:
    out = tmp_path / "out"
    first = fit(small, out, QUICK.overridden(steps=1))
    (out / "run.parquet").write_text("an evaluation", "utf-8")
    with pytest.raises(TrainingError, match="or replace its checkpoint with --overwrite"):
        fit(small, out, QUICK)
    second = fit(small, out, QUICK.overridden(steps=2), overwrite=True)
    assert (first.steps, second.steps) == (1, 2)
    assert json.loads((out / "xlbias.json").read_text("utf-8"))["steps"] == 2
    assert (out / "run.parquet").read_text("utf-8") == "an evaluation"


def test_a_folder_of_something_else_is_never_overwritten(small: RetrievalTask, tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("years of work", "utf-8")
    with pytest.raises(TrainingError, match="holds something other than a training of xlbias"):
        fit(small, tmp_path, QUICK, overwrite=True)
    with pytest.raises(TrainingError, match="is a file; expected the name of a folder"):
        fit(small, tmp_path / "thesis.tex", QUICK, overwrite=True)
    assert (tmp_path / "thesis.tex").read_text("utf-8") == "years of work"


def test_a_card_cannot_make_overwriting_remove_files_elsewhere(small: RetrievalTask, tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("stays", "utf-8")
    out = tmp_path / "out"
    out.mkdir()
    names: list[Any] = ["../victim", str(victim), "..", ".", "", 3, None]
    (out / "xlbias.json").write_text(json.dumps({"files": names}), "utf-8")
    fit(small, out, QUICK.overridden(steps=1), overwrite=True)
    assert victim.read_text("utf-8") == "stays"


def test_two_trainings_in_one_folder_the_second_is_refused(small: RetrievalTask, tmp_path: Path) -> None:
    out = tmp_path / "out"

    class Second(Counting):
        def advance(self, units: int = 1) -> None:
            with pytest.raises(RunError, match="is being written by"):
                fit(small, out, QUICK, overwrite=True)

    assert fit(small, out, QUICK.overridden(steps=1), narrator=Second()).steps == 1
    assert (out / "modules.json").exists()


def test_what_cannot_work_fails_before_the_folder_is_made(small: RetrievalTask, tmp_path: Path) -> None:
    out = tmp_path / "out"
    for arguments, message in (
        ({"tasks": [small, small]}, "two tasks are called 'small'"),
        ({"tasks": []}, "nothing to train on: expected at least one task"),
        ({"recipe": QUICK.overridden(batch_size=61)}, "small: no monolingual batch of 61 can be made: at most 60 ids"),
        ({"sampler": "monolingual"}, "unknown sampler"),
        ({"device": "gpu"}, "device 'gpu': expected cpu, cuda, mps"),
    ):
        with pytest.raises(TrainingError, match=message):
            fit(**{"tasks": small, "recipe": QUICK, "out": out, **arguments})
    assert not out.exists()


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU here")
def test_a_device_that_is_not_there(small: RetrievalTask, tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="device 'cuda' is not there"):
        fit(small, tmp_path / "out", QUICK, device="cuda")


def test_the_libraries_are_silent_and_keep_their_settings(
    small: RetrievalTask, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    logger = logging.getLogger("sentence_transformers")
    before = logger.level
    fit(small, tmp_path / "out", QUICK.overridden(steps=2))
    assert capfd.readouterr() == ("", "")
    assert logger.level == before
