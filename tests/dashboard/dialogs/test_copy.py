"""What leaves the dashboard as text: copies of every scope in every format, and the report of the run."""

import csv
import io
import math
import re
from pathlib import Path

import pytest
from dashboard.made import LANGUAGES, LiveRun, opened, press, rank_of, screen_lines, settled, until
from dashboard.taking import AGAIN, COPY, EXPORT, Taker

from xlbias.dashboard import places
from xlbias.dashboard.dialogs.copy import Copy, CopyDialog
from xlbias.dashboard.export_files import CLIPBOARD_LIMIT, save
from xlbias.dashboard.screens.matrix import MatrixScreen
from xlbias.dashboard.workers import comparisons
from xlbias.folders import state_folder
from xlbias.measures.registry import measures
from xlbias.report.document import MatrixBlock, Table
from xlbias.report.numbers import NO_NUMBER, Entry, difference_entry
from xlbias.report.render import render_block
from xlbias.results.cell import Cell
from xlbias.results.compare import Side, compare
from xlbias.results.matrix import Matrix, difference
from xlbias.results.run import open_run
from xlbias.text import cut_middle, width

pytestmark = pytest.mark.integration


def rows_of(text):
    return list(csv.reader(io.StringIO(text), delimiter="\t", quoting=csv.QUOTE_NONE))


# -- the dialog ----------------------------------------------------------------------------------------------------


async def test_the_dialog_counts_what_all_holds(taker):
    for key, count in (("1", "4 rows, "), ("2", "4 × 5 cells, "), ("3", "4 rows, "), ("5", "20 rows, ")):
        await press(taker.pilot, key)
        await press(taker.pilot, COPY)
        line = next(line for line in screen_lines(taker.app) if " a  all " in line)
        assert f" {count}in the order shown" in line, key
        await press(taker.pilot, "escape")


async def test_two_letters_copy_a_row_of_the_matrix_as_latex_to_clipboard_and_file(taker):
    await press(taker.pilot, "2", "down")
    text = await taker.take(COPY, "r", "l")
    assert taker.app.clipboard == text
    assert r"\caption{mAP of mono on xquad-r: query language de, passage language across}" in text
    assert re.findall(r"\\label\{(tab:[a-z0-9-]+)\}", text)
    assert r"\usepackage{booktabs}" in text
    assert r"\begin{table}[htbp]" in text
    lines = text.splitlines()
    at = lines.index(r"mAP & ar & de & hi & th & all \\")
    values, intervals = lines[at + 2], lines[at + 3]
    assert values.startswith("queries in de & ")
    assert [float(value) for value in re.findall(r"(?<= & )[.\d]+", values)][:4] == pytest.approx(
        [1 / rank_of("de", pool) for pool in sorted(LANGUAGES)], abs=0.0005
    )
    assert r"{\scriptsize {[}.050, .150{]}}" in intervals
    assert lines[at + 4] == r"\bottomrule", "n is the same everywhere: the notes say it, once"
    assert text.count("n = 5 queries a cell") == 1
    assert "bootstrap over query ids" in text
    (file,) = taker.newest
    assert file.suffix == ".tex"
    shown = taker.said()[-1].splitlines()
    assert shown[:2] == ["row as LaTeX: sent to the terminal's clipboard", file.name]
    assert "-row-de-" in file.name
    assert shown[2] == cut_middle(f"in {file.parent}", 68) and len(shown) == 3
    assert not isinstance(taker.app.screen, CopyDialog)


@pytest.mark.parametrize(
    ("keys", "scope", "form"),
    [
        ((COPY, "enter"), "all", "tsv"), ((COPY, "c", "m"), "cell", "markdown"), ((COPY, "up", "t"), "row", "tsv"),
        ((COPY, "tab", "l"), "cell", "latex"), ((COPY, "c", "down", "enter"), "row", "tsv"),
        ((COPY, "shift+tab", "shift+tab", "m"), "cell", "markdown"),
    ],
)  # fmt: skip
async def test_letters_and_arrows_choose(taker, keys, scope, form):
    await press(taker.pilot, "2")
    await taker.take(*keys)
    assert taker.app.exports.last_copy == Copy(scope, form)
    assert next(iter(taker.newest)).suffix == {"tsv": ".tsv", "markdown": ".md", "latex": ".tex"}[form]


async def test_the_last_choice_is_the_default_and_is_repeated_without_asking(taker):
    await press(taker.pilot, "2")
    first = await taker.take(COPY, "r", "m")
    assert await taker.take(COPY, "enter") == first
    await press(taker.pilot, "down")
    again = await taker.take(AGAIN)
    assert again != first
    assert "| queries in de |" in again
    assert not isinstance(taker.app.screen, CopyDialog)


