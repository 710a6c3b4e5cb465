"""Facts about the calendar: weeks, dates and clocks in territories, names of months, weekdays and eras in languages."""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterator
from typing import Any, TypeGuard

from babel.dates import format_date
from babel.lists import format_list

from xlbias.data.builtin.cldr import (
    LANGUAGES,
    TERRITORIES,
    TONGUES,
    afternoon_mark,
    era_mark,
    home_locale,
    locale,
    months,
    named,
    plain,
    weekdays,
)
from xlbias.data.builtin.facts import Fact, draw, some

Names = dict[str, dict[str, str]]
Slots = dict[str, str | dict[str, str]]

SATURDAY_AND_SUNDAY = (5, 6)  # Babel counts weekdays from Monday = 0
# Babel knows the Gregorian calendar only, and these territories write dates by another one.
_OTHER_CALENDAR = {"AF", "ET", "IR", "NP", "SA", "TH"}
_VIETNAMESE_CLASS_WORD = re.compile(r"^(Tháng|Thứ) ")


def facts() -> list[Fact]:
    """All facts of ``builtin:calendar``, in a fixed order."""
    territories = named("territories", TERRITORIES)
    homes = {territory: home for territory in territories if (home := home_locale(territory)) is not None}
    # Babel writes European digits only, so it does not know how dates look where others are usual.
    written = {
        territory: home
        for territory, home in homes.items()
        if home.default_numbering_system == "latn" and territory not in _OTHER_CALENDAR
    }
    languages = named("languages", [tongue for tongue in TONGUES if tongue not in LANGUAGES])
    return [
        *_weeks(territories, homes),
        *_dates(territories, written),
        *_clocks(territories, written),
        *_names_in(languages),
    ]


def _weeks(territories: Names, homes: dict[str, Any]) -> Iterator[Fact]:
    day_names = _day_names()
    for territory in some(homes, 110, "weekstart"):
        first = homes[territory].first_week_day
        slots = {
            "territory": territories[territory],
            "first": _nth(day_names, first),
            "last": _nth(day_names, first - 1),
        }
        yield Fact("weekstart", territory, territory, slots)
    weekends = {territory: (home.weekend_start, home.weekend_end) for territory, home in homes.items()}
    usual = [territory for territory, days in weekends.items() if days == SATURDAY_AND_SUNDAY]
    for territory in sorted([*(weekends.keys() - set(usual)), *some(usual, 55, "weekend")]):
        start, end = weekends[territory]
        free = [_nth(day_names, start + offset) for offset in range((end - start) % 7 + 1)]
        days = {
            language: plain(format_list([day[language] for day in free], locale=locale(language)))
            for language in LANGUAGES
        }
        yield Fact("weekend", territory, territory, {"territory": territories[territory], "days": days})


def _dates(territories: Names, homes: dict[str, Any]) -> Iterator[Fact]:
    for territory in some(homes, 100, "date"):
        asked, told = _date("asked", territory), _date("told", territory)
        if asked.month == told.month:
            told = told.replace(month=told.month % 12 + 1)
        slots: Slots = {
            "territory": territories[territory],
            "date": _in_full(asked),
            "long": _in_full(told),
            "short": plain(format_date(told, "short", locale=homes[territory])),
        }
        yield Fact("date", territory, territory, slots)


def _date(purpose: str, territory: str) -> datetime.date:
    """A day whose number cannot be taken for that of a month, so that the order of the figures shows."""
    return datetime.date(
        2013 + draw(purpose, "year", territory) % 15,
        1 + draw(purpose, "month", territory) % 12,
        13 + draw(purpose, "day", territory) % 16,
    )


def _in_full(day: datetime.date) -> dict[str, str]:
    return {language: plain(format_date(day, "long", locale=locale(language))) for language in LANGUAGES}


