"""Trains an encoder: tasks, a sampler and a recipe in; a checkpoint with its card and its journal out."""

from __future__ import annotations

import hashlib
import json
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from sentence_transformers import SentenceTransformer, SentenceTransformerTrainingArguments
from sentence_transformers.sentence_transformer.losses import MultipleNegativesRankingLoss

from xlbias import __version__
from xlbias.data.task import RetrievalTask
from xlbias.encode.card import TRAINING_FILE
from xlbias.encode.load import check_encoder, load_encoder
from xlbias.encode.static import build_static
from xlbias.errors import TrainingError
from xlbias.narration import Narrator, Silent
from xlbias.runs.journal import Journal
from xlbias.train.card import describe
from xlbias.train.checkpoint import check_folder, save_checkpoint, temporary_folder
from xlbias.train.loop import PairTrainer, Recorder, RowWriter, Tally, quiet_libraries
from xlbias.train.pairs import PairTexts
from xlbias.train.recipe import STATIC, Recipe, recipe_for
from xlbias.train.samplers import LanguageBatchSampler


@dataclass(frozen=True)
class Training:
    """What a training did: the checkpoint's folder, its card (as in ``xlbias.json``) and the headline figures."""

    path: Path
    card: dict[str, Any]
    steps: int
    seconds: float
    loss: float


def fit(
    tasks: RetrievalTask | Sequence[RetrievalTask],
    out: str | Path,
    recipe: Recipe | None = None,
    *,
    sampler: str = "hybrid",
    alpha: float = 0.5,
    name: str | None = None,
    device: str | None = None,
    trust_remote_code: bool = False,
    overwrite: bool = False,
    narrator: Narrator | None = None,
) -> Training:
    """Train an encoder on `tasks` with InfoNCE over in-batch negatives and save it to the folder `out`.

    Args:
        tasks: what to train on; each batch comes from one of them, drawn in proportion to its number of ids.
        out: folder of the checkpoint, with ``xlbias.json``, a model card and ``training.parquet`` beside the weights.
        recipe: the settings; by default those of the ``static`` encoder.
        sampler: ``mono``, ``cross`` or ``hybrid``, see `xlbias.train.samplers.SAMPLERS`.
        alpha: probability of a monolingual batch of ``hybrid``.
        name: what reports call the encoder; by default the folder's name.
        device: ``cpu``, ``cuda`` or ``mps``; by default the CPU for ``static``, which has little to compute, and the
            best there is for others.
        trust_remote_code: whether the base may run code of its own.
        overwrite: replace the checkpoint that an earlier training left in `out`.
        narrator: told about progress.

    The same tasks, recipe and sampler give the same weights, bit for bit on one CPU. Raises TrainingError if the
    sampler cannot make a batch, a setting or the folder cannot be used, or the loss is not finite; then, and when
    interrupted, no checkpoint appears, and the journal of the steps made stays in ``training.parquet.live``.
    """
    started = time.monotonic()
    tasks = [tasks] if isinstance(tasks, RetrievalTask) else list(tasks)
    recipe = recipe or recipe_for(STATIC)
    narrator = narrator or Silent()
    out = Path(out)
    _check_names(tasks)
    check_folder(out, overwrite=overwrite)
    device = _device(device, recipe)
    if recipe.base != STATIC:
        check_encoder(recipe.base)
    texts = PairTexts(tasks)
    batches = LanguageBatchSampler(texts, recipe.batch_size, seed=recipe.seed, sampler=sampler, alpha=alpha)
    steps = recipe.steps or max(1, round(recipe.epochs * len(batches)))
    card = describe(name or out.resolve().name, tasks, texts, recipe, sampler, batches, device)
    narrator.say(
        f"{card['name']}: {sampler} batches of {recipe.batch_size:,} from {len(texts):,} ids in "
        f"{len(texts.languages)} languages"
    )
    with quiet_libraries():
        model = _base(recipe, texts, device, trust_remote_code, narrator)
        out.mkdir(parents=True, exist_ok=True)
        with _open_journal(out, card, overwrite) as journal:
            with temporary_folder(out) as temporary:
                trained = _train(
                    model, texts, batches, recipe, steps, device, temporary, journal, card["name"], narrator
                )
                card |= trained | {"seconds": time.monotonic() - started}
                card = save_checkpoint(model, card, out, temporary)
            journal.metadata["models"] = [_of_run(card)]
            journal.finish()
    return Training(out, card, steps, card["seconds"], card["loss"])


