"""Every number of a summary, its interval and its counts, against plain Python on even and very uneven data."""

from __future__ import annotations

import gzip
import json
import math
from collections import Counter, defaultdict
from collections.abc import Iterable
from statistics import median

import numpy as np
import polars as pl
import pytest
from results.uneven import full_rankings, integer_vectors, uneven_task
from scipy.stats import chi2 as chi2_distribution
from scipy.stats import friedmanchisquare, kruskal, rankdata, spearmanr
from support import bca_by_the_book, make_task, skillings_mack

from xlbias.data.catalog import load_task
from xlbias.data.task import RetrievalTask
from xlbias.encode.precomputed import PrecomputedVectors
from xlbias.evaluation import evaluate
from xlbias.measures.registry import measures
from xlbias.results.per_query import Aggregate, Key, _medians_with
from xlbias.results.run import Run
from xlbias.results.summary import SUMMARY_SCHEMA, aggregated, summarise
from xlbias.runs.schema import MULTILINGUAL_POOL, SETTINGS, setting_of
from xlbias.stats.bootstrap import draw_ids

Query = tuple[str, str]  # query id, language
Cell = dict[Query, float | None]  # None: undefined
KEY = ["measure", "setting", "query_language", "passage_language"]
NUMBERS = ["value", "weighted", "n", "n_queries", "n_ids", "n_cells", "n_cells_empty", "n_excluded"]


def mean(values: Iterable[float]) -> float | None:
    values = list(values)
    return math.fsum(values) / len(values) if values else None


def defined(cell: Cell) -> dict[Query, float]:
    return {query: value for query, value in cell.items() if value is not None}


