"""When the application under test has nothing left to do.

Textual takes a process that uses no processor for idle, which on a busy machine is one that was given none. Here it is
asked itself: whether a message waits or is being worked off anywhere, whether a worker reads, whether anything is to be
laid out or painted. That is true or not on a machine of any speed, and costs no pause.
"""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from textual._context import active_app
from textual.app import App
from textual.message_pump import MessagePump
from textual.timer import Timer

PATIENCE = 60.0  # seconds; a test that waits so long has found something
_LOOKS = 4  # a key takes three turns of the loop from the driver to the queue, and a thread's message one
_SOON = 1.0  # seconds; a toast stays longer
_NAP = 0.002  # seconds between two looks at what a thread is about to finish

_gates: list[threading.Event] = []


@contextmanager
def gate() -> Iterator[threading.Event]:
    """An event for workers to wait for: until it is set the application is idle although they are at work."""
    _gates.append(threading.Event())
    try:
        yield _gates[-1]
    finally:
        _gates.pop().set()


def what_is_left(app: App) -> str:
    """Return what the application still has to do before it waits for a key, nothing where it is idle."""
    for pump in _pumps(app):
        if not _waits_for_a_message(pump):
            return f"{pump} works off messages"
    if app._resize_timer is not None:
        return "the terminal has another size"
    if app._batch_count:
        return "updates are held back"
    screen = app.screen
    wanted = (screen._layout_required, screen._scroll_required, screen._repaint_required, screen._recompose_required)
    if any(wanted) or screen._dirty_widgets or screen._callbacks:
        return f"{screen} is to be laid out or painted"
    if not app.animator._complete_event.is_set():
        return "something moves"
    reading = [worker.name for worker in app.workers if not worker.is_finished]
    held = any(not one.is_set() for one in _gates)
    return f"{', '.join(reading)} at work" if reading and not held else ""


async def idle(app: App, seconds: float = PATIENCE) -> None:
    """Wait until the application has nothing to do; not for what timers and threads of its own bring later."""
    loop = asyncio.get_running_loop()
    ends = loop.time() + seconds
    seen = 0
    while seen < _LOOKS:
        await asyncio.sleep(0)
        if app._exception is not None or app._exit or not app._running:
            return
        left = what_is_left(app)
        if not left:
            seen += 1
            continue
        seen = 0
        if loop.time() > ends:
            raise AssertionError(f"after {seconds:.0f} s {left}")
        if not left.endswith("messages"):
            app.screen._on_timer_update()  # paint now, instead of at the next sixtieth of a second
            await asyncio.sleep(_NAP)


async def rested(app: App, seconds: float = PATIENCE) -> None:
    """Wait until the application is idle and also what it puts off for a moment has come, as once a cursor rests."""
    ends = asyncio.get_running_loop().time() + seconds
    await idle(app, seconds)
    while late := [timer for pump in _pumps(app) for timer in pump._timers if _comes_soon(timer)]:
        if asyncio.get_running_loop().time() > ends:
            raise AssertionError(f"after {seconds:.0f} s {late} have not come")
        await asyncio.sleep(_NAP)
        await idle(app, seconds)


async def wait_for_idle(min_sleep: float = 0, max_sleep: float = 0) -> None:
    """What Textual's pilot waits with between keys, in place of a look at the processor's time."""
    await idle(active_app.get())


def _pumps(app: App) -> Iterator[MessagePump]:
    yield app
    for stack in app._screen_stacks.values():
        for screen in stack:
            yield from screen.walk_children(with_self=True)


def _comes_soon(timer: Timer) -> bool:
    return timer._repeat == 0 and timer._interval <= _SOON and timer._task is not None and not timer._task.done()


def _waits_for_a_message(pump: MessagePump) -> bool:
    if pump._closed or pump._closing:
        return True
    return pump._pending_message is None and any(not one.done() for one in pump._message_queue.ready_event._waiters)
