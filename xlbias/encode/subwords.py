"""Sub-words learnt from texts alone: byte-pair merges over the same share of each language."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain

import numpy as np
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, trainers

from xlbias.errors import EncoderError

CHARACTERS_PER_LANGUAGE = 400_000
"""Characters of each language that the tokenizer learns from: enough for a few thousand sub-words of each, bounded in
time for any corpus, and the same for all, so that no language is cut into smaller pieces because it has fewer texts."""

_ALPHABET = 8_000  # distinct characters at most: room for the Han characters of a news corpus
_LONGEST = 16  # characters of a sub-word; in scripts without spaces merges would otherwise span phrases


def same_share(texts: Iterable[tuple[str, Iterable[str]]], seed: int) -> Iterator[str]:
    """Yield texts of each language in random order until CHARACTERS_PER_LANGUAGE are reached.

    `texts` are pairs of (language, its distinct texts); the same ones and the same seed give the same order.
    """
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


def train_tokenizer(texts: Sequence[str], vocabulary: int) -> Tokenizer:
    """Learn byte-pair sub-words from `texts`, such as those of `same_share`.

    Texts are NFKC-normalised and lower-cased, and cut at spaces, punctuation and changes of script; within a run of
    Thai or Han characters merges find the words. A character that the texts do not hold gives no token. The same texts
    give the same sub-words in every process. Raises EncoderError if there are no characters.
    """
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
