"""Kinds of encoders: Python objects, vectors from elsewhere, and endpoints, under trouble too."""

import json
import os
import subprocess
import sys
import threading
import time
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import faiss
import numpy as np
import polars as pl
import pytest

import xlbias
from xlbias.encode.cache import VectorCache
from xlbias.encode.kinds import describe_kinds, kind_of
from xlbias.encode.load import check_encoder, check_trainable, load_encoder
from xlbias.errors import EncoderError

pytestmark = pytest.mark.integration

TASK = "builtin:calendar[split=test;languages=en,de]"

SOURCE = """
import hashlib

def vector(text):
    return [byte - 128.0 for byte in hashlib.sha256(text.encode()).digest()]

def function(texts):
    return [vector(text) for text in texts]

class OfKind:
    fingerprint, name, similarity = "1", "own name", "dot"
    def encode(self, texts, kind):
        return [vector(kind + text) for text in texts]

class OfTwoMethods:
    def encode_query(self, texts):
        return function(["query" + text for text in texts])
    def encode_document(self, texts):
        return function(["passage" + text for text in texts])

class OfMteb:
    def encode(self, inputs, *, prompt_type=None, **rest):
        return function([{"query": "query", "document": "passage"}[prompt_type] + text for text in inputs])

instance = OfKind()
number = 3

def broken(texts):
    raise ValueError("no weights here")
"""


@pytest.fixture
def module(tmp_path):
    path = tmp_path / "mine.py"
    path.write_text(SOURCE)
    return path


@pytest.mark.parametrize("name", ["OfKind", "OfTwoMethods", "OfMteb", "instance"])
def test_the_kind_of_a_text_reaches_an_encoder_however_it_takes_it(module, name):
    encoder = load_encoder(f"python:{module}:{name}")
    space: dict = {}
    exec(SOURCE, space)  # noqa: S102 (written above)
    assert encoder.dimension == 32
    for kind in ("query", "passage"):
        assert encoder.encode(["a"], kind).tolist() == [space["vector"](f"{kind}a")]
    assert encoder.name == ("own name" if name in ("OfKind", "instance") else name)
    assert encoder.similarity == ("dot" if name in ("OfKind", "instance") else "cosine")


def test_a_function_gets_the_prompts_that_are_given(module):
    encoder = load_encoder(f"python:{module}:function", query_prompt="query: ", similarity="euclidean")
    bare = load_encoder(f"python:{module}:function")
    assert encoder.encode(["a"], "query").tolist() == bare.encode(["query: a"], "query").tolist()
    assert encoder.encode(["a"], "passage").tolist() == bare.encode(["a"], "passage").tolist()
    assert encoder.similarity == "euclidean"


def test_without_a_fingerprint_nothing_is_taken_from_an_earlier_time(module):
    again = [load_encoder(f"python:{module}:function").fingerprint for _ in range(2)]
    assert again[0] != again[1]
    known = [load_encoder(f"python:{module}:OfKind").fingerprint for _ in range(2)]
    assert known[0] == known[1]


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("python:{}:nothing", "has no 'nothing'"),
        ("python:{}:number", "is of type int; expected a function of texts, or one with encode"),
        ("python:{}:broken", "failed \\(ValueError\\): no weights here"),
        ("python:{}", "expected python:MODULE:NAME"),
        ("python:{}x.py:f", "there is no such file"),
        ("python:no_such_module_here:f", "no module 'no_such_module_here'"),
        ("python:mine-1:f", "is not a module"),
        ("vectors:{}", "is a file; expected a folder"),
        ("vectors:{}x", "there is no such folder"),
        ("pyton:{}:f", r"unknown kind of encoder 'pyton' \(did you mean python\?\); expected a folder"),
        ("openai:localhost#m", r"^openai:localhost#m: expected openai:URL#MODEL, such as openai:http://localhost:8000/v1#bge-m3"),
        ("openai:http://h/v1", "expected openai:URL#MODEL"),
        ("openai:http://me:secret@h/v1?k=secret#m", r"^openai:http://h/v1#m: a key does not belong in the address"),
    ],
)  # fmt: skip
def test_a_wrong_name_is_one_sentence(module, name, says):
    with pytest.raises(EncoderError, match=says) as caught:
        load_encoder(name.format(module))
    assert "secret" not in str(caught.value)


