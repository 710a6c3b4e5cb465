"""The processes that train together under a launcher: who writes, and how they agree; one process is the usual case."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, TypeVar, cast

import torch
import torch.distributed as dist
from accelerate import PartialState

from xlbias.errors import LostError, TrainingError, XlbiasError
from xlbias.processes import ending
from xlbias.processes.launched import launched, prepare

T = TypeVar("T")

_TIMEOUT = timedelta(hours=2)  # the others wait so long for a validation in the main process


class Processes:
    """One process among those that a launcher started.

    Attributes:
        rank: number of this process; 0 writes files and talks.
        world: number of processes, 1 without a launcher.
    """

    def __init__(self, device: str | None = None) -> None:
        place = launched()
        self.rank, self.world = place.rank, place.world
        if self.world > 1 and not dist.is_initialized():
            prepare(place)
            on_cpu = device == "cpu" or not torch.cuda.is_available()
            PartialState(cpu=on_cpu, backend="gloo" if on_cpu else "nccl", timeout=_TIMEOUT)

    @property
    def main(self) -> bool:
        """Whether this is the process that writes and talks."""
        return self.rank == 0

    def share_of(self, batch_size: int) -> int:
        """Pairs of a batch that each process takes. Raises TrainingError where they cannot be shared out equally."""
        if batch_size % self.world:
            raise TrainingError(
                f"a batch of {batch_size} cannot be shared out equally to {self.world} processes: "
                f"choose a batch size divisible by {self.world}"
            )
        return batch_size // self.world

    def on_main(self, action: Callable[[], T]) -> T | None:
        """Do `action` in the main process only; the others wait for it, get None, and fail where it failed."""
        result: T | None = None
        own: Exception | None = None
        if self.main:
            try:
                result = action()
            except Exception as error:  # whatever it is, the others must not wait for what will not come
                own = error
        failed = self.from_main(_tellable(own))
        if own is not None:
            raise own
        if failed is not None:
            raise failed
        return result

    def from_main(self, value: T) -> T:
        """Return the main process's `value` in every process."""
        if self.world == 1:
            return value
        shared: list[Any] = [value]
        dist.broadcast_object_list(shared, src=0)
        received: T = shared[0]
        return received

    def shared(self, action: Callable[[], T]) -> T:
        """Do `action` in the main process and return its result in every process."""
        return cast(T, self.from_main(self.on_main(action)))

    def any(self, *flags: bool) -> tuple[bool, ...]:
        """Return for each flag whether it is set in any process."""
        if self.world == 1:
            return flags
        shared: list[tuple[bool, ...]] = [flags] * self.world
        dist.all_gather_object(shared, flags)
        return tuple(any(of_all) for of_all in zip(*shared, strict=True))

    def mean(self, values: torch.Tensor) -> torch.Tensor:
        """Return the mean of `values` over all processes, elementwise."""
        if self.world > 1:
            values = values.clone()
            dist.all_reduce(values)
            values /= self.world
        return values

    def sum(self, counts: dict[str, int]) -> dict[str, int]:
        """Return the sums of `counts` over all processes, by name."""
        if self.world == 1:
            return counts
        shared: list[dict[str, int]] = [counts] * self.world
        dist.all_gather_object(shared, counts)
        return {name: sum(of_one[name] for of_one in shared) for name in counts}

    def wait(self) -> None:
        """Wait until every process is here."""
        if self.world > 1:
            dist.barrier()


def _tellable(error: Exception | None) -> XlbiasError | None:
    """Return an error as one that other processes can be sent."""
    if error is None or isinstance(error, XlbiasError):
        return error
    return TrainingError(f"the first process failed: {type(error).__name__}: {error}")


@contextmanager
def lost_where_one_is_gone() -> Iterator[None]:
    """Raise LostError where an exchange fails as another process is gone, which its library says in its own words."""
    try:
        yield
    except RuntimeError as error:
        of_exchange = isinstance(error, dist.DistError) or "/gloo/" in str(error)
        if not of_exchange or not dist.is_initialized():
            raise
        raise LostError(f"another process has ended: so have the others; {ending.kept()}") from error


def leave_processes() -> None:
    """Leave the group of processes, where there is one: the last thing that a command does."""
    if dist.is_available() and dist.is_initialized():
        dist.destroy_process_group()
