"""From the names of lexicons on the command line to one lexicon."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path

from xlbias.data.formats.reading import shown
from xlbias.data.lexicons import cldr, tsv
from xlbias.data.lexicons.lexicon import Concept, Lexicon, Source
from xlbias.errors import TaskError, unreadable
from xlbias.files import digest_of_file
from xlbias.text import drop_surrogates

CLDR = "cldr:"
EXPECTED = "a TSV file of word pairs (such as en-de.tsv), or a folder of CLDR annotations (DIR or cldr:DIR)"


def load_lexicon(specs: Sequence[str]) -> Lexicon:
    """Load TSV files (see `tsv`) and folders of CLDR annotations (``DIR`` or ``cldr:DIR``, see `cldr`) as one lexicon.

    Several translations of one word, in one source or in several, are options of equal weight.

    Raises TaskError if one is missing or not what it must be; the message names file, line and what was expected.
    """
    if not specs:
        raise TaskError(f"no lexicon given: expected {EXPECTED}")
    return Lexicon([_source(spec) for spec in specs])


def _source(spec: str) -> Source:
    try:
        path = _existing_path(spec)
        return Source(drop_surrogates(path.resolve().name), _fingerprint(path), _concepts(path))
    except OSError as error:
        raise TaskError(unreadable(drop_surrogates(spec), error)) from error


def _existing_path(spec: str) -> Path:
    given = Path(spec.removeprefix(CLDR))
    if spec.startswith(CLDR) and not Path(spec).exists():
        path = _expanded(given)
        if not path.is_dir():
            what = "is a file" if path.exists() else "there is no such folder"
            raise TaskError(f"{shown(path)}: {what}; expected a folder of CLDR annotations after {CLDR}")
        return path
    path = _expanded(Path(spec))
    if not spec or not path.exists():
        raise TaskError(f"{shown(path) if spec else repr(spec)}: there is no such lexicon; expected {EXPECTED}")
    return path


def _expanded(path: Path) -> Path:
    try:
        return path.expanduser()
    except RuntimeError:  # ~nobody: no such user, so a path that begins with a tilde
        return path


def _concepts(path: Path) -> Iterator[Concept]:
    """Read when it is asked for, so that one source after the other becomes part of the lexicon."""
    try:
        yield from (cldr.read if path.is_dir() else tsv.read)(path)
    except OSError as error:
        raise TaskError(unreadable(shown(path), error)) from error


def _fingerprint(path: Path) -> str:
    """Return the SHA-256 of a file, or of a folder's list of files as ``sha256sum`` prints it."""
    if not path.is_dir():
        return digest_of_file(path)
    lines = [f"{digest_of_file(file)}  {file.relative_to(path).as_posix()}\n" for file in cldr.files(path)]
    return hashlib.sha256("".join(lines).encode("utf-8", "surrogateescape")).hexdigest()
