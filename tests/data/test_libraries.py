"""What mteb, beir and ir_datasets read of ours, and what we read of theirs; each where it is installed."""

import json
import logging
import sys
from pathlib import Path

import pytest

import xlbias
from xlbias.data.catalog import load_task
from xlbias.data.convert import beir_query_id, write_beir
from xlbias.errors import TaskError

WORDS = {"ar": "كتاب", "en": "book", "sw": "kitabu"}


def judged(task):
    """What is judged, with the ids that the folder has: {query: {passage: relevance}}."""
    pairs = task.queries.with_columns(own=beir_query_id(task)).join(task.qrels, on="query_id")
    found = {}
    for own, passage, relevance in pairs.select("own", "passage_id", "relevance").iter_rows():
        found.setdefault(own, {})[passage] = relevance
    return found


@pytest.mark.parametrize(("package", "spec"), [("mteb", "mteb:XQuADRetrieval"), ("ir_datasets", "ir_datasets:x/y")])
def test_a_library_that_is_not_there_is_named_with_how_to_install_it(monkeypatch, package, spec):
    monkeypatch.setitem(sys.modules, package, None)
    says = rf"^{package} is not installed; install it with: pip install 'xlbias\[{package}\]'$"
    with pytest.raises(TaskError, match=says):
        load_task(spec)


# -- ir_datasets -------------------------------------------------------------------------------------------------------


@pytest.fixture
def registered(tmp_path, monkeypatch):
    """Collections in three languages, of the library's own components, under ``xlbias-test/LANGUAGE``."""
    monkeypatch.setenv("IR_DATASETS_HOME", str(tmp_path / "home"))
    library = pytest.importorskip("ir_datasets")
    from ir_datasets.formats import JsonlDocs, TrecQrels, TsvQueries
    from ir_datasets.util import PackageDataFile

    class Local(PackageDataFile):
        def path(self, force=True):
            return self._path

        def stream(self):
            return Path(self._path).open("rb")

    for language, word in WORDS.items():
        folder = tmp_path / language
        folder.mkdir()
        docs = ({"doc_id": f"{n:03}", "text": f"{word} {n}"} for n in range(4))
        (folder / "docs.jsonl").write_text("".join(json.dumps(doc) + "\n" for doc in docs))
        (folder / "queries.tsv").write_text("1\tone?\n2\ttwo?\n3\tunjudged\n")
        (folder / "qrels").write_text("1 0 001 1\n2 0 002 2\n2 0 003 0\n")
        parts = (
            JsonlDocs(Local(str(folder / "docs.jsonl")), lang=language, docstore_path=str(folder / "store")),
            TsvQueries(Local(str(folder / "queries.tsv")), lang="en"),
            TrecQrels(Local(str(folder / "qrels")), {0: "no", 1: "yes", 2: "very"}),
        )
        monkeypatch.setitem(library.registry._registered, f"xlbias-test/{language}", library.Dataset(*parts))
        monkeypatch.setitem(library.registry._registered, f"xlbias-test/{language}/bare", library.Dataset(parts[0]))
    return library


@pytest.mark.usefixtures("registered")
def test_a_collection_of_ir_datasets_is_read_with_its_languages():
    task = load_task("ir_datasets:xlbias-test/sw")
    assert (task.query_languages, task.pool_sizes) == (["en"], {"sw": 4})
    assert sorted(task.qrels.rows()) == [("1", "001", 1), ("2", "002", 2)]
    assert task.negatives.rows() == [("2", "003")]


@pytest.mark.usefixtures("registered")
def test_one_query_set_over_collections_in_several_languages_is_one_task():
    task = load_task("ir_datasets:xlbias-test/ar,xlbias-test/sw")
    assert task.pool_sizes == {"ar": 4, "sw": 4}
    assert sorted(task.queries["query_id"]) == ["en/1", "en/2"]
    assert sorted(task.qrels.filter(task.qrels["query_id"] == "en/2")["passage_id"]) == ["ar/002", "sw/002"]


@pytest.mark.usefixtures("registered")
@pytest.mark.parametrize(
    ("target", "says"),
    [
        ("xlbias-test/swa", r"no such data set \(did you mean xlbias-test/sw"),
        ("xlbias-test/sw/bare", "it has no queries and no qrels"),
        ("", "expected the id of a data set"),
    ],
)
def test_a_wrong_id_of_ir_datasets_gets_one_sentence(target, says):
    with pytest.raises(TaskError, match=says):
        load_task(f"ir_datasets:{target}")


# -- mteb and beir -----------------------------------------------------------------------------------------------------


