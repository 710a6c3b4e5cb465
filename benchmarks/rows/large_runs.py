"""Commands and the dashboard on large runs: 100 languages (10,100 cells), and 500 encoders.

The first is evaluated, from made-up vectors; the second has the numbers of a small evaluation 500 times, each encoder
under a name of its own. `benchmarks/dashboard.py` drives the dashboard on 10 million rankings.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import polars as pl
from babel.localedata import locale_identifiers
from made import unit_vectors, xquad
from row import Row, Spent, command, here, spent

from xlbias import evaluate
from xlbias.encode.precomputed import PrecomputedVectors
from xlbias.results.run import open_run
from xlbias.runs.journal import Journal

SECONDS, MEGABYTES = 5.0, 1500.0
GOAL = f"≤ {SECONDS:.0f} s of processors, ≤ {MEGABYTES:,.0f} MB"

_COMMANDS = {
    "report": ["report", "{run}"],
    "report --format json": ["report", "{run}", "--format", "json"],
    "findings": ["findings", "{run}"],
    "compare": ["compare", "{run}", "--base", "{first}", "--new", "{second}", "--measure", "map"],
}


def rows(tiny: bool) -> Iterator[Row]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for what, make in (("languages", _of_languages), ("encoders", _of_encoders))[: 1 if tiny else 2]:
            path, n, names = make(folder, tiny)
            if tiny:
                yield _row(f"report of {n} {what}", here(["report", str(path)]))
                continue
            yield from measured(path, f"{n} {what}", names, folder, tuple(_COMMANDS))
            path.unlink()


def measured(path: Path, what: str, names: tuple[str, str], folder: Path, commands: tuple[str, ...]) -> Iterator[Row]:
    """Yield what each command takes on a run, and the dashboard's screens."""
    for name in commands:
        taken = command([part.format(run=path, first=names[0], second=names[1]) for part in _COMMANDS[name]], folder)
        yield _row(f"{name} of {what}", taken)
    if sys.platform == "linux" and commands == tuple(_COMMANDS):
        yield from _screens(path, what, names[0], folder)


def _row(what: str, taken: Spent) -> Row:
    figure = f"{taken.processor:.1f} s of processors, {taken.peak:,.0f} MB"
    return Row(what, GOAL, figure, taken.processor <= SECONDS and taken.peak <= MEGABYTES)


def _screens(path: Path, what: str, first: str, folder: Path) -> Iterator[Row]:
    import dashboard

    terminal = dashboard.Terminal(path, str(folder))
    _, _, _ = terminal.until(lambda text: first in text)
    yield _row(f"dashboard of {what}, first screen", Spent(0.0, terminal.processor, terminal.peak))
    for key, name in (("2", "matrix"), ("3", "bias"), ("5", "queries")):
        terminal.settle()
        before, shown = terminal.processor, terminal.text
        terminal.ask(key, lambda text, shown=shown: text != shown and "reading" not in text)
        own = terminal.processor - before
        figure = f"{own:.2f} s of processors, {terminal.peak:,.0f} MB"
        yield Row(f"dashboard of {what}, {name} ({key}), whole", "≤ 1 s of processors", figure, own <= 1.0)
    terminal.end()


def _of_languages(folder: Path, tiny: bool) -> tuple[Path, int, tuple[str, str]]:
    n = 3 if tiny else 100
    task = xquad(12, sorted(one for one in locale_identifiers() if len(one) == 2)[:n])
    queries, passages = unit_vectors(task, 16)
    path = folder / "languages.parquet"
    models = [PrecomputedVectors(queries + noise, passages, name) for name, noise in (("one", 0.0), ("two", 0.05))]
    taken = spent(lambda: evaluate(models, task, path))
    print(f"<!-- evaluated in {taken.processor:.0f} s of processors -->") if not tiny else None
    return path, n, ("one", "two")


def _of_encoders(folder: Path, tiny: bool) -> tuple[Path, int, tuple[str, str]]:
    n = 5 if tiny else 500
    task = xquad(12, ["de", "en", "zh"])
    evaluate(PrecomputedVectors(*unit_vectors(task, 16), "encoder"), task, folder / "one.parquet")
    path = folder / "encoders.parquet"
    _repeated(folder / "one.parquet", path, [f"encoder-{number:03d}" for number in range(n)])
    return path, n, ("encoder-000", "encoder-001")


def _repeated(one: Path, path: Path, names: list[str]) -> None:
    """Write a run in which each of `names` has the numbers of the one encoder in the run `one`."""
    run = open_run(one)
    about = dict(run.metadata)
    model = about["models"][0]
    about["models"] = [{**model, "name": name, "fingerprint": name} for name in names]
    frames = {
        "query": run.queries.collect(), "passage": run.passages.collect(), "ranking": run.rankings.collect(),
        "summary": run.stored_summary, "alignment": run.alignments.collect(),
    }  # fmt: skip
    with Journal.open(path, about, identity="benchmark", overwrite=True) as journal:
        for record in ("query", "passage"):
            journal.write(record, "000", frames[record])
        for number, name in enumerate(names):
            for record in ("ranking", "summary", "alignment"):
                journal.write(record, f"{number:03d}", frames[record].with_columns(pl.lit(name).alias("model")))
        journal.finish()
