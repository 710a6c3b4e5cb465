"""The folder that a training leaves: a standard sentence-transformers encoder, its card, and its loss curve."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sentence_transformers import SentenceTransformer

from xlbias.encode.card import CARD_FILE, TRAINING_FILE
from xlbias.encode.trained_on import CARD_FIELD, TrainedOn
from xlbias.files import remove, saying, write_inside
from xlbias.folders import give_usual_mode
from xlbias.train.card import readme
from xlbias.train.trainer.lora import merged

README = "README.md"
_TEMPORARY = ".checkpoint"
_LAST = ("modules.json", "config.json", CARD_FILE)  # what makes a folder an encoder; the card says that it is whole


def _remove_encoder(out: Path) -> None:
    """Remove the checkpoint of an earlier training from `out`: only the files that its card names."""
    card = out / CARD_FILE
    try:
        names = json.loads(card.read_text("utf-8"))["files"]
    except (OSError, ValueError, KeyError, TypeError):
        return
    card.unlink()  # first: what is left is no whole checkpoint any more
    for name in names if isinstance(names, list) else []:
        if isinstance(name, str) and name not in {"", ".", "..", TRAINING_FILE} and Path(name).name == name:
            remove(out / name)


@contextmanager
def _temporary_folder(out: Path) -> Iterator[Path]:
    """A folder inside `out` for what is not finished; it is gone afterwards, whatever happens."""
    folder = out / _TEMPORARY
    remove(folder)
    folder.mkdir()
    try:
        yield folder
    finally:
        remove(folder)


def save_encoder(
    model: SentenceTransformer, card: Mapping[str, Any], out: Path, trained_on: TrainedOn | None
) -> dict[str, Any]:
    """Save `model` whole in a folder of its own, then move it to `out`; the card, `xlbias.json`, comes last.

    Returns the card with the names of the files, and with what it says of `trained_on`, a file beside it (None where
    that is not known). What an earlier training left in `out` goes only now that there is something to put in its
    place. The folder holds the journal of the training as well, so it cannot be renamed at once; until the last of a
    handful of renames nothing there can be loaded, or there is no card. Raises WriteError where `out` cannot be
    written, as on a full disk.
    """
    with saying(out), _temporary_folder(out) as temporary:
        folder = temporary / "model"
        with merged(model) as whole:
            whole.save_pretrained(str(folder), create_model_card=False, safe_serialization=True)
        if trained_on:
            card = {**card, CARD_FIELD: trained_on.write(folder)}
        write_inside(folder / README, readme(card).encode())
        names = sorted({path.name for path in folder.iterdir()} | {CARD_FILE})
        names.sort(key=lambda name: _LAST.index(name) if name in _LAST else -1)
        full = {**card, "files": names}
        content = json.dumps(full, ensure_ascii=False, indent=1)
        write_inside(folder / CARD_FILE, content.encode("utf-8", "backslashreplace"))
        give_usual_mode(path for path in folder.rglob("*") if path.is_file())
        _remove_encoder(out)
        for name in names:
            (folder / name).replace(out / name)
    return full
