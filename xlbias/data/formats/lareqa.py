"""Reads LAReQA's tasks (XQuAD-R, MLQA-R): a question's relevant passage is the sentence that holds its answer.

A candidate is one element of ``sentence_breaks``, whatever its text: merging equal sentences would break the published
counts. Its text is the slice of the context, half open and not stripped. Roy et al. 2020 (arXiv 2004.05484).
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from pathlib import Path

from xlbias.data.formats.base import Format, Option
from xlbias.data.formats.reading import UNKNOWN, json_type
from xlbias.data.formats.squad import SENTENCE_BREAKS, Paragraph, Question, answers, head_of_json, read_folder
from xlbias.data.task import RetrievalTask
from xlbias.errors import TaskError


def read(path: Path, options: Mapping[str, str]) -> RetrievalTask:
    """Read a folder of LAReQA files as question → sentence."""
    with_context = options["passage_text"] == "sentence+context"

    def cut(paragraph: Paragraph) -> tuple[list[tuple[str, str]], list[int]]:
        breaks = sentence_breaks(paragraph)
        after = f"\n{paragraph.context}" if with_context else ""
        sentences = [
            (f"-{position:02d}", paragraph.context[start:end] + after)
            for position, (start, end) in enumerate(breaks, start=1)
        ]
        return sentences, [answer_position(question, breaks) for question in paragraph.questions]

    task = read_folder(path, cut, merge=False)
    # Both of LAReQA's data sets are made from Wikipedia, so the reader knows what its files do not say.
    return task.changed(domain="encyclopedia") if task.domain == UNKNOWN else task


def sentence_breaks(paragraph: Paragraph) -> list[tuple[int, int]]:
    """Return the (start, end) of a paragraph's sentences, in code points of its context; TaskError for broken ones."""
    value = paragraph.fields.get("sentence_breaks")
    where = f"{paragraph.origin}: field 'sentence_breaks'"
    if not isinstance(value, list):
        raise TaskError(f"{where} must be a list of [start, end], not {json_type(value)}; is this a LAReQA file?")
    breaks: list[tuple[int, int]] = []
    for position, entry in enumerate(value, start=1):
        if not (isinstance(entry, list) and len(entry) == 2 and all(type(offset) is int for offset in entry)):
            raise TaskError(f"{where}: sentence {position} must be [start, end], two whole numbers")
        start, end = entry
        if not (breaks[-1][1] if breaks else 0) <= start < end <= len(paragraph.context):
            raise TaskError(
                f"{where}: sentence {position} is [{start}, {end}], which is empty, overlaps the one before or leaves "
                f"the context of {len(paragraph.context):,} characters"
            )
        breaks.append((start, end))
    return breaks


def answer_position(question: Question, breaks: Sequence[tuple[int, int]]) -> int:
    """Return the position (from 0) of the one sentence with ``start <= answer_start < end``, for the first answer.

    An answer that runs over the end of its sentence keeps the sentence that holds its start.
    """
    given = answers(question.fields)
    start = given[0][1] if given else None
    if type(start) is not int:
        raise TaskError(f"{question.origin}: field 'answers' must begin with {{'answer_start': a whole number}}")
    position = bisect_right(breaks, start, key=lambda pair: pair[0]) - 1
    if position < 0 or start >= breaks[position][1]:
        raise TaskError(f"{question.origin}: 'answer_start' {start} is in none of the paragraph's sentence_breaks")
    return position


def looks_like(path: Path) -> bool:
    """Whether a folder holds LAReQA's files at first sight."""
    return SENTENCE_BREAKS in (head_of_json(path) or "")


FORMAT = Format(
    name="lareqa",
    summary="question → sentence, from LAReQA's XQuAD-R and MLQA-R, a file per language (de.json)",
    example="lareqa:DIR[languages=en,de,th]",
    folder=True,
    options=(
        Option(
            "passage_text",
            "what the encoder sees of a passage: its sentence, or the sentence, a line break and its paragraph",
            choices=("sentence", "sentence+context"),
            default="sentence",
        ),
    ),
    read=read,
    looks_like=looks_like,
)
