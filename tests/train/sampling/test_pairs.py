"""What can be drawn from a task: addresses of pairs, groups without false negatives, and memory."""

import tracemalloc

import numpy as np
import polars as pl
import pytest
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components as scipy_components
from scipy.stats import chisquare

from xlbias.data.task import RetrievalTask
from xlbias.errors import TrainingError
from xlbias.train.sampling.candidates import TaskPairs
from xlbias.train.sampling.index import connected_components
from xlbias.train.sampling.language_rows import LanguageRows, draw_codes
from xlbias.train.sampling.pairs import PairTexts
from xlbias.train.sampling.pool import Pool
from xlbias.train.sampling.samplers import CrossLingual, Mixed, Monolingual
from xlbias.train.sampling.shares import Shares

pytestmark = pytest.mark.integration


def same_partition(a: np.ndarray, b: np.ndarray) -> bool:
    return len(np.unique(np.stack([a, b]), axis=1).T) == len(np.unique(a)) == len(np.unique(b))


@pytest.mark.parametrize(
    ("n_items", "n_keys", "n_edges"), [(50, 20, 60), (3000, 2000, 3500), (3000, 40, 200), (5, 3, 0)]
)
def test_components_are_those_of_scipy(n_items: int, n_keys: int, n_edges: int) -> None:
    rng = np.random.default_rng(n_items)
    items, keys = rng.integers(n_items, size=n_edges), rng.integers(n_keys, size=n_edges)
    order = np.lexsort((items, keys))
    found = connected_components(items[order], keys[order], n_items)
    size = n_items + n_keys
    graph = coo_matrix((np.ones(n_edges), (items, n_items + keys)), shape=(size, size))
    assert same_partition(found, scipy_components(graph, directed=False)[1][:n_items])
    assert found.max() + 1 == len(np.unique(found))


def test_a_long_chain_in_random_order_is_one_component() -> None:
    n = 50_000
    name = np.random.default_rng(0).permutation(n)
    items = np.concatenate([name[:-1], name[1:]])
    keys = np.concatenate([np.arange(n - 1)] * 2)
    order = np.argsort(keys, kind="stable")
    assert (connected_components(items[order], keys[order], n) == 0).all()


def test_a_pair_is_one_number_and_gives_its_texts_back(mlqa: RetrievalTask, ntrex: RetrievalTask) -> None:
    texts = PairTexts([mlqa, ntrex])
    for task in (0, 1):
        rows = np.arange(len(texts.queries[task])), np.arange(len(texts.passages[task]))
        some = tuple(np.random.default_rng(1).choice(of, 300) for of in rows)
        pairs = texts.encode(task, *some)
        assert pairs.dtype == np.int64
        assert (pairs >= 0).all()
        found = texts.decode(pairs)
        assert found[0] == task
        assert all((a == b).all() for a, b in zip(found[1:], some, strict=True))
        expected = [
            {"query": texts.queries[task][int(q)], "passage": texts.passages[task][int(p)]}
            for q, p in zip(*some, strict=True)
        ]
        assert texts.__getitems__(pairs.tolist()) == expected
        assert texts[int(pairs[7])] == expected[7]


def test_questions_about_one_paragraph_are_one_group(mlqa: RetrievalTask) -> None:
    pairs = PairTexts([mlqa]).tasks[0]
    ids = mlqa.qrels["query_id"].unique().sort().to_list()
    assert pairs.n_ids == len(ids) == 9677
    group = dict(zip(ids, pairs.group.tolist(), strict=True))
    texts = pl.concat(
        [
            mlqa.qrels.join(mlqa.passages, on="passage_id").select("query_id", "text"),
            mlqa.queries.select("query_id", "text"),
        ]
    ).unique()
    shared = texts.group_by("text").agg("query_id").filter(pl.col("query_id").list.len() > 1)
    assert shared.height > 500
    for members in shared["query_id"]:
        assert len({group[query_id] for query_id in members}) == 1


def test_passages_of_one_parallel_group_put_their_queries_into_one_group() -> None:
    ids, languages = ["a", "b", "c"], ["de", "en", "en"]
    passages = {"passage_id": ["1", "2", "3"], "language": languages, "text": ["Satz", "sentence", "another"]}
    task = RetrievalTask(
        "news", "news", "", "",
        pl.DataFrame({"query_id": ids, "language": languages, "text": ["Frage", "question", "other"]}),
        pl.DataFrame(passages | {"parallel_id": ["s", "s", "t"]}),
        pl.DataFrame({"query_id": ids, "passage_id": ["1", "2", "3"], "relevance": [1, 1, 1]}),
    )  # fmt: skip
    group = PairTexts([task]).tasks[0].group
    assert group[0] == group[1] != group[2]


def test_each_of_several_relevant_passages_is_drawn_as_often(headlines: RetrievalTask) -> None:
    texts = PairTexts([headlines])
    pairs = texts.tasks[0]
    german = pairs.languages.index("de")
    of_runs = np.concatenate(list(pairs.runs.codes()))
    most = int(np.argmax(np.diff(pairs.relevant_offsets)[of_runs == german]))
    drawn = pairs.draw_passages(np.full(20_000, most), np.full(20_000, german), np.random.default_rng(3))
    document = headlines.qrels["query_id"].unique().sort()[most]
    expected = headlines.passages.filter((pl.col("document") == document) & (pl.col("language") == "de"))["text"]
    counts = pl.Series(texts.passages[0].gather(drawn)).value_counts()
    assert set(counts.to_series(0)) == set(expected)
    assert len(expected) > 20
    assert chisquare(counts["count"]).pvalue > 0.001


