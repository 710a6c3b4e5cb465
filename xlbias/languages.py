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


_FAMILIES = {
    "Afro-Asiatic": "aa am ar ary arz he ha kab mt om shi so ti acm acq aeb ajp apc ars taq",
    "Austroasiatic": "km vi sat",
    "Austronesian": "ace ban bjn bug ceb fil fj haw id ilo jv mg mi min ms pag sm su tl to ty war",
    "Dravidian": "kn ml ta te",
    "Indo-European": (
        "af als as ast awa be bg bho bn br bs ca ckb cs cy da de dsb el en es fa fo fr fur fy ga gd gl gu hi hne hr "
        "hsb hy is it kea ks ku la lb li lij lmo lt ltg lv mag mai mk mr nb ne nl nn no oc or pa pap pl prs ps pt ro "
        "ru sa sc scn sd si sk sl sq sr sv szl tg uk ur vec yi"
    ),
    "Japonic": "ja",
    "Kartvelian": "ka",
    "Koreanic": "ko",
    "Kra-Dai": "lo shn th",
    "Language isolate": "eu",
    "Mongolic": "mn",
    "Niger-Congo": (
        "ak bem bm cjk dyu ee ff fon fuv ig kam kbp ki kg kmb lg ln lua mos nd nr nso ny rn rw sg sn ss st sw tn "
        "ts tum tw umb ve wo xh yo zu"
    ),
    "Nilo-Saharan": "din kr luo nus",
    "Quechuan": "qu quy",
    "Sino-Tibetan": "bo dz kac lus mni my yue zh",
    "Tupian": "gn",
    "Turkic": "az azb ba crh cv kk ky sah tk tr tt ug uz",
    "Uralic": "et fi hu se",
    "Aymaran": "ay",
}
"""Families by their codes, as Ethnologue has them: the languages of the usual multilingual corpora."""


@cache
def family_of(tag: str) -> str:
    """Family of a language tag (``hi`` → ``Indo-European``), ``~`` where it is not known here, which sorts last."""
    language = tag.partition("-")[0]
    return next((family for family, codes in _FAMILIES.items() if language in codes.split()), "~")
