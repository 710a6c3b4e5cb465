"""The same data under another name: tasks of two runs are matched by their fingerprints, and what differs is said."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

import polars as pl

from xlbias.choices import listed
from xlbias.runs.run_file import RunFile

R = TypeVar("R", bound=RunFile)

OTHER_DATA = " (other data)"
"""After the name of a task whose name stands for other data in the run that it is matched with."""


@dataclass(frozen=True)
class Matched(Generic[R]):
    """A run whose tasks are called as the same tasks of another run, `to`.

    Attributes:
        run: the run, under these names.
        to: the run that it was matched with.
        own: of the tasks that both have, by their name in `to`: what the run itself calls them.
        differing: names that stand for other data in the two runs.
    """

    run: R
    to: RunFile
    own: Mapping[str, str]
    differing: tuple[str, ...]

    def notes(self) -> list[str]:
        """Return which tasks have two names, and which are in one run only, a sentence each."""
        notes = [
            f"{name} is called {own} in {self.run.path.name}: the same queries, passages and judgements."
            for name, own in self.own.items()
            if name != own
        ]
        notes += [f"{self.why_not(name)}: it is not compared." for name in self.differing]
        for run in (self.to, self.run):
            names = [task.name.removesuffix(OTHER_DATA) for task in run.tasks]
            alone = [name for name in names if name not in self.own and name not in self.differing]
            if alone:
                notes.append(f"only in {run.path.name}, and not compared: {listed(alone)}.")
        return notes

    def why_not(self, name: str) -> str:
        """Return that a name stands for other data in the two runs, and what differs; reads the texts of both."""
        what = what_differs(self.to, name, self.run, name + OTHER_DATA)
        return f"the task {name!r} is not the same in {self.to.path} and {self.run.path}: {what}"


def matched(run: R, to: RunFile) -> Matched[R]:
    """Return `run` with its tasks called as in `to`, wherever their fingerprints say that they are the same.

    A task that has a name of `to` and other data gets the name with OTHER_DATA behind it.
    """
    prints = [(task.name, task.fingerprint) for task in run.tasks]
    wanted = {task.name: task.fingerprint for task in to.tasks}
    own: dict[str, str] = {}
    for name, fingerprint in wanted.items():
        same = [mine for mine, other in prints if other == fingerprint and mine not in own.values()]
        if same:
            own[name] = name if name in same else same[0]
    differing = tuple(mine for mine, _ in prints if mine in wanted and mine not in own)
    renamed = {mine: name for name, mine in own.items() if name != mine}
    renamed |= {mine: mine + OTHER_DATA for mine, _ in prints if mine in wanted and mine not in own.values()}
    return Matched(run.renamed(renamed) if renamed else run, to, own, differing)


def what_differs(base: RunFile, task: str, new: RunFile, other: str) -> str:
    """Return in words in what two tasks differ: languages, query ids, texts, or else what is judged relevant."""
    found = []
    names = [run.path.name for run in (base, new)]
    if names[0] == names[1]:
        names = [str(run.path) for run in (base, new)]
    for record, key in (("queries", "query_id"), ("passages", "passage_id")):
        sides = [_texts(run, record, key, name) for run, name in ((base, task), (new, other))]
        languages = [set(_languages(run, record, name)) for run, name in ((base, task), (new, other))]
        for side, name in enumerate(names):
            if more := sorted(languages[side] - languages[1 - side]):
                found.append(f"{record} in {listed(more)} only in {name}")
        for side, name in enumerate(names):
            ours, theirs = sides[side], sides[1 - side]
            ids = ours.select(key).unique()
            if more_ids := ids.join(theirs.select(key).unique(), on=key, how="anti").height:
                what = "query ids" if key == "query_id" else record
                found.append(f"{more_ids:,} of {ids.height:,} {what} only in {name}")
        both = sides[0].join(sides[1], on=[key, "language"])
        if changed := both.filter(pl.col("text") != pl.col("text_right")).height:
            found.append(f"{changed:,} of {both.height:,} {record} have another text")
    return "; ".join(found) or "what is judged relevant, or which passages are translations, differs"


def _texts(run: RunFile, record: str, key: str, task: str) -> pl.DataFrame:
    frame = run.queries if record == "queries" else run.passages
    return frame.filter(pl.col("task") == task).select(key, "language", "text").collect()


def _languages(run: RunFile, record: str, task: str) -> Mapping[str, int]:
    found = run.task(task)
    return {} if found is None else found.n_queries if record == "queries" else found.pool_sizes
