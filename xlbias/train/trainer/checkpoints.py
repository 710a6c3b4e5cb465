"""The checkpoints of a training, which it goes on from: whole folders that any library can load as an encoder.

A checkpoint is a folder ``checkpoints/step-N``: a standard sentence-transformers folder with three kinds of files more,
``optimiser.safetensors``, ``random-RANK.safetensors`` for each process, and ``state.json``, which comes last, describes
the others (size and SHA-256) and holds what is no tensor. The folder appears by renaming, so it is whole or not there.
"""

from __future__ import annotations

import json
import re
import shutil
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct
from sentence_transformers import SentenceTransformer

from xlbias.encode.load import check_encoder
from xlbias.errors import EncoderError, TrainingError
from xlbias.files import digest_of_file, saying, sync, write_inside
from xlbias.folders import give_usual_mode
from xlbias.records import decode, read_json
from xlbias.train.trainer.distributed import Processes
from xlbias.train.trainer.divergence import check_weights
from xlbias.train.trainer.lora import merged, save_lora
from xlbias.train.trainer.progress import Progress
from xlbias.train.trainer.resume_state import load_optimiser, save_optimiser, save_random_state

FOLDER = "checkpoints"
STATE_FILE = "state.json"
_TRAINER_FILE = "trainer_state.json"  # the trainer's own: its name is the library's
_STEP = re.compile(r"step-(\d{9})")
_SCHEMA = 1


class File(Struct, frozen=True):
    """What a file of a checkpoint must be."""

    bytes: int
    sha256: str


class Versioned(Struct, frozen=True):
    """What the state of every schema holds."""

    schema: int


class State(Versioned, frozen=True):
    """What ``state.json`` holds."""

    progress: Progress
    optimiser: dict[str, Any]
    schedule: dict[str, Any]
    files: dict[str, File]


class Checkpoints:
    """The checkpoints of the training that writes to the folder `out`."""

    def __init__(self, out: Path) -> None:
        self.folder = out / FOLDER

    def all(self) -> list[Path]:
        """Return those that are there, oldest first."""
        return sorted(path for path in self.folder.glob("step-*") if _STEP.fullmatch(path.name) and path.is_dir())

    def at(self, step: int) -> Path:
        """Return where the checkpoint of one step is, or would be."""
        return self.folder / f"step-{step:09d}"

    def kept(self) -> str:
        """Return which checkpoint is the last, as the end of an error; nothing where there is none."""
        there = self.all()
        return f" (the last good checkpoint is kept: {there[-1]})" if there else ""

    def remove(self) -> None:
        """Remove all of them, with their folder."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def remove_if_empty(self) -> None:
        """Remove their folder unless there is one to go on from."""
        with suppress(OSError):
            self.folder.rmdir()

    def save(
        self,
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
        folder = self.at(progress.step)
        temporary = folder.with_name("unfinished")

        def begin() -> None:
            check_weights(model, progress.step)
            shutil.rmtree(temporary, ignore_errors=True)
            temporary.mkdir(parents=True)

        def write() -> None:
            with merged(model) as whole:
                whole.save_pretrained(str(temporary), create_model_card=False, safe_serialization=True)
            save_lora(model, temporary)
            optimiser = save_optimiser(temporary, optimizer)
            trainer_state.save_to_json(str(temporary / _TRAINER_FILE))
            content = {
                "schema": _SCHEMA,
                "progress": msgspec.structs.asdict(progress),
                "optimiser": optimiser,
                "schedule": scheduler.state_dict(),
                "files": {
                    str(path.relative_to(temporary)): msgspec.structs.asdict(_describe(path))
                    for path in _files(temporary)
                },
            }
            write_inside(temporary / STATE_FILE, json.dumps(content, ensure_ascii=False, indent=1).encode())
            give_usual_mode(_files(temporary))
            if folder.exists():
                shutil.rmtree(folder)
            for path in (*_files(temporary), temporary):
                sync(path)
            temporary.rename(folder)
            for old in self.all():
                if old not in (folder, self.at(progress.best_step or 0)):
                    shutil.rmtree(old, ignore_errors=True)

        with saying(folder):
            processes.on_main(begin)
            save_random_state(temporary, processes.rank, model.device)
            processes.wait()
            processes.on_main(write)
        return folder


def read_progress(folder: Path) -> Progress:
    """Check the checkpoint in `folder` whole and return how far it is.

    Raises TrainingError if a file is missing, damaged or pickled, or if it is of another schema.
    """
    state = _read(folder)
    for name, expected in state.files.items():
        path = folder / name
        if not path.is_file() or _describe(path) != expected:
            raise TrainingError(
                f"{path}: is {'damaged' if path.is_file() else 'missing'}, so the training cannot go on from step "
                f"{state.progress.step:,}: {_remedy(folder)}"
            )
    try:
        check_encoder(str(folder))
    except EncoderError as error:
        raise TrainingError(f"{folder}: is not a checkpoint to go on from: {error}") from error
    return state.progress


def restore_optimiser(folder: Path, optimizer: Any, scheduler: Any) -> None:
    """Load the state of optimiser and schedule from the checkpoint in `folder`."""
    state = _read(folder)
    load_optimiser(folder, optimizer, state.optimiser)
    scheduler.load_state_dict(state.schedule)


def _read(folder: Path) -> State:
    file, remedy = folder / STATE_FILE, _remedy(folder)
    content = read_json(file, TrainingError, remedy=remedy)
    schema = decode(content, Versioned, TrainingError, file=file, remedy=remedy).schema
    if schema != _SCHEMA:
        raise TrainingError(f"{file}: has schema {schema}; this xlbias reads {_SCHEMA}")
    return decode(content, State, TrainingError, file=file, remedy=remedy)


def _remedy(folder: Path) -> str:
    return f"remove {folder} to go on from an older checkpoint, or start again with --overwrite"


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def _describe(path: Path) -> File:
    return File(path.stat().st_size, digest_of_file(path))
