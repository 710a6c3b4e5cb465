"""`xlbias data`: what tasks there are, a look inside one, conversion, download."""

from __future__ import annotations

import json
import shutil
import sys
import textwrap
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from xlbias.choices import listed
from xlbias.cli.groups import Group
from xlbias.cli.narrate import StderrNarrator
from xlbias.cli.pager import print_paged
from xlbias.cli.values import Choice, TaskName, Word, public_sets
from xlbias.text import clean, one_line, width

if TYPE_CHECKING:
    from xlbias.data.formats.base import Option
    from xlbias.data.summary import Example
    from xlbias.data.task import RetrievalTask

_QUIET = click.option("--quiet", "-q", is_flag=True, help="Write nothing to stderr.")
_PIPE_CELLS = 100  # width of a line where stdout is not a terminal
_LEFT_OUT = (
    ("n_unanswerable", " ", "{:,} questions without an answer were left out."),
    ("n_empty", " ", "{:,} passages without text were left out."),
    ("n_variants", " ", "{:,} second translations of a unit into one language were left out."),
    ("n_unknown_judgements", "!", "{:,} judgements of queries or passages that are not there were left out."),
)
_COLUMN = 24  # where the second column of `list` begins


def _examples(*lines: str) -> str:
    return "\b\nExample:\n" + "\n".join(f"  {line}" for line in lines)


@click.group(cls=Group, epilog=_examples("xlbias data show builtin:money"))
def command() -> None:
    """List, inspect, convert and download retrieval tasks."""


@command.command("list", epilog=_examples("xlbias data list"))
def list_tasks() -> None:
    """List the embedded tasks, the formats of tasks with their options, and public data sets."""
    from xlbias.data.catalog import GENERAL_OPTIONS, builtin_tasks, describe_formats

    lines = ["Embedded tasks:"]
    for name, summary in builtin_tasks().items():
        lines += _entry(f"builtin:{name}", summary)
    lines += ["", "Formats:"]
    for known in describe_formats():
        lines += _entry(f"{known.name}:{known.target or ('DIR' if known.folder else 'FILE')}", known.summary)
        lines += _entry("", f"example: {known.example}")
        lines += _option_lines(known.options)
    lines += ["", "Options of every task, in brackets, separated by ';':", *_option_lines(GENERAL_OPTIONS)]
    lines += ["", "Public data sets, which `xlbias data pull NAME` downloads:", *_public_lines()]
    print_paged("".join(f"{line}\n" for line in lines))


@command.command(epilog=_examples("xlbias data show 'lareqa:data/xquad-r[languages=en,de,th]' --examples 5"))
@click.argument("task", type=TaskName())
@click.option("--examples", "n_examples", type=click.IntRange(min=0), default=3, help="How many queries to show (3).")
@click.option("--json", "as_json", is_flag=True, help="Numbers and examples as JSON (texts in full, escaped to ASCII).")
@_QUIET
def show(task: str, n_examples: int, as_json: bool, quiet: bool) -> None:
    """Show what is in TASK: languages, counts, relevance, where it comes from, and a few queries."""
    from xlbias.data.summary import examples, summarise

    loaded = _load(task, StderrNarrator(quiet=quiet))
    facts, shown = summarise(loaded), examples(loaded, n_examples)
    if as_json:
        facts["examples"] = [
            {"query_id": one.query_id, "queries": dict(one.queries), "passages": dict(one.passages)} for one in shown
        ]
        click.echo(json.dumps(facts, indent=2))
    else:
        cells = _cells()
        click.echo("\n".join(_summary_lines(facts, cells) + _example_lines(shown, cells)))


@command.command(
    epilog=_examples(
        "xlbias data convert builtin:money money.jsonl.gz",
        "xlbias data convert lareqa:data/xquad-r xquad-r.beir --format beir",
    )
)
@click.argument("task", type=TaskName())
@click.argument("out", type=Word(paths=("",)))
@click.option(
    "--format",
    "to",
    type=Choice(["parallel", "beir"]),
    default="parallel",
    help="parallel: JSON Lines, gzipped if OUT ends in .gz (default); beir: a folder.",
)
@click.option("--force", is_flag=True, help="Replace OUT if it exists.")
@_QUIET
def convert(task: str, out: str, to: str, force: bool, quiet: bool) -> None:
    """Write TASK to OUT in another format.

    `parallel` holds tasks whose queries have one relevant passage a language. `beir` holds every task, for the
    libraries beir, mteb and datasets; `beir:OUT` reads it back. OUT appears whole or not at all.
    """
    from xlbias.data.convert import check_out, write_beir, write_parallel

    narrator = StderrNarrator(quiet=quiet)
    path = Path(out)
    check_out(path, force, folder=to == "beir")
    loaded = _load(task, narrator)
    if to == "beir":
        narrator.say(f"wrote {out}: {write_beir(loaded, path, force=force):,} qrels")
    else:
        narrator.say(f"wrote {out}: {write_parallel(loaded, path, force=force):,} items")


