"""Reads line-aligned files: line n of every file of a corpus is the same sentence, in the language of the file's name.

Corpora are told apart by what stands before the language: ``corpus.en`` and ``corpus.de``; ``tatoeba.deu-eng.deu`` and
``tatoeba.deu-eng.eng``; ``newstest2019-src.eng.txt`` and ``newstest2019-ref.deu.txt``. A folder may hold several. An
empty line is a sentence that is missing in that language. Line n of ``DOCUMENT_IDS.tsv`` names the document of line n.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import polars as pl

from xlbias.data.formats.base import Format, Option
from xlbias.data.formats.filenames import by_language, code_at_end, tags_of
from xlbias.data.formats.merging import Translations, translations
from xlbias.data.formats.opening import unpacked_name
from xlbias.data.formats.reading import plain_name, provenance, text_lines
from xlbias.data.notes import Notes
from xlbias.data.task import MORE_DOCUMENTS_SCHEMA, RetrievalTask
from xlbias.errors import TaskError
from xlbias.folding import canonical_texts

_DOCUMENTS = "DOCUMENT_IDS.tsv"
_SIDE = re.compile(r"[-.](ref|src)$")  # WMT and NTREX mark which side was translated; both are one corpus

Corpora = dict[str, dict[str, Path]]  # corpus → language → file


def read(path: Path, options: Mapping[str, str]) -> RetrievalTask:
    """Read a folder of line-aligned files as sentence → translation, or as headline → sentences of its article."""
    headlines = options["pairs"] == "headline"
    corpora = find_corpora(path, fewest=1 if headlines else 2)
    lines = pl.concat([_aligned_lines(corpus, files) for corpus, files in sorted(corpora.items())])
    documents = _documents(path, options["documents"], corpora)
    if documents is None:
        if headlines:
            raise TaskError(
                f"{path}: pairs=headline needs to know the document of each line, from {_DOCUMENTS} in the same folder "
                "or documents=FILE"
            )
        lines = lines.with_columns(document=pl.lit(None, dtype=pl.String))
    else:
        lines = lines.join(documents, on="line", how="left", maintain_order="left")
    items = lines.select("id", "language", "text", "document")
    parts = _headlines(lines) if headlines else translations(items, parallel_by="line number")
    return RetrievalTask(
        name=plain_name(path),
        **provenance(path),
        **parts,
    )


def find_corpora(folder: Path, fewest: int) -> Corpora:
    """Sort the files of a folder into corpora by name; those in fewer than `fewest` languages are no corpora.

    Raises TaskError where a corpus has two files in one language, or where there is no corpus at all.
    """
    found: dict[str, dict[Path, str]] = {}
    for file in sorted(folder.iterdir()):
        name = unpacked_name(file.name).removesuffix(".txt")
        code = code_at_end(name)
        if code is not None and file.is_file():
            found.setdefault(_SIDE.sub("", name.rpartition(".")[0]), {})[file] = code
    found = {corpus: codes for corpus, codes in found.items() if len(codes) >= fewest}
    tags = tags_of(code for codes in found.values() for code in codes.values())
    corpora = {corpus: by_language(codes, tags=tags) for corpus, codes in found.items()}
    if not corpora:
        raise TaskError(
            f"{folder}: no line-aligned files in this folder; expected names that end in a language, such as "
            "corpus.en and corpus.de, or newstest.eng.txt and newstest.deu.txt (src, tgt, train and dev are none)"
        )
    return corpora


def _aligned_lines(corpus: str, files: Mapping[str, Path]) -> pl.DataFrame:
    """Return ``id, line, language, text`` of one corpus, without empty lines; TaskError for unequal line counts."""
    frames: list[pl.DataFrame] = []
    first: tuple[Path, int] | None = None
    for language, file in files.items():
        texts = pl.Series("text", [line for _, line in text_lines(file)], dtype=pl.String)
        if first is None:
            first = (file, len(texts))
        elif first[1] != len(texts):
            raise TaskError(
                f"{file}: {len(texts):,} lines, but {first[0].name} has {first[1]:,}; line-aligned files must have "
                "the same number of lines"
            )
        frames.append(texts.to_frame().with_row_index("line", offset=1).with_columns(language=pl.lit(language)))
    digits = len(str(first[1])) if first else 1
    number = pl.col("line").cast(pl.String).str.zfill(digits)
    return (
        pl.concat(frames)
        .filter(pl.col("text").str.strip_chars() != "")
        .select("line", "language", "text", id=pl.lit(f"{corpus}/") + number if corpus else number)
    )


def _documents(folder: Path, given: str, corpora: Corpora) -> pl.DataFrame | None:
    """Return ``line, document, headline`` (is it the document's first line?), or None where no file says."""
    path = folder / (Path(given).expanduser() if given else _DOCUMENTS)
    if not path.is_file():
        if given:
            raise TaskError(f"{path}: there is no such file (option 'documents')")
        return None
    if len(corpora) > 1:
        names = ", ".join(sorted(corpora))
        raise TaskError(f"{path}: names the documents of one corpus, but the folder holds {len(corpora)}: {names}")
    names_by_line: list[str] = []
    for number, line in text_lines(path):
        document = line.split("\t")[0].strip()
        if not document:
            raise TaskError(f"{path}, line {number}: no document id")
        names_by_line.append(document)
    aligned = next(iter(next(iter(corpora.values())).values()))
    n_lines = sum(1 for _ in text_lines(aligned))
    if n_lines != len(names_by_line):
        raise TaskError(
            f"{path}: {len(names_by_line):,} lines, but {aligned.name} has {n_lines:,}; expected the document id of "
            "every line"
        )
    documents = pl.DataFrame({"document": names_by_line}, schema={"document": pl.String})
    return documents.with_columns(headline=pl.col("document").is_first_distinct()).with_row_index("line", offset=1)


def _headlines(lines: pl.DataFrame) -> Translations:
    """The first line of a document is the query, its other lines are the relevant passages, in every language.

    Nothing is merged: a sentence that stands twice is relevant both times, to the headlines of both, and each keeps its
    translations.
    """
    passages = lines.filter(~pl.col("headline")).select(
        "language",
        "text",
        "document",
        passage_id=pl.concat_str("language", pl.lit("/"), "id"),
        parallel_id="id",
    )
    queries = lines.filter("headline").select("language", "text", query_id="document")
    texts = passages.select("passage_id", "document", text=pl.struct("language", canonical_texts(pl.col("text"))))
    alike = texts.filter(pl.col("text").is_duplicated())
    elsewhere = (
        alike.select("text", query_id="document").unique().join(alike, on="text").select("passage_id", "query_id")
    )
    qrels = pl.concat([passages.select("passage_id", query_id="document"), elsewhere.sort("passage_id", "query_id")])
    return {
        "queries": queries,
        "passages": passages,
        "qrels": qrels.unique(maintain_order=True)
        .join(queries, on="query_id", how="semi", maintain_order="left")
        .with_columns(relevance=pl.lit(1, dtype=pl.Int32)),
        "more_documents": pl.DataFrame(schema=MORE_DOCUMENTS_SCHEMA),
        "notes": Notes(parallel_by="line number"),
    }


def looks_like(path: Path) -> bool:
    """Whether a folder holds files whose names end in languages, two at least."""
    try:
        return path.is_dir() and bool(find_corpora(path, fewest=2))
    except (TaskError, OSError):
        return False


FORMAT = Format(
    name="bitext",
    summary="sentence → translation, or headline → sentences, from line-aligned files (corpus.en, corpus.de)",
    example="bitext:DIR[pairs=headline;split=train;by=document]",
    folder=True,
    options=(
        Option(
            "pairs",
            "what is searched with what: a sentence for its translation, or a headline for its article's sentences",
            choices=("translation", "headline"),
            default="translation",
        ),
        Option("documents", f"file in the folder with every line's document id (else {_DOCUMENTS}, if it is there)"),
    ),
    read=read,
    looks_like=looks_like,
)
