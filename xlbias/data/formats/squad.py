"""Reads SQuAD-style JSON, one file per language: relevant to a question is the paragraph that it was asked about.

The question with one ``qas.id`` is the same question in every language, and the paragraphs that hold it are relevant
to it in every language. A passage is a paragraph of a language file, in its place: nothing is merged.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from xlbias.data.components import connected_components
from xlbias.data.formats.base import Format
from xlbias.data.formats.filenames import language_of, shortest_tags
from xlbias.data.formats.reading import Rows, json_file, json_type, plain_name, provenance, shown, string_field
from xlbias.data.task import RetrievalTask
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


# Cuts a paragraph into passages: (what follows the paragraph's id in the passage's, text) of each, and for each of the
# paragraph's questions the position of its relevant passage.
Cut = Callable[[Paragraph], tuple[Sequence[tuple[str, str]], Sequence[int]]]


def read(path: Path, options: Mapping[str, str]) -> RetrievalTask:
    """Read a folder of SQuAD-style files as question → paragraph."""
    return read_folder(path, lambda paragraph: ([("", paragraph.context)], [0] * len(paragraph.questions)))


def read_folder(folder: Path, cut: Cut) -> RetrievalTask:
    """Read all files of a folder, one at a time, with passages as `cut` makes them."""
    queries = Rows("query_id", "language", "text", "article", "origin")
    passages = Rows("passage_id", "language", "text", "article", "origin")
    qrels = Rows("query_id", "passage_id", "origin")
    titles: dict[str, str] = {}
    for language, file in language_files(folder).items():
        for paragraph in paragraphs(file):
            article = f"{language} {paragraph.article}"
            titles.setdefault(article, paragraph.title)
            texts, relevant = cut(paragraph)
            prefix = f"{language}-{paragraph.number:04d}"
            for suffix, text in texts:
                passages.add(prefix + suffix, language, text, article, paragraph.origin)
            for question, position in zip(paragraph.questions, relevant, strict=True):
                queries.add(question.query_id, language, question.text, article, question.origin)
                qrels.add(question.query_id, prefix + texts[position][0], question.origin)
    asked = queries.frame()
    documents = name_articles(titles, asked.select("query_id", "article"))
    source, licence, domain = provenance(folder)
    return RetrievalTask(
        name=plain_name(folder),
        domain=domain,
        source=source,
        licence=licence,
        queries=asked,
        passages=passages.frame().with_columns(document=pl.col("article").replace_strict(documents)),
        qrels=qrels.frame().with_columns(relevance=pl.lit(1, dtype=pl.Int32)),
    )


def language_files(folder: Path) -> dict[str, Path]:
    """Find the JSON files of a folder by language: ``de.json``, ``xquad.de.json``; TaskError where that is unclear."""
    tags: dict[str, Path] = {}
    for file in sorted(folder.glob("*.json")):
        tag = language_of(file.stem.rpartition(".")[2])
        if tag is None:
            raise TaskError(f"{file}: cannot tell the language; expected a name such as de.json or NAME.de.json")
        if tag in tags:
            raise TaskError(f"{file}: a second file in language {tag!r}, beside {tags[tag].name}")
        tags[tag] = file
    if not tags:
        raise TaskError(f"{folder}: no file LANGUAGE.json in this folder")
    shortest = shortest_tags(tags)
    return {shortest[tag]: file for tag, file in tags.items()}


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
            asked = list(_questions(fields, origin))
            yield Paragraph(article, title, number, context, asked, fields, origin)


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


def _questions(fields: Mapping[str, Any], where: str) -> Iterator[Question]:
    """Yield the questions of a paragraph, but those that SQuAD 2 marks as impossible to answer from it."""
    for entry in _objects(fields, "qas", where):
        query_id = string_field(entry, "id", where)
        if not query_id:
            raise TaskError(f"{where}: a question without the field 'id'")
        origin = f"{where}, question {query_id!r}"
        text = string_field(entry, "question", origin)
        if text is None:
            raise TaskError(f"{origin}: no field 'question'")
        if entry.get("is_impossible") is not True:
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


FORMAT = Format(
    name="squad",
    summary="question → paragraph, from SQuAD-style JSON, a file per language (de.json, xquad.de.json)",
    example="squad:DIR[languages=en,de]",
    folder=True,
    options=(),
    read=read,
)