@command.command(
    epilog=_examples("xlbias data pull xquad-r", "xlbias data pull miracl --languages sw,yo --to data"),
)
@click.argument("name", type=Word(public_sets))
@click.option(
    "--to",
    "to",
    type=Word(paths=()),
    metavar="DIR",
    help="The folder to make it in ($XLBIAS_DATA, or the user's data folder).",
)
@click.option("--languages", metavar="LIST", help="Only these languages, such as ar,sw, where the set has parts.")
@_QUIET
def pull(name: str, to: str | None, languages: str | None, quiet: bool) -> None:
    """Download the public data set NAME, and print the name of the task.

    Its licence is shown first, and kept beside the data with the source and the checksums. A download that broke off
    goes on where it was. `xlbias data list` lists the sets.
    """
    from xlbias.data.public.pull import find_set, task_name
    from xlbias.data.public.pull import pull as fetch

    narrator = StderrNarrator(quiet=quiet)
    wanted = find_set(name)
    size = sum(file.size for file in wanted.files)
    narrator.say(f"{wanted.name}: {wanted.summary}")
    narrator.say(f"licence: {wanted.licence}, see {wanted.licence_url}")
    narrator.say(f"cite: {wanted.citation}")
    if size and not languages:
        narrator.say(f"to download: about {size / 1e6:,.1f} MB")
    chosen = [tag for tag in (piece.strip() for piece in (languages or "").split(",")) if tag]
    folder = fetch(wanted, to=Path(to).expanduser() if to else None, languages=chosen, narrator=narrator)
    click.echo(task_name(wanted, folder))


def _load(spec: str, narrator: StderrNarrator) -> RetrievalTask:
    from xlbias.data.catalog import load_task

    started = time.perf_counter()
    task = load_task(spec)
    narrator.say(f"read {task.name} in {time.perf_counter() - started:.2f} s")
    return task


def _cells() -> int:
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else _PIPE_CELLS


def _entry(key: str, text: str) -> list[str]:
    """Return `key` in the first column and `text` in the second, wrapped."""
    indent = " " * _COLUMN
    return textwrap.wrap(f"  {key}".ljust(_COLUMN) + text, _cells(), subsequent_indent=indent, drop_whitespace=True)


def _public_lines() -> list[str]:
    """Return the public sets with their licences, and the tasks of those that are there."""
    from xlbias.data.public.pull import pulled, task_name
    from xlbias.data.public.sets import SETS

    lines = []
    for one in SETS:
        lines += _entry(one.name, f"{one.summary}; licence: {one.licence}")
        for folder in pulled(one):
            lines += _entry("", f"here: {clean(task_name(one, folder))}")
    return lines


def _option_lines(options: tuple[Option, ...]) -> list[str]:
    lines = []
    for option in options:
        values = f" [{'|'.join(option.choices)}]" if option.choices else ""
        default = f", default {option.default}" if option.default else ""
        lines += _entry(f"  {option.name}=", f"{option.summary}{values}{default}")
    return lines


