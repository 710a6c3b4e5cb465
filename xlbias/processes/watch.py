"""Processes that watch each other: where one ends, the others do too, whatever they are at.

Each has a connection to the first one, which is open for as long as both live: the system closes it with its process,
and what a machine that is gone no longer acknowledges is closed after some seconds. Nothing is guessed from silence. A
thread listens to it, as the process may be in a long computation.
"""

from __future__ import annotations

import _thread
import os
import secrets
import signal
import socket
import threading
import time
from contextlib import suppress
from datetime import timedelta
from multiprocessing import AuthenticationError
from multiprocessing.connection import Client, Connection, Listener, wait
from types import FrameType
from typing import TYPE_CHECKING, Any

from xlbias.errors import LostError, XlbiasError, reason_of
from xlbias.processes import ending
from xlbias.text import clean

if TYPE_CHECKING:
    from torch.distributed.distributed_c10d import Store

_GRACE = 2.0  # seconds in which a process may end in order once another has ended
_LAST = 2.0  # and to leave the interpreter
_MEANWHILE = 1.0  # seconds between the end of a process and a launcher's asking the others to end, at most
_KEEP_ALIVE = {"TCP_KEEPIDLE": 2, "TCP_KEEPINTVL": 2, "TCP_KEEPCNT": 3, "TCP_USER_TIMEOUT": 8_000}
_SAME = 1.0  # seconds within which a second Ctrl-C is the first one's echo: launchers hand signals on
MEETING = timedelta(minutes=10)
"""In which all processes must have begun."""
_KEY = "xlbias/watch"


