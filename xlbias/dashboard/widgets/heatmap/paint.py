"""How a value looks on the heatmap: colours of the scale, or glyph shades where colours cannot carry it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Literal

from rich.color import Color, ColorSystem
from rich.style import Style

from xlbias.colour import RGB, STEPS, Range, colour_at, contrast, shade_at, step_of, text_on

if TYPE_CHECKING:
    from textual.app import App

Depth = Literal["true", "256", "none"]


def depth_of(app: App[object]) -> Depth:
    """Colours that the terminal can show of the scale: all, the 256 of xterm, or none that could be trusted."""
    if app.no_color or app.native_ansi_color:
        return "none"
    return {"truecolor": "true", "256": "256"}.get(app.console.color_system or "", "none")  # type: ignore[return-value]


@lru_cache(maxsize=4 * STEPS)
def heat_style(step: int, depth: Depth, *, diverging_on: RGB | None = None) -> Style:
    """Style of one step of the scale: readable text on its colour, as the terminal will really show it."""
    colour = colour_at(step / (STEPS - 1), diverging_on=diverging_on)
    background = colour if colour == diverging_on else displayed(colour, depth)
    return Style(color=Color.from_rgb(*text_on(background)), bgcolor=Color.from_rgb(*background))


@lru_cache(maxsize=4 * STEPS)
def displayed(colour: RGB, depth: Depth) -> RGB:
    """The colour that a terminal of this depth shows for `colour`.

    With 256 colours that is the nearest one that has a hue: Rich's own choice puts greys between the greens, which
    would break the order of the scale.
    """
    if depth != "256":
        return colour
    return min(_cube(), key=lambda candidate: _difference(candidate, colour))


@lru_cache(maxsize=1)
def _cube() -> tuple[RGB, ...]:
    """The colours of xterm's cube that Rich sends as they are."""
    levels = (0, 95, 135, 175, 215, 255)
    every = ((red, green, blue) for red in levels for green in levels for blue in levels)
    return tuple(colour for colour in every if len(set(colour)) > 1 and _sent(colour) == colour)


def _sent(colour: RGB) -> RGB:
    triplet = Color.from_rgb(*colour).downgrade(ColorSystem.EIGHT_BIT).get_truecolor()
    return triplet.red, triplet.green, triplet.blue


def _difference(a: RGB, b: RGB) -> float:
    """How different two colours look, roughly: squared distance with the eye's weights for red, green and blue."""
    red = (a[0] + b[0]) / 512
    return (
        (2 + red) * (a[0] - b[0]) ** 2 + 4 * (a[1] - b[1]) ** 2 + (3 - red) * (a[2] - b[2]) ** 2
    )  # fmt: skip


def ground_of(style: Style) -> RGB:
    """The background of a style; black where that is the terminal's own."""
    behind = style.bgcolor
    red, green, blue = (0, 0, 0) if behind is None or behind.is_default else behind.get_truecolor()
    return red, green, blue


_SIDE = 0.15
"""Share of the largest distance from the middle from which a glyph says on which side of it a value lies."""

BELOW, ABOVE = "▾", "▴"
"""The glyphs of values on either side of a neutral one: ``<`` and ``>`` would read as bounds."""

LEAST_CONTRAST = 3.0
"""Of a bar and its background: WCAG 2 for graphics."""


@lru_cache(maxsize=8 * STEPS)
def lifted(colour: RGB, ground: RGB, depth: Depth) -> RGB:
    """Return a colour, mixed with as little white as it needs to be seen on a dark ground, or black on a light one."""
    pole = 255 if contrast((255, 255, 255), ground) > contrast((0, 0, 0), ground) else 0
    for step in range(21):
        red, green, blue = (round(channel + (pole - channel) * step / 20) for channel in colour)
        found = displayed((red, green, blue), depth)
        if contrast(found, ground) >= LEAST_CONTRAST:
            break
    return found


@dataclass(frozen=True)
class Painter:
    """Gives values of one range their look.

    Attributes:
        range: what the ends of the scale stand for.
        depth: what the terminal can show.
        plain: style of text outside the scale.
        sided: whether numbers do not tell themselves on which side of the middle they lie.
    """

    range: Range
    depth: Depth
    plain: Style
    sided: bool = False

    def style(self, value: float) -> Style:
        """Style of a cell with this value."""
        if self.depth == "none":
            return self.plain
        ground = ground_of(self.plain) if self.range.diverging else None
        return heat_style(step_of(self.range.goodness(value)), self.depth, diverging_on=ground)

    def mark(self, value: float) -> str:
        """The glyph that carries the value where colour does not: one cell. A difference has its sign."""
        if self.depth != "none" or (self.range.diverging and not self.sided):
            return " "
        if self.range.diverging:
            size = value / max(abs(self.range.low), abs(self.range.high), 1e-300)
            return " " if abs(size) < _SIDE else ABOVE if size > 0 else BELOW
        return shade_at(self.range.goodness(value))

    def bar_style(self, value: float) -> Style:
        """Style of a bar of the value's colour on the plain background, as much lifted as it needs to be seen there."""
        colour, behind = self.style(value).bgcolor, self.plain.bgcolor
        if self.depth == "none" or colour is None:
            return self.plain
        if behind is None or behind.is_default:
            return self.plain + Style(color=colour)
        own, ground = colour.get_truecolor(), behind.get_truecolor()
        return self.plain + Style(color=Color.from_rgb(*lifted(tuple(own), tuple(ground), self.depth)))
