"""Keys as they come out of a pseudo-terminal: Escape soon, and the keys that begin with it whole."""

import fcntl
import os
import pty
import runpy
import struct
import termios
import threading
import time
import tty

import pytest
from dashboard.idle import PATIENCE

from xlbias.dashboard.app import DashboardApp
from xlbias.dashboard.terminal import driver
from xlbias.dashboard.terminal.driver import PromptDriver
from xlbias.dashboard.workers.shelf import Shelf

ESCAPE, ARROW, F5, CTRL_RIGHT = b"\x1b", b"[A", b"[15~", b"[1;5C"  # the keys without their Escape


class Reading(PromptDriver):
    """The driver's reading alone, of one end of a pseudo-terminal; what is written to the other end comes out of it."""

    def __init__(self, delay):
        self.delay, self._debug, self.keys = delay, False, []
        self.exit_event = threading.Event()
        self.keyboard, self.fileno = pty.openpty()
        tty.setraw(self.fileno)
        self.thread = threading.Thread(target=self.run_input_thread)
        self.thread.start()

    def process_message(self, message):
        self.keys.append(message.key)

    def type(self, part):
        """Write a part of a line, and wait until it has been read: what follows is another read."""
        os.write(self.keyboard, part)
        self.until(lambda: not struct.unpack("i", fcntl.ioctl(self.fileno, termios.FIONREAD, b"\0" * 4))[0])

    def until(self, holds):
        ends = time.monotonic() + PATIENCE
        while not holds():
            assert time.monotonic() < ends, self.keys
            time.sleep(0.001)

    def close(self):
        self.exit_event.set()
        self.thread.join(PATIENCE)
        os.close(self.keyboard)
        os.close(self.fileno)


@pytest.fixture
def reading(request):
    made = Reading(request.param)
    yield made
    made.close()


@pytest.mark.parametrize("reading", [0.01], indirect=True)
@pytest.mark.parametrize(
    ("typed", "keys"), [(ESCAPE, ["escape"]), (2 * ESCAPE, ["escape"] * 2), (b"a" + ESCAPE, ["a", "escape"])]
)
def test_escape_is_a_key_once_its_time_is_over(reading, typed, keys):
    reading.type(typed)
    reading.until(lambda: len(reading.keys) == len(keys))
    assert reading.keys == keys


@pytest.mark.parametrize("reading", [PATIENCE], indirect=True)
@pytest.mark.parametrize(
    ("parts", "keys"),
    [
        ([ESCAPE, ARROW], ["up"]),
        ([ESCAPE, F5, ESCAPE, CTRL_RIGHT], ["f5", "ctrl+right"]),
        ([b"a" + ESCAPE, ARROW + b"b" + ESCAPE, ARROW], ["a", "up", "b", "up"]),
        ([ESCAPE, ESCAPE + ARROW], ["escape", "up"]),
        ([b"\xc3", b"\xa9" + ESCAPE, b"OP"], ["é", "f1"]),
    ],
)
def test_a_key_of_several_bytes_is_whole_where_a_read_ends_after_its_escape(reading, parts, keys):
    for part in parts:
        reading.type(part)
    reading.until(lambda: len(reading.keys) >= len(keys))
    assert reading.keys == keys


def test_a_terminal_has_this_driver_and_a_browser_its_own(tmp_path, monkeypatch):
    app = DashboardApp(None, shelf=Shelf(tmp_path, list))
    assert app.get_driver_class() is PromptDriver
    monkeypatch.setattr("textual.constants.DRIVER", "textual.drivers.web_driver:WebDriver")
    assert app.get_driver_class().__name__ == "WebDriver"


@pytest.mark.parametrize(("set_by_the_user", "seconds"), [(None, 0.05), ("200", 0.2)])
def test_escape_is_answered_within_half_the_budget_unless_the_user_wants_longer(monkeypatch, set_by_the_user, seconds):
    monkeypatch.delenv("ESCDELAY", raising=False)
    if set_by_the_user is not None:
        monkeypatch.setenv("ESCDELAY", set_by_the_user)
        monkeypatch.setattr("textual.constants.ESCAPE_DELAY", seconds)
    assert runpy.run_path(str(driver.__file__))["PromptDriver"].delay == seconds


def test_a_terminal_that_is_gone_ends_the_reading():
    """Else the thread would read nothing, again and again, in a process that nobody sees any more."""
    reading = Reading(PATIENCE)
    os.close(reading.keyboard)
    reading.thread.join(PATIENCE)
    alive = reading.thread.is_alive()
    reading.exit_event.set()
    os.close(reading.fileno)
    assert not alive
