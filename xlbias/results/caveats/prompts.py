"""Prompts in doubt: an encoder was perhaps not used with the prompts that it was made for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from xlbias.results.caveats.caveat import Caveat
from xlbias.results.run_numbers import RunNumbers

KIND = "prompts"


def found(run: RunNumbers) -> Iterator[Caveat]:
    """Yield a caveat for each doubt that was noted when the encoder's prompts were looked up."""
    for model in run.models:
        prompts = model.prompts
        doubts = prompts.get("doubts") if isinstance(prompts, Mapping) else None
        for doubt in doubts if isinstance(doubts, list) else []:
            yield Caveat(KIND, None, model.name, sentence=f"{doubt}.")
