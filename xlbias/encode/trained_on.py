"""What an encoder was trained on, as fingerprints of texts: they travel with its card and tell of leaks.

``trained_on.parquet`` beside the card ``xlbias.json`` holds 64-bit fingerprints (BLAKE2b) of canonical texts, sorted,
in columns ``part, fingerprint``: 8 bytes for each distinct text, so that 1.5 million pairs take at most 24 MB. No text
can be read out of them; who has a text can tell whether it is among them. The card has the file's SHA-256.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterable
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from xlbias.encode.card import TRAINED_ON_FILE, read_card
from xlbias.errors import EncoderError
from xlbias.files import digest_of_file, write_inside
from xlbias.folding import canonical_texts

CARD_FIELD = "trained_on"

Fingerprints = npt.NDArray[np.uint64]

_NONE: Fingerprints = np.empty(0, dtype=np.uint64)


@dataclass(frozen=True, eq=False)
class TrainedOn:
    """Fingerprints of what an encoder was trained on, each uint64, sorted and distinct.

    Attributes:
        texts: of queries and passages that training could draw.
        validation: of queries and passages that were validated on: they chose the encoder, but were not trained on.
        ids: of query ids, each with its task's name and source, see `id_fingerprints`.
        complete: whether that is all; False where it was fine-tuned from an encoder whose texts are not known.
    """

    texts: Fingerprints = field(default_factory=lambda: _NONE)
    validation: Fingerprints = field(default_factory=lambda: _NONE)
    ids: Fingerprints = field(default_factory=lambda: _NONE)
    complete: bool = True

    def after(self, base: TrainedOn | None) -> TrainedOn:
        """Return this and what the base was trained on, too; None is a base of which nothing is known."""
        if base is None:
            return replace(self, complete=False)
        both = {part: distinct([getattr(self, part), getattr(base, part)]) for part in _PARTS}
        return replace(self, **both, complete=self.complete and base.complete)

    def write(self, folder: Path) -> dict[str, Any]:
        """Write the fingerprints into the folder of an encoder, and return what its card says of them."""
        file = folder / TRAINED_ON_FILE
        frame = pl.concat(
            pl.DataFrame(
                {"part": pl.Series([part], dtype=pl.String).new_from_index(0, len(values)), "fingerprint": values}
            )
            for part in _PARTS
            for values in (getattr(self, part),)
        )
        content = io.BytesIO()
        frame.write_parquet(content, compression="zstd", statistics=False)
        write_inside(file, content.getvalue())
        counts = {f"n_{part}": len(getattr(self, part)) for part in _PARTS}
        return {"file": TRAINED_ON_FILE, "sha256": digest_of_file(file), **counts, "complete": self.complete}


_TEXTS = 65_536  # put into canonical form at a time
_PARTS = tuple(one.name for one in fields(TrainedOn) if one.name != "complete")


def read_trained_on(folder: Path, card: dict[str, Any]) -> TrainedOn | None:
    """Return what the encoder in `folder` was trained on, or None where its card does not say it.

    Raises EncoderError where the file that the card names is not there, or is not what it was.
    """
    entry = card.get(CARD_FIELD)
    if entry is None:
        return None
    file = folder / TRAINED_ON_FILE
    again = f"put the file back, or remove the field {CARD_FIELD!r} from the card: then leaks cannot be told"
    if not isinstance(entry, dict) or entry.get("file") != TRAINED_ON_FILE:
        raise EncoderError(
            f"{folder}: the card's field {CARD_FIELD!r} must be an object whose file is {TRAINED_ON_FILE}"
        )
    try:
        if digest_of_file(file) != entry.get("sha256"):
            raise EncoderError(f"{file}: is not the file that the card is about: {again}")
        frame = pl.read_parquet(file, columns=["part", "fingerprint"])
    except OSError as error:
        raise EncoderError(f"{file}: what the encoder was trained on cannot be read: {again}") from error
    except pl.exceptions.PolarsError as error:
        raise EncoderError(f"{file}: is not a table of fingerprints: {again}") from error
    found = {
        part: distinct([frame.filter(pl.col("part") == part)["fingerprint"].cast(pl.UInt64).to_numpy()])
        for part in _PARTS
    }
    return TrainedOn(**found, complete=entry.get("complete") is True)


def trained_on_of(name: str) -> TrainedOn | None:
    """Return what the encoder `name` was trained on: a folder with a card that says it; else None."""
    folder = Path(name).expanduser()
    return read_trained_on(folder, read_card(folder)) if folder.is_dir() else None


def text_fingerprints(texts: pl.Series) -> Fingerprints:
    """Return a fingerprint of every text, uint64 [n]; copies that differ in normal form or white space have one."""
    parts = (texts[start : start + _TEXTS] for start in range(0, len(texts), _TEXTS))  # else all are held twice
    canonical = (part.to_frame("text").select(canonical_texts(pl.col("text")))["text"] for part in parts)
    return np.concatenate([_NONE, *(_fingerprints(part) for part in canonical)])


def id_fingerprints(task: str, source: str, ids: pl.Series) -> Fingerprints:
    """Return a fingerprint of every query id, uint64 [n], with what it is an id of.

    That is the source and the name of its task without its selection: ids may be counters, which other tasks have as
    well. Empty where the source is not known.
    """
    if source in ("", "unknown"):
        return _NONE
    whole = task.partition("[")[0]
    return _fingerprints(f"{source}\0{whole}\0{one}" for one in ids)


def distinct(found: Iterable[Fingerprints]) -> Fingerprints:
    """Return the distinct ones of some fingerprints, sorted."""
    values = np.sort(np.concatenate([_NONE, *found]))  # np.unique takes ten times as long for millions of them
    first = np.ones(len(values), dtype=np.bool_)
    np.not_equal(values[1:], values[:-1], out=first[1:])
    return np.asarray(values[first])


def _fingerprints(texts: Iterable[str]) -> Fingerprints:
    digests = (hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest() for text in texts)
    return np.frombuffer(b"".join(digests), dtype="<u8").astype(np.uint64)
