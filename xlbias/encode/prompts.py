"""Which of an encoder's registered prompts stand before queries and passages, and how they were found.

A prompt is a text put before every query or passage. Encoders register them by name in
``config_sentence_transformers.json``, each family under names of its own:

============================================  ==========================================  =============================
names (query / passage)                       encoders                                    taken
============================================  ==========================================  =============================
query / document, passage, corpus             E5, BGE, Arctic, Qwen3, EmbeddingGemma      both sides
search_query / search_document                Nomic v1, FRIDA, USER2                      both sides
retrieval.query / retrieval.passage           Jina v3 and CLIP v2 (query only)            both sides
Retrieval-query / Retrieval-document          EmbeddingGemma, names of MTEB               both sides
s2p_query (beside s2s_query)                  Stella, Jasper                              query
web_search_query (beside sts_query, ...)      E5-Mistral, BGE-Gemma2                      query
any name, as ``default_prompt_name``          what plain ``encode`` puts before a text    a side that has none above
any other name (Clustering, STS, Retrieval,   tasks that are not retrieval, or names      not taken; said where no
names of data sets, ...)                      that do not tell the side                   query prompt was found
============================================  ==========================================  =============================

Upper case, ``.``, ``-`` and blanks in names make no difference. Empty texts are no prompts. The first name of
QUERY_NAMES and of PASSAGE_NAMES that is registered wins, so that the choice never depends on the order in a file.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from xlbias.errors import EncoderError

QUERY_NAMES = (
    "query", "queries", "search_query", "retrieval_query", "s2p_query", "web_search_query", "question",
)  # fmt: skip
PASSAGE_NAMES = (
    "document", "passage", "corpus", "doc", "documents", "passages", "search_document", "search_passage",
    "retrieval_document", "retrieval_passage", "retrieval_corpus",
)  # fmt: skip
"""Names of prompts for passages, normalised; the first three in the order of sentence-transformers."""

_WORD = re.compile(r"[A-Za-z0-9_.\-]+")
Side = Literal["query", "passage"]
_NAMES: dict[Side, tuple[str, ...]] = {"query": QUERY_NAMES, "passage": PASSAGE_NAMES}
_PLURAL: dict[Side, str] = {"query": "queries", "passage": "passages"}


@dataclass(frozen=True)
class Prompt:
    """The prompt of one side.

    Attributes:
        text: what is put before every text; empty for nothing.
        name: the registered name it was found under, None where there is none.
        found: how it was found, a phrase such as ``registered as query``.
    """

    text: str = ""
    name: str | None = None
    found: str = "none registered"


@dataclass(frozen=True)
class Prompts:
    """The prompts of an encoder.

    Attributes:
        query: before queries.
        passage: before passages.
        unused: registered prompts that are used for neither side, text by name.
        doubts: sentences about what may not be what the encoder was made for; empty where nothing is in doubt.
    """

    query: Prompt = field(default_factory=Prompt)
    passage: Prompt = field(default_factory=Prompt)
    unused: Mapping[str, str] = field(default_factory=dict)
    doubts: tuple[str, ...] = ()

    def text(self, side: Side) -> str:
        """Return what is put before texts of a side."""
        return (self.query if side == "query" else self.passage).text

    def as_dict(self) -> dict[str, Any]:
        """Return the prompts as a run's metadata and a card hold them."""
        return {
            "query": self.query.text,
            "passage": self.passage.text,
            "query_name": self.query.name,
            "passage_name": self.passage.name,
            "query_found": self.query.found,
            "passage_found": self.passage.found,
            "unused": dict(self.unused),
            "doubts": list(self.doubts),
        }

    def __str__(self) -> str:
        """The prompts in words, e.g. ``query 'query: ' (registered as query), passage none (none registered)``."""
        return described(self.as_dict())