def test_the_training_texts_are_all_texts_that_can_be_drawn_and_no_others(small: RetrievalTask) -> None:
    unasked = pl.DataFrame({"passage_id": ["x"], "language": ["de"], "text": ["Danach fragt niemand."]})
    passages = pl.concat([small.passages, unasked], how="diagonal")
    task = RetrievalTask("t", "", "", "", small.queries, passages, small.qrels)
    found = {(language, text) for language, texts in PairTexts([task]).texts() for text in texts}
    assert found == set(
        pl.concat([small.queries, small.passages], how="diagonal").select("language", "text").iter_rows()
    )


def language_rows(present: np.ndarray) -> LanguageRows:
    return LanguageRows.of(*np.nonzero(present), *present.shape)


@pytest.mark.parametrize(("n_ids", "n_languages", "share"), [(500, 9, 0.4), (90, 130, 0.1), (300, 8, 1.0), (7, 1, 0.5)])
def test_rows_are_where_a_plain_list_has_them(n_ids: int, n_languages: int, share: float) -> None:
    present = np.random.default_rng(n_ids).random((n_ids, n_languages)) < share
    rows = language_rows(present)
    ids, codes = np.nonzero(present)
    assert (rows.first is None) == (share == 1.0)
    assert rows.rows(ids, codes).tolist() == list(range(len(ids)))
    assert (np.concatenate(list(rows.codes())) == codes).all()
    some = np.random.default_rng(0).integers(n_ids, size=50)
    assert (rows.has(some) == present[some]).all()
    assert (rows.count(some) == present[some].sum(axis=1)).all()
    for code in range(n_languages):
        assert (rows.has_in(some, code) == present[some, code]).all()
        assert (rows.has_in(slice(None), code) == present[:, code]).all()


def test_more_ids_than_a_chunk_are_no_different() -> None:
    present = np.random.default_rng(1).random((150_000, 3)) < 0.5
    rows = language_rows(present)
    ids, codes = np.nonzero(present)
    assert (rows.rows(ids, codes) == np.arange(len(ids))).all()
    assert (np.concatenate(list(rows.codes())) == codes).all()


def test_a_language_is_drawn_as_often_as_every_other_that_an_id_has() -> None:
    present = np.array([[0, 1, 1, 0, 1], [1, 0, 0, 0, 0]], dtype=bool)
    codes = draw_codes(np.repeat(present, 6_000, axis=0), np.random.default_rng(5))
    assert set(codes[6_000:]) == {0}
    counts = np.bincount(codes[:6_000], minlength=5)
    assert counts[[0, 3]].tolist() == [0, 0]
    assert chisquare(counts[[1, 2, 4]]).pvalue > 0.001


@pytest.mark.parametrize(("share", "listed"), [(1.0, False), (0.3, False), (0.07, False), (0.05, True)])
def test_a_pool_draws_its_ids_uniformly_whether_it_lists_them_or_not(share: float, listed: bool) -> None:
    belongs = np.random.default_rng(2).random(2_000) < share
    pool = Pool(2_000, lambda ids: belongs[ids])
    assert (pool.ids is not None) == listed
    assert pool.count == belongs.sum()
    assert np.concatenate(list(pool)).tolist() == np.flatnonzero(belongs).tolist()
    drawn = np.bincount(pool.draw(np.random.default_rng(3), 40_000), minlength=2_000)
    assert (drawn[~belongs] == 0).all()
    assert chisquare(drawn[belongs]).pvalue > 0.001
    group = np.arange(2_000) // 100
    assert pool.count_groups(group, 10_000) == len(np.unique(group[belongs]))
    assert pool.count_groups(group, 2) >= 2
    assert pool.count_groups(None, 2) == belongs.sum()


def test_a_passage_of_each_row_is_in_the_language_that_the_row_says(mlqa: RetrievalTask, mlqa_oracle) -> None:
    texts = PairTexts([mlqa])
    codes = texts.tasks[0].passage_languages(len(texts.passages[0]))
    found = zip(texts.passages[0], codes.tolist(), strict=True)
    assert all(texts.languages[code] in mlqa_oracle.passage_languages[text] for text, code in found)


def synthetic(n_ids: int, n_languages: int, share: float) -> TaskPairs:
    """Partly parallel ids, as arrays alone."""
    rng = np.random.default_rng(0)
    present = rng.random((2, n_ids, n_languages)) < share
    present[:, :, 0] |= ~present.any(axis=2)
    return TaskPairs(
        name="synthetic",
        languages=tuple(f"x-{i}" for i in range(n_languages)),
        queries=language_rows(present[0]),
        runs=language_rows(present[1]),
        relevant_offsets=None,
        relevant_passage=None,
        group=np.arange(n_ids, dtype=np.int32) // 2,
    )


@pytest.mark.parametrize("share", [1.0, 0.6])
def test_drawing_takes_memory_for_a_batch_whatever_the_number_of_ids(share: float) -> None:
    n_ids = 300_000
    pairs = synthetic(n_ids, 9, share)
    for make in (Monolingual, CrossLingual, Mixed):
        tracemalloc.start()
        kind = make(pairs, 256, Shares())
        kept, peak = tracemalloc.get_traced_memory()
        assert kept < 100_000  # no list of ids
        assert peak < 5_000_000  # a chunk of ids at a time
        tracemalloc.reset_peak()
        rng = np.random.default_rng(0)
        for _ in range(20):
            ids, query, passage = kind.draw(rng)
            pairs.queries.rows(ids, query), pairs.draw_passages(ids, passage, rng)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < 500_000


def test_no_task_is_an_error() -> None:
    with pytest.raises(TrainingError, match="nothing to train on: expected at least one task"):
        PairTexts([])