def _train(
    model: SentenceTransformer,
    texts: PairTexts,
    batches: LanguageBatchSampler,
    recipe: Recipe,
    steps: int,
    device: str | None,
    temporary: Path,
    journal: Journal,
    name: str,
    narrator: Narrator,
) -> dict[str, Any]:
    """Train `model` in place and return what the card says of it."""
    writer = RowWriter(journal, name)
    tally = Tally(texts)
    done = 0
    began = time.monotonic()
    with narrator.progress(f"{name}: training", steps, "steps") as bar:

        def step_done() -> None:
            nonlocal done
            done += 1
            bar.advance()
            journal.progress("training", done, steps, "steps")

        recorder = Recorder(batches, tally, max(1, min(50, steps // 100)), writer.add, step_done)
        trainer = PairTrainer(
            batches,
            model=model,
            args=_arguments(recipe, steps, device, temporary),
            loss=MultipleNegativesRankingLoss(model, scale=1.0 / recipe.temperature),
            callbacks=[recorder],
        )
        recorder.trainer = trainer
        try:
            trainer.train()
        except KeyboardInterrupt:
            narrator.say(f"{name}: stopped after {done:,} of {steps:,} steps; no checkpoint was written")
            raise
        finally:
            writer.flush()
    return {
        "steps": steps,
        "loss": writer.last_loss,
        "training_seconds": time.monotonic() - began,
        "batches": tally.as_dict(),
        "device": str(trainer.args.device),
    }


def _arguments(recipe: Recipe, steps: int, device: str | None, temporary: Path) -> SentenceTransformerTrainingArguments:
    return SentenceTransformerTrainingArguments(
        output_dir=str(temporary / "trainer"),
        max_steps=steps,
        per_device_train_batch_size=recipe.batch_size,
        learning_rate=recipe.learning_rate,
        lr_scheduler_type=recipe.schedule if recipe.schedule != "constant" else "constant_with_warmup",
        warmup_steps=round(recipe.warmup * steps),
        weight_decay=recipe.weight_decay,
        seed=recipe.seed,
        prompts={"query": recipe.query_prefix, "passage": recipe.passage_prefix},
        use_cpu=device == "cpu",
        dataloader_drop_last=True,
        logging_strategy="no",
        save_strategy="no",
        eval_strategy="no",
        report_to="none",
        disable_tqdm=True,
    )


def _base(
    recipe: Recipe, texts: PairTexts, device: str | None, trust_remote_code: bool, narrator: Narrator
) -> SentenceTransformer:
    """Return the encoder to train, with the recipe's prefixes as its prompts."""
    if recipe.base == STATIC:
        narrator.say(f"learning {recipe.vocabulary:,} sub-words from the training texts")
        model = build_static(
            texts.texts(),
            dimension=recipe.dimension,
            vocabulary=recipe.vocabulary,
            scale=recipe.initial_scale,
            seed=recipe.seed,
        )
    else:
        narrator.say(f"loading {recipe.base}")
        model = load_encoder(recipe.base, device=device, trust_remote_code=trust_remote_code).model
    model.prompts = {"query": recipe.query_prefix, "document": recipe.passage_prefix}
    return model


def _device(device: str | None, recipe: Recipe) -> str | None:
    if device is None:
        return "cpu" if recipe.base == STATIC else None
    there = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if device not in there:
        raise TrainingError(
            f"device {device!r}: expected {', '.join(there)}; of several GPUs, CUDA_VISIBLE_DEVICES chooses one"
        )
    if not there[device]:
        raise TrainingError(f"device {device!r} is not there: PyTorch {torch.__version__} finds none")
    return device


def _check_names(tasks: Sequence[RetrievalTask]) -> None:
    names = [task.name for task in tasks]
    for name in names:
        if names.count(name) > 1:
            raise TrainingError(f"two tasks are called {name!r}: give one another name with [name=...]")


def _of_run(card: dict[str, Any]) -> dict[str, Any]:
    return {"name": card["name"], "card": card}


def _open_journal(out: Path, card: dict[str, Any], overwrite: bool) -> Journal:
    identity = hashlib.sha256(json.dumps(card, sort_keys=True).encode()).hexdigest()
    metadata = {
        "created": time.time(),
        "xlbias": __version__,
        "command": [Path(sys.argv[0]).name, *sys.argv[1:]],
        "versions": card["versions"],
        "device": card["device"],
        "models": [_of_run(card)],
        "tasks": [],
    }
    return Journal.open(out / TRAINING_FILE, metadata, identity=identity, overwrite=overwrite)
