"""What is no encoder is refused by its files, with what it looks like and what to do; and which weights are judged."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from sentence_transformers import CrossEncoder, SentenceTransformer
from sentence_transformers.sentence_transformer.modules import Pooling, Transformer
from tiny import bare_transformer, edit_json, encoder
from transformers import BertForMaskedLM, BertForSequenceClassification

from xlbias.encode.cache import VectorCache
from xlbias.encode.card import read_card
from xlbias.encode.load import check_encoder, load_encoder
from xlbias.errors import EncoderError

pytestmark = pytest.mark.integration


def _cross(folder: Path) -> Path:
    bare = bare_transformer(folder.with_name("bare"), BertForSequenceClassification, num_labels=1)
    CrossEncoder(str(bare), device="cpu").save_pretrained(str(folder))
    return folder


def _unpooled(folder: Path) -> Path:
    encoder(folder)
    edit_json(folder / "modules.json", lambda modules: modules.pop())
    return folder


NO_ENCODERS = {
    "a cross-encoder": (_cross, "is a cross-encoder, which scores a pair of texts"),
    "a cross-encoder of old": (
        lambda folder: bare_transformer(folder, BertForSequenceClassification, num_labels=1),
        "looks like a cross-encoder or another classifier (BertForSequenceClassification in config.json)",
    ),
    "a masked language model": (
        lambda folder: bare_transformer(folder, BertForMaskedLM),
        "looks like a masked language model (or SPLADE) (BertForMaskedLM in config.json)",
    ),
    "a bare transformer": (
        bare_transformer,
        "is a bare transformer (BertModel in config.json): there is no modules",
    ),
    "modules without pooling": (
        _unpooled,
        "is a transformer without pooling: no module in modules.json makes",
    ),
}


@pytest.mark.parametrize("kind", NO_ENCODERS)
def test_what_is_no_encoder_is_refused_before_it_is_loaded_and_made_one_on_purpose(kind: str, tmp_path: Path) -> None:
    make, message = NO_ENCODERS[kind]
    folder = make(tmp_path / "model")
    with pytest.raises(EncoderError) as caught:
        check_encoder(str(folder))
    assert str(caught.value).startswith(f"{folder}: {message}")
    assert str(caught.value).endswith("Name an encoder, or make one of it on purpose with --pooling mean")
    made = [load_encoder(str(folder), device="cpu", pooling="mean") for _ in range(2)]
    assert made[0].fingerprint == made[1].fingerprint
    by_hand = SentenceTransformer(modules=[Transformer(str(folder)), Pooling(16, "mean")], device="cpu")
    expected = by_hand.encode(["w1 w2", "w3"], normalize_embeddings=True)
    assert made[0].encode(["w1 w2", "w3"], "query") == pytest.approx(expected, abs=1e-6)


def test_each_pooling_is_the_one_that_was_asked_for_and_another_encoder(tmp_path: Path) -> None:
    folder = str(bare_transformer(tmp_path / "model"))
    made = {
        pooling: load_encoder(folder, device="cpu", pooling=pooling) for pooling in ("mean", "cls", "max", "lasttoken")
    }
    for pooling, found in made.items():
        by_hand = SentenceTransformer(modules=[Transformer(folder), Pooling(16, pooling)], device="cpu")
        expected = by_hand.encode(["w1 w2"], normalize_embeddings=True)
        assert found.encode(["w1 w2"], "passage") == pytest.approx(expected, abs=1e-6)
    assert len({found.fingerprint for found in made.values()}) == len(made)


def test_an_encoder_keeps_its_own_pooling(tmp_path: Path) -> None:
    folder = encoder(tmp_path / "encoder")
    with pytest.raises(EncoderError, match=r"encoder: has a pooling of its own, in modules\.json"):
        load_encoder(str(folder), pooling="cls")
    with pytest.raises(EncoderError, match="pooling is 'middle': expected mean, cls, max, lasttoken"):
        load_encoder(str(folder), pooling="middle")


def test_refusing_takes_no_library_that_takes_seconds(tmp_path: Path) -> None:
    folder = bare_transformer(tmp_path / "model")
    code = (
        "import sys; from xlbias.cli import run\n"
        "print(run(sys.argv[1:]), *({'torch', 'transformers', 'sentence_transformers'} & set(sys.modules)))"
    )
    for words in (["evaluate", str(folder)], ["audit", str(folder)], ["train", "--base", str(folder), "--out", "out"]):
        done = subprocess.run(
            [sys.executable, "-c", code, *words], capture_output=True, text=True, cwd=tmp_path, check=True
        )
        assert done.stdout.split() == ["2"], words
        assert "is a bare transformer" in done.stderr


# -- which weights are judged ------------------------------------------------------------------------------------------


def test_weights_beside_those_that_are_loaded_are_not_judged(tmp_path: Path) -> None:
    folder = encoder(tmp_path / "encoder")
    for name in ("openvino/openvino_model.bin", "onnx/model.bin", "training_args.bin", "checkpoint-9/optimizer.pt"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(b"\x80")
    assert load_encoder(str(folder), device="cpu").dimension == 16


def test_pickled_weights_of_a_later_module_are_refused(tmp_path: Path) -> None:
    folder = encoder(tmp_path / "encoder")
    dense = {"idx": 2, "name": "2", "path": "2_Dense", "type": "sentence_transformers.base.modules.dense.Dense"}
    edit_json(folder / "modules.json", lambda modules: modules.append(dense))
    (folder / "2_Dense").mkdir()
    torch.save({}, folder / "2_Dense" / "pytorch_model.bin")
    with pytest.raises(EncoderError, match=r"2_Dense/pytorch_model\.bin: pickled weights are refused"):
        check_encoder(str(folder))


@pytest.mark.parametrize(
    ("file", "content", "message"),
    [
        ("modules.json", "{", r"modules\.json: is not a readable JSON file"),
        ("modules.json", "[" * 100_000, r"modules\.json: is not a readable JSON file"),
        ("modules.json", "{}", r"modules\.json: must hold a list of modules"),
        ("modules.json", "[1]", r"modules\.json: module 0: field 'type' must be a string"),
        ("modules.json", '[{"type": "a.B", "path": "../..", "name": "0"}]', "leads out of the folder"),
        ("config_sentence_transformers.json", "[]", "must hold a JSON object"),
    ],
)
def test_a_broken_file_of_an_encoder_is_named(file: str, content: str, message: str, tmp_path: Path) -> None:
    folder = encoder(tmp_path / "encoder")
    (folder / file).write_text(content)
    with pytest.raises(EncoderError, match=message):
        check_encoder(str(folder))


# -- cards -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("card", "message"),
    [
        ({"seed": 10**40}, r"seed is 10+…?: expected a whole number from 0 to 9223372036854775807"),
        ({"seed": -1}, "seed is -1: expected a whole number"),
        ({"seed": True}, "seed is True: expected a whole number"),
        ({"alpha": 10**400}, "alpha is 10+…: expected a number from 0 to 1"),
        ({"alpha": float("nan")}, "alpha is nan: expected a number from 0 to 1"),
        ({"name": ""}, "name is '': expected a string that is not empty"),
        ({"best_step": "last"}, "best_step is 'last': expected a whole number"),
        ({"training_seconds": 10**400}, "training_seconds is 10+…: expected a number of seconds"),
        ({"recipe": 3}, "recipe is 3: expected a table of named values"),
        ({"sources": None}, "sources is None: expected a list"),
        ({"sources": [{}]}, r"sources\[0\]: has no key 'name': expected a string"),
        ({"sources": [{"name": "a", "n_ids": 10**30}]}, r"sources\[0\]\.n_ids is 10+: expected a whole number"),
        ({"sources": [{"name": "a", "domain": 7}]}, r"sources\[0\]\.domain is 7: expected a string"),
        ({"batches": {"by_kind": {"mono": 10**30}}}, r"batches\.by_kind\.mono: expected a finite number of 64 bits"),
        ({"anything": [0, float("inf")]}, r"anything\[1\]: expected a finite number of 64 bits"),
    ],
)
def test_a_card_that_no_run_file_can_hold_is_refused_with_its_field(
    card: dict[str, object], message: str, tmp_path: Path
) -> None:
    (tmp_path / "xlbias.json").write_text(json.dumps(card))
    with pytest.raises(EncoderError, match=rf"xlbias\.json: {message}"):
        read_card(tmp_path)


@pytest.mark.parametrize("content", ["[" * 100_000, "9" * 5000, '{"seed": ' + "9" * 5000 + "}", "[]"])
def test_a_card_that_is_no_object_is_refused(content: str, tmp_path: Path) -> None:
    (tmp_path / "xlbias.json").write_text(content)
    with pytest.raises(EncoderError, match=r"xlbias\.json: (is not JSON|it is \[\]: expected a table)"):
        read_card(tmp_path)


# -- the cache ---------------------------------------------------------------------------------------------------------


def test_a_file_of_the_cache_is_of_its_key_and_no_pipe_is_waited_for(tmp_path: Path) -> None:
    cache, texts = VectorCache(tmp_path), ["a", "b"]
    for fingerprint, value in (("one", 1), ("other", 2)):
        cache.save(fingerprint, "query", texts, np.full((2, 3), value, dtype=np.float32))
    one, other = (cache._path(name, "query", texts) for name in ("one", "other"))
    other.replace(one)
    assert cache.load("one", "query", texts) is None, "whole, and of another key"
    one.unlink()
    os.mkfifo(one)
    assert cache.load("one", "query", texts) is None
    cache.save("one", "query", texts, np.ones((2, 3), dtype=np.float32))
    assert one.is_fifo()
    assert cache.load("other", "query", texts) is None
    cache.save("other", "query", texts, np.ones((2, 3), dtype=np.float32))
    assert np.array_equal(cache.load("other", "query", texts), np.ones((2, 3)))
