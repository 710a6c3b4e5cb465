"""`xlbias measures`: every measure with its definition, range and source."""

from __future__ import annotations

import json
import math
import shutil
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from xlbias.cli.groups import Command
from xlbias.cli.output import print_document
from xlbias.cli.values import Choice, Word, measures

if TYPE_CHECKING:
    from xlbias.measures.measure import Measure

EXAMPLE = """\b
Examples:
  xlbias measures
  xlbias measures rank_distance
  xlbias measures --format json | jq -r '.measures[].name'
  xlbias measures --format markdown > measures.md
"""
SCHEMA = 1

_FAMILIES = {
    "quality": "Quality of a ranking",
    "bias": "Bias between languages, in the multilingual pool",
    "alignment": "Alignment of vectors; in a run passages.NAME and queries.NAME",
    "seen": "Seen in training",
    "texts": "Texts as an encoder reads them; in a run passages.NAME and queries.NAME",
}
_OF_SIDES = ("alignment", "texts")
_BETTER = {"high": "high", "low": "low", "neither": "neither: opposite goals are both legitimate"}


@click.command(cls=Command, epilog=EXAMPLE)
@click.argument("name", type=Word(measures), required=False)
@click.option("--format", "form", type=Choice(["text", "markdown", "json"]), default="text", show_default=True)
@click.option("--long", is_flag=True, help="Everything about each measure: source, unit, when it is undefined.")
def command(name: str | None, form: str, long: bool) -> None:
    """List every measure, or show all about the one with this NAME."""
    from xlbias.measures.registry import all_measures

    found = list(all_measures().values()) if name is None else [_named(name)]
    if form == "json":
        text = json.dumps({"schema": SCHEMA, "measures": [_as_json(one) for one in found]}, indent=2)
    elif form == "markdown":
        text = "\n".join(_markdown(found))
    else:
        columns = max(60, min(100, shutil.get_terminal_size((80, 24)).columns))
        text = "\n".join(_long(found, columns) if long or name is not None else _short(found, columns))
    print_document(f"{text}\n", form)


def _named(name: str) -> Measure:
    from xlbias.choices import listed, suggestion
    from xlbias.errors import UsageError
    from xlbias.measures.registry import all_measures

    known = all_measures()
    side, _, rest = name.partition(".")
    measure = known.get(name)
    if measure is None and side in ("passages", "queries") and rest in known and known[rest].family in _OF_SIDES:
        measure = known[rest]
    if measure is None:
        raise UsageError(
            f"no measure {name!r}{suggestion(name, known) or f': choose from {listed(known, len(known))}'}"
        )
    return measure


def _short(found: Sequence[Measure], columns: int) -> list[str]:
    from xlbias.report.formats.columns import cut_all, table, wrapped

    rows = table(
        ["measure", "label", "better", "range"],
        [[one.name, one.label, one.better, _range(one)] for one in found],
        left=4,
    )
    head, *rows = cut_all(rows, columns)
    lines: list[str] = []
    family = None
    for one, row in zip(found, rows, strict=True):
        if one.family != family:
            family = one.family
            lines += ["", _FAMILIES[family], "", head] if lines else [_FAMILIES[family], "", head]
        lines += [row, *wrapped(one.definition, columns)]
    return lines


def _long(found: Sequence[Measure], columns: int) -> list[str]:
    from xlbias.report.formats.columns import wrapped

    lines: list[str] = []
    for one in found:
        taken = f"{one.statistic} over queries"
        if one.family == "alignment":
            taken = "over languages or pairs of languages"
        elif one.family == "texts":
            taken = "over all texts, and those of each language"
        elif one.family == "seen":
            taken = "counted over a task"
        elif one.statistic == "derived":
            taken = "from means of another measure"
        facts = {
            "definition": one.definition,
            "range": _range(one),
            "better": _BETTER[one.better],
            "undefined": one.undefined or "never",
            "taken": taken,
            "source": one.source,
        }
        lines += [""] if lines else []
        lines.append(f"{one.name} ({one.label}), {one.family}")
        for label, fact in facts.items():
            text = wrapped(fact, columns - 12)
            lines += [f"  {label if i == 0 else '':<10}{line}" for i, line in enumerate(text)]
    return lines


def _markdown(found: Sequence[Measure]) -> list[str]:
    """Return a table for each family."""
    lines: list[str] = []
    for family in dict.fromkeys(one.family for one in found):
        lines += [""] if lines else []
        lines += [f"## {_FAMILIES[family]}", "", "| name | is | range | better | undefined | source |"]
        lines.append("|---|---|---|---|---|---|")
        for one in found:
            if one.family == family:
                cells = (f"`{one.name}`", one.definition, _range(one), one.better, one.undefined or "never", one.source)
                lines.append(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |")
    return lines


def _range(measure: Measure) -> str:
    return f"{measure.range} ({measure.unit})" if measure.unit else measure.range


def _as_json(measure: Measure) -> dict[str, Any]:
    """Return a measure as stable JSON; an end of the range that does not exist is null."""
    low, high = (value if math.isfinite(value) else None for value in (measure.low, measure.high))
    fields = ("name", "label", "family", "definition", "better", "unit", "undefined", "statistic", "source")
    return {**{field: getattr(measure, field) for field in fields}, "low": low, "high": high}
