"""The errors that xlbias raises on purpose: one clear sentence each, exit code 2 on the command line."""

from __future__ import annotations

from os import PathLike


def reason_of(error: BaseException) -> str:
    """Return the first line of what an error of somebody else's code says, or its kind where it says nothing."""
    return str(error).strip().partition("\n")[0] or type(error).__name__


def unreadable(path: str | PathLike[str], error: OSError, what: str = "file") -> str:
    """Return the sentence on `path`, a `what`, that could not be opened: missing, a folder, or what the system says."""
    if isinstance(error, (FileNotFoundError, NotADirectoryError)):
        return f"{path}: there is no such {what}"
    if isinstance(error, IsADirectoryError):
        return f"{path}: is a folder; expected a {what}"
    return f"{path}: cannot be read: {error.strerror or error}"


class XlbiasError(Exception):
    """Base of all errors whose message is written for the user and needs no traceback."""

    exit_code: int = 2


class TaskError(XlbiasError):
    """A retrieval task or one of its source files is not what it must be."""


class EncoderError(XlbiasError):
    """An encoder cannot be loaded, or gave vectors that cannot be used."""


class MeasureError(XlbiasError):
    """A measure that is declared or computed in another way than its family expects."""


class RunError(XlbiasError):
    """A run file is missing, broken, of another schema, or in use by another writer."""


class NotARunError(RunError):
    """A sound Parquet file of something else."""


class TrainingError(XlbiasError):
    """Training cannot start or cannot go on."""


class UsageError(XlbiasError):
    """An argument or option has a value that cannot be used."""


class WriteError(XlbiasError):
    """A file cannot be written: no room, no permission, or something is there that must not be replaced."""


class LostError(XlbiasError):
    """One of the processes that do a command together has ended before it was done."""

    exit_code = 3


class Interrupted(KeyboardInterrupt):
    """Ctrl-C, of which the user has been told what became of the work."""
