"""Code-switching: words of the training texts replaced by translations, after arXiv 2305.05295."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from hashlib import blake2b
from typing import Any

from xlbias.data.lexicons import Lexicon
from xlbias.data.lexicons.words import TURKIC, split_words
from xlbias.errors import TrainingError
from xlbias.samplers import CODE_SWITCH_MODES

MULTILINGUAL, BILINGUAL = CODE_SWITCH_MODES


@dataclass
class SwitchCounts:
    """What was seen and done so far, in this process.

    Attributes:
        words: all words; an entry of several words counts as one, and in a script without spaces each letter outside of
            entries does.
        translatable: words for which the lexicon has a translation into the language drawn for their text.
        replaced: those of them that were replaced; a share of P, up to chance.
    """

    words: int = 0
    translatable: int = 0
    replaced: int = 0

    def as_dict(self) -> dict[str, int]:
        """Return the counts by name."""
        return asdict(self)

    def clear(self) -> None:
        """Count from zero again."""
        self.words = self.translatable = self.replaced = 0


class CodeSwitch:
    """Replaces each translatable word of a text with probability P; a `TextSwitch` for `PairTexts`.

    `bilingual`: into one language for the whole training; a text in that language stays as it is. `multilingual`: the
    language is drawn for each text, uniformly over all into which the lexicon translates *any* word of the text's
    language. Whether this text holds such a word does not count: otherwise the languages with larger lexicons would
    be drawn more often, a bias towards them in training.

    A word is translatable where the lexicon has a translation of it, alone or as a part of a phrase (the longest entry
    counts), into the drawn language; each is replaced or not independently of the others, by one of its translations,
    drawn uniformly. A word that begins with a capital gives its translation one; otherwise the translation is written
    as in the lexicon. What stands between words stays byte for byte, but inside a replaced phrase; one space is put
    where two words would otherwise grow together, as in a Chinese text that gets English words.

    What is drawn depends on the seed and a text's key alone: not on earlier texts, processes, or counts. Of two
    probabilities, the higher replaces the same words by the same translations, and more.

    Raises TrainingError if an argument cannot be used.
    """

    def __init__(
        self, lexicon: Lexicon, probability: float, mode: str = MULTILINGUAL, target: str | None = None, seed: int = 0
    ) -> None:
        if not 0.0 <= probability <= 1.0:
            raise TrainingError(f"the probability of code-switching is {probability}: expected one between 0 and 1")
        if mode not in CODE_SWITCH_MODES:
            raise TrainingError(f"unknown mode of code-switching {mode!r}: expected {' or '.join(CODE_SWITCH_MODES)}")
        if mode == BILINGUAL and target is None:
            raise TrainingError("bilingual code-switching needs a target language, such as 'de'")
        if mode != BILINGUAL and target is not None:
            raise TrainingError(
                f"{mode} code-switching draws the target language: leave {target!r} out, or use bilingual"
            )
        self.lexicon, self.probability, self.mode, self.seed = lexicon, probability, mode, seed
        self.target = None if target is None else lexicon.resolve(target)
        if target is not None and self.target is None:
            raise TrainingError(f"no lexicon translates into {target!r}: choose from {_listed(lexicon.languages)}")
        self.counts = SwitchCounts()
        self._targets: dict[str, tuple[str, ...]] = {}

    def __call__(self, text: str, language: str, key: tuple[int, ...]) -> str:
        """Return `text`, in `language`, with words replaced; the same for the same seed and `key`."""
        parts = split_words(text)
        self.counts.words += len(parts) // 2
        targets = self.targets(language)
        if not targets:
            return text
        draws = _uniform(self.seed, key)
        target = targets[int(next(draws) * len(targets))]
        matches = self.lexicon.find(parts, self.lexicon.resolve(language) or language, target)
        switched: list[str] = []
        places: list[int] = []  # of translations, in `switched`
        end = 0  # of what is in `switched` already, in `parts`
        for first, length, translations in matches:
            # Two numbers for each, used or not: what is drawn for one word never depends on what became of another.
            chance, choice = next(draws), next(draws)
            if chance < self.probability:
                word = 2 * first + 1
                switched += parts[end:word]
                places.append(len(switched))
                switched.append(_capitalised(translations[int(choice * len(translations))], parts[word], target))
                end = word + 2 * length - 1
        self.counts.words -= sum(match.length - 1 for match in matches)
        self.counts.translatable += len(matches)
        self.counts.replaced += len(places)
        if not places:
            return text
        switched += parts[end:]
        _keep_apart(switched, places)
        return "".join(switched)

    def targets(self, language: str) -> tuple[str, ...]:
        """Languages that a text in `language` can be switched to."""
        if language not in self._targets:
            source = self.lexicon.resolve(language)
            found = self.lexicon.targets(source) if source else ()
            self._targets[language] = tuple(target for target in found if self.target in (None, target))
        return self._targets[language]

    def check(self, languages: Sequence[str]) -> None:
        """Raise TrainingError if no text in one of `languages` could be switched."""
        if any(self.targets(language) for language in languages):
            return
        into = f" into {self.target!r}" if self.target else ""
        from_ = [language for language in self.lexicon.languages if self.targets(language)]
        there = f"it translates from {_listed(from_)}" if from_ else "it translates from no language"
        raise TrainingError(
            f"nothing to code-switch: the training texts are in {_listed(languages)}, of which the lexicon translates "
            f"none{into}; {there}"
        )

    def seeded(self, seed: int) -> CodeSwitch:
        """Return the same code-switching under another seed, with counts of its own."""
        return CodeSwitch(self.lexicon, self.probability, self.mode, self.target, seed)

    def describe(self) -> dict[str, Any]:
        """Return what a model card says: probability, mode, target, seed and the lexicons by name and SHA-256."""
        return {
            "seed": self.seed,
            "probability": self.probability,
            "mode": self.mode,
            "target": self.target,
            "lexicons": self.lexicon.describe(),
        }


def _uniform(seed: int, key: tuple[int, ...]) -> Iterator[float]:
    """Yield numbers from [0, 1) that depend on the seed and `key` alone, on any machine and in any version of Python.

    A keyed hash of a counter: a text needs few numbers, for which setting up a generator would take longest.
    """
    name = ",".join(map(str, (seed, *key)))
    block = 0
    while True:
        for bits in _EIGHT.unpack(blake2b(f"{name}:{block}".encode()).digest()):
            yield (bits >> 11) * 2.0**-53
        block += 1


_EIGHT = struct.Struct("<8Q")


def _capitalised(translation: str, word: str, language: str) -> str:
    """Return `translation` with a capital if `word` begins with one, and as it is if not."""
    if not (word[:1].isupper() or word[:1].istitle()) or not translation[:1].islower():
        return translation
    turkic = translation[0] == "i" and language.partition("-")[0] in TURKIC
    return ("İ" if turkic else translation[0].title()) + translation[1:]


def _keep_apart(parts: list[str], places: Sequence[int]) -> None:
    """Put a space between each word of `places` and a neighbour with which it would become one word."""
    for between in {place + side for place in places for side in (-1, 1)}:
        if not parts[between] and 0 < between < len(parts) - 1:
            left, right = parts[between - 1], parts[between + 1]
            if len(split_words(left + right)) < len(split_words(left)) + len(split_words(right)) - 1:
                parts[between] = " "


def _listed(languages: Sequence[str]) -> str:
    return ", ".join(languages)
