"""Prompts in doubt: an encoder was perhaps not used with the prompts that it was made for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from xlbias.results.caveats.caveat import Caveat

if TYPE_CHECKING:
    from xlbias.results.run import Run

KIND = "prompts"


def found(run: Run) -> Iterator[Caveat]:
    """Yield a caveat for each doubt that was noted when the encoder's prompts were looked up."""
    for model in run.models:
        prompts = model.get("prompts")
        doubts = prompts.get("doubts") if isinstance(prompts, Mapping) else None
        for doubt in doubts if isinstance(doubts, list) else []:
            yield Caveat(KIND, None, model["name"], sentence=f"{doubt}.")
