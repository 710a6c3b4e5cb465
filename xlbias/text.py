"""Makes text that comes from data safe to print: no control sequence, no hidden direction change, no broken width.

Everything that a user's corpus, file name or model name brings in passes through `clean` before it reaches a
terminal, a table or a file that a terminal may show. What is removed is shown as a visible mark instead, so that
a reader can see that something was there.
"""

from __future__ import annotations

import re
import shlex
from functools import lru_cache

from wcwidth import iter_graphemes, wcswidth

ELLIPSIS = "…"

# Bidirectional controls, line and paragraph separators, zero-width space, word joiner and invisible operators,
# interlinear annotation, the byte-order mark and the tag characters. ZWNJ and ZWJ (U+200C, U+200D) stay: Indic
# scripts, Persian and emoji need them.
_HIDDEN = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\ud800-\udfff\U000e0000-\U000e007f]"
)
_BREAKS = re.compile(r"[\t\n\r]+")


HIDDEN = "␦"
"""What `brief` shows for a character that has no picture of its own."""


def _mark(match: re.Match[str]) -> str:
    code = ord(match.group())
    if code < 0x20:
        return chr(0x2400 + code)
    if code == 0x7F:
        return "␡"
    if 0xD800 <= code <= 0xDFFF:
        return "\ufffd"
    return f"⟨U+{code:04X}⟩"


def clean(text: str, *, keep_newlines: bool = False) -> str:
    r"""Return `text` with every control, bidi control and lone surrogate replaced by a visible mark.

    ESC becomes ``␛``, NUL ``␀``, U+202E ``⟨U+202E⟩``, a lone surrogate U+FFFD. Tabs and line breaks become one
    space, or stay line breaks (``\n``) with `keep_newlines`. The result holds no C0, C1 or DEL character (but ``\n``
    where asked for) and is therefore inert in any terminal; it is *not* escaped for Rich or Textual markup, which
    must never be given a string from data in the first place.
    """
    if keep_newlines:
        text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\t", "    ")
    else:
        text = _BREAKS.sub(" ", text)
    return _HIDDEN.sub(_mark, text)


def as_argument(word: object) -> str:
    """Return a word of a command line, such as a path: quoted where the shell needs it, and safe to print."""
    return clean(shlex.quote(str(word)))


def inert(text: str) -> str:
    """Return `text` as `clean` does, but with its tabs and line breaks: for streams, not for a cell or a line."""
    return _HIDDEN.sub(_mark, text)


def brief(text: str) -> str:
    """Return `text` as `clean` does, but with one cell for each character that `clean` writes out as ``⟨U+202E⟩``.

    For rows of a list, where a mark of eight cells would push the text out; where the whole text is shown, `clean` says
    which character it is. As inert as what `clean` returns, and as visible.
    """
    return _HIDDEN.sub(_brief_mark, _BREAKS.sub(" ", text))


def _brief_mark(match: re.Match[str]) -> str:
    mark = _mark(match)
    return mark if len(mark) == 1 else HIDDEN


def drop_surrogates(text: str) -> str:
    r"""Return `text` as valid Unicode: surrogate pairs joined, lone surrogates replaced by U+FFFD.

    JSON may hold ``"\ud800"``, which Python reads as a lone surrogate and which no UTF-8 file can store.
    """
    if text.isascii():
        return text
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


@lru_cache(maxsize=4096)
def width(text: str) -> int:
    """Number of terminal cells that `text` (already cleaned) takes; never negative."""
    return max(0, int(wcswidth(text)))


def cut(text: str, cells: int) -> str:
    """Return the start of `text` that fits `cells` terminal cells, cut between graphemes, with ``…`` if shortened.

    Looks at no more of a long text than it has to, so a megabyte without a space costs nothing.
    """
    if cells <= 0:
        return ""
    head = text[: cells * 16 + 16]
    if len(head) == len(text) and width(text) <= cells:
        return text
    kept: list[str] = []
    used = 0
    for grapheme in iter_graphemes(head):
        grapheme_width = width(grapheme)
        if used + grapheme_width > cells - 1:
            return "".join(kept) + ELLIPSIS
        kept.append(grapheme)
        used += grapheme_width
    return "".join(kept) + ELLIPSIS


def cut_middle(text: str, cells: int) -> str:
    """Return `text` (already cleaned) in `cells` terminal cells: its start and its end, with ``…`` between."""
    if width(text) <= cells:
        return text
    graphemes = list(iter_graphemes(text))
    head, tail, used = "", "", 1
    for i in range(len(graphemes)):
        piece = graphemes[i // 2] if i % 2 == 0 else graphemes[-1 - i // 2]
        used += width(piece)
        if used > cells:
            break
        head, tail = (head + piece, tail) if i % 2 == 0 else (head, piece + tail)
    return head + ELLIPSIS + tail


def one_line(text: str, cells: int) -> str:
    """Clean and cut in one step: what a table or a title shows of a text from data."""
    return cut(clean(text[: cells * 32 + 32]), cells)
