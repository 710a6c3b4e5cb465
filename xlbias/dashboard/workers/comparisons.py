"""Compares encoders in a thread of its own: paired differences with intervals and corrected p, as needed.

What is asked for last is computed first. Nothing here touches a widget: the application is told that there is
something new, and asks again.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from xlbias.errors import XlbiasError

if TYPE_CHECKING:
    import polars as pl

    from xlbias.results.run import Run

_MOST_CACHED = 512
_MOST_WAITING = 64
_LAST_WAIT = 3.0  # seconds

COMPARING = "comparing …"
"""How every remark begins that stands where differences are still computed."""

COMES_WITH = {"single_gold.gap": "single_gold", "kendall_w": "language_rank"}
"""Measures whose differences are computed with those of another measure."""


@dataclass(frozen=True)
class Against:
    """What differences are taken from: one encoder of a run; `label` is what to call it, cleaned."""

    run: Run
    model: str
    label: str


@dataclass(frozen=True)
class Asked:
    """A comparison: `model` of `run` minus `base_model` of `base` in one measure on one task."""

    base: Run
    base_model: str
    run: Run
    model: str
    task: str
    measure: str

    @property
    def key(self) -> tuple[object, ...]:
        """What distinguishes it: the runs as they are now."""
        runs = tuple((str(run.path), run.state.version, len(run.files)) for run in (self.base, self.run))
        return (*runs, self.base_model, self.model, self.task, self.measure)


class Comparisons:
    """Comparisons by what was asked; finished ones are kept.

    Args:
        ready: called in the thread whenever one is finished.
    """

    def __init__(self, ready: Callable[[], object]) -> None:
        self._ready = ready
        self._found: OrderedDict[tuple[object, ...], pl.DataFrame | str] = OrderedDict()
        self._waiting: OrderedDict[tuple[object, ...], Asked] = OrderedDict()
        self._change = threading.Condition()
        self._thread: threading.Thread | None = None
        self._stopped = False

    def of(self, asked: Asked, *, urgent: bool = True) -> pl.DataFrame | str | None:
        """Return a comparison's frame, why there is none, or None while it is being computed.

        `urgent` puts it before everything that waits; else it is computed when nothing else is wanted.
        """
        with self._change:
            found = self._found.get(asked.key)
            if found is not None:
                self._found.move_to_end(asked.key)
                return found
            if asked.key not in self._waiting or urgent:
                self._waiting[asked.key] = asked
                self._waiting.move_to_end(asked.key, last=urgent)
            while len(self._waiting) > _MOST_WAITING:
                self._waiting.popitem(last=False)
            if self._thread is None and not self._stopped:
                self._thread = threading.Thread(target=self._compute, name="compare", daemon=True)
                self._thread.start()
            self._change.notify()
        return None

    def forget_waiting(self) -> None:
        """Compute nothing of what waits: something else is shown now."""
        with self._change:
            self._waiting.clear()

    @property
    def busy(self) -> bool:
        """Whether something is still to be computed."""
        with self._change:
            return bool(self._waiting)

    def end(self) -> None:
        """Begin nothing new, and tell nobody any more."""
        with self._change:
            self._stopped = True
            self._waiting.clear()
            self._change.notify()

    def stop(self) -> None:
        """Begin nothing new, and wait a moment for what is being computed: native code must not outlive the process.

        Once this returns nobody is told any more.
        """
        self.end()
        if self._thread is not None:
            self._thread.join(_LAST_WAIT)

    def _compute(self) -> None:
        while True:
            with self._change:
                while not self._waiting and not self._stopped:
                    self._change.wait()
                if self._stopped:
                    return
                key = next(reversed(self._waiting))
                asked = self._waiting[key]
            started = time.monotonic()
            result = compared(asked)
            with self._change:
                self._waiting.pop(key, None)
                self._found[key] = result
                while len(self._found) > _MOST_CACHED:
                    self._found.popitem(last=False)
                stopped = bool(self._stopped)
            if stopped:
                return
            self._ready()
            if not (asked.run.state.status == asked.base.state.status == "finished"):
                time.sleep(min(2.0, time.monotonic() - started))  # the work that is watched goes on as well


def compared(asked: Asked) -> pl.DataFrame | str:
    """Return the comparison that `xlbias compare` makes of one measure, or a sentence where there is none."""
    from xlbias.results.compare import Side, compare_measure
    from xlbias.results.matching import OTHER_DATA, what_differs

    measure = COMES_WITH.get(asked.measure, asked.measure)
    other = asked.task + OTHER_DATA
    try:
        if asked.base is not asked.run and other in [task.name for task in asked.base.tasks]:
            differs = what_differs(asked.run, asked.task, asked.base, other)
            return f"{asked.base.path.name} calls other data by the name of this task: {differs}"
        sides = Side(asked.base, (asked.base_model,)), Side(asked.run, (asked.model,))
        return compare_measure(*sides, asked.task, measure)
    except XlbiasError as error:
        return str(error)
    except Exception as error:  # a run that changes while it is read
        return f"{asked.base_model} and {asked.model} cannot be compared: {str(error).partition(chr(10))[0]}"
