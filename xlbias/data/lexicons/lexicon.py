"""A lexicon over any number of languages: concepts, their names, and where these stand in a text."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from xlbias.data.lexicons.words import extend, fold_phrase, fold_words, is_unspaced, split_words

LONGEST = 4  # words of an entry that is looked for; letters of a script without spaces are not counted

Concept = Mapping[str, str]  # language (BCP 47) → what the concept is called


class Match(NamedTuple):
    """An entry found in a text: words ``first:first + length`` of it, and what they may become."""

    first: int
    length: int
    translations: tuple[str, ...]


@dataclass(frozen=True)
class Source:
    """Where entries come from: a file or folder by its bare name, and the SHA-256 of its bytes."""

    name: str
    sha256: str
    concepts: Iterable[Concept] = field(repr=False)


@dataclass(frozen=True)
class _Vocabulary:
    """One language's names, folded: the concepts of each, their first words, and all beginnings shorter than a name."""

    concepts: dict[str, list[int]] = field(default_factory=dict)
    beginnings: set[str] = field(default_factory=set)
    prefixes: set[str] = field(default_factory=set)

    def add(self, prefixes: Sequence[str], concept: int) -> None:
        """Add a name, given as its first word, its first two words, ..., all of it."""
        self.concepts.setdefault(prefixes[-1], []).append(concept)
        self.beginnings.add(prefixes[0])
        self.prefixes.update(prefixes[:-1])


class Lexicon:
    """Names of concepts in several languages; the names of one concept are translations of one another.

    A row of a bilingual dictionary is a concept with two names, an emoji one with many. Two concepts never become one
    because they share a name: from en→de and en→fr nothing follows for de→fr, as ``bank`` is not one thing.

    Each concept is stored once, as its name in each language; what a language needs in order to find its names in a
    text is made when it is first asked for. Words are compared without case and in NFKC. A translation that is the same
    word (``Taxi``, ``taxi``) is none, as nothing would change.
    """

    def __init__(self, sources: Iterable[Source]) -> None:
        self._names: dict[str, dict[int, str]] = {}
        self._described: list[dict[str, object]] = []
        concept = 0
        for source in sources:
            start = concept
            languages: set[str] = set()
            for names in source.concepts:
                for language, name in names.items():
                    self._names.setdefault(language, {})[concept] = name
                languages.update(names)
                concept += 1
            self._described.append(
                {
                    "name": source.name,
                    "entries": concept - start,
                    "languages": sorted(languages),
                    "sha256": source.sha256,
                }
            )
        self.languages = tuple(sorted(self._names))
        self._vocabularies: dict[str, _Vocabulary] = {}
        self._targets: dict[str, tuple[str, ...]] = {}
        self._translations: dict[tuple[str, str], dict[str, tuple[str, ...]]] = {}

    def describe(self) -> list[dict[str, object]]:
        """Return ``name, entries, languages, sha256`` of each source."""
        return self._described

    def resolve(self, language: str) -> str | None:
        """Return the lexicon's language for a tag, which may be less specific (``zh`` for ``zh-CN``), None if none."""
        while language and language not in self._names:
            language = language.rpartition("-")[0]
        return language or None

    def targets(self, source: str) -> tuple[str, ...]:
        """Languages into which at least one word of `source` has a translation, sorted."""
        if source not in self._targets:
            names = self._names.get(source, {})
            self._targets[source] = tuple(
                target
                for target in self.languages
                if target != source
                and not names.keys().isdisjoint(self._names[target])
                and any(self._look_up(source, target, key) for key in self._vocabulary(source).concepts)
            )
        return self._targets[source]

    def size(self, source: str, target: str) -> int:
        """Number of words and phrases of `source` that have a translation into `target`."""
        return sum(1 for key in self._vocabulary(source).concepts if self._look_up(source, target, key))

    def translations(self, source: str, target: str, phrase: str) -> tuple[str, ...]:
        """Return what `phrase`, a word or several, may become in `target`, in the order of the sources."""
        return self._look_up(source, target, "".join(fold_phrase(phrase, source)[-1:]))

    def find(self, parts: Sequence[str], source: str, target: str) -> list[Match]:
        """Find the entries with a translation into `target` in a text in `source`, given as its `split_words`.

        From left to right, the longest first, of words that stand as they do in the entry (any whitespace is one). In
        a script without spaces an entry may stand anywhere between letters, unless it is a single letter: that counts
        only where it stands alone, as in the middle of other words it would mostly be a part of one.
        """
        vocabulary = self._vocabulary(source)
        words = fold_words(parts, source)
        found: list[Match] = []
        end = 0  # of the last match
        for first in [i for i, word in enumerate(words) if word in vocabulary.beginnings]:
            if first < end:
                continue
            for length, key in reversed(_entries_at(first, words, parts, vocabulary)):
                options = self._look_up(source, target, key)
                if options and not (length == 1 and _inside_run(parts, first)):
                    found.append(Match(first, length, options))
                    end = first + length
                    break
        return found

    def _look_up(self, source: str, target: str, key: str) -> tuple[str, ...]:
        """Return the translations of a folded phrase; what was once asked for is kept."""
        known = self._translations.setdefault((source, target), {})
        if key in known:
            return known[key]
        concepts = self._vocabulary(source).concepts.get(key)
        if concepts is None:
            return ()
        names = self._names.get(target, {})
        options = dict.fromkeys(names[concept] for concept in concepts if concept in names)
        known[key] = tuple(option for option in options if fold_phrase(option, target)[-1:] != [key])
        return known[key]

    def _vocabulary(self, language: str) -> _Vocabulary:
        if language not in self._vocabularies:
            vocabulary = _Vocabulary()
            for concept, name in self._names.get(language, {}).items():
                prefixes = fold_phrase(name, language)
                if prefixes and sum(not is_unspaced(word) for word in split_words(name)[1::2]) <= LONGEST:
                    vocabulary.add(prefixes, concept)
            self._vocabularies[language] = vocabulary
        return self._vocabularies[language]


def _entries_at(
    first: int, words: Sequence[str], parts: Sequence[str], vocabulary: _Vocabulary
) -> list[tuple[int, str]]:
    """Return (number of words, folded) of all entries that the words from `first` on begin with, shortest first."""
    found = []
    phrase = words[first]
    for last in range(first, len(words)):
        if last > first:
            phrase = extend(phrase, parts[2 * last], words[last])
        if phrase in vocabulary.concepts:
            found.append((last - first + 1, phrase))
        if phrase not in vocabulary.prefixes:
            break
    return found


def _inside_run(parts: Sequence[str], word: int) -> bool:
    """Tell whether a word is one letter among others of a script without spaces."""
    place = 2 * word + 1
    if not is_unspaced(parts[place]):
        return False
    before = not parts[place - 1] and place > 1 and is_unspaced(parts[place - 2])
    return before or (not parts[place + 1] and place + 2 < len(parts) and is_unspaced(parts[place + 2]))
