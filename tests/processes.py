"""Processes that tests start, kill and listen to: forked from one that has imported everything, so they begin at once.

A new interpreter needs seconds to import the libraries for training; what tests need is another process, which can be
killed. One server for all tests of a worker: it is what Python keeps, and imports what the first to ask for it names.
"""

import gc
import multiprocessing
import os
import socket
import sys
from collections.abc import Callable
from multiprocessing.context import ForkServerContext, ForkServerProcess
from pathlib import Path
from typing import Any

_IMPORTED = [
    "xlbias.study.run_study",
    "xlbias.evaluation",
    "xlbias.train.trainer.fit",
    "xlbias.cli",
    "support",
    "pytest",
]
_OUTPUT = (1, 2)  # the descriptors of stdout and stderr
_started: list[ForkServerProcess] = []


def context() -> ForkServerContext:
    """Return what makes such processes."""
    found = multiprocessing.get_context("forkserver")  # forks before any thread is started
    found.set_forkserver_preload(_IMPORTED)
    return found


def start(
    function: Callable[..., object], *arguments: object, output: Path | None = None, **environment: object
) -> ForkServerProcess:
    """Start `function`, which must be found by its name, in a process of its own.

    What it prints goes to `output` where that is given. Its exit code is what the function returns, 0 for None.
    """
    names = {name: str(value) for name, value in environment.items()}
    process = context().Process(target=_enter, args=(function, arguments, output, names))
    process.start()
    _started.append(process)
    return process


def end_started() -> None:
    """Kill what `start` has started and still runs; what that has started ends with it."""
    while _started:
        process = _started.pop()
        process.kill()
        process.join()


def hang_up(child: Any) -> None:
    """Close the terminal of a process that `pexpect.spawn` has started, as a lost connection does, and forget it."""
    child.ptyproc.fileobj.close()
    for one in (child, child.ptyproc):
        one.closed = one.terminated = True
    child.child_fd = child.ptyproc.fd = -1  # a number that another file may get


def start_together(function: Callable[..., object], *arguments: object, outputs: list[Path]) -> list[ForkServerProcess]:
    """Start as many processes as there are `outputs`, and tell each its rank among them as a launcher does."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    n = len(outputs)
    shared = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port, "WORLD_SIZE": n, "LOCAL_WORLD_SIZE": n}
    return [
        start(function, *arguments, output=output, RANK=rank, LOCAL_RANK=rank, **shared)
        for rank, output in enumerate(outputs)
    ]


def _enter(
    function: Callable[..., object], arguments: tuple[Any, ...], output: Path | None, environment: dict[str, str]
) -> None:
    gc.freeze()  # what has been imported stays, so that nobody need look through it
    os.environ.update(environment)
    if output is not None:
        with output.open("ab") as file:
            for descriptor in _OUTPUT:
                os.dup2(file.fileno(), descriptor)
    sys.exit(function(*arguments))  # type: ignore[arg-type]
