"""The full matrix of a measure, query language by passage language: of every encoder, or as a screen shows it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from xlbias.report.document import Block, Fold, MatrixBlock, Panels, Table, ends_of
from xlbias.report.documents.caveats import MARK as MARK_OF_CAVEAT
from xlbias.report.documents.encoders import LONGEST_NAME, EncoderOnTask
from xlbias.report.documents.wording import BETTER, n_of, pool_name
from xlbias.report.numbers import MARK, Entry, count
from xlbias.results.cell import ABSENT
from xlbias.results.matrix import Matrix, matrix
from xlbias.runs.schema import MULTILINGUAL_POOL
from xlbias.text import one_line

DELTA = "Δ "
"""Before the name of a measure whose differences are numbers."""

INTERVALS = "[low, high]: 95 % bootstrap over query ids."
"""What the intervals in a table are."""

_RUN_FILE = re.compile(r"\.parquet(?=$|\W)")


_MOST_PANELS = 6  # encoders whose matrices are looked at beside each other


def matrix_panels(
    found: Sequence[EncoderOnTask], measure: str, differences: Sequence[MatrixBlock] = (), *, all_of: bool = False
) -> list[Block]:
    """Return the matrix of a measure of each encoder beside each other, on one scale, and then their differences.

    With one of n, folded, where n is not the same everywhere. Rows are the task's query languages, columns its passage
    languages and the multilingual pool (``all``), as far as the measure has such numbers.

    Args:
        found: the encoders.
        measure: one of `xlbias.results.matrix.MATRIX_MEASURES`.
        differences: stand behind the values.
        all_of: whether all encoders are shown, however many; else those of `leading` where they are many.
    """
    few = len(found) <= _MOST_PANELS
    shown = found if all_of or few else leading(found)
    whole = [matrix(one.run, measure, one.row["model"], one.row["task"]) for one in shown]
    there = {pool for one in whole for line in one.cells for pool, cell in zip(one.columns, line, strict=True)
             if cell is not ABSENT}  # fmt: skip
    columns = [pool for pool in whole[0].columns if pool in there]
    scale = ends_of([value for one in whole for value in one.values])
    across = "pool" if columns == [MULTILINGUAL_POOL] else "passage language"
    about, task = whole[0].measure, one_line(whole[0].task, LONGEST_NAME)
    panels, sizes = [], []
    for encoder, one in zip(shown, whole, strict=True):
        if all(cell is ABSENT for line in one.cells for cell in line):
            continue
        part = with_pool_names(one.part(one.rows, columns))
        n = [cell.n for line in part.cells for cell in line if cell.n]
        who = f"{about.label} of {encoder.name} on {task}"
        title = f"{who}: query language down, {across} across"
        notes = (f"{n_of(min(n, default=0), max(n, default=0))}; {about.definition}; better: {BETTER[about.better]}.",)
        panels.append(MatrixBlock(title, part, notes, scale=scale, intervals=False, head=encoder.marked))
        if len(set(n)) > 1:
            sizes.append(_sizes(who, part))
    if not panels:
        return []
    title = f"{about.label} on {task}: query language down, {across} across"
    left = [f"{len(shown)} of {len(found)} encoders: the best and the worst in {_BY}."] if shown is not found else []
    ends = ends_of([value for one in differences for value in one.matrix.values], differs=True)
    changed = (replace(one, scale=ends) for one in differences)
    blocks: list[Block] = [Panels(title, (*panels, *changed), tuple(left))]
    return [*blocks, Fold(f"n of {about.label}", tuple(sizes))] if sizes else blocks


_BY = "mAP in the pool of all languages"


def leading(found: Sequence[EncoderOnTask]) -> Sequence[EncoderOnTask]:
    """Return the encoders that are shown of many: the best and the worst by mAP in the pool of all languages."""
    if len(found) <= _MOST_PANELS:
        return found
    ordered = sorted(found, key=lambda one: -(one.row["map_multi"] if one.row["map_multi"] is not None else -1.0))
    return [ordered[0], ordered[-1]]


def with_pool_names(numbers: Matrix) -> Matrix:
    """Return a matrix whose columns are called as tables have them: the multilingual pool is ``all``."""
    return replace(numbers, columns=tuple(map(pool_name, numbers.columns)))


def _sizes(who: str, numbers: Matrix) -> Table:
    lines = zip(numbers.rows, numbers.cells, strict=True)
    rows = ((Entry(row, kind="name"), *(count(cell.n or 0) for cell in line)) for row, line in lines)
    return Table(f"n of {who}", ("", *numbers.columns), tuple(rows))


def block_of(numbers: Matrix) -> MatrixBlock:
    """Return a matrix, or rows and columns of one, as a block with intervals in its cells, and with its caveats."""
    few = len(numbers.rows) == 1  # then what is known of each cell stands with it
    about, what, label = numbers.measure, f"{numbers.measure.label} of {numbers.model}", ""
    cells = [cell for line in numbers.cells for cell in line]
    notes = [f"{about.definition}; better: {about.better}."]
    counted = {cell.n for cell in cells if cell.value is not None and cell.n is not None}
    if counted and (len(counted) == 1 and len(numbers.columns) > 1 if few else True):
        notes.append(f"{n_of(min(counted), max(counted))}.")
    if any(cell.low is not None and cell.high is not None for cell in cells):
        notes.append(INTERVALS)
    if numbers.differs:
        what = f"Difference in {about.label}, {numbers.model} minus {_RUN_FILE.sub('', numbers.against)}"
        label = f"{DELTA}{about.label}"
        notes.append(_paired(sum(numbers.n_significant) > 0, few=few, one_training=numbers.one_training))
    shape = "query language down, passage language across"
    if few:
        shape = f"query language {numbers.rows[0]}, passage language "
        shape += pool_name(numbers.columns[0]) if len(numbers.columns) == 1 else "across"
    notes += [f"{MARK_OF_CAVEAT} {sentence}" for sentence in sentences_of(numbers)]
    return MatrixBlock(f"{what} on {numbers.task}: {shape}", with_pool_names(numbers), tuple(notes), label)


def sentences_of(numbers: Matrix) -> list[str]:
    """Return the caveats of the numbers of a matrix, of differences those of both sides, each sentence once."""
    sides = (
        (("base: ", numbers.base_caveats), ("new: ", numbers.caveats)) if numbers.differs else (("", numbers.caveats),)
    )
    return list(dict.fromkeys(f"{side}{one.sentence}" for side, found in sides for one in found))


def _paired(marked: bool, *, few: bool, one_training: bool) -> str:
    """Return what the p of differences are, and what the mark is where there is one."""
    once = "; one training each, so that another seed may differ" if one_training else ""
    corrected = "correction over the whole matrix (step-down max-T)"
    if few:
        return f"Paired by query id; p is after {corrected}{f', {MARK} marks p < .05' if marked else ''}{once}."
    return f"Paired by query id; {f'{MARK} marks' if marked else 'no difference has'} p < .05 after {corrected}{once}."
