"""Real, and does it survive? What a sampler changed in a study at home and away, and how much of it is lost."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from xlbias.measures.registry import measure_of
from xlbias.results.findings.context import Context
from xlbias.results.findings.finding import Destination, Finding, Number
from xlbias.results.written import difference_interval, named, said_of_p, signed_text

KINDS = ("sampler",)

_WHERE = {"home": "at home", "away": "away from home", "lost": "at home more than away"}
_SAID = {
    "better": "confirmed, better",
    "worse": "confirmed, worse",
    "equal": "equal, as it is sure to lie within the margin of the plan",
    "unclear": "unclear: these ids and trainings cannot tell",
}
_LOST = {
    "better": "confirmed, the gain is lost",
    "worse": "confirmed, there is more away",
    "equal": "kept, as it is sure to lie within the margin of the plan",
}
_SMALL = ", but sure to lie within the margin of the plan"
_TOLD = ("map", "cross-lingual", "all")
"""What is told of a study that names no primary contrasts."""


def found(context: Context) -> Iterator[Finding]:
    """Yield the answer to every question that the plan of a study names, in its order."""
    frame = context.answers
    if frame is None:
        return
    tested = [row for row in frame.iter_rows(named=True) if row["verdict"] in _SAID]
    if context.planned:
        tested.sort(key=lambda row: context.planned.index(_name(row)))
    else:
        tested = [row for row in tested if (row["measure"], row["setting"], row["cells"]) == _TOLD]
    for number, row in enumerate(tested):
        about, over = measure_of(row["measure"]), row["over"]
        words = (_SAID | _LOST if over == "lost" else _SAID)[row["verdict"]]
        words += _SMALL if row["within"] and row["verdict"] in ("better", "worse") else ""
        what = named(row["measure"], row["setting"]) + (" (trained languages)" if row["cells"] == "trained" else "")
        difference = signed_text(row["difference"], about)
        ends = difference_interval(row["low"], row["high"], about)
        sentence = f"{what} {difference} {ends} {_WHERE[over]}, {said_of_p(row['p_corrected'], None)}: {words}."
        yield Finding(
            "sampler", "real" if over == "home" else "survives", sentence, float(len(tested) - number),
            Destination("domains", "overview", row["measure"]), row["new"], None, row["base"],
            numbers=(
                Number(
                    row["measure"], row["difference"], row["low"], row["high"], row["n_pairs"], row["p_corrected"],
                    row["new"], None, row["setting"], base=row["base"], role=over,
                ),
            ),
            concern=row["verdict"] == ("better" if over == "lost" else "worse"),
        )  # fmt: skip


def _name(row: dict[str, Any]) -> tuple[object, ...]:
    """Return a question as `Context.planned` names it."""
    return tuple(row[key] for key in ("base", "new", "measure", "setting", "over", "cells"))
