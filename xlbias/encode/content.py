"""What an encoder's vectors depend on beside how it is used: its files, and libraries. Imports none of them."""

from __future__ import annotations

import hashlib
from pathlib import Path

from xlbias.encode.card import CARD_FILE, TRAINED_ON_FILE, TRAINING_FILE
from xlbias.encode.hub import snapshot_of
from xlbias.encode.layout import adapter_base, is_onnx, module_folders
from xlbias.errors import EncoderError, unreadable
from xlbias.files import digest_of_file
from xlbias.versions import package_versions

_NO_VECTORS = {CARD_FILE, TRAINING_FILE, TRAINED_ON_FILE, "trainer_state.json"}
"""Files that say what an encoder is or how it was trained, and that are read by no one who encodes."""

_FOR_PEOPLE = (".md", ".rst", ".png", ".jpg", ".jpeg", ".gif", ".svg", ".webp", ".pdf", ".html", ".csv", ".parquet")
_OTHER_WEIGHTS = (
    ".bin", ".pt", ".pth", ".pkl", ".ckpt", ".h5", ".msgpack", ".ot", ".onnx", ".onnx_data", ".gguf", ".tflite",
    ".mlmodel", ".npz", ".npy",
)  # fmt: skip
"""Weights that are never loaded here: pickled ones are refused, and these libraries are not used."""


def libraries() -> dict[str, str]:
    """Return the versions of the libraries that make vectors of texts, by name."""
    known = package_versions()
    return {name: known[name] for name in ("torch", "transformers", "sentence-transformers", "tokenizers")}


def content_digest(folder: Path) -> str:
    """Return a SHA-256 over names and bytes of the files in `folder` that decide what vector a text gets.

    That is every file in the folder and in those of its modules, and all Python code, but for what is there for people
    (README, card, pictures) and for weights in formats that are not loaded (OpenVINO, pickles, ONNX beside others). An
    encoder with code of its own may read whatever it likes: then no format is left out. What an adapter is put on
    counts as well. Raises EncoderError where a file cannot be read.
    """
    digest = hashlib.sha256()
    for file in loaded_files(folder):
        name = file.relative_to(folder).as_posix().encode("utf-8", "surrogateescape")
        try:
            of_file = bytes.fromhex(digest_of_file(file))
        except OSError as error:
            raise EncoderError(unreadable(file, error)) from error
        digest.update(len(name).to_bytes(8, "little") + name + of_file)
    base = adapter_base(folder)
    below = base and (Path(base) if Path(base).is_dir() else snapshot_of(base))
    if below and below.resolve() != folder.resolve():
        digest.update(content_digest(below).encode())
    return digest.hexdigest()


def loaded_files(folder: Path) -> list[Path]:
    """Return the files that `content_digest` takes in, sorted."""
    if any(_is_visible(file, folder) for file in folder.rglob("*.py")):
        found = set(folder.rglob("*"))
    else:
        below = [of_module for of_module in module_folders(folder) if of_module != folder]
        found = {*folder.glob("*"), *(file for of_module in below for file in of_module.rglob("*"))}
        left_out: tuple[str, ...] = _FOR_PEOPLE + _OTHER_WEIGHTS
        if is_onnx(folder):
            found |= set((folder / "onnx").glob("*"))
            left_out = tuple(ending for ending in left_out if not ending.startswith(".onnx"))
        found = {file for file in found if not file.name.lower().endswith(left_out)}
    return sorted(file for file in found if _is_visible(file, folder) and not _is_about(file) and file.is_file())


def _is_visible(file: Path, folder: Path) -> bool:
    return not any(part.startswith((".", "__pycache__")) for part in file.relative_to(folder).parts)


def _is_about(file: Path) -> bool:
    return file.name in _NO_VECTORS or file.stem.lower() in {"readme", "license", "licence", "notice"}
