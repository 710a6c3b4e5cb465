"""Queries that are passages of their own pool: counted, and left out where that is asked for."""

import polars as pl
import pytest

from xlbias.data.catalog import load_task
from xlbias.data.convert import write_beir, write_parallel
from xlbias.data.selves import selves
from xlbias.errors import TaskError


def test_translations_find_themselves(corpora):
    task = corpora("bitext:{}/ntrex128")
    found = selves(task)
    assert (found.n_relevant, found.n_other, found.of, found.left_out) == (21_967, 0, 21_967, False)
    for spec in ("lareqa:{}/xquad-r", "bitext:{}/ntrex128[pairs=headline]"):
        assert selves(corpora(spec)).n_relevant == 0


def test_a_query_is_itself_whatever_its_white_space_and_normalisation(json_lines):
    path = json_lines(
        {"id": "1", "language": "en", "query": "One\u00a0two ", "passage": "One two"},
        {"id": "2", "language": "en", "query": "Three", "passage": "Four"},
        {"id": "3", "language": "en", "query": "Four", "passage": "Five"},
        {"id": "1", "language": "de", "query": "One two", "passage": "Eins zwei"},  # in the pool of another language
    )
    task = load_task(f"parallel:{path}")
    assert (selves(task).n_relevant, selves(task).n_other) == (1, 1)
    without = load_task(f"parallel:{path}[self=ignore]")
    assert without.name == "corpus[self=ignore]"
    assert sorted(without.excluded.rows()) == [("1", "en", "en/1"), ("3", "en", "en/2")]
    assert selves(without).left_out
    assert without.passages.equals(task.passages)
    assert without.fingerprint != task.fingerprint


def test_what_is_left_out_is_not_relevant_to_its_query_and_stays_so_to_the_others(corpora):
    task = corpora("bitext:{}/ntrex128[split=test;self=ignore;languages=de,en,th]")
    whole = corpora("bitext:{}/ntrex128[split=test;languages=de,en,th]")
    pairs = whole.queries.join(whole.qrels, on="query_id").select("query_id", "language", "passage_id")
    kept = pairs.join(task.excluded, on=["query_id", "language", "passage_id"], how="anti")
    counts = kept.group_by("query_id", "language").len().cast({"len": pl.Int64})
    assert sorted(task.relevants_per_query.filter(pl.col("n") > 0).rows()) == sorted(counts.rows())
    assert task.n_pairs == kept.height == whole.n_pairs - whole.queries.height
    assert task.excluded.height == whole.queries.height
    assert task.select_languages(["th", "en"]).n_pairs == 2 * whole.n_pairs // 9


def test_a_task_of_nothing_but_selves_is_refused_and_no_format_can_hold_one(json_lines, corpora, tmp_path):
    path = json_lines({"id": "1", "language": "en", "query": "One", "passage": "One"})
    with pytest.raises(TaskError, match="with self=ignore nothing would be relevant"):
        load_task(f"parallel:{path}[self=ignore]")
    task = corpora("bitext:{}/tatoeba[self=ignore]")
    for write in (write_parallel, write_beir):
        with pytest.raises(TaskError, match="no format says that a query is left out of its own pool"):
            write(task, tmp_path / "out")
