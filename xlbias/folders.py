"""Where xlbias keeps what it can make again, and how a path is shown."""

from __future__ import annotations

import os
import stat
import tempfile
from collections.abc import Iterable
from pathlib import Path


def cache_folder(part: str) -> Path:
    """Return the folder of one cache, such as ``contrasts``: below ``$XLBIAS_CACHE``, or the user's cache folder."""
    from platformdirs import user_cache_path

    chosen = os.environ.get("XLBIAS_CACHE")
    return (Path(chosen) if chosen else user_cache_path("xlbias")) / part


def state_folder() -> Path:
    """Return the user's folder for what a tool writes on its own account: never the folder of a run."""
    from platformdirs import user_state_path

    return user_state_path("xlbias", appauthor=False)


def data_folder() -> Path:
    """Return the folder of data sets that were fetched: ``$XLBIAS_DATA``, or one in the user's folder for data."""
    from platformdirs import user_data_path

    chosen = os.environ.get("XLBIAS_DATA")
    return Path(chosen).expanduser() if chosen else user_data_path("xlbias", appauthor=False)


def from_here(path: Path) -> Path:
    """Return a path as seen from the current folder where it lies below that, else in full."""
    try:
        path, here = path.absolute(), Path.cwd()
    except OSError:  # the current folder has been removed
        return path
    return path.relative_to(here) if path.is_relative_to(here) else path


def give_usual_mode(files: Iterable[Path]) -> None:
    """Give files the mode that a file written by the usual means has in their folder, as the umask says.

    For files of libraries that write to a temporary file of their own, which only its owner may read, and rename it.
    """
    modes: dict[Path, int] = {}
    for file in files:
        folder = file.parent
        if folder not in modes:
            modes[folder] = _usual_mode(folder)
        if stat.S_IMODE(file.stat().st_mode) != modes[folder]:
            file.chmod(modes[folder])


def _usual_mode(folder: Path) -> int:
    """Return the mode of a new file; of one that is made, as the umask of a process cannot be read without setting."""
    with tempfile.TemporaryDirectory(dir=folder, prefix=".mode-") as inside:
        file = Path(inside) / "file"
        file.touch()
        return stat.S_IMODE(file.stat().st_mode)
