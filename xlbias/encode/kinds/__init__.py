"""Kinds of encoders beside sentence-transformers folders and hub names: a file each, whose `KIND` says what it is.

A new kind is a new file here and a name in KIND_NAMES.
"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import cast

from xlbias.encode.kinds.base import EncoderKind

__all__ = ["KIND_NAMES", "EncoderKind", "describe_kinds", "kind_of"]

KIND_NAMES = ("vectors", "python", "openai")


def kind_of(name: str) -> tuple[EncoderKind, str] | None:
    """Return the kind and the target of an encoder's name, None for a folder or a hub name."""
    prefix, colon, target = name.partition(":")
    if not colon or prefix not in KIND_NAMES or Path(name).exists():
        return None
    return get_kind(prefix), target


def get_kind(name: str) -> EncoderKind:
    """Return one of KIND_NAMES."""
    return cast(EncoderKind, import_module(f"xlbias.encode.kinds.{name}").KIND)


def describe_kinds() -> list[EncoderKind]:
    """Return all kinds with their help and example."""
    return [get_kind(name) for name in KIND_NAMES]