def _summary_lines(facts: dict[str, Any], cells: int) -> list[str]:
    from xlbias.languages import language_name

    relevants = facts["relevants_per_query"]
    rows = [
        ("domain", facts["domain"]),
        ("source", facts["source"]),
        ("licence", facts["licence"]),
        ("queries", f"{facts['n_queries']:,} ({facts['n_query_ids']:,} ids)"),
        ("passages", f"{facts['n_passages']:,}"),
        ("pairs", f"{facts['n_pairs']:,} (query in one language, relevant passage)"),
        (
            "relevants",
            f"{relevants['min']:,} to {relevants['max']:,} a query, median {relevants['median']:,.1f}".removesuffix(
                ".0"
            ),
        ),
        ("no relevant", f"{facts['n_queries_without_relevant']:,} queries"),
        *([("negatives", f"{facts['n_negatives']:,} (judged, not relevant)")] if facts["n_negatives"] else []),
        ("documents", f"{facts['n_documents']:,}"),
        ("fingerprint", facts["fingerprint"]),
    ]
    lines = [one_line(facts["name"], cells), *(f"  {key:<12} {one_line(text, cells - 15)}" for key, text in rows)]
    lines.append("")
    for mark, text in _notes(facts):
        lines += textwrap.wrap(
            clean(text), cells, initial_indent=f"{mark} ", subsequent_indent="  ", break_long_words=False
        )
    lines += ["", f"  {'language':<34} {'queries':>12} {'passages':>12}"]
    for tag, counts in facts["languages"].items():
        name = one_line(f"{tag:<10} {language_name(tag)}", 34)
        pad = " " * (34 - width(name))
        lines.append(f"  {name}{pad} {counts['queries']:>12,} {counts['passages']:>12,}")
    return lines


def _notes(facts: dict[str, Any]) -> list[tuple[str, str]]:
    """Return what was taken for granted in sentences, those that a number may be wrong by marked with ``!``."""
    parallel, own, notes = facts["parallel"], facts["self"], facts["notes"]
    lines = []
    if parallel["by"] is None:
        lines.append((" ", "Nothing is taken for parallel (parallel=no)."))
    else:
        said = f"{parallel['n_shared']:,} of {parallel['n_ids']:,} ids are in two or more languages"
        lines.append((" ", f"Translations of one another are texts with the same {parallel['by']}: {said}."))
    if parallel["counters"]:
        lines.append(
            (
                "!",
                "The ids only count from 0 or 1 in the file of each language, so that independent files would agree "
                "as well. If these are, cross-lingual quality and bias mean nothing: give [parallel=no].",
            )
        )
    queries = f"of {own['of']:,} queries"
    if own["left_out"]:
        n_all = own["n_relevant"] + own["n_other"]
        lines.append((" ", f"{n_all:,} {queries} are passages of their own pool and left out of it (self=ignore)."))
    else:
        if own["n_relevant"]:
            lines.append(
                (
                    "!",
                    f"{own['n_relevant']:,} {queries} are passages of their own pool and find themselves: monolingual "
                    "retrieval is trivial for them. [self=ignore] leaves them out.",
                )
            )
        if own["n_other"]:
            lines.append(
                (
                    "!",
                    f"{own['n_other']:,} {queries} are passages of their own pool that are not relevant, and stand "
                    "before what is. [self=ignore] leaves them out.",
                )
            )
    if notes["n_copies"]:
        elsewhere = f", {notes['n_copies_elsewhere']:,} of them from other documents" * bool(
            notes["n_copies_elsewhere"]
        )
        lines.append(
            (
                " ",
                f"On reading, {notes['n_copies']:,} passages had the text of another one of their language and were "
                f"merged into it{elsewhere}: it is relevant to the queries of all.",
            )
        )
    if (equal := facts["equal_texts"])["n"]:
        of_all = f"{equal['n']:,} passages have the text of another one, and score the same as it"
        alike = f"{equal['n_relevant']:,} of them answer the same queries wherever they stand"
        lines.append((" ", f"{of_all}: {alike}, {equal['n_rivals']:,} are rivals of an answer or answer others."))
    if notes["tags"]:
        renamed = listed(f"{given} is {normal}" for given, normal in notes["tags"])
        lines.append((" ", f"Language tags of the data were normalised: {renamed}."))
    lines += [(mark, sentence.format(notes[name])) for name, mark, sentence in _LEFT_OUT if notes[name]]
    lines += [
        ("!", f"Queries are in {asked} and passages in {pool}: two languages, so that they have no monolingual cell.")
        for asked, pool in facts["divided_languages"]
    ]
    return lines


def _example_lines(shown: list[Example], cells: int) -> list[str]:
    lines = []
    for example in shown:
        lines += ["", f"  query {one_line(example.query_id, cells - 8)}"]
        for kind, texts in (("query", example.queries), ("relevant", example.passages)):
            lines += [f"    {kind:<8} {language:<8} {one_line(text, cells - 22)}" for language, text in texts]
    return lines
