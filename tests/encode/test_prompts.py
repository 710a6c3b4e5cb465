"""Prompts: found by the names that encoders register, told by hand, kept by training, and noted where in doubt."""

import json
import re
import shutil
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from sentence_transformers import SentenceTransformer

from xlbias.data.catalog import load_task
from xlbias.data.task import RetrievalTask
from xlbias.encode.load import find_encoder, load_encoder, load_pretrained
from xlbias.encode.prompts import Prompts, find_prompts, trained_prompts
from xlbias.errors import EncoderError, UsageError
from xlbias.evaluation import evaluate
from xlbias.narration import Silent
from xlbias.results.caveats import caveats
from xlbias.results.run import Run

pytestmark = pytest.mark.integration

Q, P = "search money query: ", "dollar euro passage: "

CONVENTIONS = {
    "nothing": ({}, None, "", ""),
    "empty texts": ({"query": "", "document": ""}, None, "", ""),
    "query/document": ({"query": Q, "document": P}, None, Q, P),
    "query/passage": ({"query": Q, "passage": P}, None, Q, P),
    "query/corpus": ({"query": Q, "corpus": P}, None, Q, P),
    "query only": ({"query": Q}, None, Q, ""),
    "Nomic, FRIDA": ({"search_query": Q, "search_document": P, "clustering": "clustering: "}, None, Q, P),
    "Jina": ({"retrieval.query": Q, "retrieval.passage": P, "text-matching": ""}, None, Q, P),
    "EmbeddingGemma": ({"Retrieval-query": Q, "Retrieval-document": P, "STS": "task: sts | query: "}, None, Q, P),
    "Stella": ({"s2s_query": "similar: ", "s2p_query": Q}, None, Q, ""),
    "E5-Mistral": ({"sts_query": "similar: ", "web_search_query": Q}, None, Q, ""),
    "default of another name": ({"web": Q}, "web", Q, Q),
    "default beside a query prompt": ({"query": Q, "text": P}, "text", Q, P),
    "default is the query prompt": ({"query": Q}, "query", Q, ""),
}
"""Registered prompts and default, and what must stand before queries and passages."""


def with_prompts(folder: Path, registered: dict[str, str], default: str | None = None) -> str:
    """A copy of the packaged static encoder that registers these prompts."""
    shutil.copytree(find_encoder("static-small"), folder)
    (folder / "xlbias.json").unlink()
    config = folder / "config_sentence_transformers.json"
    content = json.loads(config.read_text("utf-8"))
    config.write_text(json.dumps({**content, "prompts": registered, "default_prompt_name": default}), "utf-8")
    return str(folder)


@pytest.fixture(scope="module")
def task() -> RetrievalTask:
    return load_task("builtin:money[split=test;languages=de,en]")


def by_hand(model: SentenceTransformer, task: RetrievalTask, query: str, passage: str) -> dict[tuple[str, str], float]:
    """Mean AP of the single-language cells by brute force over what sentence-transformers gives with `prompt=`."""
    sides = ((task.queries, query), (task.passages, passage))
    left, right = (
        model.encode(frame["text"].to_list(), prompt=prompt, normalize_embeddings=True, show_progress_bar=False)
        for frame, prompt in sides
    )
    scores = (left.astype(np.float64) @ right.astype(np.float64).T).astype(np.float32)
    relevant: dict[str, set[str]] = {}
    for query_id, passage_id in task.qrels.select("query_id", "passage_id").iter_rows():
        relevant.setdefault(query_id, set()).add(passage_id)
    ids, languages = (np.array(task.passages[name].to_list()) for name in ("passage_id", "language"))
    found: dict[tuple[str, str], list[float]] = {}
    for row, (query_id, asked) in enumerate(task.queries.select("query_id", "language").iter_rows()):
        for answered in sorted(set(languages)):
            pool = np.flatnonzero(languages == answered)
            order = sorted(pool, key=lambda i: ids[i], reverse=True)
            order.sort(key=lambda i: -scores[row, i])
            hits = [rank for rank, i in enumerate(order, 1) if ids[i] in relevant[query_id]]
            if hits:
                precision = [(n + 1) / rank for n, rank in enumerate(hits)]
                found.setdefault((asked, answered), []).append(float(np.mean(precision)))
    return {cell: float(np.mean(values)) for cell, values in found.items()}


def cells(run: Run) -> dict[tuple[str, str], float]:
    rows = run.cells.filter(pl.col("pool") != "multilingual").select("query_language", "pool", "map").iter_rows()
    return {(asked, answered): value for asked, answered, value in rows}


@pytest.mark.parametrize(("registered", "default", "query", "passage"), CONVENTIONS.values(), ids=CONVENTIONS)
def test_prompts_are_found_by_the_names_that_encoders_register(registered, default, query, passage):
    found = find_prompts(registered, default)
    assert (found.query.text, found.passage.text) == (query, passage)
    backwards = dict(reversed(registered.items()))
    assert find_prompts(backwards, default) == found  # whatever their order in the file
    assert set(found.unused) == {name for name, text in registered.items() if text and text not in (query, passage)}


