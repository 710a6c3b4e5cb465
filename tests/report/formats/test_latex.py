"""LaTeX that fits the lines of a standard article: its widths against TeX's own, and documents that TeX has set."""

import ast
import re
import shutil
import struct
import subprocess
from pathlib import Path
from unicodedata import category

import numpy as np
import polars as pl
import pytest
from report.documents.test_audit_text import small_run
from support import make_task, make_vectors

import xlbias
from xlbias.data.catalog import load_task
from xlbias.data.task import RetrievalTask
from xlbias.evaluation import evaluate
from xlbias.measures.registry import measures
from xlbias.report.document import Document, MatrixBlock, Paragraph, Section, Table, Terms
from xlbias.report.documents.audit import DEFAULT_MATRICES, audit
from xlbias.report.documents.comparison import comparison
from xlbias.report.formats.latex import block_to_latex, escape, to_latex
from xlbias.report.formats.tex_widths import LINE, SIZES, width
from xlbias.report.numbers import Entry, entry, numeric
from xlbias.results.cell import Cell
from xlbias.results.compare import Side, compare
from xlbias.results.matrix import Matrix

MAP = measures("quality")["map"]
LATEX = shutil.which("pdflatex")
needs_latex = pytest.mark.skipif(LATEX is None, reason="no pdflatex here")
ARTICLE = r"""\documentclass{article}
\usepackage{booktabs}
\begin{document}
\input{report}
\end{document}
"""


def set_by_tex(text: str, folder: Path) -> str:
    """What TeX says of a text that it sets in a standard article."""
    (folder / "report.tex").write_text(text, encoding="utf-8")
    (folder / "article.tex").write_text(ARTICLE, encoding="utf-8")
    command = [LATEX, "-interaction=nonstopmode", "-halt-on-error", "-no-shell-escape", "article.tex"]
    done = subprocess.run(command, check=False, cwd=folder, capture_output=True, timeout=60)
    log = (folder / "article.log").read_text(encoding="utf-8", errors="replace")
    assert done.returncode == 0, re.findall(r"^!.*", log, re.MULTILINE)
    return log


def fits(text: str, folder: Path) -> None:
    log = set_by_tex(text, folder)
    assert not re.search(r"Overfull \\[hv]box|too large", log), re.findall(r"Overfull.*|.*too large.*", log)


def matrix(n: int, *, differs: bool = False, ends: bool = False) -> Matrix:
    names = tuple(f"{chr(97 + i // 26)}{chr(97 + i % 26)}" for i in range(n))
    values = np.random.default_rng(n).uniform(-0.5 if differs else 0.0, 0.9, (n, n))
    cells = tuple(
        tuple(
            Cell(v, v - 0.1, v + 0.1, significant=differs) if ends else Cell(v, significant=differs)
            for v in map(float, row)
        )
        for row in values
    )
    return Matrix(MAP, names, names, cells, differs=differs)


@needs_latex
@pytest.mark.skipif(shutil.which("kpsewhich") is None, reason="no kpsewhich here")
def test_widths_are_those_of_computer_modern():
    def widths(font):
        path = subprocess.run(["kpsewhich", f"{font}.tfm"], capture_output=True, text=True, check=True).stdout.strip()
        data = Path(path).read_bytes()
        _, n_header, first, last, n_widths = struct.unpack(">5H", data[:10])
        start = 24 + 4 * n_header
        table = start + 4 * (last - first + 1)
        of = struct.unpack(f">{n_widths}i", data[table : table + 4 * n_widths])
        return {code: of[data[start + 4 * (code - first)]] / 2**20 for code in range(first, last + 1)}

    other = {ord(c) for c in r'<>_{|}\\"^~-`'}  # set from other fonts
    for size, (points, font) in zip(SIZES, ((9, "cmr9"), (8, "cmr8"), (7, "cmr7"), (5, "cmr5")), strict=True):
        of_font = widths(font)
        for code in set(range(33, 127)) - other:
            assert width(chr(code), size) >= of_font[code] * points - 0.02
            assert width(chr(code), size) <= of_font[code] * points * 1.35


@pytest.mark.parametrize("n", [2, 5, 11, 30])
@pytest.mark.parametrize("of", [{}, {"differs": True}, {"ends": True}])
def test_a_matrix_of_any_size_is_as_wide_as_the_line(n, of):
    text = block_to_latex(MatrixBlock("m", matrix(n, **of)))
    gap = float(re.search(r"\\tabcolsep\}\{([\d.]+)pt", text)[1])
    size = re.search(r"\\centering(\\\w+)\\set", text)[1]
    columns = set()
    for part in re.findall(r"\\toprule\n(.*?)\\bottomrule", text, re.DOTALL):
        rows = [line.removesuffix(r" \\").split(" & ") for line in part.splitlines() if line != r"\midrule"]
        columns |= set(rows[0][1:])
        widest = [max(told(cell, size) for cell in column) for column in zip(*rows, strict=True)]
        assert sum(widest) + 2 * gap * (len(widest) - 1) <= LINE + 1e-6
    assert columns == set(matrix(n).columns), "every column is there"


def told(cell: str, size: str) -> float:
    """How wide a written cell is."""
    plain = cell.replace("{[}", "[").replace("{]}", "]").replace("{*}", "*").replace("$-$", "−")
    if (small := re.fullmatch(r"(.*?) ?\{(\\\w+) (.*)\}", plain)) is not None:
        return told(small[1], size) + (width(" ", size) if small[1] else 0) + width(small[3], small[2])
    return width(plain, size)


