"""How one of several processes ends when its launcher asks it to: with one sentence, whatever it is at.

A launcher asks all to end (SIGTERM) where one has ended. From its first line to its last a process answers that: while
they work together `xlbias.processes.watch` does, and before and after that a thread here, as the main thread may be in
a library for seconds. Imported before all else, so this imports little.
"""

from __future__ import annotations

import atexit
import os
import select
import signal
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from types import FrameType

from xlbias.errors import LostError

KEPT = "what is finished is kept, and the same command goes on with it, with --resume unless it is `xlbias study`"
DONE = "all results were written before that, and nothing is lost"

_LOOK = 1.0  # seconds between two looks whether the launcher lives
_SAID = "xlbias-said"  # the folder whose maker is the one to speak


class _State:
    """What the parts of this process know of its end."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.done = False
        self.orphaned_by: int | None = None
        self.code: int | None = None


_state = _State()


def listen(environment: Mapping[str, str] = os.environ) -> bool:
    """Answer a launcher from now on; return whether there is one. Without one SIGTERM does what it always does.

    To be called in the main thread, as early as can be.
    """
    if os.name != "posix" or not _is_launched(environment) or signal.getsignal(signal.SIGTERM) != signal.SIG_DFL:
        return False
    woken, waker = os.pipe()
    os.set_blocking(waker, False)
    signal.signal(signal.SIGTERM, _wake)
    signal.set_wakeup_fd(waker, warn_on_full_buffer=False)
    os.register_at_fork(after_in_child=_no_longer)
    atexit.register(_leave)  # the first to be registered is the last to run
    launcher = os.getppid() if "TORCHELASTIC_RUN_ID" in environment else None
    threading.Thread(target=_answer, args=(woken, launcher), name="ending", daemon=True).start()
    return True


def kept() -> str:
    """Return what becomes of the work where a process ends now."""
    return DONE if _state.done else KEPT


def done() -> None:
    """Note that all results are written."""
    _state.done = True


def asked(*, watched: bool = False) -> str:
    """Return why this process was asked to end, as far as it can know; where others are watched, they live."""
    if _state.orphaned_by is not None:
        return f"the launcher (id {_state.orphaned_by}) has ended: so have its processes; {kept()}"
    if watched:
        return f"was asked to end (SIGTERM): {kept()}"
    return f"another process has ended, or the launcher was asked to end (SIGTERM): so have the others; {kept()}"


def leave_with(code: int) -> None:
    """End this process with a code as soon as what libraries do at the end of a process is done."""
    _state.code = code


@contextmanager
def turn(*, otherwise: bool, environment: Mapping[str, str] = os.environ) -> Iterator[bool]:
    """Yield whether this process is to say why they end: the first one of its machine to ask is, and only once.

    Nothing else here ends the process within the block. `otherwise` is the answer where they cannot agree, as the
    launcher names nothing that they share and nobody else does.
    """
    with _state.lock:
        shared = _shared(environment)
        if shared is None:
            yield otherwise
            return
        try:
            os.mkdir(shared)  # noqa: PTH102  # pathlib comes too late here
        except FileExistsError:
            yield False
        except OSError:
            yield otherwise
        else:
            yield True


def _is_launched(environment: Mapping[str, str]) -> bool:
    """Whether a launcher has started several processes, this one among them: as `launched.has_siblings`, in a hurry."""
    for world, place in (("WORLD_SIZE", "LOCAL_RANK"), ("SLURM_STEP_NUM_TASKS", "SLURM_PROCID")):
        if place in environment and environment.get(world, "1") != "1":
            return True
    return False


def _shared(environment: Mapping[str, str]) -> str | None:
    """Return a path that the processes of one launcher on one machine share, and no others; None where none is known.

    `torchrun` makes a folder for each start of its processes. The step of a job of Slurm has a name of its own.
    """
    of_torchrun = environment.get("TORCHELASTIC_ERROR_FILE")
    if of_torchrun:
        folder = os.path.dirname(os.path.dirname(of_torchrun))  # noqa: PTH120
        return os.path.join(folder, _SAID) if os.path.isdir(folder) else None  # noqa: PTH112, PTH118
    step = [environment.get(name) for name in ("SLURM_JOB_ID", "SLURM_STEP_ID")]
    if None in step or "TORCHELASTIC_RUN_ID" in environment:
        return None
    import tempfile

    restart = environment.get("SLURM_RESTART_COUNT", "0")
    name = "-".join(map(str, (_SAID, os.geteuid(), *step, restart)))
    return os.path.join(tempfile.gettempdir(), name.replace(os.sep, "-"))  # noqa: PTH118


def _wake(number: int, frame: FrameType | None) -> None:
    """Do nothing: the thread has been woken."""


def _answer(woken: int, launcher: int | None) -> None:
    """End this process where its launcher asks for it or is gone, while nobody else answers."""
    while True:
        ready, _, _ = select.select([woken], [], [], _LOOK)
        if ready:
            if signal.SIGTERM in os.read(woken, 4096) and signal.getsignal(signal.SIGTERM) is _wake:
                _end()
        elif launcher is not None and os.getppid() != launcher and _state.orphaned_by is None:
            _state.orphaned_by = launcher
            os.kill(os.getpid(), signal.SIGTERM)  # for whoever answers now


def _end() -> None:
    with turn(otherwise=True) as mine:
        if mine:
            with suppress(OSError):
                os.write(2, f"xlbias: {asked()}\n".encode())
        os._exit(LostError.exit_code)


def _no_longer() -> None:
    """Leave signals to a process that this one has forked."""
    if signal.getsignal(signal.SIGTERM) is _wake:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
    _state.code = None


def _leave() -> None:
    """End the process before its interpreter is torn down, which takes a while in which it hears nothing."""
    if _state.code is None:
        return
    for stream in (sys.stdout, sys.stderr):
        with suppress(Exception):
            stream.flush()
    os._exit(_state.code)
