"""The untrained `static` encoder: mean-pooled token embeddings over sub-words learnt from the training texts.

A static encoder has no layers: a text's vector is the mean of its tokens' vectors. It trains in seconds and encodes
tens of thousands of sentences a second on a CPU, and still shows what a batch sampler does to an encoder.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain

import numpy as np
import numpy.typing as npt
import torch
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.modules import StaticEmbedding
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, trainers

from xlbias.errors import EncoderError

CHARACTERS_PER_LANGUAGE = 400_000
"""Characters of each language that the tokenizer learns from: enough for a few thousand sub-words of each, bounded in
time for any corpus, and the same for all, so that no language is cut into smaller pieces because it has fewer texts."""

_ALPHABET = 8_000  # distinct characters at most: room for the Han characters of a news corpus
_CHUNK = 4_096  # texts tokenised at a time
_LONGEST = 16  # characters of a sub-word; in scripts without spaces merges would otherwise span phrases


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
    sample = list(_same_share(texts, seed))
    tokenizer = _learn_tokenizer(sample, vocabulary)
    rng = np.random.Generator(np.random.Philox(seed))
    weights = rng.standard_normal((tokenizer.get_vocab_size(), dimension), dtype=np.float32)
    weights *= scale * _rarity(tokenizer, sample)[:, None]
    return tokenizer.to_str(), weights


def train_tokenizer(texts: Iterable[tuple[str, Iterable[str]]], *, vocabulary: int, seed: int) -> Tokenizer:
    """Learn byte-pair sub-words from `texts`, pairs of (language, its distinct texts), the same share of each language.

    Texts are NFKC-normalised and lower-cased, and cut at spaces, punctuation and changes of script; within a run of
    Thai or Han characters merges find the words. A character that the texts do not hold gives no token.
    """
    return _learn_tokenizer(list(_same_share(texts, seed)), vocabulary)


def _learn_tokenizer(texts: Sequence[str], vocabulary: int) -> Tokenizer:
    tokenizer = Tokenizer(models.BPE())
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFKC(), normalizers.Lowercase()])
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.UnicodeScripts(), pre_tokenizers.Whitespace()])
    alphabet = _alphabet(tokenizer.normalizer, texts, min(_ALPHABET, vocabulary))
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary,
        min_frequency=2,
        initial_alphabet=alphabet,
        limit_alphabet=len(alphabet) or min(_ALPHABET, vocabulary),
        max_token_length=_LONGEST,
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    if not tokenizer.get_vocab_size():
        raise EncoderError("the training texts hold no characters to make a vocabulary from")
    return tokenizer


def _alphabet(normalizer: normalizers.Normalizer, texts: Sequence[str], limit: int) -> list[str]:
    """Return the `limit` most frequent characters of `texts`, or none where they have no more than that.

    The trainer would choose among equally rare ones by chance, and another vocabulary would come of it in each process.
    """
    counts: Counter[str] = Counter()
    for text in texts:
        counts.update(normalizer.normalize_str(text))
    letters = [character for character in counts if not character.isspace()]
    if len(letters) <= limit:
        return []
    return sorted(letters, key=lambda character: (-counts[character], character))[:limit]


def _rarity(tokenizer: Tokenizer, texts: Sequence[str]) -> npt.NDArray[np.float32]:
    """Return each token's inverse document frequency in `texts`, float32 [vocabulary], 1 on average."""
    frequency = np.zeros(tokenizer.get_vocab_size(), dtype=np.int64)
    for start in range(0, len(texts), _CHUNK):
        for encoding in tokenizer.encode_batch_fast(texts[start : start + _CHUNK], add_special_tokens=False):
            frequency[list(set(encoding.ids))] += 1
    rarity: npt.NDArray[np.float32] = np.log1p(len(texts) / (frequency + 1), dtype=np.float32)
    rarity /= rarity.mean()
    return rarity


def _same_share(texts: Iterable[tuple[str, Iterable[str]]], seed: int) -> Iterator[str]:
    """Yield texts of each language in random order until CHARACTERS_PER_LANGUAGE are reached."""
    by_language: dict[str, list[Iterable[str]]] = {}
    for language, some in texts:
        by_language.setdefault(language, []).append(some)
    rng = np.random.Generator(np.random.Philox(seed))
    for language in sorted(by_language):
        of_language = list(chain.from_iterable(by_language[language]))
        left = CHARACTERS_PER_LANGUAGE
        for i in rng.permutation(len(of_language)):
            if left <= 0:
                break
            left -= len(of_language[i])
            yield of_language[i]