async def test_a_scope_that_a_screen_does_not_have_is_not_offered_and_a_larger_one_is_taken(taker):
    await press(taker.pilot, "2")
    await taker.take(COPY, "c", "t")
    await press(taker.pilot, "1", COPY)
    assert taker.app.screen.scope == "row"
    assert " c  cell" not in "\n".join(screen_lines(taker.app))
    await press(taker.pilot, "c")
    assert taker.app.screen.scope == "row"
    assert "this screen has no cell to copy" in taker.said()[-1]
    await press(taker.pilot, "escape")
    assert len(rows_of(await taker.take(AGAIN))) == 2


async def test_escape_copies_nothing(taker):
    await press(taker.pilot, COPY, "escape")
    assert taker.files() == []
    assert taker.app.clipboard == ""
    assert taker.app.place == places.OVERVIEW


async def test_a_click_on_a_format_copies(taker):
    await press(taker.pilot, COPY)
    said = len(taker.said())
    await taker.pilot.click("#forms", offset=(5, 1))
    await until(taker.pilot, lambda: len(taker.said()) > said)
    assert taker.app.exports.last_copy == Copy("all", "markdown")


@pytest.mark.parametrize("size", [(60, 20), (80, 24), (140, 45)])
async def test_the_dialogs_fit_every_size(finished_run, size):
    async with opened(finished_run, size=size) as (app, pilot):
        await press(pilot, "2", COPY)
        shown = "\n".join(screen_lines(app))
        for word in ("c  cell", "r  row", "a  all", "t  TSV", "m  Markdown", "l  LaTeX", "Esc"):
            assert word in shown, word
        await press(pilot, "escape", EXPORT)
        shown = "\n".join(screen_lines(app))
        for word in ("t  text", "m  Markdown", "l  LaTeX", "h  HTML", "c  CSV", "j  JSON", "Esc"):
            assert word in shown, word


# -- what is copied ------------------------------------------------------------------------------------------------


async def test_tsv_of_the_overview_holds_every_number_in_full_with_interval_and_n(taker):
    head, *rows = rows_of(await taker.take(COPY, "a", "t"))
    assert head[:6] == ["encoder", "task", "mAP mono", "mAP mono low", "mAP mono high", "mAP mono n"]
    assert [row[:2] for row in rows] == [[model, task] for task in ("xquad-r", "mlqa") for model in ("mono", "hybrid")]
    mono = sum(1 / rank_of(language, language) for language in LANGUAGES) / len(LANGUAGES)
    crossed = [1 / rank_of(q, d) for q in LANGUAGES for d in LANGUAGES if q != d]
    for row in rows:
        found = dict(zip(head, row, strict=True))
        assert float(found["mAP mono"]) == pytest.approx(mono)
        assert float(found["mAP cross"]) == pytest.approx(math.fsum(crossed) / len(crossed))
        assert found["worst pair"] == "ar→th .100"
        assert float(found["worst pair value"]) == 0.1
        assert float(found["mAP mono low"]) == pytest.approx(mono - 0.05)
        assert float(found["mAP mono high"]) == pytest.approx(mono + 0.05)
        assert found["mAP mono n"] == "20"


async def test_tsv_of_the_matrix_keeps_its_shape_and_order_and_a_row_of_it_is_a_list(taker):
    await press(taker.pilot, "2", "S")
    head, *rows = rows_of(await taker.take(COPY, "a", "t"))
    languages = sorted(LANGUAGES, reverse=True)
    assert head[:6] == ["mAP", *languages, "all"]
    assert head[6:11] == [f"{name} low" for name in (*languages, "all")]
    assert head[-5:] == [f"{name} n" for name in (*languages, "all")]
    assert [row[0] for row in rows] == languages
    for row in rows:
        assert [float(field) for field in row[1:5]] == [1 / rank_of(row[0], pool) for pool in languages]
        assert [float(field) for field in row[6:10]] == [1 / rank_of(row[0], pool) - 0.05 for pool in languages]
        assert row[-5:] == ["5"] * 5

    head, *rows = rows_of(await taker.take(COPY, "r", "t"))
    assert head == ["query language", "passage language", "mAP", "mAP low", "mAP high", "mAP n"]
    cursor = taker.app.view.view.cursor
    assert [row[:2] for row in rows] == [[cursor[0], pool] for pool in (*languages, "all")]
    ((language, pool, value, *_),) = rows_of(await taker.take(COPY, "c", "t"))[1:]
    assert (language, pool) == cursor
    assert float(value) == 1 / rank_of(*cursor)


