"""What leaves the dashboard: what is asked, made and said; without a terminal."""

import pytest
from dashboard.bare import parts

from xlbias.dashboard.dialogs.copy import Copy
from xlbias.dashboard.export_files import CLIPBOARD_LIMIT
from xlbias.dashboard.exports import Exports, Text, made
from xlbias.dashboard.messages import Exported
from xlbias.dashboard.places import OVERVIEW
from xlbias.folders import state_folder
from xlbias.report.documents.overview import overview_table


@pytest.fixture
def bare(finished_run):
    app, state, baseline, navigation = parts(finished_run)
    block = overview_table(state.snapshot.run, state.snapshot.overview)
    app.screens[OVERVIEW].copied = lambda scope: (block, "overview")
    return app, state, baseline, Exports(app, state, baseline, navigation)


def exported(app):
    """What the thread has sent."""
    ((message,),) = app.said("post_message")
    assert isinstance(message, Exported)
    return message


@pytest.mark.parametrize("form", ["tsv", "markdown", "latex"])
def test_a_copy_is_asked_for_and_made_again(bare, form):
    app, _, _, exports = bare
    exports.ask_copy()
    (_, answer), *_ = app.dialogs
    answer(None)
    assert exports.last_copy is None
    answer(Copy("all", form))
    first = exported(app)
    assert first.files[0].read_text("utf-8") == first.text
    app.asked.clear()
    exports.copy_again()
    assert exported(app).text == first.text


def test_a_report_goes_to_a_file_and_not_to_the_clipboard(bare):
    app, _, _, exports = bare
    exports.ask_export()
    (_, answer), *_ = app.dialogs
    answer("json")
    message = exported(app)
    assert (message.what, message.text, message.trouble) == ("report as JSON", None, "")
    assert [file.suffix for file in message.files] == [".json"]
    assert app.said("notify") == [["writing the report as JSON …"]]


def test_with_a_baseline_the_comparison_stands_beside_the_report(bare):
    app, _, baseline, exports = bare
    baseline.take("hybrid")
    exports.ask_export()
    (_, answer), *_ = app.dialogs
    answer("csv")
    assert [file.name.partition("-")[0] for file in exported(app).files] == ["report", "comparison"]


def test_a_read_only_dashboard_copies_and_writes_nothing(bare):
    app, state, _, exports = bare
    state.read_only = True
    exports.copy_again()
    message = exported(app)
    assert (message.files, bool(message.text)) == ([], True)
    assert not state_folder().exists()


def test_what_cannot_be_made_is_said_and_what_was_made_before_stays():
    texts = [Text("first", "txt", lambda: "content"), Text("second", "txt", lambda: str(1 / 0))]
    message = made("both", texts, copy=False, write=True)
    assert message.trouble == "failed: division by zero"
    assert [file.read_text() for file in message.files] == ["content"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a", "row as TSV: sent to the terminal's clipboard"),
        ("a" * (CLIPBOARD_LIMIT + 1), "row as TSV: 74,001 bytes, too large for the clipboard"),
    ],
)
def test_what_is_too_long_for_the_clipboard_is_not_sent_there(bare, text, said):
    app, _, _, exports = bare
    exports.exported(Exported("row as TSV", text, []))
    assert app.said("copy_to_clipboard") == ([[text]] if len(text) == 1 else [])
    assert app.said("notify") == [[said]]


def begun(bare):
    """An export whose thread has not begun, and what it does."""
    app, _, _, exports = bare
    threads = []
    app.run_worker = lambda work, **_: threads.append(work)
    exports.ask_export()
    (_, answer), *_ = app.dialogs
    answer("json")
    return app, exports, threads


def test_who_leaves_while_a_report_is_written_leaves_once_it_is_there(bare):
    app, exports, (work,) = begun(bare)
    exports.leave()
    assert app.said("exit") == []
    assert "Press q again" in app.said("notify")[-1][0]
    work()
    exports.exported(exported(app))
    assert app.said("exit") == [[]]
    assert len([*state_folder().glob("report-*.json")]) == 1


def test_who_asks_again_leaves_at_once(bare):
    app, exports, _ = begun(bare)
    exports.leave()
    exports.leave()
    assert app.said("exit") == [[]]


def test_a_report_that_cannot_be_written_is_said_before_leaving(bare):
    app, exports, _ = begun(bare)
    exports.leave()
    exports.exported(Exported("report as JSON", None, [], "cannot write into x: disk full"))
    assert app.said("exit") == []
    assert "disk full" in app.said("notify")[-1][0]
    exports.leave()
    assert app.said("exit") == [[]]
