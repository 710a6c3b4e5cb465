"""Pools and settings by name, as commands and records call them."""

from __future__ import annotations

from typing import Literal, get_args

TopOf = Literal["all", "multilingual"]
"""Of which pools the top k of a ranking is kept."""

TOP_OF: tuple[TopOf, ...] = get_args(TopOf)
