"""Language identifiability: how well a linear classifier tells a text's language from its vector."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from xlbias.measures.alignment.parallel import BLOCK, Vectors
from xlbias.measures.measure import Measure
from xlbias.measures.ragged import Floats, Ints

TRAINING_ROWS = 4_000
"""Texts that a classifier learns from at most: whole ids, drawn with the seed."""


def language_identifiability(vectors: Vectors, languages: Ints, ids: Ints, seed: int = 0) -> Floats:
    """Return for each text whether its language is recognised: float64 [n] of 1, 0, or NaN.

    Args:
        vectors: float32 [n, d].
        languages: int64 [n].
        ids: int64 [n]; translations share an id, and stand on one side of the split.
        seed: of the split.

    Ids are split into halves; a multinomial logistic regression (scikit-learn's defaults, languages weighted equally)
    learns each half from the other. NaN where the other half has no text in the language, or in no second one. Chance
    is 1 / languages. Below chance is chance too: vectors centred per language *on these very texts* have opposite
    means in the two halves, so that the classifier is led astray.
    """
    distinct = np.random.default_rng(seed).permutation(np.unique(ids))
    half = len(distinct) // 2
    found = np.full(len(ids), np.nan)
    for learnt, asked in ((distinct[:half], distinct[half:]), (distinct[half:], distinct[:half])):
        training = np.flatnonzero(np.isin(ids, _first_ids(learnt, ids)))
        testing = np.flatnonzero(np.isin(ids, asked) & np.isin(languages, languages[training]))
        if len(testing) and len(np.unique(languages[training])) > 1:
            predict = _classifier(vectors[training], languages[training])
            for start in range(0, len(testing), BLOCK):
                rows = testing[start : start + BLOCK]
                found[rows] = predict(vectors[rows]) == languages[rows]
    return found


def _first_ids(order: Ints, ids: Ints) -> Ints:
    """Return the first ids of `order` that have no more than TRAINING_ROWS texts together."""
    values, counts = np.unique(ids, return_counts=True)
    rows = np.cumsum(counts[np.searchsorted(values, order)])
    return order[: np.searchsorted(rows, TRAINING_ROWS, side="right")]


def _classifier(training: Vectors, languages: Ints) -> Callable[[Vectors], npt.NDArray[np.int64]]:
    """Return what says of vectors which language they seem to be in.

    Vectors are centred and scaled by one number, so that regularisation means the same for every encoder and a
    rotation changes nothing.
    """
    from sklearn.linear_model import LogisticRegression

    centre = training.mean(axis=0, dtype=np.float64)
    centred = training - centre
    scale = float(np.sqrt((centred**2).mean())) or 1.0
    model = LogisticRegression(class_weight="balanced", max_iter=1000).fit(centred / scale, languages)
    return lambda vectors: np.asarray(model.predict((vectors - centre) / scale), dtype=np.int64)


MEASURES = (
    Measure(
        name="language_identifiability",
        label="language ID",
        family="alignment",
        definition=(
            "share of texts whose language a linear classifier recognises from the vector, mean over languages; "
            "chance is 1 / languages"
        ),
        compute=language_identifiability,
        takes="labelled vectors",
        source="Libovický et al. 2020",
        better="low",
        undefined="for fewer than 2 languages, or too few ids to split",
    ),
)
