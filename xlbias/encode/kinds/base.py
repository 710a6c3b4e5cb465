"""What a kind of encoder is to the command line: a prefix, a line of help, and how it is checked and loaded."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class EncoderKind:
    """One kind of encoder: ``NAME:TARGET``.

    Attributes:
        name: the prefix.
        summary: what it is, for help.
        example: a whole name.
        encodes: whether it turns texts into vectors, rather than having them.
        check: raises EncoderError where a look shows that a target cannot be used; takes no time, loads no library.
        load: returns an `xlbias.Encoder`, or vectors by id, given the target and those options of
            `xlbias.load_encoder` that were set: device, batch_size, query_prompt, passage_prompt, similarity. Raises
            EncoderError for an option that means nothing.
        content: a digest of what the encoder is made from, None where nothing is known before it is loaded.
        label: what reports call it.
    """

    name: str
    summary: str
    example: str
    encodes: bool
    check: Callable[[str], None]
    load: Callable[[str, Mapping[str, Any]], Any]
    content: Callable[[str], str | None]
    label: Callable[[str], str]
