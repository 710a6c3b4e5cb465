"""A model from a folder or the hub, loaded without a word of the libraries, and known by what it was loaded from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import transformers
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.modules import Pooling, Transformer

from xlbias.choices import suggestion
from xlbias.encode.content import content_digest
from xlbias.encode.hub import fetch_description, hub_answers, snapshot_of
from xlbias.encode.layout import is_onnx
from xlbias.encode.loadable import check_loadable
from xlbias.encode.quiet import captured
from xlbias.encode.weights import check_missing, recorded_loading
from xlbias.errors import EncoderError, reason_of
from xlbias.packaged import packaged_encoders
from xlbias.text import clean


@dataclass(frozen=True)
class LoadedModel:
    """A model, the folder its files are in (None where that is not known), and their digest."""

    model: Any
    folder: Path | None
    content: str | None


def load_model(
    name: str,
    *,
    device: str | None,
    trust_remote_code: bool,
    pooling: str | None,
    dtype: str | None = None,
    say: Callable[[str], None],
    of: Any = SentenceTransformer,
) -> LoadedModel:
    """Load a folder or a model of the hub; see `xlbias.load_encoder`.

    `say` is told what the libraries warn of; `of` is the class of sentence-transformers that it is loaded as.
    """
    path = Path(name).expanduser()
    local = path.is_dir()
    if device is not None:
        _check_device(device)
    online = not local and hub_answers()
    if online:
        fetch_description(name)
    folder = path if local else snapshot_of(name)
    if folder:
        check_loadable(folder, pooling=pooling, shown=str(path) if local else name, weights=local)
    transformers.utils.logging.disable_progress_bar()
    try:
        with captured() as lines, recorded_loading() as loaded:
            model = _load(str(path) if local else name, device, trust_remote_code, pooling, of, offline=not online)
            if dtype is not None and folder and is_onnx(folder):
                raise EncoderError(f"{name}: --dtype {dtype} means nothing for weights that are ONNX")
            if dtype is not None:
                model.to(getattr(torch, dtype))
            check_missing(model, loaded, name)
    except EncoderError:
        raise
    except BaseException as error:  # the libraries raise many kinds; each means that there is no usable encoder
        if not isinstance(error, Exception) and type(error).__name__ != "PanicException":  # Rust's, a BaseException
            raise
        if "Optimum" in str(error) and folder and is_onnx(folder):
            raise EncoderError(
                f"{name}: holds its weights as ONNX only, and the optimum-onnx that is installed here does not work "
                f"with transformers {transformers.__version__}: save it as .safetensors, or bring it as python: or "
                "openai:"
            ) from error
        where = "cannot be loaded" if local else "is neither a folder here nor a model that could be loaded"
        close = "" if local else suggestion(name, packaged_encoders())
        raise EncoderError(f"encoder {name!r}{close} {where}: {_reason(error)}") from error
    for line in lines:
        say(f"{clean(name)}: {line}")
    if not local and (folder := snapshot_of(name)):  # which may be of a newer commit
        check_loadable(folder, pooling=pooling, shown=name)
    return LoadedModel(model, folder, content_digest(folder) if folder else None)


def _load(
    source: str, device: str | None, trust_remote_code: bool, pooling: str | None, of: Any, *, offline: bool
) -> Any:
    weights: dict[str, Any] = {"use_safetensors": True}
    if offline and not Path(source).is_dir():  # where peft is there, the hub would be asked for an adapter, and again
        weights["adapter_kwargs"] = {"local_files_only": True}
    if pooling is None and Path(source).is_dir() and is_onnx(Path(source)):
        return of(source, device=device, trust_remote_code=trust_remote_code, local_files_only=True, backend="onnx")
    if pooling is None:
        return of(
            source,
            device=device,
            trust_remote_code=trust_remote_code,
            local_files_only=offline,
            model_kwargs=weights,
        )
    where = {"trust_remote_code": trust_remote_code, "local_files_only": offline}
    transformer = Transformer(
        source, model_kwargs={**where, **weights}, processor_kwargs=dict(where), config_kwargs=dict(where)
    )
    dimension = transformer.get_embedding_dimension()
    return SentenceTransformer(modules=[transformer, Pooling(dimension, pooling)], device=device)


def _reason(error: BaseException) -> str:
    reason = reason_of(error)
    if "ignore_mismatched_sizes" in reason:
        return "its weights have other shapes than its config.json says"
    return clean(reason)


def _check_device(device: str) -> None:
    try:
        parsed = torch.device(device)
    except RuntimeError as error:  # which lists devices that hardly anyone has
        raise EncoderError(f"device {device!r}: expected cpu, cuda, cuda:1, mps or another of PyTorch's") from error
    try:
        torch.empty(1, device=parsed)
    except (RuntimeError, AssertionError) as error:
        raise EncoderError(f"device {device!r} cannot be used here: {reason_of(error)}") from error