@pytest.fixture(scope="module")
def enough_content(tmp_path_factory) -> bytes:
    """A finished run with so many ids that differences have intervals."""
    path = tmp_path_factory.mktemp("enough") / "run.parquet"
    return LiveRun(path, n_queries=12).write_all().finish().read_bytes()


@pytest.fixture
async def enough(enough_content, tmp_path):
    path = tmp_path / "run.parquet"
    path.write_bytes(enough_content)
    async with opened(path, size=(80, 24)) as (app, pilot):
        yield Taker(app, pilot)


async def compared_with_mono(taker, place):
    """Show the differences of hybrid from mono on a screen, and wait for none of them."""
    await press(taker.pilot, place)
    taker.app.state.chosen = ("hybrid", "xquad-r")
    taker.app.selection.take_baseline("mono")
    await settled(taker.pilot)


@pytest.mark.parametrize(
    ("place", "has"), [("1", "Δ mAP cross\tbetter and worse cells\tagainst\n"), ("2", "Δ mAP"), ("3", "Δ rank dist.")]
)
async def test_a_copy_waits_for_the_differences_that_are_to_be_in_it(enough, go, monkeypatch, place, has):
    compute = comparisons.compared
    monkeypatch.setattr(comparisons, "compared", lambda asked: go.wait() and compute(asked))
    await compared_with_mono(enough, place)
    before = enough.files()
    await press(enough.pilot, COPY, "a", "t")
    assert "once the differences are there" in enough.said()[-1]
    assert enough.files() == before
    go.set()
    await until(enough.pilot, lambda: enough.files() != before)
    await until(enough.pilot, lambda: "sent to the terminal" in enough.said()[-1])
    (file,) = set(enough.files()) - set(before)
    text = file.read_text("utf-8")
    assert has in text
    assert "…" not in text


async def test_a_copy_that_waits_is_made_at_once_where_it_is_asked_for_again(enough, go, monkeypatch):
    monkeypatch.setattr(comparisons, "compared", lambda asked: go.wait() and "ended")
    await compared_with_mono(enough, "2")
    await press(enough.pilot, COPY, "a", "t")
    text = await enough.take(AGAIN)
    assert text.startswith("mAP\t")
    assert "Δ" not in text


async def test_a_copy_that_waits_is_given_up_where_something_else_is_shown(enough, go, monkeypatch):
    monkeypatch.setattr(comparisons, "compared", lambda asked: go.wait() and "ended")
    await compared_with_mono(enough, "2")
    await press(enough.pilot, COPY, "a", "t", "m")
    await until(enough.pilot, lambda: "not copied" in enough.said()[-1])
    assert enough.files() == []


async def test_differences_are_copied_with_intervals_n_and_corrected_p(enough):
    taker = enough
    await press(taker.pilot, "2")
    taker.app.state.chosen = ("hybrid", "xquad-r")
    taker.app.selection.take_baseline("mono")
    assert taker.app.baseline.against is not None
    await until(taker.pilot, lambda: "Difference" in _title(taker.app))
    text = await taker.take(COPY, "a", "t")
    head, *rows = rows_of(text)
    assert "th p" in head
    run = open_run(taker.app.state.path)
    frame = compare(Side(run, ("mono",)), Side(run, ("hybrid",)), "xquad-r", measures={"map"})
    expected = {
        (row["query_language"], row["passage_language"] or "all"): row
        for row in frame.iter_rows(named=True)
        if row["query_language"] is not None
    }
    for row in rows:
        found = dict(zip(head, row, strict=True))
        for pool in LANGUAGES:
            want = expected[row[0], pool]
            for name, column in [("", "difference"), (" low", "low"), (" high", "high"), (" p", "p_corrected"),
                                 (" n", "n_ids")]:  # fmt: skip
                assert float(found[f"{pool}{name}"]) == want[column]
    assert "after correction over the whole matrix (step-down max-T)" in await taker.take(COPY, "a", "m")
    assert "-diff-" in next(iter(taker.newest)).name
    latex = await taker.take(COPY, "r", "l")
    assert r"$\Delta$ mAP & " in latex
    assert "p (corr.) & " in latex
    assert "marks p" not in latex, "no difference is significant: there is no star to explain"
    assert "+.000" not in latex
    assert "-diff-row-" in next(iter(taker.newest)).name
    head, _, row = (await taker.take(COPY, "c", "m")).splitlines()[2:5]
    assert head == "| query language | passage language | Δ mAP | 95 % interval | p (corr.) | n |"
    assert row.startswith(f"| {taker.app.view.view.cursor[0]} | {taker.app.view.view.cursor[1]} | ")
    assert "-diff-cell-" in next(iter(taker.newest)).name


