"""Steps from query to query through the list, which is made for this if it has not been seen yet."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from xlbias.dashboard.screens.queries.cursor import QueryCursor
    from xlbias.dashboard.workers.snapshot import QueryKey

SETTLED = 0.2
"""Seconds after which a query is looked at, not walked past: then what lies beside it is read."""


class Stepping:
    """Which way through the list was taken last, what is looked at, and a step that waits for the list.

    Args:
        cursor: the place in the list.
    """

    def __init__(self, cursor: QueryCursor) -> None:
        self.cursor = cursor
        self.list_wanted = False
        """Whether the list is to be made once a query is looked at, although nobody has asked for a step yet."""
        self._direction = self._pending = 0
        self._settled: tuple[object, ...] = ()

    @property
    def waits(self) -> bool:
        """Whether the list is being made because someone wants to walk."""
        return bool(self._pending) and self.cursor.is_coming

    def ahead_of(self, key: QueryKey) -> list[QueryKey]:
        """The queries to read ahead: the next one on the way that was taken last, and both once this one is settled."""
        steps = [self._direction] if self._direction else []
        if self._settled[-len(key) :] == key:
            steps += [step for step in (1, -1) if step != self._direction]
        return self.cursor.neighbours(key, steps)

    def settle(self, what: tuple[object, ...]) -> None:
        """Take it that what is shown has been looked at for a moment: a list that is wanted is made now."""
        self._settled = what
        if self.list_wanted:
            self.list_wanted = False
            self.cursor.begin()

    def ask(self, step: int) -> bool:
        """Take a step; False where it waits until the list is there."""
        self._direction = step
        if self.cursor.is_coming:
            self._pending = step
            self.cursor.begin()
            return False
        return True

    def next_step(self) -> int:
        """The step that waited for the list, which is there now, or why there is none; 0 where none waits."""
        if self._pending and self.cursor.is_coming:
            self.cursor.begin()
            return 0
        step, self._pending = self._pending, 0
        return step

    def why_not(self) -> str:
        """Why there is nothing to walk through, empty where there is something."""
        if not self.cursor.is_empty:
            return ""
        return self.cursor.trouble or "the filter matches no query: press 5 to change it"
