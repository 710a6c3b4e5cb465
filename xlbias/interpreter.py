"""How processes of Python begin: never with code from the current folder, which may be a downloaded model's.

``python -m`` and ``python -c`` put the current folder first on the path, so a ``click.py`` that lies there is run in
place of the library. `own_command` starts xlbias without that, and `leave_current_folder` makes it so for whatever a
library starts.

They are also told how to share a machine: `spare_processors`.
"""

from __future__ import annotations

import gc
import os
import sys

SAFE_PATH = "PYTHONSAFEPATH"
"""The variable that keeps the current folder off the path of every interpreter that inherits it."""

_NO_HOME = "/nonexistent"  # what Debian calls the home of users without one

_ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))  # noqa: PTH100, PTH120  # pathlib comes too late here


_WAITING = "OMP_WAIT_POLICY"
"""The variable that says what a thread of OpenMP, as PyTorch has them, does between two pieces of work."""

_GARBAGE = (50_000, 20, 20)  # objects more than before, and such looks, until older ones are looked at, too


def own_command(*words: str, module: str = "xlbias") -> list[str]:
    """Return the command that runs a module of xlbias with `words` in a process of its own."""
    return [sys.executable, "-P", "-m", module, *words]


def leave_current_folder() -> None:
    """Take the current folder off this process' path, and keep it off that of all processes that it starts.

    A user without a home, as in a container that runs as any user id, gets one that is not there: else ``~`` would be
    a folder of that name in the current one.

    To be called before anything else is imported: ``python -m xlbias`` and ``torchrun -m xlbias`` begin with it. An
    xlbias that is in the current folder, not installed, is still found by the processes that it starts.
    """
    try:
        here = os.getcwd()  # noqa: PTH109
    except OSError:  # the folder is gone, and with it what could be run from it
        here = ""
    if not sys.flags.safe_path and sys.path and sys.path[0] in ("", here):
        if here == _ROOT:
            os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, (_ROOT, os.environ.get("PYTHONPATH"))))
        else:
            del sys.path[0]
    os.environ.setdefault(SAFE_PATH, "1")
    if not os.path.isabs(os.path.expanduser("~")):  # noqa: PTH111, PTH117  # libraries load kept code from below it
        os.environ["HOME"] = _NO_HOME


def spare_processors() -> None:
    """Have threads of the libraries sleep while they wait, and look for garbage in circles less often.

    By themselves threads of OpenMP wait in a loop, some milliseconds after each product: where anything else runs, the
    products or kernels of this process among it, that takes more of a processor than the work does. Little of what
    xlbias makes is in a circle, and looking for that is a quarter of importing, compiling and reading.

    To be called before a library is imported. What the user has set already stays.
    """
    os.environ.setdefault(_WAITING, "passive")
    gc.set_threshold(*_GARBAGE)
