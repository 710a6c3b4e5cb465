"""Scroll bars in the terminal's own colours: a line, where Textual paints blocks as bright as nothing else."""

from __future__ import annotations

from rich.color import Color, ColorType
from rich.segment import Segment, Segments
from rich.style import Style
from textual.scrollbar import ScrollBarRender

_NOTHING = Color.default()


class QuietScrollBar(ScrollBarRender):
    """Textual's in themes with colours of their own; else a thin line of the text's colour."""

    @classmethod
    def render_bar(
        cls,
        size: int = 25,
        virtual_size: float = 50,
        window_size: float = 20,
        position: float = 0,
        thickness: int = 1,
        vertical: bool = True,
        back_color: Color = _NOTHING,
        bar_color: Color = _NOTHING,
    ) -> Segments:
        """Return the segments of a bar."""
        bar = super().render_bar(size, virtual_size, window_size, position, thickness, vertical, back_color, bar_color)
        if bar_color.type is ColorType.TRUECOLOR:
            return bar
        return Segments([_thin(segment) for segment in bar.segments], new_lines=bar.new_lines)


def _thin(segment: Segment) -> Segment:
    style = segment.style or Style.null()
    grabbed = style.meta.get("@mouse.down") == "grab"
    return Segment(("│" if grabbed else " ") * len(segment.text), Style(meta=style.meta))
