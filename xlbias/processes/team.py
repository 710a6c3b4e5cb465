"""Several processes that do one command together: the first one leads, and the others do what it asks them for.

Only the first one decides: what is to be made, what is there already, what is written and said. So nothing has to be
agreed upon. The engine is torch.distributed. What is exchanged (texts, vectors of the CPU, counts) goes through gloo,
also where each has a GPU; trainings exchange their gradients through NCCL there.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, TypeVar, cast

import numpy as np
import numpy.typing as npt
import torch
import torch.distributed as dist
from torch.distributed.distributed_c10d import PrefixStore
from torch.distributed.rendezvous import rendezvous

from xlbias.errors import LostError, reason_of
from xlbias.processes import ending
from xlbias.processes.launched import Launched
from xlbias.processes.watch import MEETING, Watch, say

T = TypeVar("T")
Array = TypeVar("Array", bound=npt.NDArray[Any])

_PATIENCE = timedelta(days=7)  # the others wait for the first one however long it works alone: who is gone is known
_SILENCE = 20.0  # seconds until the first one says that it waits for the others
_SENT = 1 << 26  # bytes of an array that are sent at a time


class Team:
    """One process among several that do a command together. All of them make one, and then either lead or serve.

    Args:
        place: which of them this is.

    Attributes:
        rank: number of this process.
        world: number of processes.
        state: what is kept here between what is asked for.

    Raises LostError where the others do not come.
    """

    def __init__(self, place: Launched) -> None:
        self.rank, self.world = place.rank, place.world
        self.state: dict[str, Any] = {}
        self._parted = False
        cuda = torch.cuda.is_available()
        if cuda:
            torch.cuda.set_device(place.local_rank % torch.cuda.device_count())
        waiting = threading.Timer(_SILENCE, _say_waiting, [place])
        waiting.daemon = True
        waiting.start()
        try:
            store, _, _ = next(rendezvous("env://", timeout=MEETING))
            dist.init_process_group(
                "cpu:gloo,cuda:nccl" if cuda else "gloo",
                store=store, rank=self.rank, world_size=self.world, timeout=_PATIENCE,
            )  # fmt: skip
            self._watch = Watch(self.rank, self.world, PrefixStore("xlbias", store))
        except (RuntimeError, OSError, EOFError, ValueError) as error:
            raise LostError(
                f"process {self.rank} of {self.world} does not find the others, at MASTER_ADDR and MASTER_PORT: "
                f"{reason_of(error)}"
            ) from error
        finally:
            waiting.cancel()

    @property
    def leads(self) -> bool:
        """Whether this is the first process."""
        return self.rank == 0

    @contextmanager
    def leading(self) -> Iterator[None]:
        """Lead the others in a block; they are let go where it ends, and end where it fails."""
        try:
            yield
        except KeyboardInterrupt:
            self._watch.leave(130)
            raise
        except BaseException as error:
            if isinstance(error, SystemExit) or type(error).__name__ == "Exit":  # nothing has failed
                self.let_go()
                raise
            if self._parted:
                raise
            # what an exchange of gradients fails for may be known a moment later
            lost = self._watch.reason() if isinstance(error, RuntimeError) else self._watch.error
            self._watch.leave(lost.exit_code if lost else getattr(error, "exit_code", 2))
            if lost is not None and lost is not error:
                raise lost from error
            raise
        self.let_go()

    def let_go(self) -> None:
        """Let the others end, as all that they are asked for is done; what is left the first process does alone."""
        if self._parted:
            return
        ending.done()
        with self._found_out():
            dist.broadcast_object_list([None], src=0)
        self._part()

    def _part(self) -> None:
        """Watch no longer, wait until nobody does, and leave the group."""
        self._parted = True
        ending.done()
        self._watch.leave()
        try:
            dist.barrier()
        except RuntimeError as error:
            raise LostError(ending.asked()) from error
        dist.destroy_process_group()

    def serve(self) -> int:
        """Do what the first process asks for, until it lets go; return the exit code."""
        try:
            while True:
                asked: list[Any] = [None]
                dist.broadcast_object_list(asked, src=0)
                if asked[0] is None:
                    break
                do, arguments = asked[0]
                do(self, *arguments)
        except BaseException as error:
            self._watch.tell(error)
        self._part()
        return 0

    # -- of the first process --------------------------------------------------------------------------------------

    def ask(self, do: Callable[..., object], *arguments: Any) -> None:
        """Have the others call a function of a module, with their own team first. The first one then does its part."""
        with self._found_out():
            dist.broadcast_object_list([(do, arguments)], src=0)

    # -- of all at once --------------------------------------------------------------------------------------------

    def gather(self, own: T) -> list[T]:
        """Return what each has, in the first process; nothing in the others."""
        with self._found_out():
            found: list[Any] | None = [None] * self.world if self.leads else None
            dist.gather_object(own, found, dst=0)
        return found or []

    def scatter(self, for_each: Sequence[T]) -> T:
        """Return what the first process has for this one."""
        with self._found_out():
            found: list[Any] = [None]
            dist.scatter_object_list(found, list(for_each) if self.leads else None, src=0)
        received: T = found[0]
        return received

    def sum(self, own: Array) -> Array:
        """Return the sum over all, elementwise."""
        with self._found_out():
            total = torch.from_numpy(np.array(own))
            dist.all_reduce(total)
        return cast(Array, total.numpy())

    def same(self, array: Array) -> Array:
        """Return the first process's array; the others give one of its shape and type, which is filled."""
        with self._found_out():
            for part in _parts(array):
                dist.broadcast(torch.from_numpy(part), src=0)
        return array

    def send(self, array: npt.NDArray[Any], to: int) -> None:
        """Send an array to one that waits for it."""
        with self._found_out():
            for part in _parts(array):
                dist.send(torch.from_numpy(part), to)

    def receive(self, array: npt.NDArray[Any]) -> None:
        """Fill an array with what the first process sends."""
        for part in _parts(array):
            dist.recv(torch.from_numpy(part), 0)

    @contextmanager
    def _found_out(self) -> Iterator[None]:
        """Raise what is known of why the others are gone, where an exchange fails for that."""
        try:
            yield
        except RuntimeError as error:
            if not self.leads:
                raise
            failed = LostError(f"an exchange between processes failed: {reason_of(error)}; {ending.kept()}")
            raise self._watch.reason() or failed from error


def _say_waiting(place: Launched) -> None:
    """Say what the first process waits for, as where a pod says WORLD_SIZE to all that is started in it."""
    if place.rank == 0:
        at = f"{os.environ.get('MASTER_ADDR')}:{os.environ.get('MASTER_PORT')}"
        say(
            f"this is process 0 of {place.world} (WORLD_SIZE), and waits for the others at {at} (MASTER_ADDR, "
            "MASTER_PORT); to do it in one process, unset RANK and WORLD_SIZE"
        )


def _parts(array: npt.NDArray[Any]) -> Iterator[npt.NDArray[Any]]:
    """Yield the rows of a C-contiguous array in parts that are sent at a time."""
    flat = array.reshape(-1)
    step = max(1, _SENT // flat.itemsize)
    for start in range(0, len(flat), step):
        yield flat[start : start + step]
