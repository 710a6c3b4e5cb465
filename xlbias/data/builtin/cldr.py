"""What the embedded tasks take from Unicode CLDR through Babel: names in eleven languages and facts of locales."""

from __future__ import annotations

import datetime
import pickle
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable
from functools import cache
from importlib.util import find_spec, module_from_spec
from types import SimpleNamespace
from typing import IO, Any

import babel.localedata
from babel import Locale
from babel.core import get_global
from babel.languages import get_territory_language_info

LANGUAGES = ("ar", "de", "el", "en", "es", "hi", "ru", "th", "tr", "vi", "zh")

# Facts that change with time are those of this day, whatever day it is: the content of a task must not drift.
REFERENCE_DATE = datetime.date(2025, 1, 1)

OFFICIAL = {"official", "de_facto_official"}

TERRITORIES = (
    "AD AE AF AL AM AO AR AT AU AZ BA BB BD BE BF BG BH BI BJ BN BO BR BS BT BW BY BZ CA CD CF CG CH CI CL CM CN CO CR "
    "CU CV CY CZ DE DJ DK DO DZ EC EE EG ER ES ET FI FJ FR GA GB GE GH GM GN GQ GR GT GW GY HN HR HT HU ID IE IL IN "
    "IQ IR IS IT JM JO JP KE KG KH KM KP KR KW KZ LA LB LI LK LR LS LT LU LV LY MA MC MD ME MG MK ML MM MN MR MT MU "
    "MV MW MX MY MZ NA NE NG NI NL NO NP NZ OM PA PE PG PH PK PL PT PY QA RO RS RU RW SA SC SD SE SG SI SK SL SM SN "
    "SO SR ST SV SY SZ TD TG TH TJ TL TM TN TR TT TW TZ UA UG US UY UZ VA VE VN YE ZA ZM ZW"
).split()

# Languages with locale data of their own and a name in all eleven languages.
TONGUES = (
    "af am as ast az be bg bn br bs ca ceb cs cy da eo et eu fa fi fil fo fr fur fy ga gd gl gu ha he hr hsb hu hy id "
    "ig is it ja jv ka kk km kn ko kok ky lb ln lo lt lv mg mi mk ml mn mr ms mt my nb ne nl nn oc om or os pa pl ps "
    "pt qu rm ro rw sa sc sd se si sk sl so sq sr su sv sw ta te tg ti tk to tt ug uk ur uz wo xh yi yo zu"
).split()

# English puts an article before some territories (and "the" is no part of the name in CLDR).
_ENGLISH_ARTICLE = re.compile(
    r"United .*|.* (Islands|Republic|Territories)|Netherlands|Philippines|Bahamas|Maldives|Seychelles|Gambia|Comoros"
)
# Vietnamese writes these class words small inside a sentence, CLDR big as in a list.
_VIETNAMESE_CLASS_WORD = re.compile(r"^(Tiếng|Chữ) ")


def plain(text: str) -> str:
    """`text` without direction marks and other invisible format characters, and with ordinary spaces only.

    Zero-width joiners stay: Persian and Indic spelling needs them.
    """
    visible = (char for char in text if unicodedata.category(char) != "Cf" or char in "\u200c\u200d")
    return " ".join("".join(visible).split())


@cache
def locale(identifier: str) -> Locale:
    """Babel's locale for an identifier such as ``de`` or ``pt_BR``."""
    return Locale.parse(identifier)


def names(field: str, code: str) -> dict[str, str] | None:
    """Names of `code` in all eleven languages, or None where CLDR lacks one of them.

    `field` is one of Babel's tables: ``territories``, ``currencies``, ``languages``, ``scripts``.
    """
    found = {language: getattr(locale(language), field).get(code) for language in LANGUAGES}
    if not all(found.values()):
        return None
    found = {language: plain(name) for language, name in found.items()}
    if field == "territories" and _ENGLISH_ARTICLE.fullmatch(found["en"]):
        found["en"] = f"the {found['en']}"
    found["vi"] = _VIETNAMESE_CLASS_WORD.sub(lambda match: match.group().lower(), found["vi"])
    return found


