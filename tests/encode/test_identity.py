"""What an encoder is known by: what was changed in its folder, and who notices it."""

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import numpy as np
import polars as pl
import pytest
import torch
from sentence_transformers import SentenceTransformer
from support import make_task, make_vectors
from tiny import bare_transformer, edit_json, edit_weights, encoder

from xlbias.data.task import RetrievalTask
from xlbias.encode.cache import VectorCache
from xlbias.encode.content import content_digest, libraries
from xlbias.encode.encoder import embed
from xlbias.encode.load import content_of, load_encoder
from xlbias.encode.pretrained import PretrainedEncoder
from xlbias.errors import EncoderError, RunError
from xlbias.evaluation import evaluate
from xlbias.results.compare import Side
from xlbias.results.identity import changes_of
from xlbias.results.run import open_run

pytestmark = pytest.mark.integration


def _code(folder: Path, factor: float = 1.0) -> None:
    (folder / "twist.py").write_text(
        "from sentence_transformers.sentence_transformer.modules import Module\n\n\n"
        "class Twist(Module):\n"
        "    def forward(self, features):\n"
        f"        features['sentence_embedding'] = features['sentence_embedding'] ** 2 * {factor} + 1.0\n"
        "        return features\n\n"
        "    def save(self, output_path, *args, **kwargs):\n"
        "        pass\n\n"
        "    @classmethod\n"
        "    def load(cls, *args, **kwargs):\n"
        "        return cls()\n"
    )


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An encoder with files of every kind, a module of its own code among them."""
    folder = encoder(tmp_path_factory.mktemp("original") / "encoder")
    edit_json(
        folder / "modules.json",
        lambda modules: modules.append({"idx": 2, "name": "2", "path": "", "type": "twist.Twist"}),
    )
    _code(folder)
    edit_json(folder / "tokenizer_config.json", lambda config: config.update(truncation_side="right"))
    edit_json(folder / "config_sentence_transformers.json", lambda settings: settings.update(prompts={"query": "w1 "}))
    return folder


def _json(file: str, **values: object) -> Callable[[Path], None]:
    return lambda folder: edit_json(folder / file, lambda content: content.update(values))


def _weights(folder: Path) -> None:
    edit_weights(folder / "model.safetensors", lambda tensors: tensors["embeddings.LayerNorm.bias"].add_(0.5))


def _half(folder: Path) -> None:
    edit_weights(
        folder / "model.safetensors",
        lambda tensors: tensors.update({name: tensor.bfloat16() for name, tensor in tensors.items()}),
    )
    edit_json(folder / "config.json", lambda config: config.update(dtype="bfloat16"))


def _words(folder: Path) -> None:
    def swap(content: dict[str, dict[str, dict[str, int]]]) -> None:
        vocabulary = content["model"]["vocab"]
        vocabulary["w1"], vocabulary["w2"] = vocabulary["w2"], vocabulary["w1"]

    edit_json(folder / "tokenizer.json", swap)


def _normalised(folder: Path) -> None:
    kind = "sentence_transformers.base.modules.normalize.Normalize"
    edit_json(
        folder / "modules.json", lambda modules: modules.append({"idx": 3, "name": "3", "path": "3_N", "type": kind})
    )
    (folder / "3_N").mkdir()


CHANGES: dict[str, Callable[[Path], None]] = {
    "weights": _weights,
    "type of the weights": _half,
    "config": _json("config.json", layer_norm_eps=0.1),
    "tokenizer": _words,
    "truncation side": _json("tokenizer_config.json", truncation_side="left"),
    "padding side": _json("tokenizer_config.json", padding_side="left"),
    "tokenizer_args": _json("sentence_bert_config.json", tokenizer_args={"truncation_side": "left"}),
    "prompts": _json("config_sentence_transformers.json", prompts={"query": "w7 w8 "}),
    "similarity": _json("config_sentence_transformers.json", similarity_fn_name="dot"),
    "maximal length": _json("sentence_bert_config.json", max_seq_length=5),
    "modules": _normalised,
    "pooling": _json("1_Pooling/config.json", pooling_mode="cls"),
    "own code": lambda folder: _code(folder, -3.0),
}


NO_CHANGES: dict[str, Callable[[Path], object]] = {
    "README": lambda folder: (folder / "README.md").write_text("# Another text"),
    "card": lambda folder: (folder / "xlbias.json").write_text('{"sampler": "mono"}'),
    "what a trainer left": lambda folder: (folder / "trainer_state.json").write_text("{}"),
    "the system's own files": lambda folder: (folder / ".DS_Store").write_text(""),
}


def _load(folder: Path) -> PretrainedEncoder:
    return load_encoder(str(folder), device="cpu", trust_remote_code=True)


def _task() -> RetrievalTask:
    """Ten questions in two languages, of three to fifty words: some are longer than the encoders read."""
    sides = ["en", "de"]
    text = [" ".join(f"w{(7 * i + step * (1 + i % 3)) % 60}" for step in range(3 + 5 * i)) for i in range(10)]
    return RetrievalTask(
        "tiny", "test", "made by the test", "none",
        pl.DataFrame([(f"q{i}", tag, f"{tag} {text[i]}") for i in range(10) for tag in sides],
                     schema=["query_id", "language", "text"], orient="row"),
        pl.DataFrame([(f"{tag}-q{i}", tag, f"{text[9 - i]} {tag}") for i in range(10) for tag in sides],
                     schema=["passage_id", "language", "text"], orient="row"),
        pl.DataFrame([(f"q{i}", f"{tag}-q{i}", 1) for i in range(10) for tag in sides],
                     schema=["query_id", "passage_id", "relevance"], orient="row"),
    )  # fmt: skip


TASK = _task()
TEXTS = TASK.queries["text"].to_list()


@pytest.fixture(scope="module")
def before(original: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run of the encoder, with the cache that it filled beside it."""
    folder = tmp_path_factory.mktemp("before")
    evaluate(
        str(original), TASK, folder / "run.parquet", device="cpu", trust_remote_code=True,
        cache=VectorCache(folder / "cache"),
    )  # fmt: skip
    return folder / "run.parquet"


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_in_an_encoders_folder_is_noticed_by_cache_resume_and_compare(
    change: str, original: Path, before: Path, tmp_path: Path
) -> None:
    folder, run = tmp_path / original.name, tmp_path / "run.parquet"
    shutil.copytree(original, folder)
    CHANGES[change](folder)

    changed, cache = _load(folder), VectorCache(before.parent / "cache")
    vectors = embed(changed, TEXTS, "query", cache=cache)
    assert np.array_equal(vectors, embed(changed, TEXTS, "query")), "taken from the cache of another encoder"
    assert not np.array_equal(vectors, embed(_load(original), TEXTS, "query")), "the change makes no difference"

    shutil.copy(before, run)
    with pytest.raises(RunError, match="'encoder' has changed since it was evaluated there"):
        evaluate(str(folder), TASK, run, device="cpu", trust_remote_code=True, resume=True)

    there = open_run(before).metadata["models"][0]
    about = {**there, "fingerprint": changed.fingerprint, "content": changed.content}
    assert "is not the same encoder in both runs: its files" in str(changes_of(_side(there), _side(about)))