@pytest.fixture
def of_mteb(monkeypatch):
    """A task of mteb over data in memory, in the form that its own tasks have, as ``mteb.get_task`` gives it."""
    mteb = pytest.importorskip("mteb")
    from mteb.abstasks.retrieval import AbsTaskRetrieval

    class Books(AbsTaskRetrieval):
        metadata = mteb.TaskMetadata(
            name="Books", description="Books.", reference=None, type="Retrieval", category="t2t", modalities=["text"],
            dataset={"path": "made/books", "revision": "0" * 40}, eval_splits=["dev"],
            eval_langs={"ar": ["ara-Arab"], "sw": ["swa-Latn"], "de-en": ["deu-Latn", "eng-Latn"]},
            main_score="ndcg_at_10", license="cc-by-4.0", domains=["Written"],
        )  # fmt: skip

        def load_data(self, num_proc=None, **kwargs):
            self.corpus, self.queries, self.relevant_docs = {}, {}, {}
            for subset in self.hf_subsets:
                word = WORDS.get(subset, "x")
                self.corpus[subset] = {"dev": {f"{n:03}": {"title": "t", "text": f"{word} {n}"} for n in range(3)}}
                self.queries[subset] = {"dev": {"1": f"{word} one?", "2": f"{word} two?"}}
                self.relevant_docs[subset] = {"dev": {"1": {"001": 1}, "2": {"002": 2, "000": 0}}}
            self.data_loaded = True

    real = mteb.get_task

    def get_task(name, **more):
        return Books().filter_languages(None, **more) if name == "Books" else real(name, **more)

    monkeypatch.setattr(mteb, "get_task", get_task)
    return Books


@pytest.mark.slow
@pytest.mark.usefixtures("of_mteb")
def test_a_task_of_mteb_is_read_with_its_subsets_as_languages():
    task = load_task("mteb:Books[subsets=ar,sw]")
    assert task.pool_sizes == {"ar": 3, "sw": 3}
    assert (task.licence, task.domain) == ("cc-by-4.0", "written")
    assert sorted(task.qrels.rows())[:2] == [("ar/1", "ar/001", 1), ("ar/2", "ar/002", 2)]
    assert task.passages["text"][0].startswith("t ")
    with pytest.raises(TaskError, match=r"subset 'de-en' has two languages; say which comes first"):
        load_task("mteb:Books")
    two = load_task("mteb:Books[subsets=de-en;pairs=corpus-query]")
    assert (two.query_languages, two.passage_languages) == (["en"], ["de"])
    for spec, says in (
        ("mteb:Books[subsets=swa]", r"no subset 'swa' \(did you mean sw\?\); it has ar, sw, de-en"),
        ("mteb:Books[part=test]", "no part 'test'; it has dev"),
        ("mteb:MIRACLRetrieva", r"no such task \(did you mean MIRACLRetrieval\?\)"),
        ("mteb:Banking77Classification", "is not a retrieval task, but one of Classification"),
    ):
        with pytest.raises(TaskError, match=says):
            load_task(spec)


@pytest.mark.slow
def test_without_a_network_a_task_of_mteb_gets_one_sentence(monkeypatch, tmp_path):
    pytest.importorskip("mteb")
    import datasets

    monkeypatch.setattr(datasets.config, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(datasets.config, "HF_CACHE_HOME", str(tmp_path))
    with pytest.raises(TaskError, match="mteb:XQuADRetrieval: mteb cannot load it: "):
        load_task("mteb:XQuADRetrieval[subsets=en]")


@pytest.mark.slow
def test_mteb_loads_what_we_write_with_the_same_ids_and_scores(tmp_path, monkeypatch):
    pytest.importorskip("mteb")
    from mteb.abstasks.retrieval_dataset_loaders import RetrievalDatasetLoader

    monkeypatch.setattr("datasets.config.HF_DATASETS_CACHE", tmp_path / "cache")
    task = load_task("builtin:calendar[split=test;languages=en,de]")
    write_beir(task, tmp_path / "out")
    theirs = RetrievalDatasetLoader(str(tmp_path / "out"), revision=None, split="test").load()
    assert theirs["relevant_docs"] == judged(task)
    assert dict(zip(theirs["corpus"]["id"], theirs["corpus"]["text"], strict=True)) == dict(
        task.passages.select("passage_id", "text").iter_rows()
    )
    assert set(theirs["queries"]["id"]) == set(judged(task))


@pytest.mark.slow
def test_beir_loads_what_we_write_and_counts_what_we_count(tmp_path):
    pytest.importorskip("beir")
    from beir.datasets.data_loader import GenericDataLoader
    from beir.retrieval.evaluation import EvaluateRetrieval

    logging.disable(logging.INFO)
    task = load_task("builtin:calendar[split=test;languages=en,de]")
    write_beir(task, tmp_path / "out")
    corpus, queries, qrels = GenericDataLoader(str(tmp_path / "out")).load(split="test")
    assert qrels == judged(task)
    assert {own: one["text"] for own, one in corpus.items()} == dict(
        task.passages.select("passage_id", "text").iter_rows()
    )
    assert set(queries) == set(qrels)
    run = xlbias.evaluate("static-small", load_task(f"beir:{tmp_path / 'out'}"), top_k=100)
    top = run.rankings.collect().filter(run.rankings.collect()["pool"] == "multilingual")
    outside = task.queries.with_columns(own=beir_query_id(task)).select("query_id", "own", query_language="language")
    scores = {
        row["own"]: {hit["passage_id"]: hit["score"] for hit in row["top"]}
        for row in top.join(outside, on=["query_id", "query_language"]).to_dicts()
    }
    ndcg, _, recall, _ = EvaluateRetrieval.evaluate(qrels, scores, [10, 100])
    values = run.summary.filter((run.summary["setting"] == "multilingual") & run.summary["query_language"].is_null())
    ours = dict(values.select("measure", "value").iter_rows())
    assert ours["ndcg@10"] == pytest.approx(ndcg["NDCG@10"], abs=1e-5)  # beir rounds to five digits
    assert ours["recall@100"] == pytest.approx(recall["Recall@100"], abs=1e-5)