def named(field: str, codes: Iterable[str]) -> dict[str, dict[str, str]]:
    """`names` of all `codes` that have a name in every language which no other of them has, in sorted order.

    Names with digits, such as "Zambian Kwacha (1968–2012)", are left out: they give answers away.
    """
    table = {code: found for code in sorted(set(codes)) if (found := names(field, code))}
    taken = Counter((language, name.casefold()) for found in table.values() for language, name in found.items())
    return {
        code: found
        for code, found in table.items()
        if not any(taken[language, name.casefold()] > 1 or re.search(r"\d", name) for language, name in found.items())
    }


@cache
def home_locale(territory: str) -> Locale | None:
    """The locale of a territory in its likeliest language, or None if that language has no official status there."""
    language, script, _ = get_global("likely_subtags").get(f"und_{territory}", f"en_Latn_{territory}").split("_")
    status = get_territory_language_info(territory)
    if status.get(language, status.get(f"{language}_{script}", {})).get("official_status") not in OFFICIAL:
        return None
    for identifier in (f"{language}_{territory}", f"{language}_{script}_{territory}"):
        if babel.localedata.exists(identifier):
            return locale(identifier)
    return None


def weekdays(identifier: str) -> list[str] | None:
    """Names of the seven weekdays in a language, Monday first, as a dictionary lists them; None if CLDR lacks them."""
    return _standing_alone(identifier, "days", range(7))


def months(identifier: str) -> list[str] | None:
    """Names of the twelve months in a language, as a dictionary lists them; None if CLDR lacks them."""
    return _standing_alone(identifier, "months", range(1, 13))


def era_mark(identifier: str) -> str:
    """What follows or precedes a year before the common era in a language; ``BCE`` where CLDR has nothing better."""
    return plain(look_up(identifier, "eras", "abbreviated")[0])


def afternoon_mark(identifier: str) -> str:
    """What marks the second half of the day on a twelve-hour clock in a locale."""
    tables = (look_up(identifier, "day_periods", "format", width) for width in ("wide", "abbreviated"))
    return plain(next(table["pm"] for table in tables if "pm" in table))


def _standing_alone(identifier: str, field: str, numbers: Iterable[int]) -> list[str] | None:
    table = look_up(identifier, field, "stand-alone", "wide")
    found = [plain(table[number]) for number in numbers]
    placeholders = look_up("root", field, "stand-alone", "wide").values()
    return None if any(name in placeholders for name in found) else found


_LOOKED_UP = ("months", "days", "eras", "day_periods")


def look_up(identifier: str, *path: str) -> dict[Any, Any]:
    """The table at `path` in Babel's data of a locale, following aliases without writing anything.

    `path` begins with one of `_LOOKED_UP`.
    """
    node = root = _loader().load(identifier)
    for key in path:
        node = _resolved(node[key], root)
    table: dict[Any, Any] = node
    return table


def _resolved(node: Any, root: dict[Any, Any]) -> Any:
    if isinstance(node, babel.localedata.Alias):
        found = root
        for key in node.keys:
            found = _resolved(found[key], root)
        return found
    if isinstance(node, tuple):  # an alias, and the entries that differ from it
        alias, others = node
        return {**_resolved(alias, root), **others}
    return node


@cache
def _loader() -> Any:
    """Babel's loader of locale data with a cache that nobody else writes to.

    Babel (2.18) keeps a resolved alias in a dictionary which locales share, so that a locale without standalone names
    of its own has those of whichever locale was asked before: Guaraní shows Frisian weekdays. What the tasks say must
    not depend on what else a process did with Babel.

    It keeps the tables that are looked up and no others: what a locale inherits is copied table by table, and most of a
    locale is names of languages, territories and places.
    """
    spec = find_spec("babel.localedata")
    assert spec is not None and spec.loader is not None  # it is imported above
    loader = module_from_spec(spec)
    spec.loader.exec_module(loader)
    loader.Alias = babel.localedata.Alias  # type: ignore[attr-defined]  # the class that Babel's files name
    loader.pickle = SimpleNamespace(load=_looked_up_of)  # type: ignore[attr-defined]
    return loader


def _looked_up_of(file: IO[bytes]) -> dict[str, Any]:
    """What is looked up of a file of Babel's."""
    content = pickle.load(file)  # noqa: S301  # it comes with the library
    return {field: content[field] for field in _LOOKED_UP if field in content}
