"""Text as it is compared: `folded` when someone searches, `canonical` when two texts are one and the same."""

from __future__ import annotations

import re
import unicodedata
from functools import cache
from hashlib import blake2b
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars as pl

_SEARCHED = (range(0xD800), range(0xE000, 0x20000), range(0xE0000, 0xE0200))
"""Code points that may have a case or be a mark: the first two planes, and the selectors of variants."""


_TEXTS = 65_536  # made canonical at a time

_WHITE_SPACE = r"[\s\x1c-\x1f]+"
"""A run of white space. Python counts the four separators of ASCII as such, Polars' regular expressions do not."""


def canonical(text: str) -> str:
    r"""Return `text` in the form in which copies of one text are equal, however a file was written.

    Unicode normalisation form C (UAX #15), each run of white space (tabs, CR, no-break and ideographic spaces, line
    breaks) one blank, none at either end. Letters, case, marks and punctuation count: ``e\u0301 `` and ``é`` are equal,
    ``é`` and ``e`` are not.
    """
    return re.sub(_WHITE_SPACE, " ", unicodedata.normalize("NFC", text)).strip(" ")


def canonical_texts(texts: pl.Expr) -> pl.Expr:
    """Return the expression of a column of texts, each `canonical`: what to group, join and fingerprint texts by."""
    return texts.str.normalize("NFC").str.replace_all(_WHITE_SPACE, " ").str.strip_chars(" ")


def canonical_digests(texts: pl.Series) -> pl.DataFrame:
    """Return ``same, same_2``, uint64: a digest of 128 bits of every text, equal where their `canonical` forms are.

    Some texts at a time, so that very many are not held a second time.
    """
    import numpy as np
    import polars as pl

    found = [np.empty((0, 2), dtype=np.uint64)]
    for start in range(0, len(texts), _TEXTS):
        part = texts[start : start + _TEXTS].to_frame("text").select(canonical_texts(pl.col("text")))["text"]
        digests = (blake2b(one.encode("utf-8", "surrogatepass"), digest_size=16).digest() for one in part)
        found.append(np.frombuffer(b"".join(digests), dtype="<u8").reshape(-1, 2))
    both = np.concatenate(found)
    return pl.DataFrame({"same": both[:, 0], "same_2": both[:, 1]})


def folded(text: str) -> str:
    """Return `text` in a form in which equal words are equal: NFKC, case folded, without combining marks.

    ``Ünïcode`` and ``unicode`` are then the same, and so are half and full width, and Arabic with and without
    vowel signs. Vowel signs of Indic scripts that take up room of their own (category Mc) stay: without them words
    would run together.
    """
    decomposed = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", text).casefold())
    return unicodedata.normalize("NFC", "".join(c for c in decomposed if unicodedata.category(c) != "Mn"))


def folded_texts(texts: pl.Series) -> pl.Series:
    """Return a column of texts, each `folded`; quicker by far, and other threads go on meanwhile."""
    import polars as pl

    cases, marks = _tables()
    column = pl.col("text").str.normalize("NFKC").str.replace_many(list(cases), list(cases.values()))
    column = column.str.normalize("NFKD").str.replace_many(list(marks), [""] * len(marks)).str.normalize("NFC")
    return texts.alias("text").to_frame().lazy().select(column).collect(engine="streaming")["text"]


@cache
def _tables() -> tuple[dict[str, str], tuple[str, ...]]:
    """Return what every character is folded to that has a case, and all combining marks."""
    characters = [chr(code) for part in _SEARCHED for code in part]
    cases = {c: c.casefold() for c in characters if c.casefold() != c}
    return cases, tuple(c for c in characters if unicodedata.category(c) == "Mn")
