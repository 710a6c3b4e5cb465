"""What is written down while a training runs: what was drawn, and the rows of the journal."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl

from xlbias.runs.journal import Journal
from xlbias.train.sampling.batch import Batch
from xlbias.train.sampling.codeswitch import SwitchCounts
from xlbias.train.sampling.pairs import PairTexts

Row = dict[str, Any]


class Tally:
    """Counts what `world` processes draw together: batches by kind and task, pairs by language pair, hard negatives."""

    def __init__(self, texts: PairTexts, world: int = 1) -> None:
        self.languages = texts.languages
        self.task_names = [task.name for task in texts.tasks]
        self.kinds: Counter[str] = Counter()
        self.tasks: Counter[str] = Counter()
        self.pairs = np.zeros((len(self.languages),) * 2, dtype=np.int64)
        self.negatives = 0
        self.world = world
        self.words: SwitchCounts | None = getattr(texts.switch, "counts", None)
        """Of code-switching, which counts for itself, this process's texts only."""

    def add(self, batch: Batch) -> None:
        """Count one batch."""
        self.kinds[batch.kind] += 1
        self.tasks[self.task_names[batch.task]] += 1
        np.add.at(self.pairs, (batch.query_language, batch.passage_language), 1)
        self.negatives += len(batch.negatives) // self.world * self.world  # see `Batch.part`

    def as_dict(self) -> dict[str, Any]:
        """Return ``by_kind``, ``by_task``, ``pairs`` ({query language: {passage language: count}}), ``negatives``."""
        pairs: dict[str, dict[str, int]] = {}
        for query, passage in zip(*(axis.tolist() for axis in np.nonzero(self.pairs)), strict=True):
            of_query = pairs.setdefault(self.languages[query], {})
            of_query[self.languages[passage]] = int(self.pairs[query, passage])
        return {"by_kind": dict(self.kinds), "by_task": dict(self.tasks), "pairs": pairs, "negatives": self.negatives}

    def restore(self, counts: Mapping[str, Any], *, main: bool) -> None:
        """Go on from what `as_dict` had returned; words were counted in all processes, and stay with the main one."""
        if self.words and main:
            self.words.words, self.words.translatable, self.words.replaced = counts["words"].values()
        self.kinds, self.tasks = Counter(counts["by_kind"]), Counter(counts["by_task"])
        for query, of_query in counts["pairs"].items():
            for passage, n in of_query.items():
                self.pairs[self.languages.index(query), self.languages.index(passage)] = n
        self.negatives = counts["negatives"]


class RowWriter:
    """Writes rows of one training into a journal as parts, ever more rarely, so that a long training has few of them.

    `prefix` keeps the parts of several trainings in one journal apart.
    """

    def __init__(self, journal: Journal, name: str, prefix: str = "") -> None:
        self.journal, self.name, self.prefix = journal, name, prefix
        self.rows: list[Row] = []
        self.began = self.written = time.monotonic()

    def add(self, row: Row) -> None:
        """Take a row of the `training` record, and write a part where one is due."""
        self.rows.append(row)
        now = time.monotonic()
        if now - self.written >= max(1.0, (now - self.began) / 200):
            self.flush()

    def flush(self) -> None:
        """Write what has not been written yet."""
        if self.rows:
            self._write("training", self.rows)
            self.rows.clear()
            self.written = time.monotonic()

    def validated(self, rows: Sequence[Row]) -> None:
        """Write the rows of one validation."""
        self._write("validation", rows)

    def go_back(self, step: int) -> None:
        """Forget what was written about steps after `step`, which will be made again."""
        first = self._key(step + 1)
        for record in ("training", "validation"):
            self.journal.forget(record, lambda key: key.startswith(self.prefix) and key >= first)

    def _write(self, record: str, rows: Sequence[Row]) -> None:
        frame = pl.DataFrame(rows, infer_schema_length=None).with_columns(pl.lit(self.name).alias("model"))
        self.journal.write(record, self._key(rows[0]["step"]), frame)

    def _key(self, step: int) -> str:
        return f"{self.prefix}{step:012d}"
