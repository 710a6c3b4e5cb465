"""A document in the format asked for."""

from __future__ import annotations

import shutil
from typing import Literal, get_args

from xlbias.errors import UsageError
from xlbias.report.document import Document

Form = Literal["text", "markdown", "latex", "html"]

_WIDTH_OF_A_FILE = 120


def render(document: Document, form: str, *, to_file: bool = False) -> str:
    """Return a document as ``text`` (as wide as the terminal), ``markdown``, ``latex`` or ``html``."""
    if form == "text":
        from xlbias.report.plain import to_plain

        width = _WIDTH_OF_A_FILE if to_file else max(60, shutil.get_terminal_size((100, 24)).columns)
        return to_plain(document, width)
    if form == "markdown":
        from xlbias.report.markdown import to_markdown

        return to_markdown(document)
    if form == "latex":
        from xlbias.report.latex import to_latex

        return to_latex(document)
    if form == "html":
        from xlbias.report.html import to_html

        return to_html([document])
    raise UsageError(f"unknown format {form!r}; there are {', '.join(get_args(Form))}")
