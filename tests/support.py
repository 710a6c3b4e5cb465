"""Vectors and runs that several tests build."""

import zlib

import numpy as np


def ngram_counts(texts: list[str], dimension: int = 48) -> np.ndarray:
    """Hashed character-trigram counts: small integers, so every float32 dot product is exact, and ties are many."""
    vectors = np.zeros((len(texts), dimension), dtype=np.float32)
    for i, text in enumerate(texts):
        for start in range(max(1, len(text) - 2)):
            vectors[i, zlib.crc32(text[start : start + 3].encode()) % dimension] += 1
    return vectors
