"""The same number in every format, cell for cell; and names that are markup, formulas or commands in none of them."""

import base64
import csv
import hashlib
import io
import json
import re
from dataclasses import replace
from html.parser import HTMLParser

import polars as pl
import pytest
from report.documents.test_audit_text import HOSTILE, small_run
from support import make_task, make_vectors

from xlbias.cli import run as xlbias
from xlbias.colour import colours, luminance, text_on
from xlbias.data.task import RetrievalTask
from xlbias.evaluation import evaluate
from xlbias.measures.registry import all_measures, measures
from xlbias.report.document import MatrixBlock, Panels, Table
from xlbias.report.documents.audit import DEFAULT_MATRICES, audit
from xlbias.report.documents.audit_csv import COLUMNS, to_csv
from xlbias.report.documents.audit_json import to_json
from xlbias.report.documents.audit_text import to_text
from xlbias.report.formats.html import to_html
from xlbias.report.formats.latex import to_latex
from xlbias.report.formats.markdown import to_markdown
from xlbias.report.numbers import interval, measured
from xlbias.results.compare import Side, compare
from xlbias.results.run import open_run
from xlbias.runs.journal import Journal
from xlbias.text import clean

pytestmark = pytest.mark.integration

MATRICES = ("map", "single_gold", "rank_distance")
LATEX = {
    r"\textbackslash{}": "\\", r"\{": "{", r"\}": "}", r"\$": "$", r"\&": "&", r"\#": "#", r"\%": "%", r"\_": "_",
    r"\textasciicircum{}": "^", r"\textasciitilde{}": "~", r"\textless{}": "<", r"\textgreater{}": ">",
    r"\textbar{}": "|", r"{\char34}": '"', r"\textasciigrave{}": "`", "{'}": "'", "{-}": "-", "{[}": "[", "{]}": "]",
    "{*}": "*", r"$\rightarrow$": "→", "$-$": "−", r"$\cdot$": "·", r"$\alpha$": "α", r"$\chi$": "χ", "$^2$": "²",
    r"\ldots{}": "…", r"\S{}": "§", "--": "–", r"$\neq$": "≠", r"$\geq$": "≥", r"$\leq$": "≤", r"$\times$": "×",
}  # fmt: skip
_LATEX = re.compile("|".join(sorted(map(re.escape, LATEX), key=len, reverse=True)))


def with_holes() -> RetrievalTask:
    """Nothing is relevant in Chinese, and German passages are relevant to three ids only."""
    made = make_task(12, "holes")
    german = pl.col("passage_id").str.starts_with("de-") & ~pl.col("query_id").is_in(["q0000", "q0001", "q0002"])
    qrels = made.qrels.filter(~pl.col("passage_id").str.starts_with("zh-") & ~german)
    return RetrievalTask("holes", "test", "made by the test", "none", made.queries, made.passages, qrels)


@pytest.fixture(scope="module", params=["all", "holes"])
def run(request, tmp_path_factory):
    task = make_task(12, "all") if request.param == "all" else with_holes()
    vectors = [make_vectors(task, seed) for seed in (0, 1)]
    return evaluate(vectors, task, tmp_path_factory.mktemp("formats") / "run.parquet")


@pytest.fixture(scope="module")
def document(run):
    return audit(run, matrices=MATRICES, by_language=True)


def tables(document) -> list[Table]:
    found = [block for section in document.sections for block in section.plain]
    return [b.as_table() if isinstance(b, MatrixBlock) else b for b in found if isinstance(b, (Table, MatrixBlock))]


def titled(document, start: str) -> Table:
    """The one table whose title begins so."""
    (table,) = [table for table in tables(document) if table.title.startswith(start)]
    return table


def texts(table: Table) -> list[list[str]]:
    return [list(table.heads), *([cell.whole for cell in row] for row in table.rows)]


_BROKEN = re.compile(r"^\\parbox\[t\]\{[\d.]+pt\}\{\\ragged(?:right|left)\\strut (.*)\\strut\}$")
_SMALL = re.compile(r"\{\\(?:scriptsize|tiny) (.*)\}$")


