"""Static encoders from their files alone: tokenizers, safetensors and numpy, without the libraries that trained them.

A text's vector is the mean of its tokens' vectors. `sentence_transformers` gives the same, after seconds of imports.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any, get_args

import numpy as np
from safetensors import safe_open
from tokenizers import Tokenizer

from xlbias.encode.card import read_card
from xlbias.encode.content import content_digest
from xlbias.encode.layout import SETTINGS_FILE, read_modules, read_object
from xlbias.encode.options import Similarity
from xlbias.encode.prompts import Prompts, Side, find_prompts
from xlbias.encode.shortened import Shortened
from xlbias.encode.similarity import Vectors, chosen_similarity, unit
from xlbias.encode.tokens import Remembered, TokenCounts, counted, of_static, unknown_in
from xlbias.encode.trained_on import TrainedOn, trained_on_of
from xlbias.errors import EncoderError, reason_of

TOKENIZER_FILE, WEIGHTS_FILE = "tokenizer.json", "model.safetensors"
_STATIC = "sentence_transformers."
_WEIGHTS = ("embedding.weight", "embeddings")  # of sentence-transformers, and of model2vec
_TEXTS = 1_024  # tokenised at a time
_TOKENS = 1 << 15  # whose vectors are summed at a time

_MADE = "mean of tokens in float32"
"""How vectors are made; another text for another way, so that no vector of the old is found in a cache."""

_TAKES = {"truncate_dim", "query_prompt", "passage_prompt", "similarity", "batch_size", "trust_remote_code", "say"}
"""Options that can be set; of `device` and `dtype` see `loads`."""


class StaticEncoder:
    """A static encoder behind the encoder protocol; see `xlbias.encode.pretrained.PretrainedEncoder` for attributes.

    Args:
        tokenizer: splits texts.
        weights: float32 [n_tokens, d].
        name: how reports call it.
        similarity: how its vectors are compared.
        prompts: what stands before texts.
        fingerprint: see `xlbias.encode.encoder.Encoder`.
        normalised: whether its vectors have length 1 whatever they are compared by.
        shortened: how many dimensions are used.
    """

    device = "cpu"
    dtype = "float32"
    batching = None

    def __init__(
        self,
        tokenizer: Tokenizer,
        weights: Vectors,
        name: str,
        *,
        similarity: Similarity,
        prompts: Prompts,
        fingerprint: str,
        normalised: bool = False,
        shortened: Shortened = Shortened(),  # noqa: B008  # frozen
    ) -> None:
        tokenizer.no_padding()
        self.tokenizer, self._shortened = tokenizer, shortened
        self.name, self.similarity, self.prompts, self.fingerprint = name, similarity, prompts, fingerprint
        whole = int(weights.shape[1])
        self.dimension = shortened.dimension(whole, name)
        self.own_dimension = None if shortened.dimensions is None else whole
        self._weights = shortened.of(weights)
        self._unit = similarity == "cosine" or normalised
        self._unknown, limit = of_static(tokenizer)
        self.max_length = dict.fromkeys(get_args(Side), limit)
        self._remembered = {prompts.text(side): Remembered() for side in get_args(Side)}
        self.own_similarity: str = similarity
        self.content: str | None = None
        self.card: dict[str, Any] = {}
        self.trained_on: TrainedOn | None = None
        self.precision: str | None = None
        self.unrounded = fingerprint

    @classmethod
    def load(
        cls,
        folder: Path,
        *,
        query_prompt: str | None = None,
        passage_prompt: str | None = None,
        similarity: str | None = None,
        truncate_dim: int | None = None,
        dtype: str | None = None,
        **_of_others: Any,
    ) -> StaticEncoder:
        """Load the encoder in a folder that `loads` says can be. Raises EncoderError where it is damaged."""
        card, settings = read_card(folder), read_object(folder / SETTINGS_FILE)
        name = str(card.get("name") or folder.resolve().name)
        prompts = find_prompts(
            settings.get("prompts"),
            settings.get("default_prompt_name"),
            query=query_prompt,
            passage=passage_prompt,
            encoder=name,
        )
        own = settings.get("similarity_fn_name") or "cosine"
        chosen = chosen_similarity(own, similarity, name)
        tokenizer, weights = _read(folder)
        content, shortened = content_digest(folder), Shortened(truncate_dim)
        normalised = any(module.class_name == "Normalize" for module in read_modules(folder) or [])
        precision = "int8" if dtype == "int8" else None
        facts = {
            "made": _MADE,
            "libraries": {library: version(library) for library in ("numpy", "tokenizers")},
            "content": content,
            "similarity": chosen,
            "prompts": [prompts.query.text, prompts.passage.text],
            "dimensions": str(shortened),
        }
        found = cls(
            tokenizer,
            weights,
            name,
            similarity=chosen,
            prompts=prompts,
            fingerprint=_digest({**facts, "precision": precision}),
            normalised=normalised,
            shortened=shortened,
        )
        found.card, found.content, found.own_similarity = card, content, own
        found.precision, found.unrounded = precision, _digest({**facts, "precision": None})
        found.trained_on = trained_on_of(str(folder))
        return found

    def encode(self, texts: Sequence[str], kind: Side) -> Vectors:
        """Return float32 [n, dimension], of length 1 for cosine; a text without tokens has zeros."""
        prompt = self.prompts.text(kind)
        remembered = self._remembered[prompt]
        vectors = np.zeros((len(texts), self.dimension), dtype=np.float32)
        for start in range(0, len(texts), _TEXTS):
            chunk = [prompt + text for text in texts[start : start + _TEXTS]]
            ids = [found.ids for found in self.tokenizer.encode_batch_fast(chunk, add_special_tokens=False)]
            if self.tokenizer.truncation is None:  # else tokens that are not read are not among them
                unknown = [unknown_in(some, self._unknown) for some in ids]
                remembered.add(texts[start : start + _TEXTS], [len(some) for some in ids], unknown)
            self._average(ids, vectors[start : start + len(chunk)])
        return unit(vectors) if self._unit else vectors

    def _average(self, ids: Sequence[Sequence[int]], into: Vectors) -> None:
        """Write the mean vector of each text's tokens; a text's depends on its own tokens alone."""
        sizes = np.array([len(some) for some in ids], dtype=np.int64)
        tokens = np.fromiter((token for some in ids for token in some), dtype=np.int64, count=int(sizes.sum()))
        rows = np.flatnonzero(sizes)
        ends = np.cumsum(sizes[rows])
        first = 0
        while first < len(rows):
            before = ends[first] - sizes[rows[first]]
            last = max(first + 1, int(np.searchsorted(ends, before + _TOKENS, side="right")))
            starts = ends[first:last] - sizes[rows[first:last]] - before
            sums = np.add.reduceat(
                np.take(self._weights, tokens[before : ends[last - 1]], axis=0), starts, axis=0, dtype=np.float32
            )
            into[rows[first:last]] = sums / sizes[rows[first:last], None].astype(np.float32)
            first = last

    def count_tokens(self, texts: Sequence[str], kind: Side) -> TokenCounts:
        """Return how many tokens texts have with the prompt of `kind`; see `xlbias.encode.tokens`.

        Texts that were encoded are not split again.
        """
        prompt = self.prompts.text(kind)
        limit = self.max_length[kind]
        known, found = self._remembered[prompt].of(texts)
        others = [text for text, one in zip(texts, known, strict=True) if not one]
        new = counted(self.tokenizer, others, prompt, unknown_token=self._unknown, limit=limit)
        found[~known] = np.stack([new.tokens, new.unknown], axis=1)
        return TokenCounts(found[:, 0], found[:, 1], limit)


def _digest(facts: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()


def loads(folder: Path, options: dict[str, Any]) -> bool:
    """Whether `StaticEncoder` is what the encoder in `folder` is with these options of `xlbias.load_encoder`.

    Others need the libraries: weights in half precision, on a GPU, or packed as model2vec may pack them.
    """
    given = {option for option, value in options.items() if value is not None} - _TAKES
    allowed: dict[str, Callable[[Any], bool]] = {
        "device": lambda device: str(device) == "cpu",
        "dtype": lambda dtype: dtype in ("float32", "int8"),
    }
    if not all(option in allowed and allowed[option](options[option]) for option in given):
        return False
    modules = read_modules(folder) or []
    names = [module.class_name for module in modules if module.type.startswith(_STATIC)]
    if len(names) != len(modules) or names not in (["StaticEmbedding"], ["StaticEmbedding", "Normalize"]):
        return False
    where = folder / modules[0].path
    if not (where / TOKENIZER_FILE).is_file() or not (where / WEIGHTS_FILE).is_file():
        return False
    try:
        with safe_open(where / WEIGHTS_FILE, framework="numpy") as file:
            names = list(file.keys())
            return len(names) == 1 and names[0] in _WEIGHTS and file.get_slice(names[0]).get_dtype() == "F32"
    except Exception:  # Rust's errors are of many kinds: the libraries say what is wrong with the file
        return False


def _read(folder: Path) -> tuple[Tokenizer, Vectors]:
    where = folder / (read_modules(folder) or [])[0].path
    try:
        tokenizer = Tokenizer.from_file(str(where / TOKENIZER_FILE))
        with safe_open(where / WEIGHTS_FILE, framework="numpy") as file:
            weights: Vectors = file.get_tensor(next(iter(file.keys())))
    except BaseException as error:  # Rust's errors are of many kinds, one of which is no Exception
        if not isinstance(error, Exception) and type(error).__name__ != "PanicException":
            raise
        raise EncoderError(f"encoder {str(folder)!r} cannot be loaded: {reason_of(error)}") from error
    if weights.ndim != 2 or len(weights) < tokenizer.get_vocab_size():
        raise EncoderError(
            f"encoder {str(folder)!r} cannot be loaded: {WEIGHTS_FILE} has weights {list(weights.shape)}, and "
            f"{TOKENIZER_FILE} has {tokenizer.get_vocab_size():,} tokens"
        )
    return tokenizer, weights
