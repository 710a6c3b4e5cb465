"""Lists re-ranked by a cross-encoder: against a few lines of NumPy, and a real one of a few kilobytes."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from support import make_task, make_vectors

import xlbias
from xlbias.errors import EncoderError, RunError
from xlbias.results.run import open_run
from xlbias.runs.schema import MULTILINGUAL_POOL

TOP = 8


class Lengths:
    """Scores a pair by a number made of its letters; many pairs have equal scores."""

    name, fingerprint = "letters", "letters-1"

    def __init__(self):
        self.n = 0

    def score(self, pairs):
        self.n += len(pairs)
        return np.array([self.of(*pair) for pair in pairs], dtype=np.float32)

    @staticmethod
    def of(query, passage):
        return float((sum(map(ord, query)) * 7 + sum(map(ord, passage)) * 13) % 5)


@pytest.fixture(scope="module")
def task():
    return make_task(12).select_languages(["de", "en", "th"])


@pytest.fixture(scope="module")
def vectors(task):
    return make_vectors(task)


@pytest.fixture(scope="module")
def first(task, vectors, tmp_path_factory):
    return xlbias.evaluate(vectors, task, tmp_path_factory.mktemp("first") / "run.parquet", top_k=TOP)


def test_ranks_are_those_of_the_new_order_above_and_of_the_first_system_below(task, vectors, first, tmp_path):
    run = xlbias.rerank(first, Lengths(), tmp_path / "run.parquet", top=TOP)
    assert [model.name for model in run.models] == ["random0 + letters"]
    languages, ids = task.passages["language"].to_numpy(), task.passages["passage_id"].to_list()
    texts = task.passages["text"].to_list()
    scores = vectors.queries @ vectors.passages.T
    rows = {(r["query_id"], r["query_language"], r["pool"]): r for r in run.rankings.collect().to_dicts()}
    assert len(rows) == task.queries.height * 4
    for q, (query_id, language, text) in enumerate(task.queries.iter_rows()):
        for pool in ("de", "en", "th", MULTILINGUAL_POOL):
            there = [p for p in range(len(ids)) if pool in (languages[p], MULTILINGUAL_POOL)]
            there.sort(key=lambda p: -scores[q, p])
            anew = sorted(there[:TOP], key=lambda p: -Lengths.of(text, texts[p]))  # stable: equal ones as they stood
            rank = {ids[p]: place for place, p in enumerate([*anew, *there[TOP:]], 1)}
            row = rows[query_id, language, pool]
            assert [one["rank"] for one in row["relevants"]] == sorted(
                rank[one["passage_id"]] for one in row["relevants"]
            )
            assert all(one["rank"] == rank[one["passage_id"]] for one in row["relevants"])
            assert [one["passage_id"] for one in row["top"]] == [ids[p] for p in anew]
            found = [one["rank"] for one in row["relevants"]]
            assert row["ap"] == pytest.approx(np.mean([n / r for n, r in enumerate(found, 1)]))
    overall = run.summary.filter(pl.col("measure") == "map", pl.col("query_language").is_null())
    assert overall["value"].null_count() == 0 and overall["low"].null_count() == 0


def test_a_killed_re_ranking_goes_on_after_what_was_finished(first, tmp_path, monkeypatch):
    monkeypatch.setattr("xlbias.systems.rerank.QUERIES_A_PART", 3)

    class Killed(Lengths):
        def score(self, pairs):
            if self.n > 200:
                raise KeyboardInterrupt
            return super().score(pairs)

    whole, before, after = Lengths(), Killed(), Lengths()
    once = xlbias.rerank(first, whole, tmp_path / "once.parquet", top=TOP)
    with pytest.raises(KeyboardInterrupt):
        xlbias.rerank(first, before, tmp_path / "run.parquet", top=TOP)
    with pytest.raises(RunError, match="continue it with --resume"):
        xlbias.rerank(first, after, tmp_path / "run.parquet", top=TOP)
    run = xlbias.rerank(first, after, tmp_path / "run.parquet", top=TOP, resume=True)
    assert before.n + after.n == whole.n
    assert run.summary.equals(once.summary)


def test_of_several_encoders_one_must_be_named(task, vectors, tmp_path):
    other = replace(vectors, name="other")
    run = xlbias.evaluate([vectors, other], task, tmp_path / "run.parquet", top_k=TOP)
    with pytest.raises(RunError, match=r"several encoders; name one with --model, of random0, other$"):
        xlbias.rerank(run, Lengths())
    with pytest.raises(RunError, match=r"no encoder 'othr' \(did you mean other\?\); name one with --model"):
        xlbias.rerank(run, Lengths(), model="othr")


def test_too_short_lists_say_how_to_get_longer_ones(first):
    with pytest.raises(RunError, match="keeps 8 passages of a ranking"):
        xlbias.rerank(first, Lengths(), top=20)


def test_a_censored_run_stays_as_censored_as_it_was(task, first, tmp_path):
    file = tmp_path / "run.trec"
    rows = first.rankings.filter(pl.col("pool") == MULTILINGUAL_POOL).collect().to_dicts()
    file.write_text(
        "".join(
            f"{row['query_language']}/{row['query_id']} Q0 {one['passage_id']} {rank} {one['score']} first\n"
            for row in rows
            for rank, one in enumerate(row["top"], 1)
        )
    )
    imported = xlbias.import_run(file, task, tmp_path / "imported.parquet")
    run = xlbias.rerank(imported, Lengths(), tmp_path / "run.parquet", top=TOP)
    before, after = (each.rankings.collect() for each in (imported, run))
    for name in ("known_to", "n_relevant"):
        assert before[name].to_list() == after[name].to_list()
    for one, other in zip(before["relevants"], after["relevants"], strict=True):
        assert [r["rank"] > TOP for r in one] == [r["rank"] > TOP for r in other]
    system = run.models[0].system
    assert (system.first, system.reranked, system.reranker, system.files[0].depth) == ("first", TOP, "letters", TOP)


def test_a_cross_encoder_from_a_folder_orders_as_its_own_scores_say(first, task, tmp_path):
    from sentence_transformers import CrossEncoder
    from tiny import bare_transformer
    from transformers import BertForSequenceClassification

    bare = bare_transformer(tmp_path / "bare", BertForSequenceClassification, num_labels=1)
    model = CrossEncoder(str(bare), device="cpu")
    model.save_pretrained(str(tmp_path / "cross"))
    run = xlbias.rerank(first, str(tmp_path / "cross"), tmp_path / "run.parquet", top=4, top_of="multilingual")
    assert run.models[0].name == "random0 + cross"
    row = run.rankings.collect().row(5, named=True)
    assert row["pool"] == MULTILINGUAL_POOL
    text = {**dict(task.passages.select("passage_id", "text").iter_rows())}
    query = task.queries.filter(pl.col("query_id") == row["query_id"], pl.col("language") == row["query_language"])
    own = model.predict([[query["text"][0], text[one["passage_id"]]] for one in row["top"]])
    assert [one["score"] for one in row["top"]] == pytest.approx(own.tolist(), abs=1e-5)
    assert [one["score"] for one in row["top"]] == sorted((one["score"] for one in row["top"]), reverse=True)


def test_what_is_no_cross_encoder_is_refused(first, tmp_path):
    from tiny import bare_transformer
    from transformers import BertForSequenceClassification

    bare_transformer(tmp_path / "several", BertForSequenceClassification, num_labels=3)
    (tmp_path / "empty").mkdir()
    for name, said in (
        (str(tmp_path / "none"), "there is no such folder"),
        (str(tmp_path / "empty"), "holds no config.json"),
        (str(tmp_path / "several"), "gives 3 scores for a pair of texts"),
    ):
        with pytest.raises(EncoderError, match=said):
            xlbias.rerank(first, name, tmp_path / "run.parquet", top=4)
    assert not (tmp_path / "run.parquet.live").exists()


def test_the_run_is_opened_and_compared_like_any_other(first, tmp_path):
    xlbias.rerank(first, Lengths(), tmp_path / "run.parquet", top=TOP)
    frame = first.compare(open_run(tmp_path / "run.parquet"))
    assert frame.filter(pl.col("measure") == "map", pl.col("p").is_not_null()).height