def unescaped_latex(text: str) -> str:
    whole = _BROKEN.sub(r"\1", text).replace(r"\hspace{0pt}", "")
    signed = re.sub(r"\$-\$(?=[.\d])", "-", _SMALL.sub(r"\1", whole))
    return _LATEX.sub(lambda match: LATEX[match.group()], signed)


def latex_rows(part: str) -> list[list[str]]:
    """The rows of one tabular; an interval below a number is behind it again."""
    rows = []
    for line in part.splitlines():
        if line != r"\midrule":
            cells = re.split(r"(?<!\\) ?& ", line.removesuffix(r" \\"))
            if rows and not cells[0] and any(cells) and all(not cell or _SMALL.match(cell) for cell in cells):
                rows[-1] = [f"{cell} {end}" if end else cell for cell, end in zip(rows[-1], cells, strict=True)]
            else:
                rows.append(cells)
    return [[unescaped_latex(cell) for cell in row] for row in rows]


def latex_tables(text: str, labels: list[int]) -> list[list[list[str]]]:
    """The tables of a document whose rows have so many names, each put together from its parts and pages."""
    found = []
    for whole in re.findall(r"\\begin\{table\*?\}(.*?)\\end\{table\*?\}", text, re.DOTALL):
        if not re.search(r"\\caption\{.* \(continued\)\}", whole):
            found.append([])
        for part in map(latex_rows, re.findall(r"\\toprule\n(.*?)\\bottomrule", whole, re.DOTALL)):
            if found[-1] and found[-1][-1][0] == part[0]:
                found[-1][-1] += part[1:]  # the next page of a part
            else:
                found[-1].append(part)
    return [
        [sum((part[i][names:] for part in others), start=row) for i, row in enumerate(first)]
        for names, (first, *others) in zip(labels, found, strict=True)
    ]


def markdown_tables(text: str) -> list[list[list[str]]]:
    found, current = [], []
    for line in [*text.splitlines(), ""]:
        if line.startswith("| "):
            cells = re.split(r"(?<!\\) \| ", line[2:].removesuffix(" |"))
            current.append([re.sub(r"\\(.)", r"\1", cell) for cell in cells])
        elif current:
            found.append([current[0], *current[2:]])
            current = []
    return found


