"""BCP 47 language tags: checked, normalised, and named."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache

from xlbias.errors import TaskError


@cache
def normalise_tag(tag: str) -> str:
    """Return the BCP 47 form of `tag`: ``EN_us`` → ``en-US``, ``deu`` → ``de``, ``arb`` → ``ar``, ``cmn`` → ``zh``.

    A code of three letters is replaced by that of its macro-language, as everyday tags have it; one that has two
    letters stays, so that Twi (``twi``, ``tw``) does not become Akan. Where a corpus holds both, a language and its
    macro-language, see `normal_tags`. Raises TaskError for a tag that the IANA registry does not know.
    """
    own = _own_tag(tag)
    return own if len(own.partition("-")[0]) == 2 else _standard(own, macro=True)


def normal_tags(tags: Iterable[str]) -> dict[str, str]:
    """Map each of the tags of one corpus to its BCP 47 form, so that languages which the corpus keeps apart stay apart.

    ``deu`` and ``de`` are one language; ``arb`` and ``ar`` are two where both are there, although ``arb`` alone is
    ``ar``. Raises TaskError as `normalise_tag` does.
    """
    normal = {tag: normalise_tag(tag) for tag in tags}
    own: dict[str, set[str]] = {}
    for tag, standard in normal.items():
        own.setdefault(standard, set()).add(_own_tag(tag))
    return {tag: standard if len(own[standard]) == 1 else _own_tag(tag) for tag, standard in normal.items()}


def similar_tags(tags: Iterable[str]) -> list[tuple[str, str]]:
    """Return pairs of tags of which the second says more of the same language: ``pt`` and ``pt-BR``, sorted."""
    known = sorted(set(tags))
    return [(tag, longer) for tag in known for longer in known if longer.startswith(f"{tag}-")]


def divided_tags(queries: Iterable[str], pools: Iterable[str]) -> list[tuple[str, str]]:
    """Return (tag of queries, tag of a pool) of one language, where the queries have no pool under their own tag.

    ``pt`` and ``pt-BR``: they are two languages to every measure, so that these queries have no monolingual cell.
    """
    asked, searched = set(queries), set(pools)
    pairs = [pair for one, other in similar_tags(asked | searched) for pair in ((one, other), (other, one))]
    return sorted((tag, pool) for tag, pool in pairs if tag in asked - searched and pool in searched)


def _own_tag(tag: str) -> str:
    """Return the BCP 47 form of a tag without any macro-language."""
    return _standard(tag, macro=False)


def _standard(tag: str, *, macro: bool) -> str:
    import langcodes  # a tenth of a second, which reading a run can do without

    try:
        standard = langcodes.standardize_tag(tag, macro=macro)
        valid = langcodes.tag_is_valid(standard)
    except ValueError:
        valid = False
    if not valid:
        shown = tag if len(tag) <= 60 else f"{tag[:60]}..."
        raise TaskError(f"unknown language tag {shown!r}: expected a BCP 47 tag such as 'de', 'zh' or 'pt-BR'")
    return standard


@cache
def language_name(tag: str) -> str:
    """English name of a language tag (``th`` → ``Thai``), or the tag itself where Unicode CLDR has no name for it.

    The name is that of the tag and nothing else: ``und`` is an unknown language, although CLDR, asked for a locale,
    takes it for the likeliest one, which is English.
    """
    from babel import Locale

    english = Locale("en")
    code, *rest = tag.split("-")
    name = english.languages.get(code)
    if name is None:
        return tag
    more = [english.scripts.get(part) or english.territories.get(part, part) for part in rest]
    return f"{name} ({', '.join(more)})" if more else str(name)


@cache
def script_of(tag: str) -> str:
    """ISO 15924 code of the script that a language tag is likely written in (``hi`` → ``Deva``), ``Zyyy`` if unknown.

    Chinese is ``Hans`` or ``Hant``; the likely script is that of Unicode CLDR's likely subtags.
    """
    import langcodes

    try:
        known = langcodes.tag_is_valid(tag)
        return (langcodes.get(tag).maximize().script if known else None) or "Zyyy"
    except (ValueError, LookupError):
        return "Zyyy"


_FAMILIES = {
    "Afro-Asiatic": "aa am ar arc ary arz he ha kab mt om shi so ti acm acq aeb ajp apc ars taq",
    "Austroasiatic": "km vi sat",
    "Austronesian": "ace ban bjn bug ceb ch fil fj haw ho id ilo jv mg mh mi min ms na pag sm su tl to ty war",
    "Dravidian": "kn ml ta te",
    "Indo-European": (
        "ae af als an as ast awa be bg bho bi bn br bs ca ckb co cs cu cy da de dsb dv el en es fa fo fr fur fy ga gd "
        "gl gu gv hi hne hr hsb ht hy is it kea ks ku kw la lb li lij lmo lt ltg lv mag mai mk mr nb ne nl nn no oc "
        "or os pa pap pi pl prs ps pt rm ro ru sa sc scn sd sh si sk sl sq sr sv szl tg uk ur vec wa yi"
    ),
    "Eskaleut": "ik iu kl",
    "Japonic": "ja",
    "Kartvelian": "ka",
    "Koreanic": "ko",
    "Kra-Dai": "lo shn th za",
    "Language isolate": "eu",
    "Mongolic": "mn",
    "Na-Dene": "nv",
    "Nakh-Daghestanian": "av ce",
    "Niger-Congo": (
        "ak bem bm cjk dyu ee ff fon fuv hz ig kam kbp kg ki kj kmb lg ln lu lua mos nd ng nr nso ny rn rw sg sn ss st "
        "sw tn ts tum tw umb ve wo xh yo zu"
    ),
    "Nilo-Saharan": "din kr luo nus",
    "Quechuan": "qu quy",
    "Sino-Tibetan": "bo dz ii kac lus mni my yue zh",
    "Tupian": "gn",
    "Turkic": "az azb ba crh cv kk ky sah tk tr tt ug uz",
    "Uralic": "et fi hu kv se",
    "Aymaran": "ay",
    "Abkhaz-Adyge": "ab",
    "Algic": "cr oj",
    "Constructed": "eo ia ie io vo",
}
"""Families by their codes, a table of our own: the languages of the usual multilingual corpora, and of ISO 639-1.

CLDR and langcodes have no families. Of these 253 codes 181 were compared with the World Atlas of Language Structures
(WALS 2020): but for names it says the same, except that creoles, which stand here with the languages that their words
come from, and Mande are apart there, and Nilotic is Eastern Sudanic and Turkic Altaic. The others, among them codes of
macrolanguages, are not in it by code."""


@cache
def family_of(tag: str) -> str:
    """Family of a language tag (``hi`` → ``Indo-European``), ``~`` where it is not known here, which sorts last."""
    language = tag.partition("-")[0]
    return next((family for family, codes in _FAMILIES.items() if language in codes.split()), "~")


@cache
def iso3_and_script(tag: str) -> str:
    """Return a language tag as ISO 639-3 code and script, as mteb writes languages (``de`` → ``deu-Latn``)."""
    import langcodes

    try:
        code = langcodes.get(tag).to_alpha3()
    except (ValueError, LookupError):
        code = tag.partition("-")[0]
    return f"{code}-{script_of(tag)}"
