"""Where a training stands, on disk: weights as a loadable encoder, optimiser, schedule and random state. No pickle.

A checkpoint is a folder ``checkpoints/step-N``: a standard sentence-transformers folder with three kinds of files more,
``optimiser.safetensors``, ``random-RANK.safetensors`` for each process, and ``state.json``, which comes last, describes
the others (size and SHA-256) and holds what is no tensor. The folder appears by renaming, so it is whole or not there.
"""

from __future__ import annotations

import hashlib
import json
import os
import random
import re
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import safetensors
import safetensors.torch
import torch
from sentence_transformers import SentenceTransformer

from xlbias.encode.load import check_encoder
from xlbias.errors import EncoderError, TrainingError
from xlbias.files import saying
from xlbias.folders import give_usual_mode
from xlbias.train.trainer.distributed import Processes

FOLDER = "checkpoints"
STATE_FILE = "state.json"
OPTIMISER_FILE = "optimiser.safetensors"
TRAINER_FILE = "trainer_state.json"  # the trainer's own: its name is the library's
_STEP = re.compile(r"step-(\d{9})")
_SCHEMA = 1

DIVERGED = "training diverged; lower the learning rate or raise the temperature"


@dataclass
class Progress:
    """What a training knows of itself beside tensors; what it goes on with.

    Attributes:
        step: steps made.
        last_loss: mean loss of the last row of the journal.
        seconds: spent on them.
        counts: of what was drawn, see `Tally`.
        validations: one row per validation and task, see `Validation`.
        best_step: step of the best validation so far, 0 for that before the first step; None before there is one.
        worse: validations since then.
    """

    step: int = 0
    last_loss: float = float("nan")
    seconds: float = 0.0
    counts: dict[str, Any] = field(default_factory=dict)
    validations: list[dict[str, Any]] = field(default_factory=list)
    best_step: int | None = None
    worse: int = 0

    def stale(self, patience: int) -> bool:
        """Whether so many validations in a row were no better; never for a patience of 0."""
        return 0 < patience <= self.worse


def checkpoints(out: Path) -> list[Path]:
    """Return the checkpoints in the folder `out` of a training, oldest first."""
    return sorted(path for path in (out / FOLDER).glob("step-*") if _STEP.fullmatch(path.name) and path.is_dir())


def checkpoint_of(out: Path, step: int) -> Path:
    """Return where the checkpoint of one step is, or would be."""
    return out / FOLDER / f"step-{step:09d}"


def save_state(
    out: Path,
    progress: Progress,
    model: SentenceTransformer,
    optimizer: Any,
    scheduler: Any,
    trainer_state: Any,
    processes: Processes,
) -> Path:
    """Write the checkpoint of this step and remove those that are no longer needed: all but this and the best.

    All processes must call this. Raises TrainingError if the weights are not finite, WriteError if the
    checkpoint cannot be written, as on a full disk: then the older ones stay.
    """
    folder = checkpoint_of(out, progress.step)
    temporary = folder.with_name("unfinished")

    def begin() -> None:
        check_finite(model, progress.step)
        shutil.rmtree(temporary, ignore_errors=True)
        temporary.mkdir(parents=True)

    def write() -> None:
        model.save_pretrained(str(temporary), create_model_card=False, safe_serialization=True)
        tensors, described = _split_state(optimizer.state_dict())
        safetensors.torch.save_file(tensors, temporary / OPTIMISER_FILE)
        trainer_state.save_to_json(str(temporary / TRAINER_FILE))
        content = {
            "schema": _SCHEMA,
            "progress": asdict(progress),
            "optimiser": described,
            "schedule": scheduler.state_dict(),
            "files": {str(path.relative_to(temporary)): _describe(path) for path in _files(temporary)},
        }
        (temporary / STATE_FILE).write_text(json.dumps(content, ensure_ascii=False, indent=1), "utf-8")
        give_usual_mode(_files(temporary))
        if folder.exists():
            shutil.rmtree(folder)
        _flush(temporary)
        temporary.rename(folder)
        for old in checkpoints(out):
            if old not in (folder, checkpoint_of(out, progress.best_step or 0)):
                shutil.rmtree(old, ignore_errors=True)

    with saying(folder):
        processes.on_main(begin)
        safetensors.torch.save_file(_random_state(model.device), temporary / _random_file(processes.rank))
        processes.wait()
        processes.on_main(write)
    return folder


