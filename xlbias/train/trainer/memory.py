"""Keeps freed memory for the next step, where the C library can be told to."""

from __future__ import annotations

import ctypes
from contextlib import suppress

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3  # of glibc's malloc.h
_LARGE = 1 << 30


def keep_freed_memory() -> None:
    """Let arrays of up to a gigabyte come from memory that was freed before; without effect but on glibc.

    The gradient of a table of vectors is a fresh array of its size in every step. By default glibc gives such arrays
    back to the operating system at once, and zeroing their pages again takes as long as the gradient itself.
    """
    with suppress(OSError, AttributeError, TypeError):
        malloc = ctypes.CDLL(None)
        malloc.mallopt(_M_MMAP_THRESHOLD, _LARGE)
        malloc.mallopt(_M_TRIM_THRESHOLD, 2**31 - 1)
