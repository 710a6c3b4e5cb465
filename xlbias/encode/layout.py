"""How a sentence-transformers folder says what it holds: its JSON files, read and checked. Imports no heavy library."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from xlbias.errors import EncoderError

MODULES_FILE = "modules.json"
CONFIG_FILE = "config.json"
SETTINGS_FILE = "config_sentence_transformers.json"
ADAPTER_FILE = "adapter_config.json"
ROUTER_FILE = "router_config.json"

CONFIG_FILES = (MODULES_FILE, CONFIG_FILE, SETTINGS_FILE, ADAPTER_FILE)
"""What says whether a folder, or a model of the hub, is an encoder."""


@dataclass(frozen=True)
class Module:
    """One entry of ``modules.json``: the class of a module, and the folder in the encoder's that it is read from."""

    type: str
    path: str

    @property
    def class_name(self) -> str:
        """The last part of the class's dotted name."""
        return self.type.rpartition(".")[2]


def read_modules(folder: Path) -> list[Module] | None:
    """Return the modules of the encoder in `folder`; None where it has no ``modules.json``.

    Raises EncoderError naming file and field where it is not what it must be.
    """
    file = folder / MODULES_FILE
    if not file.exists():
        return None
    content = _json(file)
    if not isinstance(content, list) or not content:
        raise EncoderError(f"{file}: must hold a list of modules")
    modules = []
    for number, entry in enumerate(content):
        for field in ("type", "path", "name"):
            if not isinstance(entry, dict) or not isinstance(entry.get(field), str):
                raise EncoderError(f"{file}: module {number}: field {field!r} must be a string")
        if PurePosixPath(entry["path"]).is_absolute() or ".." in PurePosixPath(entry["path"]).parts:
            raise EncoderError(f"{file}: module {number}: its path {entry['path']!r} leads out of the folder")
        modules.append(Module(entry["type"], entry["path"]))
    return modules


def read_object(file: Path) -> dict[str, Any]:
    """Return the JSON object in `file`, empty where there is no such file. Raises EncoderError where it is none."""
    if not file.exists():
        return {}
    content = _json(file)
    if not isinstance(content, dict):
        raise EncoderError(f"{file}: must hold a JSON object")
    return content


def module_folders(folder: Path) -> list[Path]:
    """Return the folders that the modules of the encoder in `folder` are read from, sorted.

    That of a transformer without ``modules.json`` is `folder` itself; a router has a folder for each of its routes.
    """
    found = {folder / module.path for module in read_modules(folder) or [Module("", "")]}
    for of_router in list(found):
        types = (read_object(of_router / ROUTER_FILE) or read_object(of_router / CONFIG_FILE)).get("types")
        if isinstance(types, dict):
            found |= {of_router / name for name in types if ".." not in PurePosixPath(name).parts}
    return sorted(found)


def is_onnx(folder: Path) -> bool:
    """Whether the encoder in `folder` has its weights as ONNX only, where sentence-transformers puts and finds them."""
    onnx = [*folder.glob("*.onnx"), *(folder / "onnx").glob("*.onnx")]
    return bool(onnx) and not any(any(one.glob("*.safetensors")) for one in {folder, *module_folders(folder)})


def adapter_base(folder: Path) -> str | None:
    """Return what the adapter (LoRA) in `folder` is put on, a folder or a hub name; None where there is no adapter.

    Raises EncoderError where it does not say.
    """
    if not (folder / ADAPTER_FILE).exists():
        return None
    base = read_object(folder / ADAPTER_FILE).get("base_model_name_or_path")
    if not isinstance(base, str) or not base:
        raise EncoderError(f"{folder / ADAPTER_FILE}: 'base_model_name_or_path' must name the encoder that it adapts")
    return base


def _json(file: Path) -> Any:
    try:
        return json.loads(file.read_text("utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise EncoderError(f"{file}: is not a readable JSON file") from error
