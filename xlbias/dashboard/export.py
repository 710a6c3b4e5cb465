"""What leaves the dashboard: tables as TSV and pictures as SVG, in files of the user's state folder."""

from __future__ import annotations

import re
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from xlbias.report.tables import Matrix
from xlbias.text import clean

CLIPBOARD_LIMIT = 74_000
"""Bytes of text that terminals take by OSC 52, which allows about 100,000 of base64."""

_FORMULA = tuple("=+-@")
_FONT_FACE = re.compile(r"@font-face\s*\{[^}]*\}\s*")


def tsv(head: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """Return tab-separated lines: numbers in full, text cleaned and inert in spreadsheets, nothing for null."""
    return "".join("\t".join(_field(value) for value in line) + "\n" for line in (head, *rows))


def matrix_tsv(matrix: Matrix, languages: Sequence[str], pools: Sequence[str]) -> str:
    """Return rows and columns of a matrix in the given order, with the measure's name in the corner."""
    row_of = {language: r for r, language in enumerate(matrix.query_languages)}
    column_of = {pool: c for c, pool in enumerate(matrix.pools)}
    rows = ([q, *(matrix.values[row_of[q]][column_of[pool]] for pool in pools)] for q in languages)
    return tsv([matrix.measure.name, *pools], rows)


def without_fonts(svg: str) -> str:
    """Return an SVG that loads nothing: without the web fonts that Rich names."""
    return _FONT_FACE.sub("", svg)


def save(folder: Path, name: str, suffix: str, content: str) -> Path:
    """Write a new file named after `name` and the time, and return its path. Raises OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    stem = re.sub(r"[^A-Za-z0-9._-]+", "-", name).strip("-.")[:60] or "xlbias"
    stamp = time.strftime("%Y%m%d-%H%M%S")
    for number in range(1, 1000):
        path = folder / f"{stem}-{stamp}{f'-{number}' if number > 1 else ''}.{suffix}"
        try:
            with path.open("x", encoding="utf-8", newline="\n") as file:
                file.write(content)
        except FileExistsError:
            continue
        return path
    raise OSError(f"{folder}: too many files of this second")


def state_folder() -> Path:
    """The user's folder for such files; never the run's own folder, which may be shared or read-only."""
    from platformdirs import user_state_path

    return user_state_path("xlbias", appauthor=False)


def _field(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return repr(value)
    text = clean(str(value))
    return f"'{text}" if isinstance(value, str) and text.startswith(_FORMULA) else text
