"""Reads the annotations of Unicode CLDR: names of emoji and symbols, as a lexicon of every two of its languages.

A folder holds one file per language, ``de.json``, or as in cldr-json one folder, ``de/annotations.json``; both are
``{"annotations": {"annotations": {emoji: {"default": [keyword, ...], "tts": [name]}}}}``.

The names (``tts``) of one emoji are translations of one another: each language's committee names the same picture.
Keywords are not used. They stand in alphabetical order, as many as each language likes, so that nothing says which
translates which; and where an emoji has a single one, it is its name again.

A name that holds more than words (``person: beard``, ``A button (blood type)``) is a description and left out, with one
exception: Hindi often gives several names at once, ``मस्तिष्क, दिमाग``. Where a name is a list of its own keywords, the
first of them stands for it (the others may be wider: *banana, fruit*), unless another emoji is called that as well.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from xlbias.data.formats.reading import json_file, shown
from xlbias.data.lexicons.lexicon import Concept
from xlbias.data.lexicons.words import split_words
from xlbias.errors import TaskError
from xlbias.languages import normalise_tag
from xlbias.text import drop_surrogates

_SHAPE = '{"annotations": {"annotations": {emoji: {"default": [keyword, ...], "tts": [name]}}}}'
_BETWEEN_WORDS = re.compile(r"[\s\-\u2010-\u2015]*")  # spaces and hyphens


def files(folder: Path) -> dict[Path, str]:
    """Return the annotation files of a folder, sorted, each with its language. Raises TaskError if there are none."""
    found = {path: path.stem for path in sorted(folder.glob("*.json"))}
    if not found:
        found = {path: path.parent.name for path in sorted(folder.glob("*/annotations.json"))}
    languages: dict[Path, str] = {}
    for path, name in found.items():
        try:
            tag = normalise_tag(name)
        except TaskError as error:
            raise TaskError(
                f"{shown(path)}: {name!r} is not a language; expected CLDR annotations named by language, such as "
                "de.json or de/annotations.json"
            ) from error
        if tag in languages.values():
            raise TaskError(f"{shown(path)}: a second file in language {tag!r}")
        languages[path] = tag
    if len(languages) < 2:
        count = "1 file" if languages else "no files"
        raise TaskError(
            f"{shown(folder)}: {count} of CLDR annotations in this folder; expected at least two, such "
            "as de.json and en.json"
        )
    return languages


def read(folder: Path) -> Iterator[Concept]:
    """Yield the names of each emoji that has one in at least two languages."""
    names: dict[str, dict[str, str]] = {}
    for path, language in files(folder).items():
        for emoji, name in _names(path):
            names.setdefault(emoji, {})[language] = name
    concepts = [concept for concept in names.values() if len(concept) > 1]
    if not concepts:
        raise TaskError(f"{shown(folder)}: no emoji has a name in two languages; expected {_SHAPE} in each file")
    yield from concepts


def _names(path: Path) -> Iterator[tuple[str, str]]:
    """Yield (emoji, name) of one file, without what is no plain name."""
    annotations = json_file(path)
    for _ in range(2):
        annotations = annotations.get("annotations") if isinstance(annotations, dict) else None
    if not isinstance(annotations, dict):
        raise TaskError(f"{shown(path)}: no CLDR annotations; expected {_SHAPE}")
    names: dict[str, str] = {}
    listed: set[str] = set()  # emoji with a list of names
    for emoji, annotation in annotations.items():
        where = f"{shown(path)}, {emoji!r}"
        if not isinstance(annotation, dict):
            raise TaskError(f"{where}: expected an object with the fields default and tts")
        name = "".join(_strings(annotation, "tts", where)[:1])
        parts = name.split(", ")
        if len(parts) > 1 and set(parts) <= set(_strings(annotation, "default", where)):
            name = parts[0]
            listed.add(emoji)
        names[emoji] = name.strip()
    called = Counter(names.values())
    for emoji, name in names.items():
        if _is_plain(name) and not (emoji in listed and called[name] > 1):
            yield emoji, name


def _strings(annotation: Mapping[str, Any], field: str, where: str) -> list[str]:
    values = annotation.get(field, [])
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise TaskError(f"{where}: field {field!r} must be a list of strings")
    return [drop_surrogates(value) for value in values]


def _is_plain(name: str) -> bool:
    """Tell whether a name is nothing but words, with spaces and hyphens between them."""
    first, *rest = split_words(name)
    return len(rest) > 1 and not first and not rest[-1] and all(map(_BETWEEN_WORDS.fullmatch, rest[1:-1:2]))