def _title(app):
    return app.view.copied("all")[0].title if isinstance(app.view, MatrixScreen) else ""


async def test_more_than_a_clipboard_takes_goes_into_the_file_only(taker, monkeypatch):
    monkeypatch.setattr("xlbias.dashboard.exports.CLIPBOARD_LIMIT", 100)
    text = await taker.take(COPY, "a", "t")
    assert len(text) > 100
    assert taker.app.clipboard == ""
    assert "too large for the clipboard" in taker.said()[-1]
    assert CLIPBOARD_LIMIT > 10_000


async def test_a_folder_that_cannot_be_written_is_said_in_a_sentence_and_the_clipboard_still_has_it(
    taker, monkeypatch, tmp_path
):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "file"))
    await taker.take(COPY, "a", "t")
    assert taker.said()[-1].splitlines()[-1].startswith("cannot write into ")
    assert taker.app._notifications and list(taker.app._notifications)[-1].severity == "error"
    assert taker.app.clipboard.startswith("encoder\ttask")
    await taker.take(EXPORT, "h")
    assert "cannot write into " in taker.said()[-1]


def test_a_full_disk_leaves_no_part_of_a_file(tmp_path, monkeypatch):
    """Files can be made on it, and nothing be written into them."""

    def full(path, *arguments, **more):
        open_as_ever(path, *arguments, **more).close()
        return Full()

    open_as_ever = Path.open
    monkeypatch.setattr(Path, "open", full)
    with pytest.raises(OSError, match="No space left"):
        save(tmp_path, "name", "tsv", "text")
    assert list(tmp_path.iterdir()) == []


class Full(io.BytesIO):
    def write(self, content):
        raise OSError(28, "No space left on device")


async def test_a_read_only_dashboard_copies_to_the_clipboard_and_writes_no_file(finished_run):
    async with opened(finished_run, read_only=True) as (app, pilot):
        taker = Taker(app, pilot)
        assert await taker.take(COPY, "a", "t") is None
        assert app.clipboard.startswith("encoder\ttask")
        assert taker.said()[-1] == "all as TSV: sent to the terminal's clipboard"
        await press(pilot, EXPORT)
        assert "read-only" in taker.said()[-1]
        assert taker.files() == []
    assert not state_folder().exists()


# -- the layout of TSV ---------------------------------------------------------------------------------------------


def test_tsv_makes_texts_inert_and_keeps_negative_numbers():
    rows = (
        (Entry("=cmd()", kind="name"), _number("-.100", Cell(-0.1, -0.25, 0.05, 7), "[-.250, .050]")),
        (Entry("\t@SUM(A1)\x1b]52;c;eA==\x07\n", kind="name"), _number("·")),
        (Entry(" ＝1+1", kind="name"), _number("+.300*", Cell(0.3, n=7, p=0.01))),
    )
    text = render_block(Table("title", ("=name", "AP"), rows), "tsv")
    assert rows_of(text) == [
        ["'=name", "AP", "AP low", "AP high", "AP p", "AP n"],
        ["'=cmd()", "-0.1", "-0.25", "0.05", "", "7"],
        ["' @SUM(A1)␛]52;c;eA==␇ ", "", "", "", "", ""],
        ["' ＝1+1", "0.3", "", "", "0.01", "7"],
    ]


def _number(text, cell=NO_NUMBER, interval=""):
    return Entry(text, cell, interval, kind="number")


def _block(rows, columns, cells, title="title", label="", **more):
    matrix = Matrix(measures("quality")["map"], tuple(rows), tuple(columns), cells, **more)
    return MatrixBlock(title, matrix, label=label)


def test_tsv_of_a_matrix_without_intervals_has_no_columns_for_them():
    cells = ((Cell(0.5), Cell()), (Cell(), Cell(0.25)))
    matrix = _block("ab", ("x", COPY), cells)
    assert rows_of(render_block(matrix, "tsv")) == [["mAP", "x", "y"], ["a", "0.5", ""], ["b", "", "0.25"]]
    row = _block("a", ("x", COPY), cells[:1], axes=("source", "target"))
    assert rows_of(render_block(row, "tsv")) == [
        ["source", "target", "mAP"], ["a", "x", "0.5"], ["a", COPY, ""],
    ]  # fmt: skip


