"""Options of an encoder: dimension, length, type, and adapters; each by the library itself, and each noticed."""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from brute import ranks_of, sorted_ranks, words_task
from sentence_transformers import SentenceTransformer
from sentence_transformers.util import quantize_embeddings
from tiny import edit_json, edit_weights, encoder

from xlbias.encode.cache import VectorCache
from xlbias.encode.encoder import embed
from xlbias.encode.load import check_encoder, content_of, load_encoder
from xlbias.encode.sizes import longest_of
from xlbias.errors import EncoderError, RunError, UsageError
from xlbias.evaluation import evaluate
from xlbias.report.documents.audit_json import to_json
from xlbias.report.documents.audit_text import to_text
from xlbias.results.compare import Side
from xlbias.results.identity import changes_of
from xlbias.results.run import open_run

pytestmark = pytest.mark.integration

TEXTS = ["w1 w2 w3 w4 w5 w6 w7 w8", "w9 w8", "w30 w2 w11", "w5"]

OPTIONS: dict[str, dict[str, Any]] = {
    "dimension": {"truncate_dim": 5},
    "length": {"max_length": 4},
    "bfloat16": {"dtype": "bfloat16"},
    "float16": {"dtype": "float16"},
    "int8": {"dtype": "int8"},
}
SHOWN = {
    "dimension": "5 dimensions of 16, cosine",
    "length": "float32, reads 4 tokens",
    "bfloat16": "bfloat16, reads 32 tokens",
    "float16": "float16, reads 32 tokens",
    "int8": "float32, vectors in int8, reads 32 tokens",
}
IN_JSON: dict[str, dict[str, Any]] = {
    "dimension": {"dimension": 5, "own_dimension": 16},
    "length": {"max_length": {"query": 4, "passage": 4}},
    "bfloat16": {"dtype": "bfloat16"},
    "float16": {"dtype": "float16"},
    "int8": {"dtype": "float32", "precision": "int8"},
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return encoder(tmp_path_factory.mktemp("options") / "encoder")


TASK = words_task()


@pytest.fixture(scope="module")
def plain(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run without options, and the cache that it filled beside it."""
    out = tmp_path_factory.mktemp("plain") / "run.parquet"
    evaluate(str(folder), TASK, out, device="cpu", cache=VectorCache(out.parent / "cache"))
    return out


def _by_hand(folder: Path, option: str) -> np.ndarray:
    """Return the vectors as plain sentence-transformers makes them."""
    model = SentenceTransformer(str(folder), device="cpu", truncate_dim=5 if option == "dimension" else None)
    if option == "length":
        model.max_seq_length = 4
    if option in ("bfloat16", "float16"):
        model.to(getattr(torch, option))
    return model.encode(TEXTS, normalize_embeddings=True).astype(np.float32)


@pytest.mark.parametrize("option", [name for name in OPTIONS if name != "int8"])
def test_vectors_are_those_of_the_library_with_that_option(folder: Path, option: str) -> None:
    loaded = load_encoder(str(folder), device="cpu", **OPTIONS[option])
    half = option in ("bfloat16", "float16")
    assert loaded.encode(TEXTS, "query") == pytest.approx(_by_hand(folder, option), abs=1e-2 if half else 1e-6)
    assert np.linalg.norm(loaded.encode(TEXTS, "query"), axis=1) == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize("option", OPTIONS)
def test_an_option_is_noticed_by_cache_resume_and_compare_and_shown(
    folder: Path, plain: Path, option: str, tmp_path: Path
) -> None:
    run = tmp_path / "run.parquet"
    shutil.copy(plain, run)
    with pytest.raises(RunError, match="has changed since it was evaluated there"):
        evaluate(str(folder), TASK, run, device="cpu", resume=True, **OPTIONS[option])

    cache = VectorCache(plain.parent / "cache")
    other = evaluate(str(folder), TASK, tmp_path / "other.parquet", device="cpu", cache=cache, **OPTIONS[option])
    loaded = load_encoder(str(folder), device="cpu", **OPTIONS[option])
    texts = TASK.queries["text"].to_list()
    assert np.array_equal(embed(loaded, texts, "query", cache=cache), embed(loaded, texts, "query"))

    told = changes_of(Side(open_run(plain), ("encoder",)), Side(other, ("encoder",)))
    assert "is not the same encoder in both runs: " in str(told)
    about = json.loads(to_json(other))["run"]["models"][0]
    assert {name: about[name] for name in IN_JSON[option]} == IN_JSON[option]
    assert SHOWN[option] in to_text(other, 200)


def test_int8_ranks_as_the_librarys_own_vectors_of_eight_bits_do(folder: Path, tmp_path: Path) -> None:
    run = evaluate(str(folder), TASK, tmp_path / "run.parquet", device="cpu", dtype="int8")
    model = SentenceTransformer(str(folder), device="cpu")
    passages = model.encode(TASK.passages["text"].to_list(), normalize_embeddings=True)
    ranges = np.vstack([passages.min(axis=0), passages.max(axis=0)])
    queries = model.encode(TASK.queries["text"].to_list(), normalize_embeddings=True)
    given = [quantize_embeddings(some, "int8", ranges=ranges).astype(np.float64) for some in (queries, passages)]
    scores = model.similarity(*given).numpy()
    assert ranks_of(run) == sorted_ranks(TASK, scores)


@pytest.mark.parametrize("kind", ["transformer", "static"])
@pytest.mark.parametrize("first", ["float32", "int8"])
def test_vectors_of_eight_bits_are_made_of_those_in_the_cache(
    kind: str, first: str, folder: Path, tmp_path: Path
) -> None:
    name = str(folder) if kind == "transformer" else "static-small"
    cache = VectorCache(tmp_path / "cache")
    for dtype in (first, "float32" if first == "int8" else "int8"):
        run = evaluate(name, TASK, tmp_path / f"{dtype}.parquet", device="cpu", dtype=dtype, cache=cache)
        kept = {file: file.stat().st_mtime_ns for file in cache.folder.rglob("*") if file.is_file()}
        if dtype == first:
            made = kept
    assert kept == made != {}
    alone = evaluate(name, TASK, tmp_path / "alone.parquet", device="cpu", dtype=dtype)
    assert ranks_of(run) == ranks_of(alone)


def test_a_dimension_or_a_length_that_is_not_there_is_refused_before_anything_is_loaded(folder: Path) -> None:
    code = (
        "import sys; from xlbias.cli import run\n"
        "print(run(sys.argv[1:]), *({'torch', 'transformers', 'sentence_transformers'} & set(sys.modules)))"
    )
    for words, said in (
        (
            ["--truncate-dim", "17"],
            "its vectors have 16 dimensions, so that --truncate-dim 17 cannot be: expected",
        ),
        (["--max-length", "65"], "reads 1 to 64 tokens of a text, not --max-length 65"),
    ):
        done = subprocess.run(
            [sys.executable, "-c", code, "evaluate", str(folder), *words],
            capture_output=True, text=True, cwd=folder.parent, check=True,
        )  # fmt: skip
        assert done.stdout.split() == ["2"]
        assert said in done.stderr
        assert not (folder.parent / "run.parquet").exists()


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"max_length": 2}, "puts 2 tokens of its own around a text; expected --max-length 3 or more"),
        ({"truncate_dim": 0}, "expected 1 to 16"),
        ({"dtype": "float8"}, "dtype is 'float8': expected float32, float16, bfloat16, int8"),
    ],
)
def test_other_wrong_options_are_one_sentence(folder: Path, options: dict[str, Any], says: str) -> None:
    with pytest.raises(EncoderError, match=says):
        load_encoder(str(folder), device="cpu", **options)


def test_a_static_encoder_reads_all_of_a_text_whatever_is_said() -> None:
    with pytest.raises(EncoderError, match="cannot be told how much of a text to read"):
        load_encoder("static-small", device="cpu", max_length=5)
    assert load_encoder("static-small", device="cpu", truncate_dim=32, dtype="float16").dimension == 32


def test_an_option_is_for_encoders_given_by_name(folder: Path) -> None:
    with pytest.raises(UsageError, match="truncate_dim is for encoders given by name"):
        evaluate(SentenceTransformer(str(folder), device="cpu"), TASK, truncate_dim=4)


@pytest.mark.parametrize(
    ("config", "longest"),
    [
        ({"model_type": "bert", "max_position_embeddings": 512}, 512),
        ({"model_type": "xlm-roberta", "max_position_embeddings": 514, "pad_token_id": 1}, 512),
        ({"model_type": "roberta", "max_position_embeddings": 514}, 512),
        ({"model_type": "t5"}, None),
    ],
)
def test_how_long_a_text_may_be_is_told_by_the_positions(config: dict[str, Any], longest: int | None) -> None:
    assert longest_of(config) == longest


# -- ONNX --------------------------------------------------------------------------------------------------------------


@pytest.fixture
def onnx(folder: Path, tmp_path: Path) -> Path:
    """The encoder with weights that only look like ONNX."""
    shutil.copytree(folder, tmp_path / "encoder")
    (tmp_path / "encoder" / "onnx").mkdir()
    (tmp_path / "encoder" / "model.safetensors").rename(tmp_path / "encoder" / "onnx" / "model.onnx")
    return tmp_path / "encoder"


def test_weights_that_are_onnx_only_are_those_that_count(onnx: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = content_of(str(onnx))
    (onnx / "onnx" / "model.onnx").write_bytes(b"others")
    assert content_of(str(onnx)) != before
    monkeypatch.setattr("xlbias.encode.loadable.find_spec", lambda _: None)
    with pytest.raises(EncoderError, match="holds its weights as ONNX only, which sentence-transformers loads through"):
        check_encoder(str(onnx))


def test_an_optimum_that_does_not_work_here_is_named(onnx: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("xlbias.encode.loadable.find_spec", lambda _: "found")  # but the library cannot import it
    with pytest.raises(EncoderError, match="ONNX only, and the optimum-onnx that is installed here does not work with"):
        load_encoder(str(onnx), device="cpu")


def test_an_encoder_exported_to_onnx_is_near_the_one_it_was_made_of(folder: Path, tmp_path: Path) -> None:
    try:
        from optimum.onnxruntime import ORTModelForFeatureExtraction  # noqa: F401
    except ImportError:
        pytest.skip("no optimum-onnx for this transformers")
    SentenceTransformer(str(folder), device="cpu", backend="onnx").save_pretrained(str(tmp_path / "exported"))
    exported = load_encoder(str(tmp_path / "exported"), device="cpu").encode(TEXTS, "query")
    assert exported == pytest.approx(load_encoder(str(folder), device="cpu").encode(TEXTS, "query"), abs=1e-4)


# -- adapters ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def adapted(folder: Path, tmp_path: Path) -> Path:
    """An adapter as sentence-transformers and peft save it, on a copy of the encoder."""
    peft = pytest.importorskip("peft", reason="adapters need the extra lora")
    shutil.copytree(folder, tmp_path / "base")
    model = SentenceTransformer(str(tmp_path / "base"), device="cpu")
    torch.manual_seed(0)
    model.add_adapter(peft.LoraConfig(r=2, target_modules=["query", "value"], init_lora_weights=False))
    model.save(str(tmp_path / "adapted"))
    assert not (tmp_path / "adapted" / "model.safetensors").exists()
    return tmp_path / "adapted"


def test_an_adapter_is_loaded_with_what_it_is_put_on(adapted: Path, folder: Path) -> None:
    loaded = load_encoder(str(adapted), device="cpu")
    by_hand = SentenceTransformer(str(adapted), device="cpu").encode(TEXTS, normalize_embeddings=True)
    assert loaded.encode(TEXTS, "query") == pytest.approx(by_hand, abs=1e-6)
    assert (
        abs(loaded.encode(TEXTS, "query") - load_encoder(str(folder), device="cpu").encode(TEXTS, "query")).max() > 0.01
    )


def test_a_change_of_the_adapter_or_of_what_it_is_put_on_is_another_encoder(adapted: Path) -> None:
    before = load_encoder(str(adapted), device="cpu")
    assert before.content == content_of(str(adapted))
    edit_weights(
        adapted / "adapter_model.safetensors", lambda tensors: [tensor.add_(0.5) for tensor in tensors.values()]
    )
    between = load_encoder(str(adapted), device="cpu")
    edit_weights(
        adapted.with_name("base") / "model.safetensors", lambda tensors: tensors["embeddings.LayerNorm.bias"].add_(0.5)
    )
    after = load_encoder(str(adapted), device="cpu")
    assert len({one.fingerprint for one in (before, between, after)}) == 3
    assert len({one.content for one in (before, between, after)}) == 3


def test_an_adapter_that_cannot_be_put_on_anything_is_refused_by_its_files(
    adapted: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.rmtree(adapted.with_name("base"))
    with pytest.raises(EncoderError, match=r"is an adapter \(LoRA\) of .*base, which is no folder here"):
        check_encoder(str(adapted))
    edit_json(adapted / "adapter_config.json", lambda config: config.pop("base_model_name_or_path"))
    with pytest.raises(EncoderError, match="must name the encoder that it adapts"):
        check_encoder(str(adapted))
    edit_json(adapted / "adapter_config.json", lambda config: config.update(base_model_name_or_path="some/encoder"))
    check_encoder(str(adapted))
    (adapted / "adapter_model.safetensors").rename(adapted / "adapter_model.bin")
    with pytest.raises(EncoderError, match="pickled weights are refused"):
        check_encoder(str(adapted))
    monkeypatch.setattr("xlbias.encode.loadable.find_spec", lambda _: None)
    with pytest.raises(EncoderError, match=r"needs the package peft: pip install 'xlbias\[lora\]'"):
        check_encoder(str(adapted))
