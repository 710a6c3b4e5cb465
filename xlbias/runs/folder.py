"""The run that a folder holds, for whoever names the folder and not the file in it."""

from __future__ import annotations

import os
from pathlib import Path

from xlbias.choices import listed
from xlbias.errors import RunError, unreadable
from xlbias.runs.journal import live_folder
from xlbias.runs.schema import METADATA_KEY

ENDING = ".parquet"
_FOOT = 8  # bytes at the end of a Parquet file: how long its metadata is, and four letters
_ENTRY = b"\x18%c%b\x18" % (len(METADATA_KEY), METADATA_KEY.encode())
"""How the metadata of a Parquet file begins an entry of that name, before its value: a field, a length, the name."""


def run_of(path: str | Path) -> Path:
    """Return `path`, or the path of the one run in the folder that it is.

    Raises RunError where a folder has no run or several, which it then names.
    """
    path = Path(path)
    if not path.is_dir() or path.name.endswith(live_folder(Path(ENDING)).name):
        return path
    found = runs_in(path)
    if len(found) == 1:
        return found[0]
    if found:
        names = listed(str(one) for one in found)
        raise RunError(f"{path}: holds {len(found):,} runs: name one of {names}")
    raise RunError(f"{path}: is a folder without a run; expected a run file, such as run{ENDING}")


def runs_in(folder: Path) -> list[Path]:
    """Return the paths of the runs in a folder, finished or in progress, by name; not those of folders in it.

    Raises RunError if the folder cannot be read.
    """
    try:
        names = [path.name for path in folder.iterdir()]
    except OSError as error:
        raise RunError(unreadable(folder, error, "folder")) from error
    live = live_folder(Path(ENDING)).name
    begun = {name.removesuffix(live) + ENDING for name in names if name.endswith(live)}
    paths = [folder / name for name in sorted({name for name in names if name.endswith(ENDING)} | begun)]
    return [path for path in paths if (live_folder(path) / "run.json").is_file() or _is_run(path)]


def _is_run(path: Path) -> bool:
    """Whether a file is Parquet whose metadata is that of a run, as far as its last bytes tell."""
    try:
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            file.seek(max(0, size - _FOOT))
            foot = file.read(_FOOT)
            length = int.from_bytes(foot[:4], "little")
            if foot[4:] != b"PAR1" or length > size - _FOOT:
                return False
            file.seek(size - _FOOT - length)
            return _ENTRY in file.read(length)
    except OSError:
        return False
