"""The batch samplers for somebody's own sentence-transformers trainer: over the rows of a `datasets.Dataset`.

A row is a pair of texts with its id and its two languages::

    from sentence_transformers import SentenceTransformerTrainingArguments
    from xlbias import HybridBatchSampler

    args = SentenceTransformerTrainingArguments("out", batch_sampler=HybridBatchSampler, per_device_train_batch_size=64)

`functools.partial(HybridBatchSampler, alpha=0.3)` sets options. What is drawn depends on seed, epoch and number of the
batch alone, so that a resumed training goes on with the batches of an unbroken one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
from datasets import Dataset
from sentence_transformers.base.sampler import DefaultBatchSampler

from xlbias.choices import listed, suggestion
from xlbias.errors import TrainingError
from xlbias.samplers import CROSS_LINGUAL, DEFAULT_ALPHA, MIXED, MONOLINGUAL, check_alpha
from xlbias.train.sampling.index import connected_components
from xlbias.train.sampling.pool import Pool, check_batch_size, draw_ids

Ints = npt.NDArray[Any]

ID, QUERY_LANGUAGE, PASSAGE_LANGUAGE = COLUMNS = ("id", "query_language", "passage_language")
"""Columns that a sampler reads; the trainer is not shown them."""


class HybridBatchSampler(DefaultBatchSampler):  # type: ignore[misc]  # the library is not typed for mypy
    """A batch is monolingual with probability `alpha`, else cross-lingual: arXiv 2408.10536's proposal.

    Monolingual: all queries and passages of the batch in one language, drawn uniformly over those with enough ids.
    Cross-lingual: query and passage of each pair in two languages. ``alpha=1`` has monolingual batches only,
    ``alpha=0`` cross-lingual ones only. An id is there once in a batch, and so is a text: a translation of the positive
    must not act as a negative. An epoch has as many full batches as the rows would fill; they are drawn anew for each
    batch.

    Args:
        dataset: with the columns of the two texts first, then `COLUMNS`: ``id`` is equal for translations of one pair,
            languages are any tags. These three are hidden from the trainer, which would train on them as texts: the
            dataset's format is set to its other columns (`Dataset.set_format`).
        batch_size, drop_last, valid_label_columns, generator, seed: as the trainer gives them; a batch is always full.
        alpha: probability of a monolingual batch.
        columns: other names for `COLUMNS`, such as ``{"id": "group"}``.

    Raises TrainingError where a column is missing, or a batch of a kind that is to be drawn cannot be made.
    """

    def __init__(
        self,
        dataset: Dataset,
        batch_size: int,
        drop_last: bool = True,
        valid_label_columns: list[str] | None = None,
        generator: Any = None,
        seed: int = 0,
        *,
        alpha: float = DEFAULT_ALPHA,
        columns: Mapping[str, str] | None = None,
    ) -> None:
        check_alpha(alpha)
        self._open(dataset, batch_size, valid_label_columns, generator, seed, columns or {})
        self._use({MONOLINGUAL: alpha, CROSS_LINGUAL: 1.0 - alpha})

    def _open(
        self,
        dataset: Dataset,
        batch_size: int,
        valid_label_columns: list[str] | None,
        generator: Any,
        seed: int,
        columns: Mapping[str, str],
    ) -> None:
        super().__init__(dataset, batch_size, True, valid_label_columns, generator, seed)
        check_batch_size(batch_size)
        names = _names(dataset, columns)
        texts = [name for name in dataset.column_names if name not in names.values()]
        frame = pl.DataFrame({key: _column(dataset, name) for key, name in names.items()}).with_row_index("row")
        self._rows = _Rows(frame, [_column(dataset, name) for name in texts[:2]])
        dataset.set_format(type=dataset.format["type"], columns=texts)

    def _use(self, shares: Mapping[str, float]) -> None:
        shares = {kind: share for kind, share in shares.items() if share > 0}
        self._kinds = [self._rows.kind(kind, int(self.batch_size)) for kind in shares]
        self._bounds = np.cumsum(list(shares.values()))

    def __len__(self) -> int:
        """Number of batches in an epoch, exactly."""
        return max(1, self._rows.n // int(self.batch_size))

    def __iter__(self) -> Iterator[list[int]]:
        for number in range(len(self)):
            yield self.batch(self.epoch, number)

    def batch(self, epoch: int, number: int) -> list[int]:
        """Return the rows of batch `number` of `epoch`; the same arguments always give the same rows."""
        rng = np.random.Generator(np.random.Philox(np.random.SeedSequence([self.seed, epoch, number])))
        kind = self._kinds[int(np.searchsorted(self._bounds[:-1], rng.random(), side="right"))]
        pool = kind[rng.integers(len(kind))]
        rows: list[int] = pool.draw(rng, int(self.batch_size)).tolist()
        return rows


class MixedBatchSampler(HybridBatchSampler):
    """Every pair in one language, drawn for each pair, so that several languages are in a batch.

    Args, and what is raised: as of `HybridBatchSampler`, which explains them; there is no `alpha`.
    """

    def __init__(
        self,
        dataset: Dataset,
        batch_size: int,
        drop_last: bool = True,
        valid_label_columns: list[str] | None = None,
        generator: Any = None,
        seed: int = 0,
        *,
        columns: Mapping[str, str] | None = None,
    ) -> None:
        self._open(dataset, batch_size, valid_label_columns, generator, seed, columns or {})
        self._use({MIXED: 1.0})


class _IdPool:
    """Ids that have rows of one kind, to be drawn from uniformly; then one of the rows of each, uniformly."""

    def __init__(self, ids: Ints, rows: Ints, group: Ints, n_ids: int) -> None:
        order = np.argsort(ids, kind="stable")
        self.rows = rows[order]
        self.counts = np.bincount(ids, minlength=n_ids)
        self.first = np.cumsum(self.counts) - self.counts
        self.group = group
        self.pool = Pool(n_ids, lambda some: self.counts[some] > 0)
        self.n_groups = len(np.unique(group[self.counts > 0]))

    def draw(self, rng: np.random.Generator, size: int) -> Ints:
        ids = draw_ids(rng, self.pool, self.group, size)
        drawn: Ints = self.rows[self.first[ids] + rng.integers(self.counts[ids])]
        return drawn


class _Rows:
    """The rows of a dataset by kind of pair; ids with a text in common stand in one group, which a batch has once."""

    def __init__(self, frame: pl.DataFrame, texts: list[list[str]]) -> None:
        self.n = frame.height
        ids = frame["id"].rank("dense").to_numpy().astype(np.int64) - 1
        self.ids, self.n_ids = ids, int(ids.max(initial=-1)) + 1
        self.query, self.passage = frame[QUERY_LANGUAGE].to_numpy(), frame[PASSAGE_LANGUAGE].to_numpy()
        links = pl.concat([pl.DataFrame({"item": ids, "key": some}) for some in texts]).unique()
        links = links.with_columns(pl.col("key").rank("dense")).sort("key", "item")
        self.group = connected_components(links["item"].to_numpy(), links["key"].to_numpy(), self.n_ids)

    def kind(self, kind: str, size: int) -> list[_IdPool]:
        """Return what a batch of `kind` is drawn from: a pool, or one for each language."""
        same = self.query == self.passage
        if kind == MONOLINGUAL:
            pools = [self._pool(same & (self.query == language)) for language in sorted(set(self.query[same].tolist()))]
        else:
            pools = [self._pool(same if kind == MIXED else ~same)]
        kept = [pool for pool in pools if pool.n_groups >= size]
        if not kept:
            most = max((pool.n_groups for pool in pools), default=0)
            raise TrainingError(
                f"no {kind} batch of {size} can be made: at most {most} ids can meet without a text in common; choose "
                "a smaller batch size"
            )
        return kept

    def _pool(self, member: npt.NDArray[np.bool_]) -> _IdPool:
        rows = np.flatnonzero(member)
        return _IdPool(self.ids[rows], rows, self.group, self.n_ids)


def _names(dataset: Dataset, columns: Mapping[str, str]) -> dict[str, str]:
    """Return the column of the dataset for each of `COLUMNS`. Raises TrainingError where one is missing."""
    for key in columns:
        if key not in COLUMNS:
            raise TrainingError(f"columns: unknown {key!r}{suggestion(key, COLUMNS)}: choose from {listed(COLUMNS)}")
    names = {key: columns.get(key, key) for key in COLUMNS}
    for key, name in names.items():
        if name not in dataset.column_names:
            raise TrainingError(
                f"the dataset has no column {name!r} for {key}: it has {listed(dataset.column_names)}; name another "
                f"with columns={{{key!r}: ...}}"
            )
    if len(dataset.column_names) < len(COLUMNS) + 2:
        raise TrainingError(f"the dataset needs two columns of texts beside {listed(names.values())}")
    return names


def _column(dataset: Dataset, name: str) -> list[Any]:
    values = dataset.with_format(None)[name]
    return [str(value) for value in values]
