"""Whether a folder holds an encoder, as far as its files say: before any weights, and any library, are loaded.

A cross-encoder or a masked language model can be loaded as if it were an encoder: the library puts a
mean over its tokens, and draws at random what its weights lack. Nobody uses it so, and its numbers mislead.
"""

from __future__ import annotations

from collections.abc import Iterable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from xlbias.encode.layout import (
    ADAPTER_FILE,
    CONFIG_FILE,
    MODULES_FILE,
    SETTINGS_FILE,
    Module,
    adapter_base,
    is_onnx,
    module_folders,
    read_modules,
    read_object,
)
from xlbias.encode.options import POOLINGS
from xlbias.errors import EncoderError

_PICKLED = ("*.bin", "*.pt", "*.pth", "*.pkl", "*.ckpt")
_WEIGHTS = "*.safetensors"

_NO_ENCODERS = {"CrossEncoder": "is a cross-encoder, which scores a pair of texts and has no vector for one"}
"""By the ``model_type`` that sentence-transformers writes."""

SPARSE, LATE = "sparse", "late interaction"
_SCORED = {"SparseEncoder": SPARSE, "MultiVectorEncoder": LATE}
NO_VECTORS = {
    SPARSE: "is a sparse encoder (SPLADE), with a weight for each word in place of a dense vector",
    LATE: "is a late-interaction encoder (ColBERT), with a vector for each token of a text",
}
"""What an encoder is that has no single vector for a text, as the end of a sentence."""

_SPARSE = {"MLMTransformer", "SpladePooling", "SparseAutoEncoder", "CSRSparsity", "SparseStaticEmbedding", "IDF"}

_HEADS = {
    "ForSequenceClassification": "looks like a cross-encoder or another classifier",
    "ForMaskedLM": "looks like a masked language model (or SPLADE)",
    "ForCausalLM": "looks like a language model",
    "ForConditionalGeneration": "looks like a model that writes text",
    "ForTokenClassification": "looks like a tagger of tokens",
    "ForQuestionAnswering": "looks like a reader that marks answers",
}
"""By the end of the architecture's name in ``config.json``."""

_TOKEN_LEVEL = {
    "Transformer", "WordEmbeddings", "LSTM", "CNN", "WordWeights", "WeightedLayerPooling", "Dropout", "LayerNorm",
    "Normalize", "Dense",
}  # fmt: skip
"""Modules of sentence-transformers that leave a vector for each token where they found one."""


def check_loadable(folder: Path, *, pooling: str | None = None, shown: str | None = None, weights: bool = True) -> None:
    """Raise EncoderError where the files in `folder` show that it is no encoder, saying what it is and what to do.

    Args:
        folder: what is to be loaded.
        pooling: one of POOLINGS, to make an encoder of a transformer that has no pooling; see `xlbias.load_encoder`.
        shown: what messages call the encoder, by default the folder.
        weights: whether `folder` holds the weights too, so that they can be checked; without them its configuration is.
    """
    shown = shown or str(folder)
    if pooling is not None and pooling not in POOLINGS:
        raise EncoderError(f"pooling is {pooling!r}: expected {', '.join(POOLINGS)}")
    modules = read_modules(folder)
    if modules is None and not any((folder / file).exists() for file in (CONFIG_FILE, ADAPTER_FILE)):
        raise EncoderError(f"{shown}: is not an encoder: it has neither {MODULES_FILE} nor {CONFIG_FILE}")
    found = _no_encoder(folder, modules)
    if pooling is None and found:
        raise EncoderError(f"{shown}: {found}. Name an encoder, or make one of it on purpose with --pooling mean")
    if pooling is not None and not found and not scored_as(folder):
        raise EncoderError(
            f"{shown}: has a pooling of its own, in {MODULES_FILE}; --pooling is for a transformer without one"
        )
    _check_adapter(folder, shown)
    if weights:
        _check_weights(folder, [folder] if pooling is not None else module_folders(folder), shown)


def scored_as(folder: Path) -> str | None:
    """Return SPARSE or LATE where the folder holds an encoder that scores without a single vector for a text."""
    return _SCORED.get(str(read_object(folder / SETTINGS_FILE).get("model_type")))


