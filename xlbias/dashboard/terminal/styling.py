"""What is sent for colours and styles: only what differs from the text before it.

Rich begins every piece of text with its whole style and ends it with a reset. In a matrix of 100 languages, where cells
have colours of their own, that is four bytes of five.
"""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import islice
from typing import NamedTuple

_STYLE = re.compile(r"\x1b\[([0-9;:]*)m")
_FLAGS = frozenset("1 2 3 4 5 6 7 8 9 21 51 52 53".split())  # bold, dim and so on: each is on until a reset
_COLOURS = {"38": 0, "48": 1}
_DEFAULTS = {"39": 0, "49": 1}
_OPERANDS = {"5": 1, "2": 3}  # of a colour of 256, and of red, green and blue


class _State(NamedTuple):
    """Text colour, background, and flags, as they are asked for; empty where they are the terminal's own."""

    colours: tuple[str, str] = ("", "")
    flags: tuple[str, ...] = ()


_PLAIN = _State()


def shortened(sent: str) -> str:
    """Return what has the same effect on a terminal as `sent`, a frame that begins and ends in its own colours.

    Text, and whatever moves the cursor or erases, meets the very style that it would have met; blanks the very
    background. What has a style that is none of Rich's is returned as it is.
    """
    pieces = _STYLE.split(sent)
    found, there = [pieces[0]], _PLAIN
    wanted: _State | None = _PLAIN
    for style, text in zip(islice(pieces, 1, None, 2), islice(pieces, 2, None, 2), strict=True):
        wanted = _after(wanted, style)
        if wanted is None:
            return sent
        if text:
            seen = wanted if wanted.flags or text.strip(" ") else _blank(there, wanted)
            if seen != there:
                found.append(_between(there, seen))
                there = seen
            found.append(text)
    if wanted != there:
        found.append(_between(there, wanted))
    return "".join(found)


def _blank(there: _State, wanted: _State) -> _State:
    """Return the state for blanks without flags, whose text colour is not seen."""
    return wanted if there.flags else _State((there.colours[0], wanted.colours[1]))


@lru_cache(maxsize=1 << 13)
def _after(state: _State, style: str) -> _State | None:
    """Return what a style makes of a state; None for a style that is not known."""
    colours, flags = list(state.colours), set(state.flags)
    numbers = iter(style.split(";"))
    for number in numbers:
        if number in ("", "0"):
            colours, flags = ["", ""], set()
        elif number in _FLAGS:
            flags.add(number)
        elif number in _DEFAULTS:
            colours[_DEFAULTS[number]] = ""
        elif number in _COLOURS:
            kind = next(numbers, "")
            operands = list(islice(numbers, _OPERANDS.get(kind, 0)))
            if not operands or len(operands) < _OPERANDS[kind]:
                return None
            colours[_COLOURS[number]] = ";".join((number, kind, *operands))
        elif len(number) > 1 and number[:-1] in ("3", "9", "4", "10") and number[-1] in "01234567":
            colours[number[:-1] in ("4", "10")] = number
        else:
            return None
    return _State((colours[0], colours[1]), tuple(sorted(flags)))


@lru_cache(maxsize=1 << 13)
def _between(there: _State, wanted: _State) -> str:
    """Return what brings a terminal from one state to another."""
    if wanted == _PLAIN:
        return "\x1b[0m"
    again = not set(there.flags) <= set(wanted.flags)  # a flag goes by a reset
    before = _PLAIN if again else there
    changed = ["0"] if again else []
    changed += [one for one in wanted.flags if one not in before.flags]
    for default, old, new in zip(_DEFAULTS, before.colours, wanted.colours, strict=True):
        if old != new:
            changed.append(new or default)
    return f"\x1b[{';'.join(changed)}m"
