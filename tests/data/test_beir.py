"""BEIR folders: what others wrote, one language or several, and the way there and back."""

import gzip
import json

import polars as pl
import pytest

from xlbias.data.catalog import load_task
from xlbias.data.convert import beir_query_id, write_beir
from xlbias.errors import TaskError

pytestmark = pytest.mark.integration


def beir(folder, corpus, queries, qrels, *, part="test", zipped=False):
    """Write a BEIR folder as its own library lays it out."""
    (folder / "qrels").mkdir(parents=True)
    opened = gzip.open if zipped else open
    with opened(folder / ("corpus.jsonl.gz" if zipped else "corpus.jsonl"), "wt", encoding="utf-8") as file:
        file.writelines(json.dumps(item, ensure_ascii=False) + "\n" for item in corpus)
    with (folder / "queries.jsonl").open("w", encoding="utf-8") as file:
        file.writelines(json.dumps(item, ensure_ascii=False) + "\n" for item in queries)
    rows = ["query-id\tcorpus-id\tscore", *("\t".join(map(str, row)) for row in qrels)]
    (folder / "qrels" / f"{part}.tsv").write_text("\n".join(rows) + "\n", "utf-8")
    return folder


CORPUS = [
    {"_id": "d1", "title": "Faust", "text": "A tragedy by Goethe."},
    {"_id": "d2", "title": "", "text": "Hamburg lies on the Elbe."},
    {"_id": "d3", "title": "", "text": "  "},
    {"_id": "d4", "text": "Nobody asks for this."},
]
QUERIES = [
    {"_id": "q1", "text": "Who wrote Faust?"},
    {"_id": "q2", "text": "Where is Hamburg?"},
    {"_id": "q3", "text": "Not judged in this part"},
]
QRELS = [("q1", "d1", 2), ("q1", "d2", 0), ("q2", "d2", 1), ("q2", "d9", 1), ("q9", "d1", 1)]


def test_a_folder_is_read_with_titles_grades_and_what_was_left_out(tmp_path):
    task = load_task(f"beir:{beir(tmp_path / 'scifact', CORPUS, QUERIES, QRELS)}[language=en]")
    assert task.name == "scifact[language=en]"
    assert task.queries["query_id"].to_list() == ["q1", "q2"]
    assert dict(task.passages.select("passage_id", "text").iter_rows()) == {
        "d1": "Faust A tragedy by Goethe.", "d2": "Hamburg lies on the Elbe.", "d4": "Nobody asks for this.",
    }  # fmt: skip
    assert sorted(task.qrels.iter_rows()) == [("q1", "d1", 2), ("q2", "d2", 1)]
    assert list(task.negatives.iter_rows()) == [("q1", "d2")]
    assert (task.notes.n_empty, task.notes.n_unknown_judgements) == (1, 2)
    bare = load_task(f"beir:{tmp_path / 'scifact'}[language=en;title=no]")
    assert bare.passages["text"][0] == "A tragedy by Goethe."


def test_a_part_is_chosen_and_compressed_files_are_read(tmp_path):
    folder = beir(tmp_path / "x", CORPUS, QUERIES, QRELS, part="dev", zipped=True)
    beir(tmp_path / "y", CORPUS, QUERIES, [("q3", "d4", 1)], part="train")
    (tmp_path / "y" / "qrels" / "train.tsv").rename(folder / "qrels" / "train.tsv")
    assert load_task(f"beir:{folder}[language=en]").queries["query_id"].to_list() == ["q1", "q2"]
    assert load_task(f"beir:{folder}[language=en;part=train]").queries["query_id"].to_list() == ["q3"]
    with pytest.raises(TaskError, match="no judgements of part 'test'; it has dev, train"):
        load_task(f"beir:{folder}[language=en;part=test]")


def test_folders_of_languages_are_not_parallel_unless_asked(tmp_path):
    german = [{"_id": "d1", "title": "Faust", "text": "Eine Tragödie von Goethe."}]
    asked = [{"_id": "q1", "text": "Wer schrieb Faust?"}]
    beir(tmp_path / "set" / "en", CORPUS, QUERIES, [("q1", "d1", 1)])
    beir(tmp_path / "set" / "de", german, asked, [("q1", "d1", 1)])
    apart = load_task(f"beir:{tmp_path / 'set'}")
    assert sorted(apart.queries["query_id"]) == ["de/q1", "en/q1"]
    assert sorted(apart.qrels["passage_id"]) == ["de/d1", "en/d1"]
    assert apart.n_pairs == 2
    together = load_task(f"beir:{tmp_path / 'set'}[parallel=id]")
    assert set(together.queries["query_id"]) == {"q1"}
    assert together.n_pairs == 4
    assert set(together.passages.filter(pl.col("parallel_id") == "d1")["passage_id"]) == {"de/d1", "en/d1"}
    named = load_task(f"beir:en={tmp_path}/set/en,de={tmp_path}/set/de[parallel=id]")
    assert named.fingerprint == together.fingerprint


