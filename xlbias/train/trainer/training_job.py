"""One training from its base to its checkpoint: builds the encoder, runs the trainer, saves the best of it."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
import transformers
from sentence_transformers import SentenceTransformer, SentenceTransformerTrainingArguments

from xlbias.data.task import RetrievalTask
from xlbias.encode.card import read_card
from xlbias.encode.load import load_encoder
from xlbias.encode.prompts import find_prompts, trained_prompts
from xlbias.encode.static import assemble, static_parts
from xlbias.errors import TrainingError
from xlbias.narration import Narrator
from xlbias.progress import Course, Stage, Step
from xlbias.runs.journal import Journal
from xlbias.train.card import DID_NOT_HELP, describe
from xlbias.train.recipe import STATIC, Recipe
from xlbias.train.sampling.codeswitch import CodeSwitch
from xlbias.train.sampling.pairs import PairTexts
from xlbias.train.sampling.samplers import LanguageBatchSampler
from xlbias.train.trainer.callbacks import Supervisor, Surroundings, steps_of_epoch
from xlbias.train.trainer.checkpoint import save_checkpoint
from xlbias.train.trainer.distributed import Processes
from xlbias.train.trainer.interrupts import StopRequest
from xlbias.train.trainer.journal_rows import RowWriter, Tally
from xlbias.train.trainer.loss import infonce
from xlbias.train.trainer.memory import keep_freed_memory
from xlbias.train.trainer.resume_state import FOLDER, Progress, checkpoint_of, checkpoints, read_progress
from xlbias.train.trainer.seen_texts import seen_in_training
from xlbias.train.trainer.trainer import PairTrainer, quiet_libraries
from xlbias.train.trainer.validation import Validation


@dataclass(frozen=True)
class Training:
    """What a training did: the checkpoint's folder, its card (as in ``xlbias.json``) and the headline figures."""

    path: Path
    card: dict[str, Any]
    steps: int
    seconds: float
    loss: float


@dataclass(frozen=True)
class Data:
    """What is trained and validated on, the same for every training of a grid.

    Attributes:
        tasks: to train on, without what is held out.
        validation: to validate on; may be empty.
        texts: the training tasks' pairs, before code-switching.
        switch: code-switching of `texts`, where there is some.
    """

    tasks: Sequence[RetrievalTask]
    validation: Sequence[RetrievalTask]
    texts: PairTexts
    switch: CodeSwitch | None


@dataclass(frozen=True)
class Place:
    """Where a training runs: device (None for the best there is), processes, and whether the base may run code."""

    device: str | None
    processes: Processes
    trust_remote_code: bool