class Oracle:
    """What the summary should say, from the `ranking` rows of a run and from full rankings."""

    def __init__(self, run: Run, task: RetrievalTask, vectors: PrecomputedVectors) -> None:
        self.rows = run.rankings.collect().rows(named=True)
        self.full = full_rankings(task, vectors)
        asked = task.queries.select("query_id", "language").rows()
        self.scores = dict(zip(asked, vectors.queries @ vectors.passages.T, strict=True))
        self.relevance = defaultdict(dict)
        for query_id, passage_id, relevance in task.qrels.rows():
            self.relevance[query_id][passage_id] = relevance
        self.language = dict(task.passages.select("passage_id", "language").rows())
        self.parallel = dict(task.passages.select("passage_id", "parallel_id").rows())
        self.pools = sorted(set(self.language.values()))
        self.asked = sorted(set(task.queries["language"]))
        self.union = [row for row in self.rows if row["pool"] == MULTILINGUAL_POOL]
        self.ids = sorted({row["query_id"] for row in self.rows})
        self.cells: dict[tuple, Cell] = {}
        """Values by cell, those that intervals are checked with."""
        self.expected: dict[tuple, dict[str, float | int | None]] = {}
        self.quality()
        self.bias_of_queries()
        self.bias_of_pairs()
        self.language_order()

    # -- what a row should be ------------------------------------------------------------------------------------------

    def row(self, key: tuple, value: float | None, cells: list[Cell], weighted: float | None = None) -> None:
        """One row over cells of values, each with its queries and ids."""
        assert key not in self.expected
        values = [defined(cell) for cell in cells]
        queries = {query for cell in values for query in cell}
        n = sum(len(cell) for cell in values)
        excluded = sum(len(cell) for cell in cells) - n
        if value is None:
            queries, n, excluded = set(), 0, excluded + n
        self.expected[key] = {
            "value": value,
            "weighted": weighted,
            "n": n,
            "n_queries": len(queries),
            "n_ids": len({query_id for query_id, _ in queries}),
            "n_cells": sum(bool(cell) for cell in values),
            "n_cells_empty": sum(not cell for cell in values),
            "n_excluded": excluded,
        }

    def cell(self, key: tuple, cell: Cell) -> Cell:
        self.cells[key] = cell
        self.row(key, mean(defined(cell).values()), [cell])
        return cell

    def macro(self, key: tuple, cells: list[Cell]) -> None:
        """The mean of the cells that have values, and the mean of all values."""
        means = [mean(defined(cell).values()) for cell in cells]
        pooled = [value for cell in cells for value in defined(cell).values()]
        self.row(key, mean(m for m in means if m is not None), cells, mean(pooled))

    # -- measures ------------------------------------------------------------------------------------------------------

    def quality(self) -> None:
        measures = {
            "map": lambda ranks, _: mean(i / rank for i, rank in enumerate(ranks, 1)),
            "rr": lambda ranks, _: 1 / ranks[0],
            **{
                f"recall@{k}": lambda ranks, _, k=k: sum(rank <= k for rank in ranks) / len(ranks) for k in (1, 10, 100)
            },
            "precision@10": lambda ranks, _: sum(rank <= 10 for rank in ranks) / 10,
            "success@10": lambda ranks, _: float(ranks[0] <= 10),
            "ndcg@10": lambda ranks, grades: (
                sum(g / math.log2(r + 1) for r, g in zip(ranks, grades, strict=True) if r <= 10)
                / sum(g / math.log2(i + 1) for i, g in enumerate(sorted(grades, reverse=True)[:10], 1))
            ),
        }
        for name, measure in measures.items():
            cells: dict[tuple[str, str], Cell] = defaultdict(dict)
            for row in self.rows:
                ranks = [one["rank"] for one in row["relevants"]]
                grades = [one["relevance"] for one in row["relevants"]]
                query = (row["query_id"], row["query_language"])
                cells[row["query_language"], row["pool"]][query] = measure(ranks, grades) if ranks else None
            assert set(cells) == {(ql, pool) for ql in self.asked for pool in (*self.pools, MULTILINGUAL_POOL)}
            of_setting: dict[str, list[Cell]] = defaultdict(list)
            for (ql, pool), cell in cells.items():
                setting = setting_of(ql, pool)
                of_setting[setting].append(self.cell((name, setting, ql, pool), cell))
            for setting, group in of_setting.items():
                self.macro((name, setting, None, None), group)

    def by_query(self, value) -> dict[str, Cell]:
        found: dict[str, Cell] = {ql: {} for ql in self.asked}
        for row in self.union:
            found[row["query_language"]][row["query_id"], row["query_language"]] = value(row)
        return found

    def bias_of_queries(self) -> None:
        size = len(self.language)

        def groups(row) -> list[list[int]]:
            found = defaultdict(list)
            for one in row["relevants"]:
                found[one["parallel_id"]].append((one["rank"], one["language"]))
            usable = [g for g in found.values() if len(g) > 1 and len({language for _, language in g}) == len(g)]
            return [[rank for rank, _ in group] for group in usable]

        def distance(row):
            return mean(max(ranks) - min(ranks) for ranks in groups(row))

        def normalised(row):
            return mean(
                (max(ranks) - min(ranks) - len(ranks) + 1) / (size - len(ranks))
                for ranks in groups(row)
                if size > len(ranks)
            )

        def max_at_r(row):
            n, worst = row["n_relevant"], row["last_rank"]
            return 100 * (1 - math.log(worst / n) / math.log(size / n)) if 0 < n < size else None

        def own_first(row):
            there = {one["language"] for one in row["relevants"]}
            if there != set(self.pools) or row["query_language"] not in self.pools or len(self.pools) < 2:
                return None
            return float(row["relevants"][0]["language"] == row["query_language"])

        def peer(row):
            ranks = defaultdict(list)
            for one in row["relevants"]:
                ranks[one["language"]].append(one["rank"])
            usable = len(ranks) > 1 and all(len(own) > 1 for own in ranks.values())
            return float(kruskal(*ranks.values()).pvalue) if usable else None

        for name, measure in {
            "rank_distance": distance,
            "rank_distance.normalised": normalised,
            "max@r": max_at_r,
            "same_language@1": own_first,
            "peer": peer,
            "rank_consistency": self.consistency,
            "tied": lambda row: self.tied(row, one_language=True),
            "tied.answers": lambda row: self.tied(row, one_language=False),
        }.items():
            cells = self.by_query(measure)
            for ql, cell in cells.items():
                self.cell((name, "multilingual", ql, None), cell)
            self.macro((name, "multilingual", None, None), list(cells.values()))
        cells = self.by_query(distance)
        for ql, chosen in [*((ql, [cell]) for ql, cell in cells.items()), (None, list(cells.values()))]:
            values = [value for cell in chosen for value in defined(cell).values()]
            key = ("rank_distance.median", "multilingual", ql, None)
            # One number over all of these queries: their cells are one.
            whole = {query: value for cell in chosen for query, value in cell.items()}
            self.row(key, median(values) if values else None, [whole])

    def tied(self, row, *, one_language: bool) -> float | None:
        """Share of answers that score the same as another passage, or as an answer in another language."""
        found = row["relevants"]
        if one_language:
            return mean(float(one["tied_before"] + one["tied_after"] > 0) for one in found)
        other = [
            any(one["score"] == two["score"] and one["language"] != two["language"] for two in found) for one in found
        ]
        return mean(map(float, other))

    def consistency(self, row) -> float | None:
        query, own = (row["query_id"], row["query_language"]), self.scores
        others = [scores for key, scores in own.items() if key[0] == query[0] and key != query]
        found = [float(spearmanr(own[query], scores).statistic) for scores in others if np.ptp(scores)]
        return mean(found) if np.ptp(own[query]) else None

    def pairs(self, name: str, value) -> dict[tuple[str, str], Cell]:
        """Cells by query and answer language, with their averages."""
        cells = {
            (ql, pl_): {
                (row["query_id"], ql): value(row, pl_) for row in self.union if row["query_language"] == ql
            }
            for ql in self.asked
            for pl_ in self.pools
        }  # fmt: skip
        for pair, cell in cells.items():
            self.cell((name, "multilingual", *pair), cell)
        own = [cell for (ql, pl_), cell in cells.items() if ql == pl_]
        other = [cell for (ql, pl_), cell in cells.items() if ql != pl_]
        for setting, group in (("own-language", own), ("other-language", other)):
            if group:
                self.macro((name, setting, None, None), group)
        return cells

    def bias_of_pairs(self) -> None:
        def single_gold(row, language):
            """AP after taking the relevant passages in other languages out of the ranking."""
            relevance = self.relevance[row["query_id"]]
            left = [
                passage
                for passage in self.full[row["query_id"], row["query_language"]]
                if passage not in relevance or self.language[passage] == language
            ]
            ranks = [place for place, passage in enumerate(left, 1) if passage in relevance]
            return mean(i / rank for i, rank in enumerate(ranks, 1))

        def share(row, language):
            if len(row["top"]) < min(10, len(self.language)):
                return None
            first = row["top"][:10]
            return sum(one["language"] == language for one in first) / len(first)

        def ratio(row, language):
            value = share(row, language)
            of_pool = sum(other == language for other in self.language.values()) / len(self.language)
            return None if value is None else value / of_pool

        for name, measure in {"single_gold": single_gold, "exposure@10": share, "exposure@10.ratio": ratio}.items():
            cells = self.pairs(name, measure)
            for pl_ in self.pools:
                self.macro((name, "multilingual", None, pl_), [cells[ql, pl_] for ql in self.asked])
            if name == "single_gold":
                both: tuple[list[Cell], list[Cell]] = ([], [])  # over the query languages that have values of both
                for ql in self.asked:
                    own = [cell for (q, p), cell in cells.items() if q == p == ql]
                    other = [cell for (q, p), cell in cells.items() if q == ql != p]
                    if own and other:
                        self.gap(("single_gold.gap", "multilingual", ql, None), own, other)
                    if any(map(defined, own)) and any(map(defined, other)):
                        both[0].extend(own)
                        both[1].extend(other)
                if len(self.pools) > 1:
                    self.gap(("single_gold.gap", "multilingual", None, None), *both)

    def gap(self, key: tuple, own: list[Cell], other: list[Cell]) -> None:
        sides = [mean(m for cell in side if (m := mean(defined(cell).values())) is not None) for side in (own, other)]
        value = None if None in sides else sides[0] - sides[1]
        self.row(key, value, [*own, *other])

    def language_order(self) -> None:
        """Friedman's ranks, Kendall's W and the test."""

        def block(row) -> list[float | None]:
            found = [[one["rank"] for one in row["relevants"] if one["language"] == pl_] for pl_ in self.pools]
            return [mean(ranks) for ranks in found]

        def complete(one: list[float | None]) -> bool:
            return None not in one and len(one) > 1

        blocks = {(row["query_id"], row["query_language"]): block(row) for row in self.union}
        ordered = {query: rankdata(one) if complete(one) else None for query, one in blocks.items()}

        def place(row, language):
            ranks = ordered[row["query_id"], row["query_language"]]
            return None if ranks is None else float(ranks[self.pools.index(language)])

        self.pairs("language_rank", place)
        by_id: dict[str, list[float | None]] = {}
        for query_id in self.ids:
            there = [one for (q, _), one in blocks.items() if q == query_id]  # the same languages have an answer in all
            by_id[query_id] = [None if None in ranks else mean(ranks) for ranks in zip(*there, strict=True)]
        self.by_id = {q: rankdata(one) if complete(one) else None for q, one in by_id.items()}
        for i, pl_ in enumerate(self.pools):
            cell = {(q, ""): None if ranks is None else float(ranks[i]) for q, ranks in self.by_id.items()}
            self.cell(("language_rank", "multilingual", None, pl_), cell)
        self.blocks = blocks | {(q, None): one for q, one in by_id.items()}
        for ql in self.asked:
            own = {query: one for query, one in blocks.items() if query[1] == ql}
            self.w(("kendall_w", "multilingual", ql, None), own)
        test = self.w(("kendall_w", "multilingual", None, None), {(q, ""): one for q, one in by_id.items()})
        for name, value in zip(("friedman_chi2", "friedman_p"), test, strict=True):
            key = (name, "multilingual", None, None)
            self.expected[key] = {**self.expected["kendall_w", "multilingual", None, None], "value": value}

    def w(self, key: tuple, blocks: dict[Query, list[float | None]]) -> tuple[float | None, float | None]:
        chi2, degrees, most, n = skillings_mack(blocks.values())
        value = p = None
        if n:
            value, p = chi2 / most, float(chi2_distribution.sf(chi2, degrees)) if degrees else 1.0
            if n == len(blocks) and all(None not in one for one in blocks.values()) and degrees > 1:
                assert friedmanchisquare(*zip(*blocks.values(), strict=True)) == pytest.approx((chi2, p))
        else:
            chi2 = None
        usable = {query: sum(v is not None for v in one) > 1 for query, one in blocks.items()}
        self.row(key, value, [{query: 0.0 if there else None for query, there in usable.items()}])
        if value is None:
            self.expected[key].update(n_cells=0, n_cells_empty=1)
        return chi2, p