def test_judgements_that_differ_between_languages_are_refused_where_they_are_said_to_be_one(tmp_path):
    beir(tmp_path / "set" / "en", CORPUS, QUERIES, [("q1", "d1", 1)])
    beir(tmp_path / "set" / "de", CORPUS, QUERIES, [("q1", "d1", 0), ("q1", "d2", 1)])
    with pytest.raises(TaskError, match="query 'q1' and passage 'd1' are judged in another way in another language"):
        load_task(f"beir:{tmp_path / 'set'}[parallel=id]")


@pytest.mark.parametrize(
    ("spec", "says"),
    [
        ("beir:{}/x", "the line does not say its language; give it in the task's name, such as \\[language=en\\]"),
        ("beir:{}/x[language=xx1]", "unknown language tag 'xx1'"),
        ("beir:{}/x/qrels", "expected corpus.jsonl and queries.jsonl in it, or in folders"),
        ("beir:en={}/x,en={}/x", "a language is there twice"),
        ("beir:en={}/x,de={}/nothing", "no such folder"),
        ("lareqa:{}/x", "This looks like beir: use beir:"),
        ("squad:{}/x", "This looks like beir: use beir:"),
        ("parallel:{}/x", "This looks like beir: use beir:"),
        ("bitext:{}/x", "This looks like beir: use beir:"),
    ],
)
def test_a_wrong_name_gets_one_sentence_with_the_right_one(tmp_path, spec, says):
    beir(tmp_path / "x", CORPUS, QUERIES, QRELS)
    with pytest.raises(TaskError, match=says):
        load_task(spec.format(tmp_path, tmp_path))


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("q1\td1\thigh", "line 3: relevance must be a whole number, not 'high'"),
        ("q1 d1", "line 3: expected 'query 0 passage relevance' \\(TREC\\)"),
        ("q1\td1\t2", "query 'q1' and passage 'd1' are judged twice"),
    ],
)
def test_broken_judgements_are_named_by_line(tmp_path, line, says):
    folder = beir(tmp_path / "x", CORPUS, QUERIES, [("q1", "d1", 1)])
    with (folder / "qrels" / "test.tsv").open("a") as file:
        file.write(line + "\n")
    with pytest.raises(TaskError, match=says):
        load_task(f"beir:{folder}[language=en]")


@pytest.mark.parametrize(
    "spec", ["builtin:calendar[split=test;languages=en,de,th]", "builtin:money[parallel=no;languages=en,de]"]
)
def test_what_was_written_comes_back_as_the_same_task(tmp_path, spec):
    task = load_task(spec)
    write_beir(task, tmp_path / "out")
    assert load_task(f"beir:{tmp_path / 'out'}").fingerprint == task.fingerprint


def test_xquad_r_goes_to_beir_and_back(corpora, tmp_path):
    task = corpora("lareqa:{}/xquad-r")
    write_beir(task, tmp_path / "out")
    back = load_task(f"beir:{tmp_path / 'out'}")
    assert back.fingerprint == task.fingerprint
    assert (back.domain, back.licence) == (task.domain, task.licence)


def test_datasets_reads_the_three_tables_as_mteb_asks_for_them(tmp_path, monkeypatch):
    datasets = pytest.importorskip("datasets")
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    task = load_task("builtin:calendar[split=test;languages=en,de]")
    write_beir(task, tmp_path / "out")
    tables = {
        name: datasets.load_dataset(str(tmp_path / "out"), name, split=split, cache_dir=str(tmp_path / "cache"))
        for name, split in (("default", "test"), ("corpus", "corpus"), ("queries", "queries"))
    }
    expected = task.queries.with_columns(own=beir_query_id(task)).join(task.qrels, on="query_id")
    assert set(zip(tables["default"]["query-id"], tables["default"]["corpus-id"], strict=True)) == set(
        expected.select("own", "passage_id").iter_rows()
    )
    assert dict(zip(tables["corpus"]["_id"], tables["corpus"]["text"], strict=True)) == dict(
        task.passages.select("passage_id", "text").iter_rows()
    )
    assert len(tables["queries"]) == task.queries.height
