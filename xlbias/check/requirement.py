"""Requirements on a run, as `xlbias check --require` takes them: parsed once, checked on the numbers of any run."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from xlbias.check.evaluate import Evaluation
from xlbias.check.explain import explain
from xlbias.check.lookup import Fields
from xlbias.check.parser import parse_tree
from xlbias.check.source import Source, read_source
from xlbias.check.tree import Comparison, Truth, comparisons
from xlbias.errors import UsageError, unreadable
from xlbias.text import clean

_LARGEST_FILE = 1_000_000


@dataclass(frozen=True)
class Outcome:
    """Whether a requirement is met; all texts are safe to print.

    `place` is the file and line it stands in, or empty. `values` tells every comparison with its numbers, `failures`
    those because of which the requirement is not met (none if it is).
    """

    expression: str
    place: str
    passed: bool
    failures: tuple[str, ...]
    values: tuple[str, ...]


@dataclass(frozen=True)
class Requirement:
    """One requirement: made by `parse` or `parse_file`."""

    expression: str
    place: str
    _tree: Truth = field(repr=False, compare=False)

    def check(self, fields: Fields, baseline: Fields | None = None) -> Outcome:
        """Return whether the requirement is definitely true of a run: what is undefined never passes.

        Raises UsageError if a field or language is not there, if the two sides of a comparison have different
        languages, or if it asks for a baseline and there is none.
        """
        evaluation = Evaluation(Source(self.expression, self.place), fields, baseline)
        passed = evaluation.truth(self._tree) is True
        lines = {comparison: explain(evaluation, comparison) for comparison in comparisons(self._tree)}
        culprits = [] if passed else _culprits(evaluation, self._tree)
        return Outcome(
            expression=self.expression,
            place=self.place,
            passed=passed,
            failures=tuple(line for comparison in culprits for line in lines[comparison]),
            values=tuple(line for texts in lines.values() for line in texts),
        )


def parse(text: str, place: str = "") -> Requirement:
    """Return the requirement written in `text`; raises UsageError that says at which column it is not one."""
    source = read_source(text, place)
    return Requirement(source.text, source.place, parse_tree(source))


def parse_file(path: str | Path) -> tuple[Requirement, ...]:
    """Return the requirements of a file, one a line; ``#`` begins a comment.

    Raises UsageError, with file and line, if the file cannot be read, a line is no requirement, or there is none.
    """
    name = clean(str(path))
    try:
        with Path(path).open("rb") as file:
            content = file.read(_LARGEST_FILE + 1)
        lines = content.decode("utf-8-sig").split("\n")
    except OSError as error:
        raise UsageError(unreadable(name, error)) from error
    except ValueError as error:  # not UTF-8, or a NUL in the path
        raise UsageError(f"{name}: expected UTF-8 text, one requirement a line") from error
    if len(content) > _LARGEST_FILE:
        raise UsageError(f"{name}: a file of requirements has at most {_LARGEST_FILE:,} bytes")
    numbered = [(number, line.partition("#")[0].rstrip(" \t\r")) for number, line in enumerate(lines, start=1)]
    requirements = tuple(parse(text, f"{name}:{number}") for number, text in numbered if text)
    if not requirements:
        raise UsageError(f"{name}: holds no requirement: expected one a line, such as 'map.multilingual >= 0.3'")
    return requirements


def _culprits(evaluation: Evaluation, truth: Truth) -> list[Comparison]:
    """Return the comparisons because of which `truth` is not true."""
    if evaluation.truth(truth) is True:
        return []
    if isinstance(truth, Comparison):
        return [truth]
    return [culprit for item in truth.items for culprit in _culprits(evaluation, item)]
