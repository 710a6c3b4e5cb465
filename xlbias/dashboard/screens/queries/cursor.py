"""The part of the Queries screen that another screen walks through, also where it has not been seen yet."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xlbias.dashboard.screens.base import View
from xlbias.dashboard.widgets.table.query_table import QueryTable
from xlbias.dashboard.workers.query_list import Listed

if TYPE_CHECKING:
    from xlbias.dashboard.workers.snapshot import QueryKey


class Walked(View):
    """A list that can be walked through."""

    listed: Listed | None
    _failed: str

    @property
    def table(self) -> QueryTable:
        """The table of queries."""
        return self.query_one(QueryTable)

    @property
    def trouble(self) -> str:
        """Why there is no list, empty where there is one or it is being made."""
        return self._failed

    def begin(self) -> None:
        """Make the list, although the screen is not seen."""
        if not self.is_running:
            self.dashboard.mount_unseen(self.PLACE)  # it makes its list, too
        elif self.is_mounted and self.listed is None:
            self.show()

    def tell_walker(self) -> None:
        """Tell the screen that is seen instead of this one that there is a list, or why there is none."""
        if self.dashboard.view is not self:
            self.dashboard.navigation.show()

    def step(self, step: int) -> QueryKey | None:
        """Move the cursor by some rows and return the key of its row, None where there is none."""
        if not self.is_mounted or self.listed is None:
            return None
        table = self.table
        if not 0 <= table.cursor + step < table.height:
            return None
        table.move("down" if step > 0 else "up")
        key = table.cursor_key
        return (key[0], key[1], key[2]) if key is not None else None
