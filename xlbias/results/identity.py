"""Whether an encoder of one name is the same encoder in two runs, by what the runs recorded of it."""

from __future__ import annotations

from typing import Any

from xlbias.results.compare import Side

_PARTS = {
    "content": "its files",
    "options": "the options it was used with",
    "prompts": "its prompts",
    "similarity": "its similarity",
    "dimension": "its dimension",
    "dtype": "the type of its weights",
    "precision": "the precision of its vectors",
    "max_length": "its maximal length",
    "device": "the device",
    "libraries": "the libraries",
}
"""What the metadata of a run has of an encoder and changes its fingerprint."""


def changes_of(base: Side, new: Side) -> str | None:
    """Return a sentence on whether the encoders of both sides are the same; None where they have other names."""
    if base.models != new.models or len(base.models) != 1:
        return None
    name = base.models[0]
    ours, theirs = (_entry(side, name) for side in (base, new))
    prints = ours.get("fingerprint"), theirs.get("fingerprint")
    if None in prints:
        return None
    if prints[0] == prints[1]:
        return f"{name}: is the same encoder in both runs, by its fingerprint"
    changed = [said for key, said in _PARTS.items() if key in ours and key in theirs and ours[key] != theirs[key]]
    return f"{name}: is not the same encoder in both runs: {', '.join(changed) or 'its fingerprint'} changed"


def _entry(side: Side, name: str) -> dict[str, Any]:
    """Return what a run recorded of an encoder, as it stands there: what it did not record is not compared."""
    return next((entry for entry in side.run.metadata["models"] if entry["name"] == name), {})
