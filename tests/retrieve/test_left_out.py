"""A passage that is left out of a query's pools changes its ranking as if it had never been there."""

import numpy as np
import polars as pl
import pytest
from support import ngram_counts

from xlbias.data.selves import without_selves
from xlbias.data.task import RetrievalTask
from xlbias.encode.precomputed import PrecomputedVectors
from xlbias.evaluation import evaluate
from xlbias.retrieve.index import PassageIndex
from xlbias.retrieve.left_out import left_out_pairs
from xlbias.retrieve.search import in_index_order, relevant_pairs, search

pytestmark = pytest.mark.integration


def ranked(task, passages, queries, left_out=None, *, k):
    vectors, asked = (ngram_counts(frame["text"].to_list()) for frame in (passages, queries))
    index = PassageIndex(vectors, passages["passage_id"].to_list(), passages["language"].to_list())
    return search(queries, asked, passages, index, relevant_pairs(task, passages), k, left_out=left_out)


@pytest.mark.parametrize("k", [3, 10_000])
def test_the_ranking_is_that_of_pools_without_the_passage(real_task: RetrievalTask, k: int) -> None:
    """Relevant passages, their twins with the same score on both sides of them, and others, in any language's pool."""
    queries = real_task.queries.sample(12, seed=1).sort("query_id", "language")
    rng = np.random.default_rng(0)
    rows = []
    for place, (query_id, language) in enumerate(queries.select("query_id", "language").iter_rows()):
        relevant = real_task.qrels.filter(pl.col("query_id") == query_id)["passage_id"].sort()
        twins = real_task.passages.filter(pl.col("passage_id").str.slice(1).is_in(relevant.implode()))["passage_id"]
        others = real_task.passages["passage_id"]
        chosen = {relevant[place % len(relevant)], others[int(rng.integers(len(others)))], *twins.head(place % 3)}
        rows += [(query_id, language, passage_id) for passage_id in sorted(chosen)[: place % 4]]
    excluded = pl.DataFrame(rows, schema=real_task.excluded.schema, orient="row")
    task = real_task.changed(excluded=excluded)
    passages = in_index_order(task.passages)
    found = ranked(task, passages, queries, left_out_pairs(task, passages), k=k)

    alone = []
    for query in queries.rows():
        one = pl.DataFrame([query], schema=queries.schema, orient="row")
        gone = excluded.join(one, on=["query_id", "language"], how="semi")
        alone.append(ranked(task, passages.join(gone, on="passage_id", how="anti"), one, k=k))
    assert len(rows) == 17
    assert found.equals(pl.concat(alone))


def test_an_evaluation_without_selves_has_no_monolingual_cell_of_translations(tmp_path) -> None:
    texts = {
        "de": ["Der Hund bellt.", "Die Katze schläft.", "Das Pferd läuft."],
        "en": ["The dog barks.", "The cat sleeps.", "The horse runs."],
    }
    queries = pl.DataFrame(
        [(str(place), language, text) for language, of in texts.items() for place, text in enumerate(of)],
        schema=["query_id", "language", "text"],
        orient="row",
    )
    passages = queries.select("language", "text", passage_id=pl.concat_str("language", pl.lit("/"), "query_id"))
    qrels = queries.select("query_id", passage_id=pl.concat_str("language", pl.lit("/"), "query_id"), relevance=1)
    task = RetrievalTask("t", "d", "s", "l", queries, passages, qrels)
    vectors = PrecomputedVectors(ngram_counts(queries["text"].to_list()), ngram_counts(passages["text"].to_list()), "n")
    ranking = evaluate(vectors, task, tmp_path / "all.parquet").rankings.collect()
    own = ranking.filter(pl.col("setting") == "monolingual")
    assert own["ap"].to_list() == [1.0] * 6
    rest = evaluate(vectors, without_selves(task), tmp_path / "rest.parquet").rankings.collect()
    assert rest.filter(pl.col("setting") == "monolingual")["n_relevant"].to_list() == [0] * 6
    columns = ["query_id", "query_language", "ap", "first_rank"]
    crossing = pl.col("setting") == "cross-lingual"
    assert rest.filter(crossing).select(columns).equals(ranking.filter(crossing).select(columns))
    both = ranking.filter(pl.col("setting") == "multilingual")["last_rank"]
    assert rest.filter(pl.col("setting") == "multilingual")["last_rank"].to_list() == (both - 1).to_list()
