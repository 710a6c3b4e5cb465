"""Facts about languages: where they are official or spoken, how they are written, counted in and called."""

from __future__ import annotations

import re
from collections.abc import Iterator

from babel import localedata
from babel.core import get_global
from babel.languages import get_territory_language_info
from babel.numbers import format_percent

from xlbias.data.builtin.cldr import LANGUAGES, OFFICIAL, TERRITORIES, TONGUES, locale, named, plain
from xlbias.data.builtin.facts import Fact, draw, some

Names = dict[str, dict[str, str]]

# CLDR lags behind: South Africa and Iraq have more official languages, the others have dropped the one it names.
_OFFICIAL_ELSEWISE = {"BF", "IQ", "ML", "NE", "ZA"}
# CLDR has no plural rules for these yet, which Babel does not tell apart from rules with one category for all numbers.
_NO_PLURAL_RULES = {"mi", "oc", "qu", "rw", "tg", "tt"}
# Written in more than one script today, although CLDR has one locale for them only.
_SEVERAL_SCRIPTS = {"jv", "kk", "mn", "ms", "ku", "tg", "tt", "ug", "tk", "su", "sa", "kok"}


def facts() -> list[Fact]:
    """All facts of ``builtin:language``, in a fixed order."""
    territories = named("territories", get_global("territory_languages"))
    spoken = {language for territory in territories for language in get_territory_language_info(territory)}
    languages = named("languages", {*TONGUES, *LANGUAGES, *spoken})
    tongues = [tongue for tongue in sorted({*TONGUES, *LANGUAGES}) if tongue in languages]
    return [
        *_official(territories, languages),
        *_share(territories, languages),
        *_script(languages, tongues),
        *_about_tongues(languages, tongues),
    ]


def _official(territories: Names, languages: Names) -> Iterator[Fact]:
    sole = {}
    for territory in TERRITORIES:
        if territory not in territories or territory in _OFFICIAL_ELSEWISE:
            continue
        known = get_territory_language_info(territory)
        official = [language for language, info in known.items() if info["official_status"] in OFFICIAL]
        if len(official) == 1 and official[0] in languages:
            sole[territory] = official[0]
    for territory in some(sole, 130, "official"):
        slots = {"territory": territories[territory], "language": languages[sole[territory]]}
        yield Fact("official", territory, territory, slots)


def _share(territories: Names, languages: Names) -> Iterator[Fact]:
    shares = {}
    for territory in TERRITORIES:
        if territory not in territories or territory == "VA":  # CLDR: 82 % speak Latin
            continue
        known = get_territory_language_info(territory)
        heard = {
            f"{territory}-{language}": info["population_percent"]
            for language, info in known.items()
            if language in languages and "_" not in language and 2 <= info["population_percent"] < 100
        }
        shares.update({key: heard[key] for key in some(heard, 2, "share")})
    for key in some(shares, 140, "share"):
        territory, language = key.split("-")
        percent = {
            reader: plain(format_percent(round(shares[key]) / 100, locale=locale(reader))) for reader in LANGUAGES
        }
        slots = {"territory": territories[territory], "language": languages[language], "percent": percent}
        yield Fact("share", key, territory, slots)


def _script(languages: Names, tongues: list[str]) -> Iterator[Fact]:
    several = {*_SEVERAL_SCRIPTS, *_with_script_variants()}
    likely = {tongue: get_global("likely_subtags")[tongue].split("_")[1] for tongue in tongues if tongue not in several}
    scripts = named("scripts", set(likely.values()))
    latin = [tongue for tongue, script in likely.items() if script == "Latn"]
    others = [tongue for tongue, script in likely.items() if script != "Latn" and script in scripts]
    for tongue in sorted([*others, *some(latin, 50, "script")]):
        if any(languages[tongue][reader] == scripts[likely[tongue]][reader] for reader in LANGUAGES):
            continue  # which letters Korean is written with, if they are called Korean, answers itself
        yield Fact("script", tongue, tongue, {"language": languages[tongue], "script": scripts[likely[tongue]]})


def _with_script_variants() -> set[str]:
    """Languages for which CLDR has locales in several scripts, such as Serbian."""
    parts = (identifier.split("_") for identifier in localedata.locale_identifiers())
    return {part[0] for part in parts if len(part) > 1 and len(part[1]) == 4}


def _about_tongues(languages: Names, tongues: list[str]) -> Iterator[Fact]:
    for tongue in tongues:
        own = locale(tongue)
        name = {"language": languages[tongue]}
        right_to_left = own.character_order == "right-to-left"
        if right_to_left or draw("direction", tongue) % 5 < 2:
            yield Fact("direction", tongue, tongue, name, wording="direction_rtl" if right_to_left else "direction_ltr")
        if tongue not in _NO_PLURAL_RULES and draw("plural", tongue) % 10 < 8:
            # Babel's rules leave out "other", which every language has.
            yield Fact("plural", tongue, tongue, {**name, "count": str(len(own.plural_form.rules) + 1)})
        if tongue in LANGUAGES:
            continue  # what a language calls itself, asked in that language, answers itself
        endonym = plain(own.languages.get(tongue, ""))
        if endonym and not any(endonym.casefold() in text.casefold() for text in languages[tongue].values()):
            yield Fact("endonym", tongue, tongue, {**name, "endonym": endonym})
        word = _conjunction(own.list_patterns["standard"]["2"])
        if word and word != "and":  # English stands in where CLDR has no translation yet (Uyghur)
            yield Fact("conjunction", tongue, tongue, {**name, "word": word})


def _conjunction(pattern: str) -> str | None:
    """The word for "and" in a list pattern such as ``{0} und {1}``, or None where it is no word of its own."""
    match = re.fullmatch(r"\{0\} (\S+) \{1\}", plain(pattern))
    return match.group(1) if match and re.fullmatch(r"[^\W\d_]+", match.group(1).replace("\u0d4d", "")) else None
