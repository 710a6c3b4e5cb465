"""Queries of a run: which there are, which a filter keeps, and one of them with its rankings."""
