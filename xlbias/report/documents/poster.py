"""The audit on one page: what it says, two encoders with their difference, and which languages they serve."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from xlbias.report.document import Block, Document, MatrixBlock, Panels, Paragraph, Section
from xlbias.report.documents.audit import answers_of, matched_runs, title_of
from xlbias.report.documents.encoders import LONGEST_NAME, EncoderOnTask, encoders_by_task
from xlbias.report.documents.figures import differences_by_task, domains, profiles
from xlbias.report.documents.matrices import matrix_panels
from xlbias.report.documents.wording import about_run, about_task
from xlbias.results.run import Run
from xlbias.text import one_line

_ROOM = 9  # lines of findings
_MOST_LANGUAGES = 14  # that are rows of a profile, and columns of a matrix whose numbers can be read
_FEW_LANGUAGES = 7  # that are rows of a profile where other tasks take their room
_MOST_ROWS = 4  # of encoders by task


def poster(first: Run, *others: Run) -> Document:
    """Return what fits one page of the audit of runs, see `xlbias.report.documents.audit.audit`.

    Of several tasks the first is shown in full, of several encoders the first one and the best of the others.
    """
    runs = matched_runs(first, others)
    found = encoders_by_task(*runs)
    about = "; ".join(about_run(run) for run in runs)
    if not found:
        nothing = Section("Nothing yet", (Paragraph("Nothing has been ranked yet."),))
        return Document(title_of(found), about, (nothing,), poster=True)
    tasks = {task.name: task for run in runs for task in run.tasks if task.name in found}
    name, task = next(iter(tasks.items()))
    sections = [] if (answers := answers_of(runs, room=_ROOM)) is None else [answers]
    if len(tasks) > 1 and len({one.name for some in found.values() for one in some}) <= _MOST_ROWS:
        sections.append(domains(found, tasks))
    shown = _pair(found[name])
    differences = [
        block
        for block in differences_by_task(runs).get(name, {}).get("map", ())
        if len(shown) > 1 and block.head.startswith(str(shown[1].row["model"]))
    ]
    blocks: list[Block] = [
        _small(one) for one in matrix_panels(shown, "map", differences[:1]) if isinstance(one, Panels)
    ]
    if (dots := profiles(task, shown, most=_MOST_LANGUAGES if len(tasks) == 1 else _FEW_LANGUAGES)) is not None:
        blocks.append(dots)
    sections.append(Section(one_line(about_task(task), LONGEST_NAME), tuple(blocks)))
    return Document(title_of(found), about, tuple(sections), poster=True)


def _pair(found: Sequence[EncoderOnTask]) -> Sequence[EncoderOnTask]:
    """Return the first encoder and the best of the others by mAP in the pool of all languages."""
    if len(found) <= 2:
        return found
    return [found[0], max(found[1:], key=lambda one: one.row["map_multi"] if one.row["map_multi"] is not None else -1)]


def _small(panels: Panels) -> Panels:
    """Return matrices that fit beside each other: pictures, where their numbers do not."""
    blocks = tuple(
        replace(one, picture=one.picture or len(one.columns) > _MOST_LANGUAGES) if isinstance(one, MatrixBlock) else one
        for one in panels.blocks
    )
    return replace(panels, blocks=blocks)
