"""Passages that are not held: the run is that of an evaluation in memory, row for row."""

import hashlib

import numpy as np
import polars as pl
import pytest

import xlbias
from xlbias.data.formats import reading
from xlbias.data.parallels import without_parallels
from xlbias.encode import vector_file
from xlbias.encode.cache import VectorCache
from xlbias.errors import UsageError
from xlbias.evaluation import kept_texts

pytestmark = pytest.mark.integration


class Trigrams:
    """A vector for each text: its hashed character trigrams. Many translations and copies tie."""

    name, dimension, fingerprint = "trigrams", 48, "trigrams-1"

    def __init__(self, similarity="cosine", dtype=None):
        self.similarity, self.dtype = similarity, dtype

    def encode(self, texts, kind):
        found = np.zeros((len(texts), self.dimension), dtype=np.float32)
        for row, text in enumerate(texts):
            for at in range(max(1, len(text) - 2)):
                found[row, hashlib.md5(text[at : at + 3].encode()).digest()[0] % self.dimension] += 1
        return found


@pytest.fixture(scope="module")
def tasks(shared_data):
    xquad = xlbias.load_task(f"lareqa:{shared_data / 'xquad-r'}[languages=de,en,th]")
    documents = xquad.passages["document"].unique().sort().head(1)
    xquad = xquad.select_passages(xquad.passages.filter(pl.col("document").is_in(documents.implode()))["passage_id"])
    mkqa = xlbias.load_task(f"parallel:{shared_data / 'mkqa' / 'parallel.jsonl'}[languages=ar,ja,en]")
    chosen = mkqa.qrels.filter(pl.col("query_id").is_in(mkqa.qrels["query_id"].unique().sort().head(60).implode()))
    mkqa = mkqa.select_passages(chosen["passage_id"].unique())
    return [xquad.renamed("xquad"), mkqa.renamed("mkqa"), without_parallels(xquad).renamed("apart")]


def evaluated(tasks, folder, encoder=None, **options):
    options = {"cache": VectorCache(folder / "cache"), **options}
    return xlbias.evaluate(encoder or Trigrams(), tasks, folder / "run.parquet", **options)


def rows(run):
    """All that a run holds, but for what is made anew each time."""
    return pl.read_parquet(run.path).drop("made_from")


@pytest.mark.parametrize(("similarity", "dtype"), [("cosine", None), ("cosine", "float16"), ("euclidean", None)])
def test_vectors_in_a_file_give_the_run_of_vectors_in_memory(tasks, tmp_path, monkeypatch, similarity, dtype):
    for name in ("held", "filed"):
        (tmp_path / name).mkdir()
    encoder = Trigrams(similarity, dtype)
    held = evaluated(tasks, tmp_path / "held", encoder)
    monkeypatch.setattr(vector_file, "BLOCK", 30)
    filed = evaluated(tasks, tmp_path / "filed", encoder)
    assert len(list((tmp_path / "filed").rglob("block-*"))) > 6 and not list((tmp_path / "held").rglob("block-*"))
    assert rows(filed).equals(rows(held), null_equal=True)


def test_texts_that_are_read_from_a_file_make_the_same_task(shared_data, monkeypatch):
    name = f"parallel:{shared_data / 'mkqa' / 'parallel.jsonl'}[languages=ar,ja]"
    held = xlbias.load_task(name)
    monkeypatch.setattr(reading, "_MOST_HELD", 1 << 20)
    put = []
    monkeypatch.setattr(reading, "mapped", lambda frame, real=reading.mapped: put.append(frame.height) or real(frame))
    assert xlbias.load_task(name).fingerprint == held.fingerprint
    assert put


def named(run):
    lists = [run.rankings.select(pl.col(name).explode().struct.field("passage_id")) for name in ("relevants", "top")]
    return set(pl.concat(lists).drop_nulls().collect()["passage_id"])


def test_of_many_passages_the_texts_of_those_found_are_kept(tasks, tmp_path, monkeypatch):
    (task, *_) = tasks
    monkeypatch.setattr(kept_texts, "MOST_PASSAGES", 50)
    run = evaluated([task], tmp_path, top_k=2, cache=None)
    kept = run.passages.collect()
    assert set(kept["passage_id"]) == named(run) and kept["passage_id"].is_unique().all()
    assert 0 < kept.height < task.passages.height
    assert kept.join(task.passages, on=["passage_id", "language", "text"], how="semi").height == kept.height
    everything = evaluated([task], tmp_path, top_k=2, cache=None, texts="all", overwrite=True)
    assert everything.passages.collect().height == task.passages.height


def test_texts_that_a_killed_writer_has_not_written_come_with_the_next(tasks, tmp_path, monkeypatch):
    (task, *_) = tasks
    monkeypatch.setattr(kept_texts, "MOST_PASSAGES", 50)
    whole = rows(evaluated([task], tmp_path, cache=None))
    real, calls = kept_texts.FoundTexts.add, []

    def killed(self, frame):
        calls.append(frame)
        if len(calls) == 2:
            raise KeyboardInterrupt
        real(self, frame)

    with monkeypatch.context() as once:
        once.setattr(kept_texts.FoundTexts, "add", killed)
        with pytest.raises(KeyboardInterrupt):
            evaluated([task], tmp_path, cache=None, overwrite=True)
    again = evaluated([task], tmp_path, cache=None, resume=True)
    assert rows(again).sort(pl.all().exclude("relevants", "top", "tied_with_last")).height == whole.height
    assert set(again.passages.collect()["passage_id"]) == named(again)


def test_texts_is_all_or_found(tasks, tmp_path):
    with pytest.raises(UsageError, match=r"texts is 'some'; expected all or found"):
        evaluated(tasks, tmp_path, texts="some")