def find_prompts(
    registered: Mapping[str, str | None] | None,
    default: str | None = None,
    *,
    query: str | None = None,
    passage: str | None = None,
    encoder: str = "the encoder",
) -> Prompts:
    """Return which prompts to use.

    Args:
        registered: an encoder's prompts, text by name.
        default: its ``default_prompt_name``.
        query: what to use for queries instead: a registered name, or a text; see `given_prompt`. Empty for none.
        passage: the same for passages.
        encoder: its name, for errors.

    Raises EncoderError where `query` or `passage` is a word that is no registered name, and where something that is
    registered is no text.
    """
    for name, text in (registered or {}).items():
        if not isinstance(text, str | None):
            raise EncoderError(f"{encoder}: its prompt {name!r} is {text!r:.80}; expected a text")
    there = {name: text for name, text in (registered or {}).items() if text}
    wanted: dict[Side, str | None] = {"query": query, "passage": passage}
    chosen: dict[Side, Prompt] = {}
    doubts: list[str] = []
    for side, given in wanted.items():
        own = _own(there, default, side)
        chosen[side] = own if given is None else given_prompt(given, there, side, encoder)
        if given is None:
            doubts += _several(there, side)
        elif own.text not in ("", chosen[side].text):
            used = repr(chosen[side].text) if chosen[side].text else "nothing"
            doubts.append(f"its own {side} prompt {own.text!r} was not used: {used} stood before {_PLURAL[side]}")
    by_default = [
        _PLURAL[side] for side, given in wanted.items() if given is None and _is_default(there, side, chosen[side])
    ]
    if by_default:
        doubts.append(
            f"its default prompt {default} was put before {' and '.join(by_default)}, for which none is registered"
        )
    texts = {prompt.text for prompt in chosen.values()}
    unused = {name: text for name, text in there.items() if text not in texts}
    if query is None and not chosen["query"].text and unused:
        names = ", ".join(unused)
        doubts.append(
            f"no registered prompt is known to be for queries, so none was used for them; registered: {names}"
        )
    return Prompts(chosen["query"], chosen["passage"], unused, tuple(doubts))


def given_prompt(given: str, registered: Mapping[str, str], side: Side, encoder: str) -> Prompt:
    """Return the prompt that `given` means: that of a registered name, else the text itself.

    An empty text means no prompt. A single word that is not registered (letters, digits, ``_.-``) is taken for a name
    that was mistyped and refused; in double quotes everything is a text. Raises EncoderError.
    """
    if given in registered:
        return Prompt(registered[given], given, f"registered as {given}, chosen by its name")
    if len(given) >= 2 and given[0] == given[-1] == '"':
        return Prompt(given[1:-1], None, "given")
    if _WORD.fullmatch(given):
        names = f"it registers {', '.join(registered)}" if registered else "it registers none"
        raise EncoderError(
            f"{encoder}: registers no prompt {given!r} ({side} prompt): {names}; a text of one word is written in "
            f"double quotes, '\"{given}\"'"
        )
    return Prompt(given, None, "given")


def trained_prompts(registered: Mapping[str, str | None] | None, query: str, passage: str) -> dict[str, str]:
    """Return what to register for an encoder that was trained with these prompts.

    Every name that means one of the sides gets the text that was trained with; others stay as they are. So plain
    sentence-transformers and other tools use what was trained, by whatever name they ask.
    """
    new = {"query": query, "document": passage}
    for name, text in (registered or {}).items():
        side = _side_of(name)
        new[name] = {"query": query, "passage": passage}[side] if side else text or ""
    return new


def described(prompts: Mapping[str, Any]) -> str:
    """Return prompts as `Prompts.as_dict` holds them in words."""
    sides = [f"{side} {_shown(prompts.get(side))} ({prompts.get(f'{side}_found', '')})" for side in _NAMES]
    return ", ".join(sides)


def _own(there: Mapping[str, str], default: str | None, side: Side) -> Prompt:
    found = _candidates(there, side)
    if found:
        return Prompt(there[found[0]], found[0], f"registered as {found[0]}")
    if default is not None and default in there and _side_of(default) is None:
        return Prompt(there[default], default, f"default prompt {default}")
    return Prompt()


def _several(there: Mapping[str, str], side: Side) -> list[str]:
    found = _candidates(there, side)
    if len({there[name] for name in found}) > 1:
        return [f"{len(found)} registered prompts are for {_PLURAL[side]} ({', '.join(found)}): {found[0]} was used"]
    return []


def _is_default(there: Mapping[str, str], side: Side, prompt: Prompt) -> bool:
    return bool(prompt.text) and not _candidates(there, side)


def _candidates(there: Mapping[str, str], side: Side) -> list[str]:
    """Return the registered names that mean a side, best first."""
    names = _NAMES[side]
    known = [name for name in there if _side_of(name) == side]
    return sorted(known, key=lambda name: (names.index(_normal(name)), name != _normal(name), name))


def _side_of(name: str) -> Side | None:
    return next((side for side, names in _NAMES.items() if _normal(name) in names), None)


def _normal(name: str) -> str:
    return re.sub(r"[\s.\-]+", "_", name.strip()).casefold()


def _shown(text: object) -> str:
    return repr(text) if text else "none"
