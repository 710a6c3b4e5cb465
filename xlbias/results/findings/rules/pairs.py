"""For whom bad? The pairs of query and passage language whose mAP is far below the mean of their setting."""

from __future__ import annotations

from collections.abc import Iterator

from xlbias.results.by_key import keys_of
from xlbias.results.findings.context import Context, said
from xlbias.results.findings.finding import Destination, Finding, Number
from xlbias.results.per_query import Key
from xlbias.runs.schema import SETTING_SHORT

KINDS = ("worst_pair",)

_NAMED = 3


def found(context: Context) -> Iterator[Finding]:
    """Yield for every encoder, task and setting of single pools the pairs that are far below its mean."""
    level = context.thresholds.pair_level
    for model, task in context.ranked:
        for setting in ("monolingual", "cross-lingual"):
            mean = context.number(model.name, task.name, Key("map", setting))
            if mean is None or not mean.value:
                continue
            cells = [
                number
                for key in keys_of(context.numbers(model.name, task.name), "map")
                if key.setting == setting and key.query_language and key.passage_language
                if (number := context.number(model.name, task.name, key)) is not None
            ]
            below = [one for one in cells if one.high is not None and one.high < level * mean.value]
            if not below:
                continue
            below.sort(key=lambda one: (one.value or 0.0, _pair(one)))
            named = ", ".join(f"{_pair(one)} {said(one)}" for one in below[:_NAMED])
            more = f", and {len(below) - _NAMED} more of {len(cells)} pairs" if len(below) > _NAMED else ""
            sentence = (
                f"{named}{more}: below {level:.0%} of the mean mAP {SETTING_SHORT[setting]}, {said(mean)}."
            ).replace("%", " %")
            worst = below[0]
            yield Finding(
                "worst_pair", "for whom", sentence, (1 - (worst.value or 0.0) / mean.value) / 4,
                Destination("matrix", "matrix", "map", worst.query_language, worst.passage_language),
                model.name, task.name,
                languages=tuple(dict.fromkeys(filter(None, (worst.query_language, worst.passage_language)))),
                numbers=(*below, mean),
                short=f"{_pair(worst)} {said(worst, with_interval=False)}, mean {said(mean, with_interval=False)}.",
            )  # fmt: skip


def _pair(one: Number) -> str:
    return f"{one.query_language}→{one.passage_language}"