class Watch:
    """The connections of one process, and what happens where one breaks.

    Args:
        rank: number of this process.
        world: number of processes.
        store: through which they find each other.

    Attributes:
        error: why this process must end; None while nothing is wrong.

    To be made in the main thread: signals are taken over, and given back by `leave`.
    """

    def __init__(self, rank: int, world: int, store: Store) -> None:
        self.rank, self.world = rank, world
        self.error: XlbiasError | None = None
        self._noticed, self._left, self._interrupted = threading.Event(), threading.Event(), float("-inf")
        self._ending = self._raised = False
        self._lock = threading.Lock()
        self._peers = self._meet(store)
        self._woken, self._waker = socket.socketpair()
        for end in (self._woken, self._waker):
            end.setblocking(False)
        self._handler = self._handle  # one object, to be known again
        self._before: dict[int, Any] = {
            signal.SIGTERM: signal.signal(signal.SIGTERM, self._handler),
            signal.SIGINT: signal.signal(signal.SIGINT, self._handler if rank == 0 else signal.SIG_IGN),
        }
        self._fd_before = signal.set_wakeup_fd(self._waker.fileno(), warn_on_full_buffer=False)
        threading.Thread(target=self._lead if rank == 0 else self._follow, name="watch", daemon=True).start()

    def _meet(self, store: Store) -> dict[Connection, str]:
        """Return a connection to each process that is watched, with what to call it."""
        if self.rank == 0:
            address = os.environ.get("MASTER_ADDR", "")
            local = address in ("127.0.0.1", "localhost", "::1")
            key = secrets.token_bytes(32)
            listener = Listener(("127.0.0.1" if local else "0.0.0.0", 0), backlog=self.world, authkey=key)
            store.set(_KEY, f"{listener.address[1]} {key.hex()} {self._name()}")
            found: dict[Connection, str] = {}
            with listener:
                while len(found) < self.world - 1:
                    with suppress(AuthenticationError, EOFError, OSError):  # of somebody who looks at all ports
                        connection = listener.accept()
                        _keep_alive(connection)
                        found[connection] = connection.recv()
            return found
        store.wait([_KEY], MEETING)
        port, key_text, name = store.get(_KEY).decode().split(" ", 2)
        connection = Client((os.environ["MASTER_ADDR"], int(port)), authkey=bytes.fromhex(key_text))
        _keep_alive(connection)
        connection.send(self._name())
        return {connection: name}

    def _name(self) -> str:
        return f"process {self.rank} of {self.world} (id {os.getpid()} on {socket.gethostname()})"

    # -- the threads -----------------------------------------------------------------------------------------------

    def _lead(self) -> None:
        while not self._left.is_set():
            for ready in wait([*self._peers, self._woken]):
                if isinstance(ready, Connection):
                    self._hear(ready)
                    continue
                numbers = self._signals()
                if signal.SIGINT in numbers:  # what waits for the others waits no longer
                    self._ending = True
                    self._end_others(128 + signal.SIGINT)
                elif numbers and not wait(list(self._peers), _MEANWHILE):
                    asked = LostError(ending.asked(watched=True))
                    asked.exit_code = 128 + signal.SIGTERM
                    self._fail(asked)

    def _hear(self, peer: Connection) -> None:
        try:
            said = peer.recv()
        except Exception:  # closed, reset, cut off
            said = LostError(f"{self._peers.pop(peer)} has ended: so have the others; {ending.kept()}")
        self._fail(said if isinstance(said, XlbiasError) else LostError(str(said)))

    def _fail(self, error: XlbiasError) -> None:
        """Have the main thread raise an error, and the other processes end; this one ends, whatever that does."""
        if self._ending or self._left.is_set():
            return
        self._ending, self.error = True, error
        self._noticed.set()
        self._end_others(error.exit_code)
        _thread.interrupt_main(signal.SIGTERM)
        threading.Thread(target=self._leave_anyway, args=(error,), daemon=True).start()

    def _follow(self) -> None:
        first = next(iter(self._peers))
        while not self._left.is_set():
            ready = wait([first, self._woken])
            if first not in ready and self._signals() and not first.poll(2 * _MEANWHILE):
                say_once(ending.asked())
                os._exit(128 + signal.SIGTERM)
            if first.poll():
                try:
                    code = first.recv()
                except Exception:
                    code = None
                if self._left.is_set():
                    return
                if code is None and self.rank == 1:
                    say_once(f"{self._peers[first]} has ended: so have the others; {ending.kept()}")
                os._exit(LostError.exit_code if code is None else code)

    def _signals(self) -> list[int]:
        """Return the signals that have come and are handled here."""
        found: bytes = b""
        with suppress(BlockingIOError):
            found = self._woken.recv(4096)
        return [number for number in found if number in self._before and signal.getsignal(number) == self._handler]

    def _end_others(self, code: int) -> None:
        with self._lock:
            for peer in list(self._peers):
                with suppress(OSError):
                    peer.send(code)

    def _leave_anyway(self, error: XlbiasError) -> None:
        """End this process, unless it does so by itself."""
        if not self._left.wait(_GRACE):
            say_once(str(error))
            os._exit(error.exit_code)

    # -- the main thread -------------------------------------------------------------------------------------------

    def _handle(self, number: int, frame: FrameType | None) -> None:
        if self._left.is_set() or self.rank:
            return
        if number == signal.SIGINT:
            now = time.monotonic()
            echo, self._interrupted = now - self._interrupted < _SAME, now
            if not echo:
                raise KeyboardInterrupt
            return
        self._noticed.wait(3 * _MEANWHILE)  # a launcher ends all where one has ended: that is what is said then
        if self.error is not None and not self._raised:
            self._raised = True
            raise self.error

    def reason(self) -> XlbiasError | None:
        """Return why this process must end, once that is known; None where nothing is found out in a moment."""
        self._noticed.wait(_MEANWHILE)
        return self.error

    def tell(self, error: BaseException) -> None:
        """Tell the first process why this one cannot go on, and wait to be ended."""
        time.sleep(_MEANWHILE)  # perhaps another one has ended, and this is what came of it, or the first fails alike
        told = LostError(f"{self._name()}: {reason_of(error)}")
        if isinstance(error, XlbiasError):
            told.exit_code = error.exit_code
        with suppress(OSError):
            next(iter(self._peers)).send(told)
        time.sleep(_GRACE + _LAST)
        os._exit(told.exit_code)

    def leave(self, code: int | None = None) -> None:
        """Watch no longer; where `code` is given the work has failed, and the others end with it."""
        self._left.set()
        if code is not None:
            self._end_others(code)
            for number in self._before:
                signal.signal(number, signal.SIG_IGN)  # what a launcher sends now comes too late
            threading.Thread(target=_exit_later, args=(code,), daemon=True).start()
            return
        signal.set_wakeup_fd(self._fd_before)
        for number, handler in self._before.items():
            signal.signal(number, handler)
        with suppress(OSError):
            self._waker.send(b"\0")  # the thread waits


def _exit_later(code: int) -> None:
    time.sleep(_LAST)
    os._exit(code)


def say(sentence: str) -> None:
    """Write a sentence to stderr from a thread, whatever the main one is at; the cursor may be hidden by a bar."""
    shown = "\x1b[?25h\n" if os.isatty(2) else ""
    with suppress(OSError):
        os.write(2, f"{shown}xlbias: {clean(sentence)}\n".encode("utf-8", "replace"))


def say_once(sentence: str) -> None:
    """Say why the processes end, unless another one of them on this machine has."""
    with ending.turn(otherwise=True) as mine:
        if mine:
            say(sentence)


def _keep_alive(connection: Connection) -> None:
    """Have the system close a connection to a machine that does not answer for some seconds."""
    with socket.socket(fileno=os.dup(connection.fileno())) as one:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for option, value in _KEEP_ALIVE.items():
            if hasattr(socket, option):
                one.setsockopt(socket.IPPROTO_TCP, getattr(socket, option), value)
