"""Libraries that a format needs and that are not installed with xlbias."""

from __future__ import annotations

from importlib import import_module
from types import ModuleType

from xlbias.errors import TaskError
from xlbias.text import clean

_LONGEST = 200  # characters of a library's error that are quoted


def required(package: str, *, extra: str) -> ModuleType:
    """Import a library; TaskError that says how to install it where it is not there."""
    try:
        return import_module(package)
    except ModuleNotFoundError as error:
        if error.name is not None and error.name.partition(".")[0] != package:
            raise TaskError(f"{package} is installed, but not what it needs: {error}; reinstall {package}") from error
        raise TaskError(f"{package} is not installed; install it with: pip install 'xlbias[{extra}]'") from error
    except ImportError as error:
        raise TaskError(f"{package} is installed, but cannot be imported: {reason(error)}") from error


def reason(error: BaseException) -> str:
    """Return what a library says of an error in one line, with its kind where it says nothing."""
    said = " ".join(clean(str(error)).split())[:_LONGEST]
    return said or type(error).__name__
