"""Text as it is compared when someone searches: see `xlbias.folding`."""

from __future__ import annotations

from xlbias.folding import folded

__all__ = ["folded"]
