"""Batch samplers: which pairs a training step sees, as a pure function of seed, epoch and batch number.

A sampler is a mixture of kinds of batches (`xlbias.samplers`); a kind draws ids and their languages from one task
(`BatchKind`). Nothing is remembered from batch to batch, so an interrupted training goes on exactly where it was, and
every process of a distributed one draws the same batches.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from functools import partial
from typing import Any, Protocol

import numpy as np
from sentence_transformers.base.sampler import DefaultBatchSampler

from xlbias.errors import TaskError, TrainingError
from xlbias.languages import normalise_tag
from xlbias.samplers import (
    CROSS_LINGUAL,
    DEFAULT_ALPHA,
    DEFAULT_PIVOT,
    ENGLISH,
    HYBRID,
    MIXED,
    MONOLINGUAL,
    check_alpha,
    find_sampler,
)
from xlbias.train.sampling.batch import Batch, Ints
from xlbias.train.sampling.candidates import TaskPairs
from xlbias.train.sampling.language_rows import Bools
from xlbias.train.sampling.pairs import PairTexts
from xlbias.train.sampling.pool import Pool, check_batch_size, draw_ids
from xlbias.train.sampling.shares import Floats, Shares, draw_weighted
from xlbias.train.sampling.turns import Turn, monolingual_turn

_REMEMBERED = 256  # batches whose description is kept: more than a data loader draws ahead


class BatchKind(Protocol):
    """One way to draw a batch from one task; made once, before training starts.

    Attributes:
        name: ``monolingual``, ``cross-lingual`` or ``mixed``, what a batch is counted under.
    """

    name: str

    def draw(self, rng: np.random.Generator, turn: Turn | None = None) -> tuple[Ints, Ints, Ints]:
        """Draw ids, their query languages and their passage languages, each int [batch_size]; no group twice.

        `turn` decides the language of a batch that has one; None leaves it to chance.
        """


class Monolingual:
    """Queries and passages of the whole batch in one language, drawn uniformly over those that can make a batch.

    With `only`, a BCP 47 tag, always in that language; `shares` may draw some more often than others. Raises
    TrainingError where not even one batch can be made.
    """

    name = MONOLINGUAL

    def __init__(self, pairs: TaskPairs, batch_size: int, shares: Shares, only: str | None = None) -> None:
        self.pairs, self.batch_size = pairs, batch_size
        weights = shares.of_languages(pairs.languages, (pairs.queries, pairs.runs)) if only is None else None
        pools = {
            code: Pool(pairs.n_ids, partial(_has_both_in, pairs, code))
            for code, language in enumerate(pairs.languages)
            if only in (None, language) and (weights is None or weights[code] > 0)
        }
        pools = {code: pool for code, pool in pools.items() if pool.count}
        if not pools:
            raise TrainingError(_no_monolingual(pairs, only))
        groups = {code: pool.count_groups(pairs.group, batch_size) for code, pool in pools.items()}
        self.pools = {code: pool for code, pool in pools.items() if groups[code] >= batch_size}
        self.codes = sorted(self.pools)
        self.left_out = [pairs.languages[code] for code in pools if code not in self.pools]
        if not self.pools:
            best = max(groups, key=lambda code: groups[code])
            raise _too_few(pairs, self.name, batch_size, groups[best], f" in {pairs.languages[best]}")
        self.weights = None if weights is None else weights[self.codes]

    def draw(self, rng: np.random.Generator, turn: Turn | None = None) -> tuple[Ints, Ints, Ints]:
        """See `BatchKind.draw`."""
        code = self.codes[self._language(rng) if turn is None else turn.among(len(self.codes))]
        ids = draw_ids(rng, self.pools[code], self.pairs.group, self.batch_size)
        codes = np.full(self.batch_size, code, dtype=np.int64)
        return ids, codes, codes

    def _language(self, rng: np.random.Generator) -> int:
        return int(rng.integers(len(self.codes)) if self.weights is None else draw_weighted(self.weights[None], rng)[0])


class CrossLingual:
    """Every pair in two different languages, drawn for each pair uniformly over those that its id has.

    Raises TrainingError where not even one batch can be made.
    """

    name = CROSS_LINGUAL

    def __init__(self, pairs: TaskPairs, batch_size: int, shares: Shares) -> None:
        self.pairs, self.batch_size = pairs, batch_size
        of_queries, of_passages = (
            shares.of_languages(pairs.languages, (rows,)) for rows in (pairs.queries, pairs.runs)
        )
        self.weights = None if of_queries is None or of_passages is None else (of_queries, of_passages)
        self.drawable = _drawable(of_queries, pairs)
        self.pool = Pool(pairs.n_ids, self._has_two_languages)
        if not self.pool.count:
            raise TrainingError(
                f"{pairs.name}: no cross-lingual batch can be made: no id has a query and a passage in two languages"
            )
        _check_groups(pairs, self.pool, self.name, batch_size)

    def _has_two_languages(self, ids: Ints | slice) -> Bools:
        queries, passages = (rows.mask[ids] & self.drawable for rows in (self.pairs.queries, self.pairs.runs))
        there: Bools = _count(queries) * _count(passages) > _count(queries & passages)
        return there

    def draw(self, rng: np.random.Generator, turn: Turn | None = None) -> tuple[Ints, Ints, Ints]:
        """See `BatchKind.draw`."""
        ids = draw_ids(rng, self.pool, self.pairs.group, self.batch_size)
        return ids, *self.pairs.draw_language_pairs(ids, rng, self.weights)


class Mixed:
    """Every pair in one language, drawn for each pair uniformly over those in which its id has query and passage.

    Raises TrainingError where not even one batch can be made.
    """

    name = MIXED

    def __init__(self, pairs: TaskPairs, batch_size: int, shares: Shares) -> None:
        self.pairs, self.batch_size = pairs, batch_size
        self.weights = shares.of_languages(pairs.languages, (pairs.queries, pairs.runs))
        self.drawable = _drawable(self.weights, pairs)
        self.pool = Pool(pairs.n_ids, self._has_one_language)
        if not self.pool.count:
            raise TrainingError(
                f"{pairs.name}: no mixed batch can be made: no id has a query and a passage in the same language"
            )
        _check_groups(pairs, self.pool, self.name, batch_size)

    def _has_one_language(self, ids: Ints | slice) -> Bools:
        both = self.pairs.queries.mask[ids] & self.pairs.runs.mask[ids] & self.drawable
        there: Bools = (both != 0).any(axis=1)
        return there

    def draw(self, rng: np.random.Generator, turn: Turn | None = None) -> tuple[Ints, Ints, Ints]:
        """See `BatchKind.draw`."""
        ids = draw_ids(rng, self.pool, self.pairs.group, self.batch_size)
        codes = self.pairs.draw_languages(ids, rng, self.weights)
        return ids, codes, codes


def _drawable(weights: Floats | None, pairs: TaskPairs) -> Ints:
    """Return a bit for each language code that is drawn at all, as in `LanguageRows.mask`."""
    return np.packbits(np.ones(len(pairs.languages), dtype=bool) if weights is None else weights > 0)


def _count(mask: Ints) -> Ints:
    """Number of languages of each id."""
    counts: Ints = np.bitwise_count(mask).sum(axis=1, dtype=np.int64)
    return counts


def _has_both_in(pairs: TaskPairs, code: int, ids: Ints | slice) -> Bools:
    return pairs.queries.has_in(ids, code) & pairs.runs.has_in(ids, code)


def _no_monolingual(pairs: TaskPairs, only: str | None) -> str:
    start = f"{pairs.name}: no monolingual batch"
    if only is None:
        return f"{start} can be made: no id has a query and a passage in the same language"
    having = [
        language
        for code, language in enumerate(pairs.languages)
        if Pool(pairs.n_ids, partial(_has_both_in, pairs, code)).count
    ]
    there = f"in {', '.join(having)}" if having else "in no language"
    return f"{start} in {only} can be made: no id has a query and a passage in it; the task has both {there}"


def _check_groups(pairs: TaskPairs, pool: Pool, kind: str, batch_size: int) -> None:
    groups = pool.count_groups(pairs.group, batch_size)
    if groups < batch_size:
        raise _too_few(pairs, kind, batch_size, groups)


def _too_few(pairs: TaskPairs, kind: str, batch_size: int, most: int, where: str = "") -> TrainingError:
    return TrainingError(
        f"{pairs.name}: no {kind} batch of {batch_size} can be made: at most {most} ids{where} can meet "
        "without a passage that answers two of them; choose a smaller batch size or leave the task out"
    )


class LanguageBatchSampler(DefaultBatchSampler):  # type: ignore[misc]  # the library is not typed for mypy
    """Batches over a `PairTexts`, for the `batch_sampler` argument of sentence-transformers' trainer.

    The task of a batch is drawn in proportion to its number of ids, or as `shares` says, then its kind, then its
    pairs. An epoch has as many full batches as the ids of all tasks would fill; `len` is that number, and always drawn
    in full. Pairs are drawn anew for each batch, so an epoch is a unit of length, not a pass over the data.

    `sampler` is one of `xlbias.samplers.SAMPLERS`, `alpha` the share of monolingual batches of ``hybrid``, `pivot` the
    language of ``english``. `shares` says how often each task and language is drawn. Each pair brings up to
    `hard_negatives` of its id's hard negatives, in its passage's language.

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
        sampler: str = HYBRID,
        alpha: float = DEFAULT_ALPHA,
        pivot: str = DEFAULT_PIVOT,
        hard_negatives: int = 0,
        shares: Shares | None = None,
    ) -> None:
        super().__init__(dataset, batch_size, True, valid_label_columns, generator, seed)
        check_batch_size(batch_size)
        if hard_negatives < 0:
            raise TrainingError(f"hard negatives for each pair are {hard_negatives}: expected 0 or more")
        self.dataset = dataset
        self.hard_negatives = hard_negatives
        drawn = find_sampler(sampler)
        check_alpha(alpha)
        language = _language(pivot)
        of_kinds = {kind: share for kind, share in drawn.shares(alpha).items() if share > 0}
        only = language if sampler == ENGLISH else None
        shares = shares or Shares()
        names = [task.name for task in dataset.tasks]
        shares.check(names, dataset.languages)
        of_tasks = shares.of_tasks(names, [task.n_ids for task in dataset.tasks])
        self.kinds = [
            [_kind(kind, task, batch_size, only, shares) for kind in of_kinds] if share else []
            for task, share in zip(dataset.tasks, of_tasks, strict=True)
        ]
        self.alpha = float(of_kinds.get(MONOLINGUAL, 0.0))
        """Probability of a monolingual batch; their share of every stretch where `shares` are balanced."""
        self._balanced = shares.balanced
        self._kind_bounds = np.cumsum(list(of_kinds.values()))
        self._n_ids: int = len(dataset)
        self._task_bounds = np.cumsum(of_tasks) / of_tasks.sum()
        self._recent: OrderedDict[tuple[int, int], Batch] = OrderedDict()

    def __len__(self) -> int:
        """Number of batches in an epoch, exactly."""
        return max(1, self._n_ids // int(self.batch_size))

    def __iter__(self) -> Iterator[Batch]:
        for number in range(len(self)):
            yield self.batch(self.epoch, number)

    def languages_left_out(self) -> dict[str, list[str]]:
        """Return by task the languages in which it has pairs, but too few ids for a monolingual batch."""
        found = {}
        for task, kinds in zip(self.dataset.tasks, self.kinds, strict=True):
            for kind in kinds:
                if isinstance(kind, Monolingual) and kind.left_out:
                    found[task.name] = kind.left_out
        return found

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
        drawn = int(np.searchsorted(self._kind_bounds[:-1], rng.random(), side="right"))
        turn = None
        if self._balanced:
            turn = monolingual_turn(self.seed, self.alpha, epoch * len(self) + number)
            drawn = 0 if turn else -1  # monolingual is the first of all kinds
        kind, pairs = self.kinds[task][drawn], self.dataset.tasks[task]
        ids, query_language, passage_language = kind.draw(rng, turn)
        passages = pairs.draw_passages(ids, passage_language, rng)
        return Batch(
            epoch=epoch,
            number=number,
            task=task,
            kind=kind.name,
            pairs=self.dataset.encode(task, pairs.queries.rows(ids, query_language), passages),
            query_language=query_language,
            passage_language=passage_language,
            negatives=pairs.draw_negatives(ids, passage_language, self.hard_negatives, rng),
        )


def _kind(name: str, pairs: TaskPairs, batch_size: int, pivot: str | None, shares: Shares) -> BatchKind:
    if name == MONOLINGUAL:
        return Monolingual(pairs, batch_size, shares, only=pivot)
    return (CrossLingual if name == CROSS_LINGUAL else Mixed)(pairs, batch_size, shares)


def _language(pivot: str) -> str:
    try:
        return normalise_tag(pivot)
    except TaskError as error:
        raise TrainingError(f"pivot: {error}") from error
