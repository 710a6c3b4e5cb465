"""One number of a run with all that is known of it: its interval, its counts, and of a difference its test."""

from __future__ import annotations

from msgspec import Struct


class Cell(Struct, frozen=True, gc=False):
    """A number, undefined where `value` is None.

    Attributes:
        value: the number in full precision; new minus base of a difference.
        low: lower end of its 95% interval, None where there is none.
        high: upper end.
        n: how many values it is taken over, query ids of a difference; None where that is not known.
        n_ids: distinct query ids among them.
        n_excluded: values that are left out, since they are undefined.
        p: of a difference, corrected over its family; None where it is not tested.
        significant: whether a difference is.
        base: of a difference, the value of the base over the ids that both sides have.
        new: that of the other side.
        least: of a number of censored ranks, which has no value, the least that it can be; None of any other.
        most: the greatest that it can be.
        base_least: of a difference, the least value of the base, where that has bounds.
        base_most: its greatest value.
        new_least: the least value of the other side.
        new_most: its greatest value.
    """

    value: float | None = None
    low: float | None = None
    high: float | None = None
    n: int | None = None
    n_ids: int | None = None
    n_excluded: int = 0
    p: float | None = None
    significant: bool = False
    base: float | None = None
    new: float | None = None
    least: float | None = None
    most: float | None = None
    base_least: float | None = None
    base_most: float | None = None
    new_least: float | None = None
    new_most: float | None = None

    @property
    def bounds(self) -> tuple[float, float] | None:
        """The least and the greatest value of a number that has no other."""
        return None if self.value is not None or self.least is None or self.most is None else (self.least, self.most)

    def side(self, name: str) -> Cell:
        """Return the number of one side of a difference, ``base`` or ``new``."""
        value, least, most = (getattr(self, f"{name}{end}") for end in ("", "_least", "_most"))
        return Cell(value, least=least, most=most)


ABSENT = Cell(n=0)
"""Of a cell that the numbers of a run have not."""
