"""A picture of a few colours as PNG (W3C PNG, third edition): a byte a pixel, with a palette."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence

from xlbias.colour import RGB

_SIGNATURE = b"\x89PNG\r\n\x1a\n"


def png(rows: Sequence[Sequence[int]], palette: Sequence[RGB], opacities: Sequence[int] = ()) -> bytes:
    """Return a picture as the bytes of a PNG file.

    Args:
        rows: [height][width], for each pixel its place in the palette.
        palette: at most 256 colours.
        opacities: of the colours, from 0 (nothing is seen) to 255; those without one are opaque.
    """
    header = struct.pack(">IIBBBBB", len(rows[0]), len(rows), 8, 3, 0, 0, 0)
    pixels = zlib.compress(b"".join(b"\0" + bytes(row) for row in rows), 9)
    parts = [(b"IHDR", header), (b"PLTE", bytes(channel for colour in palette for channel in colour))]
    parts += [(b"tRNS", bytes(opacities))] if opacities else []
    return _SIGNATURE + b"".join(_chunk(*part) for part in [*parts, (b"IDAT", pixels), (b"IEND", b"")])


def _chunk(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))