def test_what_is_no_table_of_numbers_or_nobody_answers_is_one_sentence(tmp_path):
    (tmp_path / "mine.py").write_text("def words(texts): return ['a']\ndef f(texts): return [[1], [2, 3, 4]]\n")
    with pytest.raises(EncoderError, match="gave a list that is no array of numbers: could not convert"):
        load_encoder(f"python:{tmp_path / 'mine.py'}:words")
    with pytest.raises(EncoderError, match="gave a list that is no array of numbers: rows of 1 to 3 numbers"):
        load_encoder(f"python:{tmp_path / 'mine.py'}:f")
    for side in ("queries", "passages"):
        np.save(tmp_path / f"{side}.npy", np.array([{}], dtype=object), allow_pickle=True)
        (tmp_path / f"{side}.ids.txt").write_text("a\n")
    with pytest.raises(EncoderError, match=r"\.npy: is pickled, or not from numpy\.save; expected an array"):
        load_encoder(f"vectors:{tmp_path}")


def test_an_endpoint_where_nobody_answers_is_one_sentence(monkeypatch):
    pytest.importorskip("openai")
    monkeypatch.setattr("xlbias.encode.kinds.openai._RETRIES", 0)
    with pytest.raises(EncoderError, match=r"#m: cannot be reached \(.*refused.*\): is the server running there\?"):
        load_encoder("openai:http://127.0.0.1:9/v1#m")


def test_a_module_or_class_that_exits_is_an_error(tmp_path):
    (tmp_path / "exits.py").write_text("import sys\nsys.exit(3)\n")
    (tmp_path / "later.py").write_text("class Mine:\n    def __init__(self):\n        raise SystemExit('no GPU')\n")
    with pytest.raises(EncoderError, match=r"cannot be imported \(SystemExit\): 3"):
        load_encoder(f"python:{tmp_path / 'exits.py'}:f")
    with pytest.raises(EncoderError, match=r"failed \(SystemExit\): no GPU"):
        load_encoder(f"python:{tmp_path / 'later.py'}:Mine")


def test_an_option_that_means_nothing_is_refused(module):
    with pytest.raises(EncoderError, match="--device means nothing"):
        load_encoder(f"python:{module}:function", device="cpu")
    with pytest.raises(TypeError, match="unexpected option 'devise'"):
        load_encoder(f"python:{module}:function", devise="cpu")
    with pytest.raises(EncoderError, match="cannot be trained"):
        check_trainable(f"python:{module}:function")


