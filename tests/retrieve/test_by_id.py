"""Queries ranked with their translations beside them against the same ranked a language at a time."""

from dataclasses import fields

import numpy as np
import pytest
from support import make_task

from xlbias.encode.precomputed import PrecomputedVectors
from xlbias.evaluation import evaluate, runner
from xlbias.retrieve import by_id, consistency
from xlbias.retrieve.by_id import RankedById, can_be_ranked_by_id, ranked_parts
from xlbias.retrieve.consistency import rank_consistency
from xlbias.retrieve.index import PassageIndex
from xlbias.retrieve.ranks import Asked, rank
from xlbias.runs.journal import Journal


def case(seed: int):
    """Integer vectors, where many scores tie; ids with one to four translations in a shuffled order of queries."""
    rng = np.random.default_rng(seed)
    passages = rng.integers(-2, 3, (2500, 5)).astype(np.float32)
    ids = [f"p{i}" for i in rng.permutation(len(passages))]
    index = PassageIndex(passages, ids, [("de", "en", "th")[i] for i in rng.integers(0, 3, len(ids))])
    names = [f"q{i}" for i in range(60) for _ in range(1 + i % 4)]
    names = [names[i] for i in rng.permutation(len(names))]
    queries = rng.integers(-2, 3, (len(names), 5)).astype(np.float32)
    pairs = np.sort(rng.integers(0, len(names), 300))
    return index, queries, names, pairs, rng.integers(0, len(passages), 300)


def same(one: object, other: object) -> bool:
    values = [(getattr(one, each.name), getattr(other, each.name)) for each in fields(one)]
    return all(np.array_equal(a, b) if isinstance(a, np.ndarray) else a == b for a, b in values)


@pytest.mark.parametrize("k", [0, 7])
@pytest.mark.parametrize("top_of", ["all", "multilingual"])
@pytest.mark.parametrize("rows", [4, 30, 256])
def test_each_block_has_what_it_has_alone_and_consistency_too(k, top_of, rows, monkeypatch):
    monkeypatch.setattr(consistency, "_ROWS", rows)
    index, queries, names, pair_query, pair_passage = case(rows)
    done: list[int] = []
    asked = Asked(queries, pair_query, pair_passage, names, k, top_of)
    together = RankedById(index, asked, ranked_parts(index, asked, done.append))
    assert (sum(done), len(done) > 1) == (len(names), rows < 256)
    assert np.array_equal(together.consistency, rank_consistency(index, queries, names), equal_nan=True)
    assert np.isfinite(together.consistency).any()
    everything = np.arange(len(names))
    for block in (everything[::3], everything[1::3], everything[2:3], everything[:0]):
        chosen = np.isin(pair_query, block)
        pairs = np.searchsorted(block, pair_query[chosen]), pair_passage[chosen]
        of_block = Asked(queries[block], *pairs, names, k, top_of)
        ranks, top = rank(index, of_block)
        found, lists = together.of(block)(index, of_block)
        assert same(found, ranks)
        assert len(lists) == len(top)
        assert all(same(*pair) for pair in zip(lists, top, strict=True))


@pytest.mark.parametrize("holders", [2, 3, 20])
def test_shares_of_the_ids_are_together_what_one_finds(holders, monkeypatch):
    monkeypatch.setattr(consistency, "_ROWS", 12)
    index, queries, names, pair_query, pair_passage = case(3)
    asked = Asked(queries, pair_query, pair_passage, names, 7)
    alone = list(ranked_parts(index, asked))
    done: list[int] = []
    shares = [list(ranked_parts(index, asked, done.append, (holder, holders))) for holder in range(holders)]
    assert sum(done) == holders * len(names)
    assert sorted(int(row) for share in shares for part in share for row in part.rows) == list(range(len(names)))
    assert max(map(len, shares)) - min(map(len, shares)) <= 1
    one, several = (RankedById(index, asked, parts) for parts in (alone, [part for share in shares for part in share]))
    assert np.array_equal(one.consistency, several.consistency, equal_nan=True)
    everything = np.arange(len(names))
    (ranks, top), (of_several, lists) = (found.of(everything)(index, asked) for found in (one, several))
    assert same(of_several, ranks)
    assert all(same(*pair) for pair in zip(lists, top, strict=True))


def test_other_pairs_or_lists_are_refused():
    index, queries, names, pair_query, pair_passage = case(0)
    asked = Asked(queries, pair_query, pair_passage, names, 5)
    together = RankedById(index, asked, ranked_parts(index, asked))
    everything = np.arange(len(names))
    with pytest.raises(ValueError, match="other pairs"):
        together.of(everything)(index, Asked(queries, pair_query[1:], pair_passage[1:], k=5))
    with pytest.raises(ValueError, match="other lists"):
        together.of(everything)(index, Asked(queries, pair_query, pair_passage, k=6))


def test_only_what_takes_seconds_is_ranked_before_anything_is_written(monkeypatch):
    index = case(0)[0]
    assert can_be_ranked_by_id(index, 1000, 1000)
    assert not can_be_ranked_by_id(index, by_id.MOST_SCORES, 1000)
    assert not can_be_ranked_by_id(index, 1000, 1 << 30)
    monkeypatch.setattr(type(index), "few", property(lambda _: False))
    assert not can_be_ranked_by_id(index, 1000, 1000)


@pytest.mark.parametrize("top_k", [1, 3])
def test_the_run_is_the_same_also_where_it_was_stopped_between_two_languages(top_k, tmp_path, monkeypatch):
    task = make_task(12)
    rng = np.random.default_rng(1)
    vectors = (rng.integers(-2, 3, (frame.height, 6)).astype(np.float32) for frame in (task.queries, task.passages))
    encoder = PrecomputedVectors(*vectors, "made")
    whole = evaluate(encoder, task, tmp_path / "whole.parquet", top_k=top_k)
    own, written = Journal.write, []

    def write(journal, record, key, frame):
        if record == "ranking" and len(written) == 3:
            raise KeyboardInterrupt
        own(journal, record, key, frame)
        written.extend([key] if record == "ranking" else [])

    with monkeypatch.context() as patch:
        patch.setattr(Journal, "write", write)
        with pytest.raises(KeyboardInterrupt):
            evaluate(encoder, task, tmp_path / "stopped.parquet", top_k=top_k)
    monkeypatch.setattr(runner, "RankedById", None)
    resumed = evaluate(encoder, task, tmp_path / "stopped.parquet", top_k=top_k, resume=True)
    assert len(written) == 3
    rankings = whole.rankings.collect()
    assert rankings.equals(resumed.rankings.collect())
    assert rankings["consistency"].drop_nulls().len() == task.queries.height
    assert whole.stored_summary.equals(resumed.stored_summary)
