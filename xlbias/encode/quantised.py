"""Vectors of eight bits a number, as sentence-transformers makes them: what an index of such vectors would rank by."""

from __future__ import annotations

import numpy as np

from xlbias.encode.options import Similarity
from xlbias.encode.similarity import Vectors, unit


def as_int8(passages: Vectors, queries: Vectors, similarity: Similarity) -> tuple[Vectors, Vectors]:
    """Return passages and queries as whole numbers from -128 to 127, float32 [n, d]; of length 1 for cosine.

    A dimension's steps are 255 equal parts from the least to the greatest value that the passages have there; a query
    beyond them gets the nearest step.
    """
    from sentence_transformers.util.quantization import quantize_embeddings

    if not len(passages):
        return passages, queries
    ranges = np.vstack([passages.min(axis=0), passages.max(axis=0)])
    found = [quantize_embeddings(some, "int8", ranges=ranges).astype(np.float32) for some in (passages, queries)]
    return (unit(found[0]), unit(found[1])) if similarity == "cosine" else (found[0], found[1])
