"""How often tasks and languages are drawn: in proportion to their size, each as often, in between, or by weights."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from xlbias.choices import listed, suggestion
from xlbias.errors import TrainingError
from xlbias.train.sampling.language_rows import CHUNK, LanguageRows

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Shares:
    """How often tasks, and languages within a task, are drawn.

    Something of size n is drawn in proportion to n to the power of its exponent, as in the pretraining of mBERT and
    XLM-R: 1 is in proportion to the size, 0 each as often. Weights replace this; what has none has 1, and what has 0 is
    not drawn.

    Attributes:
        task_exponent: of tasks, whose size is their number of ids.
        language_exponent: of languages, whose size is the number of ids with a text in it.
        task_weights: by task name.
        language_weights: by BCP 47 tag; for a pair of languages, their product.
        balanced: kinds of batches and the languages of monolingual ones come in turn, not by chance: every stretch of
            a training has its share of each. Weights and exponents of languages are for chance only.
    """

    task_exponent: float = 1.0
    language_exponent: float = 0.0
    task_weights: Mapping[str, float] = field(default_factory=dict)
    language_weights: Mapping[str, float] = field(default_factory=dict)
    balanced: bool = False

    def check(self, tasks: Iterable[str], languages: Iterable[str]) -> None:
        """Raise TrainingError where a weight is that of nothing there, or leaves nothing to draw."""
        for what, weights, there in (
            ("task", self.task_weights, list(tasks)),
            ("language", self.language_weights, list(languages)),
        ):
            for name in weights:
                if name not in there:
                    close = suggestion(name, there)
                    raise TrainingError(
                        f"{what}_weights: there is no {what} {name!r}{close}: choose from {listed(there)}"
                    )
            if not any(weights.get(name, 1.0) for name in there):
                raise TrainingError(f"{what}_weights: all are 0, so that nothing could be drawn")

    def of_tasks(self, names: Sequence[str], sizes: Sequence[int]) -> Floats:
        """Return the weight of each task: it is drawn in proportion to it."""
        if self.task_weights:
            return np.array([self.task_weights.get(name, 1.0) for name in names], dtype=np.float64)
        weights: Floats = np.asarray(sizes, dtype=np.float64) ** self.task_exponent
        return weights

    def of_languages(self, languages: Sequence[str], rows: Sequence[LanguageRows]) -> Floats | None:
        """Return the weight of each language code; None where all have the same.

        `rows` say which ids have a text in which language; with more than one, an id must have all of them.
        """
        if self.language_weights:
            return np.array([self.language_weights.get(language, 1.0) for language in languages], dtype=np.float64)
        if not self.language_exponent:
            return None
        sizes = sum_of_languages(rows, len(languages)).astype(np.float64)
        weights: Floats = np.where(sizes > 0, np.maximum(sizes, 1.0) ** self.language_exponent, 0.0)
        return weights


def sum_of_languages(rows: Sequence[LanguageRows], n_languages: int) -> npt.NDArray[np.int64]:
    """Return how many ids have all of `rows` in each language, int64 [n_languages]."""
    found = np.zeros(n_languages, dtype=np.int64)
    for start in range(0, len(rows[0]), CHUNK):
        some = slice(start, start + CHUNK)
        found += np.logical_and.reduce([one.has(some) for one in rows]).sum(axis=0)
    return found


def draw_weighted(weights: Floats, rng: np.random.Generator) -> npt.NDArray[np.int64]:
    """Draw a column for each row of `weights` [n, m] in proportion to its values; every row must have some."""
    ends = np.cumsum(weights, axis=1)
    at = rng.random(len(weights)) * ends[:, -1]
    drawn: npt.NDArray[np.int64] = (ends > at[:, None]).argmax(axis=1)
    return drawn
