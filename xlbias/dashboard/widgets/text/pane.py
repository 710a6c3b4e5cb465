"""A text from data in a pane of its own, over the full width: wrapped by grapheme, or as a list of its code points."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count, islice
from typing import ClassVar, Literal

from rich.segment import Segment
from textual import events
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from xlbias.dashboard.terminal.codepoints import code_points
from xlbias.dashboard.terminal.wrapping import wrapped
from xlbias.text import cut, width

Form = Literal["text", "points"]
Row = tuple[str, str]
"""Our own words, and behind them what comes from data."""


class TextPane(Widget):
    """One text. Lines are made as far as they are looked at."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"pane--own"}

    DEFAULT_CSS = """
    TextPane {
        height: 1fr;
        padding: 0 1;
        & > .pane--own { color: $quiet; }
        &:ansi > .pane--own { color: ansi_default; }
    }
    """

    class Scrolled(Message):
        """Other lines are seen, or there are more or fewer of them at another width."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.content: tuple[str, str, Form, str] = ("", "", "text", "")
        self.top = 0
        self._rows: list[Row] = []
        self._more: Iterator[Row] = iter(())
        self._made_for = -1

    def tell(self, text: str, *, own: str = "", form: Form = "text", label: str = "") -> None:
        """Show a text from data, from its first line on; or a sentence of our own (`own`) in its place.

        `label`, our own words, stands before it, and its lines below each other behind that.
        """
        if (text, own, form, label) != self.content:
            self.content = (text, own, form, label)
            self.top, self._made_for = 0, -1
            self.refresh()

    def move(self, where: str) -> None:
        """Scroll: ``up, down, page_up, page_down, first, last``; ``start`` and ``end`` mean first and last."""
        page = max(1, self.content_size.height - 1)
        steps = {"up": -1, "down": 1, "page_up": -page, "page_down": page}
        if where in steps:
            self._scroll_to_line(self.top + steps[where])
        elif where in ("first", "start"):
            self._scroll_to_line(0)
        elif where in ("last", "end"):
            self._scroll_to_line(self.n_lines)

    @property
    def n_lines(self) -> int:
        """Lines that the text takes at the present width."""
        self._make(None)
        return len(self._rows)

    def _scroll_to_line(self, top: int) -> None:
        height = max(1, self.content_size.height)
        self._make(top + height)
        top = max(0, min(top, len(self._rows) - height))
        if top != self.top:
            self.top = top
            self.refresh()
            self.post_message(self.Scrolled())

    def on_mouse_scroll_down(self) -> None:
        """Scroll."""
        self._scroll_to_line(self.top + 1)

    def on_mouse_scroll_up(self) -> None:
        """Scroll."""
        self._scroll_to_line(self.top - 1)

    def on_resize(self, _: events.Resize) -> None:
        """Keep the text in sight."""
        self._scroll_to_line(self.top)
        self.post_message(self.Scrolled())

    def _make(self, up_to: int | None) -> None:
        """Make lines up to a number, or all; none before the pane has its width."""
        cells = self.content_size.width
        if not cells:
            return
        if self._made_for != cells:
            self._made_for, self._rows, self._more = cells, [], _rows_of(*self.content, cells)
        wanted = None if up_to is None else max(0, up_to - len(self._rows))
        self._rows += islice(self._more, wanted)

    def render_line(self, y: int) -> Strip:
        """Render one line of the pane; ``…`` ends the last one where there is more below."""
        cells, height = self.content_size
        self._make(self.top + height + 1)
        at = self.top + y
        if at >= len(self._rows):
            return Strip.blank(cells, self.rich_style)
        own, data = self._rows[at]
        if y == height - 1 and at + 1 < len(self._rows) and (not own or (self.content[3] and data)):
            data = cut(f"{data} …", max(0, cells - width(own)))
        style = self.rich_style + self.get_component_rich_style("pane--own", partial=True)
        segments = [Segment(own, style), Segment(data, self.rich_style)]
        return Strip(segments).adjust_cell_length(cells, self.rich_style)


def _rows_of(text: str, own: str, form: Form, label: str, cells: int) -> Iterator[Row]:
    if form == "points" and not own:
        return code_points(text, cells)
    if not label:
        return ((line, "") if own else ("", line) for line in wrapped(own or text, cells))
    before = f"{label}  "
    lines = wrapped(own or text, max(1, cells - width(before)))
    heads = (before if i == 0 else " " * width(before) for i in count())
    return ((head + line, "") if own else (head, line) for head, line in zip(heads, lines, strict=False))
