"""Exact ranks against brute force: ties, tiles, memory, devices, edge shapes."""

import dataclasses
import os
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
import torch

from xlbias.encode.vector_rows import HeldRows
from xlbias.errors import EncoderError, TaskError
from xlbias.retrieve import index as index_module
from xlbias.retrieve import ranks as ranks_module
from xlbias.retrieve import topk as topk_module
from xlbias.retrieve.counting import count_better_cpu, count_better_torch
from xlbias.retrieve.index import PASSAGE_TILE, PassageIndex
from xlbias.retrieve.ranks import Asked, rank, rank_pairs
from xlbias.retrieve.shares import merged, share_of_tiles

pytestmark = pytest.mark.integration


def brute_force(scores, ids, languages, pair_query, pair_passage):
    """Rank by sorting: score descending, then id descending."""
    in_pool, in_union = [], []
    for q, p in zip(pair_query, pair_passage, strict=True):
        order = sorted(range(len(ids)), key=lambda j: (scores[q, j], ids[j]), reverse=True)
        in_union.append(order.index(p) + 1)
        in_pool.append([j for j in order if languages[j] == languages[p]].index(p) + 1)
    return np.array(in_pool), np.array(in_union)


def counted_ties(scores, ids, languages, pair_query, pair_passage):
    """Others with the same score by going through all passages: before and after by id, in the pool and in all."""
    found = []
    for q, p in zip(pair_query, pair_passage, strict=True):
        tied = [j for j in range(len(ids)) if scores[q, j] == scores[q, p] and j != p]
        mine = [j for j in tied if languages[j] == languages[p]]
        before = [sum(ids[j] > ids[p] for j in some) for some in (mine, tied)]
        found.append([before[0], len(mine) - before[0], before[1], len(tied) - before[1]])
    return np.array(found)


def integer_case(seed, n_queries=30, n_passages=400, dimension=6, n_pairs=120):
    rng = np.random.default_rng(seed)
    passages = rng.integers(-2, 3, (n_passages, dimension)).astype(np.float32)
    queries = rng.integers(-2, 3, (n_queries, dimension)).astype(np.float32)
    languages = [("th", "de", "en")[i] for i in rng.integers(0, 3, n_passages)]
    ids = [f"p{i}" for i in rng.permutation(n_passages)]
    pair_query = np.sort(rng.integers(0, n_queries, n_pairs))
    return queries, passages, ids, languages, pair_query, rng.integers(0, n_passages, n_pairs)


@pytest.mark.parametrize("seed", range(5))
def test_ranks_equal_sorting_where_most_scores_are_tied(seed):
    queries, passages, ids, languages, pair_query, pair_passage = integer_case(seed)
    found = rank_pairs(PassageIndex(passages, ids, languages), queries, pair_query, pair_passage)
    in_pool, in_union = brute_force(queries @ passages.T, ids, languages, pair_query, pair_passage)
    assert (found.in_pool == in_pool).all()
    assert (found.in_union == in_union).all()
    assert (found.score == (queries @ passages.T)[pair_query, pair_passage]).all()
    ties = counted_ties(queries @ passages.T, ids, languages, pair_query, pair_passage)
    assert (np.hstack([found.tied_in_pool, found.tied_in_union]) == ties).all()
    assert (ties.sum(axis=0) > 0).all()


def test_a_constant_scorer_gets_its_tie_order_and_nothing_better():
    n = 500
    ids = [f"{i:04d}" for i in range(n)]
    index = PassageIndex(np.ones((n, 8), np.float32), ids, ["en"] * n)
    found = rank_pairs(index, np.ones((1, 8), np.float32), np.zeros(n, np.int64), np.arange(n))
    assert (found.in_pool == n - np.arange(n)).all()  # ids descending, whatever order the passages came in
    assert (found.tied_in_pool == np.stack([n - 1 - np.arange(n), np.arange(n)], axis=1)).all()


def test_the_union_rank_is_one_plus_the_better_ones_of_all_languages():
    queries, passages, ids, languages, pair_query, pair_passage = integer_case(11)
    whole = rank_pairs(PassageIndex(passages, ids, languages), queries, pair_query, pair_passage)
    one_pool = rank_pairs(PassageIndex(passages, ids, ["mul"] * len(ids)), queries, pair_query, pair_passage)
    assert (whole.in_union == one_pool.in_pool).all()


class Unheld(HeldRows):
    """Rows that are no array to the index, and of which what was read before is gone."""

    def read(self, start, stop):
        self.last = getattr(self, "last", np.zeros(0, np.float32))
        self.last[:] = np.nan
        self.last = self.vectors[start:stop].copy()
        return self.last


