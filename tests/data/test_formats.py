"""Every format: a piece of a real corpus, or a file as its makers write it, is read, shown and evaluated.

What is evaluated is held against trec_eval. `mteb` and `ir_datasets` are read in `test_libraries`.
"""

import gzip
import json
import math
import zlib

import numpy as np
import polars as pl
import pytest
from click.testing import CliRunner

import xlbias
from xlbias.cli.data import convert, show
from xlbias.data.catalog import FORMAT_NAMES, load_task
from xlbias.encode.precomputed import PrecomputedVectors

pytestmark = pytest.mark.integration

WORDS = {"ar": "كتاب", "en": "book", "sw": "kitabu"}


def write(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    content = text.encode() if isinstance(text, str) else text
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)


def lines(*objects):
    return "".join(json.dumps(one, ensure_ascii=False) + "\n" for one in objects)


def first_lines(source, target, n):
    with source.open("rb") as rows:
        write(target, b"".join(row for row, _ in zip(rows, range(n), strict=False)))


def articles(folder, corpora):
    """XQuAD-R's first two articles in two languages."""
    for language in ("de", "en"):
        whole = json.loads((corpora / "xquad-r" / f"{language}.json").read_text("utf-8"))
        write(folder / f"{language}.json", json.dumps({**whole, "data": whole["data"][:2]}))


def lareqa(folder, corpora):
    articles(folder, corpora)


squad = lareqa


def parallel(folder, corpora):
    first_lines(corpora / "mkqa" / "parallel.jsonl", folder / "mkqa.jsonl", 120)
    return "mkqa.jsonl"


def bitext(folder, corpora):
    for name in ("newstest2019-src.eng.txt", "newstest2019-ref.deu.txt"):
        first_lines(corpora / "ntrex128" / name, folder / name, 30)


def sib200(folder, corpora):
    for language in ("deu_Latn", "tha_Thai"):
        first_lines(corpora / "sib200" / language / "test.tsv", folder / language / "test.tsv", 30)
    return "[part=test]"


def beir(folder, _):
    task = "builtin:calendar[split=test;languages=en,de]"
    assert CliRunner().invoke(convert, [task, str(folder / "out"), "--format", "beir"]).exit_code == 0
    return "out"


def judged(n=6):
    """Texts, topics and judgements of each language, with ids that say nothing across languages."""
    for language, word in WORDS.items():
        texts = {f"7#{number}": f"{word} {number} {language}" for number in range(n)}
        topics = {str(number): f"{word} {number}?" for number in range(4)}
        yield (
            language,
            texts,
            topics,
            [(str(q), f"7#{q}", 1 + q % 2) for q in range(4)] + [("0", "7#5", 1), ("1", "7#5", 0)],
        )


def trec(folder, _):
    for language, texts, topics, qrels in judged():
        docs = ({"id": f"{language}{own}", "text": text} for own, text in texts.items())
        write(folder / f"docs.{language}.jsonl.gz", lines(*docs))
        if language == "en":
            tops = (f"<top>\n<num> Number: {own}\n<title> {text}\n</top>\n" for own, text in topics.items())
            write(folder / "topics.en.sgml", "".join(tops))
        write(folder / "qrels" / language, "".join(f"{q} 0\t{language}{p} {grade}\n" for q, p, grade in qrels))


def miracl(folder, _):
    for language, texts, topics, qrels in judged():
        own = f"miracl-v1.0-{language}"
        docs = ({"docid": one, "title": "", "text": text} for one, text in texts.items())
        write(folder / f"miracl-corpus-v1.0-{language}" / "docs-0.jsonl.gz", lines(*docs))
        write(
            folder / own / "topics" / f"topics.{own}-dev.tsv", "".join(f"{q}\t{text}\n" for q, text in topics.items())
        )
        write(folder / own / "qrels" / f"qrels.{own}-dev.tsv", "".join(f"{q}\tQ0\t{p}\t{g}\n" for q, p, g in qrels))


def mrtydi(folder, _):
    names = {"ar": "arabic", "en": "english", "sw": "swahili"}
    for language, texts, topics, qrels in judged():
        own = folder / f"mrtydi-v1.1-{names[language]}"
        write(own / "collection" / "docs.jsonl.gz", lines(*({"id": one, "contents": t} for one, t in texts.items())))
        write(own / "topic.dev.tsv", "".join(f"{q}\t{text}\n" for q, text in topics.items()))
        write(own / "qrels.dev.txt", "".join(f"{q} Q0 {p} {grade}\n" for q, p, grade in qrels))


def mmarco(folder, _):
    for name, word in (("chinese", "书"), ("german", "Buch")):
        write(folder / "collections" / f"{name}_collection.tsv", "".join(f"{n}\t{word} {n}\n" for n in range(4)))
        write(folder / f"{name}_queries.dev.small.tsv", f"10\t{word} 1?\n11\t{word} 2?\n")
    write(folder / "qrels.dev.small.tsv", "10\t0\t1\t1\n11\t0\t2\t1\n")