class RandomOrder(Oracle):
    """What measures of bias would say if equal scores were ordered at random."""

    def __init__(self, case: Case, rng: np.random.Generator) -> None:
        plain = case.oracle
        self.__dict__ |= {name: getattr(plain, name) for name in ("relevance", "language", "pools", "asked", "ids")}
        self.cells, self.expected = {}, {}
        task, self.full, self.union = case.task, {}, []
        ids = task.passages["passage_id"].to_list()
        scores = case.vectors.queries @ case.vectors.passages.T
        order = [np.lexsort((rng.random(len(ids)), -row)) for row in scores]
        for query, places in zip(task.queries.select("query_id", "language").rows(), order, strict=True):
            self.full[query] = [ids[j] for j in places]
        for row in plain.union:
            ranking = self.full[row["query_id"], row["query_language"]]
            rank = {passage: place for place, passage in enumerate(ranking, 1)}
            relevants = [one | {"rank": rank[one["passage_id"]]} for one in row["relevants"]]
            relevants.sort(key=lambda one: one["rank"])
            top = [{"language": self.language[passage]} for passage in ranking[: len(row["top"])]]
            last = relevants[-1]["rank"] if relevants else None
            self.union.append(row | {"relevants": relevants, "top": top, "last_rank": last})
        self.bias_of_queries()
        self.bias_of_pairs()
        self.language_order()

    def consistency(self, row) -> None:
        """Left out: it is no mean over orders."""


