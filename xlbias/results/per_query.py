"""From the rankings of one encoder on one task to values per query id: a row per id, a column per cell of a measure.

A query id is the unit of significance: its translations are not independent, so they stand in one row. Means, their
intervals and the comparison of two encoders all start from these tables. One table per measure bounds the memory.
"""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
import polars as pl

from xlbias.measures.bias.language_ranks import ranks_by_language, within_blocks
from xlbias.measures.censored import bounds
from xlbias.measures.measure import Measure, computed
from xlbias.measures.pooled import PooledRankings
from xlbias.measures.ragged import Bools, Floats, Ints, Rankings
from xlbias.measures.registry import measures
from xlbias.runs.schema import MULTILINGUAL_POOL, OTHER, OWN, SETTINGS, setting_of
from xlbias.stats.friedman import friedman


class Key(NamedTuple):
    """What a number is: a measure of a cell, of a language, of a setting, or of everything (None: taken together).

    `passage_language` is the pool of a measure of retrieval quality (a language or ``multilingual``), and the language
    of the answers for a measure of bias, which is always about the multilingual pool.
    """

    measure: str
    setting: str | None = None
    query_language: str | None = None
    passage_language: str | None = None


@dataclass(frozen=True)
class Aggregate:
    """A number made of column means: their mean, or a difference of two means."""

    key: Key
    columns: tuple[int, ...]
    minus: tuple[int, ...] = ()


@dataclass(frozen=True, eq=False)
class Blocks:
    """What Kendall's W is of: a block per query id, its ranks of the answers in each language.

    Attributes:
        key: of W.
        ranks: float64 [n_ids, n_languages], NaN where an id has no answer in a language, or is not asked.
        n_asked: how many ids are asked.
    """

    key: Key
    ranks: Floats
    n_asked: int


@dataclass(frozen=True, eq=False)
class Values:
    """Values of one measure per query id.

    Attributes:
        ids: the query ids, the rows.
        columns: what each column is.
        values: float64 [n_ids, n_columns], NaN where an id has no value there.
        n_excluded: int64 [n_columns], queries without a value: nothing relevant in the pool, or undefined for them.
        aggregates: numbers made of the columns' means.
        blocks: numbers made of whole rows, not of means: Kendall's W.
        most: where ranks are censored, the greatest value that each id can have; `values` are then the least. They are
            equal where a value is exact. None where all are.
    """

    ids: tuple[str, ...]
    columns: tuple[Key, ...]
    values: Floats
    n_excluded: Ints
    aggregates: tuple[Aggregate, ...]
    blocks: tuple[Blocks, ...] = ()
    most: Floats | None = None

    @property
    def measure(self) -> str:
        """The measure of the columns."""
        return self.columns[0].measure

    @property
    def exact(self) -> Floats:
        """float64 [n_ids, n_columns]: the values that are exact, NaN also where there are bounds only."""
        return self.values if self.most is None else np.where(self.most == self.values, self.values, np.nan)

    @cached_property
    def censored(self) -> Bools:
        """Bool [n_columns]: whether some value of a column has bounds only."""
        if self.most is None:
            return np.zeros(len(self.columns), dtype=np.bool_)
        return np.asarray(np.any((self.most != self.values) & ~np.isnan(self.values), axis=0))


RANKED = (
    "query_id", "query_language", "pool", "n_relevant", "relevants", "top", "tied_with_last", "known_to", "consistency",
)  # fmt: skip
"""The columns of `ranking` rows that numbers are made of."""


