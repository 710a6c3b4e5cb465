"""The upper edges of panels: a name in a rule, and the key that leads there; and lists of panels."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from textual.content import Content

from xlbias.dashboard.widgets.text.line import Line, Part
from xlbias.text import width

_HEAVY, _LIGHT = "━", "─"
_START = 2  # cells of the rule before the name
_KEY = "panel"
_MORE, _NEXT = "…", "  Tab"  # for names that are left out; the key that leads on


class PanelEdge(Line):
    """A panel's name in a rule, heavy where keys go to the panel; and the key that leads to it from where they go."""

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._rule = _LIGHT, "$quiet", ""

    def name_panel(
        self,
        name: str,
        more: Iterable[Part] = (),
        tail: str = "",
        *,
        active: bool,
        hint: str = "",
    ) -> None:
        """Say what the panel is.

        Args:
            name: of the panel: our own words.
            more: what else is said of it.
            tail: text from data, last on the line.
            active: whether keys go to it.
            hint: the key that leads to it, or that it takes.
        """
        glyph, style = (_HEAVY, "bold $text-accent") if active else (_LIGHT, "$quiet")
        rule = (glyph, style, hint)
        if rule != self._rule:
            self._rule = rule
            self.refresh()
        key = [Part(f"  {hint}", "$quiet", _KEY)] if hint and tail else []
        self.set([Part(glyph * _START, style, _KEY), Part(f" {name} ", style, _KEY), *more, *key], tail, "$quiet")

    def room_beside(self, name: str, hint: str) -> int:
        """Return how many cells there are for what else is said."""
        return self.size.width - _START - width(name) - 2 - (width(hint) + 7 if hint else 4)

    def render(self) -> Content:
        """The line, with the rule up to its end where no text from data stands there."""
        content = super().render()
        glyph, style, hint = self._rule
        room = self.size.width - content.cell_length
        if self.tail or not self.parts or room < 2:
            return content
        end = f" {hint} " if hint and width(hint) + 4 <= room else ""
        fill = room - 1 - width(end) - bool(end)
        parts = [" " if not content.plain.endswith(" ") else glyph, glyph * max(0, fill)]
        found = Content.assemble(content, ("".join(parts), style))
        return Content.assemble(found, (end, "$quiet"), (glyph if end else "", style))


def key_to(panel: int, active: int, n_panels: int) -> str:
    """Return the keys that lead from the active panel to another one; empty for itself."""
    forward, back = (panel - active) % n_panels, (active - panel) % n_panels
    if not forward:
        return ""
    return " ".join(["Tab"] * forward if forward <= back else ["⇧Tab"] * back)


def tabs(names: Sequence[tuple[str, bool]], room: int) -> list[Part]:
    """Return the names of all panels, those that are seen marked, and how to reach the others.

    Args:
        names: each name, and whether the panel is seen.
        room: cells; where they are too few for the names, some at the start are left out until the first that is seen
            leads, then some at the end. An ellipsis stands for them, and the key is named.
    """
    before, shown, after = False, list(names), False
    if sum(width(name) + 2 for name, _ in names) > room:
        while len(shown) > 1 and not shown[0][1] and _wanted(shown, before, after) > room:
            before, shown = True, shown[1:]
        while len(shown) > 1 and not shown[-1][1] and _wanted(shown, before, after) > room:
            shown, after = shown[:-1], True
    left_out = Part(_MORE, "$quiet", _KEY)
    parts = [Part(f" {name} ", "bold reverse" if here else "$quiet", _KEY) for name, here in shown]
    parts = [*([left_out] if before else []), *parts, *([left_out] if after else [])]
    if sum(width(part.text) for part in parts) + width(_NEXT) <= room:
        parts.append(Part(_NEXT, "bold $text-accent", _KEY))
    return parts


def _wanted(shown: Sequence[tuple[str, bool]], before: bool, after: bool) -> int:
    """Return the cells that names take, with what stands for others and the key that leads on."""
    return sum(width(name) + 2 for name, _ in shown) + (before + after) * width(_MORE) + width(_NEXT)
