"""The untrained `static` encoder: mean-pooled token embeddings over sub-words learnt from the training texts.

A static encoder has no layers: a text's vector is the mean of its tokens' vectors. It trains in seconds and encodes
tens of thousands of sentences a second on a CPU, and still shows what a batch sampler does to an encoder.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt
import torch
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.modules import StaticEmbedding
from tokenizers import Tokenizer

from xlbias.encode.subwords import same_share, train_tokenizer

_CHUNK = 4_096  # texts tokenised at a time


def assemble(tokenizer: str, weights: npt.NDArray[np.float32]) -> SentenceTransformer:
    """Return a static encoder made of a tokenizer, as JSON, and a vector for each of its tokens, float32 [n, d]."""
    module = StaticEmbedding(Tokenizer.from_str(tokenizer), embedding_weights=torch.from_numpy(weights))
    return SentenceTransformer(modules=[module], device="cpu", similarity_fn_name="cosine")


def static_parts(
    texts: Iterable[tuple[str, Iterable[str]]], *, dimension: int, vocabulary: int, scale: float, seed: int
) -> tuple[str, npt.NDArray[np.float32]]:
    """Return tokenizer (as JSON) and token vectors, float32 [n, dimension], of an untrained static encoder.

    Its sub-words come from `texts`, pairs of (language, its distinct texts). Vectors are drawn from a normal one
    (standard deviation `scale`) and then weighted by how rare the token is, so that untrained vectors are those of a
    lexical search: what two texts share counts, and rare words most. Nothing relates two languages but the sub-words
    that both write. The same texts and seed give the same parts. Raises EncoderError if there are no texts.
    """
    sample = list(same_share(texts, seed))
    tokenizer = train_tokenizer(sample, vocabulary)
    rng = np.random.Generator(np.random.Philox(seed))
    weights = rng.standard_normal((tokenizer.get_vocab_size(), dimension), dtype=np.float32)
    weights *= scale * _rarity(tokenizer, sample)[:, None]
    return tokenizer.to_str(), weights


def _rarity(tokenizer: Tokenizer, texts: Sequence[str]) -> npt.NDArray[np.float32]:
    """Return each token's inverse document frequency in `texts`, float32 [vocabulary], 1 on average."""
    frequency = np.zeros(tokenizer.get_vocab_size(), dtype=np.int64)
    for start in range(0, len(texts), _CHUNK):
        for encoding in tokenizer.encode_batch_fast(texts[start : start + _CHUNK], add_special_tokens=False):
            frequency[list(set(encoding.ids))] += 1
    rarity: npt.NDArray[np.float32] = np.log1p(len(texts) / (frequency + 1), dtype=np.float32)
    rarity /= rarity.mean()
    return rarity
