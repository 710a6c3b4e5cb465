"""`xlbias findings`: what a run says, in sentences that its numbers support."""

from __future__ import annotations

import click

from xlbias.cli.groups import Command
from xlbias.cli.output import print_document
from xlbias.cli.values import Choice, RunPath, Word, finding_kinds, thresholds

EXAMPLE = """\b
Examples:
  xlbias findings run.parquet
  xlbias findings new.parquet base.parquet
  xlbias findings run.parquet --kind query_language --kind passage_language
  xlbias findings run.parquet --set language_gap=0.2 --set significance=0.01
  xlbias findings run.parquet --format json | jq '.findings[] | select(.concern) | .sentence'
  xlbias findings --thresholds
"""


@click.command(cls=Command, epilog=EXAMPLE)
@click.argument("run", type=RunPath(), required=False)
@click.argument("base", type=RunPath(), required=False)
@click.option("--format", "form", type=Choice(("text", "json")), default="text", show_default=True)
@click.option(
    "--kind",
    "wanted",
    multiple=True,
    type=Word(finding_kinds),
    metavar="KIND",
    help="Only findings of this kind. Repeatable.",
)
@click.option("--concerns", is_flag=True, help="Only what is a reason to act or to doubt.")
@click.option(
    "--set", "settings", multiple=True, type=Word(thresholds), metavar="THRESHOLD=NUMBER",
    help="Set a threshold of findings; see --thresholds. Repeatable.",
)  # fmt: skip
@click.option("--thresholds", "listing", is_flag=True, help="Print all thresholds with what they mean, then stop.")
@click.option("--out", "-o", type=click.Path(dir_okay=False), help="Write to this file instead of stdout.")
def command(
    run: str | None,
    base: str | None,
    form: str,
    wanted: tuple[str, ...],
    concerns: bool,
    settings: tuple[str, ...],
    listing: bool,
    out: str | None,
) -> None:
    """Print what RUN says: is it good, for whom is it bad, is it fair, is the difference real, does it survive a
    change of domain, and what must not be concluded.

    With BASE its encoders are compared with those of the same names there, else with the first one of RUN. Every number
    is one of the tables of `xlbias report` and `xlbias compare`.
    """
    import os
    from pathlib import Path

    from xlbias.choices import listed, suggestion
    from xlbias.errors import UsageError
    from xlbias.results.findings import Thresholds, findings, kinds
    from xlbias.results.findings.thresholds import table

    if listing:
        print_document("".join(f"{line}\n" for line in table()), "text")
        return
    if run is None:
        raise click.UsageError("name a run, such as: xlbias findings run.parquet", click.get_current_context())
    for kind in wanted:
        if kind not in kinds():
            known = kinds()
            raise UsageError(f"no kind of finding {kind!r}{suggestion(kind, known)}: choose from {listed(known, 99)}")
    thresholds = Thresholds().with_set(settings)
    taken = {os.path.realpath(one) for one in (run, base) if one is not None}
    if out is not None and (out.endswith(".parquet") or os.path.realpath(out) in taken):
        raise UsageError(f"{out}: is the name of a run; choose another one for the findings")
    from xlbias.report.render import render_findings
    from xlbias.results.run import open_run

    opened, before = open_run(run), open_run(base) if base is not None else None
    found = findings(opened, before, thresholds, whole=True)
    chosen = [one for one in found if (not wanted or one.kind in wanted) and (one.concern or not concerns)]
    text = render_findings(opened, chosen, form, thresholds=thresholds, to_file=out is not None)
    if out is None:
        print_document(text, form)
        return
    from xlbias.files import write_whole

    write_whole(Path(out), text.encode("utf-8", "replace"))
