"""Text as it is compared when someone searches: without case, marks and compatibility forms."""

from __future__ import annotations

import unicodedata


def folded(text: str) -> str:
    """Return `text` in a form in which equal words are equal: NFKC, case folded, without combining marks.

    ``Ünïcode`` and ``unicode`` are then the same, and so are half and full width, and Arabic with and without
    vowel signs. Vowel signs of Indic scripts that take up room of their own (category Mc) stay: without them words
    would run together.
    """
    decomposed = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", text).casefold())
    return unicodedata.normalize("NFC", "".join(c for c in decomposed if unicodedata.category(c) != "Mn"))
