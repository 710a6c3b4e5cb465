"""Conversion: what is written is read back as the same task, whole or not at all."""

import csv
import json
from pathlib import Path

import polars as pl
import pytest

from xlbias.data.catalog import load_task
from xlbias.data.convert import write_beir, write_parallel
from xlbias.data.task import RetrievalTask
from xlbias.errors import TaskError, UsageError, WriteError

pytestmark = pytest.mark.integration


def content(task):
    """All that a task says, without the passage ids: queries, passages, and which text is relevant to which query."""
    relevant = task.qrels.join(task.passages, on="passage_id")
    return (
        set(task.queries.rows()),
        sorted(task.passages.select("language", "text", pl.col("document").fill_null("")).rows()),
        set(relevant.select("query_id", "language", "text", "document", "relevance").rows()),
        set(task.negatives.join(task.passages, on="passage_id").select("query_id", "language", "text").rows()),
        set(task.more_documents.join(task.passages, on="passage_id").select("language", "text", "document").rows()),
        task.domain,
    )


@pytest.mark.parametrize(
    "spec",
    [
        "parallel:{}/mlqa/parallel.jsonl.gz",
        "parallel:{}/mkqa/parallel.jsonl",
        "parallel:{}/opensource-guide/parallel.jsonl[languages=en,de,ja]",
        "bitext:{}/ntrex128[split=test;domain=news]",
        "bitext:{}/ntrex128",  # with sentences of several documents
        "squad:{}/xquad-r[languages=en,th]",
        "lareqa:{}/xquad-r[languages=en,th]",  # with sentences that nobody asks for
    ],
)
def test_the_parallel_format_keeps_everything(corpora, tmp_path, spec):
    task = corpora(spec)
    n_items = write_parallel(task, tmp_path / "out.jsonl")
    assert content(load_task(f"parallel:{tmp_path / 'out.jsonl'}")) == content(task)
    assert (tmp_path / "out.jsonl").read_bytes().count(b"\n") == n_items
    assert [path.name for path in tmp_path.iterdir()] == ["out.jsonl"]


def test_the_same_task_gives_the_same_bytes_gzipped_too(corpora, tmp_path):
    task = corpora("parallel:{}/opensource-guide/parallel.jsonl")
    for name in ("a.gz", "b.gz"):
        write_parallel(task, tmp_path / name)
    assert content(load_task(f"parallel:{tmp_path / 'a.gz'}")) == content(task)
    assert (tmp_path / "a.gz").read_bytes() == (tmp_path / "b.gz").read_bytes()


@pytest.mark.parametrize(
    ("spec", "why"),
    [
        ("bitext:{}/ntrex128[pairs=headline]", r"query '[a-z0-9.-]+' has several relevant passages in language '..'"),
        ("lareqa:{}/xquad-r", r"passage '..-\d{4}-\d\d' has the language and text of another passage"),
    ],
)
def test_a_task_that_does_not_fit_is_refused_and_nothing_is_written(corpora, tmp_path, spec, why):
    task = corpora(spec)
    with pytest.raises(TaskError, match=f"does not fit the parallel format: {why}; use --format beir"):
        write_parallel(task, tmp_path / "out.jsonl")
    assert not list(tmp_path.iterdir())


def test_graded_relevance_does_not_fit(corpora, tmp_path):
    task = corpora("parallel:{}/opensource-guide/parallel.jsonl")
    graded = RetrievalTask("g", "", "", "", task.queries, task.passages, task.qrels.with_columns(relevance=2))
    with pytest.raises(TaskError, match="g: does not fit the parallel format: relevance is graded"):
        write_parallel(graded, tmp_path / "out.jsonl")


@pytest.fixture
def judged(json_lines):
    """Negatives of every sort: another id's passage, of their own, with and without a document."""
    task = load_task(
        "parallel:"
        + str(
            json_lines(
                {"id": "1", "language": "en", "query": "1?", "passage": "1", "document": "d", "negatives": ["2", "x"]},
                {"id": "2", "language": "en", "query": "2?", "passage": "2", "negatives": ["x", "unasked"]},
                {"id": "3", "language": "en", "passage": "unasked", "document": "e"},
                {"id": "2", "language": "th", "negatives": ["y", "z"]},
            )
        )
    )
    assert (task.passages.height, task.negatives.height) == (6, 6)
    return task


def test_negatives_are_kept_by_the_parallel_format(judged, tmp_path):
    write_parallel(judged, tmp_path / "a.jsonl")
    back = load_task(f"parallel:{tmp_path / 'a.jsonl'}")
    assert content(back) == content(judged)
    write_parallel(back, tmp_path / "b.jsonl")
    assert content(load_task(f"parallel:{tmp_path / 'b.jsonl'}")) == content(judged)


def test_passages_that_their_texts_do_not_tell_apart_do_not_fit(tmp_path):
    task = RetrievalTask(
        "t", "", "", "",
        pl.DataFrame({"query_id": ["1"], "language": ["en"], "text": ["?"]}),
        pl.DataFrame({"passage_id": list("abc"), "language": "en", "text": list("122"), "document": list("def")}),
        pl.DataFrame({"query_id": ["1", "1"], "passage_id": ["a", "b"], "relevance": [1, 0]}),
    )  # fmt: skip
    with pytest.raises(
        TaskError, match="t: does not fit the parallel format: passage 'c' has the language and text of"
    ):
        write_parallel(task, tmp_path / "out.jsonl")


