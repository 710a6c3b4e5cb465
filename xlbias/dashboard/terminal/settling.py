"""How long a new screen is held back until it has its layout."""

from __future__ import annotations

SETTLING = 0.03
"""Seconds; held back so long, a slow link gets half as many frames of a new screen."""
