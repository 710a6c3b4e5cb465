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


class Remembered:
    """Counts of texts that were split already, so that they need not be split again: 16 bytes a text.

    Texts are known by 64 bits of them: of three million, two are taken for one another once in four million times.
    """

    def __init__(self, most: int = 1 << 24) -> None:
        """Remember at most so many texts, those that came first."""
        self._left = most
        self._new: list[tuple[npt.NDArray[np.int64], npt.NDArray[np.int32]]] = []
        self._keys = np.empty(0, dtype=np.int64)
        self._counts = np.empty((0, 2), dtype=np.int32)

    def add(self, texts: Sequence[str], tokens: Sequence[int], unknown: Sequence[int]) -> None:
        """Take in what was counted of texts."""
        if len(texts) > self._left:
            return
        self._left -= len(texts)
        self._new.append((_keys(texts), np.array([tokens, unknown], dtype=np.int32).T))

    def of(self, texts: Sequence[str]) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.int64]]:
        """Return bool [n], which texts are known, and int64 [n, 2], their tokens and those that are unknown."""
        if self._new:
            keys = np.concatenate([self._keys, *(one for one, _ in self._new)])
            counts = np.concatenate([self._counts, *(two for _, two in self._new)])
            self._keys, first = np.unique(keys, return_index=True)
            self._counts, self._new = counts[first], []
        keys = _keys(texts)
        found = np.zeros((len(texts), 2), dtype=np.int64)
        if not len(self._keys):
            return np.zeros(len(texts), dtype=np.bool_), found
        places = np.minimum(np.searchsorted(self._keys, keys), len(self._keys) - 1)
        known = self._keys[places] == keys
        found[known] = self._counts[places[known]]
        return known, found


def _keys(texts: Sequence[str]) -> npt.NDArray[np.int64]:
    return np.fromiter((hash(text) for text in texts), dtype=np.int64, count=len(texts))


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
            unknown[start : start + len(ids)] = [unknown_in(some, unknown_token) for some in ids]
    return TokenCounts(tokens, unknown, limit)


def unknown_in(ids: Sequence[int], unknown_token: int | None) -> int:
    """Return how many tokens stand for what the vocabulary lacks."""
    return 0 if unknown_token is None else ids.count(unknown_token)


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
