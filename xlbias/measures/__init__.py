"""Retrieval quality, language bias and alignment: arrays in, numbers out; one measure a file."""