def test_latex_of_a_wide_matrix_puts_intervals_below_the_numbers():
    cell = Cell(0.5, 0.4, 0.6, 3)
    wide = _block("ab", "tuvwxyz", ((cell,) * 7,) * 2)
    text = render_block(wide, "latex")
    assert r"a & .500 & .500 & .500 & .500 & .500 & .500 & .500 \\" in text
    assert text.count(r" & {\scriptsize {[}.400, .600{]}}") == 14
    narrow = render_block(_block("ab", "u", ((cell,),) * 2), "latex")
    assert r"a & .500 {\scriptsize {[}.400, .600{]}} \\" in narrow


def _matrix(cells, columns="uv", **more):
    return _block(["ru"], columns, (tuple(cells),), "title_50%", **more)


def test_a_row_names_n_and_p_below_its_cells_only_where_they_tell_something():
    cells = [
        Cell(0.3, 0.2, 0.4, 7, p=0.0001, significant=True),
        Cell(0.0001, -0.1, 0.1, 9, p=0.5),
    ]
    lines = render_block(_matrix(cells, label="Δ mAP", differs=True), "latex").splitlines()
    assert r"$\Delta$ mAP & u & v \\" in lines
    assert r"queries in ru & +.300{*} & .000 \\" in lines
    assert r"p (corr.) & \textless{}.001 & .500 \\" in lines
    assert r"n & 7 & 9 \\" in lines
    same = render_block(_matrix([cells[0], cells[0]], label="Δ mAP", differs=True), "markdown").splitlines()
    assert r"| queries in ru | \+.300\* | \+.300\* |" in same
    assert "| 95 % interval | [.200, .400] | [.200, .400] |" in same
    assert not any(line.startswith("| n |") for line in same)


def test_a_wide_row_spans_the_columns_of_a_paper_and_a_label_is_safe_and_its_own():
    cell = Cell(0.5)
    wide = render_block(_matrix([cell] * 9, "abcdefghi"), "latex")
    assert r"\begin{table*}[htbp]" in wide and r"\end{table*}" in wide
    assert r"\label{tab:title-50}" in wide
    titles = ["日本", "日本語", "a" * 100, "a" * 99 + "b", "x}\\input{y"]
    labels = [render_block(_block("a", "u", ((cell,),), t), "latex") for t in titles]
    found = [re.search(r"\\label\{(tab:[a-z0-9-]+)\}", label)[1] for label in labels]
    assert len(set(found)) == len(titles)


@pytest.mark.parametrize("value", [0.0, 0.0004, -0.0004])
def test_zero_has_no_sign(value):
    row = {"difference": value, "low": -0.1, "high": 0.1, "p_corrected": 1.0, "n_ids": 5, "base": 0.5, "new": 0.5}
    assert difference_entry(difference(row), measures("quality")["map"]).text == ".000"


@pytest.mark.parametrize("size", [(60, 20), (80, 24)])
async def test_one_toast_at_a_time_short_at_the_top_and_gone_on_the_next_screen(finished_run, size):
    async with opened(finished_run, size=size, notifications=True) as (app, pilot):
        app.notify("first", timeout=20)
        app.notify("second")
        await until(pilot, lambda: [n.message for n in app._notifications] == ["second"])
        assert all(n.timeout <= 4 for n in app._notifications)
        await press(pilot, "2")
        assert not list(app._notifications)
        await press(pilot, COPY, "a", "l")
        await until(pilot, lambda: "sent to" in "".join(n.message for n in app._notifications))
        await settled(pilot)
        (toast,) = app.screen.query("Toast")
        assert toast.region.y == 1
        assert toast.region.bottom <= 5
        assert toast.region.right <= size[0]
        (notification,) = app._notifications
        name, folder = notification.message.splitlines()[1:]
        assert name.endswith(".tex")
        assert folder.startswith("in ")
        assert max(width(name), width(folder)) <= toast.content_size.width


def test_what_is_too_long_is_cut_in_its_middle():
    assert cut_middle("abcdefghij", 10) == "abcdefghij"
    assert cut_middle("abcdefghij", 7) == "abc…hij"
    assert cut_middle("日本日本日本", 7) == "日…本" or width(cut_middle("日本日本日本", 7)) <= 7


async def test_dialogs_close_toasts_that_would_hide_them(taker):
    await taker.take(COPY, "a", "t")
    await press(taker.pilot, COPY)
    await settled(taker.pilot)
    assert taker.said() == []