class SharedRanks(RandomOrder):
    """The order of languages where passages of equal score share their mean rank."""

    def __init__(self, case: Case) -> None:
        plain = case.oracle
        self.__dict__ |= {name: getattr(plain, name) for name in ("language", "pools", "asked", "ids")}
        self.cells, self.expected, self.union = {}, {}, []
        for row in plain.union:
            middle = [
                one | {"rank": one["rank"] + (one["tied_after"] - one["tied_before"]) / 2} for one in row["relevants"]
            ]
            self.union.append(row | {"relevants": middle})
        self.language_order()


EXACT = 1_000
"""Vectors of integers up to this one: products are exact and, with these seeds, no two scores are equal."""

CASES = {
    "uneven": (uneven_task(0), 0, 10, EXACT),
    "another uneven one": (uneven_task(1), 1, 10, EXACT),
    "even": (make_task(12), 2, 10, EXACT),
    "one language": (make_task(9).select_languages(["th"]), 3, 10, EXACT),
    "a short top list": (uneven_task(2).select_languages(["de", "en", "th"]), 4, 3, EXACT),
    "tied": (uneven_task(0), 0, 10, 3),
    "tied and even": (make_task(12), 2, 10, 3),
}
TIED = [name for name in CASES if name.startswith("tied")]
UNTIED = [name for name in CASES if name not in TIED]


class Case:
    def __init__(self, name: str, folder) -> None:
        self.task, seed, top_k, values = CASES[name]
        self.vectors = integer_vectors(self.task, seed, values=values)
        self.run = evaluate(self.vectors, self.task, folder / "run.parquet", top_k=top_k)
        self.oracle = Oracle(self.run, self.task, self.vectors)
        of_rankings = [*measures("quality"), *measures("bias")]
        self.summary = self.run.summary.filter(pl.col("measure").is_in(of_rankings))
        self.found = {tuple(row[k] for k in KEY): row for row in self.summary.rows(named=True)}


@pytest.fixture(scope="module")
def case(tmp_path_factory):
    made: dict[str, Case] = {}

    def get(name: str) -> Case:
        if name not in made:
            made[name] = Case(name, tmp_path_factory.mktemp("run"))
        return made[name]

    return get


def test_the_uneven_task_is_uneven(case):
    task = case("uneven").task
    assert task.query_languages == ["de", "en", "sw", "th"]
    assert task.passage_languages == ["de", "en", "th", "zh"]
    rows = case("uneven").oracle.union
    assert {row["n_relevant"] for row in rows} >= {0, 1, 2, 3, 4, 8}
    found = case("uneven").found
    counts = {key[1:3]: row["n"] for key, row in found.items() if key[0] == "map"}
    assert len(set(counts.values())) > 8
    for measure in ("rank_distance", "peer", "same_language@1", "rank_consistency", "kendall_w"):
        row = found[measure, "multilingual", None, None]
        assert row["n"] > 0 and row["n_excluded"] > 0, measure