@pytest.mark.parametrize("kind", ["in order", "in any order", "not held"])
def test_ranks_and_scores_do_not_depend_on_how_vectors_are_held_or_which_queries_come_together(kind):
    rng = np.random.default_rng(3)
    n = 2 * PASSAGE_TILE + 700
    passages = rng.standard_normal((n, 40)).astype(np.float32)
    passages[900:950] = passages[:50]  # equal vectors in one tile, and in two
    passages[PASSAGE_TILE + 5 : PASSAGE_TILE + 55] = passages[:50]
    queries = rng.standard_normal((600, 40)).astype(np.float32)
    ids = [f"{i:05d}" for i in range(n)]
    languages = ["de" if i % 2 else "en" for i in range(n)]
    pair_query, pair_passage = np.repeat(np.arange(600), 3), rng.integers(0, n, 1800)
    expected = rank_pairs(PassageIndex(passages, ids, languages), queries, pair_query, pair_passage)
    order = (
        np.lexsort((-np.arange(n), languages)) if kind != "in any order" else np.random.default_rng(1).permutation(n)
    )
    place = np.argsort(order)
    given = passages[order] if kind != "not held" else Unheld(passages[order])
    index = PassageIndex(given, [ids[i] for i in order], [languages[i] for i in order])
    pair_passage = place[pair_passage]
    found = rank_pairs(index, queries, pair_query, pair_passage)
    assert (found.score == expected.score).all()
    assert (found.in_union == expected.in_union).all()
    assert (found.tied_in_union == expected.tied_in_union).all() and expected.tied_in_union.any()
    few = pair_query < 256  # the same queries alone
    alone = rank_pairs(index, queries[:256], pair_query[few], pair_passage[few])
    assert (alone.score == expected.score[few]).all()
    assert (alone.in_pool == expected.in_pool[few]).all()


def test_equal_vectors_tie_exactly_wherever_they_stand():
    rng = np.random.default_rng(4)
    n = PASSAGE_TILE + 301
    passages = np.tile(rng.standard_normal(384).astype(np.float32), (n, 1))
    queries = rng.standard_normal((300, 384)).astype(np.float32)
    index = PassageIndex(passages, [f"{i:05d}" for i in range(n)], ["en"] * n)
    pair_query = np.repeat(np.arange(300), 2)
    found = rank_pairs(index, queries, pair_query, np.tile([0, n - 1], 300))
    assert (found.in_pool.reshape(-1, 2) == [n, 1]).all()
    assert (found.score.reshape(-1, 2)[:, 0] == found.score.reshape(-1, 2)[:, 1]).all()


def test_the_torch_kernel_counts_what_the_cpu_kernel_counts(monkeypatch):
    queries, passages, ids, languages, pair_query, pair_passage = integer_case(5)
    index = PassageIndex(passages, ids, languages)
    expected = rank_pairs(index, queries, pair_query, pair_passage)

    def by_torch(scores, first, n_columns, indptr, thresholds, pools, starts, before, own, union):
        columns = np.arange(first, first + n_columns)
        rows = np.repeat(np.arange(len(indptr) - 1), np.diff(indptr))
        inside = slice(first, first + n_columns)
        order = before.sum(axis=1)  # passages of all pools before the pair's: its place in the declared order
        found = count_better_torch(
            torch.from_numpy(scores), torch.from_numpy(columns - first),
            torch.from_numpy(index.order[inside].astype(np.int64)),
            torch.from_numpy(index.pools(columns)), torch.from_numpy(rows), torch.from_numpy(thresholds),
            torch.from_numpy(order.astype(np.int64)), torch.from_numpy(pools), chunk_elements=5000,
        )  # fmt: skip
        own += found[0].numpy()
        union += found[1].numpy()
        return 0  # no relevant passage scores otherwise in its tile

    monkeypatch.setattr(ranks_module, "count_better_cpu", by_torch)
    found = rank_pairs(index, queries, pair_query, pair_passage)
    assert (found.in_pool == expected.in_pool).all()
    assert (found.in_union == expected.in_union).all()
    assert (found.tied_in_pool == expected.tied_in_pool).all() and expected.tied_in_pool.any()
    assert (found.tied_in_union == expected.tied_in_union).all()
    assert count_better_cpu is not by_torch


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device here")
def test_cuda_ranks_equal_cpu_ranks_on_exact_scores():
    queries, passages, ids, languages, pair_query, pair_passage = integer_case(6, n_passages=5000)
    expected = rank_pairs(PassageIndex(passages, ids, languages), queries, pair_query, pair_passage)
    found = rank_pairs(PassageIndex(passages, ids, languages, device="cuda"), queries, pair_query, pair_passage)
    assert (found.in_pool == expected.in_pool).all()
    assert (found.in_union == expected.in_union).all()


class Threads:
    """Holders of shares that meet in one process, each in a thread of its own."""

    def __init__(self, n):
        self.barrier, self.given = threading.Barrier(n), {}

    def _all(self, own):
        self.given[threading.get_ident()] = own
        self.barrier.wait()
        found = [self.given[key] for key in sorted(self.given, key=self.order.index)]
        self.barrier.wait()
        return found

    def sum(self, own):
        return sum(self._all(own))

    def best(self, own):
        return merged(self._all(own))


