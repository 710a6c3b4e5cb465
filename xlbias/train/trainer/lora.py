"""LoRA: low-rank changes of a base's linear layers are trained, and merged into it where it is saved.

Hu et al. 2021, through peft. What is saved is an ordinary encoder, so that nothing needs peft to read it; a checkpoint
holds the changes beside it, to go on with.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from pathlib import Path
from typing import Any

import safetensors.torch
from sentence_transformers import SentenceTransformer

from xlbias.errors import TrainingError
from xlbias.train.recipe import Recipe

LORA_FILE = "lora.safetensors"
"""In a checkpoint: the changes, beside the encoder that they are merged into."""


def with_lora(model: SentenceTransformer, recipe: Recipe, checkpoint: Path | None = None) -> None:
    """Freeze `model` and add low-rank changes to each of its linear layers: those of `checkpoint`, where there is one.

    Raises TrainingError where the base has no transformer with linear layers.
    """
    from peft import LoraConfig, TaskType, get_peft_model, set_peft_model_state_dict

    transformer = getattr(model[0], "auto_model", None)
    if transformer is None:
        raise TrainingError(f"lora_rank is {recipe.lora_rank}: {recipe.base} has no transformer to change")
    for parameter in model.parameters():
        parameter.requires_grad = False
    config = LoraConfig(
        task_type=TaskType.FEATURE_EXTRACTION,
        r=recipe.lora_rank,
        lora_alpha=recipe.lora_alpha,
        lora_dropout=recipe.lora_dropout,
        target_modules="all-linear",
    )
    changed = get_peft_model(transformer, config)
    if recipe.gradient_checkpointing:
        changed.enable_input_require_grads()
    if checkpoint:
        set_peft_model_state_dict(changed, safetensors.torch.load_file(checkpoint / LORA_FILE))
    model[0].model = changed


def has_lora(model: SentenceTransformer) -> bool:
    """Whether a model is one of `with_lora`."""
    return hasattr(getattr(model[0], "auto_model", None), "merge_and_unload")


def save_lora(model: SentenceTransformer, folder: Path) -> None:
    """Write the changes of a model of `with_lora` into `folder`; nothing for another one."""
    if has_lora(model):
        from peft import get_peft_model_state_dict

        tensors: dict[str, Any] = get_peft_model_state_dict(model[0].auto_model)
        safetensors.torch.save_file({name: one.contiguous() for name, one in tensors.items()}, folder / LORA_FILE)


@contextmanager
def merged(model: SentenceTransformer) -> Iterator[SentenceTransformer]:
    """`model` as an ordinary encoder, its changes merged into its weights; as it was afterwards."""
    if not has_lora(model):
        yield model
        return
    changed = model[0].auto_model
    model[0].model = deepcopy(changed).merge_and_unload()
    try:
        yield model
    finally:
        model[0].model = changed