def test_every_kind_has_an_example_of_itself(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for kind in describe_kinds():
        found = kind_of(kind.example)
        assert found is not None
        assert found[0] is kind


# -- vectors -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def made():
    task = xlbias.load_task(TASK)
    rng = np.random.default_rng(0)
    return task, rng.normal(size=(task.queries.height, 8)), rng.normal(size=(task.passages.height, 8))


def write_vectors(folder, task, queries, passages, form):
    folder.mkdir()
    ids = (task.queries["language"] + "/" + task.queries["query_id"]).to_list()
    given = {"queries": (ids, queries), "passages": (task.passages["passage_id"].to_list(), passages)}
    for side, (own, vectors) in given.items():
        order = np.random.default_rng(1).permutation(len(own))  # ids tell which is whose, not places
        mixed, rows = [own[i] for i in order], vectors[order].astype(np.float32)
        if form == "parquet":
            pl.DataFrame({"id": mixed, "vector": rows.tolist()}).write_parquet(folder / f"{side}.parquet")
            continue
        (folder / f"{side}.ids.txt").write_text("\n".join(mixed) + "\n", "utf-8")
        if form == "npy":
            np.save(folder / f"{side}.npy", rows)
        elif form in INDEXES:
            faiss.write_index(indexed(form, rows), str(folder / f"{side}.faiss"))
        else:
            from safetensors.numpy import save_file

            save_file({"vectors": rows}, str(folder / f"{side}.safetensors"))


def indexed(form, rows):
    """Return an index of FAISS that holds `rows` under the numbers of their lines."""
    if form == "flat index":
        index = faiss.IndexFlatIP(rows.shape[1])
        index.add(rows)
        return index
    flat = faiss.IndexFlatL2(rows.shape[1])
    inner = faiss.IndexIVFFlat(flat, rows.shape[1], 3) if form == "lists with ids" else flat
    inner.train(rows)
    index = faiss.IndexIDMap2(inner) if form == "index with ids, twice" else faiss.IndexIDMap(inner)
    order = np.arange(len(rows))[::-1].copy()
    index.add_with_ids(rows[order], order)
    return index


INDEXES = ["flat index", "index with ids", "index with ids, twice", "lists with ids"]


@pytest.mark.parametrize("form", INDEXES)
def test_vectors_in_an_index_give_the_numbers_of_the_same_vectors_in_memory(tmp_path, made, form):
    task, queries, passages = made
    write_vectors(tmp_path / "mine", task, queries, passages, form)
    own = "dot" if form == "flat index" else "euclidean"
    given = xlbias.PrecomputedVectors(queries, passages, similarity=own)
    loaded = load_encoder(f"vectors:{tmp_path / 'mine'}")
    assert (loaded.similarity, loaded.dimension) == (own, 8)
    assert xlbias.evaluate(loaded.of_task(task), task).matrix("map").equals(xlbias.evaluate(given, task).matrix("map"))
    (tmp_path / "mine" / "passages.ids.txt").write_text("a\n")
    with pytest.raises(EncoderError, match=r"holds the numbers 0 to \d+, and passages\.ids\.txt has 1 lines; expected"):
        load_encoder(f"vectors:{tmp_path / 'mine'}")


def test_an_index_without_a_file_of_ids_is_known_by_its_numbers(tmp_path):
    for side in ("queries", "passages"):
        index = faiss.IndexIDMap(faiss.IndexFlatIP(4))
        index.add_with_ids(np.eye(3, 4, dtype=np.float32), np.array([7, 5, 11]))
        faiss.write_index(index, str(tmp_path / f"{side}.faiss"))
    loaded = load_encoder(f"vectors:{tmp_path}")
    assert dict(loaded.passages) == {"7": 0, "5": 1, "11": 2}
    assert loaded.of_passages.tolist() == np.eye(3, 4).tolist()
    (tmp_path / "passages.faiss").write_bytes(b"no index")
    with pytest.raises(EncoderError, match=r"passages\.faiss: cannot be read as an index of FAISS: Index type"):
        load_encoder(f"vectors:{tmp_path}")


def test_fewer_dimensions_are_used_of_vectors_from_anywhere(tmp_path, made, module, endpoint):
    task, queries, passages = made
    write_vectors(tmp_path / "mine", task, queries, passages, "npy")
    short = xlbias.PrecomputedVectors(queries[:, :3], passages[:, :3], similarity="cosine")
    run = xlbias.evaluate(f"vectors:{tmp_path / 'mine'}", task, tmp_path / "run.parquet", truncate_dim=3)
    assert run.matrix("map").equals(xlbias.evaluate(short, task).matrix("map"))
    for name in (f"python:{module}:OfKind", f"openai:{endpoint.url}#letters"):
        whole, some = load_encoder(name), load_encoder(name, truncate_dim=3)
        assert some.dimension == 3
        assert some.encode(["abc"], "query").tolist() == whole.encode(["abc"], "query")[:, :3].tolist()
        assert some.fingerprint != whole.fingerprint
        n = whole.dimension
        expected = f"its vectors have {n} dimensions, so that --truncate-dim 99 cannot be: expected 1 to {n}"
        with pytest.raises(EncoderError, match=expected):
            load_encoder(name, truncate_dim=99)


def test_an_endpoint_may_call_queries_and_passages_two_models(endpoint):
    encoder = load_encoder(f"openai:{endpoint.url}#of-queries,of-passages")
    endpoint.models.clear()
    for kind in ("query", "passage"):
        encoder.encode(["a"], kind)
    assert endpoint.models == ["of-queries", "of-passages"]
    with pytest.raises(EncoderError, match="expected openai:URL#MODEL"):
        check_encoder(f"openai:{endpoint.url}#a,b,c")


@pytest.mark.parametrize("form", ["parquet", "npy", "safetensors"])
def test_vectors_in_files_give_the_numbers_of_the_same_vectors_in_memory(tmp_path, made, form):
    task, queries, passages = made
    write_vectors(tmp_path / "mine", task, queries, passages, form)
    given = xlbias.PrecomputedVectors(queries, passages, similarity="cosine")
    expected = xlbias.evaluate(given, task).matrix("map")
    run = xlbias.evaluate(f"vectors:{tmp_path / 'mine'}", task, tmp_path / "run.parquet")
    assert run.matrix("map").equals(expected)
    assert [dict(run.metadata)["models"][0]["name"]] == ["mine"]


def test_vectors_of_one_language_are_known_by_their_own_ids(tmp_path):
    task = xlbias.load_task("builtin:calendar[split=test;languages=en]")
    rows = np.eye(task.queries.height, 16).tolist()
    (tmp_path / "v").mkdir()
    pl.DataFrame({"id": task.queries["query_id"], "vector": rows}).write_parquet(tmp_path / "v" / "queries.parquet")
    own = task.passages["passage_id"]
    pl.DataFrame({"id": own, "vector": np.eye(len(own), 16).tolist()}).write_parquet(
        tmp_path / "v" / "passages.parquet"
    )
    assert xlbias.evaluate(f"vectors:{tmp_path / 'v'}", task).summary.height


def test_broken_vectors_are_named(tmp_path, made):
    task, queries, passages = made
    queries[3, 1] = np.nan
    write_vectors(tmp_path / "nan", task, queries, passages, "npy")
    with pytest.raises(EncoderError, match=r"queries\.npy: NaN or infinite vector of '(de|en)/"):
        load_encoder(f"vectors:{tmp_path / 'nan'}")
    write_vectors(tmp_path / "few", task, np.ones((task.queries.height, 8)), passages, "npy")
    (tmp_path / "few" / "passages.ids.txt").write_text("a\n")
    with pytest.raises(EncoderError, match="for 1 ids"):
        load_encoder(f"vectors:{tmp_path / 'few'}")
    (tmp_path / "few" / "passages.npy").unlink()
    with pytest.raises(EncoderError, match=r"no file passages\.parquet"):
        check_encoder(f"vectors:{tmp_path / 'few'}")
    write_vectors(tmp_path / "other", task, np.ones((task.queries.height, 8)), passages, "parquet")
    with pytest.raises(EncoderError, match="no vector of the query"):
        xlbias.evaluate(f"vectors:{tmp_path / 'other'}", xlbias.load_task("builtin:money[split=test;languages=en]"))


# -- endpoints ---------------------------------------------------------------------------------------------------------


class Endpoint(ThreadingHTTPServer):
    """An embeddings endpoint that can be told to misbehave; it counts the texts it was paid for."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.trouble: list = []  # what to answer with before all is well: a status, or a function of the rows
        self.texts: list[str] = []
        self.models: list[str] = []
        self.held = threading.Semaphore(1_000_000)  # answers that are given before all wait
        self.keys: set = set()
        self.lock = threading.Lock()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_address[1]}/v1"


class Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        content = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        with self.server.lock:
            self.server.keys.add(self.headers.get("Authorization"))
            trouble = self.server.trouble.pop(0) if self.server.trouble else None
        if isinstance(trouble, int):
            self.answer({"error": {"message": f"no: {self.headers.get('Authorization')}"}}, trouble)
            return
        texts = content["input"]
        self.server.models.append(content["model"])
        rows = [{"object": "embedding", "index": i, "embedding": embedded(text)} for i, text in enumerate(texts)]
        with self.server.lock:
            self.server.texts += texts
        self.server.held.acquire()
        if trouble:
            rows = trouble(rows)
        usage = {"prompt_tokens": 1, "total_tokens": 1}
        self.answer({"object": "list", "data": rows, "model": content["model"], "usage": usage}, 200)

    def answer(self, content, status):
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        if status == 429:
            self.send_header("Retry-After", "0")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def embedded(text):
    values = np.frombuffer(text.encode()[:16].ljust(16, b"\0"), dtype=np.uint8)
    return (values.astype(float) - 60.0).tolist()


@pytest.fixture
def endpoint(monkeypatch):
    pytest.importorskip("openai")
    monkeypatch.setenv("XLBIAS_API_KEY", "sk-very-secret")
    monkeypatch.setattr("openai._constants.INITIAL_RETRY_DELAY", 0.0)
    monkeypatch.setattr("openai._base_client.INITIAL_RETRY_DELAY", 0.0, raising=False)
    monkeypatch.setattr("openai._base_client.MAX_RETRY_DELAY", 0.0, raising=False)
    server = Endpoint()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def test_an_endpoint_gives_the_numbers_of_its_vectors_in_memory(endpoint, tmp_path):
    task = xlbias.load_task(TASK)
    run = xlbias.evaluate(f"openai:{endpoint.url}#letters", task, tmp_path / "run.parquet")
    vectors = [np.array([embedded(text) for text in frame["text"]]) for frame in (task.queries, task.passages)]
    assert run.matrix("map").equals(
        xlbias.evaluate(xlbias.PrecomputedVectors(*vectors, similarity="cosine"), task).matrix("map")
    )
    assert endpoint.keys == {"Bearer sk-very-secret"}
    assert dict(run.metadata)["models"][0]["name"] == "letters"


def test_an_endpoint_in_trouble_is_asked_again(endpoint):
    endpoint.trouble = [429, 500, 503, 429]
    encoder = load_encoder(f"openai:{endpoint.url}#letters", query_prompt="q: ")
    endpoint.trouble = [500, 429]
    assert encoder.encode(["abc"], "query").tolist() == [embedded("q: abc")]


@pytest.mark.parametrize(
    ("trouble", "says"),
    [
        (lambda rows: rows[:-1], "gave 1 vectors for 2 texts; the answer is not whole"),
        (lambda rows: [rows[0], {**rows[1], "index": 7}], "the answer is not whole"),
        (lambda rows: [{**row, "embedding": row["embedding"][:3]} for row in rows], "shape \\(2, 3\\)"),
        (lambda rows: [{**row, "embedding": [float("nan")] * 16} for row in rows], "NaN or infinite vector"),
        (401, "no: Bearer \\[key\\]"),
        (400, "400"),
    ],
)
def test_a_bad_answer_is_an_error_without_the_key(endpoint, trouble, says, tmp_path):
    from xlbias.encode.encoder import embed

    encoder = load_encoder(f"openai:{endpoint.url}#letters")
    endpoint.trouble = [trouble]
    with pytest.raises(EncoderError, match=says) as caught:
        embed(encoder, ["a", "b"], "query")
    assert "secret" not in f"{caught.value}{caught.value.__cause__}{caught.value.__context__ and ''}"


def test_what_was_paid_for_is_not_paid_for_again(endpoint, tmp_path):
    task = xlbias.load_task(TASK)
    cache = VectorCache(tmp_path / "cache")
    run = tmp_path / "run.parquet"
    xlbias.evaluate(f"openai:{endpoint.url}#letters", task, run, cache=cache)
    paid = len(endpoint.texts)
    xlbias.evaluate(f"openai:{endpoint.url}#letters", task, tmp_path / "again.parquet", cache=cache)
    assert len(endpoint.texts) == paid + 1  # its dimension is asked for anew
    for file in [run, *(tmp_path / "cache").rglob("*")]:
        assert not file.is_file() or b"very-secret" not in file.read_bytes()


@pytest.mark.slow
def test_a_killed_evaluation_pays_again_only_for_what_was_in_flight(endpoint, tmp_path):
    command = [
        sys.executable, "-m", "xlbias", "evaluate", f"openai:{endpoint.url}#letters", "--task", TASK,
        "--batch-size", "2", "--out", str(tmp_path / "run.parquet"), "--quiet",
    ]  # fmt: skip
    environment = {**os.environ, "XLBIAS_CACHE": str(tmp_path / "cache")}
    endpoint.held = threading.Semaphore(12)  # of its dimension, and of 22 texts
    killed = subprocess.Popen(command, env=environment, cwd=tmp_path)
    while len(endpoint.texts) < 1 + 2 * 12:  # then one more waits for an answer
        assert killed.poll() is None
        time.sleep(0.05)
    killed.kill()
    killed.wait()
    before = Counter(endpoint.texts)
    endpoint.held = threading.Semaphore(1_000_000)
    subprocess.run([*command, "--resume"], env=environment, cwd=tmp_path, check=True, stdout=subprocess.DEVNULL)

    task = xlbias.load_task(TASK)
    asked = Counter([text for frame in (task.queries, task.passages) for text in frame["text"].unique()])
    paid = Counter(endpoint.texts)
    assert paid.pop("xlbias") == 2  # its dimension, at each start
    assert set(paid) == set(asked)
    twice = {text for text in paid if paid[text] > asked[text]}
    assert twice <= set(before)
    assert sum(paid.values()) - sum(asked.values()) <= 2 * 4  # four requests of two texts
    assert xlbias.open_run(tmp_path / "run.parquet").matrix("map").height


def test_a_sentence_transformer_is_taken_as_it_is(tmp_path):
    sentence_transformers = pytest.importorskip("sentence_transformers")
    from xlbias.packaged import packaged_encoders

    folder = packaged_encoders()["static-small"]
    task = xlbias.load_task(TASK)
    model = sentence_transformers.SentenceTransformer(str(folder), device="cpu")
    run = xlbias.evaluate(model, task)
    assert run.matrix("map").equals(xlbias.evaluate("static-small", task, device="cpu").matrix("map"))


def test_the_command_lists_every_kind():
    from click.testing import CliRunner

    from xlbias.cli import main

    shown = " ".join(CliRunner().invoke(main, ["encoders"]).output.split())
    for kind in describe_kinds():
        assert f"{kind.name}: " in shown
        assert kind.example in shown
    assert "static-small comes with xlbias" in shown
