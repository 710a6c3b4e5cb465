"""Hubness: whether a few texts are the nearest neighbours of many."""

from __future__ import annotations

import numpy as np

from xlbias.measures.alignment.similarity import NEIGHBOURS, Similarity
from xlbias.measures.measure import Measure
from xlbias.measures.ragged import Floats


def hubness(similarity: Similarity) -> float:
    """Return the skewness of k-occurrence, k = 10: of how often each text is among the nearest k of the other language.

    0 where all are found equally often, above where there are hubs; E[(N − μ)³] / σ³. NaN for k texts or fewer, and
    where every text occurs exactly k times.
    """
    if similarity.n <= NEIGHBOURS:
        return float("nan")
    deviation = occurrences(similarity) - NEIGHBOURS  # n texts name k each, so the mean is k
    spread = float(np.sqrt((deviation**2).mean()))
    return float((deviation**3).mean() / spread**3) if spread > 1e-9 else float("nan")


def occurrences(similarity: Similarity) -> Floats:
    """Return how often each column is among the nearest 10 of a row, float64 [n], for more than 10 texts.

    Columns tied for a row's last places share them equally, so that the order of texts does not matter.
    """
    return similarity.occurrences


MEASURES = (
    Measure(
        name="hubness",
        label="hubness",
        family="alignment",
        definition=f"skewness of how often texts are among the nearest {NEIGHBOURS} of the other language's texts",
        compute=hubness,
        takes="similarity",
        source="Radovanović et al. 2010",
        low=float("-inf"),
        high=float("inf"),
        better="low",
        undefined=f"for two languages that share {NEIGHBOURS} ids or fewer, or where no text is found more than others",
    ),
)
