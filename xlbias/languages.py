"""BCP 47 language tags: checked, normalised, and named."""

from __future__ import annotations

from functools import cache

import langcodes

from xlbias.errors import TaskError


@cache
def normalise_tag(tag: str) -> str:
    """Return the BCP 47 form of `tag`: ``EN_us`` → ``en-US``, ``deu`` → ``de``, ``arb`` → ``ar``, ``cmn`` → ``zh``.

    Individual codes are replaced by their macro-language, as everyday tags have it. Raises TaskError for a tag that
    the IANA registry does not know.
    """
    try:
        standard = langcodes.standardize_tag(tag, macro=True)
        valid = langcodes.tag_is_valid(standard)
    except ValueError:
        valid = False
    if not valid:
        raise TaskError(f"unknown language tag {tag!r}: expected a BCP 47 tag such as 'de', 'zh' or 'pt-BR'")
    return standard


@cache
def language_name(tag: str) -> str:
    """English name of a language tag (``th`` → ``Thai``), or the tag itself where Unicode CLDR has no name for it."""
    from babel import Locale, UnknownLocaleError

    try:
        return Locale.parse(tag, sep="-").get_display_name("en") or tag
    except (UnknownLocaleError, ValueError):
        return tag


@cache
def script_of(tag: str) -> str:
    """ISO 15924 code of the script that a language tag is likely written in (``hi`` → ``Deva``), ``Zyyy`` if unknown.

    Chinese is ``Hans`` or ``Hant``; the likely script is that of Unicode CLDR's likely subtags.
    """
    try:
        known = langcodes.tag_is_valid(tag)
        return (langcodes.get(tag).maximize().script if known else None) or "Zyyy"
    except (ValueError, LookupError):
        return "Zyyy"
