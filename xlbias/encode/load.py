"""From the name of an encoder on the command line to an encoder."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict, Unpack

from xlbias.choices import suggestion
from xlbias.encode.content import content_digest
from xlbias.encode.hub import fetch_description, hub_answers, is_described_here, snapshot_of
from xlbias.encode.kinds import KIND_NAMES, kind_of
from xlbias.encode.loadable import LATE, NO_VECTORS, check_loadable, check_single_vectors, scored_as
from xlbias.encode.options import DTYPES
from xlbias.encode.sizes import check_sizes
from xlbias.errors import EncoderError
from xlbias.packaged import packaged_encoders

if TYPE_CHECKING:
    from xlbias.encode.encoder import Encoder
    from xlbias.encode.kinds.vectors import VectorsById
    from xlbias.encode.pretrained import PretrainedEncoder
    from xlbias.encode.scored import ScoredEncoder


def find_encoder(name: str) -> str:
    """Return the folder of the encoder `name` if it comes with xlbias and no folder here is called so; else `name`."""
    if kind_of(name) or Path(name).expanduser().exists():
        return name
    return str(packaged_encoders().get(name, name))


class LoadOptions(TypedDict, total=False):
    """Options of `load_encoder` and `load_pretrained`.

    Attributes:
        device: a torch device (``cpu``, ``cuda``, ``cuda:1``); by default the best there is.
        trust_remote_code: whether the encoder may run code of its own.
        batch_size: texts encoded at a time; by default as many as have so many tokens as the device likes best.
        query_prompt: what stands before queries, a registered name or a text, ``""`` for nothing; by default the prompt
            that the encoder registers for queries, see `xlbias.encode.prompts`.
        passage_prompt: the same for passages.
        similarity: ``cosine``, ``dot`` or ``euclidean``; by default the encoder's own.
        truncate_dim: how many of a vector's first dimensions are used (Matryoshka); by default all.
        max_length: how many tokens of a text are read; by default as many as the encoder says.
        dtype: type of the weights, ``float32``, ``float16`` or ``bfloat16``, or ``int8``: vectors rounded to 256 steps
            a dimension, between the least and the greatest value in a task's passages; by default as they are stored.
        pooling: makes an encoder of a transformer that has no pooling: ``mean``, ``cls`` or another of
            `xlbias.encode.options.POOLINGS`.
        say: told what the libraries warn of while they load it; by default it is logged.
    """

    device: str | None
    trust_remote_code: bool
    batch_size: int | None
    query_prompt: str | None
    passage_prompt: str | None
    similarity: str | None
    truncate_dim: int | None
    max_length: int | None
    dtype: str | None
    pooling: str | None
    say: Callable[[str], None] | None


def load_encoder(name: str, **options: Unpack[LoadOptions]) -> Encoder | VectorsById | ScoredEncoder:
    """Load the encoder `name`: a sentence-transformers folder, one that comes with xlbias, one on the hub, or another
    kind, such as ``python:./mine.py:Mine``.

    Args:
        name: of the encoder; see `xlbias.encode.kinds` for those that are ``KIND:TARGET``.
        options: see `LoadOptions`.

    Raises EncoderError if there is no such encoder, if what is there is none (a cross-encoder, a language model, ...),
    if its weights are pickled or lack what its vectors depend on, if it needs remote code and `trust_remote_code` is
    off, if a prompt's name is not registered, if it asks for a distance that cannot be ranked by and `similarity`
    names no other, or if an option means nothing for its kind.
    """
    unknown = options.keys() - LoadOptions.__annotations__.keys()
    if unknown:
        raise TypeError(f"load_encoder() got an unexpected option {min(unknown)!r}")
    other = kind_of(name)
    if other:
        check_encoder(name, **options)
        kind, target = other
        loaded: Encoder | VectorsById = kind.load(target, _of_kind(options))
        return loaded
    found = find_encoder(name)
    scored = None if options.get("pooling") else representation_of(found)
    if scored:
        check_encoder(found, **options)
        from xlbias.encode.scored import ScoredEncoder

        return ScoredEncoder.load(found, scored, **options)
    folder = Path(found).expanduser()
    if folder.is_dir():
        check_encoder(found, **options)
        from xlbias.encode.looked_up import StaticEncoder, loads

        if loads(folder, dict(options)):
            return StaticEncoder.load(folder, **options)
    return load_pretrained(name, **options)


def representation_of(name: str) -> str | None:
    """Return ``sparse`` or ``late interaction`` for an encoder that has no single vector for a text; None for others.

    The files that say so are fetched of a model of the hub.
    """
    if kind_of(name):
        return None
    path = Path(find_encoder(name)).expanduser()
    if path.is_dir():
        return scored_as(path)
    if path.exists() or name.startswith((".", "/", "~")) or name.count("/") > 1:
        return None
    if not is_described_here(name) and hub_answers():
        fetch_description(name)
    folder = snapshot_of(name)
    return scored_as(folder) if folder else None


def load_pretrained(name: str, **options: Unpack[LoadOptions]) -> PretrainedEncoder:
    """Load an encoder of sentence-transformers, which can be trained; see `load_encoder`."""
    name = find_encoder(name)
    check_encoder(name, **options)
    from xlbias.encode.pretrained import PretrainedEncoder
    from xlbias.encode.trained_on import trained_on_of

    encoder = PretrainedEncoder.load(name, **options)
    encoder.trained_on = trained_on_of(name)
    silent: LoadOptions = {**options, "say": None}
    encoder.again = partial(load_pretrained, name, **silent)
    return encoder


def as_encoder(given: Any) -> Any:
    """Return a SentenceTransformer behind the encoder protocol, and anything else as it is."""
    if "sentence_transformers" not in sys.modules:  # then it is none
        return given
    from sentence_transformers import MultiVectorEncoder, SentenceTransformer, SparseEncoder

    if not isinstance(given, SentenceTransformer | SparseEncoder | MultiVectorEncoder):
        return given
    from xlbias.encode.pretrained import PretrainedEncoder
    from xlbias.encode.scored import ScoredEncoder

    name = getattr(given.model_card_data, "model_id", None) or getattr(given.model_card_data, "base_model", None)
    of = PretrainedEncoder if isinstance(given, SentenceTransformer) else ScoredEncoder
    return of(given, str(name or "encoder"))


def check_encoder(name: str, **options: Unpack[LoadOptions]) -> None:
    """Raise EncoderError where a look at the files shows that `name` is no encoder, that its weights are pickled, or
    that an option cannot be.

    Takes no time and loads no library. A model of the hub is looked at where it is on this machine.
    """
    dtype = options.get("dtype")
    if dtype not in (None, *DTYPES):
        raise EncoderError(f"dtype is {dtype!r}: expected {', '.join(DTYPES)}")
    other = kind_of(name)
    if other:
        kind, target = other
        kind.check(target)
        kind.check_options(target, _of_kind(options))
        return
    pooling = options.get("pooling")
    path = Path(find_encoder(name)).expanduser()
    if path.is_dir():
        check_loadable(path, pooling=pooling)
        _check_options(path, name, options)
    elif (prefix := name.partition(":")[0]) != name and prefix.isidentifier() and not path.exists():
        known = ", ".join(f"{kind}:" for kind in KIND_NAMES)
        raise EncoderError(
            f"{name}: unknown kind of encoder {prefix!r}{suggestion(prefix, KIND_NAMES)}; expected a folder, a hub "
            f"name, or one of {known}"
        )
    elif path.exists():
        raise EncoderError(f"{name}: is a file; expected a sentence-transformers folder or a hub name")
    elif name.startswith((".", "/", "~")) or name.count("/") > 1:
        raise EncoderError(f"{name}: there is no such folder; expected a sentence-transformers folder or a hub name")
    elif is_described_here(name) and (folder := snapshot_of(name)):
        check_loadable(folder, pooling=pooling, shown=name, weights=False)
        _check_options(folder, name, options)


def _check_options(folder: Path, name: str, options: LoadOptions) -> None:
    scored = None if options.get("pooling") else scored_as(folder)
    given = {"truncate_dim": options.get("truncate_dim") is not None, "dtype": options.get("dtype") == "int8"}
    given["similarity"] = scored == LATE and options.get("similarity") is not None
    for option, is_set in given.items() if scored else ():
        if is_set and scored:
            shown = f"--{option.replace('_', '-')} {options.get(option)}"
            raise EncoderError(f"{name}: {shown} means nothing for it: it {NO_VECTORS[scored]}")
    check_sizes(folder, name, options.get("truncate_dim"), options.get("max_length"))


def _of_kind(options: LoadOptions) -> dict[str, Any]:
    """Return the options that a kind of encoder may take or refuse: those that are about vectors."""
    return {key: value for key, value in options.items() if key not in ("trust_remote_code", "say")}


def content_of(name: str) -> str | None:
    """Return `content_digest` of the encoder `name`; None where its files are not on this machine."""
    other = kind_of(name)
    if other:
        kind, target = other
        return kind.content(target)
    path = Path(find_encoder(name)).expanduser()
    folder = path if path.is_dir() else snapshot_of(name)
    return content_digest(folder) if folder else None


def check_trainable(name: str, *, pooling: str | None = None, done: str = "trained") -> None:
    """Raise EncoderError where `name` is no encoder that could be trained, or what `done` says; see `check_encoder`."""
    other = kind_of(name)
    if other:
        others = "static, a recipe, " if done == "trained" else ""
        raise EncoderError(f"{name}: cannot be {done}; expected {others}a folder or a hub name")
    check_encoder(name, pooling=pooling)
    path = Path(find_encoder(name)).expanduser()
    folder = path if path.is_dir() else snapshot_of(name) if is_described_here(name) else None
    if folder and pooling is None:
        check_single_vectors(folder, name)