def check_single_vectors(folder: Path, shown: str) -> None:
    """Raise EncoderError where an encoder has no single vector for a text, saying what it has."""
    scored = scored_as(folder)
    if scored:
        raise EncoderError(f"{shown}: {NO_VECTORS[scored]}: it can be evaluated, and not trained here")


def _no_encoder(folder: Path, modules: list[Module] | None) -> str | None:
    """Return what the folder looks like, as the end of a sentence; None for an encoder."""
    if scored_as(folder):
        return None
    settings = read_object(folder / SETTINGS_FILE)
    kind = settings.get("model_type", "SentenceTransformer")
    if kind != "SentenceTransformer":
        return _NO_ENCODERS.get(str(kind), f"is a {kind}, not a SentenceTransformer") + f" ({SETTINGS_FILE})"
    if modules is None:
        no_pooling = f"there is no {MODULES_FILE} to say how the vectors of its tokens become one"
        adapter = not (folder / CONFIG_FILE).exists()
        return f"{'is an adapter (LoRA)' if adapter else _head(read_object(folder / CONFIG_FILE))}: {no_pooling}"
    if any(module.class_name in _SPARSE for module in modules):
        return f"{NO_VECTORS[SPARSE]} ({MODULES_FILE}), and {SETTINGS_FILE} does not say so as 'model_type'"
    if _ends_in_tokens(folder, modules):
        return f"is a transformer without pooling: no module in {MODULES_FILE} makes one vector of those of its tokens"
    return None


def _head(config: dict[str, Any]) -> str:
    names = config.get("architectures")
    name = names[0] if isinstance(names, list) and names and isinstance(names[0], str) else None
    for end, looks in _HEADS.items():
        if name and name.endswith(end):
            return f"{looks} ({name} in {CONFIG_FILE})"
    return f"is a bare transformer ({name or config.get('model_type') or 'of no architecture'} in {CONFIG_FILE})"


def _ends_in_tokens(folder: Path, modules: Iterable[Module]) -> bool:
    for module in modules:
        if not module.type.startswith("sentence_transformers.") or module.class_name not in _TOKEN_LEVEL:
            return False
        for file in (folder / module.path).glob("sentence_*_config.json"):
            if read_object(file).get("module_output_name") == "sentence_embedding":
                return False
    return True


def _check_adapter(folder: Path, shown: str) -> None:
    """Raise EncoderError where the folder holds an adapter (LoRA) that cannot be put on what it is for."""
    base = adapter_base(folder)
    if base is None:
        return
    if find_spec("peft") is None:
        raise EncoderError(f"{shown}: is an adapter (LoRA), which needs the package peft: pip install 'xlbias[lora]'")
    below = Path(base)
    if below.is_dir():
        _check_weights(below, [below], base)
    elif below.is_absolute() or base.startswith(".") or base.count("/") > 1:
        raise EncoderError(
            f"{shown}: is an adapter (LoRA) of {base}, which is no folder here; change 'base_model_name_or_path' in "
            f"its {ADAPTER_FILE}, or put the base there"
        )


def _check_weights(folder: Path, of_modules: list[Path], shown: str) -> None:
    """Raise EncoderError unless the weights that are loaded are safetensors; what lies beside them is not looked at.

    ONNX is loaded where there is nothing else, as sentence-transformers does it.
    """
    if is_onnx(folder):
        if not (find_spec("optimum") and find_spec("optimum.onnxruntime")):
            raise EncoderError(
                f"{shown}: holds its weights as ONNX only, which sentence-transformers loads through optimum-onnx, and "
                "that is not installed here: save it as .safetensors, or bring it as python: or openai:"
            )
        return
    for of_module in of_modules:
        if any(of_module.glob(_WEIGHTS)):
            continue
        for pattern in _PICKLED:
            for pickled in sorted(of_module.glob(pattern)):
                raise EncoderError(
                    f"{pickled}: pickled weights are refused, as they can run code; expected .safetensors"
                )
    if not any(file for of_module in (folder, *of_modules) for file in of_module.glob(_WEIGHTS)):
        raise EncoderError(f"{shown}: holds no weights; expected a .safetensors file")
