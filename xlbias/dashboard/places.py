"""The screens of the dashboard, by name."""

from __future__ import annotations

OVERVIEW, MATRIX, BIAS, DOMAINS = "overview", "matrix", "bias", "domains"
QUERIES, QUERY, TRAINING = "queries", "query", "training"
NOTICE = "notice"
"""Shown while there is no run to show."""

TITLES = {
    OVERVIEW: "Overview", MATRIX: "Matrix", BIAS: "Bias", DOMAINS: "Domains", QUERIES: "Queries", QUERY: "Query",
    TRAINING: "Training",
}  # fmt: skip
"""Screens in the order of their numbers."""

PARENT = {
    MATRIX: OVERVIEW, BIAS: OVERVIEW, DOMAINS: OVERVIEW, QUERIES: MATRIX, QUERY: QUERIES, TRAINING: OVERVIEW,
}  # fmt: skip
"""Where Escape leads from a screen that was not opened from another one."""