class Work:
    """One training, checked and ready to run.

    Args:
        name: what reports call the encoder.
        out: folder of its checkpoint.
        sampling: keyword arguments of `LanguageBatchSampler`.

    Raises TrainingError where the sampler cannot make a batch.
    """

    def __init__(
        self,
        name: str,
        out: Path,
        recipe: Recipe,
        sampling: dict[str, Any],
        data: Data,
        place: Place,
        narrator: Narrator,
    ) -> None:
        self.name, self.out, self.recipe, self.data, self.place, self.narrator = (
            name, out, recipe, data, place, narrator,
        )  # fmt: skip
        self.sampling = sampling
        place.processes.share_of(recipe.batch_size)
        self.prompts = {"query": "", "passage": ""}  # of the base, known once it is loaded
        self.switch = data.switch.seeded(recipe.seed) if data.switch else None
        self.texts = data.texts.switched_by(self.switch)
        self.batches = LanguageBatchSampler(self.texts, recipe.batch_size, seed=recipe.seed, **sampling)
        per_epoch = steps_of_epoch(self.batches, recipe.accumulate)
        self.steps = recipe.steps or max(1, round(recipe.epochs * per_epoch))
        self.card = describe(name, data.tasks, self.texts, recipe, sampling, self.batches, place.device)
        self.card |= {
            "processes": place.processes.world,
            "languages_left_out": self.batches.languages_left_out(),
            "validated_on": [{"name": task.name, "fingerprint": task.fingerprint} for task in data.validation],
            "code_switch": self.switch.describe() if self.switch else None,
        }
        same = {key: value for key, value in self.card.items() if key not in {"device", "versions", "processes"}}
        self.identity = hashlib.sha256(json.dumps(same, sort_keys=True).encode()).hexdigest()
        """What a training must share with this one to be gone on with: all but where and with what versions it ran."""

    def finished(self, run_id: str) -> Training | None:
        """Return this very training, of the run `run_id`, if its checkpoint is in its folder."""
        card = read_card(self.out)
        if (card.get("identity"), card.get("run_id")) != (self.identity, run_id):
            return None  # another training, or what one that is being overwritten has left
        return Training(self.out, card, card["steps"], card["seconds"], card["loss"])

    @property
    def step(self) -> Step:
        """The training as a step of a command: seconds in proportion to those of others of its kind."""
        return Step(self.name, "train", self.name, 0.02 * self.steps)

    def run(self, journal: Journal | None, prefix: str, stop: StopRequest, course: Course, *, resume: bool) -> Training:
        """Train, from the last checkpoint on with `resume`, and save the best encoder to the folder.

        `journal` is the main process's; `prefix` keeps parts of several trainings apart. Raises KeyboardInterrupt
        where `stop` asked for an end before the last step: a checkpoint is saved then.
        """
        started, processes = time.monotonic(), self.place.processes
        found = processes.shared(lambda: checkpoints(self.out)[-1:]) if resume else []
        progress = read_progress(found[0]) if found else Progress()
        writer = RowWriter(journal, self.name, prefix) if journal else None
        if processes.main and not found:
            self.clean_up()
        if writer:
            writer.go_back(progress.step)
        if self.recipe.base == STATIC:
            keep_freed_memory()
        with quiet_libraries():
            model = self._base(found[0] if found else None)
            with course.stage(self.name, f"{self.name}: training", self.steps, "steps") as stage:
                stage.advance(progress.step, measured=False)
                trainer, supervisor = self._trainer(model, writer, progress, stop, stage)
                over = progress.step >= self.steps or progress.stale(self.recipe.patience)
                try:
                    if not processes.from_main(over):  # killed between the last checkpoint and the encoder
                        trainer.train(resume_from_checkpoint=str(found[0]) if found else None)
                finally:
                    if writer:
                        writer.flush()
                        with suppress(OSError):
                            (self.out / FOLDER).rmdir()  # empty unless there is a checkpoint to go on from
                if supervisor.interrupted:
                    self.narrator.say(
                        f"{self.name}: stopped after {progress.step:,} of {self.steps:,} steps; "
                        "go on with the same command and --resume"
                    )
                    raise KeyboardInterrupt
            self.card |= self._result(trainer, supervisor, journal) | {
                "seconds": supervisor.seconds_before + time.monotonic() - started
            }
            saved = processes.on_main(lambda: self._save(model, supervisor))
        self.card = saved or self.card
        return Training(self.out, self.card, self.card["steps"], self.card["seconds"], self.card["loss"])

    def _save(self, model: SentenceTransformer, supervisor: Supervisor) -> dict[str, Any]:
        """Save the encoder of the best validation, else the last one; return its card.

        That may be the base, where no step has improved it.
        """
        best = supervisor.progress.best_step
        drawn = self.card["batches"]["pairs"]
        languages = {*drawn, *(language for of_query in drawn.values() for language in of_query)}
        if best == 0:
            self.narrator.say(f"{self.name}: {DID_NOT_HELP}")
            model = self._base(None, again=True)
            languages = set()  # it has seen none of the texts
        elif best in (None, supervisor.progress.step):
            supervisor.check_finite(supervisor.progress.step)
        else:
            model = load_encoder(
                str(checkpoint_of(self.out, best)), device="cpu", trust_remote_code=self.place.trust_remote_code
            ).model
        seen = seen_in_training(self.data.tasks, self.texts, self.data.validation, self.recipe.base, languages)
        return save_checkpoint(model, self.card, self.out, seen)

    def clean_up(self) -> None:
        """Remove the checkpoints of a training that is finished."""
        if self.place.processes.main:
            shutil.rmtree(self.out / FOLDER, ignore_errors=True)

    # -- the parts of run --------------------------------------------------------------------------------------------

    def _base(self, checkpoint: Path | None, *, again: bool = False) -> SentenceTransformer:
        """Return the encoder to train, with the recipe's prefixes as its prompts, or its own where there are none.

        `again` gives the base once more, in one process only and without a word.
        """
        recipe, device = self.recipe, self.place.device
        transformers.set_seed(recipe.seed)  # for weights that the base lacks, such as an unused pooler
        if checkpoint is not None:
            self.narrator.say(f"{self.name}: going on from {checkpoint}")
            model = load_encoder(str(checkpoint), device=device, trust_remote_code=self.place.trust_remote_code).model
        elif recipe.base == STATIC:
            if not again:
                self.narrator.say(f"learning {recipe.vocabulary:,} sub-words from the training texts")
            model = assemble(*(self._static_parts() if again else self.place.processes.shared(self._static_parts)))
        else:
            if not again:
                self.narrator.say(f"loading {recipe.base}")
            model = load_encoder(
                recipe.base,
                device=device,
                similarity="cosine",  # what it will be compared by, whatever it asks for now
                trust_remote_code=self.place.trust_remote_code,
                pooling=recipe.pooling or None,
                say=None if again else self.narrator.say,
            ).model
        self._set_prompts(model, said=checkpoint is None and not again)
        model.similarity_fn_name = "cosine"  # what it is trained for, whatever the base was
        if recipe.max_length:
            _check_length(model, recipe.max_length)
            model.max_seq_length = recipe.max_length
        return model

    def _set_prompts(self, model: SentenceTransformer, *, said: bool) -> None:
        """Register what is trained with as the prompts of `model`, and put it into the card; `said` on stderr too."""
        recipe, default = self.recipe, model.default_prompt_name
        found = find_prompts(
            model.prompts, default, query=recipe.query_prefix, passage=recipe.passage_prefix, encoder=recipe.base
        )
        if said and recipe.base != STATIC:
            for line in (f"prompts: {found}", *found.doubts):
                self.narrator.say(f"{self.name}: {line}")
        self.prompts = {"query": found.query.text, "passage": found.passage.text}
        self.card |= {"prompts": self.prompts}
        model.prompts = trained_prompts(model.prompts, **self.prompts)
        if default is not None and model.prompts.get(default) not in self.prompts.values():
            model.default_prompt_name = None  # plain encode would put something else before texts

    def _static_parts(self) -> tuple[str, npt.NDArray[np.float32]]:
        recipe = self.recipe
        return static_parts(
            self.texts.texts(),
            dimension=recipe.dimension,
            vocabulary=recipe.vocabulary,
            scale=recipe.initial_scale,
            seed=recipe.seed,
        )

    def _trainer(
        self,
        model: SentenceTransformer,
        writer: RowWriter | None,
        progress: Progress,
        stop: StopRequest,
        stage: Stage,
    ) -> tuple[PairTrainer, Supervisor]:
        tally = Tally(self.texts, self.place.processes.world)
        if progress.counts:
            tally.restore(progress.counts, main=self.place.processes.main)

        around = Surroundings(
            self.out,
            self.place.processes,
            writer,
            bool(self.data.validation),
            self.place.processes.on_main(self._validation),
            stop,
            lambda _: stage.advance(),
            lambda text: self.narrator.say(f"{self.name}: {text}"),
        )
        supervisor = Supervisor(self.recipe, self.steps, self.batches, tally, around, progress)
        trainer = PairTrainer(
            self.batches,
            self.place.processes,
            model=model,
            args=self._arguments(),
            loss=infonce(
                model,
                self.recipe.temperature,
                mini_batch=self.recipe.mini_batch,
                gather=self.place.processes.world > 1,
            ),
            callbacks=[supervisor],
        )
        supervisor.trainer = trainer
        return trainer, supervisor

    def _validation(self) -> Validation | None:
        if not self.data.validation:
            return None
        return Validation(
            self.data.validation,
            batch_size=self.recipe.batch_size,
            sampling=self.sampling,
            temperature=self.recipe.temperature,
        )

    def _arguments(self) -> SentenceTransformerTrainingArguments:
        recipe, device = self.recipe, self.place.device
        on_cpu = device == "cpu" or (device is None and not torch.cuda.is_available() and not _has_mps())
        # A launcher's choice would win over the recipe's otherwise.
        os.environ["ACCELERATE_MIXED_PRECISION"] = "bf16" if recipe.precision == "bf16" else "no"
        arguments = SentenceTransformerTrainingArguments(
            output_dir=str(self.out / FOLDER),
            max_steps=self.steps,
            per_device_train_batch_size=self.place.processes.share_of(recipe.batch_size),
            gradient_accumulation_steps=recipe.accumulate,
            gradient_checkpointing=recipe.gradient_checkpointing,
            bf16=recipe.precision == "bf16",
            learning_rate=recipe.learning_rate,
            lr_scheduler_type=recipe.schedule if recipe.schedule != "constant" else "constant_with_warmup",
            warmup_steps=round(recipe.warmup * self.steps),
            weight_decay=recipe.weight_decay,
            max_grad_norm=recipe.max_grad_norm,
            logging_nan_inf_filter=False,  # it would wait for the device in every step
            seed=recipe.seed,
            prompts={**self.prompts, "negative": self.prompts["passage"]},
            use_cpu=on_cpu,
            ddp_backend=("gloo" if on_cpu else "nccl") if self.place.processes.world > 1 else None,
            # layers may have parameters that no loss reaches, such as an unused pooler; a table of vectors has not
            ddp_find_unused_parameters=recipe.base != STATIC,
            dataloader_drop_last=True,
            logging_strategy="no",
            save_strategy="no",
            eval_strategy="no",
            report_to="none",
            disable_tqdm=True,
        )
        if arguments.n_gpu > 1:
            # Several GPUs in one process would tear a batch apart, its negatives with it; torchrun does not.
            arguments._n_gpu = 1
            self.narrator.say("training on one GPU of several: torchrun uses all, see the README")
        return arguments

    def _result(self, trainer: PairTrainer, supervisor: Supervisor, journal: Journal | None) -> dict[str, Any]:
        """Return what the card says of a training that is over."""
        progress = supervisor.progress
        return {
            "steps": progress.step,
            "best_step": progress.best_step,
            "loss": progress.last_loss,
            "training_seconds": supervisor.seconds(),
            "batches": supervisor.counts(),
            "validation": progress.validations,
            "device": str(trainer.args.device),
            "identity": self.identity,
            "run_id": journal.metadata["run_id"] if journal else None,
        }


def _has_mps() -> bool:
    return torch.backends.mps.is_available()


def _check_length(model: SentenceTransformer, length: int) -> None:
    config = getattr(getattr(model[0], "auto_model", None), "config", None)
    positions = getattr(config, "max_position_embeddings", None)
    if not isinstance(positions, int) or positions < 1:
        return
    if getattr(config, "model_type", "") in {"roberta", "xlm-roberta", "camembert"}:
        positions -= int(getattr(config, "pad_token_id", 1) or 0) + 1  # they count from behind the padding
    if length > positions:
        raise TrainingError(f"max_length is {length}: the base has positions for {positions} tokens")


def check_device(device: str | None, recipe: Recipe) -> str | None:
    """Return the device to train on: the CPU for ``static``, which has little to compute, unless another is named.

    Raises TrainingError if there is no such device.
    """
    if device is None:
        return "cpu" if recipe.base == STATIC else None
    there = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": _has_mps()}
    if device not in there:
        raise TrainingError(
            f"device {device!r}: expected {', '.join(there)}; of several GPUs, CUDA_VISIBLE_DEVICES chooses one"
        )
    if not there[device]:
        raise TrainingError(f"device {device!r} is not there: PyTorch {torch.__version__} finds none")
    return device
