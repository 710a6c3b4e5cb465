"""When a training stops and when it saves: decided alike in all its processes."""

from __future__ import annotations

import time

from xlbias.train.trainer.distributed import Processes
from xlbias.train.trainer.interrupts import StopRequest

_EXCHANGE_SECONDS = 1.0  # between two exchanges of what only one process can know: torchrun waits for half a minute
_SAVE_SECONDS = 300.0  # between two checkpoints where the recipe names no number of steps


class Agreement:
    """Answers after each step whether to stop and whether to save a checkpoint, the same in all processes.

    Args:
        processes: that train together.
        stop: whether somebody asked this process for an end.
        every: steps between two checkpoints; 0 for one every five minutes.
        step: that the training goes on from.

    What only one process can know (a signal, a clock) is exchanged about once a second, as an exchange makes all wait.
    """

    def __init__(self, processes: Processes, stop: StopRequest, every: int, step: int) -> None:
        self.processes, self.stop, self.every = processes, stop, every
        self._exchanged_step, self._next_exchange = step, 0
        self._exchanged = self._saved = time.monotonic()

    def start(self) -> None:
        """Start the clocks: the first step begins."""
        self._exchanged = self._saved = time.monotonic()

    def saved(self) -> None:
        """Take in that a checkpoint was saved."""
        self._saved = time.monotonic()

    def after(self, step: int, *, last: bool) -> tuple[bool, bool]:
        """Return whether to stop and whether to save after `step`; all processes must ask at every step."""
        processes, now = self.processes, time.monotonic()
        by_step = bool(self.every) and step % self.every == 0
        if processes.world > 1 and step < self._next_exchange and not last:
            return False, by_step
        stopping, saving = processes.any(self.stop.requested, not self.every and now - self._saved >= _SAVE_SECONDS)
        if processes.world > 1:
            pace = (now - self._exchanged) / max(1, step - self._exchanged_step)
            self._exchanged, self._exchanged_step = now, step
            self._next_exchange = step + processes.from_main(max(1, int(_EXCHANGE_SECONDS / max(pace, 1e-6))))
        return stopping, saving or by_step
