"""The terminal: how long an Escape waits for what may follow it, and what is sent of colours."""

from __future__ import annotations

import os
import select
from codecs import getincrementaldecoder
from typing import Final

from textual import constants, events
from textual._xterm_parser import XTermParser
from textual.drivers.linux_driver import LinuxDriver

from xlbias.dashboard.terminal.styling import shortened

ESCAPE: Final = "\x1b"
_LOOK: Final = 0.1  # seconds between two looks at whether the reading is to end, as in Textual


class PromptDriver(LinuxDriver):
    """Textual's driver, but for Escape, which it takes for a key of its own after `delay` seconds.

    Arrow and function keys begin with the same byte. Textual looks every 100 ms whether more has come, whatever
    ``ESCDELAY`` says. Here Escape is held back until something follows it or the time is over. Once one of these keys
    has begun, its further bytes have the time that Textual gives them.

    Of colours and styles only what changes is sent.
    """

    delay: float = constants.ESCAPE_DELAY if "ESCDELAY" in os.environ else 0.05

    def write(self, data: str) -> None:
        """Send a frame, or a sequence of its own, in as few bytes as have the same effect."""
        super().write(shortened(data))

    def run_input_thread(self) -> None:
        """Pass on what is read until the application leaves or waits in the background."""
        parser = XTermParser(self._debug)
        decode = getincrementaldecoder("utf-8")("replace").decode
        held = ""  # Escapes that nothing has followed yet
        while not self.exit_event.is_set():
            if select.select([self.fileno], [], [], self.delay if held else _LOOK)[0]:
                data = os.read(self.fileno, 1 << 12)
                if not data:  # the terminal is gone
                    return
                text = held + decode(data)
                begun = text.rstrip(ESCAPE)
                held = text[len(begun) :]
                messages = [*(parser.feed(begun) if begun else ()), *parser.tick()]
            else:
                messages = [*parser.tick(), *(events.Key("escape", ESCAPE) for _ in held)]
                held = ""
            for message in messages:
                self.process_message(message)
