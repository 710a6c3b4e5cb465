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
from xlbias.train.pairs import PairTexts, TaskPairs, connected_components


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
    most = int(np.argmax(np.diff(pairs.relevant_offsets)[pairs.run_language == german]))
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


def synthetic(n_ids: int, n_languages: int) -> TaskPairs:
    """Fully parallel ids, as arrays alone."""
    rows = n_ids * n_languages
    by_id = np.arange(0, rows + 1, n_languages, dtype=np.int32)
    codes = np.tile(np.arange(n_languages, dtype=np.int16), n_ids)
    return TaskPairs(
        name="synthetic",
        languages=tuple(f"x-{i}" for i in range(n_languages)),
        query_offsets=by_id,
        query_language=codes,
        run_offsets=by_id,
        run_language=codes,
        relevant_offsets=np.arange(rows + 1, dtype=np.int32),
        relevant_passage=np.arange(rows, dtype=np.int32),
        group=np.arange(n_ids, dtype=np.int32),
    )


def test_drawing_takes_memory_for_a_batch_whatever_the_number_of_ids() -> None:
    from xlbias.train.samplers import CrossLingual, Monolingual

    pairs = synthetic(300_000, 9)
    for kind in (Monolingual(pairs, 256), CrossLingual(pairs, 256)):
        rng = np.random.default_rng(0)
        tracemalloc.start()
        for _ in range(20):
            ids, query, passage = kind.draw(rng)
            pairs.query_rows(ids, query), pairs.draw_passages(ids, passage, rng)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < 500_000


def test_no_task_is_an_error() -> None:
    with pytest.raises(TrainingError, match="no task to train on"):
        PairTexts([])
