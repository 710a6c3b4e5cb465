"""Pools and settings by name, as commands and records call them."""

from __future__ import annotations

from typing import Literal, get_args

TopOf = Literal["all", "multilingual"]
"""Of which pools the top k of a ranking is kept."""

TOP_OF: tuple[TopOf, ...] = get_args(TopOf)

Cells = Literal["all", "trained"]
"""Which cells of a task a number of a study is of: all, or those whose languages its source trains in."""

ALL: Cells = "all"
TRAINED: Cells = "trained"

Over = Literal["pairs", "home", "away", "lost"]
"""What a contrast of a study is over: each pair of source and target by itself, or a mean over those at home, over
those away, or what is lost between them."""

PAIRS: Over = "pairs"
