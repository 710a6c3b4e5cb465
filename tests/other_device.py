"""A device that is not there: its tensors are computed on the CPU and refuse to meet those of the CPU."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_flatten, tree_map

DEVICE = "meta"
"""What the device is called: the one besides the CPU that every build of torch knows. Nothing is left to it."""

_MOVE = {torch.ops.aten._to_copy.default, torch.ops.aten.copy_.default}


class There(torch.Tensor):
    """A tensor on the device; `held` is what it holds, on the CPU."""

    held: torch.Tensor

    @staticmethod
    def __new__(cls, held: torch.Tensor) -> There:
        made = torch.Tensor._make_wrapper_subclass(
            cls, held.shape, strides=held.stride(), dtype=held.dtype, device=torch.device(DEVICE)
        )
        made.held = held
        return made

    @classmethod
    def __torch_dispatch__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return _computed(func, args, kwargs or {})


class _Device(TorchDispatchMode):
    def __init__(self) -> None:
        super().__init__()
        self.ran: list[str] = []

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        asked = (kwargs or {}).get("device")
        if asked is not None or any(isinstance(one, There) for one in tree_flatten((args, kwargs))[0]):
            self.ran.append(str(func))
        return _computed(func, args, kwargs or {})


def _computed(func: Any, args: Any, kwargs: Any) -> Any:
    """Return what a function gives, on the device that it is asked for, or that its tensors lie on."""
    tensors = [one for one in tree_flatten((args, kwargs))[0] if isinstance(one, torch.Tensor)]
    there = [one for one in tensors if isinstance(one, There)]
    here = [one for one in tensors if not isinstance(one, There) and one.dim()]
    if there and here and func not in _MOVE:
        raise RuntimeError(f"{func}: tensors of {DEVICE} and of the CPU")
    asked = kwargs.get("device")
    on_device = bool(there) if asked is None else torch.device(asked).type == DEVICE
    given = dict(kwargs)
    if asked is not None:
        given["device"] = torch.device("cpu")
    held = tree_map(lambda one: one.held if isinstance(one, There) else one, (args, given))
    found = func(*held[0], **held[1])
    by_held = {id(one.held): one for one in there}

    def placed(one: Any) -> Any:
        if not isinstance(one, torch.Tensor) or not on_device:
            return one
        return by_held[id(one)] if id(one) in by_held else There(one)  # what was written to stays the same

    return tree_map(placed, found)


@contextmanager
def other_device() -> Iterator[list[str]]:
    """Have `DEVICE` compute; yield the names of the functions that ran on it or moved something, as they run."""
    with _Device() as mode:
        yield mode.ran
