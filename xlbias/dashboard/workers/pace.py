"""How fast a run in progress is, and how long it will still take."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from xlbias.runs.run_file import Progress

_WINDOW = 30.0  # seconds over which a rate is taken
_LONG = 64  # reports over which that of a study is taken

STUDY = "study"
"""What the phase of a study's progress begins with."""


@dataclass(frozen=True)
class Pace:
    """How fast a run in progress is, from what it has said of its progress so far.

    Attributes:
        reports: ``(at, done)`` of one phase, oldest first, at most half a minute of them.
    """

    phase: str = ""
    reports: tuple[tuple[float, int], ...] = ()

    def after(self, progress: Progress) -> Pace:
        """The pace with one more report taken in; a new phase begins anew."""
        report = (progress.at, progress.done)
        study = progress.phase.partition(": ")[0] == STUDY  # its phase names what is being done, its steps are long
        phase = STUDY if study else progress.phase
        if phase != self.phase or (self.reports and progress.done < self.reports[-1][1]):
            return Pace(phase, (report,))
        if self.reports and progress.at <= self.reports[-1][0]:
            return self
        recent = self.reports[-_LONG:] if study else self.reports
        recent = tuple(r for r in recent if study or progress.at - r[0] <= _WINDOW) or self.reports[-1:]
        return Pace(self.phase, (*recent, report))

    @property
    def rate(self) -> float | None:
        """Units a second, None before there are two reports that differ."""
        if len(self.reports) < 2:
            return None
        (first_at, first), (last_at, last) = self.reports[0], self.reports[-1]
        return (last - first) / (last_at - first_at) if last > first else None

    @property
    def speeds(self) -> list[float]:
        """Units a second between every two reports, oldest first."""
        return [(b - a) / (b_at - a_at) for (a_at, a), (b_at, b) in pairwise(self.reports) if b_at > a_at]

    def seconds_left(self, progress: Progress) -> float | None:
        """Seconds until all is done, as the writer reckons; else until this phase is done at the present rate.

        None where that is not known.
        """
        if progress.share is not None:
            return progress.left
        if not self.rate or progress.total is None:
            return None
        return max(0.0, (progress.total - progress.done) / self.rate)
