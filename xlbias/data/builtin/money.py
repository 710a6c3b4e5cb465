"""Facts about money: currencies of territories now and in the past, their codes, signs, decimals and notation."""

from __future__ import annotations

import datetime
from collections import Counter
from collections.abc import Iterator

from babel.core import get_global
from babel.numbers import format_decimal, get_currency_precision, get_territory_currencies

from xlbias.data.builtin.cldr import LANGUAGES, REFERENCE_DATE, TERRITORIES, home_locale, locale, named, plain
from xlbias.data.builtin.facts import Fact, draw, pick, some

Names = dict[str, dict[str, str]]

# CLDR calls the German mark "Dutch" in Hindi and the Slovak koruna "of Slovenia" in Greek.
_MISNAMED = {"DEM", "SKK"}


def facts() -> list[Fact]:
    """All facts of ``builtin:money``, in a fixed order."""
    territories = named("territories", get_global("territory_currencies"))
    currencies = named("currencies", set(get_global("all_currencies")) - _MISNAMED)
    present = {territory: _tender(territory, REFERENCE_DATE, REFERENCE_DATE) for territory in territories}
    current = sorted({code for codes in present.values() for code in codes} & currencies.keys())
    return [
        *_now(territories, currencies, present),
        *_past(territories, currencies),
        *_notation_in_territories(territories),
        *_about_currencies(currencies, current, present),
    ]


def _tender(territory: str, start: datetime.date, end: datetime.date) -> set[str]:
    """Codes of all currencies that were legal tender on some day from `start` to `end`."""
    return set(get_territory_currencies(territory, start, end))


def _now(territories: Names, currencies: Names, present: dict[str, set[str]]) -> Iterator[Fact]:
    users = Counter(code for codes in present.values() for code in codes)
    sole = {code for code, count in users.items() if count == 1}
    for territory in TERRITORIES:
        if territory not in territories or len(present[territory]) != 1:
            continue
        (code,) = present[territory]
        if code in currencies:
            ask_where = code in sole and draw("where", code) % 2 == 0
            yield Fact(
                kind="now",
                key=territory,
                document=territory,
                slots={"territory": territories[territory], "currency": currencies[code]},
                questions=("now", "where") if ask_where else ("now",),
            )


def _past(territories: Names, currencies: Names) -> Iterator[Fact]:
    for territory in sorted(territories):
        spans = get_territory_currencies(territory, datetime.date.min, REFERENCE_DATE, include_details=True)
        times_used = Counter(span["currency"] for span in spans)
        for span in spans:
            code, start, end = span["currency"], span["from"], span["to"]
            if code not in currencies or times_used[code] > 1 or start is None or end is None or end > REFERENCE_DATE:
                continue
            # Only years in which nothing else was legal tender have one right answer.
            years = [
                year
                for year in range(start.year + 1, end.year)
                if _tender(territory, datetime.date(year, 1, 1), datetime.date(year, 12, 31)) == {code}
            ]
            if years:
                yield Fact(
                    kind="past",
                    key=f"{territory}-{code}",
                    document=territory,
                    slots={
                        "territory": territories[territory],
                        "currency": currencies[code],
                        "start": str(start.year),
                        "end": str(end.year),
                        "year": str(pick(years, "past", territory, code)),
                    },
                    questions=("past", "until"),
                )


def _notation_in_territories(territories: Names) -> Iterator[Fact]:
    homes = {
        territory: home
        for territory in TERRITORIES
        if territory in territories
        and (home := home_locale(territory)) is not None
        and home.default_numbering_system == "latn"  # Babel writes European digits only
    }
    for territory in some(homes, 80, "place"):
        pattern = homes[territory].currency_formats["standard"].pattern
        yield Fact(
            kind="place",
            key=territory,
            document=territory,
            slots={"territory": territories[territory]},
            wording="place_before" if pattern.index("¤") < pattern.index("0") else "place_after",
        )
    for territory in some(homes, 80, "thousands"):
        amount = 2_000_000 + draw("amount", territory) % 7_000_000
        yield Fact(
            kind="thousands",
            key=territory,
            document=territory,
            slots={
                "territory": territories[territory],
                "example": plain(format_decimal(amount, locale=homes[territory])),
            },
        )


def _about_currencies(currencies: Names, current: list[str], present: dict[str, set[str]]) -> Iterator[Fact]:
    # The country letters at the head of most codes tell where a currency is at home: JPY, CHF, SEK.
    home = {code: code[:2] for code in current if code in present.get(code[:2], ())}
    document = {code: home.get(code, code) for code in current}
    for code in some(current, 80, "code"):
        yield Fact("code", code, document[code], {"currency": currencies[code], "code": code})
    symbols = {code: _symbol_at_home(code, territory) for code, territory in home.items()}
    for code in some((code for code in symbols if symbols[code] != code), 75, "symbol"):
        yield Fact("symbol", code, document[code], {"currency": currencies[code], "symbol": symbols[code]})
    for code in _varied_decimals(current):
        digits = get_currency_precision(code)
        amount = 100 + draw("sum", code) % 900 + (0.25 if digits else 0)
        pattern = "0" + "." * bool(digits) + "0" * digits
        written = {
            slot: {own: plain(format_decimal(number, format=pattern, locale=locale(own))) for own in LANGUAGES}
            for slot, number in (("example", amount), ("smallest", 10**-digits))
        }
        yield Fact("decimals", code, document[code], {"currency": currencies[code], **written})


def _symbol_at_home(code: str, territory: str) -> str:
    """The sign that a currency has where it comes from, without a country's letters ("¥", not "JP¥"); else its code."""
    home = home_locale(territory)
    return plain(home.currency_symbols.get(code, code)) if home else code


def _varied_decimals(current: list[str]) -> list[str]:
    """All currencies with an unusual number of decimals, and as many more of the usual two as make eighty."""
    unusual = [code for code in current if get_currency_precision(code) != 2]
    usual = [code for code in current if code not in unusual]
    return sorted([*unusual, *some(usual, 80 - len(unusual), "decimals")])
