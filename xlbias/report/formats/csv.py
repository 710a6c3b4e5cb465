"""CSV and TSV: texts that no spreadsheet and no terminal executes."""

from __future__ import annotations

import re
from typing import Any

from xlbias.text import clean

_FORMULA = re.compile(r"^\s*[=+\-@＝＋－＠]")


def safe(value: Any) -> str | None:
    """Return a text as no spreadsheet and no terminal executes it; None stays None."""
    if value is None:
        return None
    text = clean(str(value))
    return f"'{text}" if _FORMULA.match(text) else text
