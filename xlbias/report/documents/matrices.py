"""The full matrix of a measure, query language by passage language: of every encoder, or as a screen shows it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from xlbias.report.document import Block, MatrixBlock, Table, ends_of
from xlbias.report.documents.caveats import MARK as MARK_OF_CAVEAT
from xlbias.report.documents.encoders import LONGEST_NAME, EncoderOnTask
from xlbias.report.documents.wording import BETTER, n_of, pool_name
from xlbias.report.numbers import MARK, Entry, count
from xlbias.results.cell import ABSENT
from xlbias.results.matrix import Matrix, matrix
from xlbias.results.run import Run
from xlbias.runs.schema import MULTILINGUAL_POOL
from xlbias.text import one_line

DELTA = "Δ "
"""Before the name of a measure whose differences are numbers."""

INTERVALS = "[low, high]: 95 % bootstrap over query ids."
"""What the intervals in a table are."""

_RUN_FILE = re.compile(r"\.parquet(?=$|\W)")


def matrix_blocks(run: Run, found: Sequence[EncoderOnTask], measure: str) -> list[Block]:
    """Return the matrix of a measure for each encoder, on one scale; with one of n where n is not the same everywhere.

    Rows are the task's query languages, columns its passage languages and the multilingual pool (``all``), as far as
    the measure has such numbers.
    """
    whole = [matrix(run, measure, one.row["model"], one.row["task"]) for one in found]
    there = {pool for one in whole for line in one.cells for pool, cell in zip(one.columns, line, strict=True)
             if cell is not ABSENT}  # fmt: skip
    columns = [pool for pool in whole[0].columns if pool in there]
    scale = ends_of([value for one in whole for value in one.values])
    across = "pool" if columns == [MULTILINGUAL_POOL] else "passage language"
    blocks: list[Block] = []
    for encoder, one in zip(found, whole, strict=True):
        if all(cell is ABSENT for line in one.cells for cell in line):
            continue
        about, part = one.measure, one.part(one.rows, columns)
        n = [cell.n for line in part.cells for cell in line if cell.n]
        who = f"{about.label} of {encoder.name} on {one_line(one.task, LONGEST_NAME)}"
        title = f"{who}: query language down, {across} across"
        notes = (f"{n_of(min(n, default=0), max(n, default=0))}; {about.definition}; better: {BETTER[about.better]}.",)
        blocks.append(MatrixBlock(title, with_pool_names(part), notes, scale=scale, intervals=False))
        if len(set(n)) > 1:
            blocks.append(_sizes(who, with_pool_names(part)))
    return blocks


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
