"""How much of a task an encoder has seen in training: rows of a summary, and a sentence for the log."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

import numpy as np
import numpy.typing as npt
import polars as pl

from xlbias.data.task import RetrievalTask
from xlbias.encode.trained_on import TrainedOn, id_fingerprints, text_fingerprints
from xlbias.measures.measure import computed
from xlbias.measures.registry import measures
from xlbias.results.per_query import Key
from xlbias.results.summary import SummaryRow


class TaskTexts:
    """The texts and ids of a task; their fingerprints are made once, for the first encoder whose training is known."""

    def __init__(self, task: RetrievalTask) -> None:
        self._sides = {"query fingerprints": task.queries, "passage fingerprints": task.passages}
        self._ids = id_fingerprints(task.name, task.source, task.queries["query_id"].unique(maintain_order=True))
        self._fingerprints = cache(lambda takes: text_fingerprints(self._sides[takes]["text"]))

    def rows(self, trained_on: TrainedOn | None) -> list[SummaryRow]:
        """Return how many queries, passages and ids of the task were seen: over all, and of texts by language.

        What is not known is undefined. Where only a part of what an encoder was trained on is known, what was found is
        a number; that nothing was found says nothing.
        """
        rows: list[SummaryRow] = []
        for measure in measures("seen").values():
            side = self._sides.get(measure.takes)
            found = np.zeros(len(self._ids) if side is None else side.height, dtype=np.bool_)
            if trained_on is not None:
                fingerprints = self._ids if side is None else self._fingerprints(measure.takes)
                found = computed(measure, fingerprints, trained_on, shapes=(found.shape,)) > 0
            languages = None if side is None else side["language"]
            rows += _rows(measure.name, languages, found, complete=trained_on is not None and trained_on.complete)
        return rows


def _rows(
    measure: str, languages: pl.Series | None, found: npt.NDArray[np.bool_], *, complete: bool
) -> Iterator[SummaryRow]:
    yield _row(Key(measure), int(found.sum()), len(found), complete=complete)
    if languages is None:
        return
    counts = (
        pl.DataFrame({"language": languages, "seen": found}).group_by("language").agg(pl.col("seen").sum(), pl.len())
    )
    for language, n_seen, total in counts.sort("language").iter_rows():
        yield _row(Key(measure, None, language), n_seen, total, complete=complete)


def _row(key: Key, n_seen: int, total: int, *, complete: bool) -> SummaryRow:
    nan, known = float("nan"), complete or n_seen > 0
    n = total if known else 0
    return SummaryRow(key, n_seen if known else nan, nan, nan, None, n, n, 0, int(known), int(not known), total - n)
