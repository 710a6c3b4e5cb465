"""Batch samplers: which pairs a training step sees, as a pure function of seed, epoch and batch number.

A sampler is a mixture of kinds of batches (`SAMPLERS`); a kind draws ids and their languages from one task
(`BatchKind`). Nothing is remembered from batch to batch, so an interrupted training goes on exactly where it was, and
every process of a distributed one draws the same batches.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
from sentence_transformers.base.sampler import DefaultBatchSampler

from xlbias.errors import TrainingError
from xlbias.train.batch import Batch, Ints
from xlbias.train.pairs import PairTexts, TaskPairs

_ROUNDS = 4  # of drawing with replacement, before all ids are put in order; enough unless groups are scarce
_REMEMBERED = 256  # batches whose description is kept: more than a data loader draws ahead


class BatchKind(Protocol):
    """One way to draw a batch from one task; made once, before training starts.

    Attributes:
        name: ``monolingual``, ``cross-lingual`` or ``mixed``, what a batch is counted under.
    """

    name: str

    def __init__(self, pairs: TaskPairs, batch_size: int) -> None:
        """Prepare. Raises TrainingError where not even one such batch can be made."""

    def draw(self, rng: np.random.Generator) -> tuple[Ints, Ints, Ints]:
        """Draw ids, their query languages and their passage languages, each int [batch_size]; no group twice."""


class Monolingual:
    """Queries and passages of the whole batch in one language, drawn uniformly over those that can make a batch."""

    name = "monolingual"

    def __init__(self, pairs: TaskPairs, batch_size: int) -> None:
        self.pairs, self.batch_size = pairs, batch_size
        found: list[list[Ints]] = [[] for _ in pairs.languages]
        for start, queries, passages in pairs.languages_of_ids():
            for code in np.flatnonzero((queries & passages).any(axis=0)):
                found[code].append(_ids_where(queries[:, code] & passages[:, code], start))
        pools = {code: np.concatenate(chunks) for code, chunks in enumerate(found) if chunks}
        groups = {code: pairs.count_groups(ids) for code, ids in pools.items()}
        self.pools = {code: ids for code, ids in pools.items() if groups[code] >= batch_size}
        self.codes = sorted(self.pools)
        if not pools:
            raise TrainingError(
                f"{pairs.name}: no monolingual batch can be made: no id has a query and a passage in the same language"
            )
        if not self.pools:
            best = max(groups, key=lambda code: groups[code])
            raise _too_few(pairs, self.name, batch_size, groups[best], f" in {pairs.languages[best]}")

    def draw(self, rng: np.random.Generator) -> tuple[Ints, Ints, Ints]:
        """See `BatchKind.draw`."""
        code = self.codes[rng.integers(len(self.codes))]
        ids = draw_ids(rng, self.pools[code], self.pairs.group, self.batch_size)
        codes = np.full(self.batch_size, code, dtype=np.int64)
        return ids, codes, codes


class CrossLingual:
    """Every pair in two different languages, drawn for each pair uniformly over those that its id has."""

    name = "cross-lingual"

    def __init__(self, pairs: TaskPairs, batch_size: int) -> None:
        self.pairs, self.batch_size = pairs, batch_size
        found = []
        for start, queries, passages in pairs.languages_of_ids():
            different = queries.sum(axis=1) * passages.sum(axis=1) - (queries & passages).sum(axis=1)
            found.append(_ids_where(different > 0, start))
        self.ids = np.concatenate(found)
        if not len(self.ids):
            raise TrainingError(
                f"{pairs.name}: no cross-lingual batch can be made: no id has a query and a passage in two languages"
            )
        groups = pairs.count_groups(self.ids)
        if groups < batch_size:
            raise _too_few(pairs, self.name, batch_size, groups)

    def draw(self, rng: np.random.Generator) -> tuple[Ints, Ints, Ints]:
        """See `BatchKind.draw`."""
        ids = draw_ids(rng, self.ids, self.pairs.group, self.batch_size)
        return ids, *self.pairs.draw_language_pairs(ids, rng)


def _too_few(pairs: TaskPairs, kind: str, batch_size: int, most: int, where: str = "") -> TrainingError:
    return TrainingError(
        f"{pairs.name}: no {kind} batch of {batch_size} can be made: at most {most} ids{where} can meet "
        "without a passage that answers two of them; choose a smaller batch size or leave the task out"
    )


Mixture = Sequence[tuple[type[BatchKind], float]]

SAMPLERS: Mapping[str, Callable[[float], Mixture]] = {
    "mono": lambda _: [(Monolingual, 1.0)],
    "cross": lambda _: [(CrossLingual, 1.0)],
    "hybrid": lambda alpha: [(Monolingual, alpha), (CrossLingual, 1.0 - alpha)],
}
"""Sampler name → (α → kinds of batches and their probabilities). Kinds stand in one order everywhere, so that under
one seed ``hybrid`` with α = 1 is ``mono`` and with α = 0 is ``cross``, batch for batch."""


def draw_ids(rng: np.random.Generator, ids: Ints, group: Ints, size: int) -> Ints:
    """Draw `size` of `ids` in random order, no two of one group: a random permutation with the conflicts skipped.

    `ids` must belong to at least `size` groups.
    """
    chosen = ids[:0]
    for _ in range(_ROUNDS):
        chosen = np.concatenate((chosen, ids[rng.integers(len(ids), size=size + size // 4)]))
        chosen = _first_of_group(chosen, group)
        if len(chosen) >= size:
            return chosen[:size]
    return _first_of_group(np.concatenate((chosen, rng.permutation(ids))), group)[:size]


def _first_of_group(ids: Ints, group: Ints) -> Ints:
    _, first = np.unique(group[ids], return_index=True)
    return ids[np.sort(first)]


def _ids_where(present: npt.NDArray[np.bool_], start: int) -> Ints:
    return np.flatnonzero(present).astype(np.int64 if start > np.iinfo(np.int32).max >> 1 else np.int32) + start


class LanguageBatchSampler(DefaultBatchSampler):  # type: ignore[misc]  # the library is not typed for mypy
    """Batches over a `PairTexts`, for the `batch_sampler` argument of sentence-transformers' trainer.

    The task of a batch is drawn in proportion to its number of ids, then its kind, then its pairs. An epoch has as
    many full batches as the ids of all tasks would fill; `len` is that number, and always drawn in full. Pairs are
    drawn anew for each batch, so an epoch is a unit of length, not a pass over the data.

    Raises TrainingError where a task with a share of the batches cannot make one of each kind that the sampler needs.
    """

    def __init__(
        self,
        dataset: PairTexts,
        batch_size: int,
        drop_last: bool = True,
        valid_label_columns: list[str] | None = None,
        generator: Any = None,
        seed: int = 0,
        *,
        sampler: str = "hybrid",
        alpha: float = 0.5,
    ) -> None:
        super().__init__(dataset, batch_size, True, valid_label_columns, generator, seed)
        if batch_size < 2:
            raise TrainingError(f"a batch of {batch_size} has no negatives: expected a batch size of at least 2")
        self.dataset = dataset
        mixture = [(kind, share) for kind, share in mixture_of(sampler, alpha) if share > 0]
        self.alpha = float(sum(share for kind, share in mixture if kind is Monolingual))
        """Probability of a monolingual batch."""
        self.kinds = [[kind(task, batch_size) for kind, _ in mixture] for task in dataset.tasks]
        self._kind_bounds = np.cumsum([share for _, share in mixture])
        self._n_ids: int = len(dataset)
        self._task_bounds = np.cumsum([task.n_ids for task in dataset.tasks]) / self._n_ids
        self._recent: OrderedDict[tuple[int, int], Batch] = OrderedDict()

    def __len__(self) -> int:
        """Number of batches in an epoch, exactly."""
        return max(1, self._n_ids // int(self.batch_size))

    def __iter__(self) -> Iterator[Batch]:
        for number in range(len(self)):
            yield self.batch(self.epoch, number)

    def batch(self, epoch: int, number: int) -> Batch:
        """Return batch `number` of `epoch`; the same arguments always give the same batch."""
        key = (epoch, number)
        if key not in self._recent:
            self._recent[key] = self._draw(epoch, number)
            while len(self._recent) > _REMEMBERED:
                self._recent.popitem(last=False)
        return self._recent[key]

    def _draw(self, epoch: int, number: int) -> Batch:
        rng = np.random.Generator(np.random.Philox(np.random.SeedSequence([self.seed, epoch, number])))
        task = int(np.searchsorted(self._task_bounds, rng.random(), side="right"))
        kind = self.kinds[task][int(np.searchsorted(self._kind_bounds[:-1], rng.random(), side="right"))]
        pairs = self.dataset.tasks[task]
        ids, query_language, passage_language = kind.draw(rng)
        passages = pairs.draw_passages(ids, passage_language, rng)
        return Batch(
            epoch=epoch,
            number=number,
            task=task,
            kind=kind.name,
            pairs=self.dataset.encode(task, pairs.query_rows(ids, query_language), passages),
            query_language=query_language,
            passage_language=passage_language,
            negatives=ids[:0],
        )


def mixture_of(sampler: str, alpha: float) -> Mixture:
    """Return the kinds of batches of a sampler and their probabilities. Raises TrainingError for a wrong name or α."""
    if sampler not in SAMPLERS:
        raise TrainingError(f"unknown sampler {sampler!r}: expected one of {', '.join(SAMPLERS)}")
    if not 0.0 <= alpha <= 1.0:
        raise TrainingError(f"alpha is {alpha}: expected a probability between 0 and 1")
    return SAMPLERS[sampler](alpha)
