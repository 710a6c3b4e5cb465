"""From facts to a retrieval task: every fact is worded in every language by templates that a stable hash picks."""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import TypeVar

import babel
import polars as pl
from babel.core import get_cldr_version

from xlbias.data.builtin.cldr import LANGUAGES
from xlbias.data.task import RetrievalTask

LICENCE = "Unicode-3.0"

# table of templates ("questions", "passages") → kind → wordings
Templates = dict[str, dict[str, list[str]]]

_Item = TypeVar("_Item")


@dataclass(frozen=True)
class Fact:
    """One thing that a passage says and that one or more questions ask for.

    Attributes:
        kind: the relation, such as ``official`` (language of a territory); unique in its domain.
        key: what tells facts of one kind apart, such as ``JP``; ``KIND-KEY`` is the id of the passage.
        document: the entity that the fact is about, for splits without leaks.
        slots: what goes into the templates: slot → text, or slot → language → text where it differs by language.
        questions: tables of questions that this fact answers; the kind itself by default.
        wording: table of passage templates; the kind itself by default.
    """

    kind: str
    key: str
    document: str
    slots: Mapping[str, str | Mapping[str, str]]
    questions: tuple[str, ...] = ()
    wording: str = ""

    def slots_in(self, language: str) -> dict[str, str]:
        """The slots as they read in one language."""
        return {slot: value if isinstance(value, str) else value[language] for slot, value in self.slots.items()}


def task_from_facts(domain: str, facts: Iterable[Fact]) -> RetrievalTask:
    """Word all facts in all languages and return them as the task ``builtin:DOMAIN``."""
    queries: list[tuple[str, str, str]] = []
    passages: list[tuple[str, str, str, str]] = []
    qrels: list[tuple[str, str, int]] = []
    templates = {language: load_templates(domain, language) for language in LANGUAGES}
    for fact in facts:
        for language in LANGUAGES:
            slots = fact.slots_in(language)
            passage_id = f"{fact.kind}-{fact.key}:{language}"
            wordings = templates[language]["passages"][fact.wording or fact.kind]
            text = _sentence(pick(wordings, passage_id).format_map(slots), language)
            passages.append((passage_id, language, text, fact.document))
            for question in fact.questions or (fact.kind,):
                query_id = f"{question}-{fact.key}"
                wordings = templates[language]["questions"][question]
                text = _sentence(pick(wordings, f"{query_id}?{language}").format_map(slots), language)
                queries.append((query_id, language, text))
                qrels.append((query_id, passage_id, 1))
    return RetrievalTask(
        name=f"builtin:{domain}",
        domain=domain,
        source=f"Unicode CLDR {get_cldr_version()} through Babel {babel.__version__}, with templates of xlbias",
        licence=LICENCE,
        queries=pl.DataFrame(queries, schema=["query_id", "language", "text"], orient="row"),
        passages=pl.DataFrame(passages, schema=["passage_id", "language", "text", "document"], orient="row"),
        qrels=pl.DataFrame(qrels, schema=["query_id", "passage_id", "relevance"], orient="row"),
    )


def load_templates(domain: str, language: str) -> Templates:
    """The hand-written wordings of one domain in one language."""
    path = files("xlbias.data.builtin") / "templates" / f"{domain}.{language}.toml"
    return tomllib.loads(path.read_text(encoding="utf-8"))


def draw(*words: object) -> int:
    """A number that depends on `words` only: the same in every process and on every machine."""
    digest = hashlib.blake2b("\n".join(map(str, words)).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big")


def pick(choices: Sequence[_Item], *words: object) -> _Item:
    """One of `choices`, decided by `words` alone, so that translations of a text do not share a template index."""
    return choices[draw(*words) % len(choices)]


def some(items: Iterable[str], count: int, salt: str) -> list[str]:
    """`count` of `items` (all, if there are fewer), decided by the items and `salt` alone; in sorted order."""
    return sorted(sorted(items, key=lambda item: draw(salt, item))[:count])


def _sentence(text: str, language: str) -> str:
    """`text` with a capital first letter, which a name put at the beginning may lack (``yen japonés``)."""
    first = "İ" if language == "tr" and text[0] == "i" else text[0].upper()
    return first + text[1:]
