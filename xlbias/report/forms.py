"""The formats of each kind of report, in the order in which they are offered."""

from __future__ import annotations

DOCUMENT_FORMATS = ("text", "markdown", "latex", "html")
"""Of any document, see `xlbias.report.render.render`."""

REPORT_FORMATS = ("text", "json", "csv", "markdown", "latex", "html")
"""Of the audit of runs."""

COMPARISON_FORMATS = (*DOCUMENT_FORMATS, "csv", "json")
"""Of a comparison."""

BLOCK_FORMATS = ("tsv", "markdown", "latex")
"""Of one table or matrix."""

SECTIONS = ("overview", "bias", "alignment", "texts", "training", "encoders", "caveats", "notes")
"""Sections of the audit as text, which can be asked for by name."""
