"""Alignment of representations: how close the vectors of translations lie, without any ranking.

`audit.alignment_rows` takes every measure over every language pair. The functions by themselves take unit vectors
[n, d] (for two languages: row i of both is the same text), a `Similarity` of two such matrices (accuracy, hubness), or
all vectors with their languages and ids (identifiability).
"""
