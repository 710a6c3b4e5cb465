"""Who writes a run, and whether that process is still alive: known by the process, never guessed from silence."""

from __future__ import annotations

import json
import os
import socket
import sys
import time
from pathlib import Path
from typing import Any, Literal

import psutil

WriterState = Literal["running", "died", "elsewhere"]

_KINDS = {"host": str, "pid": int, "command": list}


def describe_self() -> dict[str, Any]:
    """Return what identifies this process: host, pid and start time (pids are reused, pairs with a start are not)."""
    return {
        "host": socket.gethostname(),
        "pid": os.getpid(),
        "process_started": psutil.Process().create_time(),
        "command": sys.argv[:],
        "since": time.time(),
    }


def read_writer(folder: Path) -> dict[str, Any] | None:
    """Return the description of the last writer of a journal, or None where there is none that can be read."""
    try:
        writer = json.loads((folder / "writer.json").read_text("utf-8"))
    except (OSError, ValueError, RecursionError):
        return None
    kinds: dict[str, Any] = {
        "host": str,
        "pid": int,
        "process_started": (int, float),
        "since": (int, float),
        "command": list,
    }
    if not isinstance(writer, dict) or any(
        name in writer and not isinstance(writer[name], kind) for name, kind in kinds.items()
    ):
        return None
    return writer


def writer_state(writer: dict[str, Any] | None) -> WriterState:
    """``running``; ``died``; or ``elsewhere``: written from another host, whose processes cannot be seen from here."""
    if writer is None:
        return "died"
    if writer.get("host") != socket.gethostname():
        return "elsewhere"
    try:
        process = psutil.Process(int(writer["pid"]))
        same = abs(process.create_time() - float(writer["process_started"])) < 1.0
        return "running" if same and process.status() != psutil.STATUS_ZOMBIE else "died"
    except (psutil.Error, KeyError, TypeError, ValueError, OverflowError):
        return "died"
