"""Retrieval tasks: what is searched, in which languages, and what is relevant."""
