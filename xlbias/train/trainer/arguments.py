"""A recipe as the arguments of sentence-transformers' trainer."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path

from sentence_transformers import SentenceTransformerTrainingArguments

from xlbias.train.recipe import STATIC, Recipe
from xlbias.train.trainer.place import Place


def training_arguments(
    name: str,
    recipe: Recipe,
    steps: int,
    prompts: Mapping[str, str],
    folder: Path,
    place: Place,
    say: Callable[[str], None],
) -> SentenceTransformerTrainingArguments:
    """Return the trainer's arguments.

    Args:
        name: of the training, for trackers.
        recipe: the settings.
        steps: of the whole training.
        prompts: what is put before a ``query`` and a ``passage``.
        folder: where the trainer may write; it is told to write nothing but what TensorBoard reads, in ``runs``.
        place: where it runs and reports to.
        say: told where a part of the machine is not used.

    Sets ``ACCELERATE_MIXED_PRECISION``, as a launcher's choice would win over the recipe's otherwise.
    """
    os.environ["ACCELERATE_MIXED_PRECISION"] = "bf16" if recipe.precision == "bf16" else "no"
    arguments = SentenceTransformerTrainingArguments(
        output_dir=str(folder),
        max_steps=steps,
        per_device_train_batch_size=place.processes.share_of(recipe.batch_size),
        gradient_accumulation_steps=recipe.accumulate,
        gradient_checkpointing=recipe.gradient_checkpointing,
        bf16=recipe.precision == "bf16",
        learning_rate=recipe.learning_rate,
        lr_scheduler_type=recipe.schedule if recipe.schedule != "constant" else "constant_with_warmup",
        warmup_steps=round(recipe.warmup * steps),
        weight_decay=recipe.weight_decay,
        max_grad_norm=recipe.max_grad_norm,
        logging_nan_inf_filter=False,  # it would wait for the device in every step
        seed=recipe.seed,
        prompts={**prompts, "negative": prompts["passage"]},
        use_cpu=place.on_cpu,
        ddp_backend=("gloo" if place.on_cpu else "nccl") if place.processes.world > 1 else None,
        # layers may have parameters that no loss reaches, such as an unused pooler; a table of vectors has not
        ddp_find_unused_parameters=recipe.base != STATIC,
        dataloader_drop_last=True,
        logging_strategy="no",
        save_strategy="no",
        eval_strategy="no",
        report_to=list(place.report_to) or "none",
        run_name=name,
        disable_tqdm=True,
    )
    if arguments.n_gpu > 1:
        # Several GPUs in one process would tear a batch apart, its negatives with it; torchrun does not.
        arguments._n_gpu = 1
        say("training on one GPU of several: torchrun uses all, see the README")
    return arguments
