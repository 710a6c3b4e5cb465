"""Tells the language of a file by its name, in tags that agree from one corpus to the next."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path

from xlbias.errors import TaskError
from xlbias.languages import normal_tags, normalise_tag

# Parts of file names that happen to be ISO 639-3 codes of small languages (txt is Citak, src Logudorese Sardinian,
# dev Domung, ...). In a folder of texts they mean what everyone takes them for.
_ENDINGS = {"bin", "csv", "doc", "ids", "log", "sh", "tar", "tsv", "txt", "xml", "yml", "tmp"}
_BACKUPS = {"old", "org", "sav", "swp"}
_PARTS = {"all", "dev", "trn", "tst", "val"}
_SIDES = {"src", "tgt", "trg", "ref", "hyp"}
_NOT_LANGUAGES = _ENDINGS | _BACKUPS | _PARTS | _SIDES
_AFTER_A_LANGUAGE = {"bak", "new", "raw", "tok"}  # Bashkir, Newar, Rawang and Toki Pona, but not in corpus.en.bak
_SCRIPT_AND_REGION = re.compile(r"([a-z]{2,3})((-[A-Z][a-z]{3})|(-[A-Z]{2})|(-[0-9]{3}))+")
_UNREGISTERED_REGION = re.compile(r"([A-Za-z]{2,3})[-_][A-Z]{2}")


def language_of(part: str) -> str | None:
    """Return the BCP 47 tag that a part of a file name stands for, or None where it is no language.

    ``deu`` → ``de``, ``zho-CN`` → ``zh-CN``. A region that nobody registered (NTREX has ``gsw-ZH``) is dropped.
    """
    code = language_code(part)
    return None if code is None else normalise_tag(code)


def language_code(part: str) -> str | None:
    """Return what of a part of a file name is a language tag, as it is written there, or None where it is none."""
    if part.lower() in _NOT_LANGUAGES:
        return None
    try:
        normalise_tag(part)
    except TaskError:
        region = _UNREGISTERED_REGION.fullmatch(part)
        return language_code(region.group(1)) if region else None
    return part


@cache
def language_named(name: str) -> str | None:
    """Return the BCP 47 tag of a language's English name, or of a tag, in a file name; None where it is neither."""
    from babel import Locale

    english = {str(label).lower(): str(code) for code, label in Locale("en").languages.items()}
    code = english.get(name.lower().replace("_", " "))
    return normalise_tag(code) if code else language_of(name)


def code_at_end(name: str) -> str | None:
    """Return the `language_code` that a file name ends in, without endings: ``corpus.deu`` → ``deu``.

    ``corpus.bak`` is Bashkir, as NTREX writes it; ``corpus.en.bak`` is a backup, as its language stands before.
    """
    before, _, last = name.rpartition(".")
    if last.lower() in _AFTER_A_LANGUAGE and language_code(before.rpartition(".")[2]):
        return None
    return language_code(last)


def tags_of(codes: Iterable[str]) -> dict[str, str]:
    """Map the language codes in the file names of one corpus to its languages: no longer than tells them apart."""
    normal = normal_tags(codes)
    shortest = shortest_tags(normal.values())
    return {code: shortest[tag] for code, tag in normal.items()}


def by_language(
    codes: Mapping[Path, str], *, tags: Mapping[str, str] | None = None, what: str = "file"
) -> dict[str, Path]:
    """Return files (or what they are) by language, given the `language_code` of each; TaskError for two in one.

    `tags` are those of the codes where the files are a part of a corpus.
    """
    tags = tags or tags_of(codes.values())
    files: dict[str, Path] = {}
    for file, code in codes.items():
        if tags[code] in files:
            raise TaskError(f"{file}: a second {what} in language {tags[code]!r}, beside {files[tags[code]].name}")
        files[tags[code]] = file
    return files


def shortest_tags(tags: Iterable[str]) -> dict[str, str]:
    """Map each tag to its language without script and region where no other of `tags` has that language.

    A corpus with one Chinese calls it ``zh`` whatever its file is called, so that its cells meet those of other
    corpora; one with ``zh-CN`` and ``zh-TW`` keeps them apart.
    """
    bare = {tag: _without_script_and_region(tag) for tag in tags}
    holders = Counter(bare.values())
    return {tag: language if holders[language] == 1 else tag for tag, language in bare.items()}


def _without_script_and_region(tag: str) -> str:
    match = _SCRIPT_AND_REGION.fullmatch(tag)
    return match.group(1) if match else tag