@pytest.mark.parametrize("name", ["query/passage", "Nomic, FRIDA", "Jina", "Stella", "default of another name"])
def test_numbers_are_those_of_sentence_transformers_with_the_prompts_given_by_hand(tmp_path, task, name):
    registered, default, query, passage = CONVENTIONS[name]
    folder = with_prompts(tmp_path / "encoder", registered, default)
    run = evaluate(folder, task, device="cpu")
    expected = by_hand(SentenceTransformer(folder, device="cpu"), task, query, passage)
    assert cells(run) == pytest.approx(expected, abs=1e-6)
    without = by_hand(SentenceTransformer(folder, device="cpu"), task, "", "")
    assert max(abs(without[cell] - value) for cell, value in expected.items()) > 1e-3  # prompts make a difference
    (about,) = run.models
    assert (about.prompts["query"], about.prompts["passage"]) == (query, passage)
    assert (about.dtype, about.max_length) == ("float32", {"query": None, "passage": None})


def test_names_and_texts_replace_what_is_registered():
    registered = {"query": Q, "s2s_query": "similar: ", "document": P}
    assert find_prompts(registered, query="s2s_query").query.text == "similar: "
    assert find_prompts(registered, query="Frage: ").query.text == "Frage: "
    assert find_prompts(registered, query='"query"').query.text == "query"  # a text that is a name
    assert find_prompts(registered, query="検索：").query.text == "検索："
    nothing = find_prompts(registered, passage="")
    assert (nothing.query.text, nothing.passage.text) == (Q, "")
    with pytest.raises(EncoderError, match=r"mine: registers no prompt 's2p_query' .*: it registers query, s2s_query"):
        find_prompts(registered, query="s2p_query", encoder="mine")
    with pytest.raises(EncoderError, match="it registers none; a text of one word is written in double quotes"):
        find_prompts({}, passage="passage")
    with pytest.raises(EncoderError, match="mine: its prompt 'query' is 3; expected a text"):
        find_prompts({"query": 3}, encoder="mine")


@pytest.mark.parametrize(
    ("registered", "default", "given", "doubt"),
    [
        ({"Retrieval": Q, "STS": P}, None, None, "no registered prompt is known to be for queries"),
        ({"query": Q, "search_query": P}, None, None, r"2 registered prompts are for queries \(query, search_query\)"),
        ({"web": Q}, "web", None, "its default prompt web was put before queries and passages"),
        ({"query": Q}, None, "", "its own query prompt 'search money query: ' was not used: nothing stood"),
        ({"query": Q}, None, "Q: ", "its own query prompt .* was not used: 'Q: ' stood before queries"),
    ],
)
def test_what_is_in_doubt_is_said_in_the_run(tmp_path, registered, default, given, doubt):
    folder = with_prompts(tmp_path / "encoder", registered, default)
    lines = []

    class Listening(Silent):
        def say(self, text):
            lines.append(text)

    few = load_task("builtin:money[split=test;languages=en]")
    run = evaluate(folder, few, query_prompt=given, device="cpu", narrator=Listening())
    (caveat,) = [one for one in caveats(run) if one.kind == "prompts"]
    assert caveat.model == "encoder"
    assert re.search(doubt, caveat.sentence)
    assert any("encoder: prompts: query" in line for line in lines)
    assert any(caveat.sentence.removesuffix(".") in line for line in lines)


@pytest.mark.parametrize("registered", [{}, {"query": Q, "passage": P, "STS": "similar: "}, {"s2p_query": Q, "sts": P}])
def test_nothing_is_said_where_nothing_is_in_doubt(registered):
    assert find_prompts(registered).doubts == ()


def test_prompts_are_part_of_the_fingerprint_and_options_are_for_names(tmp_path, task):
    folder = with_prompts(tmp_path / "encoder", {"query": Q})
    plain, other = load_encoder(folder, device="cpu"), load_encoder(folder, device="cpu", passage_prompt="p: ")
    assert plain.fingerprint != other.fingerprint
    library = load_pretrained(folder, device="cpu").model
    assert other.encode(["x"], "passage") == pytest.approx(
        library.encode(["p: x"], normalize_embeddings=True), abs=1e-6
    )
    with pytest.raises(UsageError, match="query_prompt is for encoders given by name: 'encoder' is an object"):
        evaluate(plain, task, query_prompt="q: ")


def test_what_was_trained_with_is_registered_under_every_name_of_its_side():
    registered = {"query": "", "document": "", "retrieval.query": Q, "retrieval.passage": P, "sts": "similar: "}
    new = trained_prompts(registered, "Query: ", "Passage: ")
    assert new == {
        "query": "Query: ", "document": "Passage: ", "retrieval.query": "Query: ", "retrieval.passage": "Passage: ",
        "sts": "similar: ",
    }  # fmt: skip
    found = find_prompts(new)
    assert (found.query.text, found.passage.text, found.doubts) == ("Query: ", "Passage: ", ())
    assert find_prompts(trained_prompts(registered, "", "")).query.text == ""


def test_prompts_in_words():
    found = find_prompts({"search_query": Q})
    assert str(found) == f"query {Q!r} (registered as search_query), passage none (none registered)"
    assert Prompts().as_dict()["query"] == ""