def _clocks(territories: Names, homes: dict[str, Any]) -> Iterator[Fact]:
    for territory in some(homes, 100, "clock"):
        time = _evening(homes[territory], 19 + draw("hour", territory) % 4, 5 * (3 + draw("minute", territory) % 9))
        if time:
            yield Fact("clock", territory, territory, {"territory": territories[territory], "time": time})


def _evening(home: Any, hour: int, minute: int) -> str | None:
    """A time after noon as a locale writes it, or None where its pattern has parts other than hour, minute, half-day.

    Not by Babel's own format_time, whose words for the halves of the day depend on what was asked before: see
    `xlbias.data.builtin.cldr`.
    """
    pattern = plain(home.time_formats["short"].pattern)
    if not re.fullmatch(r"[ahHm.: ]+", pattern):
        return None
    written = {"H": str(hour), "HH": str(hour), "h": str(hour - 12), "hh": f"{hour - 12:02}", "mm": f"{minute:02}"}
    if "a" in pattern:
        written["a"] = afternoon_mark(str(home))
    return re.sub(r"[a-zA-Z]+", lambda field: written[field.group()], re.sub(r"a(?=h)", "a ", pattern))


def _names_in(languages: Names) -> Iterator[Fact]:
    """At most two months, two weekdays and the mark of early years in each of sixty-five languages.

    All from the same languages, so that a passage about the right language is not yet the right passage.
    """
    month_names = {language: _in_running_text(months(language) or []) for language in LANGUAGES}
    day_names = _day_names()
    own_months = {tongue: names for tongue in languages if _distinct(names := months(tongue))}
    own_days = {tongue: names for tongue in languages if _distinct(names := weekdays(tongue))}
    for tongue in some(own_months.keys() & own_days.keys(), 65, "names"):
        name = {"language": languages[tongue]}
        for number in _two_of(_telling(own_months[tongue], month_names), "month", tongue):
            around = {"previous": -1, "month": 0, "next": 1}
            slots: Slots = {slot: _nth(month_names, number + step) for slot, step in around.items()}
            slots |= {**name, "name": own_months[tongue][number], "number": str(number + 1)}
            yield Fact("month", f"{tongue}-{number + 1}", tongue, slots)
        for number in _two_of(_telling(own_days[tongue], day_names), "weekday", tongue):
            around = {"previous": -1, "day": 0, "next": 1}
            slots = {slot: _nth(day_names, number + step) for slot, step in around.items()}
            slots |= {**name, "name": own_days[tongue][number]}
            yield Fact("weekday", f"{tongue}-{number + 1}", tongue, slots)
        mark = era_mark(tongue)
        if mark != era_mark("root"):
            yield Fact("era", tongue, tongue, {**name, "mark": mark})


def _day_names() -> dict[str, list[str]]:
    return {language: _in_running_text(weekdays(language) or []) for language in LANGUAGES}


def _in_running_text(own: list[str]) -> list[str]:
    """Names as they read within a sentence: Vietnamese writes its class words big in a list only."""
    return [_VIETNAMESE_CLASS_WORD.sub(lambda match: match.group().lower(), name) for name in own]


def _distinct(own: list[str] | None) -> TypeGuard[list[str]]:
    """Whether these are names that tell months or weekdays apart; "month 3" is none."""
    return own is not None and len(set(own)) == len(own) and not any(re.search(r"\d", name) for name in own)


def _telling(own: list[str], asked: dict[str, list[str]]) -> list[int]:
    """Numbers of the names that no question can give away: Luxembourgish for "August" is "August"."""
    return [
        number
        for number, name in enumerate(own)
        if not any(name.casefold() in names[number].casefold() for names in asked.values())
    ]


def _two_of(numbers: list[int], *words: str) -> list[int]:
    return sorted(sorted(numbers, key=lambda number: draw(*words, number))[:2])


def _nth(table: dict[str, list[str]], number: int) -> dict[str, str]:
    """The name of one month or weekday in all languages; after the last comes the first."""
    return {language: own[number % len(own)] for language, own in table.items()}
