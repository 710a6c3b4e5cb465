"""Collections as published: MIRACL, Mr. TyDi, mMARCO and TREC files, each laid out as its makers do."""

import gzip
import json

import pytest

import xlbias
from xlbias.data.catalog import load_task
from xlbias.errors import TaskError
from xlbias.report.render import render_report


def write(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".gz":
        with gzip.open(path, "wt", encoding="utf-8") as file:
            file.write(text)
    else:
        path.write_text(text, "utf-8")


def lines(*objects):
    return "".join(json.dumps(one, ensure_ascii=False) + "\n" for one in objects)


def miracl(folder, language, *, texts, topics, qrels, part="dev"):
    corpus = folder / f"miracl-corpus-v1.0-{language}"
    for number, (docid, title, text) in enumerate(texts):
        write(corpus / f"docs-{number}.jsonl.gz", lines({"docid": docid, "title": title, "text": text}))
    own = f"miracl-v1.0-{language}"
    topics_file = folder / own / "topics" / f"topics.{own}-{part}.tsv"
    write(topics_file, "".join(f"{qid}\t{text}\n" for qid, text in topics))
    write(folder / own / "qrels" / f"qrels.{own}-{part}.tsv", "".join(f"{q}\tQ0\t{d}\t{r}\n" for q, d, r in qrels))


@pytest.fixture
def in_three_languages(tmp_path):
    """MIRACL in three languages whose ids have nothing to do with one another."""
    words = {"ar": "كتاب", "en": "book", "sw": "kitabu"}
    for language, word in words.items():
        texts = [(f"7#{n}", f"{word} {n}", f"{word} text {n} {language}") for n in range(6)]
        topics = [(str(n), f"{word} {n}?") for n in range(4)]
        qrels = [(str(n), f"7#{n}", 1) for n in range(4)] + [("0", "7#5", 1), ("1", "7#5", 0)]
        miracl(tmp_path, language, texts=texts, topics=topics, qrels=qrels)
    return tmp_path


def test_miracl_is_not_parallel(in_three_languages):
    task = load_task(f"miracl:{in_three_languages}")
    assert task.languages == ["ar", "en", "sw"]
    assert task.pool_sizes == {"ar": 6, "en": 6, "sw": 6}
    assert task.n_pairs == 3 * 5
    assert sorted(task.qrels.filter(task.qrels["query_id"] == "en/0")["passage_id"]) == ["en/7#0", "en/7#5"]
    assert task.passages.row(0, named=True)["text"] == "كتاب 0 كتاب text 0 ar"
    assert sorted(task.negatives.iter_rows()) == [(f"{tag}/1", f"{tag}/7#5") for tag in ("ar", "en", "sw")]
    assert load_task(f"miracl:{in_three_languages}[languages=en,sw]").n_pairs == 10


def test_miracls_test_parts_are_read_by_the_names_of_their_files(tmp_path):
    for part in ("test-a", "dev"):
        texts, topics = [(f"{part}#0", "", f"{part} text")], [(part, f"{part}?")]
        miracl(tmp_path, "sw", texts=texts, topics=topics, qrels=[(part, f"{part}#0", 1)], part=part)
        assert load_task(f"miracl:{tmp_path}[part={'testA' if part == 'test-a' else part}]").queries[
            "text"
        ].to_list() == [f"{part}?"]
    with pytest.raises(TaskError, match=r"part 'testB' and a corpus; expected topics\.miracl-v1\.0-ar-test-b\.tsv"):
        load_task(f"miracl:{tmp_path}[part=testB]")


def test_judgements_that_find_nothing_relevant_are_not_taken_for_ids_that_differ(tmp_path):
    miracl(tmp_path, "sw", texts=[("7#0", "", "t")], topics=[("1", "t?")], qrels=[("1", "7#0", 0)])
    with pytest.raises(TaskError, match="all 1 judgements are 0 or less; expected some of 1 or more: relevant"):
        load_task(f"miracl:{tmp_path}")
    write(tmp_path / "miracl-v1.0-sw" / "qrels" / "qrels.miracl-v1.0-sw-dev.tsv", "1\tQ0\t8#0\t1\n")
    with pytest.raises(TaskError, match="1 queries, 1 passages and 1 judgements: do their ids agree"):
        load_task(f"miracl:{tmp_path}")


def test_miracl_without_a_corpus_says_what_is_there(in_three_languages):
    with pytest.raises(TaskError, match=r"no language with topics and qrels of part 'train'.*corpora of ar, en, sw"):
        load_task(f"miracl:{in_three_languages}[part=train]")
    with pytest.raises(TaskError, match="This looks like miracl: use miracl:"):
        load_task(f"beir:{in_three_languages}")


def test_its_numbers_are_those_of_trec_eval(in_three_languages):
    pytrec_eval = pytest.importorskip("pytrec_eval")
    task = load_task(f"miracl:{in_three_languages}")
    run = xlbias.evaluate("static-small", task, top_k=100)
    multi = run.rankings.collect().filter(run.rankings.collect()["pool"] == "multilingual")
    relevance = {}
    for query, passage, grade in task.qrels.iter_rows():
        relevance.setdefault(query, {})[passage] = grade
    scores = {row["query_id"]: {hit["passage_id"]: hit["score"] for hit in row["top"]} for row in multi.to_dicts()}
    found = pytrec_eval.RelevanceEvaluator(relevance, {"ndcg_cut_10", "recall_100"}).evaluate(scores)
    for name, measure in (("ndcg_cut_10", "ndcg@10"), ("recall_100", "recall@100")):
        expected = sum(values[name] for values in found.values()) / len(found)
        ours = run.summary.filter((run.summary["measure"] == measure) & (run.summary["setting"] == "multilingual"))
        overall = ours.filter(ours["query_language"].is_null())["value"][0]
        by_language = ours.filter(ours["query_language"].is_not_null())["value"]
        assert by_language.mean() == pytest.approx(overall, abs=1e-12)
        assert overall == pytest.approx(expected, abs=1e-6)
    distance = run.summary.filter(run.summary["measure"] == "rank_distance")
    assert distance["value"].null_count() + (distance["n_excluded"] > 0).sum() >= distance.height  # nothing parallel
    report = " ".join(render_report([run], "text", to_file=True).split())
    for label, why in (
        ("mAP cross", "for a query without relevant passages in the pool"),
        ("Kendall W", "unless queries have answers in two languages"),
        ("own first", "unless the query has an answer in every language of the pool"),
        ("alignment", "for two languages that share fewer than 2 ids"),
        ("P@1", "for two languages that share fewer than 2 ids"),
    ):
        assert f"{label} is undefined {why}" in report


def test_mr_tydi_is_read_by_the_names_of_its_folders(tmp_path):
    for name, word in (("arabic", "كتاب"), ("swahili", "kitabu")):
        folder = tmp_path / f"mrtydi-v1.1-{name}"
        passages = ({"id": f"7#{n}", "title": word, "contents": f"{word} {n}"} for n in range(3))
        write(folder / "collection" / "docs.jsonl.gz", lines(*passages))
        write(folder / "topic.dev.tsv", f"1\t{word} 1?\n")
        write(folder / "qrels.dev.txt", "1 Q0 7#1 1\n")
    task = load_task(f"mrtydi:{tmp_path}")
    assert task.pool_sizes == {"ar": 3, "sw": 3}
    assert sorted(task.qrels.iter_rows()) == [("ar/1", "ar/7#1", 1), ("sw/1", "sw/7#1", 1)]
    assert load_task(f"mrtydi:{tmp_path}/mrtydi-v1.1-arabic").languages == ["ar"]
    with pytest.raises(TaskError, match=r"no file topic\.test\.tsv in it"):
        load_task(f"mrtydi:{tmp_path}[part=test]")


@pytest.fixture
def marco(tmp_path):
    for name, word in (("chinese", "书"), ("german", "Buch"), ("english", "book")):
        write(tmp_path / "collections" / f"{name}_collection.tsv", "".join(f"{n}\t{word} {n}\n" for n in range(4)))
        write(tmp_path / "queries" / "dev" / f"{name}_queries.dev.small.tsv", f"10\t{word} 1?\n11\t{word} 2?\n")
    write(tmp_path / "qrels.dev.small.tsv", "10\t0\t1\t1\n11\t0\t2\t1\n")
    return tmp_path


def test_mmarco_is_parallel_by_id(marco):
    task = load_task(f"mmarco:{marco}")
    assert task.languages == ["de", "en", "zh"]
    assert task.n_pairs == 2 * 3 * 3
    assert set(task.queries["query_id"]) == {"10", "11"}
    assert dict(task.passages.select("passage_id", "parallel_id").iter_rows())["zh/3"] == "3"
    assert load_task(f"mmarco:{marco}[parallel=no]").n_pairs == 6
    with pytest.raises(TaskError, match=r"no language with passages and queries of part 'train'"):
        load_task(f"mmarco:{marco}[part=train]")
    (marco / "qrels.dev.small.tsv").unlink()
    with pytest.raises(TaskError, match=r"no file qrels\.dev\.small\.tsv below it; it comes with MS MARCO"):
        load_task(f"mmarco:{marco}")


XML = """<?xml version="1.0"?>
<topics>
<topic number="41"><title>Faust</title><desc>Who wrote it?</desc></topic>
<top><num> Number: 42 </num><EN-title> the Elbe </EN-title><desc>x</desc></top>
</topics>
"""


def test_trec_files_make_one_query_set_over_several_languages(tmp_path):
    write(tmp_path / "topics.en.xml", XML)
    write(tmp_path / "docs" / "news.zh.jsonl", lines({"id": "z1", "title": "浮士德", "text": "歌德"}))
    write(tmp_path / "docs" / "news.de.jsonl.gz", lines({"id": "g1", "text": "Faust"}, {"id": "g2", "text": "Elbe"}))
    write(tmp_path / "qrels.txt", "41 0 z1 1\n41 0 g1 3\n42 0 g2 1\n42 0 z1 0\n")
    task = load_task(f"trec:{tmp_path}")
    assert task.query_languages == ["en"]
    assert task.pool_sizes == {"de": 2, "zh": 1}
    assert dict(task.queries.select("query_id", "text").iter_rows()) == {"41": "Faust", "42": "the Elbe"}
    assert sorted(task.qrels.iter_rows()) == [("41", "g1", 3), ("41", "z1", 1), ("42", "g2", 1)]
    write(tmp_path / "topics.en.xml", "<topics><topic><title>x</title></topic></topics>")
    with pytest.raises(TaskError, match="topic 1 has no number or no title"):
        load_task(f"trec:{tmp_path}")
    with pytest.raises(TaskError, match=r"no file topics\* and no file qrels\*"):
        load_task(f"trec:{tmp_path}/docs")


PAIRS = {
    "sentence-transformers": {"anchor": "Who?", "positive": "Goethe", "negative_1": "Schiller", "negative_2": "Heine"},
    "FlagEmbedding": {"query": "Who?", "pos": ["Goethe"], "neg": ["Schiller", "Heine"]},
    "Tevatron": {
        "query_id": "7", "query": "Who?", "positive_passages": [{"docid": "1", "title": "", "text": "Goethe"}],
        "negative_passages": [{"docid": "2", "title": "", "text": "Schiller"}, {"docid": "3", "text": "Heine"}],
    },
}  # fmt: skip


@pytest.mark.parametrize("maker", PAIRS)
def test_pairs_are_read_as_their_makers_write_them(tmp_path, maker):
    write(tmp_path / "train.jsonl", lines(PAIRS[maker], {**PAIRS[maker]}))
    task = load_task(f"pairs:{tmp_path / 'train.jsonl'}[language=en]")
    assert task.queries["text"].to_list() == ["Who?"]
    assert sorted(task.passages["text"]) == ["Goethe", "Heine", "Schiller"]
    text = dict(task.passages.select("passage_id", "text").iter_rows())
    assert [text[p] for p in task.qrels["passage_id"]] == ["Goethe"]
    assert sorted(text[p] for p in task.negatives["passage_id"]) == ["Heine", "Schiller"]


def test_pairs_are_read_from_tables_and_in_languages(tmp_path):
    write(tmp_path / "p.csv", 'id,language,query,passage\n1,en,"Who, then?",Goethe\n1,de,Wer?,Goethe selbst\n')
    task = load_task(f"pairs:{tmp_path / 'p.csv'}")
    assert task.n_pairs == 4
    assert task.queries["text"].to_list() == ["Who, then?", "Wer?"]
    with pytest.raises(TaskError, match=r"line 1: no passage; expected one of the fields"):
        write(tmp_path / "q.jsonl", lines({"query": "Who?", "language": "en"}))
        load_task(f"pairs:{tmp_path / 'q.jsonl'}")
    with pytest.raises(TaskError, match="does not say its language"):
        write(tmp_path / "r.jsonl", lines({"query": "Who?", "passage": "I"}))
        load_task(f"pairs:{tmp_path / 'r.jsonl'}")
