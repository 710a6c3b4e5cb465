"""Two encoders compared, as a document: what differs overall, what in which cell, and whether it is significant."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import polars as pl

from xlbias.measures.registry import measure_of
from xlbias.report.document import Block, Document, MatrixBlock, Panels, Paragraph, Section, Table, ends_of
from xlbias.report.documents.caveats import MARK as MARK_OF_CAVEAT
from xlbias.report.documents.caveats import Doubts, section_of_sides
from xlbias.report.documents.findings import as_many_as_fit
from xlbias.report.documents.findings import section as findings_section
from xlbias.report.documents.matrices import with_pool_names
from xlbias.report.numbers import (
    MARK,
    NOT_TESTED,
    Entry,
    count,
    difference_entry,
    entry,
    number,
    numeric,
    probability,
)
from xlbias.results.caveats.few import ENOUGH
from xlbias.results.cell import ABSENT
from xlbias.results.compare import PERMUTATIONS, Unit
from xlbias.results.findings import Finding
from xlbias.results.matrix import Matrix, compared, difference
from xlbias.results.summary import OVERALL
from xlbias.results.written import label_of, named

ONE_TRAINING = (
    f"Seeds are not part of the test, and another seed may come out otherwise: {MARK} says that these encoders differ, "
    "not that their samplers do. Compare several seeds of each."
)
"""Where trained encoders with one seed are compared."""

_ROOM, _WIDTH = 9, 78  # lines and columns of the findings where not all is shown
_MOST_NUMBERS = 12  # that are all shown
_OF_SETTINGS = ("map", "rank_distance", "rank_distance.normalised", "same_language@1")

_HEADS = ("measure", "base", "new", "difference", "p (corr.)")
_SIZES = ("measure", "d_z", "better/worse ids", "n")


def comparison(
    frames: Mapping[str, pl.DataFrame],
    base: str,
    new: str,
    *,
    matrix: tuple[str, ...] = ("map",),
    doubts: Doubts | None = None,
    permutations: int = PERMUTATIONS,
    unit: Unit = "id",
    found: Sequence[Finding] = (),
    full: bool = True,
) -> Document:
    """Return the comparison of two encoders.

    Args:
        frames: by task, what `xlbias.results.compare.compare` gives.
        base: what is compared with, as the reader knows it.
        new: what is compared.
        matrix: measures whose cells are shown in full.
        doubts: by task, the caveats of both sides.
        permutations: how many sign flips the p-values are of.
        unit: what was drawn and flipped.
        found: what the comparison says, see `xlbias.results.findings.of_comparison`.
        full: whether all of it is there; else what matters most of the findings, the settings, and the matrices.
    """
    doubts = doubts or {}
    if not full:
        found = as_many_as_fit(found, _ROOM, _WIDTH)
    n_seeds = max(map(_n_seeds, frames.values()), default=1)
    once = any(frame["one_training"].any() for frame in frames.values())
    least = 1 / (permutations + 1)
    answers = [findings_section(found), Section("One training each", (Paragraph(ONE_TRAINING),)) if once else None]
    sections = [one for one in answers if one is not None]
    for task, frame in frames.items():
        marks = tuple(
            f"{MARK_OF_CAVEAT} " if any(one.marks for one in some) else "" for some in doubts.get(task, ((), ()))
        )
        panels = (_panels(frame, measure, base, new) for measure in matrix)
        blocks: list[Block] = [
            *(_overall(frame, marks, least) if full else _of_settings(frame, marks, least)),
            *(one for one in panels if one is not None),
        ]
        if (left := frame.filter(OVERALL).height - _settings(frame).filter(OVERALL).height) and not full:
            blocks.append(Paragraph(f"{left:,} more numbers, effect sizes and all findings: --full."))
        sections.append(Section(task, tuple(blocks)))
    if (caveats := section_of_sides(doubts)) is not None:
        sections.append(caveats)
    explained = Paragraph(_explained(base, new, n_seeds, permutations, unit))
    sections.append(Section("How to read this", (explained, *_few(frames, unit))))
    return Document(
        f"{new} against {base}", "paired differences, with intervals and corrected p-values", tuple(sections)
    )


def _settings(frame: pl.DataFrame) -> pl.DataFrame:
    """Return a comparison with the numbers of settings that the overview has, and no others where they are many."""
    many = frame.filter(OVERALL).height > _MOST_NUMBERS
    return (
        frame.filter(pl.col("measure").is_in(_OF_SETTINGS) | pl.col("query_language").is_not_null()) if many else frame
    )


def _of_settings(frame: pl.DataFrame, marks: tuple[str, ...], least: float) -> tuple[Table]:
    """Return these numbers, without what is said of others."""
    numbers, _ = _overall(_settings(frame), marks, least)
    return (replace(numbers, notes=()),)


def _n_seeds(frame: pl.DataFrame) -> int:
    return int(frame["n_seeds"].max() or 1)  # type: ignore[arg-type]


def _few(frames: Mapping[str, pl.DataFrame], unit: Unit) -> list[Paragraph]:
    """Return for each task with few documents that they are; of few query ids a caveat tells."""
    numbers = {task: int(frame["n_units"].max() or 0) for task, frame in frames.items()}  # type: ignore[arg-type]
    few = {task: n for task, n in numbers.items() if unit == "document" and 0 < n < ENOUGH}
    return [
        Paragraph(
            f"{task} has {n:,} documents that share no answer; below {ENOUGH} intervals hold the truth less often than "
            "they say, and only large differences are significant."
        )
        for task, n in few.items()
    ]


def _explained(base: str, new: str, n_seeds: int, permutations: int, unit: Unit) -> str:
    units = "query ids" if unit == "id" else "documents (ids whose answers share a document are one)"
    if n_seeds > 1:
        tested = (
            f"[a, b] is the 95% interval and p is of Student's t, with {units} and the {n_seeds} or more trainings of "
            f"each side as crossed random factors; p is corrected by Holm over a whole table; {MARK} marks p < .05"
        )
    else:
        tested = (
            f"[a, b] is the 95% bootstrap interval (BCa) over {units}; p is of {permutations:,} sign flips, corrected "
            f"over a whole table by step-down max-T, whatever of it is shown; {MARK} marks p < .05"
        )
    return (
        f"Differences are {new} minus {base}, paired by query id. {tested}. d_z is the mean difference in its own "
        "standard deviations: with many ids even a tiny difference is certain, so read it with the mark. Ids are "
        "counted as better where the new value is better; up, where neither way is."
    )


def _overall(frame: pl.DataFrame, marks: tuple[str, ...], least: float) -> tuple[Table, Table]:
    """Return the numbers that are no cells, then how large their differences are and over how many ids.

    `marks` stand before the heads of base and new, `least` is the least p.
    """
    rows, sizes = [], []
    undefined = []
    overall = frame.filter(OVERALL)
    for row in overall.iter_rows(named=True):
        about = measure_of(row["measure"])
        if row["difference"] is None and row["least"] is None:
            if about.undefined:
                undefined.append(f"{label_of(row['measure'])} is undefined {about.undefined}.")
            continue
        label = Entry(named(row["measure"], row["setting"]))
        rows.append(
            (
                label,
                *(entry(difference(row).side(side), about) for side in ("base", "new")),
                difference_entry(difference(row), about),
                _tested(row, least),
            )
        )
        if row["n_better"] is not None:
            sizes.append(
                (
                    label,
                    numeric(number(row["effect_size"]), row["effect_size"]),
                    Entry(f"{row['n_better']:,}/{row['n_worse']:,}"),
                    count(row["n_ids"]),
                )
            )
    notes = (
        *dict.fromkeys(undefined),
        "What is no mean over ids (Kendall W, medians, CKA, uniformity, hubness, distance of centroids) is not tested.",
    )
    heads = (_HEADS[0], *(f"{mark}{head}" for mark, head in zip(marks, _HEADS[1:3], strict=True)), *_HEADS[3:])
    return Table("Overall", heads, tuple(rows), notes), Table("How large, and for how many", _SIZES, tuple(sizes))


def _tested(row: Mapping[str, Any], least: float) -> Entry:
    """Return the p of a row; that it is not tested as its bounds do not decide."""
    if row["p_corrected"] is None and row["least"] is not None:
        return numeric(f"{NOT_TESTED}: censored")
    return probability(row["p_corrected"], least if row["n_seeds"] == 1 else None)


def difference_block(frame: pl.DataFrame, measure: str, base: str, new: str, task: str = "") -> MatrixBlock | None:
    """Return the differences of a measure by query and passage language, or None where it has no such cells.

    `frame` is what `xlbias.results.compare.compare` gives, `base` and `new` what the sides are called, `task` the task
    where the title is to name it.
    """
    found = compared(frame, measure, base, new)
    return None if found is None else _difference_block(found[2], task)


def _difference_block(shown: Matrix, task: str = "") -> MatrixBlock:
    about, there = shown.measure, [cell for row in shown.cells for cell in row if cell is not ABSENT]
    notes = (
        f"{sum(shown.n_significant):,} of {len(there):,} differences are significant: p < .05, "
        f"corrected over this matrix ({MARK}){', one training each' if shown.one_training else ''}.",
        about.definition,
    )
    against, on = f"{shown.model} minus {shown.against}", f" on {task}" if task else ""
    title = f"Difference in {about.label}, {against}{on}: query language down, passage language across"
    return MatrixBlock(title, with_pool_names(shown), notes, head=against)


def _panels(frame: pl.DataFrame, measure: str, base: str, new: str) -> Panels | None:
    """Return base, new and difference in the cells of a measure beside each other; the sides share their scale."""
    found = compared(frame, measure, base, new)
    if found is None:
        return None
    about, sides = measure_of(measure), found[:2]
    scale = ends_of([value for side in sides for value in side.values])
    shown = tuple(
        MatrixBlock(
            f"{about.label} of {side.model}: query language down, passage language across",
            with_pool_names(side),
            scale=scale,
            head=side.model,
        )
        for side in sides
    )
    block = _difference_block(found[2])
    return Panels(f"{about.label}: query language down, passage language across", (block,), before=shown)
