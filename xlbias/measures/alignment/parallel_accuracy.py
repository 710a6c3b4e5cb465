"""Parallel retrieval accuracy: whether a text's nearest neighbour in another language is its translation."""

from __future__ import annotations

import numpy as np

from xlbias.measures.alignment.similarity import NEIGHBOURS, Similarity
from xlbias.measures.measure import Measure
from xlbias.measures.ragged import Floats


def parallel_accuracy(similarity: Similarity) -> Floats:
    """Return 1 for each text whose translation is nearer than every other candidate, else 0: float64 [n].

    A tie is a miss: where all vectors are equal, accuracy is 0.
    """
    own = similarity.of_translations
    return np.where((similarity.nearest >= own[:, None]).sum(axis=1) == 1, 1.0, 0.0)


def csls_accuracy(similarity: Similarity) -> Floats:
    """Return the same by cross-domain similarity local scaling (CSLS), float64 [n].

    CSLS(x, y) = 2 cos(x, y) − r(x) − r(y), where r is the mean similarity to the nearest 10 texts of the other
    language, to all of them where there are fewer; it takes hubs down.
    """
    return similarity.is_nearest_scaled.astype(np.float64)


MEASURES = (
    Measure(
        name="parallel_accuracy",
        label="P@1",
        family="alignment",
        definition="share of texts whose nearest neighbour in the other language is their translation; a tie is a miss",
        compute=parallel_accuracy,
        takes="similarity",
        source="Artetxe and Schwenk 2019",
        undefined="for two languages that share fewer than 2 ids",
    ),
    Measure(
        name="parallel_accuracy.csls",
        label="P@1 CSLS",
        family="alignment",
        definition=f"the same with similarities scaled by those of the nearest {NEIGHBOURS}, which takes hubs down",
        compute=csls_accuracy,
        takes="similarity",
        source="Conneau et al. 2018",
        undefined="for two languages that share fewer than 2 ids",
    ),
)