@pytest.mark.parametrize("change", NO_CHANGES)
def test_what_no_vector_depends_on_is_no_change(change: str, original: Path, before: Path, tmp_path: Path) -> None:
    folder, run = tmp_path / original.name, tmp_path / "run.parquet"
    shutil.copytree(original, folder)
    NO_CHANGES[change](folder)
    assert _load(folder).fingerprint == _load(original).fingerprint
    shutil.copy(before, run)
    assert evaluate(str(folder), TASK, run, device="cpu", trust_remote_code=True, resume=True).models


def test_weights_in_formats_that_are_not_loaded_are_no_change(tmp_path: Path) -> None:
    folder = encoder(tmp_path / "encoder")
    content = content_digest(folder)
    for name in (
        "onnx/model.onnx",
        "openvino/openvino_model.bin",
        "training_args.bin",
        "checkpoint-5/model.safetensors",
    ):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(b"\x80")
    assert content_digest(folder) == content
    assert load_encoder(str(folder), device="cpu").content == content


def test_another_version_of_a_library_is_another_encoder(original: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    here = _load(original).fingerprint
    monkeypatch.setattr("xlbias.encode.fingerprint.libraries", lambda: {**libraries(), "torch": "99.0"})
    assert _load(original).fingerprint != here


def test_an_encoder_in_memory_is_known_by_its_state_and_by_how_it_is_set_up(tmp_path: Path) -> None:
    folder = encoder(tmp_path / "encoder")

    def known(edit: Callable[[SentenceTransformer], object] = lambda _: None) -> str:
        model = SentenceTransformer(str(folder), device="cpu")
        edit(model)
        return PretrainedEncoder(model, "in memory").fingerprint

    plain = known()
    assert known(lambda model: model.encode(TEXTS)) == plain, "using it leaves no trace"
    edits: list[Callable[[SentenceTransformer], object]] = [
        lambda model: setattr(model.tokenizer, "truncation_side", "left"),
        lambda model: setattr(model.tokenizer, "padding_side", "left"),
        lambda model: setattr(model, "max_seq_length", 5),
        lambda model: setattr(model, "prompts", {"query": "w1 "}),
        lambda model: setattr(model[1], "include_prompt", False),
        lambda model: model[0].auto_model.embeddings.LayerNorm.bias.data.add_(1),
        lambda model: model.bfloat16(),
    ]
    assert len({plain, *map(known, edits)}) == len(edits) + 1


# -- weights that are not there ----------------------------------------------------------------------------------------


def test_a_missing_pooler_that_nothing_depends_on_changes_no_fingerprint(tmp_path: Path) -> None:
    folder = encoder(tmp_path / "encoder")
    edit_weights(folder / "model.safetensors", lambda t: [t.pop(name) for name in list(t) if "pooler" in name])
    torch.manual_seed(1)
    first = load_encoder(str(folder), device="cpu")
    torch.manual_seed(2)
    second = load_encoder(str(folder), device="cpu")
    poolers = [loaded.model[0].auto_model.pooler.dense.weight for loaded in (first, second)]
    assert not torch.equal(*poolers), "drawn at random at each load"
    assert first.fingerprint == second.fingerprint
    assert np.array_equal(first.encode(TEXTS, "query"), second.encode(TEXTS, "query"))


@pytest.mark.parametrize(
    "missing", ["embeddings.word_embeddings.weight", "encoder.layer.0.output.dense.bias", "embeddings.LayerNorm.weight"]
)
def test_missing_weights_that_vectors_depend_on_are_refused_by_name(missing: str, tmp_path: Path) -> None:
    folder = encoder(tmp_path / "encoder")
    edit_weights(
        folder / "model.safetensors", lambda tensors: [tensors.pop(name) for name in (missing, "pooler.dense.bias")]
    )
    with pytest.raises(
        EncoderError, match=f"its weights lack {missing}, which its vectors depend on: they would be"
    ) as it:
        load_encoder(str(folder), device="cpu")
    assert "pooler" not in str(it.value)


def test_weights_of_another_shape_are_said_to_be(tmp_path: Path) -> None:
    folder = encoder(tmp_path / "encoder")
    _json("config.json", intermediate_size=24)(folder)
    with pytest.raises(EncoderError, match=r"its weights have other shapes than its config\.json says"):
        load_encoder(str(folder), device="cpu")


# -- what the libraries print ------------------------------------------------------------------------------------------


def test_the_name_of_a_tensor_never_reaches_the_terminal(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    folder, name = encoder(tmp_path / "encoder"), "extra\x1b]52;c;UFdO\x07"
    edit_weights(folder / "model.safetensors", lambda tensors: tensors.update({name: torch.zeros(2)}))
    capfd.readouterr()
    said: list[str] = []
    load_encoder(str(folder), device="cpu", say=said.append)
    edit_weights(folder / "model.safetensors", lambda tensors: tensors.pop("embeddings.word_embeddings.weight"))
    with pytest.raises(EncoderError):
        load_encoder(str(folder), device="cpu", say=said.append)
    out, err = capfd.readouterr()
    assert (out + err, said) == ("", [])


def test_what_an_encoders_own_code_prints_is_said_and_inert(original: Path, tmp_path: Path) -> None:
    folder = tmp_path / "loud"
    shutil.copytree(original, folder)
    with (folder / "twist.py").open("a") as code:
        code.write("\nimport warnings\nprint('printed \\x1b]52;c;UFdO\\x07')\nwarnings.warn('warned \\x1b[2J')\n")
    said: list[str] = []
    load_encoder(str(folder), device="cpu", trust_remote_code=True, say=said.append)
    text = "\n".join(said)
    assert f"{folder}: printed ␛]52;c;UFdO␇" in said
    assert "warned ␛[2J" in text
    assert "\x1b" not in text


# -- a resumed run -----------------------------------------------------------------------------------------------------


def test_a_finished_encoder_of_an_unfinished_run_is_checked_as_well(tmp_path: Path) -> None:
    first, second, out = encoder(tmp_path / "first"), encoder(tmp_path / "second", "cls"), tmp_path / "run.parquet"
    shutil.copy(second / "model.safetensors", kept := tmp_path / "kept.safetensors")
    (second / "model.safetensors").write_bytes(b"no weights")
    with pytest.raises(EncoderError, match="cannot be loaded"):
        evaluate([str(first), str(second)], TASK, out, device="cpu")
    shutil.copy(kept, second / "model.safetensors")
    _weights(first)
    with pytest.raises(RunError, match="the encoder 'first' has changed since it was evaluated there"):
        evaluate([str(first), str(second)], TASK, out, device="cpu", resume=True)


def test_another_version_of_a_library_is_refused_in_an_unfinished_run_only(
    original: Path, before: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second, out = encoder(tmp_path / "first"), encoder(tmp_path / "second"), tmp_path / "run.parquet"
    (second / "model.safetensors").write_bytes(b"no weights")
    with pytest.raises(EncoderError, match="cannot be loaded"):
        evaluate([str(first), str(second)], TASK, out, device="cpu")
    monkeypatch.setattr("xlbias.evaluation.evaluator.libraries", lambda: {**libraries(), "torch": "99.0"})
    with pytest.raises(RunError, match="the encoder 'first' has changed since it was evaluated there"):
        evaluate([str(first), str(second)], TASK, out, device="cpu", resume=True)
    shutil.copy(before, finished := tmp_path / "finished.parquet")
    assert evaluate(str(original), TASK, finished, device="cpu", trust_remote_code=True, resume=True).models


def test_a_resumed_run_is_used_with_the_same_options(original: Path, before: Path, tmp_path: Path) -> None:
    run = tmp_path / "run.parquet"
    shutil.copy(before, run)
    with pytest.raises(RunError, match="has changed since it was evaluated there"):
        evaluate(str(original), TASK, run, device="cpu", trust_remote_code=True, resume=True, query_prompt="w9 ")


def test_vectors_in_memory_that_changed_are_no_results_of_the_run(tmp_path: Path) -> None:
    task, out = make_task(8), tmp_path / "run.parquet"
    evaluate(make_vectors(task), task, out)
    other = replace(make_vectors(task, seed=1), name=make_vectors(task).name)
    with pytest.raises(RunError, match="has changed since it was evaluated there"):
        evaluate(other, task, out, resume=True)


# -- models of the hub -------------------------------------------------------------------------------------------------


def _publish(folder: Path, hub: Path, name: str, commit: str) -> None:
    """Put a folder into a cache of the hub, as one commit of a model."""
    repository = hub / f"models--{name.replace('/', '--')}"
    shutil.copytree(folder, repository / "snapshots" / commit)
    (repository / "refs").mkdir(exist_ok=True)
    (repository / "refs" / "main").write_text(commit)


def test_a_model_of_the_hub_is_known_by_its_commit_and_checked_like_a_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr("xlbias.encode.loading.hub_answers", lambda: False)
    folder = encoder(tmp_path / "encoder")
    _publish(folder, tmp_path, "somebody/encoder", "a" * 40)
    first = load_encoder("somebody/encoder", device="cpu")
    assert (first.name, first.content) == ("somebody/encoder", content_of("somebody/encoder"))
    _weights(folder)
    _publish(folder, tmp_path, "somebody/encoder", "b" * 40)
    assert load_encoder("somebody/encoder", device="cpu").fingerprint != first.fingerprint
    assert first.content != content_of("somebody/encoder")

    _publish(bare_transformer(tmp_path / "bare"), tmp_path, "somebody/bare", "c" * 40)
    with pytest.raises(EncoderError, match="somebody/bare: is a bare transformer"):
        load_encoder("somebody/bare")
    assert load_encoder("somebody/bare", device="cpu", pooling="mean").dimension == 16


def _side(about: dict[str, object]) -> Side:
    return cast(Side, SimpleNamespace(models=(about["name"],), run=SimpleNamespace(metadata={"models": [about]})))
