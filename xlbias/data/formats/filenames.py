"""Tells the language of a file by its name, in tags that agree from one corpus to the next."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable

from xlbias.errors import TaskError
from xlbias.languages import normalise_tag

# File name endings that happen to be ISO 639-3 codes of small languages (txt is Citak, csv Sumtu Chin, ...). In a
# folder of texts they mean what everyone takes them for.
_NOT_LANGUAGES = {"bin", "csv", "doc", "ids", "log", "sh", "tar", "tsv", "txt", "xml", "yml"}
_SCRIPT_AND_REGION = re.compile(r"([a-z]{2,3})((-[A-Z][a-z]{3})|(-[A-Z]{2})|(-[0-9]{3}))+")
_UNREGISTERED_REGION = re.compile(r"([A-Za-z]{2,3})[-_][A-Z]{2}")


def language_of(part: str) -> str | None:
    """Return the BCP 47 tag that a part of a file name stands for, or None where it is no language.

    ``deu`` → ``de``, ``zho-CN`` → ``zh-CN``. A region that nobody registered (NTREX has ``gsw-ZH``) is dropped.
    """
    if part.lower() in _NOT_LANGUAGES:
        return None
    try:
        return normalise_tag(part)
    except TaskError:
        region = _UNREGISTERED_REGION.fullmatch(part)
        return language_of(region.group(1)) if region else None


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
