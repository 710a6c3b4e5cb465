"""Colours of heat maps in files: cividis, a scale whose lightness rises evenly and that colour-blind readers see alike.

Source: Nuñez, Anderton and Renslow 2018, as ten points of the scale in matplotlib.
"""

from __future__ import annotations

RGB = tuple[int, int, int]

STEPS = 32
"""Colours of the scale."""

_POINTS = ("00224e", "123570", "3b496c", "575d6d", "707173", "8a8678", "a59c74", "c3b369", "e1cc55", "fee838")


def colours() -> list[RGB]:
    """Return the `STEPS` colours of the scale as sRGB, from bad to good."""
    points = [tuple(bytes.fromhex(point)) for point in _POINTS]
    found = []
    for step in range(STEPS):
        place = step / (STEPS - 1) * (len(points) - 1)
        first = min(int(place), len(points) - 2)
        red, green, blue = (
            round(a + (b - a) * (place - first)) for a, b in zip(points[first], points[first + 1], strict=True)
        )
        found.append((red, green, blue))
    return found


def step_of(goodness: float) -> int:
    """Return which colour shows a goodness in [0, 1]."""
    return round(min(1.0, max(0.0, goodness)) * (STEPS - 1))


def text_on(background: RGB) -> RGB:
    """Return black or white, whichever is easier to read: a contrast of 4.5 or more on any background."""
    return (0, 0, 0) if luminance(background) > 0.179 else (255, 255, 255)


def luminance(colour: RGB) -> float:
    """Return relative luminance after WCAG 2, in [0, 1]."""
    red, green, blue = ((c / 255 / 12.92) if c <= 10 else ((c / 255 + 0.055) / 1.055) ** 2.4 for c in colour)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