def test_many_rows_are_several_tables_of_a_page_each():
    rows = tuple((Entry(f"r{i}"), numeric(str(i), float(i))) for i in range(100))
    text = block_to_latex(Table("t", ("", "v"), rows, ("A note.",)))
    pages = re.findall(r"\\begin\{table\}(.*?)\\end\{table\}", text, re.DOTALL)
    assert [re.search(r"\\caption\{(.*)\}", page)[1] for page in pages] == ["t", "t (continued)", "t (continued)"]
    assert [row for page in pages for row in re.findall(r"^r(\d+) &", page, re.MULTILINE)] == [
        str(i) for i in range(100)
    ]
    assert text.count(r"\label{") == text.count("A note.") == 1


def hostile() -> Document:
    """Long words, long names and every special character, where each can be."""
    word, special = "w" * 150, r"a_b\c{d}$e#f%g&h~i^j<k>l|m" + "\"n`o'p"
    names = tuple(f"{special}-{word}{i}" for i in range(4))
    cell = entry(Cell(123456.5, 1.0, 999999.0), measures("bias")["rank_distance"])
    rows = tuple((Entry(name, kind="name"), Entry(word), *[cell] * 4) for name in names)
    block = MatrixBlock(word, Matrix(MAP, names, names, ((Cell(0.5, 0.1, 0.9),) * 4,) * 4), (word,))
    table = Table(f"{special} {word}", ("encoder", special, *names), rows, (f"{special} {word}",))
    terms = Terms(word, ((word, special), (special, f"{word} {word}")))
    return Document(
        f"{special} {word}", f"/x/{word}/{special}", (Section(word, (Paragraph(word), terms, table, block)),)
    )


@needs_latex
def test_the_longest_names_fit(tmp_path):
    fits(to_latex(hostile()), tmp_path)


@needs_latex
@pytest.mark.slow
def test_an_audit_of_two_encoders_on_eleven_languages_fits(tmp_path, shared_data):
    ids = load_task(f"lareqa:{shared_data / 'xquad-r'}").queries["query_id"].unique().sort()[:40]
    whole = load_task(f"lareqa:{shared_data / 'xquad-r'}")
    chosen = whole.qrels.filter(pl.col("query_id").is_in(ids.implode()))
    queries = whole.queries.filter(pl.col("query_id").is_in(ids.implode()))
    passages = whole.passages.filter(pl.col("passage_id").is_in(chosen["passage_id"].implode()))
    task = RetrievalTask("xquad-r", "encyclopedia", "some of it", "none", queries, passages, chosen)
    run = evaluate([make_vectors(task, seed) for seed in (0, 1)], task, tmp_path / "run.parquet")
    document = audit(run, matrices=DEFAULT_MATRICES, by_language=True)
    fits(to_latex(document), tmp_path)


@pytest.mark.integration  # many documents: `make test` has the time
@needs_latex
def test_audits_of_many_encoders_and_comparisons_fit(tmp_path):
    task = make_task(5)
    vectors = [make_vectors(task, seed) for seed in range(4)]
    run = evaluate(vectors, task, tmp_path / "run.parquet")
    frame = compare(Side(run, ("random0",)), Side(run, ("random1",)), "made", permutations=2_000)
    texts = [to_latex(audit(run, matrices=["map"], by_language=True)), to_latex(comparison({"made": frame}, "a", "b"))]
    fits("\n".join(texts), tmp_path)


@needs_latex
def test_a_matrix_of_forty_languages_and_a_long_table_fit(tmp_path):
    rows = tuple((Entry(f"r{i}"), numeric(str(i), float(i)), Entry("many words " * 9)) for i in range(60))
    blocks = [
        MatrixBlock("m", matrix(40, differs=True, ends=True), ("n.",)),
        Table("t", ("", "v", "w"), rows, ("A note.",)),
    ]
    fits("\n".join(map(block_to_latex, blocks)), tmp_path)


def test_what_only_figures_say_is_no_empty_section(tmp_path):
    assert "Training" not in to_latex(audit(small_run(tmp_path)))


@needs_latex
def test_a_hundred_tables_in_one_section_are_set(tmp_path):
    table = Table("t", ("", "v"), ((Entry("r"), numeric("1", 1.0)),))
    log = set_by_tex(to_latex(Document("t", "", (Section("s", (table,) * 100),))), tmp_path)
    assert "Too many unprocessed floats" not in log


def symbols() -> set[str]:
    """The signs of our own words that are not ASCII: all but letters, bars of text, and what no reader sees."""
    root = Path(xlbias.__file__).parent
    files = [file for room in ("report/documents", "results", "measures") for file in (root / room).rglob("*.py")]
    constants = (
        node.value
        for file in files
        for node in ast.walk(ast.parse(file.read_text("utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    )
    signs = {char for text in constants for char in text if ord(char) > 126 and category(char)[0] not in "LC"}
    return {char for char in signs if not "▀" <= char <= "▟" and not "！" <= char <= "～"}


def test_every_symbol_of_our_own_words_is_written_in_ascii():
    assert {"≠", "≥", "→"} <= symbols()
    for symbol in symbols():
        assert escape(symbol).isascii(), symbol


@needs_latex
def test_every_symbol_of_our_own_words_is_set(tmp_path):
    fits(to_latex(Document(" ".join(sorted(symbols())), "", (Section("s", (Paragraph("×" * 3),)),))), tmp_path)
