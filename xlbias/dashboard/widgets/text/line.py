"""One line of the frame around the screens: own text first, text from data last; parts of it can be clicked."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from textual import events
from textual.content import Content
from textual.widget import Widget

from xlbias.text import one_line


@dataclass(frozen=True)
class Part:
    """A piece of a line: our own text, its style, and the id of the key that a click on it presses."""

    text: str
    style: str = ""
    key: str = ""


class Line(Widget):
    """A line that is repainted only when what it says has changed."""

    DEFAULT_CSS = """
    Line { height: 1; text-wrap: nowrap; }
    """

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self.parts: tuple[Part, ...] = ()
        self.tail = ""
        self.tail_style = ""

    def set(self, parts: Iterable[Part], tail: str = "", tail_style: str = "") -> None:
        """Say something else; `tail` is text from data, cleaned and cut to the room that is left."""
        new = (tuple(parts), tail, tail_style)
        if new != (self.parts, self.tail, self.tail_style):
            self.parts, self.tail, self.tail_style = new
            self.refresh()

    def render(self) -> Content:
        """The line: what there is no room for is left out, text from data between graphemes, our own between words."""
        content = _fitted(Content.assemble(*((part.text, part.style) for part in self.parts)), self.size.width)
        room = self.size.width - content.cell_length
        if self.tail and room > 0:
            content += Content.styled(one_line(self.tail, room), self.tail_style)
        return content

    @property
    def text(self) -> str:
        """What the line says now."""
        return self.render().plain

    async def on_click(self, event: events.Click) -> None:
        """Press the key that the clicked part stands for."""
        x = 0
        for part in self.parts:
            x += Content(part.text).cell_length
            if event.x < x:
                if part.key:
                    await self.run_action(f"app.key('{part.key}')")
                return


def _fitted(content: Content, cells: int) -> Content:
    """Return the words that fit, with an ellipsis for the others: half a number would be another one."""
    content = content.rstrip() if content.cell_length > cells else content
    if content.cell_length <= cells or cells < 2:
        return content
    kept = content.truncate(cells - 1)
    blank = kept.plain.rfind(" ")
    ends_with_word = content.plain[len(kept.plain) : len(kept.plain) + 1] == " "
    if blank > 0 and not ends_with_word:
        kept = kept[:blank]
    return kept.rstrip() + Content.styled(" …" if kept.rstrip().cell_length < cells - 1 else "…", "$quiet")
