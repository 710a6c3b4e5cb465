"""A cross-encoder of sentence-transformers: it scores a query and a passage together, and has a vector for neither."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from xlbias.encode.content import content_digest
from xlbias.encode.hub import snapshot_of
from xlbias.encode.quiet import captured
from xlbias.errors import EncoderError


class PairScorer(Protocol):
    """What scores pairs of texts.

    Attributes:
        name: what reports call it.
        fingerprint: changes whenever a pair could get another score.
    """

    name: str
    fingerprint: str

    def score(self, pairs: Sequence[tuple[str, str]]) -> npt.NDArray[np.float32]:
        """Return a score for each pair of query and passage, float32 [n], high for relevant."""
        ...


class CrossEncoderScorer:
    """A cross-encoder from a folder, or from the hub.

    Raises EncoderError where there is none, where its weights are pickled, or where it has several scores for a pair.
    """

    def __init__(self, name: str, *, device: str | None = None, batch_size: int = 32) -> None:
        folder = Path(name).expanduser()
        _check(name, folder)
        from sentence_transformers import CrossEncoder

        options: dict[str, Any] = {"device": device, "model_kwargs": {"use_safetensors": True}}
        try:
            with captured():
                self._model = CrossEncoder(str(folder) if folder.is_dir() else name, **options)
        except Exception as error:  # the libraries raise many kinds; each means that there is no usable model
            raise EncoderError(f"cross-encoder {name!r} cannot be loaded: {_first_line(error)}") from error
        if self._model.num_labels != 1:
            raise EncoderError(
                f"{name}: gives {self._model.num_labels} scores for a pair of texts; expected a cross-encoder with one"
            )
        there = folder if folder.is_dir() else snapshot_of(name)
        self.name = folder.resolve().name if folder.is_dir() else name
        self.fingerprint = content_digest(there) if there else name
        self._batch_size = batch_size

    def score(self, pairs: Sequence[tuple[str, str]]) -> npt.NDArray[np.float32]:
        """Return a score for each pair of query and passage, float32 [n], high for relevant."""
        given = [list(pair) for pair in pairs]
        scores = self._model.predict(given, batch_size=self._batch_size, show_progress_bar=False)
        return np.asarray(scores, dtype=np.float32).reshape(-1)


def _check(name: str, folder: Path) -> None:
    if folder.is_dir():
        if not (folder / "config.json").is_file():
            raise EncoderError(f"{name}: holds no config.json; expected the folder of a cross-encoder")
        if (folder / "modules.json").is_file() and not list(folder.glob("*.safetensors")):
            raise EncoderError(
                f"{name}: is an encoder of single texts, not a cross-encoder: evaluate it with `xlbias evaluate`"
            )
        if not list(folder.rglob("*.safetensors")):
            raise EncoderError(f"{name}: has no weights in safetensors, and pickled ones could run code: convert them")
    elif folder.exists():
        raise EncoderError(f"{name}: is a file; expected the folder of a cross-encoder or a hub name")
    elif name.startswith((".", "/", "~")) or name.count("/") > 1:
        raise EncoderError(f"{name}: there is no such folder; expected that of a cross-encoder, or a hub name")


def _first_line(error: Exception) -> str:
    return next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)
