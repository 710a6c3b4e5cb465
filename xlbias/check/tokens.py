"""The words of a requirement: numbers, names, signs, and language tags between brackets."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from xlbias.check.source import Source, short

Kind = Literal["number", "name", "tag", "sign", "end"]

_SPACE = re.compile(r" *")
_NUMBER = re.compile(r"(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?%?")
# A hyphen has a meaning of its own in these names; any other between two letters is refused.
HYPHENATED = ("cross-lingual", "own-language", "other-language")
_PART = r"[A-Za-z][A-Za-z0-9_@]*"
_NAME = re.compile(rf"{_PART}(?:\.(?:(?:{'|'.join(HYPHENATED)})(?![A-Za-z0-9_@]|-[A-Za-z])|{_PART}))*")
_SIGN = re.compile(r"<=|>=|==|!=|[<>+\-*/()\[\],]")
_TAG = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")
_TAG_SIGN = re.compile(r"[*,\]]")

_IN_NAME = re.compile(r"[A-Za-z0-9_@.%]")
_HYPHEN = re.compile(r"-[A-Za-z]")
_HINTS = {
    "=": "write ==, <= or >=",
    "!": "write not, or != for unequal",
    "&": "write and",
    "|": "write or",
    "%": "a percent sign directly follows a number, as in 5%",
    "'": "nothing needs quotes",
    '"': "nothing needs quotes",
    "≤": "write <=",
    "≥": "write >=",
    "≠": "write !=",
    "\u2212": "write -",
}


@dataclass(frozen=True)
class Token:
    """A word with its place: `text` is ``source.text[start:end]``, empty at the end."""

    kind: Kind
    text: str
    start: int
    end: int

    def __str__(self) -> str:
        return repr(short(self.text)) if self.text else "the end"


def tokenize(source: Source) -> list[Token]:
    """Return the tokens of a requirement, an ``end`` last; raises UsageError at what belongs to none."""
    tokens: list[Token] = []
    at = _skip(source, 0)
    bracket = False
    while at < len(source.text):
        token = _tag_or_sign(source, at) if bracket else _token(source, at)
        if token.kind == "sign" and token.text in "[]":
            bracket = token.text == "["
        tokens.append(token)
        at = _skip(source, token.end)
    return [*tokens, Token("end", "", at, at)]


def _skip(source: Source, at: int) -> int:
    match = _SPACE.match(source.text, at)
    return match.end() if match else at


def _token(source: Source, at: int) -> Token:
    if match := _NUMBER.match(source.text, at):
        if _IN_NAME.match(source.text, match.end()):
            raise source.error(at, f"{short(match.group() + source.text[match.end()])!r} is not a number")
        return Token("number", match.group(), at, match.end())
    if match := _NAME.match(source.text, at):
        _check_end_of_name(source, match)
        return Token("name", match.group(), at, match.end())
    if match := _SIGN.match(source.text, at):
        return Token("sign", match.group(), at, match.end())
    raise _unexpected(source, at)


def _tag_or_sign(source: Source, at: int) -> Token:
    if match := _TAG.match(source.text, at):
        return Token("tag", match.group(), at, match.end())
    if match := _TAG_SIGN.match(source.text, at):
        return Token("sign", match.group(), at, match.end())
    raise source.error(at, f"unexpected {source.text[at]!r} between brackets: expected a language such as de, or *")


def _check_end_of_name(source: Source, name: re.Match[str]) -> None:
    end = name.end()
    if _HYPHEN.match(source.text, end):
        both = f"{short(name.group())}-{source.text[end + 1]}"
        raise source.error(end, f"'{both}...' could be one name or a difference: put spaces around a minus")
    if source.text.startswith(".", end):
        raise source.error(end, "a dot in a name is followed by a letter")


def _unexpected(source: Source, at: int) -> Exception:
    character = source.text[at]
    hint = f": {_HINTS[character]}" if character in _HINTS else ""
    return source.error(at, f"unexpected {character!r}{hint}")
