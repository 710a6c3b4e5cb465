"""Several encoders of a study at a time, each made in a process of its own, which ends with the one that started it."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time
from collections import deque
from collections.abc import Callable, Collection, Generator, Iterator, Sequence
from contextlib import contextmanager, suppress
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess

from xlbias.errors import RunError, XlbiasError
from xlbias.interpreter import SAFE_PATH
from xlbias.processes.launched import THREADS
from xlbias.progress import Report
from xlbias.streams import guard_streams
from xlbias.study.folder import StudyFolder
from xlbias.study.plan import Plan, PlannedEncoder
from xlbias.study.steps import Event, Kind, Reached, Step

_CONTEXT = multiprocessing.get_context("spawn")  # threads of the libraries do not survive a fork
_REPORTING = 0.3  # seconds between two reports of a process
_PATIENCE = 120.0  # seconds for a process to finish its step of training and save a checkpoint


def work_in_parallel(
    plan: Plan,
    folder: StudyFolder,
    device: str | None,
    encoders: Sequence[PlannedEncoder],
    kinds: Collection[Kind],
    jobs: int,
) -> Generator[Event]:
    """Yield what `StepRunner.work` yields, for all encoders, `jobs` of them at a time, in the order in which it comes.

    Whatever ends this (an error in a process, Ctrl-C) ends the processes too, each with a checkpoint where it trains.
    """
    waiting = deque(encoders)
    processes: dict[Connection, SpawnProcess] = {}
    ready: set[Connection] = set()
    try:
        with _surroundings(jobs), _ignoring_ctrl_c():
            for _ in range(min(jobs, len(waiting))):
                ours, theirs = _CONTEXT.Pipe()
                process = _CONTEXT.Process(target=_serve, args=(theirs, plan, folder, device, frozenset(kinds)))
                process.start()
                theirs.close()
                processes[ours] = process
        busy = set(processes)
        while busy:
            for connection in wait(list(busy)):
                assert isinstance(connection, Connection)
                message = _received(connection, processes[connection])
                ready.add(connection)
                if message is not None:
                    yield message
                elif waiting:
                    connection.send(waiting.popleft())
                else:
                    busy.discard(connection)
    finally:
        _end([(process, connection in ready) for connection, process in processes.items()])


def _received(connection: Connection, process: SpawnProcess) -> Event | None:
    """Return what a process has sent, None where it asks for work. Raises the error that it ended with."""
    try:
        message = connection.recv()
    except (EOFError, OSError):
        process.join(1)
        raise RunError(f"a process of the study has ended unexpectedly (exit code {process.exitcode})") from None
    if isinstance(message, BaseException):
        raise message
    event: Event | None = message
    return event


def _end(processes: Sequence[tuple[SpawnProcess, bool]]) -> None:
    """Ask the processes to stop as Ctrl-C would, and wait for them; a second Ctrl-C does not wait.

    Those that are not ready yet have nothing to save.
    """
    try:
        for process, ready in processes:
            if not ready:
                process.kill()
            elif process.is_alive() and process.pid:
                with suppress(ProcessLookupError):
                    os.kill(process.pid, signal.SIGINT)
        for process, _ in processes:
            process.join(_PATIENCE)
    finally:
        for process, _ in processes:
            process.kill()


def _serve(
    connection: Connection, plan: Plan, folder: StudyFolder, device: str | None, kinds: Collection[Kind]
) -> None:
    """Make one encoder after another, in a process of its own: send None to ask for one, what is done, or an error."""
    guard_streams()
    os.setsid()  # Ctrl-C in the terminal is for the parent, which stops this process once and not twice
    threading.Thread(target=_end_with_parent, daemon=True).start()
    with suppress(KeyboardInterrupt, EOFError, BrokenPipeError, ConnectionResetError):
        try:
            from xlbias.study.step_runner import StepRunner

            runner = StepRunner(plan, folder, device, _sender(connection))
            signal.signal(signal.SIGINT, signal.default_int_handler)
            while True:
                connection.send(None)
                for event in runner.work(connection.recv(), kinds):
                    connection.send(event)
        except XlbiasError as error:
            connection.send(error)
        except (EOFError, BrokenPipeError, ConnectionResetError):
            raise
        except Exception as error:
            connection.send(RuntimeError(f"{type(error).__name__}: {error}"))


def _sender(connection: Connection) -> Callable[[Step, Report], None]:
    """Return what sends how far a step is to the parent, a few times a second."""
    sent = 0.0

    def tell(step: Step, report: Report) -> None:
        nonlocal sent
        if time.monotonic() - sent >= _REPORTING:
            sent = time.monotonic()
            connection.send(Reached(step, report))

    return tell


def _end_with_parent() -> None:
    """Stop this process as Ctrl-C would when its parent is gone, killed perhaps."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os.kill(os.getpid(), signal.SIGINT)


@contextmanager
def _ignoring_ctrl_c() -> Iterator[None]:
    """Let processes started in the block ignore Ctrl-C, until they are ready to stop in order."""
    if threading.current_thread() is not threading.main_thread():
        yield  # signals cannot be set
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


@contextmanager
def _surroundings(jobs: int) -> Iterator[None]:
    """Let processes started in the block use their share of the cores, and nothing that lies in the current folder."""
    share = str(max(1, (os.cpu_count() or 1) // jobs))
    unset = [name for name in THREADS if name not in os.environ]
    os.environ.update(dict.fromkeys(unset, share))
    if SAFE_PATH not in os.environ:  # they begin as `python -c`
        unset.append(SAFE_PATH)
        os.environ[SAFE_PATH] = "1"
    try:
        yield
    finally:
        for name in unset:
            del os.environ[name]