class Page(HTMLParser):
    """Collects tables as texts, the numbers in ``data`` elements, tooltips, and all tags with their attributes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tables, self.values, self.titles, self.tags, self.words = [], [], [], [], []
        self.inside = None
        self.open = []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag != "meta":
            self.open.append(tag)
        if tag == "table":
            self.tables.append([])
        elif tag == "tr":
            self.tables[-1].append([])
        elif tag in ("td", "th"):
            self.tables[-1][-1].append("")
            self.inside = tag
            self.titles.append(dict(attrs).get("title"))
        elif tag == "data":
            self.values.append(float(dict(attrs)["value"]))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag
        if tag in ("td", "th"):
            self.inside = None

    def handle_data(self, data):
        self.words.append(data)
        if self.inside:
            self.tables[-1][-1][-1] += data


def rows_of(run) -> dict[tuple, dict]:
    key = ("model", "measure", "setting", "query_language", "passage_language")
    return {tuple(row[name] for name in key): row for row in run.summary.iter_rows(named=True)}


def test_markdown_latex_and_html_show_the_cells_of_the_document(document):
    expected = [texts(table) for table in tables(document)]
    assert len(expected) >= 10
    assert markdown_tables(to_markdown(document)) == expected
    assert latex_tables(to_latex(document), [table.labels for table in tables(document)]) == expected
    page = Page(to_html([document]))
    assert page.tables == expected
    assert page.values == [
        cell.value for table in tables(document) for row in table.rows for cell in row if cell.value is not None
    ]


def test_every_cell_of_bias_and_alignment_is_the_number_of_the_summary(run, document):
    found = rows_of(run)
    models = [model.name for model in run.models]
    own = {"own language": "own-language", "other languages": "other-language"}
    by_label = {measure.label: measure for measure in measures("bias").values()}
    seen = 0

    def holds(cells, keys, n, excluded):
        rows = [found[key] for key in keys]
        for cell, row in zip(cells, rows, strict=True):
            assert (cell.value, cell.cell.low, cell.cell.high, cell.n) == tuple(
                row[of] for of in ("value", "low", "high", "n")
            )
        for entry, of in ((n, "n"), (excluded, "n_excluded")):
            counts = sorted({row[of] for row in rows})
            assert entry.text == " to ".join(f"{count:,}" for count in counts)

    bias = titled(document, "Bias in")
    assert bias.heads == ("measure", *models, "n", "excluded", "better")
    for label, *cells, n, excluded, better in bias.rows:
        words = next((words for words in own if label.text.endswith(f" {words}")), "")
        measure = by_label[label.text.removesuffix(f" {words}") if words else label.text]
        keys = [(model, measure.name, own.get(words, "multilingual"), None, None) for model in models]
        holds(cells, keys, n, excluded)
        for cell, key in zip(cells, keys, strict=True):
            assert cell.text == measured(found[key]["value"], measure)
            assert cell.interval == interval(found[key]["low"], found[key]["high"], measure)
        assert better.text == measure.better
        seen += len(cells)
    names = set(measures("bias"))
    overall = [k for k in found if k[1] in names and k[3] is None and k[4] is None]
    assert seen == len(overall) >= 2 * 17
    for label, *cells, n, excluded, _ in titled(document, "Alignment of").rows:
        what, _, side = label.text.rpartition(" of ")
        measure = next(m for m in measures("alignment").values() if m.label == what)
        holds(cells, [(model, f"{side}.{measure.name}", None, None, None) for model in models], n, excluded)


def test_matrices_and_languages_are_those_of_the_summary(run, document):
    found = rows_of(run)
    grids = [b for section in document.sections for b in section.plain if isinstance(b, MatrixBlock)]
    grids = [grid for grid in grids if not grid.matrix.differs]
    assert [(g.measure.name) for g in grids] == [name for name in MATRICES for _ in run.models]
    for grid, model in zip(grids, [m.name for _ in MATRICES for m in run.models], strict=True):
        for language, entries in zip(grid.rows, grid.entries, strict=True):
            for column, entry in zip(grid.columns, entries, strict=True):
                pool = {"all": "multilingual"}.get(column, column)
                name = grid.measure.name
                setting = (
                    "multilingual"
                    if name != "map" or column == "all"
                    else "monolingual"
                    if column == language
                    else "cross-lingual"
                )
                row = found[model, name, setting, language, None if name == "rank_distance" else pool]
                cell = entry.cell
                assert (cell.value, cell.low, cell.high, cell.n) == (row["value"], row["low"], row["high"], row["n"])
                assert entry.text == measured(row["value"], all_measures()[name])
    models = [model.name for model in run.models]
    for title, name, answers in (("rank dist. by", "rank_distance", False), ("mean rank by", "language_rank", True)):
        if all(row["value"] is None for key, row in found.items() if key[1] == name):
            assert title not in to_markdown(document)
            continue
        table = titled(document, title)
        assert table.heads == ("", *models)
        for language, *cells in table.rows:
            ends = (None, language.text) if answers else (language.text, None)
            rows = [found[model, name, "multilingual", *ends] for model in models]
            assert [(cell.value, cell.cell.low) for cell in cells] == [(row["value"], row["low"]) for row in rows]


def test_differences_stand_beside_the_matrices_that_they_are_of(run, document):
    (panels, *_) = [b for section in document.sections for b in section.blocks if isinstance(b, Panels)]
    base, new, difference = panels.blocks
    assert difference.head == f"{run.models[1].name} minus {run.models[0].name}"
    assert base.scale == new.scale and difference.matrix.differs
    frame = compare(
        Side(run, (run.models[0].name,)), Side(run, (run.models[1].name,)), run.tasks[0].name, measures=["map"]
    )
    expected = {
        (row["query_language"], {"multilingual": "all"}.get(row["passage_language"], row["passage_language"])): row[
            "difference"
        ]
        for row in frame.iter_rows(named=True)
        if row["query_language"]
    }
    shown = {
        (row, column): entry.value
        for row, entries in zip(difference.rows, difference.entries, strict=True)
        for column, entry in zip(difference.columns, entries, strict=True)
    }
    assert shown == expected


def test_an_undefined_mean_has_no_number_and_a_reason_in_every_format(run, document):
    peer = measures("bias")["peer"]
    reason = f"PEER is undefined {peer.undefined}."
    (row,) = [row for row in titled(document, "Bias in").rows if row[0].text == "PEER"]
    assert {cell.text for cell in row[1:-3]} == {"·"}
    assert reason in re.sub(r"\\(.)", r"\1", to_markdown(document))
    assert reason in unescaped_latex(to_latex(document)).replace(r"\hspace{0pt}", "")
    assert reason in "".join(Page(to_html([document])).words)
    assert reason in re.sub(r"\s+", " ", to_text(run, 80))
    for result in json.loads(to_json(run))["results"]:
        assert result["bias"]["peer"]["value"] is None
        assert result["bias"]["peer"]["reason"] == f"undefined {peer.undefined}"
        if result["task"] == "holes":
            assert result["bias"]["same_language@1"]["value"] is None
            assert 0 < result["bias"]["kendall_w"]["value"] < 1  # of ids that lack languages, too
            assert {c["map"] for c in result["cells"] if c["pool"] == "zh"} == {None}


def test_the_text_shows_the_same_numbers(run, document):
    lines = [re.sub(r"[↑↓]", "", line).rstrip() for line in to_text(run, 200).splitlines()]
    overview, bias, alignment = (titled(document, start) for start in ("Overview", "Bias in", "Alignment of"))
    for row in overview.rows:
        line = next(line.split() for line in lines if line.endswith(row[0].text) and "→" in line)
        assert line[:4] + line[4:5] == [row[i].text for i in (1, 2, 3, 4, 6)]
    sides = [[alignment.rows[i + j] for j in (0, 1)] for i in range(0, len(alignment.rows), 2)]
    for rows in ([row] for row in bias.rows):
        label = re.sub(r" languages?$", "", rows[0][0].text)
        holds(lines, label, [cell.whole for cell in rows[0][1:-3]])
    for rows in sides:
        label = rows[0][0].text.removesuffix(" of passages")
        holds(lines, label, [row[1 + i].whole for i in range(len(rows[0]) - 4) for row in rows])


def holds(lines, label, shown):
    """Whether the one line with this label begins with these numbers."""
    (line,) = [line for line in lines if re.search(rf"\d  {re.escape(label)}$", line)]
    assert re.sub(r"\s+", " ", line).strip().startswith(" ".join(shown) + " ")


@pytest.mark.parametrize("columns", [60, 80, 120])
def test_no_line_of_the_text_is_wider_than_the_terminal(run, columns):
    text = to_text(run, columns, measures=MATRICES, by_language=True, published=["2408.10536"])
    assert max(map(len, text.splitlines())) <= columns


def test_csv_is_the_whole_summary_in_full_precision(run):
    rows = list(csv.DictReader(io.StringIO(to_csv([run]))))
    assert tuple(rows[0]) == COLUMNS
    assert len(rows) == run.summary.height
    numbers = ("value", "low", "high", "n", "n_ids", "n_excluded", "weighted", "n_queries", "n_cells", "n_cells_empty")
    for row, expected in zip(rows, run.summary.iter_rows(named=True), strict=True):
        for name in ("model", "task", "domain", "measure", "setting", "query_language", "passage_language"):
            assert row[name] == (expected[name] or "")
        for name in numbers:
            assert (float(row[name]) if row[name] else None) == expected[name]
    assert {row["run"] for row in rows} == {str(run.path)}


def test_json_has_every_number_of_the_summary_with_its_interval(run):
    report = json.loads(to_json(run))
    assert report["schema"] == 2
    for result in report["results"]:
        rows = {key[1:]: row for key, row in rows_of(run).items() if key[0] == result["model"]}
        rows = {key: row for key, row in rows.items() if key[0] not in measures("seen")}
        for (measure, setting, asked, answered), row in rows.items():
            ends = None if row["low"] is None else [row["low"], row["high"]]
            if measure in measures("quality"):
                whole = asked is None
                place = result["settings"][setting] if whole else next(
                    c for c in result["cells"] if (c["query_language"], c["pool"]) == (asked, answered)
                )  # fmt: skip
                assert (place[measure], place["intervals"][measure]) == (row["value"], ends)
                continue
            side, _, name = measure.partition(".")
            if side in ("passages", "queries"):
                place = result["alignment"][side][name]
                if answered:
                    place = next(p for p in place["pairs"] if (p["language"], p["other"]) == (asked, answered))
                elif asked:
                    place = place["by_language"][asked]
            elif measure == "rank_distance":
                distance = result["bias"][measure]
                place = distance["by_language"][asked] if asked else distance
                place = {**place, "value": place["mean"]}
            else:
                place = result["bias"][measure]
                if asked and answered:
                    pair = (asked, answered)
                    place = next(c for c in place["cells"] if (c["query_language"], c["passage_language"]) == pair)
                elif answered:
                    place = place["by_passage_language"][answered]
                elif asked:
                    place = place["by_language"][asked]
                elif setting != "multilingual":
                    place = place[setting]
            assert [place[name] for name in ("value", "low", "high", "n", "n_excluded")] == [
                row[name] for name in ("value", "low", "high", "n", "n_excluded")
            ]
            assert ("reason" in place) == (row["value"] is None)


def test_json_says_how_much_of_a_task_was_seen(run):
    for result in json.loads(to_json(run))["results"]:
        rows = {key[1:]: row for key, row in rows_of(run).items() if key[0] == result["model"]}
        rows = {key: row for key, row in rows.items() if key[0] in measures("seen")}
        assert len(rows) > 5
        for (measure, _, language, _), row in rows.items():
            place = result["seen"][measure]
            place = place["by_language"][language] if language else place
            assert (place["n"], place["of"]) == (row["value"], row["n"] + row["n_excluded"])


def test_the_page_allows_its_own_style_only_and_its_numbers_can_be_read(document):
    source = to_html([document])
    style = re.search("<style>(.*?)</style>", source, re.DOTALL)[1]
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = next(a["content"] for _, a in Page(source).tags if a.get("http-equiv") == "Content-Security-Policy")
    assert policy == f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    assert not re.search(r"url\(|@import|style=", source)
    light = [luminance(colour) for colour in colours()]
    assert light == sorted(light)  # the scale orders values for readers who see no hue
    for colour in colours():
        low, high = sorted((luminance(colour), luminance(text_on(colour))))
        assert (high + 0.05) / (low + 0.05) >= 4.5


def test_a_number_has_its_interval_and_n_on_the_page(run, document):
    page = Page(to_html([document]))
    row = rows_of(run)["random0", "map", "monolingual", "en", "en"]
    about = measures("quality")["map"]
    n = f"n = {row['n']:,}"
    expected = f"en→en: {measured(row['value'], about)}, 95 % {interval(row['low'], row['high'], about)}, {n}"
    assert expected in page.titles


EVIL = [
    "<script>alert(1)</script><img src=x onerror=alert(1)><a href='https://evil.example'>x</a>",
    '"><svg/onload=alert(1)> &lt; &#60; \' onmouseover="x"',
    "=cmd|' /C calc'!A0", "+1+1", "-2+3", "@SUM(A1)", "\t=1+1", "\r=1+1", "＝1+1",
    r"\input{/etc/passwd} $x$ 50% a_b #1 {x} ~^ \\ & `?` \write18{ls} ^^5c", "[x](javascript:alert(1)) ![i](http://e.x/i.png)",
    "a | b || c\n| d | e |\n# heading\n<https://evil.example> www.evil.example *b* _i_ `code`", "[1] first", "* star",
    HOSTILE, "recall@10 exposure@10.ratio", "- item", "1. item", "    code",
]  # fmt: skip
FORBIDDEN = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")


@pytest.fixture(scope="module", params=EVIL, ids=range(len(EVIL)))
def evil(request, tmp_path_factory):
    """A run whose encoder, sampler, source, task, domain and a language all have the same evil name."""
    name = request.param
    card = {"sampler": name, "sources": [{"name": name}]}
    run = small_run(tmp_path_factory.mktemp("evil"), model=f"{name} 1", task=f"{name} 2", card=card)
    metadata = json.loads(
        json.dumps(run.metadata).replace('"en"', json.dumps(name)).replace('"test"', json.dumps(name))
    )
    columns = ("query_language", "pool", "language", "passage_language")
    of_element = pl.element().struct.with_fields(language=pl.field("language").replace("en", name))
    frame = pl.read_parquet(run.path).with_columns(
        *(pl.col(column).replace("en", name) for column in columns),
        pl.col("domain").replace("test", name),
        pl.col("relevants", "top", "tied_with_last").list.eval(of_element),
    )
    path = run.path.with_name("evil.parquet")
    frame.write_parquet(path, metadata={"xlbias": json.dumps(metadata)})
    return name, open_run(path)


def test_a_name_commands_no_terminal_in_any_format(evil):
    _, run = evil
    document = audit(run, matrices=DEFAULT_MATRICES, by_language=True)
    shown = [to_markdown(document), to_latex(document), to_html([document]), to_csv([run]), to_json(run)]
    for text in (*shown, to_text(run, 80, measures=["map"], by_language=True)):
        assert not FORBIDDEN.search(text)
        text.encode()


def test_a_name_is_a_text_on_the_page_and_nothing_else(evil):
    _, run = evil
    document = audit(run, matrices=DEFAULT_MATRICES, by_language=True)
    source = to_html([document])
    page = Page(source)
    assert {tag for tag, _ in page.tags} <= {
        "html", "head", "meta", "title", "style", "body", "header", "h1", "h2", "h3", "p", "nav", "ol", "li", "a",
        "bdi", "main", "section", "div", "table", "caption", "thead", "tbody", "tr", "th", "td", "data", "small", "ul",
        "span", "dl", "dt", "dd", "details", "summary", "figure", "figcaption", "svg", "g", "path", "text",
    }  # fmt: skip
    for tag, attributes in page.tags:
        assert set(attributes) <= {
            "lang", "charset", "http-equiv", "content", "name", "class", "aria-label", "href", "id", "role", "tabindex",
            "scope", "title", "value", "viewbox", "d", "transform", "x", "y", "text-anchor", "aria-hidden",
        }  # fmt: skip
        assert tag != "a" or re.fullmatch(r"#d1s\d+", attributes["href"])
    policy = next(a["content"] for _, a in page.tags if a.get("http-equiv") == "Content-Security-Policy")
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert page.tables == [texts(table) for table in shown_cleaned(document)]


def test_a_name_breaks_no_table_of_markdown_or_latex(evil):
    _, run = evil
    document = audit(run, matrices=DEFAULT_MATRICES, by_language=True)
    expected = [[[cell.strip() for cell in row] for row in texts(table)] for table in shown_cleaned(document)]
    assert markdown_tables(to_markdown(document)) == expected
    latex = to_latex(document)
    parts = latex_tables(latex, [table.labels for table in tables(document)])
    assert [[[cell.strip() for cell in row] for row in table] for table in parts] == expected
    assert set(re.findall(r"\\([a-zA-Z]+)", latex)) <= {
        "usepackage", "section", "subsection", "subsubsection", "begin", "end", "centering", "small", "setlength",
        "tabcolsep", "caption", "toprule", "midrule", "bottomrule", "scriptsize", "par", "footnotesize", "item",
        "textbackslash", "textasciicircum", "textasciitilde", "textless", "textgreater", "textbar", "textasciigrave",
        "char", "rightarrow", "cdot", "alpha", "chi", "ldots", "S", "leq", "geq", "neq", "times",
        "begingroup", "endgroup", "sloppy", "textbf",
        "hspace", "parbox", "raggedright", "raggedleft", "strut", "tiny", "medskip", "clearpage",
    }  # fmt: skip
    balance = re.sub(r"\\[\\{}]", "", latex)
    assert balance.count("{") == balance.count("}")
    assert re.search(r"(?<!\\)[#^~](?!2\$)", "\n".join(latex.splitlines()[1:])) is None


def shown_cleaned(document) -> list[Table]:
    """The tables with every text cleaned, as renderers show it."""
    return [
        replace(
            table,
            heads=tuple(map(clean, table.heads)),
            rows=tuple(tuple(replace(cell, text=clean(cell.text)) for cell in row) for row in table.rows),
        )
        for table in tables(document)
    ]


def test_no_cell_of_a_csv_is_a_formula(evil):
    name, run = evil
    rows = list(csv.DictReader(io.StringIO(to_csv([run]))))
    assert len(rows) == run.summary.height
    names = ("model", "source", "sampler", "task", "domain", "measure", "query_language", "passage_language", "run")
    for row in rows:
        for column in names:
            assert not re.match(r"\s*[=+\-@＝＋－＠\t\r]", row[column]), row[column]
        assert row["value"] == "" or float(row["value"]) is not None
    if name[0] in "=+-@":
        assert rows[0]["model"] == f"'{name} 1"


def test_the_command_line_gives_each_format_and_several_runs(tmp_path, capsys):
    first, second = small_run(tmp_path / "a", model="one"), small_run(tmp_path / "b", model="two")
    paths = [str(first.path), str(second.path)]
    for form, start in (("text", "Run of"), ("markdown", "# "), ("latex", "% "), ("html", "<!doctype html>")):
        assert xlbias(["report", *paths, "--format", form]) == 0
        out = capsys.readouterr().out
        assert out.startswith(start)
        assert "one" in out
        assert "two" in out
    assert xlbias(["report", *paths, "--format", "json"]) == 0
    several = json.loads(capsys.readouterr().out)
    assert [one["results"][0]["model"] for one in several["runs"]] == ["one", "two"]
    assert xlbias(["report", *paths, "--format", "csv"]) == 0
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert {(row["model"], row["run"]) for row in rows} == {("one", paths[0]), ("two", paths[1])}
    out = tmp_path / "report.html"
    assert xlbias(["report", paths[0], "--out", str(out)]) == 0  # the name of the file chooses nothing
    assert out.read_text().startswith("Run of")


def test_printed_results_stand_apart_and_say_whether_pools_are_the_same(tmp_path, capsys):
    run = small_run(tmp_path, task="XQuAD-R")
    for form in ("text", "markdown", "latex", "html"):
        assert xlbias(["report", str(run.path), "--format", form, "--published", "2408.10536"]) == 0
        shown = re.sub(r"\s+", " ", capsys.readouterr().out).replace("&#x27;", "'").replace("{'}", "'")
        assert "Printed in arXiv 2408.10536: other people's encoders" in shown
        assert "Not the same pools" in shown
        assert ".818" not in shown  # LaBSE, hybrid, monolingual stands as printed
        assert ".817" in shown
    assert xlbias(["report", str(run.path), "--format", "json", "--published", "2408.10536"]) == 0
    (result,) = json.loads(capsys.readouterr().out)["results"]
    assert {(row["source"], row["same_pools"]) for row in result["published"]} == {("2408.10536", False)}
    assert xlbias(["report", str(run.path), "--format", "csv", "--published", "2408.10536"]) == 2
    assert xlbias(["report", str(run.path), "--published", "2408.1053"]) == 2
    assert "did you mean 2408.10536" in capsys.readouterr().err


def test_a_run_without_rankings_says_so_in_every_format(tmp_path):
    source = small_run(tmp_path)
    with Journal.open(tmp_path / "live.parquet", source.metadata, identity="i"):
        run = open_run(tmp_path / "live.parquet")
        document = audit(run, matrices=DEFAULT_MATRICES, by_language=True)
        for text in (to_markdown(document), to_latex(document), to_html([document]), to_text(run, 100)):
            assert "Nothing has been ranked yet." in text
        assert to_csv([run]).splitlines() == [",".join(COLUMNS)]
        assert json.loads(to_json(run))["results"][0]["bias"] == {"rank_distance": None}


def test_a_run_in_progress_has_no_intervals_and_says_so(tmp_path):
    source = small_run(tmp_path)
    with Journal.open(tmp_path / "live.parquet", source.metadata, identity="i") as journal:
        journal.write("ranking", "0", source.rankings.collect().filter(pl.col("query_language") == "de"))
        run = open_run(tmp_path / "live.parquet")
        document = audit(run, matrices=DEFAULT_MATRICES, by_language=True)
        for text in (to_markdown(document), to_html([document]), to_text(run, 100)):
            assert "No intervals" in text
            assert "[3 of 6 cells]" in re.sub(r"\\(.)", r"\1", text)