@pytest.mark.parametrize("name", CASES)
def test_scores_are_tied_where_they_should_be(case, name):
    rows = case(name).oracle.rows
    tied = [max(one["tied_before"], one["tied_after"]) for row in rows for one in row["relevants"]]
    assert (np.mean(np.array(tied) > 0) > 0.5) if name in TIED else not any(tied)
    ends = [row["tied_with_last"] for row in rows if row["pool"] == MULTILINGUAL_POOL]
    assert any(ends) == (name in TIED)


@pytest.mark.parametrize("name", CASES)
def test_ranks_in_the_rows_are_those_of_full_rankings(case, name):
    oracle = case(name).oracle
    for row in oracle.rows:
        inside = [
            passage
            for passage in oracle.full[row["query_id"], row["query_language"]]
            if row["pool"] in (MULTILINGUAL_POOL, oracle.language[passage])
        ]
        relevance = oracle.relevance[row["query_id"]]
        assert [(one["rank"], one["passage_id"], one["parallel_id"], one["relevance"]) for one in row["relevants"]] == [
            (rank, p, oracle.parallel[p], relevance[p]) for rank, p in enumerate(inside, 1) if p in relevance
        ]
        assert [one["passage_id"] for one in row["top"]] == inside[: CASES[name][2]]


@pytest.mark.parametrize("name", TIED)
def test_equal_scores_are_counted_in_each_pool_and_beyond_the_top(case, name):
    made = case(name)
    ids = made.task.passages["passage_id"].to_list()
    language = made.oracle.language
    asked = made.task.queries.select("query_id", "language").rows()
    scores = dict(zip(asked, made.vectors.queries @ made.vectors.passages.T, strict=True))
    for row in made.oracle.rows:
        score = dict(zip(ids, scores[row["query_id"], row["query_language"]].tolist(), strict=True))
        inside = [p for p in ids if row["pool"] in (MULTILINGUAL_POOL, language[p])]
        for one in row["relevants"]:
            equal = [p for p in inside if score[p] == score[one["passage_id"]]]
            assert one["tied_before"] == sum(p > one["passage_id"] for p in equal)
            assert one["tied_after"] == sum(p < one["passage_id"] for p in equal)
        if row["pool"] == MULTILINGUAL_POOL:
            top = [one["passage_id"] for one in row["top"]]
            beyond = Counter(language[p] for p in inside if p not in top and score[p] == score[top[-1]])
            assert {one["language"]: one["n"] for one in row["tied_with_last"]} == beyond
        else:
            assert row["tied_with_last"] is None


@pytest.mark.parametrize("name", CASES)
def test_there_is_one_row_per_number(case, name):
    made = case(name)
    assert len(made.found) == made.summary.height
    assert set(made.found) == set(made.oracle.expected)


@pytest.mark.parametrize("name", CASES)
def test_every_value_and_every_count(case, name):
    """Where scores tie, the oracle orders them by id, which is right for quality; for bias see the next test."""
    made = case(name)
    for key, expected in made.oracle.expected.items():
        ordered = name in TIED and key[0] not in measures("quality")
        numbers = [number for number in NUMBERS if not (ordered and number in ("value", "weighted"))]
        pairs = [[row[number] for number in numbers] for row in (made.found[key], expected)]
        found, wanted = ([math.nan if value is None else value for value in row] for row in pairs)
        assert found == pytest.approx(wanted, abs=1e-6, rel=1e-6, nan_ok=True), key


N_ORDERS = 60
OF_EVERY_ORDER = (
    "rank_distance", "rank_distance.normalised", "rank_distance.median", "max@r", "same_language@1", "peer",
    "single_gold", "single_gold.gap", "exposure@10", "exposure@10.ratio", "language_rank",
)  # fmt: skip


@pytest.mark.integration
@pytest.mark.parametrize("name", TIED)
def test_where_scores_tie_measures_of_bias_are_means_over_random_orders(case, name):
    made, rng = case(name), np.random.default_rng(0)
    orders = [RandomOrder(made, rng).expected for _ in range(N_ORDERS)]
    compared = 0
    for key, row in made.found.items():
        shared = key[0] == "language_rank" and key[2] is None and key[3] is not None  # of ranks that are means already
        if key[0] not in OF_EVERY_ORDER or shared:
            continue
        values = [order[key]["value"] for order in orders]
        if row["value"] is None:
            assert values == [None] * N_ORDERS, key
            continue
        error = np.std(values) / math.sqrt(N_ORDERS)
        assert abs(row["value"] - np.mean(values)) <= 5 * error + 1e-9, key
        compared += error > 0
    assert compared > 50


