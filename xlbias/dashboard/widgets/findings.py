"""Findings as a list: wrapped sentences with a cursor, of which each leads to where its numbers are shown."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from rich.segment import Segment
from textual import events
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from xlbias.dashboard.terminal.wrapping import wrapped
from xlbias.dashboard.views.findings import Entry, entries
from xlbias.report.documents.findings import MARGIN

if TYPE_CHECKING:
    from xlbias.results.findings import Finding

_MARK = 2  # cells before every line
CONCERN = "◆"
"""Before a finding that is a reason to act or to doubt."""


class FindingList(Widget):
    """What matters most comes first, as much as there is room for; the rest is reached with the cursor."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"findings--head", "findings--concern", "findings--cursor", "findings--dim"}

    DEFAULT_CSS = """
    FindingList {
        height: 1;
        &.-nothing { display: none; }
        & > .findings--head { color: $text-accent; text-style: bold; }
        & > .findings--concern { color: $text-warning; }
        & > .findings--cursor { background: $here; }
        & > .findings--dim { color: $quiet; }
        &:ansi > .findings--head { color: ansi_default; text-style: bold; }
        &:ansi > .findings--concern { color: ansi_default; }
        &:ansi > .findings--cursor { background: ansi_default; text-style: reverse; }
        &:ansi > .findings--dim { color: ansi_default; text-style: dim; }
    }
    """

    class Chosen(Message):
        """The finding under the cursor was clicked."""

        def __init__(self, finding: Finding) -> None:
            super().__init__()
            self.finding = finding

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.active = False
        """Whether keys go here."""
        self.cursor = 0
        self._found: Sequence[Finding] = ()
        self._said = ""
        self._room = 1
        self._entries: list[Entry] = []
        self._lines: list[tuple[int, str]] = []
        """The number of its finding and the text of every line; -1 for our own words."""
        self._n_first = 0
        self._top = 0

    def tell(self, found: Sequence[Finding], room: int, said: str = "") -> None:
        """Show findings in at most `room` lines, and a sentence of our own on what is still to come, or instead."""
        if (list(found), room, said) != (list(self._found), self._room, self._said):
            self._found, self._room, self._said = tuple(found), room, said
            self._arrange()

    def _arrange(self) -> None:
        width, late = self.size.width - _MARK, bool(self._found and self._said)
        if width <= MARGIN:
            return
        self._entries, self._n_first = entries(self._found, max(1, self._room - 1 - late), width)
        first = [(i, line) for i, one in enumerate(self._entries[: self._n_first]) for line in one.lines]
        rest = self._entries[self._n_first :]
        self._lines = first
        if rest:
            more = f"{' ' * MARGIN}{len(rest)} more: Tab and ↓"
            whole = f"{more}; Enter shows where one comes from"
            self._lines = [*first, (-1, whole if len(whole) <= width else more)]
            self._lines += [(i, line) for i, one in enumerate(rest, self._n_first) for line in one.lines]
        if self._entries and self._said:
            self._lines.insert(len(first), (-1, self._said))
        if not self._entries:
            self._lines = [(-1, line) for line in wrapped(self._said, width)] if self._said else []
        self.cursor = max(0, min(self.cursor, len(self._entries) - 1))
        self.styles.height = min(self._room, len(first) + late + bool(rest)) if self._entries else len(self._lines)
        self.set_class(not self._lines, "-nothing")
        self._reveal()
        self.refresh()

    def on_resize(self) -> None:
        """Wrap anew."""
        self._arrange()

    @property
    def chosen(self) -> Finding | None:
        """The finding under the cursor."""
        return self._entries[self.cursor].finding if self._entries else None

    @property
    def n(self) -> int:
        """How many findings there are."""
        return len(self._entries)

    def activate(self, active: bool, *, last: bool = False) -> None:
        """Take the keys, or give them away; `last` begins with the last finding that is seen."""
        self.active = active
        if active and last:
            seen = [i for i, _ in self._lines[self._top : self._top + self.size.height] if i >= 0]
            self.cursor = max(seen, default=0)
        self._reveal()
        self.refresh()

    def move(self, where: str) -> bool:
        """Move the cursor; False where it is at the end already."""
        target = {
            "up": self.cursor - 1, "down": self.cursor + 1, "page_up": self.cursor - 5, "page_down": self.cursor + 5,
            "first": 0, "start": 0, "last": self.n - 1, "end": self.n - 1,
        }.get(where, self.cursor)  # fmt: skip
        stays = self.cursor
        self.cursor = max(0, min(target, self.n - 1))
        self._reveal()
        self.refresh()
        return self.cursor != stays

    def _reveal(self) -> None:
        """Keep all of the finding under the cursor in sight, or as much as there is room for."""
        if not self.active:
            self._top = 0
            return
        height = max(1, self.size.height)
        mine = [y for y, (i, _) in enumerate(self._lines) if i == self.cursor]
        if mine:
            self._top = min(self._top, mine[0])
            self._top = max(self._top, min(mine[0], mine[-1] - height + 1))

    def render_line(self, y: int) -> Strip:
        """Render one line."""
        cells, plain = self.size.width, self.rich_style
        at = self._top + y
        if at >= len(self._lines):
            return Strip.blank(cells, plain)
        number, text = self._lines[at]
        if number < 0:
            dim = plain + self.get_component_rich_style("findings--dim", partial=True)
            return Strip([Segment(" " * _MARK, plain), Segment(text, dim)]).adjust_cell_length(cells, plain)
        first = at == 0 or self._lines[at - 1][0] != number
        here = self.active and number == self.cursor
        over = self.get_component_rich_style("findings--cursor", partial=True)
        concern = self._entries[number].finding.concern
        mark = ("▸ " if here else f"{CONCERN} " if concern else "  ") if first else "  "
        of_mark = self.get_component_rich_style("findings--concern", partial=True) if concern and not here else plain
        head = plain + self.get_component_rich_style("findings--head", partial=True)
        segments = [Segment(mark, plain + of_mark), Segment(text[:MARGIN], head), Segment(text[MARGIN:], plain)]
        if here:
            segments = [Segment(one.text, (one.style or plain) + over) for one in segments]
        return Strip(segments).adjust_cell_length(cells, plain + over if here else plain)

    def on_click(self, event: events.Click) -> None:
        """Open the finding that was clicked."""
        at = self._top + event.y
        if at < len(self._lines) and self._lines[at][0] >= 0:
            self.cursor = self._lines[at][0]
            self.post_message(self.Chosen(self._entries[self.cursor].finding))
