"""``python:MODULE:NAME``: a callable, a class or an object of the user's own, imported because the user named it.

MODULE is a module that Python finds, or a file (``python:./mine.py:Mine``). NAME may be

* an encoder: ``encode(texts, kind)`` with the attributes of `xlbias.Encoder`, those that are missing are made up;
* a SentenceTransformer, or whatever has ``encode_query`` and ``encode_document``;
* anything with ``encode(texts)``, or a function of texts;
* a class of one of these, which is called without arguments.
"""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import inspect
import sys
import uuid
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from xlbias.encode.encoder import Encoder, Kind, as_vectors
from xlbias.encode.kinds.base import EncoderKind
from xlbias.encode.options import Similarity
from xlbias.encode.prompts import find_prompts
from xlbias.encode.shortened import Shortened
from xlbias.encode.similarity import Vectors, chosen_similarity
from xlbias.errors import EncoderError, UsageError, reason_of

_PROBE = "xlbias"


class CallableEncoder:
    """An object of the user's behind the encoder protocol.

    The fingerprint is the object's own; one without any gets a new one each time, so that nothing of another version is
    ever taken from the cache, and a run cannot be resumed.
    """

    def __init__(self, given: Any, name: str, options: Mapping[str, Any]) -> None:
        self.name = str(getattr(given, "name", None) or name)
        self.card: dict[str, Any] = dict(getattr(given, "card", None) or {})
        self.prompts = find_prompts(
            {}, query=options.get("query_prompt"), passage=options.get("passage_prompt"), encoder=self.name
        )
        self._encode = _calling(given, self.name)
        own_similarity = getattr(given, "similarity", None)
        own_similarity = own_similarity if isinstance(own_similarity, str) else "cosine"  # a method, of some
        self.similarity: Similarity = chosen_similarity(own_similarity, options.get("similarity"), self.name)
        own = getattr(given, "fingerprint", None)
        self._shortened = Shortened(options.get("truncate_dim"))
        facts = f"{self.similarity}|{self.prompts.text('query')}|{self.prompts.text('passage')}{self._shortened}"
        self.content = hashlib.sha256(str(own).encode()).hexdigest() if own else None
        self.fingerprint = hashlib.sha256(f"{own or uuid.uuid4()}|{facts}".encode()).hexdigest()
        own_dimension = int(getattr(given, "dimension", 0) or 0) or self._probed()
        self.dimension = self._shortened.dimension(own_dimension, self.name)

    def encode(self, texts: Sequence[str], kind: Kind) -> Vectors:
        """Return float32 [n, dimension]; see `Encoder.encode`."""
        return self._shortened.of(self._whole(texts, kind))

    def _whole(self, texts: Sequence[str], kind: Kind) -> Vectors:
        prompt = self.prompts.text(kind)
        return as_vectors(self._encode([prompt + text for text in texts] if prompt else list(texts), kind), self.name)

    def _probed(self) -> int:
        vectors = self._whole([_PROBE], "passage")
        if vectors.ndim != 2 or vectors.shape[0] != 1 or not vectors.shape[1]:
            raise EncoderError(f"{self.name}: gave an array of shape {vectors.shape} for one text; expected (1, d)")
        return int(vectors.shape[1])


def _calling(given: Any, name: str) -> Callable[[list[str], Kind], Any]:
    """Return a function of texts and kind for whatever was given. Raises EncoderError where it is none."""
    query, document = getattr(given, "encode_query", None), getattr(given, "encode_document", None)
    if callable(query) and callable(document):
        return lambda texts, kind: (query if kind == "query" else document)(texts)
    encode = getattr(given, "encode", None) or given
    if not callable(encode):
        raise EncoderError(
            f"{name}: is of type {type(given).__name__}; expected a function of texts, or one with encode"
        )
    try:
        parameters = list(inspect.signature(encode).parameters)
    except ValueError:  # written in C
        parameters = []
    if "kind" in parameters:
        return lambda texts, kind: encode(texts, kind=kind)
    if "prompt_type" in parameters:  # mteb's encoders
        return lambda texts, kind: encode(texts, prompt_type="document" if kind == "passage" else kind)
    return lambda texts, _kind: encode(texts)


def _check(target: str) -> None:
    module, name = _parts(target)
    if module.endswith(".py") or "/" in module:
        path = Path(module).expanduser()
        if not path.is_file():
            raise EncoderError(f"python:{target}: there is no such file")
    elif not all(part.isidentifier() for part in module.split(".")):
        raise EncoderError(
            f"python:{target}: {module!r} is not a module; expected python:MODULE:NAME or python:FILE.py:NAME"
        )
    if not all(part.isidentifier() for part in name.split(".")):
        raise EncoderError(f"python:{target}: {name!r} is not a name")


def _load(target: str, options: Mapping[str, Any]) -> Encoder:
    _check(target)
    module_name, name = _parts(target)
    given: Any = _module(module_name, target)
    for part in name.split("."):
        if not hasattr(given, part):
            raise EncoderError(f"python:{target}: {module_name} has no {part!r}")
        given = getattr(given, part)
    try:
        if inspect.isclass(given):
            given = given()
        return CallableEncoder(given, name, options)
    except (EncoderError, UsageError):
        raise
    except (Exception, SystemExit) as error:
        raise EncoderError(f"python:{target}: failed ({type(error).__name__}): {reason_of(error)}") from error


def _module(name: str, target: str) -> Any:
    try:
        if not (name.endswith(".py") or "/" in name):
            return importlib.import_module(name)
        path = Path(name).expanduser().resolve()
        own = f"xlbias_user_{hashlib.sha256(str(path).encode()).hexdigest()[:12]}"
        spec = importlib.util.spec_from_file_location(own, path)
        if spec is None or spec.loader is None:
            raise EncoderError(f"python:{target}: {name} is not a Python file")
        module = importlib.util.module_from_spec(spec)
        sys.modules[own] = module
        spec.loader.exec_module(module)
        return module
    except EncoderError:
        raise
    except ModuleNotFoundError as error:
        hint = f"; for a file here, write python:./{name}.py:..." if Path(f"{name}.py").exists() else ""
        raise EncoderError(f"python:{target}: no module {error.name!r}{hint}") from error
    except (Exception, SystemExit) as error:
        reason = str(error).splitlines()[0] if str(error) else ""
        raise EncoderError(f"python:{target}: cannot be imported ({type(error).__name__}): {reason}") from error


def _parts(target: str) -> tuple[str, str]:
    module, colon, name = target.rpartition(":")
    if not colon or not module or not name:
        raise EncoderError(f"python:{target}: expected python:MODULE:NAME or python:FILE.py:NAME")
    return module, name


KIND = EncoderKind(
    name="python",
    summary="a function, class or object of your own: encode(texts), encode(texts, kind), or encode_query and "
    "encode_document",
    example="python:./mine.py:Mine",
    encodes=True,
    takes=frozenset({"query_prompt", "passage_prompt", "similarity", "truncate_dim"}),
    means="an encoder of your own",
    check=_check,
    load=_load,
    content=lambda _target: None,
    label=lambda target: target.rpartition(":")[2],
)