@pytest.mark.parametrize("name", TIED)
def test_where_scores_tie_w_and_the_test_are_those_of_shared_ranks(case, name):
    made = case(name)
    expected = SharedRanks(made).expected
    for key, row in expected.items():
        if key[0] in ("kendall_w", "friedman_chi2", "friedman_p", "language_rank") and key[2] is None:
            ours = math.nan if made.found[key]["value"] is None else made.found[key]["value"]
            assert ours == pytest.approx(math.nan if row["value"] is None else row["value"], abs=1e-6, nan_ok=True), key


@pytest.mark.parametrize("name", CASES)
def test_undefined_is_null_with_n_of_zero_and_nothing_is_nan(case, name):
    summary = case(name).run.summary
    for column, dtype in SUMMARY_SCHEMA.items():
        assert summary[column].dtype == dtype
        if dtype == pl.Float64():
            assert summary[column].is_finite().all()  # of those that are not null
    null = pl.col("value").is_null()
    assert summary.filter(null != (pl.col("n") == 0)).is_empty()
    assert summary.filter(null & (pl.col("low").is_not_null() | pl.col("weighted").is_not_null())).is_empty()
    assert summary.filter(null & (pl.col("n_queries") + pl.col("n_ids") > 0)).is_empty()
    assert (
        summary.select(pl.col("n", "n_queries", "n_ids", "n_cells", "n_cells_empty", "n_excluded").min().ge(0)).row(0)
        == (True,) * 6
    )
    assert summary.filter(pl.col("n_ids") > pl.col("n_queries")).is_empty()


def test_one_language_has_quality_and_no_bias(case):
    found = case("one language").found
    assert found["map", "monolingual", "th", "th"]["value"] > 0
    assert ("map", "cross-lingual", None, None) not in found
    for measure in ("rank_distance", "rank_distance.median", "same_language@1", "kendall_w", "friedman_p", "peer"):
        row = found[measure, "multilingual", None, None]
        assert (row["value"], row["low"], row["n"]) == (None, None, 0)
    assert ("single_gold.gap", "multilingual", None, None) not in found


def test_a_short_top_list_has_no_exposure_rather_than_a_wrong_one(case):
    rows = [row for key, row in case("a short top list").found.items() if key[0].startswith("exposure")]
    assert len(rows) > 20
    assert all(row["value"] is None and row["n"] == 0 and row["n_excluded"] > 0 for row in rows)


# -- intervals ---------------------------------------------------------------------------------------------------------


class Bootstrap:
    """Ten thousand samples of query ids, one after the other."""

    def __init__(self, oracle: Oracle, seed: int = 0) -> None:
        self.oracle = oracle
        self.place = {query_id: i for i, query_id in enumerate(oracle.ids)}
        self.draws = draw_ids(np.random.default_rng(seed), 10_000, len(oracle.ids))

    def mean(self, drawn: np.ndarray, key: tuple) -> float:
        """Mean of a cell over the ids that were drawn, as often as they were."""
        values = defined(self.oracle.cells[key])
        times = drawn[[self.place[query_id] for query_id, _ in values]]
        return float((times * list(values.values())).sum() / times.sum()) if times.sum() else math.nan

    def interval(self, number, keys) -> list[float]:
        """BCa, by the book, of a number that is made of some cells."""
        n_ids = len(self.oracle.ids)
        n = len({query_id for key in keys for query_id, _ in defined(self.oracle.cells[key])})
        left_out = np.array([number(1 - np.eye(n_ids)[i]) for i in range(n_ids)])
        replicates = np.array([number(drawn) for drawn in self.draws])
        return bca_by_the_book(replicates, number(np.ones(n_ids)), left_out, n).tolist()


@pytest.fixture(scope="module")
def bootstrap(case):
    return Bootstrap(case("uneven").oracle)


def interval(case, *key) -> list[float]:
    row = case("uneven").found[key]
    assert row["low"] <= row["value"] <= row["high"]
    return [row["low"], row["high"]]


@pytest.mark.parametrize(
    "key",
    [
        ("map", "cross-lingual", "sw", "th"),
        ("rank_distance", "multilingual", "de", None),
        ("exposure@10.ratio", "multilingual", "en", "zh"),
        ("language_rank", "multilingual", None, "th"),
    ],
)
def test_the_interval_of_a_cell_is_that_of_an_explicit_bootstrap(case, bootstrap, key):
    assert interval(case, *key) == pytest.approx(bootstrap.interval(lambda drawn: bootstrap.mean(drawn, key), [key]))


def test_the_interval_of_a_macro_average(case, bootstrap):
    cells = [key for key in bootstrap.oracle.cells if key[:2] == ("recall@1", "monolingual")]
    assert len(cells) == 3
    expected = bootstrap.interval(lambda drawn: np.nanmean([bootstrap.mean(drawn, key) for key in cells]), cells)
    assert interval(case, "recall@1", "monolingual", None, None) == pytest.approx(expected)


