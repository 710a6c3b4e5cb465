"""How many tokens texts have, counted by a tokenizer; imports no deep-learning library."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from tokenizers import Tokenizer

_CHUNK = 4_096  # texts tokenised at a time
_LARGEST = 1 << 31
"""Limits above are the libraries' way to say that there is none."""


@dataclass(frozen=True, eq=False)
class TokenCounts:
    """Tokens of texts, with prompt and special tokens.

    Attributes:
        tokens: int64 [n], before anything is cut.
        unknown: int64 [n], those that stand for what the vocabulary lacks; 0 where it has no such token.
        limit: tokens that are read at most, None for all.
    """

    tokens: npt.NDArray[np.int64]
    unknown: npt.NDArray[np.int64]
    limit: int | None

    @property
    def cut(self) -> npt.NDArray[np.bool_]:
        """Bool [n], the texts of which the end is not read."""
        return np.zeros(len(self.tokens), dtype=bool) if self.limit is None else self.tokens > self.limit


def counted(
    tokenizer: Tokenizer,
    texts: Sequence[str],
    prompt: str,
    *,
    special: bool = False,
    unknown_token: int | None = None,
    limit: int | None = None,
) -> TokenCounts:
    """Return the tokens of texts behind a prompt, before anything is cut.

    Args:
        tokenizer: what splits them.
        texts: the texts.
        prompt: put before each.
        special: whether special tokens count.
        unknown_token: the token that stands for what the vocabulary lacks; None where there is none.
        limit: tokens that are read at most; None for all.
    """
    tokens = np.zeros(len(texts), dtype=np.int64)
    unknown = np.zeros(len(texts), dtype=np.int64)
    with _whole(tokenizer):
        for start in range(0, len(texts), _CHUNK):
            chunk = [prompt + text for text in texts[start : start + _CHUNK]]
            ids = [encoding.ids for encoding in tokenizer.encode_batch_fast(chunk, add_special_tokens=special)]
            tokens[start : start + len(ids)] = [len(some) for some in ids]
            if unknown_token is not None:
                unknown[start : start + len(ids)] = [some.count(unknown_token) for some in ids]
    return TokenCounts(tokens, unknown, limit)


def of_static(tokenizer: Tokenizer) -> tuple[int | None, int | None]:
    """Return the unknown token of a static encoder's tokenizer, and how many tokens it leaves; None where none is."""
    return tokenizer.token_to_id(str(getattr(tokenizer.model, "unk_token", None) or "[UNK]")), known_limit(
        (tokenizer.truncation or {}).get("max_length")
    )


def known_limit(length: object) -> int | None:
    """Return a limit that a library states, None where that is its way to say that there is none."""
    return int(length) if isinstance(length, int | float) and 0 < length < _LARGEST else None


@contextmanager
def _whole(tokenizer: Tokenizer) -> Iterator[None]:
    """Let a tokenizer give all tokens of a text, and only them."""
    truncation, padding = tokenizer.truncation, tokenizer.padding
    tokenizer.no_truncation()
    tokenizer.no_padding()
    try:
        yield
    finally:
        if truncation:
            tokenizer.enable_truncation(**truncation)
        if padding:
            tokenizer.enable_padding(**padding)
