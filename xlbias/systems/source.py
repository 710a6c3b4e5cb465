"""What is given as a ranking: a file, and of what it is, such as ``bm25.trec[query=en;pool=de]``."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from xlbias.choices import listed, suggestion
from xlbias.data.task import RetrievalTask
from xlbias.errors import UsageError
from xlbias.languages import normalise_tag

_GIVEN = re.compile(r"(?P<path>.+?)(?:\[(?P<options>[^\[\]]*)\])?", re.DOTALL)
_OPTIONS = ("query", "pool")


@dataclass(frozen=True)
class Source:
    """A file of rankings.

    Attributes:
        path: the file.
        query: the language that all of its queries are in, whose ids are then plain; None where ids say it.
        pool: the language whose passages are ranked; None for the multilingual pool.
    """

    path: Path
    query: str | None = None
    pool: str | None = None

    def __str__(self) -> str:
        said = ";".join(f"{name}={value}" for name in _OPTIONS if (value := getattr(self, name)))
        return f"{self.path}[{said}]" if said else str(self.path)

    def of_task(self, task: RetrievalTask) -> Source:
        """Return the same source, its languages as the task writes them. Raises UsageError for one it does not have."""
        query = self._language("query", task.query_languages, task.name)
        return Source(self.path, query, self._language("pool", task.passage_languages, task.name))

    def _language(self, option: str, there: list[str], task: str) -> str | None:
        tag: str | None = getattr(self, option)
        if tag is None or tag in there:
            return tag
        try:
            normal = normalise_tag(tag)
        except Exception:
            normal = tag
        if normal not in there:
            kind = "queries" if option == "query" else "passages"
            raise UsageError(
                f"{self}: {task} has no {kind} in {tag!r}{suggestion(tag, there)}; choose from {listed(there)}"
            )
        return normal


def parse_source(text: str) -> Source:
    """Return what is written as a source. Raises UsageError for options that there are not.

    A file whose own name ends in brackets is taken as it is.
    """
    if Path(text).exists():
        return Source(Path(text))
    match = _GIVEN.fullmatch(text)
    if match is None:
        raise UsageError("a ranking has an empty name; expected a file, such as run.trec")
    found: dict[str, str] = {}
    for option in filter(None, (match["options"] or "").split(";")):
        name, equals, value = (part.strip() for part in option.partition("="))
        if name not in _OPTIONS or not equals or not value:
            close = suggestion(name, _OPTIONS)
            raise UsageError(f"{text}: option {option!r}{close}; expected query=LANGUAGE or pool=LANGUAGE")
        if name in found:
            raise UsageError(f"{text}: {name} is given twice")
        found[name] = value
    return Source(Path(match["path"]), found.get("query"), found.get("pool"))