def read_progress(folder: Path) -> Progress:
    """Check the checkpoint in `folder` whole and return how far it is.

    Raises TrainingError if a file is missing, damaged or pickled, or if it is of another schema.
    """
    content = _read(folder)
    for name, expected in content["files"].items():
        path = folder / name
        if not path.is_file() or _describe(path) != expected:
            raise TrainingError(
                f"{path}: is {'damaged' if path.is_file() else 'missing'}, so the training cannot go on from step "
                f"{content['progress']['step']:,}: remove {folder} to go on from an older checkpoint, or begin anew "
                "with --overwrite"
            )
    try:
        check_encoder(str(folder))
        return Progress(**content["progress"])
    except (EncoderError, TypeError) as error:
        raise TrainingError(f"{folder}: is no checkpoint to go on from: {error}") from error


def load_optimiser(folder: Path, optimizer: Any, scheduler: Any) -> None:
    """Load the state of optimiser and schedule from the checkpoint in `folder`."""
    content = _read(folder)
    tensors = safetensors.torch.load_file(folder / OPTIMISER_FILE)
    optimizer.load_state_dict(_joined_state(tensors, content["optimiser"]))
    scheduler.load_state_dict(content["schedule"])


def load_random_state(folder: Path, rank: int) -> None:
    """Put the random generators of this process where they were; without effect where `rank` had not been there."""
    file = folder / _random_file(rank)
    if not file.exists():
        return
    state = safetensors.torch.load_file(file)
    version, *words = state["python"].tolist()
    random.setstate((version, tuple(words), None))
    *keys, position = state["numpy"].tolist()
    np.random.set_state(("MT19937", np.array(keys, dtype=np.uint32), position, 0, 0.0))
    torch.random.set_rng_state(state["cpu"])
    if "cuda" in state and torch.cuda.is_available():
        torch.cuda.set_rng_state(state["cuda"])


def _random_state(device: torch.device) -> dict[str, torch.Tensor]:
    version, words, _ = random.getstate()
    of_numpy: Any = np.random.get_state(legacy=True)
    state = {
        "python": torch.tensor([version, *words], dtype=torch.int64),
        "numpy": torch.tensor([*of_numpy[1].tolist(), of_numpy[2]], dtype=torch.int64),
        "cpu": torch.random.get_rng_state(),
    }
    if device.type == "cuda":
        state["cuda"] = torch.cuda.get_rng_state(device)
    return state


def _random_file(rank: int) -> str:
    return f"random-{rank:05d}.safetensors"


def _split_state(state: Mapping[str, Any]) -> tuple[dict[str, torch.Tensor], dict[str, Any]]:
    """Take an optimiser's state apart into tensors by name and what JSON can hold."""
    tensors = {}
    scalars: dict[str, dict[str, Any]] = {}
    for parameter, values in state["state"].items():
        for name, value in values.items():
            if isinstance(value, torch.Tensor):
                tensors[f"{parameter}.{name}"] = value.detach().contiguous()
            else:
                scalars.setdefault(str(parameter), {})[name] = value
    return tensors, {"groups": state["param_groups"], "scalars": scalars}


def _joined_state(tensors: Mapping[str, torch.Tensor], described: Mapping[str, Any]) -> dict[str, Any]:
    state: dict[int, dict[str, Any]] = {int(index): dict(values) for index, values in described["scalars"].items()}
    for key, tensor in tensors.items():
        parameter, _, name = key.partition(".")
        state.setdefault(int(parameter), {})[name] = tensor
    groups = [
        {key: tuple(value) if key == "betas" else value for key, value in group.items()}
        for group in described["groups"]
    ]
    return {"state": state, "param_groups": groups}


def check_finite(model: SentenceTransformer, step: int) -> None:
    """Raise TrainingError if a weight is not finite after step `step`."""
    for name, parameter in model.named_parameters():
        if not bool(torch.isfinite(parameter).all()):
            raise TrainingError(f"the weights {name} are not finite after step {step:,}: {DIVERGED}")


def _flush(folder: Path) -> None:
    """Make sure that what is in `folder` is on the disk and not only on its way there."""
    for path in (*_files(folder), folder):
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def _describe(path: Path) -> dict[str, Any]:
    with path.open("rb") as file:
        return {"bytes": path.stat().st_size, "sha256": hashlib.file_digest(file, "sha256").hexdigest()}


def _read(folder: Path) -> dict[str, Any]:
    file = folder / STATE_FILE
    try:
        content = json.loads(file.read_text("utf-8"))
        if content["schema"] != _SCHEMA:
            raise TrainingError(f"{file}: has schema {content['schema']}; this xlbias reads {_SCHEMA}")
        for key in ("progress", "optimiser", "schedule", "files"):
            if not isinstance(content[key], dict):
                raise TypeError(key)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise TrainingError(
            f"{file}: is not the state of a training: remove {folder} to go on from an older checkpoint, or begin anew "
            "with --overwrite"
        ) from error
    read: dict[str, Any] = content
    return read
