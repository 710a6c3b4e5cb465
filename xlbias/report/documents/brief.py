"""The report on one screen: what a run says first, then a table with a row per encoder and task."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from xlbias.errors import XlbiasError
from xlbias.measures.registry import measures
from xlbias.report.documents.audit_text import to_text
from xlbias.report.documents.caveats import mark_of
from xlbias.report.documents.findings import answers_that_fit, how_to_see_more, lines
from xlbias.report.documents.study_brief import study_brief
from xlbias.report.documents.wording import about_run, about_task, name_of
from xlbias.report.formats.columns import cut_all, names_left
from xlbias.report.numbers import NOTHING, number
from xlbias.results.caveats import caveats
from xlbias.results.findings import Finding, findings
from xlbias.results.levels import chance_levels
from xlbias.results.overview import overview
from xlbias.results.run import Run
from xlbias.results.study.design import Study, compared_arms, read_study
from xlbias.results.written import signed_text
from xlbias.text import cut

HEIGHT = 22
"""Lines that leave room for the command and the next prompt on the smallest terminal."""

_FEW_ROWS = 8  # of encoders on tasks, up to which chance has a row of its own
_LEAST_FINDINGS = 7  # lines
_AROUND = 4  # two empty lines, and two on how to see more


def brief(run: Run, width: int = 80, *, found: Sequence[Finding] | None = None, height: int = HEIGHT) -> str:
    """Return the report of a run in at most `height` lines, where three encoders on three tasks or fewer are in it.

    More encoders have their rows as well. `found` is by default what `xlbias.results.findings.findings` finds.
    """
    if (study := _study(run)) is not None and (of_study := study_brief(run, study, width, height=height)):
        return of_study
    rows = [row for row in overview(run).to_dicts() if row["n_rankings"]]
    if not rows:
        return to_text(run, width)  # a training, or nothing yet
    shown = findings(run) if found is None else found
    encoders, tasks = ({row[name] for row in rows} for name in ("model", "task"))
    words = {"encoders": len(encoders) > 1, "tasks": len(tasks) > 1}
    head = [cut(about_run(run), width)]
    if len(tasks) == 1:
        head.append(cut(about_task(next(task for task in run.tasks if task.name in tasks)), width))
    table = _table(run, rows, shown, width)
    left = height - len(head) - len(table) - _AROUND
    chosen = answers_that_fit(shown, max(left, _LEAST_FINDINGS), width, **words)
    rest = len(shown) - len(chosen)
    first = f"{rest} more findings: xlbias findings {{path}}" if rest else ""
    text = [*head, *lines(chosen, width, **words), "", *table, "", *how_to_see_more(run.path, width, first)]
    return "\n".join(line.rstrip() for line in text) + "\n"


def _study(run: Run) -> Study | None:
    """Return the study that a run is of, where samplers are compared in it; None also where it cannot be read."""
    if not isinstance(run.metadata.get("study"), Mapping):
        return None
    try:
        study = read_study(run)
    except (XlbiasError, KeyError, TypeError, ValueError, AttributeError):  # of a version that is not known
        return None
    return study if any(compared_arms(study, source) for source in study.sources) else None


def _table(run: Run, rows: Sequence[dict[str, Any]], found: Sequence[Finding], width: int) -> list[str]:
    """Return a row per encoder and task: names left, numbers right, differences beside the values they are of."""
    several = len({row["task"] for row in rows}) > 1
    compared = {(one.encoder, one.task): one for one in found if one.kind == "difference"}
    doubts = caveats(run)
    heads = ["encoder", *(["task"] if several else []), "mono", "cross", "multi"]
    heads += ["norm. dist."] if several else ["rank dist.", "norm."]  # ranks of several pools are not comparable
    if compared:
        heads += ["Δ cross", "cells +/-"]
    body = []
    chances = {
        (task.name, level.measure, level.setting): level.value
        for task in run.tasks
        if len(rows) <= _FEW_ROWS and any(one.kind == "quality" and len(one.numbers) > 3 for one in found)
        for level in chance_levels(run, task, ("map", "rank_distance.normalised"))
    }
    tasks = list(dict.fromkeys(row["task"] for row in rows))
    for task in tasks:
        mine = [row for row in rows if row["task"] == task]
        for row in mine:
            unfinished = row["n_cells"] < row["n_cells_expected"] and run.state.status != "finished"
            done = f" [{row['n_cells']}/{row['n_cells_expected']}]" if unfinished else ""
            name = f"{mark_of(doubts, row['model'], task)}{name_of(row)}{done}"
            cells = [name, *([task] if several else [])]
            cells += [_number(row, f"map_{short}") for short in ("mono", "cross", "multi")]
            cells += [] if several else [_number(row, "rank_distance", unit_range=False)]
            cells.append(_number(row, "rank_distance_normalised"))
            body.append([*cells, *(_difference(compared.get((row["model"], task))) if compared else [])])
        if any(of_task == task for of_task, _, _ in chances):
            settings = ("monolingual", "cross-lingual", "multilingual")
            cells = ["chance", *([task] if several else [])]
            cells += [number(chances.get((task, "map", setting))) for setting in settings]
            cells += [
                *([] if several else [NOTHING]),
                number(chances.get((task, "rank_distance.normalised", "multilingual"))),
            ]
            body.append([*cells, *(["", ""] if compared else [])])
    return cut_all(names_left(heads, body, 2 if several else 1, width), width)


def _number(row: Mapping[str, Any], name: str, *, unit_range: bool = True) -> str:
    """Return a number of the overview; ``≥`` and the least that it can be where ranks are censored."""
    least = row[f"{name}_least"]
    if row[name] is None and least is not None:
        return f"≥{number(least, unit_range=unit_range)}"
    return number(row[name], unit_range=unit_range)


def _difference(one: Finding | None) -> list[str]:
    """Return what a comparison says of a row: the difference across languages, and cells that are better and worse."""
    if one is None:
        return ["", ""]
    across = [n.value for n in one.numbers if n.setting == "cross-lingual" and n.query_language is None]
    better, worse = (
        next(int(n.value or 0) for n in one.numbers if n.role == role) for role in ("better cells", "worse cells")
    )
    return [signed_text(across[0], measures("quality")["map"]) if across else NOTHING, f"{better}/{worse}"]
