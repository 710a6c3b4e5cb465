"""Language identifiability: how well a linear classifier tells a text's language from its vector."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import numpy.typing as npt

from xlbias.blas import one_thread
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

    def recognise(learnt: Ints, asked: Ints) -> None:
        training = np.flatnonzero(np.isin(ids, _first_ids(learnt, ids)))
        testing = np.flatnonzero(np.isin(ids, asked) & np.isin(languages, languages[training]))
        if len(testing) and len(np.unique(languages[training])) > 1:
            predict = _classifier(vectors[training], languages[training])
            for start in range(0, len(testing), BLOCK):
                rows = testing[start : start + BLOCK]
                found[rows] = predict(vectors[rows]) == languages[rows]

    # A few classes make products too small to share: threads of BLAS would wait for one another ten times as long as
    # they work.
    halves = (distinct[:half], distinct[half:])
    with one_thread(), ThreadPoolExecutor(2) as workers:
        list(workers.map(recognise, halves, reversed(halves)))
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
    centre = training.mean(axis=0, dtype=np.float64)
    centred = training - centre
    scale = float(np.sqrt((centred**2).mean())) or 1.0
    classes, weights = _fitted(centred / scale, languages)

    def predict(vectors: Vectors) -> npt.NDArray[np.int64]:
        found: npt.NDArray[np.int64] = classes[_raw(weights, ((vectors - centre) / scale).T).argmax(axis=0)]
        return found

    return predict


def _fitted(rows: Floats, labels: Ints) -> tuple[Ints, Floats]:
    """Return the classes, and a logistic regression's weights of each and its intercept, float64 [n_classes, d + 1].

    What scikit-learn's LogisticRegression(class_weight="balanced", max_iter=1000) finds, by the same steps of the same
    optimiser: of two classes the first has no weights. That library is not used here as it takes longer to import than
    this to run.

    Args:
        rows: float64 [n, d].
        labels: int64 [n], of at least two classes.
    """
    from scipy.optimize import minimize  # slow to import, and not needed to open a run

    classes, code = np.unique(labels, return_inverse=True)
    n, d = rows.shape
    share = 1.0 / (len(classes) * np.bincount(code)[code])  # each class weighs the same, and all together 1
    free = len(classes) if len(classes) > 2 else 1
    columns, each = np.ascontiguousarray(rows.T), np.arange(n)

    def whole(free_weights: Floats) -> Floats:
        return np.vstack([np.zeros((len(classes) - free, d + 1)), free_weights.reshape(free, d + 1)])

    def loss(free_weights: Floats) -> tuple[float, Floats]:
        weights = whole(free_weights)
        odds = _raw(weights, columns)
        odds -= odds.max(axis=0)
        own = odds[code, each]
        np.exp(odds, out=odds)
        total = odds.sum(axis=0)
        value = float((share * (np.log(total) - own)).sum() + (weights[:, :d] ** 2).sum() / (2 * n))
        odds /= total
        odds[code, each] -= 1.0
        odds *= share
        slope = np.hstack([odds @ rows + weights[:, :d] / n, odds.sum(axis=1, keepdims=True)])
        return value, slope[len(classes) - free :].reshape(-1)

    steps = {"maxiter": 1000, "maxls": 50, "gtol": 1e-4, "ftol": 64 * np.finfo(np.float64).eps}
    found = minimize(loss, np.zeros(free * (d + 1)), jac=True, method="L-BFGS-B", options=steps)
    return classes.astype(np.int64), whole(found.x)


def _raw(weights: Floats, columns: Floats) -> Floats:
    """Return the log odds of each class, float64 [n_classes, n], of vectors [d, n]."""
    odds: Floats = weights[:, :-1] @ columns + weights[:, -1:]
    return odds


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
