"""Reads SQuAD-style JSON, one file per language: relevant to a question is the paragraph that it was asked about.

The question with one ``qas.id`` is the same question in every language, and the paragraphs that hold it are relevant
to it in every language. Paragraphs of a language with one text are one passage, relevant to the questions of all of
them: many converters repeat the paragraph for every question. Questions that the data calls unanswerable are left out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest
from pathlib import Path
from typing import Any

import polars as pl

from xlbias.data.components import connected_components
from xlbias.data.formats.base import Format
from xlbias.data.formats.filenames import by_language, code_at_end
from xlbias.data.formats.merging import merge_copies
from xlbias.data.formats.opening import files_named, opened, unpacked_name
from xlbias.data.formats.reading import (
    Rows,
    id_field,
    json_file,
    json_type,
    plain_name,
    provenance,
    shown,
    string_field,
)
from xlbias.data.notes import Notes
from xlbias.data.task import MORE_DOCUMENTS_SCHEMA, RetrievalTask
from xlbias.errors import TaskError


@dataclass(frozen=True)
class Question:
    """One question of a paragraph; `fields` is its object in the file."""

    query_id: str
    text: str
    fields: Mapping[str, Any]
    origin: str


@dataclass(frozen=True)
class Paragraph:
    """One paragraph of a language file; `number` runs over the file and `article` over the articles, both from 1."""

    article: int
    title: str
    number: int
    context: str
    questions: list[Question]
    fields: Mapping[str, Any]
    origin: str
    n_unanswerable: int


_ANSWER = ("text", "answer_start")

# Cuts a paragraph into passages: (what follows the paragraph's id in the passage's, text) of each, and for each of the
# paragraph's questions the position of its relevant passage.
Cut = Callable[[Paragraph], tuple[Sequence[tuple[str, str]], Sequence[int]]]


def read(path: Path, options: Mapping[str, str]) -> RetrievalTask:
    """Read a folder of SQuAD-style files as question → paragraph."""
    return read_folder(path, lambda paragraph: ([("", paragraph.context)], [0] * len(paragraph.questions)), merge=True)


def read_folder(folder: Path, cut: Cut, *, merge: bool) -> RetrievalTask:
    """Read all files of a folder, one at a time, with passages as `cut` makes them; equal ones are one with `merge`."""
    queries = Rows("query_id", "language", "text", "article", "origin")
    passages = Rows("passage_id", "language", "text", "article", "origin")
    qrels = Rows("query_id", "passage_id", "origin")
    titles: dict[str, str] = {}
    n_unanswerable = 0
    for language, file in language_files(folder).items():
        for paragraph in paragraphs(file):
            article = f"{language} {paragraph.article}"
            titles.setdefault(article, paragraph.title)
            n_unanswerable += paragraph.n_unanswerable
            texts, relevant = cut(paragraph)
            prefix = f"{language}-{paragraph.number:04d}"
            for suffix, text in texts:
                passages.add(prefix + suffix, language, text, article, paragraph.origin)
            for question, position in zip(paragraph.questions, relevant, strict=True):
                queries.add(question.query_id, language, question.text, article, question.origin)
                qrels.add(question.query_id, prefix + texts[position][0], question.origin)
    asked = queries.frame()
    if asked.is_empty() and n_unanswerable:
        raise TaskError(
            f"{folder}: none of the {n_unanswerable:,} questions has an answer; nothing can be searched for"
        )
    documents = name_articles(titles, asked.select("query_id", "article"))
    found = passages.frame().with_columns(document=pl.col("article").replace_strict(documents, return_dtype=pl.String))
    pairs = qrels.frame()
    notes = Notes(parallel_by="question id", files_count=True, n_unanswerable=n_unanswerable)
    more_documents = pl.DataFrame(schema=MORE_DOCUMENTS_SCHEMA)
    if merge:
        merged = merge_copies(found)
        found, more_documents = merged.passages, merged.more_documents
        pairs = pairs.join(merged.kept, on="passage_id", maintain_order="left").with_columns(passage_id="kept")
        notes = replace(notes, n_copies=merged.n_copies, n_copies_elsewhere=merged.n_copies_elsewhere)
    return RetrievalTask(
        name=plain_name(folder),
        **provenance(folder),
        queries=asked,
        passages=found,
        qrels=pairs.with_columns(relevance=pl.lit(1, dtype=pl.Int32)),
        more_documents=more_documents,
        notes=notes,
    )


def language_files(folder: Path) -> dict[str, Path]:
    """Find the JSON files of a folder by language: ``de.json``, ``xquad.de.json``; TaskError where that is unclear."""
    codes: dict[Path, str] = {}
    for file in files_named(folder, ".json"):
        code = code_at_end(unpacked_name(file.name).removesuffix(".json"))
        if code is None:
            raise TaskError(
                f"{file}: cannot tell the language; expected a name such as de.json or NAME.de.json; keep what is not "
                "part of the task in another folder"
            )
        codes[file] = code
    if not codes:
        raise TaskError(f"{folder}: no file LANGUAGE.json in this folder")
    return by_language(codes)


def paragraphs(file: Path) -> Iterator[Paragraph]:
    """Yield the paragraphs of one file in order; TaskError with file, paragraph and field for a broken structure."""
    data = json_file(file)
    where = shown(file)
    if not isinstance(data, dict):
        raise TaskError(f"{where}: expected an object with the field 'data', not {json_type(data)}")
    number = 0
    for article, entry in enumerate(_objects(data, "data", where), start=1):
        in_article = f"{where}, article {article}"
        title = string_field(entry, "title", in_article) or ""
        for fields in _objects(entry, "paragraphs", in_article):
            number += 1
            origin = f"{where}, paragraph {number}"
            context = string_field(fields, "context", origin)
            if context is None:
                raise TaskError(f"{origin}: no field 'context'")
            every = list(_questions(fields, origin))
            asked = [question for question in every if not is_unanswerable(question.fields)]
            yield Paragraph(article, title, number, context, asked, fields, origin, len(every) - len(asked))


def name_articles(titles: Mapping[str, str], asked: pl.DataFrame) -> dict[str, str]:
    """Name every article by the document it is, the same in all languages: ``007 Normans``.

    `titles` holds the title of each article of each language file, `asked` the frame ``query_id, article``. Articles
    that share a question id are one document: titles are translated and files may order articles in their own way,
    but the ids stay. An article without questions is a document of its own.
    """
    numbers = {article: number for number, article in enumerate(titles)}
    links = asked.select(
        "query_id", number=pl.col("article").replace_strict(numbers, return_dtype=pl.Int64)
    ).with_columns(first=pl.col("number").first().over("query_id"))
    labels = connected_components(len(titles), links["number"].to_numpy(), links["first"].to_numpy())
    names: dict[int, str] = {}
    for label, title in zip(labels.tolist(), titles.values(), strict=True):
        names.setdefault(label, f"{len(names) + 1:03d} {title}".strip())
    return {article: names[int(labels[number])] for article, number in numbers.items()}


def answers(question: Mapping[str, Any]) -> list[tuple[object, object]] | None:
    """Return the (text, answer_start) of a question's answers as they stand there, None where it says nothing of them.

    They are a list of objects, as in SQuAD, or an object of two lists, as data-set hubs write it.
    """
    given = question.get("answers")
    if isinstance(given, dict):
        texts, starts = (value if isinstance(value, list) else [value] for value in map(given.get, _ANSWER))
        return list(zip_longest(texts, starts))
    if isinstance(given, list):
        return [
            (each.get("text"), each.get("answer_start")) if isinstance(each, dict) else (each, None) for each in given
        ]
    return None


def is_unanswerable(question: Mapping[str, Any]) -> bool:
    """Tell whether the data says that the paragraph does not answer the question, however it says so.

    That is SQuAD 2's ``is_impossible`` (true, "true" or 1), answers that are there but none, or all empty, or all
    ``CANNOTANSWER`` (QuAC), or all placed before the paragraph's start (``answer_start`` -1). A question without
    a word about answers counts as answered: test sets are published so.
    """
    impossible = question.get("is_impossible")
    if str(impossible).strip().lower() in ("true", "1", "yes"):
        return True
    given = answers(question)
    return given is not None and all(_is_no_answer(text, start) for text, start in given)


def _is_no_answer(text: object, start: object) -> bool:
    if isinstance(start, int) and start < 0:
        return True
    if text is None:
        return start is None
    return isinstance(text, str) and text.strip() in ("", "CANNOTANSWER")


def _questions(fields: Mapping[str, Any], where: str) -> Iterator[Question]:
    """Yield the questions of a paragraph, answered or not."""
    for entry in _objects(fields, "qas", where):
        query_id = id_field(entry, "id", where)
        if not query_id:
            raise TaskError(f"{where}: a question without the field 'id'")
        origin = f"{where}, question {query_id!r}"
        text = string_field(entry, "question", origin)
        if text is None:
            raise TaskError(f"{origin}: no field 'question'")
        yield Question(query_id, text, entry, origin)


def _objects(holder: Mapping[str, Any], field: str, where: str) -> Sequence[dict[str, Any]]:
    value = holder.get(field)
    if value is None:
        raise TaskError(f"{where}: no field {field!r}")
    if not isinstance(value, list):
        raise TaskError(f"{where}: field {field!r} must be a list, not {json_type(value)}")
    for entry in value:
        if not isinstance(entry, dict):
            raise TaskError(f"{where}: field {field!r} must hold objects, not {json_type(entry)}")
    return value


def head_of_json(path: Path) -> str | None:
    """Return the start of a folder's first JSON file, where it looks like SQuAD's; None where it does not."""
    if not path.is_dir():
        return None
    for file in files_named(path, ".json"):
        try:
            with opened(file) as stream:
                head = stream.read(_HEAD).decode("utf-8", "replace")
        except TaskError:
            continue
        if '"paragraphs"' in head or '"qas"' in head:
            return head
    return None


def looks_like(path: Path) -> bool:
    """Whether a folder holds SQuAD-style JSON at first sight, without sentence breaks."""
    head = head_of_json(path)
    return head is not None and SENTENCE_BREAKS not in head


SENTENCE_BREAKS = '"sentence_breaks"'
_HEAD = 65_536  # bytes: the first paragraph stands in them

FORMAT = Format(
    name="squad",
    summary="question → paragraph, from SQuAD-style JSON, a file per language (de.json, xquad.de.json)",
    example="squad:DIR[languages=en,de]",
    folder=True,
    options=(),
    read=read,
    looks_like=looks_like,
)