def test_the_interval_of_the_gap(case, bootstrap):
    own = ("single_gold", "multilingual", "th", "th")
    others = [("single_gold", "multilingual", "th", pl_) for pl_ in ("de", "en", "zh")]
    expected = bootstrap.interval(
        lambda drawn: bootstrap.mean(drawn, own) - np.nanmean([bootstrap.mean(drawn, key) for key in others]),
        [own, *others],
    )
    assert interval(case, "single_gold.gap", "multilingual", "th", None) == pytest.approx(expected)


@pytest.mark.parametrize("name", ["even", "tied and even"])
@pytest.mark.parametrize("query_language", [None, "th"])
def test_the_interval_of_kendall_s_w(case, name, query_language):
    """W of what is drawn, with the ties of what is drawn, less the (1 − W)/n that its repeats add; it holds W."""
    made = case(name)
    oracle = SharedRanks(made)
    ids = oracle.ids
    blocks = np.array([oracle.blocks[query_id, query_language] for query_id in ids])
    ranks = rankdata(np.round(blocks, 9), axis=1)
    n, k = ranks.shape
    lost = np.array([sum(row.tolist().count(rank) ** 2 - 1 for rank in row) for row in ranks]) / (k**3 - k)

    def w(drawn) -> float:
        means = (drawn @ ranks) / drawn.sum()
        return 12 * ((means - (k + 1) / 2) ** 2).sum() / (k**3 - k) / (1 - (drawn @ lost) / drawn.sum())

    row = made.found["kendall_w", "multilingual", query_language, None]
    estimate = w(np.ones(n))
    assert (row["value"], row["n"]) == (pytest.approx(estimate), n)
    found = [w(drawn) for drawn in draw_ids(np.random.default_rng(0), 10_000, n)]
    replicates = np.clip([one - (1 - one) / (n - 1) for one in found], 0, 1)
    low, high = bca_by_the_book(replicates, estimate, np.array([w(1 - np.eye(n)[i]) for i in range(n)]), n)
    assert [row["low"], row["high"]] == pytest.approx([min(low, estimate), max(high, estimate)], abs=1e-6)


def test_numbers_that_are_no_means_and_those_of_fewer_than_ten_ids_have_no_interval(case):
    assert any(row["n_ids"] == 9 for row in case("uneven").found.values())
    for name in CASES:
        for key, row in case(name).found.items():
            there = row["n_ids"] >= 10 and key[0] not in ("friedman_chi2", "friedman_p", "rank_distance.median")
            assert (row["low"] is not None) == (row["high"] is not None) == there, key


def test_without_intervals_all_else_is_the_same(case):
    made = case("uneven")
    found = summarise(made.run.rankings.collect(), made.task.pool_sizes, intervals=False)
    rest = [column for column in SUMMARY_SCHEMA if column not in ("low", "high")]
    assert found.select(rest).equals(made.summary.select(rest))
    assert found["low"].null_count() == found["high"].null_count() == found.height


def test_the_order_of_rows_does_not_matter_and_the_seed_does(case):
    made = case("uneven")
    rankings = made.run.rankings.collect()
    shuffled = rankings.sample(fraction=1.0, shuffle=True, seed=1)
    ours = made.summary.select(list(SUMMARY_SCHEMA))
    assert summarise(shuffled, made.task.pool_sizes).equals(ours)
    other = summarise(rankings, made.task.pool_sizes, seed=1)
    assert other["value"].equals(ours["value"])
    assert not other["low"].equals(ours["low"])


def test_a_budget_for_one_table_at_a_time_changes_nothing(case, monkeypatch):
    from xlbias.results import summary

    made = case("uneven")
    together = summary._together
    tables: list[int] = []

    def one_by_one(all_of_them, _):
        for table in together(all_of_them, 1):
            tables.append(len(table.columns))
            yield table

    monkeypatch.setattr(summary, "_together", one_by_one)
    found = summarise(made.run.rankings.collect(), made.task.pool_sizes).sort(KEY)
    whole = made.summary.select(list(SUMMARY_SCHEMA)).sort(KEY)
    assert len(tables) == 8 + 12  # a table per measure
    assert found.drop("low", "high").equals(whole.drop("low", "high"))
    for end in ("low", "high"):
        assert found[end].to_numpy() == pytest.approx(whole[end].to_numpy(), abs=1e-12, nan_ok=True)


# -- by hand, and real -------------------------------------------------------------------------------------------------


