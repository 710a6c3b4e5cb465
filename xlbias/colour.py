"""The one colour scale of heat maps, in the terminal, in pictures and in HTML; and glyphs where there is no colour.

The scale is a path through OKLCH (Ottosson 2020) from indigo over teal to yellow whose lightness rises evenly, so that
it orders values for readers who see no hue, too, and on paper without colour. The bright end is always the good one.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

RGB = tuple[int, int, int]

STEPS = 64
"""Colours of the scale; more cannot be told apart, and few styles keep a repaint small."""

SHADES = " ░▒▓█"
"""Glyphs from bad to good, for terminals without colour."""

MIN_CONTRAST = 4.5
"""WCAG 2 level AA for text."""

MAX_SERIES = 8
"""Series of a figure that are told apart by colour and mark; more are a table."""

SERIES: tuple[tuple[RGB, ...], tuple[RGB, ...]] = (
    ((0, 90, 181), (186, 70, 0), (0, 112, 79), (150, 50, 160), (128, 92, 0), (75, 85, 99), (176, 23, 82),
     (14, 105, 125)),
    ((88, 166, 255), (255, 157, 87), (74, 222, 155), (214, 155, 240), (227, 179, 65), (177, 186, 196), (255, 122, 160),
     (86, 212, 232)),
)  # fmt: skip
"""Colours of series, in figures on light and on dark ground."""

_DARK: tuple[RGB, ...] = ((16, 20, 24), (0, 0, 0))
_LIGHT: tuple[RGB, ...] = ((238, 242, 245), (255, 255, 255))


@lru_cache(maxsize=1)
def colours() -> tuple[RGB, ...]:
    """The `STEPS` colours of the scale as sRGB, bad to good."""
    return tuple(_colour(i / (STEPS - 1)) for i in range(STEPS))


@lru_cache(maxsize=16)
def diverging_colours(ground: RGB = _DARK[0]) -> tuple[RGB, ...]:
    """The `STEPS` colours of differences: orange where worse, the background where equal, blue where better."""
    return tuple(_diverging(i / (STEPS - 1), ground) for i in range(STEPS))


def step_of(goodness: float) -> int:
    """Which of the `STEPS` colours shows a goodness in [0, 1]; values outside are clipped."""
    return round(min(1.0, max(0.0, goodness)) * (STEPS - 1))


def colour_at(goodness: float, *, diverging_on: RGB | None = None) -> RGB:
    """Colour of a goodness in [0, 1], of a difference on the background given; values outside are clipped."""
    return (colours() if diverging_on is None else diverging_colours(diverging_on))[step_of(goodness)]


def shade_at(goodness: float) -> str:
    """Glyph of a goodness in [0, 1]: the fuller, the better."""
    return SHADES[min(len(SHADES) - 1, int(min(1.0, max(0.0, goodness)) * len(SHADES)))]


def text_on(background: RGB) -> RGB:
    """Text colour that is readable on `background`: soft where contrast allows, else plain black or white."""
    for soft in (_LIGHT[0], _DARK[0]):
        if contrast(soft, background) >= MIN_CONTRAST:
            return soft
    return max((_LIGHT[1], _DARK[1]), key=lambda colour: contrast(colour, background))


def contrast(a: RGB, b: RGB) -> float:
    """Contrast ratio of two colours after WCAG 2, in [1, 21]."""
    low, high = sorted((luminance(a), luminance(b)))
    return (high + 0.05) / (low + 0.05)


def luminance(colour: RGB) -> float:
    """Relative luminance after WCAG 2, in [0, 1]."""
    red, green, blue = (_linear(channel / 255) for channel in colour)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@dataclass(frozen=True)
class Range:
    """The values that the two ends of the scale stand for.

    Attributes:
        low: smallest value of the range.
        high: largest value of the range.
        better: whether high or low values are good.
        diverging: whether the values are differences, and the middle of the scale is none.
    """

    low: float
    high: float
    better: Literal["high", "low"]
    diverging: bool = False

    def goodness(self, value: float) -> float:
        """Place of `value` on the scale: 0 at the bad end, 1 at the good end, 0.5 where all values are equal."""
        if not self.high > self.low:
            return 0.5
        place = min(1.0, max(0.0, (value - self.low) / (self.high - self.low)))
        return place if self.better == "high" else 1.0 - place

    @property
    def worst(self) -> float:
        """The value at the bad end."""
        return self.low if self.better == "high" else self.high

    @property
    def best(self) -> float:
        """The value at the good end."""
        return self.high if self.better == "high" else self.low


def _colour(t: float) -> RGB:
    return _rgb(0.27 + 0.61 * t, 0.11, 285.0 - 185.0 * t)


def _diverging(t: float, ground: RGB) -> RGB:
    """Orange over the background to blue: lightness and chroma say how large a difference is, the hue which way.

    The two steps in the middle are the background itself.
    """
    middle = 1 / (STEPS - 1)
    size = (abs(2 * t - 1) - middle) / (1 - middle)
    if size < 1e-9:
        return ground
    start = _lightness(ground)
    end = 0.76 if start < 0.6 else 0.56
    return _rgb(start + (end - start) * size, 0.13 * size, 55.0 if t < 0.5 else 245.0)


def _lightness(colour: RGB) -> float:
    """Return the lightness of a colour in OKLCH."""
    red, green, blue = (_linear(channel / 255) for channel in colour)
    long = math.cbrt(0.4122214708 * red + 0.5363325363 * green + 0.0514459929 * blue)
    medium = math.cbrt(0.2119034982 * red + 0.6806995451 * green + 0.1073969566 * blue)
    short = math.cbrt(0.0883024619 * red + 0.2817188376 * green + 0.6299787005 * blue)
    return 0.2104542553 * long + 0.7936177850 * medium - 0.0040720468 * short


def _rgb(lightness: float, chroma: float, hue: float) -> RGB:
    """Return sRGB of an OKLCH colour, with as much chroma as a display can show."""
    while not _displayable(linear := _oklch(lightness, chroma, hue)):
        chroma -= 0.002
    red, green, blue = (round(255 * _gamma(min(1.0, max(0.0, channel)))) for channel in linear)
    return red, green, blue


def _oklch(lightness: float, chroma: float, hue: float) -> tuple[float, float, float]:
    """Return linear sRGB of an OKLCH colour, outside [0, 1] where no display can show it."""
    a, b = chroma * math.cos(math.radians(hue)), chroma * math.sin(math.radians(hue))
    long = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3
    medium = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3
    short = (lightness - 0.0894841775 * a - 1.2914855480 * b) ** 3
    return (
        4.0767416621 * long - 3.3077115913 * medium + 0.2309699292 * short,
        -1.2684380046 * long + 2.6097574011 * medium - 0.3413193965 * short,
        -0.0041960863 * long - 0.7034186147 * medium + 1.7076147010 * short,
    )


def _displayable(linear: tuple[float, float, float]) -> bool:
    return all(-1e-6 <= channel <= 1 + 1e-6 for channel in linear)


def _gamma(channel: float) -> float:
    return 12.92 * channel if channel <= 0.0031308 else 1.055 * channel ** (1 / 2.4) - 0.055


def _linear(channel: float) -> float:
    return channel / 12.92 if channel <= 0.04045 else ((channel + 0.055) / 1.055) ** 2.4
