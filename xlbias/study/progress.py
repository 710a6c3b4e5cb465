"""How far a study is: a line for every step that was made, and one share of all of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from xlbias import progress
from xlbias.narration import Narrator
from xlbias.progress import Course, Report, Stage
from xlbias.study.steps import Done, Event, Kind, Reached, Step

Listener = Callable[[Report, int, int, str], None]
"""Told how far a study is, how many of its steps are done, how many there are, and what is done now."""

_SECONDS: dict[Kind, float] = {"train": 30.0, "evaluate": 15.0}
_DOING: dict[Kind, str] = {"train": "training", "evaluate": "evaluating"}
_WORDS: dict[Kind, str] = {"train": "trained", "evaluate": "evaluated"}


class StudyProgress:
    """Takes in what becomes of the steps of a study, and tells it.

    Args:
        steps: all of them.
        is_done: whether a step was finished before.
        jobs: how many encoders are worked on at a time.
        narrator: told a line for every step that is made.
    """

    def __init__(self, steps: Sequence[Step], is_done: Callable[[Step], bool], jobs: int, narrator: Narrator) -> None:
        self._steps, self._narrator = steps, narrator
        self._listeners: list[Listener] = []
        self._course = Course(
            (progress.Step(step, step.kind, step.encoder, _SECONDS[step.kind]) for step in steps), at_a_time=jobs
        )
        self._stages: dict[Step, Stage] = {}
        before = list(filter(is_done, steps))
        for step in before:
            self._course.skip(step)
        self._done = self._before = len(before)
        if before:
            narrator.say(f"{self._done:,} of {len(steps):,} steps are done already")

    def listen(self, listener: Listener) -> None:
        """Tell `listener` now and whenever something happens."""
        self._listeners.append(listener)
        self._tell()

    def take(self, event: Event) -> None:
        """Take in that a step is begun, how far it is, or that it is done; of the last, say so."""
        if isinstance(event, Step):
            self._stages[event] = self._course.stage(event, f"{_DOING[event.kind]} {event.encoder}")
        elif isinstance(event, Reached):
            self.reached(event.step, event.report)
            return
        else:
            self._made(event)
        self._tell()

    def reached(self, step: Step, report: Report) -> None:
        """Take in how far a step is."""
        if step in self._stages:
            self._stages[step].reach(report)
            self._tell()

    def finished(self) -> None:
        """Say so where there was nothing to do."""
        if self._done == self._before:
            self._narrator.say("nothing is left to do")

    def _made(self, done: Done) -> None:
        stage = self._stages.pop(done.step, None)
        if stage is not None:
            stage.finish()
        if done.made:
            self._done += 1
            left = self._course.left()
            self._narrator.say(
                f"{self._done:,} of {len(self._steps):,}: {done.step.encoder} {_WORDS[done.step.kind]} in "
                f"{duration(done.seconds)}"
                + (f" ({duration(left)} left)" if left and self._done < len(self._steps) else "")
            )

    def _tell(self) -> None:
        stages = list(self._stages.values())
        doing = ", ".join(stage.phase for stage in stages)
        report = self._course.report(doing or "study")
        if len(stages) == 1:
            only = stages[0]
            report = replace(report, done=only.done, total=only.total, unit=only.unit, note=only.note)
        for listener in self._listeners:
            listener(report, self._done, len(self._steps), doing)


def duration(seconds: float) -> str:
    """Return a span of time in words, to two digits or so: ``0.4 s``, ``36 s``, ``12 min``, ``3.5 h``."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"