class Ranked:
    """The `ranking` rows of one encoder on one task, taken apart into arrays once."""

    def __init__(self, rankings: pl.DataFrame, pool_sizes: Mapping[str, int]) -> None:
        """Take `ranking` rows of one model and task, and the number of passages by language of that task."""
        self.frame = rankings
        self.pool_sizes = dict(sorted(pool_sizes.items()))
        self.ids = tuple(rankings["query_id"].unique().sort().to_list())
        self.query_languages = rankings["query_language"].unique().sort().to_list()

    def column(self, frame: pl.DataFrame, name: str, values: Sequence[str]) -> Ints:
        """Return int64 codes of a column: positions in `values`, -1 for what is not there."""
        codes = frame[name].cast(pl.Enum(list(values)), strict=False).to_physical()
        return codes.cast(pl.Int64).fill_null(-1).to_numpy()

    @cached_property
    def languages(self) -> tuple[str, ...]:
        """Languages of the pool."""
        return tuple(self.pool_sizes)

    @cached_property
    def all(self) -> Rankings:
        """Relevant passages of every ranking in every pool."""
        pairs = _exploded(self.frame, ["rank", "relevance"])
        rank, relevance, lengths = (
            column.cast(pl.Int64).to_numpy() for column in (pairs["rank"], pairs["relevance"], self.frame["n_relevant"])
        )
        return Rankings(rank, relevance, lengths, known=_known_to(self.frame))

    @cached_property
    def is_censored(self) -> bool:
        """Whether relevant passages are missing from a ranking, so that measures have bounds."""
        return bool(self.all.missing.any())

    @cached_property
    def union(self) -> pl.DataFrame:
        """The rankings of the multilingual pool."""
        return self.frame.filter(pl.col("pool") == MULTILINGUAL_POOL)

    @cached_property
    def pooled(self) -> PooledRankings:
        """Relevant passages in the multilingual pool, with their languages."""
        pairs = _exploded(self.union, ["rank", "relevance", "language", "parallel_id", "tied_before", "tied_after"])
        groups = pairs["parallel_id"].drop_nulls().unique().sort().to_list()
        union = self.union
        top, top_scores = self._top()
        tied_before, tied_after = (
            pairs[name].cast(pl.Int64).fill_null(-1).to_numpy() for name in ("tied_before", "tied_after")
        )
        return PooledRankings(
            ranks=pairs["rank"].cast(pl.Int64).to_numpy(),
            relevance=pairs["relevance"].cast(pl.Int64).to_numpy(),
            lengths=union["n_relevant"].cast(pl.Int64).to_numpy(),
            languages=self.languages,
            pool_sizes=np.array(list(self.pool_sizes.values()), dtype=np.int64),
            language=self.column(pairs, "language", self.languages),
            parallel=self.column(pairs, "parallel_id", groups),
            query_language=self.column(union, "query_language", self.languages),
            top=top,
            consistency=union["consistency"].cast(pl.Float64).fill_null(np.nan).to_numpy()
            if "consistency" in union.columns
            else np.full(union.height, np.nan),
            tied_before=tied_before,
            tied_after=tied_after,
            top_scores=top_scores,
            tied_with_last=self._tied_with_last(),
            key=self.column(union, "query_id", self.ids) * len(self.query_languages)
            + self.column(union, "query_language", self.query_languages),
            known=_known_to(union),
        )

    def _top(self) -> tuple[Ints, Floats]:
        """Return the first passages in the multilingual pool, int64 and float64 [n_rankings, k].

        Their languages, -1 beyond the end of a list, and their scores, NaN beyond it.
        """
        if "top" not in self.union.columns:
            return np.full((self.union.height, 0), -1, dtype=np.int64), np.empty((self.union.height, 0))
        lengths = self.union["top"].list.len().fill_null(0).cast(pl.Int64).to_numpy()
        found = _exploded(self.union, ["language", "score"], of="top")
        languages = np.full((self.union.height, int(lengths.max(initial=0))), -1, dtype=np.int64)
        scores = np.full(languages.shape, np.nan)
        owner = np.repeat(np.arange(len(lengths)), lengths)
        place = np.arange(len(owner)) - (np.cumsum(lengths) - lengths)[owner]
        languages[owner, place] = self.column(found, "language", self.languages)
        scores[owner, place] = found["score"].cast(pl.Float64).fill_null(np.nan).to_numpy()
        return languages, scores

    def _tied_with_last(self) -> Ints:
        """Return int64 [n_rankings, n_languages]: see `PooledRankings`."""
        table = np.zeros((self.union.height, len(self.languages)), dtype=np.int64)
        if "tied_with_last" not in self.union.columns:
            return table - 1
        column = self.union["tied_with_last"]
        found = _exploded(self.union, ["language", "n"], of="tied_with_last")
        owner = np.repeat(np.arange(len(table)), column.list.len().fill_null(0).cast(pl.Int64).to_numpy())
        table[owner, self.column(found, "language", self.languages)] = found["n"].cast(pl.Int64).to_numpy()
        table[column.is_null().to_numpy()] = -1
        return table


