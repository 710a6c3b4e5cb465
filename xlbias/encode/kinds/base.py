"""What a kind of encoder is to the command line: a prefix, a line of help, and how it is checked and loaded."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from xlbias.errors import EncoderError


@dataclass(frozen=True)
class EncoderKind:
    """One kind of encoder: ``NAME:TARGET``.

    Attributes:
        name: the prefix.
        summary: what it is, for help.
        example: a whole name.
        encodes: whether it turns texts into vectors, rather than having them.
        takes: options of `xlbias.load_encoder` that mean something for it.
        means: how a refusal of another option ends: it means nothing for ...
        check: raises EncoderError where a look shows that a target cannot be used; takes no time, loads no library.
        load: returns an `xlbias.Encoder`, or vectors by id, given the target and the options that it takes.
        content: a digest of what the encoder is made from, None where nothing is known before it is loaded.
        label: what reports call it.
    """

    name: str
    summary: str
    example: str
    encodes: bool
    takes: frozenset[str]
    means: str
    check: Callable[[str], None]
    load: Callable[[str, Mapping[str, Any]], Any]
    content: Callable[[str], str | None]
    label: Callable[[str], str]

    def check_options(self, target: str, options: Mapping[str, Any]) -> None:
        """Raise EncoderError where an option is set that means nothing for this kind."""
        for option, value in options.items():
            if value is not None and option not in self.takes:
                raise EncoderError(f"{self.name}:{target}: --{option.replace('_', '-')} means nothing for {self.means}")