def pairs(folder, _):
    made = ({"query": f"Who is {n}?", "pos": [f"It is {n}."], "neg": ["Nobody."], "language": "en"} for n in range(9))
    write(folder / "train.jsonl", lines(*made))
    return "train.jsonl"


def tmx(folder, _):
    unit = '<tu><tuv xml:lang="EN-US"><seg>One {0}</seg></tuv><tuv xml:lang="de"><seg>Eins {0}</seg></tuv></tu>'
    body = "".join(map(unit.format, range(9)))
    whole = f'<?xml version="1.0"?><!DOCTYPE tmx SYSTEM "tmx14.dtd"><tmx version="1.4"><body>{body}</body></tmx>'
    write(folder / "memory.tmx.gz", whole.encode("utf-16"))
    return "memory.tmx.gz"


def hf(folder, _):
    datasets = pytest.importorskip("datasets")
    for language, texts, topics, qrels in judged():
        tables = {
            "corpus": {"_id": list(texts), "text": list(texts.values())},
            "queries": {"_id": list(topics), "text": list(topics.values())},
            "qrels": dict(zip(("query-id", "corpus-id", "score"), map(list, zip(*qrels, strict=True)), strict=True)),
        }
        for kind, rows in tables.items():
            datasets.Dataset.from_dict(rows).save_to_disk(folder / f"{language}-{kind}")


MAKERS = (lareqa, parallel, bitext, sib200, beir, trec, miracl, mrtydi, mmarco, pairs, tmx, hf)
OF_LIBRARIES = {"mteb", "ir_datasets"}
MADE = {one.__name__: one for one in MAKERS} | {"squad": squad}


def trigrams(texts):
    """Vectors of texts: the sum of one random vector for each of their trigrams, so that texts differ and none ties."""

    def vector(text):
        pieces = {text[start : start + 3] for start in range(max(1, len(text) - 2))}
        drawn = [np.random.default_rng(zlib.crc32(piece.encode())).standard_normal(32) for piece in sorted(pieces)]
        return np.sum(drawn, axis=0)

    return np.array([vector(text) for text in texts], dtype=np.float32)


def test_every_format_is_tried():
    assert {*MADE, *OF_LIBRARIES} == set(FORMAT_NAMES)


@pytest.mark.parametrize("name", [name for name in FORMAT_NAMES if name not in OF_LIBRARIES])
def test_a_small_piece_is_read_shown_and_evaluated(tmp_path, request, name):
    of_corpora = name in ("lareqa", "squad", "parallel", "bitext", "sib200")
    made = MADE[name](tmp_path, request.getfixturevalue("shared_data") if of_corpora else None) or ""
    spec = f"{name}:{tmp_path}{made}" if made.startswith("[") else f"{name}:{tmp_path / made}"
    task = load_task(spec)

    shown = CliRunner().invoke(show, [spec, "--json", "--quiet"])
    assert shown.exit_code == 0
    facts = json.loads(shown.stdout)
    assert (facts["fingerprint"], facts["n_pairs"]) == (task.fingerprint, task.n_pairs)
    assert CliRunner().invoke(show, [spec]).exit_code == 0

    texts = task.queries["text"].to_list(), task.passages["text"].to_list()
    run = xlbias.evaluate(PrecomputedVectors(*map(trigrams, texts)), task, top_k=100)
    pytrec_eval = pytest.importorskip("pytrec_eval")
    relevance = {}
    for row in task.queries.join(task.qrels, on="query_id").iter_rows(named=True):
        own = f"{row['language']}|{row['query_id']}"
        relevance.setdefault(own, {})[row["passage_id"]] = row["relevance"]
    rankings = run.rankings.collect().filter(pl.col("pool") == "multilingual")
    scores = {
        f"{row['query_language']}|{row['query_id']}": {hit["passage_id"]: hit["score"] for hit in row["top"]}
        for row in rankings.to_dicts()
    }
    found = pytrec_eval.RelevanceEvaluator(relevance, {"ndcg_cut_10", "recall_100"}).evaluate(scores)
    languages = {own.partition("|")[0] for own in found}
    values = run.summary.filter((pl.col("setting") == "multilingual") & pl.col("query_language").is_null())
    ours = dict(values.select("measure", "value").iter_rows())
    for measure, theirs in (("ndcg@10", "ndcg_cut_10"), ("recall@100", "recall_100")):
        by_language = [
            np.mean([one[theirs] for own, one in found.items() if own.startswith(f"{language}|")])
            for language in languages
        ]
        assert ours[measure] == pytest.approx(np.mean(by_language), abs=1e-6)
        assert not math.isnan(ours[measure])