def _known_to(frame: pl.DataFrame) -> Ints | None:
    """Return the rank down to which each ranking is known, -1 for all of it; None where all are."""
    if "known_to" not in frame.columns or frame["known_to"].null_count() == frame.height:
        return None
    return frame["known_to"].cast(pl.Int64).fill_null(-1).to_numpy()


def _exploded(frame: pl.DataFrame, fields: list[str], of: str = "relevants") -> pl.DataFrame:
    """Return the fields of all structs in a column of lists, end to end; null where the structs have no such field."""
    inner = frame[of].explode(empty_as_null=False, keep_nulls=False)
    there = inner.struct.fields
    nothing = pl.Series([None], dtype=pl.Null).new_from_index(0, len(inner))
    return pl.DataFrame([inner.struct.field(name) if name in there else nothing.alias(name) for name in fields])


def names_with_values() -> list[str]:
    """Return the names of measures that have values per query id, in their order; others are derived from these."""
    return [
        measure.name
        for family in ("quality", "bias")
        for measure in measures(family).values()
        if measure.statistic == "mean"
    ]


def quality_values(ranked: Ranked, names: Container[str] | None = None) -> Iterator[Values]:
    """Yield the values of quality measures, all or those named: a column per cell, and the mean of each setting."""
    frame = ranked.frame
    pools = [*ranked.languages, MULTILINGUAL_POOL]
    query_language = ranked.column(frame, "query_language", ranked.query_languages)
    key = query_language * len(pools) + ranked.column(frame, "pool", pools)
    there, cell = np.unique(key, return_inverse=True)
    row = ranked.column(frame, "query_id", ranked.ids)
    cells = [(ranked.query_languages[k // len(pools)], pools[k % len(pools)]) for k in there]
    settings = [setting_of(*pair) for pair in cells]
    for measure in measures("quality").values():
        if names is not None and measure.name not in names:
            continue
        values, most = _values(ranked, measure, ranked.all, ((frame.height,),))
        table = np.full((len(ranked.ids), len(there)), np.nan)
        table[row, cell] = values
        if most is not None:
            above = np.full(table.shape, np.nan)
            above[row, cell] = most
        excluded = np.bincount(cell[np.isnan(values)], minlength=len(there)).astype(np.int64)
        columns = tuple(Key(measure.name, s, *pair) for s, pair in zip(settings, cells, strict=True))
        means = tuple(
            Aggregate(Key(measure.name, setting), tuple(i for i, s in enumerate(settings) if s == setting))
            for setting in SETTINGS
            if setting in settings
        )
        yield Values(ranked.ids, columns, table, excluded, means, most=None if most is None else above)


def _values(
    ranked: Ranked, measure: Measure, rankings: Rankings, shapes: tuple[tuple[int, ...], ...]
) -> tuple[Floats, Floats | None]:
    """Return a measure's values, and where ranks are censored its least and its greatest ones."""
    if ranked.is_censored:
        return bounds(measure, rankings, shapes=shapes)
    return computed(measure, rankings, shapes=shapes), None


def bias_values(ranked: Ranked, names: Container[str] | None = None) -> Iterator[Values]:
    """Yield the values of bias measures, all or those named: columns by query language, or by both languages.

    `single_gold.gap` comes with ``single_gold``, Kendall's W with ``language_rank``.
    """
    if ranked.union.is_empty():
        return
    n = ranked.union.height
    shapes = ((n,), (n, len(ranked.languages)))
    for measure in measures("bias").values():
        if names is not None and measure.name not in names:
            continue
        if measure.name == "language_rank":
            yield _language_ranks(ranked)
        elif measure.statistic == "mean":
            values, most = _values(ranked, measure, ranked.pooled, shapes)
            of_languages = _by_query_language if values.ndim == 1 else _by_both_languages
            yield of_languages(ranked, measure.name, values, most)


class Fact(NamedTuple):
    """A number that is no mean and has no interval; `most` is its greatest value where `value` is the least one."""

    key: Key
    value: float
    most: float
    n: int
    n_ids: int
    n_excluded: int


def facts(ranked: Ranked) -> Iterator[Fact]:
    """Yield what is no mean and has no interval: medians, Friedman's test."""
    if ranked.union.is_empty():
        return
    languages = ranked.union["query_language"].to_numpy()
    ids = _places(ranked)[0]
    for measure in measures("bias").values():
        if measure.statistic == "median":
            values, most = _values(ranked, measure, ranked.pooled, ((len(languages),),))
            groups = [languages == language for language in ranked.query_languages] + [np.full(len(values), True)]
            of_groups = [asked & np.isfinite(values) for asked in groups]
            medians = _medians(ranked, measure, values, of_groups) if most is None else _medians_of(values, of_groups)
            above = medians if most is None else _medians_of(most, of_groups)
            for language, asked, defined, median, greatest in zip(
                (*ranked.query_languages, None), groups, of_groups, medians, above, strict=True
            ):
                n, n_ids = int(defined.sum()), len(np.unique(ids[defined]))
                key = Key(measure.name, "multilingual", language)
                yield Fact(key, float(median), float(greatest), n, n_ids, int(asked.sum()) - n)
    blocks = _answer_ranks(ranked)
    if _open_blocks(ranked).any():
        blocks = np.full(blocks.shape, np.nan)
    test = friedman(blocks)
    for name, value in (("friedman_chi2", test.chi2), ("friedman_p", test.p)):
        yield Fact(Key(name, "multilingual"), value, value, test.n, test.n, len(blocks) - test.n)


def _open_blocks(ranked: Ranked) -> Bools:
    """Return for each ranking in the multilingual pool whether the order of its languages is open, bool [n].

    That of one missing answer is not, as it stands below all others.
    """
    pooled = ranked.pooled
    missing = np.unique(pooled.cell[pooled.missing]) // max(pooled.n_languages, 1)
    several = (pooled.per_language > 1).any(axis=1)
    n_missing = np.bincount(missing, minlength=pooled.n)
    return np.asarray((n_missing > 1) | ((n_missing > 0) & several))


def _medians_of(values: Floats, groups: Sequence[Bools]) -> Floats:
    """Return the median of each group of queries, float64 [n_groups]."""
    return np.array([_median(values[chosen]) for chosen in groups])


def _median(values: Floats) -> float:
    """Return the median of finite numbers, NaN of none: what numpy's says, which looks at much else first."""
    n = len(values)
    if not n:
        return float("nan")
    middle = np.partition(values, [(n - 1) // 2, n // 2])
    return float((middle[(n - 1) // 2] + middle[n // 2]) / 2)


def _medians(ranked: Ranked, measure: Measure, values: Floats, groups: Sequence[Bools]) -> Floats:
    """Return the median of each group of queries, a mean over orders where scores tie, float64 [n_groups]."""
    medians = _medians_of(values, groups)
    tied = ranked.pooled.has_ties & np.isfinite(values)
    of_tied = np.array([(chosen & tied).any() for chosen in groups])
    if not of_tied.any():
        return medians
    n_orders, totals = 0, np.zeros(len(groups))
    settled = [np.sort(values[chosen & ~tied]) for chosen in groups]
    for in_orders in ranked.pooled.chosen(tied).in_orders(measure.compute):
        n_orders += len(in_orders)
        for group in np.flatnonzero(of_tied).tolist():
            totals[group] += _medians_with(settled[group], in_orders[:, groups[group][tied]]).sum()
    medians[of_tied] = totals[of_tied] / n_orders
    return medians


def _medians_with(values: Floats, drawn: Floats) -> Floats:
    """Return the medians of `values`, ascending, with each row of `drawn`, [n_orders, m], float64 [n_orders].

    The middle of all is no more than m places from that of the values alone: what is further out is not looked at.
    """
    m = drawn.shape[1]
    n = len(values) + m
    low, high = (n - 1) // 2, n // 2
    start, stop = max(0, low - m), min(len(values), high + 1)
    near = values[start:stop]
    middle = np.hstack([np.broadcast_to(near, (len(drawn), len(near))), drawn])
    middle.partition([low - start, high - start], axis=1)
    return np.asarray((middle[:, low - start] + middle[:, high - start]) / 2)


def _places(ranked: Ranked) -> tuple[Ints, Ints]:
    """Return the row (query id) and the query language of every ranking in the multilingual pool, as codes."""
    union = ranked.union
    return ranked.column(union, "query_id", ranked.ids), ranked.column(union, "query_language", ranked.query_languages)


def _by_query_language(ranked: Ranked, measure: str, values: Floats, most: Floats | None) -> Values:
    row, language = _places(ranked)
    shape = (len(ranked.ids), len(ranked.query_languages))
    table = _filled(shape, row, language, values)
    excluded = np.bincount(language[np.isnan(values)], minlength=len(ranked.query_languages)).astype(np.int64)
    columns = tuple(Key(measure, "multilingual", ql) for ql in ranked.query_languages)
    overall = Aggregate(Key(measure, "multilingual"), tuple(range(len(columns))))
    above = None if most is None else _filled(shape, row, language, most)
    return Values(ranked.ids, columns, table, excluded, (overall,), most=above)


def _filled(shape: tuple[int, ...], row: Ints, language: Ints, values: Floats) -> Floats:
    """Return values of rankings as a table by query id and query language, NaN where there is none."""
    table = np.full(shape, np.nan)
    table[row, language] = values
    return table


def _by_both_languages(ranked: Ranked, measure: str, values: Floats, most: Floats | None) -> Values:
    """A column per query and answer language; their means by answer language, over equal and over other languages."""
    row, language = _places(ranked)
    n_queries, n_answers = len(ranked.query_languages), len(ranked.languages)
    shape = (len(ranked.ids), n_queries, n_answers)
    table = _filled(shape, row, language, values)
    excluded = np.zeros((n_queries, n_answers), dtype=np.int64)
    np.add.at(excluded, language, np.isnan(values))
    pairs = [(ql, pl_) for ql in ranked.query_languages for pl_ in ranked.languages]
    columns = tuple(Key(measure, "multilingual", *pair) for pair in pairs)
    own = tuple(i for i, (ql, pl_) in enumerate(pairs) if ql == pl_)
    other = tuple(i for i, (ql, pl_) in enumerate(pairs) if ql != pl_)
    aggregates = [
        Aggregate(Key(measure, "multilingual", None, answer), tuple(range(i, len(pairs), n_answers)))
        for i, answer in enumerate(ranked.languages)
    ]
    aggregates += [Aggregate(Key(measure, side), group) for side, group in ((OWN, own), (OTHER, other)) if group]
    if measure == "single_gold":
        there = np.isfinite(table).any(axis=0).reshape(-1)
        aggregates += _gaps(pairs, own, other, there)
    above = None if most is None else _filled(shape, row, language, most).reshape(len(table), -1)
    flat = table.reshape(len(table), -1)
    return Values(ranked.ids, columns, flat, excluded.reshape(-1), tuple(aggregates), most=above)


def _gaps(pairs: list[tuple[str, str]], own: tuple[int, ...], other: tuple[int, ...], there: Bools) -> list[Aggregate]:
    """Single-gold mAP of the query's own language minus that of the others: by query language, and overall.

    Overall it is over the query languages that have values of both: what is asked in a language without passages would
    count for one side only. `there` says which pairs have values.
    """
    found: list[Aggregate] = []
    owns: list[int] = []
    rest: list[int] = []
    for i in own:
        others = tuple(j for j in other if pairs[j][0] == pairs[i][0])
        if others:
            found.append(Aggregate(Key("single_gold.gap", "multilingual", pairs[i][0]), (i,), others))
        if there[i] and there[list(others)].any():
            owns.append(i)
            rest += others
    if not owns:  # undefined, where it is a question at all
        owns, rest = list(own), list(other)
    whole = [Aggregate(Key("single_gold.gap", "multilingual"), tuple(owns), tuple(rest))]
    return [*(whole if owns and rest else []), *found]


def _language_ranks(ranked: Ranked) -> Values:
    """Friedman's ranks of answer languages, by query language and over the ids' mean over query languages."""
    ranks = ranks_by_language(ranked.pooled)
    least, most = within_blocks(ranks), None
    answer_ranks = _answer_ranks(ranked)
    overall = within_blocks(answer_ranks)
    above = overall
    if ranked.is_censored:  # the place of an id's mean over query languages has no bounds that could be told
        shape = (ranked.pooled.n, len(ranked.languages))
        least, most = bounds(measures("bias")["language_rank"], ranked.pooled, shapes=(shape,))
        open_ids = np.unique(_places(ranked)[0][_open_blocks(ranked)])
        defined = np.isfinite(overall[open_ids])
        overall, above = overall.copy(), overall.copy()
        overall[open_ids] = np.where(defined, 1.0, np.nan)
        above[open_ids] = np.where(defined, float(len(ranked.languages)), np.nan)
    single = _by_both_languages(ranked, "language_rank", least, most)
    columns = (
        *single.columns,
        *(Key("language_rank", "multilingual", None, answer) for answer in ranked.languages),
    )
    excluded = np.append(single.n_excluded, np.full(len(ranked.languages), np.isnan(overall).any(axis=1).sum()))
    row, language = _places(ranked)
    is_open = _open_blocks(ranked)
    blocks = []
    for i, asked in enumerate(ranked.query_languages):
        table = np.full((len(ranked.ids), len(ranked.languages)), np.nan)
        if not is_open[language == i].any():
            table[row[language == i]] = ranks[language == i]
        blocks.append(Blocks(Key("kendall_w", "multilingual", asked), table, int((language == i).sum())))
    if is_open.any():
        answer_ranks = np.full(answer_ranks.shape, np.nan)
    blocks.append(Blocks(Key("kendall_w", "multilingual"), answer_ranks, len(answer_ranks)))
    settings = tuple(a for a in single.aggregates if a.key.setting != "multilingual")
    values = np.hstack([single.values, overall])
    greatest = None if single.most is None else np.hstack([single.most, above])
    return Values(ranked.ids, columns, values, excluded, settings, tuple(blocks), greatest)


def _answer_ranks(ranked: Ranked) -> Floats:
    """Return rank by answer language, float64 [n_ids, n_languages]: an id's mean over the languages it is asked in."""
    row, language = _places(ranked)
    table = np.full((len(ranked.ids), len(ranked.query_languages), len(ranked.languages)), np.nan)
    table[row, language] = ranks_by_language(ranked.pooled)
    asked = np.isfinite(table).any(axis=2, keepdims=True)
    mean = np.where(asked, table, 0.0).sum(axis=1) / np.maximum(asked.sum(axis=1), 1)
    return np.where(asked.any(axis=1), mean, np.nan)
