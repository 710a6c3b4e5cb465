"""How much of a task an encoder has seen in training: rows of a summary, and a sentence for the log."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import polars as pl

from xlbias.data.task import RetrievalTask
from xlbias.encode.trained_on import Fingerprints, TrainedOn, id_fingerprints, text_fingerprints
from xlbias.measures.seen.training import seen
from xlbias.results.per_query import Key
from xlbias.results.summary import SummaryRow

_SIDES = ("queries", "passages")


class TaskTexts:
    """The fingerprints of a task's texts and ids, made once for all encoders."""

    def __init__(self, task: RetrievalTask) -> None:
        self._sides: dict[str, tuple[pl.Series, Fingerprints]] = {
            side: (frame["language"], text_fingerprints(frame["text"]))
            for side, frame in zip(_SIDES, (task.queries, task.passages), strict=True)
        }
        ids = task.queries["query_id"].unique(maintain_order=True)
        self._n_ids = len(ids)
        self._ids = id_fingerprints(task.name, task.source, ids)

    def rows(self, trained_on: TrainedOn | None) -> list[SummaryRow]:
        """Return how many queries, passages and ids of the task were seen: over all, and of texts by language.

        What is not known is undefined. Where only a part of what an encoder was trained on is known, what was found is
        a number; that nothing was found says nothing.
        """
        known = trained_on or TrainedOn(complete=False)
        rows: list[SummaryRow] = []
        for prefix, part in (("seen", known.texts), ("validated", known.validation)):
            for side, (languages, fingerprints) in self._sides.items():
                rows += _rows(f"{prefix}_{side}", languages, seen(fingerprints, part), complete=known.complete)
        n_seen = int(seen(self._ids, known.ids).sum())
        return [*rows, _row(Key("seen_ids"), n_seen, self._n_ids, complete=known.complete)]


def _rows(measure: str, languages: pl.Series, found: npt.NDArray[np.bool_], *, complete: bool) -> Iterator[SummaryRow]:
    yield _row(Key(measure), int(found.sum()), len(found), complete=complete)
    counts = (
        pl.DataFrame({"language": languages, "seen": found}).group_by("language").agg(pl.col("seen").sum(), pl.len())
    )
    for language, n_seen, total in counts.sort("language").iter_rows():
        yield _row(Key(measure, None, language), n_seen, total, complete=complete)


def _row(key: Key, n_seen: int, total: int, *, complete: bool) -> SummaryRow:
    nan, known = float("nan"), complete or n_seen > 0
    n = total if known else 0
    return SummaryRow(key, n_seen if known else nan, nan, nan, None, n, n, 0, int(known), int(not known), total - n)
