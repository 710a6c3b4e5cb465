"""Remembers how a run was last looked at, in the user's state folder, never beside the run."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import Any

from xlbias.errors import WriteError
from xlbias.files import write_whole

_VERSION = 1
_MOST = 65_536  # bytes; what is longer was not written here


def file_for(folder: Path, run: Path) -> Path:
    """Return where the view of a run is kept below `folder`."""
    name = hashlib.sha256(os.fsencode(run.absolute())).hexdigest()[:24]
    return folder / "views" / f"{name}.json"


def recall(folder: Path, run: Path) -> dict[str, Any]:
    """Return how the run was last looked at; empty where that is not known or not readable."""
    try:
        file = file_for(folder, run)
        if file.stat().st_size > _MOST:
            return {}
        found = json.loads(file.read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) and found.get("version") == _VERSION else {}


def remember(folder: Path, run: Path, view: dict[str, Any]) -> None:
    """Keep how the run is looked at. Whatever stands in the way, nothing is lost but that."""
    try:
        file = file_for(folder, run)
        file.parent.mkdir(parents=True, exist_ok=True)
        write_whole(file, json.dumps({"version": _VERSION, **view}).encode(), durable=False)
    except (OSError, ValueError, TypeError, WriteError):
        return
