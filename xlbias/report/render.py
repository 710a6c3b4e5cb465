"""A document, the report of runs, a comparison and a single block, each in the format asked for."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from xlbias.errors import UsageError
from xlbias.report.document import Document, MatrixBlock, Table
from xlbias.report.formats.format import format_of
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
    write = format_of(form, DOCUMENT_FORMATS).documents
    assert write is not None
    return write([document], width(to_file=to_file))


def render_report(
    runs: Sequence[Run],
    form: str,
    *,
    matrices: Sequence[str] = (),
    by_language: bool = False,
    published: Sequence[str] = (),
    to_file: bool = False,
    full: bool = True,
    sections: Sequence[str] = (),
    every: bool = False,
    poster: bool = False,
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
        sections: of the audit to add to that screen, of `xlbias.report.forms.SECTIONS`.
        every: whether Markdown, LaTeX and HTML list all findings and caveats, however many.
        poster: whether HTML is what fits one page; then nothing else but runs and form is looked at.
    """
    if form == "text":
        return "\n".join(
            _text(run, width(to_file=to_file), matrices, by_language, published, None if full else sections)
            for run in runs
        )
    if form == "json":
        from xlbias.report.documents.audit_json import to_json

        return to_json(*runs, published=published) + "\n"
    if form == "csv":
        from xlbias.report.documents.audit_csv import to_csv

        return to_csv(runs)
    from xlbias.report.documents.audit import DEFAULT_MATRICES, audit

    found = format_of(form, DOCUMENT_FORMATS)
    assert found.documents is not None
    if poster:
        from xlbias.report.documents.poster import poster as one_page

        return found.documents([one_page(*runs)], width(to_file=to_file))
    document = audit(
        *runs,
        matrices=matrices or (DEFAULT_MATRICES if found.has_colours else ()),
        by_language=by_language or found.has_colours,
        published=published,
        every=every,
        all_of=bool(matrices),
    )
    return found.documents([document], width(to_file=to_file))


def _text(
    run: Run,
    columns: int,
    matrices: Sequence[str],
    by_language: bool,
    published: Sequence[str],
    sections: Sequence[str] | None,
) -> str:
    """Return one screen and what is named besides; without `sections` all of the audit behind its findings."""
    if sections is not None:
        from xlbias.report.documents.audit_text import named_parts
        from xlbias.report.documents.brief import brief

        more = named_parts(run, columns, sections, measures=matrices, by_language=by_language, published=published)
        return brief(run, columns) + more
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
    "leads_to", "encoder", "task", "base", "languages", "numbers", "concern", "short"}]}``, see
    `xlbias.results.findings.Finding`.
    """
    from xlbias.report.documents.findings import as_json, lines

    if form == "json":
        from dataclasses import asdict

        from xlbias.report.formats.json import finite_in_lines

        content = {
            "schema": 1, "run": str(run.path), "thresholds": asdict(thresholds), "findings": as_json(found),
        }  # fmt: skip
        return finite_in_lines(content, levels=2) + "\n"
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
    full: bool = True,
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
        full: whether text is all of it, and not what matters most.
    """
    doubts = doubts or {}
    if form == "json":
        from xlbias.report.documents.comparison_data import to_json

        return to_json(frames, base, new, seed=seed, permutations=permutations, unit=unit, doubts=doubts, found=found)
    if form == "csv":
        from xlbias.report.documents.comparison_data import to_csv

        return to_csv(frames, doubts)
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
        full=full or form != "text",
    )
    return render(document, form, to_file=to_file)


def render_block(block: Table | MatrixBlock, form: str) -> str:
    """Return one table or matrix as ``tsv``, ``markdown`` or ``latex``; see `xlbias.report.formats.format.Format`."""
    write = format_of(form, BLOCK_FORMATS).block
    assert write is not None
    return write(block)


def width(*, to_file: bool = False) -> int:
    """Return how wide text is: as the terminal, or as a file is read."""
    return _WIDTH_OF_A_FILE if to_file else max(60, shutil.get_terminal_size((100, 24)).columns)
