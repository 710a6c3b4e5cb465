"""Weights that a checkpoint lacks: the library draws them at random, and a vector must not depend on them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from sentence_transformers import SentenceTransformer
from transformers import PreTrainedModel

from xlbias.errors import EncoderError
from xlbias.text import clean

Loaded = tuple[PreTrainedModel, dict[str, Any]]
"""A model of transformers, and what its loading says: ``missing_keys`` and the like."""

_TEXTS = ("What is it?", "ここは何ですか。 A second text, of some words more and with a number: 12,345.")
_MOST_TRIED = 24  # one by one
_MOST_NAMED = 3


@contextmanager
def recorded_loading() -> Iterator[list[Loaded]]:
    """Collect what each model of transformers that is loaded in the block says of its loading."""
    loaded: list[Loaded] = []
    own = PreTrainedModel.__dict__["from_pretrained"]

    def from_pretrained(cls: type[PreTrainedModel], *args: Any, **kwargs: Any) -> Any:
        asked = kwargs.pop("output_loading_info", False)
        found = own.__func__(cls, *args, output_loading_info=True, **kwargs)
        model, info = found if isinstance(found, tuple) else (found, {})
        loaded.append((model, info))
        return (model, info) if asked else model

    PreTrainedModel.from_pretrained = classmethod(from_pretrained)
    try:
        yield loaded
    finally:
        PreTrainedModel.from_pretrained = own


def check_missing(model: SentenceTransformer, loaded: Sequence[Loaded], shown: str) -> None:
    """Raise EncoderError where a vector depends on a weight that the checkpoint lacks.

    A pooler that nothing is made of may be missing. Whether a vector depends on a weight is found by making it NaN:
    what is computed from it is then NaN as well.
    """
    missing = _missing(model, loaded)
    if not missing or not _spoils(model, missing.values()):
        return
    tried = len(missing) <= _MOST_TRIED
    names = [name for name, tensor in missing.items() if _spoils(model, [tensor])] if tried else list(missing)
    first = ", ".join(clean(name) for name in names[:_MOST_NAMED])
    more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
    raise EncoderError(
        f"{shown}: its weights lack {first}{more}, which its vectors depend on: they would be drawn at random. "
        "Save or download the checkpoint anew, and see that config.json is of the architecture it was saved with"
    )


def _missing(model: SentenceTransformer, loaded: Sequence[Loaded]) -> dict[str, torch.Tensor]:
    """Return the tensors of `model` that were drawn at random when it was loaded, by name."""
    parts = set(map(id, model.modules()))
    found: dict[str, torch.Tensor] = {}
    for part, info in loaded:
        if id(part) in parts:
            tensors = dict(part.named_parameters()) | dict(part.named_buffers())
            keys = {*info.get("missing_keys", ()), *(key[0] for key in info.get("mismatched_keys", ()))}
            found |= {name: tensors[name] for name in sorted(keys) if name in tensors}
    return {name: tensor for name, tensor in found.items() if tensor.is_floating_point()}


def _spoils(model: SentenceTransformer, tensors: Any) -> bool:
    """Whether NaN in `tensors` makes a vector NaN; they are as before when this returns."""
    kept = [(tensor, tensor.detach().clone()) for tensor in tensors]
    try:
        with torch.no_grad():
            for tensor, _ in kept:
                tensor.fill_(torch.nan)
            return not all(
                _finite(encode(list(_TEXTS), show_progress_bar=False))
                for encode in (model.encode_query, model.encode_document)
            )
    except (
        ValueError,
        RuntimeError,
        ArithmeticError,
        AssertionError,
        LookupError,
    ):  # a model that looks at its own values
        return True
    finally:
        with torch.no_grad():
            for tensor, before in kept:
                tensor.copy_(before)


def _finite(encoded: Any) -> bool:
    """Whether there is no NaN in what a model made of texts: an array, a sparse tensor, or a list of tensors."""
    if isinstance(encoded, list):
        return all(_finite(one) for one in encoded)
    if isinstance(encoded, torch.Tensor):
        return bool(torch.isfinite(encoded.coalesce().values() if encoded.is_sparse else encoded).all())
    return bool(np.isfinite(encoded).all())
