"""Text of anyone as HTML that shows it."""

from __future__ import annotations

from html import escape as _escape

from xlbias.text import clean


def escape(text: str) -> str:
    """Return a text as HTML that shows it, in elements and in attributes: no markup, no control character."""
    return _escape(clean(text), quote=True)
