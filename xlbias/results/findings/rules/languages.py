"""For whom bad? Query and passage languages whose mean is significantly below that of the others."""

from __future__ import annotations

from collections.abc import Iterator

from xlbias.results.findings.context import Context, some
from xlbias.results.findings.finding import Destination, Finding, Number
from xlbias.results.findings.language_gaps import RESOLUTION, Gap
from xlbias.results.written import largest_p, number
from xlbias.runs.run_info import TaskInfo

KINDS = ("query_language", "passage_language")

_NAMED = 4


def found(context: Context) -> Iterator[Finding]:
    """Yield for every encoder, task and side the languages that are served worse than the others, the worst first."""
    limits = context.thresholds
    for model, task in context.ranked:
        gaps = context.gaps(model.name, task.name)
        for side in ("query", "passage"):
            worse = [
                gap
                for gap in gaps
                if gap.side == side
                and gap.p is not None
                and gap.p < limits.significance
                and gap.difference <= -limits.language_gap * gap.others
                and gap.difference < 0
            ]
            if not worse:
                continue
            worse.sort(key=lambda gap: (gap.value, gap.language))
            numbers = tuple(n for gap in worse for n in _numbers(gap, model.name, task.name))
            first = worse[0]
            named = some([f"{gap.language} {number(gap.value)}" for gap in worse], _NAMED)
            largest = max(gap.p for gap in worse if gap.p is not None)
            sentence = (
                f"{'queries' if side == 'query' else 'passages'} in {named} have lower mAP than other languages "
                f"({first.language}: {number(first.difference)}{_ends(first)} from their {number(first.others)}, "
                f"{largest_p(largest, RESOLUTION)}){_pool(first, task, limits.pool_ratio)}."
            )
            place = Destination(
                "matrix", "matrix", "map",
                query_language=first.language if side == "query" else None,
                passage_language=first.language if side == "passage" else None,
            )  # fmt: skip
            yield Finding(
                f"{side}_language", "for whom", sentence, -first.difference / first.others, place, model.name,
                task.name, languages=tuple(gap.language for gap in worse), numbers=numbers,
                short=_short(first, "queries" if side == "query" else "passages", len(worse) - 1),
            )  # fmt: skip


def _pool(gap: Gap, task: TaskInfo, least: float) -> str:
    """Return that a language has many more passages than the others, where it has: it has more rivals to an answer."""
    others = [size for language, size in task.pool_sizes.items() if language != gap.language]
    if gap.side == "query" or not any(others):
        return ""
    ratio = task.pool_sizes.get(gap.language, 0) * len(others) / sum(others)
    return f"; {gap.language} has {ratio:.1f} times as many passages as they have" if ratio >= least else ""


def _short(gap: Gap, side: str, n_more: int) -> str:
    more = f", {n_more} more" if n_more else ""
    return f"{gap.language} {side}: mAP {number(gap.value)} (others {number(gap.others)}){more}."


def _ends(gap: Gap) -> str:
    return "" if gap.low is None or gap.high is None else f" [{number(gap.low)}, {number(gap.high)}]"


def _numbers(gap: Gap, model: str, task: str) -> Iterator[Number]:
    where = {f"{gap.side}_language": gap.language}
    yield Number("map", gap.value, n=gap.n, encoder=model, task=task, role="mean of its cells", **where)  # type: ignore[arg-type]
    yield Number(
        "map", gap.difference, gap.low, gap.high, gap.n, gap.p, model, task,
        role="difference from other languages", **where,
    )  # fmt: skip
    yield Number("map", gap.others, n=gap.n, encoder=model, task=task, role="mean of other languages", **where)  # type: ignore[arg-type]
