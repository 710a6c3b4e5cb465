"""The fingerprint of an encoder: what its cached vectors and the finished parts of its runs are known by."""

from __future__ import annotations

import hashlib
import inspect
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
from sentence_transformers import SentenceTransformer
from transformers import PreTrainedTokenizerBase

from xlbias.encode.content import libraries

_ADDRESS = re.compile(r" at 0x[0-9a-f]+")
_OF_LIBRARIES = ("torch.", "transformers.", "tokenizers.")
_DOWNLOADED = "transformers_modules."
"""Where transformers puts code that comes with a model, all files of one model in a folder."""


def fingerprint(model: SentenceTransformer, facts: Mapping[str, Any], content: str | None = None) -> str:
    """Return a SHA-256 over all that decides what vector a text gets.

    Args:
        model: the encoder; its modules, tokenizer, lengths, code and device type count.
        facts: what is decided outside of the model and changes vectors too, such as the prompts that are used.
        content: `content_digest` of the folder that `model` was loaded from. Then its weights are known by it, and two
            loads of a folder have one fingerprint whatever was drawn at random for weights that no vector depends on.
            Without it a pass over all weights is taken.

    The versions of the libraries count as well: another version may compute another vector.
    """
    digest = hashlib.sha256()
    for part in (
        libraries(),
        _plain(dict(facts)),
        content,
        {"device": model.device.type, "dtype": str(model.dtype), "truncate_dim": getattr(model, "truncate_dim", None)},
        {"prompts": model.prompts, "max_seq_length": model.max_seq_length},
        *_modules(model),
    ):
        digest.update(json.dumps(part, sort_keys=True, ensure_ascii=True, default=str).encode() + b"\n")
    for source in _own_code(model):
        digest.update(source)
    if content is None:
        for name, tensor in sorted(model.state_dict().items()):
            digest.update(f"{name}|{tensor.dtype}|{tuple(tensor.shape)}|".encode())
            flat = tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8)
            digest.update(memoryview(flat.numpy()))
    return digest.hexdigest()


def _modules(model: SentenceTransformer) -> Iterator[Any]:
    """Yield how each part of `model` is set up, without its weights."""
    yield _ADDRESS.sub("", repr(model))
    for module in model.modules():
        of = _name(module)
        config = getattr(module, "config", None)
        if config is not None and hasattr(config, "to_json_string"):
            yield of, config.to_json_string()
        if not of.startswith(_OF_LIBRARIES):
            yield of, _public(module)
        for field in ("tokenizer", "processor"):
            if (tokenizer := getattr(module, field, None)) is not None:
                yield of, field, _tokenizer(tokenizer)


def _tokenizer(tokenizer: Any) -> Any:
    """Return how `tokenizer` makes tokens of a text, without what a call leaves behind in it."""
    backend = getattr(tokenizer, "backend_tokenizer", tokenizer)
    if not hasattr(backend, "to_str"):
        return _name(tokenizer), _public(tokenizer)
    content = json.loads(backend.to_str())
    if not isinstance(tokenizer, PreTrainedTokenizerBase):
        return content
    content |= {"truncation": None, "padding": None}  # set anew by every call
    sides = (tokenizer.truncation_side, tokenizer.padding_side, tokenizer.model_max_length)
    return content, sides, _plain(tokenizer.special_tokens_map)


def _public(thing: Any) -> Any:
    """Return the public attributes of an object, but for whether it is training, as every encoding ends that."""
    known = getattr(thing, "__dict__", {})
    return {name: _plain(value) for name, value in sorted(known.items()) if name[0] != "_" and name != "training"}


def _plain(value: Any) -> Any:
    """Return `value` as JSON can write it, the same in every process: of an object only what it is."""
    if value is None or isinstance(value, str | int | float | bool):
        return value
    if isinstance(value, Mapping):
        return {str(key): _plain(value[key]) for key in sorted(value, key=str)}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    if isinstance(value, set | frozenset):
        return sorted(str(_plain(one)) for one in value)
    return _name(value)


def _name(thing: Any) -> str:
    return f"{type(thing).__module__}.{type(thing).__qualname__}"


def _own_code(model: SentenceTransformer) -> Iterator[bytes]:
    """Yield the source of modules whose class is none of the libraries': of a downloaded one, that of all its files."""
    files: set[Path] = set()
    for module in model.modules():
        of = type(module)
        if of.__module__.startswith((*_OF_LIBRARIES, "sentence_transformers.")):
            continue
        try:
            file = Path(inspect.getfile(of))
        except (OSError, TypeError):  # made in an interpreter: known by its name only
            continue
        files |= set(file.parent.glob("*.py")) if of.__module__.startswith(_DOWNLOADED) else {file}
    for file in sorted(files, key=lambda file: (file.name, str(file))):
        if file.is_file():
            yield file.name.encode("utf-8", "surrogateescape") + b"\n" + file.read_bytes()
