"""What the libraries print while they load a model, kept from the terminal: it holds names that anyone chose."""

from __future__ import annotations

import io
import logging
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout

from xlbias.text import clean

MOST_LINES = 8
_LONGEST = 300
_REPORT = "LOAD REPORT"
"""In transformers' table of missing and unexpected tensors; `xlbias.encode.weights` says what matters of it."""


@contextmanager
def captured() -> Iterator[list[str]]:
    """Keep the block from printing; when it ends, the list has the lines that it would have printed, inert.

    That is what it writes to Python's standard streams, logs and warns of; tables of what a checkpoint lacks are left
    out.
    """
    lines: list[str] = []
    warned: list[warnings.WarningMessage] = []
    printed, logged = io.StringIO(), _Kept()
    handlers = [handler for handler in _handlers() if not isinstance(handler, logging.FileHandler)]
    for handler in handlers:
        handler.addFilter(logged)
    try:
        with redirect_stdout(printed), redirect_stderr(printed), warnings.catch_warnings(record=True) as warned:
            yield lines
    finally:
        for handler in handlers:
            handler.removeFilter(logged)
        for handler in _handlers():  # made meanwhile
            if isinstance(handler, logging.StreamHandler) and handler.stream is printed:
                handler.setStream(sys.stderr)
        lines += _inert([*logged.messages, *(str(warning.message) for warning in warned), printed.getvalue()])


class _Kept(logging.Filter):
    """Takes the records of handlers: a filter of theirs leaves loggers, levels and formats as they are."""

    def __init__(self) -> None:
        super().__init__()
        self.messages: list[str] = []

    def filter(self, record: logging.LogRecord) -> bool:
        self.messages.append(record.getMessage())
        return False


def _handlers() -> Iterator[logging.Handler]:
    if logging.lastResort:
        yield logging.lastResort
    yield from logging.root.handlers
    for logger in list(logging.root.manager.loggerDict.values()):
        if isinstance(logger, logging.Logger):
            yield from logger.handlers


def _inert(messages: list[str]) -> list[str]:
    texts = [message for message in messages if _REPORT not in message]
    lines = [clean(line).strip()[:_LONGEST] for text in texts for line in text.splitlines()]
    lines = list(dict.fromkeys(line for line in lines if line))
    more = len(lines) - MOST_LINES
    return lines if more <= 1 else [*lines[:MOST_LINES], f"and {more} more lines"]
