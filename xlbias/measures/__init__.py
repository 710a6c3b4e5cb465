"""Retrieval quality and language bias: arrays and frames in, numbers out."""
