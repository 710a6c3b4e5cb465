"""What a training goes on with beside its weights, as safetensors and JSON: optimiser, schedule and random generators.

No pickle: PyTorch's own way to keep these would run code when it is read.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import safetensors.torch
import torch

_OPTIMISER_FILE = "optimiser.safetensors"


def save_optimiser(folder: Path, optimizer: Any) -> dict[str, Any]:
    """Write the tensors of an optimiser's state into `folder`; return the rest of it, which JSON can hold."""
    tensors, described = _split_state(optimizer.state_dict())
    safetensors.torch.save_file(tensors, folder / _OPTIMISER_FILE)
    return described


def load_optimiser(folder: Path, optimizer: Any, described: Mapping[str, Any]) -> None:
    """Load what `save_optimiser` wrote into `folder` and returned as `described`."""
    tensors = safetensors.torch.load_file(folder / _OPTIMISER_FILE)
    optimizer.load_state_dict(_joined_state(tensors, described))


def save_random_state(folder: Path, rank: int, device: torch.device) -> None:
    """Write where the random generators of this process are, that of `device` among them."""
    safetensors.torch.save_file(_random_state(device), folder / _random_file(rank))


def load_random_state(folder: Path, rank: int) -> None:
    """Put the random generators of this process where they were; without effect where `rank` had not been there."""
    file = folder / _random_file(rank)
    if not file.exists():
        return
    state = safetensors.torch.load_file(file)
    version, *words = state["python"].tolist()
    random.setstate((version, tuple(words), None))
    *keys, position = state["numpy"].tolist()
    np.random.set_state(("MT19937", np.array(keys, dtype=np.uint32), position, 0, 0.0))
    torch.random.set_rng_state(state["cpu"])
    if "cuda" in state and torch.cuda.is_available():
        torch.cuda.set_rng_state(state["cuda"])


def _random_state(device: torch.device) -> dict[str, torch.Tensor]:
    version, words, _ = random.getstate()
    of_numpy: Any = np.random.get_state(legacy=True)
    state = {
        "python": torch.tensor([version, *words], dtype=torch.int64),
        "numpy": torch.tensor([*of_numpy[1].tolist(), of_numpy[2]], dtype=torch.int64),
        "cpu": torch.random.get_rng_state(),
    }
    if device.type == "cuda":
        state["cuda"] = torch.cuda.get_rng_state(device)
    return state


def _random_file(rank: int) -> str:
    return f"random-{rank:05d}.safetensors"


def _split_state(state: Mapping[str, Any]) -> tuple[dict[str, torch.Tensor], dict[str, Any]]:
    """Take an optimiser's state apart into tensors by name and what JSON can hold."""
    tensors = {}
    scalars: dict[str, dict[str, Any]] = {}
    for parameter, values in state["state"].items():
        for name, value in values.items():
            if isinstance(value, torch.Tensor):
                tensors[f"{parameter}.{name}"] = value.detach().contiguous()
            else:
                scalars.setdefault(str(parameter), {})[name] = value
    return tensors, {"groups": state["param_groups"], "scalars": scalars}


def _joined_state(tensors: Mapping[str, torch.Tensor], described: Mapping[str, Any]) -> dict[str, Any]:
    state: dict[int, dict[str, Any]] = {int(index): dict(values) for index, values in described["scalars"].items()}
    for key, tensor in tensors.items():
        parameter, _, name = key.partition(".")
        state.setdefault(int(parameter), {})[name] = tensor
    groups = [
        {key: tuple(value) if key == "betas" else value for key, value in group.items()}
        for group in described["groups"]
    ]
    return {"state": state, "param_groups": groups}
