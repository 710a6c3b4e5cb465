"""How much of a task an encoder has seen in training: rows of a summary, and a sentence for the log."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import polars as pl

from xlbias.data.task import RetrievalTask
from xlbias.encode.trained_on import Fingerprints, TrainedOn, id_fingerprints, text_fingerprints
from xlbias.measures.measure import computed
from xlbias.measures.registry import measures
from xlbias.results.per_query import Key
from xlbias.results.summary import SummaryRow


class TaskTexts:
    """The fingerprints of a task's texts and ids, made once for all encoders."""

    def __init__(self, task: RetrievalTask) -> None:
        ids = task.queries["query_id"].unique(maintain_order=True)
        self._taken: dict[str, tuple[pl.Series | None, Fingerprints]] = {
            "query fingerprints": (task.queries["language"], text_fingerprints(task.queries["text"])),
            "passage fingerprints": (task.passages["language"], text_fingerprints(task.passages["text"])),
            "id fingerprints": (None, id_fingerprints(task.name, task.source, ids)),
        }

    def rows(self, trained_on: TrainedOn | None) -> list[SummaryRow]:
        """Return how many queries, passages and ids of the task were seen: over all, and of texts by language.

        What is not known is undefined. Where only a part of what an encoder was trained on is known, what was found is
        a number; that nothing was found says nothing.
        """
        known = trained_on or TrainedOn(complete=False)
        rows: list[SummaryRow] = []
        for measure in measures("seen").values():
            languages, fingerprints = self._taken[measure.takes]
            found = computed(measure, fingerprints, known, shapes=((len(fingerprints),),)) > 0
            rows += _rows(measure.name, languages, found, complete=known.complete)
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
