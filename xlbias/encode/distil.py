"""A static encoder distilled from a pretrained one: each token is encoded once, and a text is the mean of its tokens.

As model2vec does (Tulkens and van Dongen 2024): token vectors, principal components, and weights by frequency (SIF,
Arora et al. 2017). Its library takes the transformer alone. Here the whole encoder is asked, so that layers after the
pooling (LaBSE's) count, its prompt can stand before each token, and tokens can be those that texts hold.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import torch
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.modules import StaticEmbedding
from sklearn.decomposition import PCA
from tokenizers import Tokenizer

from xlbias.encode.subwords import same_share, train_tokenizer
from xlbias.errors import EncoderError

_AT_A_TIME = 1_024  # tokens of a forward pass, a handful of positions each
_CHUNK = 4_096  # texts tokenised at a time
COUNTED, RANKED = 1e-3, 1e-4
"""Weight of a token of frequency p: a / (a + p), where p was counted in texts, and where a token's rank says it."""

Vectors = npt.NDArray[np.float32]
Texts = Iterable[tuple[str, Iterable[str]]]
Side = Literal["query", "passage"]


@dataclass(frozen=True, eq=False)
class Distilled:
    """A distilled encoder: its tokenizer as JSON, and its token vectors, float32 [n_tokens, dimension].

    `variance` is the share of the variance of the base's token vectors that the components keep, None without any.
    """

    tokenizer: str
    weights: Vectors
    variance: float | None


def distil(
    base: SentenceTransformer,
    *,
    name: str,
    dimension: int,
    tokens: str = "base",
    prompt: str = "",
    texts: Texts = (),
    vocabulary: int = 16_000,
    seed: int = 0,
    advance: Callable[[int, int], None] = lambda done, total: None,
) -> Distilled:
    """Distil `base` into token vectors.

    Args:
        base: the encoder to learn from, with a fast tokenizer.
        name: of the base, for errors.
        dimension: principal components that are kept; at most the base's dimension.
        tokens: ``base`` for all tokens of the base, ``seen`` for those of them that `texts` hold, ``own`` for sub-words
            learnt from `texts`, see `xlbias.encode.subwords`.
        prompt: put before each token.
        texts: pairs of (language, its distinct texts); for ``seen`` and ``own``.
        vocabulary: number of sub-words of ``own``.
        seed: which texts the sub-words of ``own`` are learnt from.
        advance: told how many tokens of how many are encoded.

    The same arguments give the same vectors. Special tokens and those that the base does not know get a zero vector: a
    text is the mean of the others, up to its length. Raises EncoderError where the base cannot be distilled so.
    """
    tokenizer = _fast_tokenizer(base, name)
    of_base = int(base.get_embedding_dimension() or 0)
    if dimension > of_base:
        raise EncoderError(f"dimension is {dimension}: {name} has vectors of {of_base}; choose at most that")
    if tokens == "own":
        sample = list(same_share(texts, seed))
        own = train_tokenizer(sample, vocabulary)
        words = [str(own.id_to_token(number)) for number in range(own.get_vocab_size())]
        vectors = _of_words(base, words, prompt, advance)
        known = np.ones(len(words), dtype=bool)
        frequency, tokenizer = _frequency(own, sample), own
    else:
        ids = np.arange(tokenizer.get_vocab_size())
        special = _special(tokenizer)
        counts = None
        if tokens == "seen":
            every = [text for _, some in texts for text in some]
            counts = _frequency(tokenizer, every)
            ids, tokenizer = _pruned(tokenizer, (counts > 0) | special, name)
            counts = counts[ids]
        known = ~special[ids]
        vectors = np.zeros((len(ids), of_base), dtype=np.float32)
        vectors[known] = _of_ids(base, ids[known], prompt, advance)
        # Where nothing is counted, tokens stand by frequency: Zipf's law.
        frequency = (1.0 / (ids + 2.0)).astype(np.float64) if counts is None else counts
    weights, variance = _components(vectors, known, dimension)
    weights *= _rarity(frequency, RANKED if tokens == "base" else COUNTED)[:, None]
    return Distilled(tokenizer.to_str(), weights, variance)


def _fast_tokenizer(base: SentenceTransformer, name: str) -> Tokenizer:
    """Return a copy of the base's tokenizer that neither pads nor cuts. Raises EncoderError where there is none."""
    if isinstance(base[0], StaticEmbedding):
        raise EncoderError(f"{name}: is a static encoder already: train it with --base {name}")
    backend = getattr(base.tokenizer, "backend_tokenizer", None)
    if backend is None:
        raise EncoderError(f"{name}: has no fast tokenizer, whose tokens could be distilled")
    return _unpadded(backend)


def _unpadded(tokenizer: Tokenizer) -> Tokenizer:
    copy = Tokenizer.from_str(tokenizer.to_str())
    copy.no_padding()
    copy.no_truncation()
    return copy


def _special(tokenizer: Tokenizer) -> npt.NDArray[np.bool_]:
    """Whether each token is no text: a special one, an unused place, or what stands for what is not known."""
    special = np.zeros(tokenizer.get_vocab_size(), dtype=bool)
    special[[number for number, added in tokenizer.get_added_tokens_decoder().items() if added.special]] = True
    model = json.loads(tokenizer.to_str())["model"]
    unknown = model.get("unk_id")
    if unknown is None and model.get("unk_token"):
        unknown = tokenizer.token_to_id(model["unk_token"])
    if unknown is not None:
        special[unknown] = True
    for token, number in tokenizer.get_vocab().items():
        if token.startswith("[unused"):
            special[number] = True
    return special


