"""A document, the report of runs, a comparison and a single block, each in the format asked for."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from xlbias.errors import UsageError
from xlbias.report.document import Document, MatrixBlock, Table
from xlbias.report.forms import BLOCK_FORMATS, DOCUMENT_FORMATS

if TYPE_CHECKING:
    import polars as pl

    from xlbias.report.documents.caveats import Doubts
    from xlbias.results.compare import Unit
    from xlbias.results.findings import Finding, Thresholds
    from xlbias.results.run import Run

_WIDTH_OF_A_FILE = 120


def render(document: Document, form: str, *, to_file: bool = False) -> str:
    """Return a document as ``text`` (as wide as the terminal), ``markdown``, ``latex`` or ``html``."""
    if form == "text":
        from xlbias.report.formats.text import document_to_text

        return document_to_text(document, width(to_file=to_file))
    if form == "markdown":
        from xlbias.report.formats.markdown import to_markdown

        return to_markdown(document)
    if form == "latex":
        from xlbias.report.formats.latex import to_latex

        return to_latex(document)
    if form == "html":
        from xlbias.report.formats.html import to_html

        return to_html([document])
    raise UsageError(f"unknown format {form!r}; choose from {', '.join(DOCUMENT_FORMATS)}")


def render_report(
    runs: Sequence[Run],
    form: str,
    *,
    matrices: Sequence[str] = (),
    by_language: bool = False,
    published: Sequence[str] = (),
    to_file: bool = False,
    full: bool = True,
) -> str:
    """Return the audit of runs as ``text``, ``json``, ``csv``, ``markdown``, ``latex`` or ``html``.

    Args:
        runs: finished or in progress.
        form: csv and json hold every number in full precision; csv holds no printed results.
        matrices: measures to show in full; HTML has some of its own where none is named.
        by_language: whether to add the numbers of every language, which HTML, CSV and JSON hold anyway.
        published: arXiv ids whose printed results of the same data set to add.
        to_file: whether text is laid out for a file, rather than as wide as the terminal.
        full: whether text is all of the audit behind its findings; else it is one screen, and what is named besides.
    """
    if form == "text":
        return "\n".join(
            _text(run, width(to_file=to_file), matrices, by_language, published, full=full) for run in runs
        )
    if form == "json":
        from xlbias.report.documents.audit_json import to_json

        return to_json(*runs, published=published) + "\n"
    if form == "csv":
        from xlbias.report.documents.audit_csv import to_csv

        return to_csv(runs)
    from xlbias.report.documents.audit import DEFAULT_MATRICES, audit

    if form == "html":
        from xlbias.report.formats.html import to_html

        shown = matrices or DEFAULT_MATRICES
        return to_html([audit(run, matrices=shown, by_language=True, published=published) for run in runs])
    documents = [audit(run, matrices=matrices, by_language=by_language, published=published) for run in runs]
    return "\n".join(render(document, form) for document in documents)


def _text(
    run: Run, columns: int, matrices: Sequence[str], by_language: bool, published: Sequence[str], *, full: bool
) -> str:
    if not full:
        from xlbias.report.documents.audit_text import named_parts
        from xlbias.report.documents.brief import brief

        return brief(run, columns) + named_parts(run, columns, matrices, by_language, published)
    from xlbias.report.documents.audit_text import to_text
    from xlbias.report.documents.findings import TITLE, lines
    from xlbias.results.findings import findings

    text = to_text(run, columns, measures=matrices, by_language=by_language, published=published)
    found = lines(findings(run), columns)
    head, _, rest = text.partition("\n")
    return "\n".join([head, "", TITLE, *found, "", rest]) if found else text


def render_findings(
    run: Run, found: Sequence[Finding], form: str, *, thresholds: Thresholds, to_file: bool = False
) -> str:
    """Return findings as ``text`` or ``json``.

    ``{"schema": 1, "run": path, "thresholds": {name: number}, "findings": [{"kind", "question", "sentence", "weight",
    "place", "encoder", "task", "base", "languages", "numbers", "concern"}]}``: see `xlbias.results.findings.Finding`.
    """
    from xlbias.report.documents.findings import as_json, lines

    if form == "json":
        from dataclasses import asdict

        from xlbias.report.formats.json import finite, in_lines

        content = {
            "schema": 1, "run": str(run.path), "thresholds": asdict(thresholds), "findings": as_json(found),
        }  # fmt: skip
        return in_lines(finite(content), levels=2) + "\n"
    if form == "text":
        shown = lines(found, width(to_file=to_file)) or ["No findings."]
        return "".join(f"{line.rstrip()}\n" for line in shown)
    raise UsageError(f"unknown format {form!r}; choose from text, json")


def render_comparison(
    frames: Mapping[str, pl.DataFrame],
    base: str,
    new: str,
    form: str,
    *,
    matrices: Sequence[str] = (),
    seed: int = 0,
    permutations: int,
    doubts: Doubts | None = None,
    unit: Unit = "id",
    to_file: bool = False,
    found: Sequence[Finding] = (),
) -> str:
    """Return the comparison of two encoders in one of the formats of `render_report`.

    Args:
        frames: by task, what `xlbias.results.compare.compare` gives.
        base: what is compared with, as the reader knows it.
        new: what is compared.
        form: the format.
        matrices: measures whose cells are shown in full; mAP where none is named.
        seed: of sign flips and bootstrap.
        permutations: how many sign flips the p-values are of.
        doubts: by task, the caveats of both sides.
        unit: what was drawn and flipped.
        to_file: whether text is laid out for a file, rather than as wide as the terminal.
        found: what the comparison says, see `xlbias.results.findings.of_comparison`.
    """
    import polars as pl

    from xlbias.report.documents.caveats import sided_json

    doubts = doubts or {}
    whole = pl.concat(frames.values())
    if form == "json":
        from xlbias.report.documents.findings import as_json
        from xlbias.report.formats.json import finite, in_lines

        content = {
            "schema": 1, "base": base, "new": new, "seed": seed, "permutations": permutations, "unit": unit,
            "least_p": 1 / (permutations + 1) if whole["n_seeds"].max() == 1 else None,
            "findings": as_json(found), "caveats": sided_json(doubts), "differences": whole.to_dicts(),
        }  # fmt: skip
        return in_lines(finite(content), levels=2) + "\n"
    if form == "csv":
        from xlbias.report.formats.csv import safe

        kinds = {
            task: [f"{side}:{one.kind}" for side, some in zip(("base", "new"), sides, strict=True) for one in some]
            for task, sides in doubts.items()
        }
        marks = [" ".join(dict.fromkeys(kinds.get(task, ()))) or None for task in whole["task"]]
        whole = whole.with_columns(pl.Series("caveats", marks, dtype=pl.String))
        texts = [name for name, dtype in whole.schema.items() if dtype == pl.String]
        return whole.with_columns(pl.col(texts).map_elements(safe, return_dtype=pl.String)).write_csv()
    from xlbias.report.documents.comparison import comparison

    document = comparison(
        frames,
        base,
        new,
        matrix=tuple(matrices) or ("map",),
        doubts=doubts,
        permutations=permutations,
        unit=unit,
        found=found,
    )
    return render(document, form, to_file=to_file)


def render_block(block: Table | MatrixBlock, form: str) -> str:
    """Return one table or matrix as ``tsv``, ``markdown`` or ``latex``, with its intervals, caption and notes.

    One row of a matrix has lines for what is known of its cells, one cell has columns for it.
    """
    if form == "tsv":
        from xlbias.report.formats.tsv import to_tsv

        return to_tsv(block)
    if form == "markdown":
        from xlbias.report.formats.markdown import block_to_markdown

        return block_to_markdown(block)
    if form == "latex":
        from xlbias.report.formats.latex import block_to_latex

        return block_to_latex(block)
    raise UsageError(f"unknown format {form!r}; choose from {', '.join(BLOCK_FORMATS)}")


def width(*, to_file: bool = False) -> int:
    """Return how wide text is: as the terminal, or as a file is read."""
    return _WIDTH_OF_A_FILE if to_file else max(60, shutil.get_terminal_size((100, 24)).columns)
