"""Which of several processes this is, as its launcher says in the environment; without one it is the only one."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass

from xlbias.errors import UsageError

THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "POLARS_MAX_THREADS", "RAYON_NUM_THREADS")
"""Variables that share the cores out among the processes of a machine, unless the user has set them."""

_OF_TORCHRUN = ("RANK", "WORLD_SIZE", "LOCAL_RANK", "LOCAL_WORLD_SIZE")
_OF_SRUN = ("SLURM_PROCID", "SLURM_STEP_NUM_TASKS", "SLURM_LOCALID", "SLURM_NTASKS_PER_NODE")
_FIRST_HOST = re.compile(r"([^,\[]+)(?:\[([^,\-\]]+))?")
_PORTS = range(20_000, 60_000)


@dataclass(frozen=True)
class Launched:
    """One process among those that a launcher has started.

    Attributes:
        rank: number of this process, from 0: that one writes files and talks.
        world: number of processes.
        local_rank: its number among those of its machine, and that of its GPU.
        local_world: how many of them this machine has.
    """

    rank: int = 0
    world: int = 1
    local_rank: int = 0
    local_world: int = 1


def launched(environment: Mapping[str, str] = os.environ) -> Launched:
    """Return which process this is: by the variables of torchrun and accelerate, else by those of a step of srun.

    Raises UsageError where they are no numbers, or do not fit each other.
    """
    if "RANK" in environment:
        names = _OF_TORCHRUN
    elif _number(environment, "SLURM_STEP_NUM_TASKS", "1") > 1:  # a batch script without srun has the others, too
        names = _OF_SRUN
    else:
        return Launched()
    rank, world, local_rank, local_world = (
        _number(environment, name, default) for name, default in zip(names, ("0", "1", "0", "1"), strict=True)
    )
    if not 0 <= rank < world or not 0 <= local_rank < world:
        raise UsageError(
            f"{names[0]}={rank} and {names[1]}={world}: expected a number below the number of processes; a launcher "
            "sets both"
        )
    return Launched(rank, world, local_rank, max(1, min(local_world, world)))


def is_first(environment: Mapping[str, str] = os.environ) -> bool:
    """Whether this process is the one that talks; without a launcher it is."""
    try:
        return launched(environment).rank == 0
    except UsageError:
        return True


def is_near_first(environment: Mapping[str, str] = os.environ) -> bool:
    """Whether the process that talks is on this machine, as far as its launcher says."""
    try:
        place = launched(environment)
    except UsageError:
        return True
    return place.rank == place.local_rank


def has_siblings(environment: Mapping[str, str] = os.environ) -> bool:
    """Whether a launcher has started other processes with this very command, beside this one.

    A pod of a cluster may say RANK and WORLD_SIZE to all that is ever started in it: then there need be none.
    """
    known = any(name in environment for name in ("LOCAL_RANK", "TORCHELASTIC_RUN_ID"))
    return launched(environment).world > 1 and (known or "RANK" not in environment)


def forget(environment: MutableMapping[str, str] = os.environ) -> None:
    """Take away what says that this is one of several processes: it is to work as the only one."""
    for name in (*_OF_TORCHRUN, *_OF_SRUN):
        environment.pop(name, None)


def prepare(place: Launched, environment: MutableMapping[str, str] = os.environ) -> None:
    """Set what the libraries want to know: where the first process is met, and how many threads are this process's.

    To be called before they are imported. What is set already stays.
    """
    environment.setdefault("RANK", str(place.rank))
    environment.setdefault("WORLD_SIZE", str(place.world))
    environment.setdefault("LOCAL_RANK", str(place.local_rank))
    environment.setdefault("LOCAL_WORLD_SIZE", str(place.local_world))
    environment.setdefault("MASTER_ADDR", first_host(environment.get("SLURM_STEP_NODELIST", "127.0.0.1")))
    job, step = (_number(environment, name, "0") for name in ("SLURM_JOB_ID", "SLURM_STEP_ID"))
    environment.setdefault("MASTER_PORT", str(_PORTS[(job * 7 + step) % len(_PORTS)]))
    for name in THREADS:
        environment.setdefault(name, str(cores(place)))


def cores(place: Launched) -> int:
    """Return how many cores are this process's share of its machine's."""
    return max(1, (os.cpu_count() or 1) // place.local_world)


def first_host(nodes: str) -> str:
    """Return the first host of a list as Slurm writes it: ``gpu[03-07,9],login1`` begins with ``gpu03``."""
    match = _FIRST_HOST.match(nodes)
    return f"{match[1]}{match[2] or ''}" if match else nodes


def _number(environment: Mapping[str, str], name: str, default: str) -> int:
    given = environment.get(name) or default
    try:
        return int(given.partition("(")[0])
    except ValueError:
        raise UsageError(f"{name}={given!r} in the environment: expected a number, as a launcher sets it") from None