def _frequency(tokenizer: Tokenizer, texts: Sequence[str]) -> npt.NDArray[np.float64]:
    """How often each token stands in `texts`, float64 [vocabulary]."""
    counts = np.zeros(tokenizer.get_vocab_size())
    for start in range(0, len(texts), _CHUNK):
        for encoding in tokenizer.encode_batch_fast(list(texts[start : start + _CHUNK]), add_special_tokens=False):
            np.add.at(counts, encoding.ids, 1.0)
    return counts


def _pruned(tokenizer: Tokenizer, keep: npt.NDArray[np.bool_], name: str) -> tuple[npt.NDArray[np.int64], Tokenizer]:
    """Return the old number of each token that is kept, and the tokenizer of these alone.

    What was written with a token that is gone is written with smaller ones.
    """
    described = json.loads(tokenizer.to_str())
    model, ids = described["model"], np.flatnonzero(keep)
    number = {int(old): new for new, old in enumerate(ids)}
    if model["type"] == "Unigram":
        model["vocab"] = [model["vocab"][old] for old in ids if old < len(model["vocab"])]
        model["unk_id"] = number.get(model["unk_id"])
    elif model["type"] == "WordPiece":
        model["vocab"] = {token: number[old] for token, old in model["vocab"].items() if old in number}
    else:
        raise EncoderError(
            f"{name}: has a tokenizer of the kind {model['type']}, whose tokens cannot be left out: choose tokens=base "
            "or tokens=own"
        )
    described["added_tokens"] = [
        {**added, "id": number[added["id"]]} for added in described["added_tokens"] if added["id"] in number
    ]
    described["post_processor"] = None  # names special tokens by their old numbers
    return ids, Tokenizer.from_str(json.dumps(described))


def _of_ids(
    base: SentenceTransformer, ids: npt.NDArray[np.int64], prompt: str, advance: Callable[[int, int], None]
) -> Vectors:
    """Encode tokens by their numbers: each between what the base puts around a text, behind the prompt."""
    before, after = _around(base, prompt)
    found = []
    names = getattr(base.tokenizer, "model_input_names", ())
    was_training = base.training
    base.eval()
    with torch.inference_mode():
        for start in range(0, len(ids), _AT_A_TIME):
            some = ids[start : start + _AT_A_TIME]
            rows = torch.from_numpy(
                np.column_stack(
                    [*(np.full(len(some), i) for i in before), some, *(np.full(len(some), i) for i in after)]
                )
            ).to(base.device)
            features: dict[str, Any] = {"input_ids": rows, "attention_mask": torch.ones_like(rows)}
            if "token_type_ids" in names:
                features["token_type_ids"] = torch.zeros_like(rows)
            found.append(base(features)["sentence_embedding"].float().cpu().numpy())
            advance(start + len(some), len(ids))
    base.train(was_training)
    return np.concatenate(found)


def _around(base: SentenceTransformer, prompt: str) -> tuple[list[int], list[int]]:
    """Return the numbers of what stands before and after a token: special tokens, and those of the prompt."""
    backend = _unpadded(base.tokenizer.backend_tokenizer)
    text = prompt.rstrip() or "a"
    plain, whole = backend.encode(text, add_special_tokens=False).ids, backend.encode(text).ids
    first = next(at for at in range(len(whole)) if whole[at : at + len(plain)] == plain)
    return whole[:first] + (plain if prompt.strip() else []), whole[first + len(plain) :]


def _of_words(
    base: SentenceTransformer, words: Sequence[str], prompt: str, advance: Callable[[int, int], None]
) -> Vectors:
    found = []
    for start in range(0, len(words), _AT_A_TIME):
        some = words[start : start + _AT_A_TIME]
        found.append(base.encode(some, prompt=prompt or "", batch_size=256, show_progress_bar=False))
        advance(start + len(some), len(words))
    return np.concatenate(found).astype(np.float32, copy=False)


def _components(
    vectors: Vectors, known: npt.NDArray[np.bool_], dimension: int
) -> tuple[npt.NDArray[np.float32], float | None]:
    """Return the first principal components of the vectors of known tokens, 0 for others, and the variance they keep.

    Where there are fewer tokens than components, vectors are cut to their first values, as there is nothing to learn
    components from.
    """
    found = np.zeros((len(vectors), dimension), dtype=np.float32)
    if known.sum() <= dimension:
        found[known] = vectors[known, :dimension]
        return found, None
    pca = PCA(n_components=dimension, svd_solver="covariance_eigh")
    found[known] = pca.fit_transform(vectors[known])
    return found, float(pca.explained_variance_ratio_.sum())


def _rarity(frequency: npt.NDArray[np.float64], a: float) -> npt.NDArray[np.float32]:
    """Return the weight a / (a + p) of each token by its frequency (any scale), float32 [n]."""
    share = frequency / max(frequency.sum(), 1e-12)
    weights: npt.NDArray[np.float32] = (a / (a + share)).astype(np.float32)
    return weights
