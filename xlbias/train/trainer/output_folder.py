"""Where a training may write: light, so that a command can ask before it loads the libraries."""

from __future__ import annotations

from pathlib import Path

from xlbias.encode.card import CARD_FILE, TRAINING_FILE
from xlbias.errors import TrainingError
from xlbias.runs.journal import live_folder


def check_folder(out: Path, *, overwrite: bool, resume: bool = False) -> None:
    """Raise TrainingError unless a training may write its checkpoint to `out`.

    With `overwrite` or `resume` that is also where an earlier training of xlbias wrote, finished or not, but never a
    folder that is something else.
    """
    if out.is_dir():
        if any(out.iterdir()):
            if not (overwrite or resume):
                raise TrainingError(
                    f"{out}: is not empty: choose another folder, continue the training there with --resume, or "
                    "replace its checkpoint with --overwrite"
                )
            ours = (out / CARD_FILE, out / TRAINING_FILE, live_folder(out / TRAINING_FILE))
            if not any(path.exists() for path in ours):
                raise TrainingError(f"{out}: holds something other than a training of xlbias: choose another folder")
    elif out.exists():
        raise TrainingError(f"{out}: is a file; expected the name of a folder")
