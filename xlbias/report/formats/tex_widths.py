"""How wide text is that TeX sets in Computer Modern Roman, from the widths in cmr10.tfm; in points."""

from __future__ import annotations

LINE = 345.0
r"""``\linewidth`` of a standard article, of one column and 10 points."""

_FIRST = 33  # "!", the first of the characters below
_CHARACTERS = (
    278, 500, 833, 500, 833, 778, 278, 389, 389, 500, 778, 278, 333, 278, 500, 500, 500, 500, 500, 500, 500, 500, 500,
    500, 500, 278, 278, 778, 778, 778, 472, 778, 750, 708, 722, 764, 681, 653, 785, 750, 361, 514, 778, 625, 917, 750,
    778, 681, 778, 736, 556, 722, 750, 750, 1028, 750, 750, 611, 278, 500, 278, 500, 500, 500, 500, 556, 444, 556, 444,
    306, 500, 556, 278, 306, 528, 278, 833, 556, 500, 556, 528, 392, 394, 389, 556, 528, 722, 528, 528, 444, 500, 500,
    500, 500,
)  # fmt: skip
"""Widths from "!" to "~", in thousandths of the size; those that TeX takes from other fonts as wide as there."""

_OTHERS = {" ": 334, "−": 778, "–": 500, "·": 278}
_UNKNOWN = 1000

SIZES = {r"\small": 9.0 * 1.029, r"\footnotesize": 8.0 * 1.063, r"\scriptsize": 7.0 * 1.165, r"\tiny": 5.0 * 1.45}
"""Sizes by their commands, in points, each with the factor by which its font is at most wider than cmr10 is."""


def width(text: str, size: str = r"\small") -> float:
    """Return how wide a text is at most, in points; characters of other scripts are a size wide."""
    return sum(map(_width, text)) * SIZES[size] / 1000


def _width(character: str) -> int:
    place = ord(character) - _FIRST
    return _CHARACTERS[place] if 0 <= place < len(_CHARACTERS) else _OTHERS.get(character, _UNKNOWN)
