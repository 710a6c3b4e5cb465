"""What an encoder must be, checked before any work: what is missing is named, with what was expected."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from xlbias.encode.options import SIMILARITIES
from xlbias.errors import EncoderError


def check_contract(encoder: Any) -> None:
    """Raise EncoderError where an object is no `xlbias.Encoder`: a field is missing or of the wrong kind.

    Vectors are checked when they come, by `xlbias.encode.encoder.embed`.
    """
    who = str(getattr(encoder, "name", None) or type(encoder).__name__)
    for field, (valid, expected) in _FIELDS.items():
        if not hasattr(encoder, field):
            raise EncoderError(f"{who}: not an encoder: it has no {field!r}; expected {expected}")
        value = getattr(encoder, field)
        if not valid(value):
            raise EncoderError(f"{who}: not an encoder: its {field} is {value!r:.80}; expected {expected}")
    try:
        inspect.signature(encoder.encode).bind(["text"], "query")
    except TypeError as error:
        raise EncoderError(
            f"{who}: not an encoder: its encode takes no kind ({error}); expected encode(texts, kind), where kind is "
            "'query' or 'passage'"
        ) from error
    except ValueError:  # written in C: it has no signature to look at
        return


_FIELDS: dict[str, tuple[Callable[[Any], bool], str]] = {
    "name": (lambda x: isinstance(x, str) and bool(x), "a text, the name in reports"),
    "dimension": (lambda x: isinstance(x, int) and not isinstance(x, bool) and x > 0, "the length of its vectors"),
    "similarity": (lambda x: x in SIMILARITIES, f"one of {', '.join(SIMILARITIES)}"),
    "fingerprint": (
        lambda x: isinstance(x, str) and bool(x),
        "a text that changes whenever the same text could get another vector",
    ),
    "encode": (callable, "a method encode(texts, kind)"),
}
