"""The licence of an encoder, as the model card in its folder says it."""

from __future__ import annotations

from pathlib import Path

from huggingface_hub import ModelCard

from xlbias.encode.hub import snapshot_of
from xlbias.encode.load import find_encoder


def licence_of(name: str) -> str | None:
    """Return the licence that the encoder `name` states, such as ``mit``; None where it states none here.

    Its card ``README.md`` is looked at where its files are on this machine; nothing is asked of the hub.
    """
    path = Path(find_encoder(name)).expanduser()
    folder = path if path.is_dir() else snapshot_of(name)
    if folder is None:
        return None
    try:
        licence = getattr(ModelCard.load(folder / "README.md").data, "license", None)
    except Exception:  # no card, or one that is no YAML: then it says nothing
        licence = None
    if isinstance(licence, list):
        licence = ", ".join(map(str, licence))
    return str(licence) if licence else None