def test_beir_scores_negatives_zero_for_every_language_of_the_query(judged, tmp_path):
    assert write_beir(judged, tmp_path / "beir") == 2 + 6
    corpus, queries, qrels = read_beir(tmp_path / "beir")
    scored = sorted((queries[q]["text"], corpus[p]["text"], score) for q, p, score in qrels)
    assert scored == [
        *(("1?", "1", 1), ("1?", "2", 0), ("1?", "x", 0)),
        *(("2?", "2", 1), ("2?", "unasked", 0), ("2?", "x", 0), ("2?", "y", 0), ("2?", "z", 0)),
    ]


def read_beir(folder):
    """Read a BEIR folder with nothing but the standard library."""
    corpus, queries = (
        {row["_id"]: row for row in map(json.loads, (folder / name).read_text(encoding="utf-8").split("\n")[:-1])}
        for name in ("corpus.jsonl", "queries.jsonl")
    )
    with (folder / "qrels" / "test.tsv").open(encoding="utf-8", newline="") as file:
        reader = csv.reader(file, delimiter="\t", quoting=csv.QUOTE_MINIMAL)
        assert next(reader) == ["query-id", "corpus-id", "score"]
        return corpus, queries, [(query, passage, int(score)) for query, passage, score in reader]


def test_beir_holds_every_pair_of_xquad_r(corpora, tmp_path):
    task = corpora("lareqa:{}/xquad-r")
    assert write_beir(task, tmp_path / "beir") == 143_990
    corpus, queries, qrels = read_beir(tmp_path / "beir")
    assert (len(corpus), len(queries), len(qrels)) == (13_014, 13_090, 143_990)
    assert corpus["ar-0001-01"]["metadata"] == {"language": "ar", "document": "001 Super_Bowl_50"}
    expected = task.queries.join(task.qrels, on="query_id").join(task.passages, on="passage_id")
    assert {(queries[q]["text"], corpus[p]["text"]) for q, p, _ in qrels} == set(
        expected.select("text", "text_right").iter_rows()
    )
    assert sorted(path.name for path in tmp_path.iterdir()) == ["beir"]


def test_beir_refuses_an_id_that_its_table_cannot_hold(json_lines, tmp_path):
    path = json_lines({"id": "a\tb", "language": "en", "query": "?", "passage": "."})
    with pytest.raises(TaskError, match=r"corpus: id 'en/a\\tb' holds a tab"):
        write_beir(load_task(f"parallel:{path}"), tmp_path / "beir")


@pytest.fixture
def task(json_lines):
    return load_task(f"parallel:{json_lines({'id': '1', 'language': 'en', 'query': '?', 'passage': '.'})}")


@pytest.mark.parametrize("write", [write_parallel, write_beir])
def test_what_exists_is_replaced_only_with_force(task, tmp_path, write):
    out = tmp_path / "out"
    write(task, out)
    with pytest.raises(UsageError, match="out: exists already; give --force to replace it"):
        write(task, out)
    write(task, out, force=True)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["corpus.jsonl", "out"]


def test_force_never_removes_what_is_not_ours(task, tmp_path):
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "thesis.tex").write_text("years of work")
    with pytest.raises(UsageError, match=r"home: holds thesis\.tex, which is not part of a BEIR folder"):
        write_beir(task, tmp_path / "home", force=True)
    with pytest.raises(UsageError, match="home: is a folder; expected a file name"):
        write_parallel(task, tmp_path / "home", force=True)
    with pytest.raises(UsageError, match=r"corpus\.jsonl: is a file; expected a folder name"):
        write_beir(task, tmp_path / "corpus.jsonl", force=True)
    (tmp_path / "link").symlink_to(tmp_path / "home")
    with pytest.raises(UsageError, match="link: is a symbolic link"):
        write_beir(task, tmp_path / "link", force=True)
    assert (tmp_path / "home" / "thesis.tex").read_text() == "years of work"


def test_a_missing_parent_folder_is_named(task, tmp_path):
    with pytest.raises(WriteError, match=r"nowhere: there is no such folder to write out\.jsonl into"):
        write_parallel(task, tmp_path / "nowhere" / "out.jsonl")


@pytest.mark.parametrize("write", [write_parallel, write_beir])
def test_a_failure_half_way_leaves_what_was_there(task, tmp_path, write, monkeypatch):
    out = tmp_path / "out"
    write(task, out)
    before = sorted((path, path.read_bytes()) for path in out.rglob("*.*")) if out.is_dir() else out.read_bytes()

    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("xlbias.data.convert.json.dumps", full)
    with pytest.raises(WriteError, match="out: cannot be written: No space left"):
        write(task, out, force=True)
    after = sorted((path, path.read_bytes()) for path in out.rglob("*.*")) if out.is_dir() else out.read_bytes()
    assert before == after
    assert sorted(path.name for path in tmp_path.iterdir()) == ["corpus.jsonl", "out"]


def test_a_pipe_and_a_link_are_written_through_and_a_linked_folder_is_refused(task, tmp_path):
    link = tmp_path / "link"
    link.symlink_to("there.jsonl")
    write_parallel(task, link, force=True)
    assert link.is_symlink()
    assert link.read_bytes().count(b"\n") == write_parallel(task, tmp_path / "plain.jsonl")
    with (tmp_path / "open").open("ab") as file:
        file.write(b"before\n")
        file.flush()
        write_parallel(task, Path(f"/dev/fd/{file.fileno()}"))  # nothing is replaced: no --force is needed
    assert (tmp_path / "open").read_bytes() == b"before\n" + link.read_bytes()
    (tmp_path / "folder").mkdir()
    (tmp_path / "linked").symlink_to("folder")
    with pytest.raises(UsageError, match="is a symbolic link; give the folder itself"):
        write_beir(task, tmp_path / "linked", force=True)
