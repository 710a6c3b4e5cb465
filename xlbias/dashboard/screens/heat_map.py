"""What screens of heat maps have in common: keys that move, order, colour and copy the one that keys go to."""

from __future__ import annotations

from xlbias.dashboard.screens.base import View
from xlbias.dashboard.state import Scope
from xlbias.dashboard.widgets.heatmap.heat_map import HeatMap


class HeatMapScreen(View):
    """A screen whose keys go to a heat map."""

    @property
    def view(self) -> HeatMap:
        """The heat map that keys go to."""
        raise NotImplementedError

    def move(self, where: str) -> None:
        """Move the cursor."""
        self.view.move(where)

    def cycle_sort(self) -> None:
        """Next order of rows and columns, in its natural direction."""
        self.view.cycle_sort()

    def reverse_sort(self) -> None:
        """Reverse the order of rows and columns."""
        self.view.order_by(self.view.sort, reverse=not self.view.reverse)

    def toggle_range(self) -> None:
        """Spread the colours over the values shown, or over 0 to 1."""
        self.view.set_full_range(not self.view.full_range)

    def why_no_range(self) -> str | None:
        """Why the colours can have no other range."""
        sheet = self.view.sheet
        if sheet is None or self.view.range is None:
            return super().why_no_range()
        if sheet.diverging:
            return "the scale of differences is symmetric around 0"
        return None if sheet.block.measure.unit_range else "this measure has no upper end"

    @property
    def scopes(self) -> tuple[Scope, ...]:
        """The cell, its row, and all."""
        return ("cell", "row", "all")

    @property
    def n_all(self) -> tuple[int, int]:
        """Rows and columns of the heat map."""
        return len(self.view.row_names), len(self.view.column_names)

    def why_no_copy(self) -> str | None:
        """Why there is nothing to copy."""
        return None if self.view.cursor is not None else "there is no cell yet"