@pytest.mark.parametrize("n_holders", [2, 3])
def test_holders_of_shares_find_what_one_finds(monkeypatch, n_holders):
    for module in (index_module, ranks_module, topk_module):
        monkeypatch.setattr(module, "PASSAGE_TILE", 64)
    queries, *passages, pair_query, pair_passage = integer_case(7)
    index = PassageIndex(*passages)
    whole, lists = rank(index, Asked(queries, pair_query, pair_passage, k=5))
    shares, found = Threads(n_holders), {}
    shares.order = []

    def hold(holder):
        shares.order.append(threading.get_ident())
        shares.barrier.wait()
        share = PassageIndex(*passages, tiles=share_of_tiles(index.n_tiles, holder, n_holders))
        found[holder] = rank(share, Asked(queries, pair_query, pair_passage, k=5), shares=shares)

    threads = []
    for holder in range(n_holders):
        threads.append(threading.Thread(target=hold, args=[holder]))
        threads[-1].start()
        while len(shares.order) <= holder:
            pass
    for thread in threads:
        thread.join()
    for ranks, top in found.values():
        for field in dataclasses.fields(ranks):
            assert (getattr(ranks, field.name) == getattr(whole, field.name)).all()
        for one, other in zip(top, lists, strict=True):
            assert (one.rows == other.rows).all() and (one.scores == other.scores).all()


def test_products_that_depend_on_where_a_row_stands_are_refused(monkeypatch):
    queries, *passages, pair_query, pair_passage = integer_case(8)
    index = PassageIndex(*passages)
    found = index.pair_scores(queries, pair_query, index.column_of[pair_passage].astype(np.int64))
    found[7] = np.nextafter(found[7], np.float32(9))
    monkeypatch.setattr(index, "pair_scores", lambda *_: found)
    with pytest.raises(EncoderError, match="depend on where a row stands"):
        rank_pairs(index, queries, pair_query, pair_passage)


def test_a_vector_that_is_not_finite_is_named():
    passages = np.ones((3, 2), np.float32)
    passages[1, 0] = np.nan
    with pytest.raises(EncoderError, match="passage 'b' has a NaN"):
        PassageIndex(passages, ["a", "b", "c"], ["en"] * 3)
    index = PassageIndex(np.ones((3, 2), np.float32), ["a", "b", "c"], ["en"] * 3)
    queries = np.array([[1, 1], [np.inf, 0]], np.float32)
    with pytest.raises(EncoderError, match="query 'second' has a NaN or infinite"):
        rank_pairs(index, queries, np.array([0]), np.array([0]), query_ids=["first", "second"])


def test_vectors_whose_products_overflow_are_refused():
    index = PassageIndex(np.full((2, 2), 1e30, np.float32), ["a", "b"], ["en"] * 2)
    with pytest.raises(EncoderError, match="overflow"):
        rank_pairs(index, np.full((1, 2), 1e30, np.float32), np.array([0]), np.array([0]))


def test_doubled_passage_ids_are_refused():
    with pytest.raises(TaskError, match="not distinct"):
        PassageIndex(np.ones((2, 2), np.float32), ["a", "a"], ["en", "de"])


def test_scores_are_of_full_precision_whatever_a_training_set_before():
    rng = np.random.default_rng(8)
    passages, queries = (
        rng.standard_normal((300, 64)).astype(np.float32),
        rng.standard_normal((20, 64)).astype(np.float32),
    )
    index = PassageIndex(passages, [f"{i:03d}" for i in range(300)], ["en"] * 300)
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("medium")
    try:
        found = rank_pairs(index, queries, np.arange(20), np.arange(20))
        assert torch.get_float32_matmul_precision() == "medium"
    finally:
        torch.set_float32_matmul_precision(before)
    exact = (queries.astype(np.float64) * passages[:20].astype(np.float64)).sum(axis=1)
    assert found.score == pytest.approx(exact, abs=1e-5)


SEVERAL_THREADS = """
import sys
from pathlib import Path
import torch
sys.path.insert(0, sys.argv[1])
from support import make_task, make_vectors
from xlbias.evaluation import evaluate
task = make_task(140)
runs = []
for threads in (1, 4):
    torch.set_num_threads(threads)
    runs.append(evaluate(make_vectors(task), task, Path(sys.argv[2]) / f"{threads}.parquet"))
one, several = (run.rankings.collect() for run in runs)
assert one.height > 0 and one.equals(several)
"""


@pytest.mark.e2e
def test_several_threads_find_what_one_finds(tmp_path):
    """In a process of its own: all other tests run with one thread, which is half the time where the cores are busy."""
    words = [str(Path(__file__).parents[1]), str(tmp_path)]
    environment = {**os.environ, "OMP_NUM_THREADS": "4"}
    done = subprocess.run(
        [sys.executable, "-c", SEVERAL_THREADS, *words], capture_output=True, text=True, env=environment, check=False
    )
    assert done.returncode == 0, done.stderr