def test_a_gap_with_one_side_only_is_undefined():
    """German questions have German answers, and those in Thai as well; no German one has an answer in Thai."""
    task = RetrievalTask(
        "by hand", "test", "by hand", "none",
        pl.DataFrame({"query_id": ["a", "b"], "language": ["de", "th"], "text": ["x", "y"]}),
        pl.DataFrame({"passage_id": ["1", "2", "3"], "language": ["de", "th", "de"], "text": ["p", "q", "r"]}),
        pl.DataFrame({"query_id": ["a", "b", "b"], "passage_id": ["1", "2", "3"], "relevance": [1, 1, 1]}),
    )  # fmt: skip
    run = evaluate(integer_vectors(task), task)
    gaps = run.summary.filter(pl.col("measure") == "single_gold.gap").select(
        "query_language", pl.col("value").is_null().alias("null"), "n", "n_queries", "n_ids", "n_excluded"
    )
    assert sorted(gaps.rows(), key=str) == [
        ("de", True, 0, 0, 0, 2),
        ("th", False, 2, 1, 1, 0),
        (None, False, 2, 1, 1, 0),  # of Thai questions
    ]


@pytest.mark.integration
def test_real_mlqa_counts_every_cell_as_its_file_does(shared_data, monkeypatch):
    monkeypatch.setattr("xlbias.results.summary.REPLICATES", 20)
    file = shared_data / "mlqa" / "parallel.jsonl.gz"
    task = load_task(f"parallel:{file}[split=test;languages=ar,de,es,vi]")
    rng = np.random.default_rng(0)
    sizes = (task.queries.height, task.passages.height)
    queries, passages = (rng.standard_normal((size, 8)).astype(np.float32) for size in sizes)
    run = evaluate(PrecomputedVectors(queries, passages), task, top_of="multilingual")
    asked, answered = defaultdict(set), defaultdict(set)
    with gzip.open(file, "rt", encoding="utf-8") as lines:
        for item in map(json.loads, lines):
            if "query" in item:
                asked[item["language"]].add(item["id"])
            if "passage" in item:
                answered[item["language"]].add(item["id"])
    ids = set(task.queries["query_id"])
    pools = ["de", "es", "vi"]  # no passages in Arabic
    assert task.passage_languages == pools
    anywhere = set().union(*(answered[pool] for pool in pools))
    found = {(row["query_language"], row["pool"]): row for row in run.cells.rows(named=True)}
    assert set(found) == {(ql, pool) for ql in ("ar", "de", "es", "vi") for pool in (*pools, MULTILINGUAL_POOL)}
    for (ql, pool), row in found.items():
        own = asked[ql] & ids
        n = len(own & (anywhere if pool == MULTILINGUAL_POOL else answered[pool]))
        assert (row["n"], row["n_excluded"]) == (n, len(own) - n), (ql, pool)
        assert n > 0
    assert len({row["n"] for row in found.values()}) > 10  # as uneven as that
    several = {i for i in ids if sum(i in answered[pool] for pool in pools) > 1}
    for row in run.bias().rows(named=True):
        own = asked[row["query_language"]] & ids
        assert (row["n"], row["n_excluded"]) == (len(own & several), len(own - several))
    for row in run.settings.rows(named=True):
        cells = [one for one in found.values() if one["setting"] == row["setting"]]
        assert row["n_rankings"] == sum(one["n"] for one in cells)
        assert row["map"] == pytest.approx(np.mean([one["map"] for one in cells]))
        weighted = sum(one["map"] * one["n"] for one in cells) / row["n_rankings"]
        assert row["map_weighted"] == pytest.approx(weighted)
    assert set(run.settings["setting"]) == set(SETTINGS)


@pytest.mark.parametrize("n", [0, 1, 2, 9, 50])
@pytest.mark.parametrize("n_drawn", [1, 2, 7, 60])
def test_medians_with_drawn_values_are_those_of_all_values(n, n_drawn):
    rng = np.random.default_rng(n)
    values, drawn = rng.integers(0, 30, n).astype(float), rng.integers(-20, 50, (5, n_drawn)).astype(float)
    expected = [median([*values, *row]) for row in drawn]
    assert _medians_with(np.sort(values), drawn).tolist() == expected


def test_aggregates_of_many_replicates_are_those_of_each_alone():
    """Also where some columns are NaN, as they were not drawn."""
    rng = np.random.default_rng(0)
    aggregates = [Aggregate(Key("a"), (0, 2, 5)), Aggregate(Key("b"), (1,), (3, 4)), Aggregate(Key("c"), (4,))]
    for share in (0.0, 0.3):
        means = rng.random((40, 6))
        means[rng.random(means.shape) < share] = np.nan
        each = np.concatenate([aggregated(row[None], aggregates) for row in means])
        assert aggregated(means, aggregates) == pytest.approx(each, rel=1e-12, nan_ok=True)
    assert aggregated(np.empty((0, 6)), aggregates).shape == (0, 3)
    assert aggregated(np.empty((4, 6)), []).shape == (4, 0)
