"""How far a command is: one share of all its work, and one time left over all of it.

The steps of a command are known before it begins, each with about how many seconds it takes, from its sizes. Seconds
that were measured correct what is expected of the steps to come. So a share of 60 % means 60 % of the time.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass
from types import TracebackType
from typing import Generic, Self, TypeVar

Made = TypeVar("Made")

_CONVINCING = 1.0
"""Seconds of a kind of work after which its measured speed counts as much as the expected one."""

_FIRST = 2.0
"""Seconds of work before which nothing is said of the time left."""

_SLOWER = 10.0
"""So many times slower, or faster, than expected a machine is believed to be from other kinds of work at most."""

_SETTLES = 15.0
"""Seconds in which a time left that is told goes most of the way to what is reckoned; a fifth of a long one. One that
is more than twice too long, a first guess, is forgotten in a quarter of the time since then."""

_BELIEVED = 0.5
"""By so much of it a time left may be reckoned longer before one that was told is taken back."""

_MOST = 0.999
"""The share of what is not finished yet is never more."""


@dataclass(frozen=True)
class Report:
    """How far a command is.

    Attributes:
        share: of all its work, in [0, 1]; never less than in an earlier report.
        left: seconds until all is done; None before enough was measured.
        phase: what it is doing.
        done: units of the phase that are done.
        total: units of the phase; None where that is not known.
        unit: what these are, such as ``queries``.
        note: what else there is to say of the phase, such as ``loss 2.31``.
    """

    share: float
    left: float | None
    phase: str
    done: int = 0
    total: int | None = None
    unit: str = ""
    note: str = ""

    @property
    def percent(self) -> int:
        """The share as every display writes it: whole percents, rounded down."""
        return percent(self.share)


def percent(share: float) -> int:
    """Return a share in whole percents, rounded down, so that 100 means that all is done."""
    return int(100 * min(max(share, 0.0), 1.0) + 1e-9)


@dataclass(frozen=True)
class Step:
    """A step of a command.

    Attributes:
        key: names it.
        kind: what kind of work it is: the speed of one step tells that of others of its kind.
        of: the encoder it is about: its speed tells most about steps of the same kind.
        seconds: about how long it takes.
    """

    key: Hashable
    kind: str
    of: str
    seconds: float


@dataclass(frozen=True)
class Piece(Generic[Made]):
    """A part of a step that can be done by itself, and kept.

    Attributes:
        name: says what it holds and of what sample, so that a piece of other work is never taken for it.
        label: what it is, for people.
        seconds: about how long it takes.
        make: does it.
    """

    name: str
    label: str
    seconds: float
    make: Callable[[], Made]


@dataclass
class _Speed:
    """Seconds that work took, and those that were expected of it."""

    took: float = 0.0
    expected: float = 0.0

    def ratio(self, otherwise: float) -> float:
        """Return took / expected, blended with what to believe `otherwise`: the less, the more was measured."""
        if not self.expected or not self.took:
            return otherwise
        seen = max(self.took, self.expected)
        weight = seen / (seen + _CONVINCING)
        return float((self.took / self.expected) ** weight * otherwise ** (1 - weight))


class Countdown:
    """A time left that falls evenly: what was told before, less the time since, and a part of how wrong that was.

    It is taken back, and grows, only where much more is left than was told; then evenly, too.
    """

    def __init__(self) -> None:
        self._told: tuple[float, float] | None = None  # when, and what
        self._since = 0.0

    def tell(self, reckoned: float, now: float) -> float:
        """Return the seconds to tell of those that are `reckoned` at a time, in seconds of a clock."""
        if self._told is None or reckoned <= 0:
            self._since = now if self._told is None else self._since
            self._told = (now, max(0.0, reckoned))
            return self._told[1]
        then, before = self._told
        expected = max(0.0, before - (now - then))
        settles = before / 5 if before < 2 * reckoned else min(before / 5, (now - self._since) / 4)
        part = 1 - math.exp(-(now - then) / max(_SETTLES, settles))
        left = expected + part * (reckoned - expected)
        if reckoned <= expected * (1 + _BELIEVED) + 1:
            left = min(left, before)
        self._told = (now, left)
        return left


class Course:
    """The steps of a command, and how far it is through them.

    Args:
        steps: all of them, in any order.
        tell: told how far it is, at every advance.
        at_a_time: steps that are worked on at a time.
        clock: seconds.
    """

    def __init__(
        self,
        steps: Iterable[Step],
        tell: Callable[[Report], None] = lambda _: None,
        *,
        at_a_time: int = 1,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.steps = {step.key: step for step in steps}
        self._tell, self._clock, self._at_a_time = tell, clock, at_a_time
        self._done = dict.fromkeys(self.steps, 0.0)  # share of each step
        self._speeds: dict[tuple[str, ...], _Speed] = {}
        self._measured = self._share = 0.0
        self._countdown = Countdown()

    def skip(self, key: Hashable) -> None:
        """Take a step for done, as it was done before or is not needed: this says nothing of any speed."""
        if key in self._done:
            self._done[key] = 1.0

    def stage(self, key: Hashable, phase: str, total: int | None = None, unit: str = "") -> Stage:
        """Begin a step: use what is returned as a context manager. A step that was not foreseen counts nothing."""
        return Stage(self, self.steps.get(key, Step(key, "", "", 0.0)), phase, total, unit)

    def report(self, phase: str, done: int = 0, total: int | None = None, unit: str = "", note: str = "") -> Report:
        """Return how far the command is, in a phase."""
        spent, left = self._spent_and_left()
        whole = all(done >= 1 for done in self._done.values())
        share = 1.0 if whole else min(spent / (spent + left) if spent else 0.0, _MOST)
        self._share = max(self._share, share)
        known = self._measured >= _FIRST or whole
        return Report(self._share, self.left() if known else None, phase, done, total, unit, note)

    def left(self) -> float:
        """Return the seconds left as they are told, however little was measured."""
        return self._countdown.tell(self.reckoned(), self._clock())

    def reckoned(self) -> float:
        """Return the seconds left as far as the speed of what is done tells: with every measurement it is another."""
        waiting = sum(done < 1 for done in self._done.values())
        return self._spent_and_left()[1] / max(1, min(self._at_a_time, waiting))

    def _spent_and_left(self) -> tuple[float, float]:
        machine = self._machine()
        spent = left = 0.0
        for key, step in self.steps.items():
            seconds = step.seconds * self._ratio(step, machine)
            spent += seconds * self._done[key]
            left += seconds * (1 - self._done[key])
        return spent, left

    def tell(self, phase: str, done: int = 0, total: int | None = None, unit: str = "", note: str = "") -> None:
        """Say how far the command is."""
        self._tell(self.report(phase, done, total, unit, note))

    def _advance(self, step: Step, share: float, seconds: float | None) -> bool:
        """Set how much of a step is done; `seconds` it took, None where that is not its usual speed.

        Returns whether that is more than before.
        """
        before = self._done.get(step.key)
        if before is None:
            return False
        self._done[step.key] = max(before, min(share, 1.0))
        more = step.seconds * (self._done[step.key] - before)
        if seconds is None or not more:
            return more > 0
        self._measured += seconds
        for group in ((step.kind,), (step.kind, step.of)):
            speed = self._speeds.setdefault(group, _Speed())
            speed.took += seconds
            speed.expected += more
        return True

    def _ratio(self, step: Step, machine: float) -> float:
        of_kind = self._speeds.get((step.kind,), _Speed()).ratio(machine)
        return self._speeds.get((step.kind, step.of), _Speed()).ratio(of_kind)

    def _machine(self) -> float:
        """Return how slow this machine is, as far as the kinds of work tell that were measured: each as much."""
        ratios = [speed.ratio(1.0) for group, speed in self._speeds.items() if len(group) == 1]
        together = math.exp(sum(map(math.log, ratios)) / len(ratios)) if ratios else 1.0
        return min(max(together, 1 / _SLOWER), _SLOWER)


class Stage:
    """A step that is being worked on. Leaving it without an error, all of it is done."""

    def __init__(self, course: Course, step: Step, phase: str, total: int | None, unit: str) -> None:
        self.course, self.step = course, step
        self.phase, self.total, self.unit = phase, total, unit
        self.done = 0
        self.note = ""
        """What else there is to say, such as the loss; told with the next advance."""
        self._since = course._clock()
        self._waited = 0.0  # seconds whose work did not show yet

    def __enter__(self) -> Self:
        self._since = self.course._clock()
        self._say()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self.finish()

    def finish(self) -> None:
        """Say that all of the step is done."""
        self._move(1.0, measured=True)
        self._say()

    def advance(self, units: int = 1, *, share: float | None = None, measured: bool = True) -> None:
        """Say that `units` more are done.

        `share` of the step is done then, where units take more and less time; not `measured` where they were found
        and not made.
        """
        self.done += units
        if share is None:
            share = self.done / self.total if self.total else 0.0
        self._move(share, measured=measured)
        self._say()

    def reach(self, report: Report) -> None:
        """Take over how far a command within this step is."""
        self.phase, self.done, self.total, self.unit = report.phase, report.done, report.total, report.unit
        self.note = report.note
        self._move(report.share, measured=True)
        self._say()

    def doing(self, phase: str) -> None:
        """Say what part of the step is worked on now."""
        self.phase = phase
        self._say()

    def _move(self, share: float, *, measured: bool) -> None:
        now = self.course._clock()
        took, self._since = self._waited + now - self._since, now
        shown = self.course._advance(self.step, share, took if measured else None)
        self._waited = 0.0 if shown or not measured else took

    def _say(self) -> None:
        self.course.tell(self.phase, self.done, self.total, self.unit, self.note)
