"""What leaves the dashboard: copies, reports and pictures, to the clipboard and to files."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from xlbias.dashboard.export_files import CLIPBOARD_LIMIT, SUFFIXES, comparison_of, report_of, save, why_not
from xlbias.dashboard.messages import Exported
from xlbias.dashboard.places import SCREENS
from xlbias.errors import reason_of
from xlbias.folders import state_folder
from xlbias.text import clean, cut_middle

if TYPE_CHECKING:
    from textual.app import App

    from xlbias.dashboard.baseline import Baseline
    from xlbias.dashboard.dialogs.copy import Copy
    from xlbias.dashboard.navigation import Navigation
    from xlbias.dashboard.state import State
    from xlbias.report.document import MatrixBlock, Table

_NAME = 50  # characters of a copy's name before what tells which part of it
_ANNOUNCED = 600.0  # seconds that an announcement stays at most; the next toast takes it back
_LOOK = 0.1  # seconds between two looks at whether what a copy waits for is there
_FRAME = 5  # cells of a toast that are not text


@dataclass(frozen=True)
class Text:
    """A text that is made in a thread: the name and the suffix of its file, and how it is made."""

    name: str
    suffix: str
    make: Callable[[], str]


class Exports:
    """Asks what is wanted, makes it in a thread, and says where it is."""

    def __init__(self, app: App[Any], state: State, baseline: Baseline, navigation: Navigation) -> None:
        self._app, self._state, self._baseline, self._navigation = app, state, baseline, navigation
        self.last_copy: Copy | None = None
        """How much was copied the last time, and in which format."""
        self._last_form = "html"
        self._waiting: tuple[Copy, tuple[object, ...]] | None = None
        """The copy that waits for differences, and what it is of."""
        self._n_writing = 0
        self._leaving = False

    # -- copies ------------------------------------------------------------------------------------------------------

    def ask_copy(self) -> None:
        """Ask how much to copy, and in which format."""
        from xlbias.dashboard.dialogs.copy import CopyDialog

        self._app.clear_notifications()  # a path that is still on the screen would hide the dialog
        view = self._navigation.view
        n_all = counted(*view.n_all) if "all" in view.scopes else ""
        self._app.push_screen(CopyDialog(view.scopes, self._last_copy(), n_all), self._copy)

    def copy_again(self) -> None:
        """Copy as the last time."""
        self._copy(self._last_copy().within(self._navigation.view.scopes))

    def _last_copy(self) -> Copy:
        from xlbias.dashboard.dialogs.copy import Copy

        return self.last_copy or Copy("all", "tsv")

    def _copy(self, wanted: Copy | None) -> None:
        from xlbias.dashboard.dialogs.copy import FORMS
        from xlbias.report.render import render_block

        if wanted is None:
            return
        self.last_copy = wanted
        view = self._navigation.view
        if view.copy_waits and not self._waits_for(wanted):
            self._wait(wanted)
            return
        self._waiting = None
        block, name = view.copied(wanted.scope)
        name = _named(name, block, wanted.scope)
        text = Text(name, SUFFIXES[wanted.form], partial(render_block, block, wanted.form))
        self._make(f"{wanted.scope} as {FORMS[wanted.form].name}", [text], copy=True)

    def _wait(self, wanted: Copy) -> None:
        """Copy once the differences are there that the screen is to show, or when the same is asked for again."""
        said = f"{wanted.scope}: copied once the differences are there. Copy again for what is there now"
        self._app.notify(said, timeout=_ANNOUNCED, markup=False)
        if self._waiting is None:
            self._app.set_timer(_LOOK, self._look_again)
        self._waiting = (wanted, self._seen)

    @property
    def _seen(self) -> tuple[object, ...]:
        """What is on the screen: a copy that waits is of that."""
        state = self._state
        return self._navigation.place, state.chosen, state.measure.name, self._baseline.model, self._baseline.is_on

    def _waits_for(self, wanted: Copy) -> bool:
        return self._waiting == (wanted, self._seen)

    def _look_again(self) -> None:
        """Make the copy that waits, unless something else is shown now."""
        if self._waiting is None:
            return
        wanted, seen = self._waiting
        if seen != self._seen:
            self._waiting = None
            self._app.notify("not copied: something else is shown now", severity="warning", markup=False)
        elif self._navigation.view.copy_waits:
            self._app.set_timer(_LOOK, self._look_again)
        else:
            self._copy(wanted)

    # -- reports -----------------------------------------------------------------------------------------------------

    def ask_export(self) -> None:
        """Ask for a format, and save the report of the run."""
        from xlbias.dashboard.dialogs.export import ExportDialog

        also = "also saves the comparison with the baseline" if self._baseline.against else ""
        self._app.clear_notifications()
        self._app.push_screen(ExportDialog(self._last_form, also), self._export)

    def _export(self, form: str | None) -> None:
        from xlbias.dashboard.dialogs.export import FORMS

        state, against = self._state, self._baseline.against
        if form is None or state.snapshot is None:
            return
        self._last_form = form
        run, stem, what = state.snapshot.run, state.path.stem, f"report as {FORMS[form].name}"
        texts = [Text(f"report-{stem}", SUFFIXES[form], partial(report_of, run, form))]
        if against is not None and state.chosen is not None:
            model = state.chosen[0]
            make = partial(comparison_of, against, run, model, form)
            texts.append(Text(f"comparison-{stem}-{model}", SUFFIXES[form], make))
            what = f"report and comparison as {FORMS[form].name}"
        self._app.notify(f"writing the {what} …", timeout=_ANNOUNCED, markup=False)
        self._make(what, texts, copy=False)

    # -- pictures ----------------------------------------------------------------------------------------------------

    def save_picture(self, form: str) -> None:
        """Save the screen as it is seen, without toasts, as SVG or as one HTML file."""
        self._app.clear_notifications()
        self._app.call_later(self._draw_without_toasts, form)

    async def _draw_without_toasts(self, form: str) -> None:
        screen = self._app.screen
        await screen.query("Toast").remove()
        screen.call_after_refresh(self._draw, form)

    def _draw(self, form: str) -> None:
        from xlbias.dashboard.terminal.screenshot import as_html, as_svg, lines_of

        place = self._navigation.place
        title = f"xlbias · {SCREENS[place].title if place in SCREENS else 'waiting'}"
        draw = as_svg if form == "svg" else as_html
        make = partial(draw, lines_of(self._app), title, self._app.ansi_theme)
        self._make("picture", [Text(f"xlbias-{place}", form, make)], copy=False)

    # -- files and clipboard -------------------------------------------------------------------------------------------

    def _make(self, what: str, texts: list[Text], *, copy: bool) -> None:
        """Make texts in a thread and write them, unless files may not be written; the last one may be copied, too."""
        app, write = self._app, not self._state.read_only
        self._n_writing += 1

        def write_texts() -> None:
            app.post_message(made(what, texts, copy=copy, write=write))

        app.run_worker(write_texts, thread=True, group="export", name=what)

    def exported(self, message: Exported) -> None:
        """Copy, and say where the files are; leave if that was waited for."""
        app = self._app
        self._n_writing = max(0, self._n_writing - 1)
        if self._leaving and not self._n_writing and not message.trouble:
            app.exit()
            return
        self._leaving = self._leaving and not message.trouble
        parts = []
        if message.text is not None:
            size = len(message.text.encode("utf-8", "replace"))
            if size <= CLIPBOARD_LIMIT:
                app.copy_to_clipboard(message.text)
                parts.append("sent to the terminal's clipboard")
            else:
                parts.append(f"{size:,} bytes, too large for the clipboard")
        cells = max(20, app.size.width * 9 // 10 - _FRAME)
        lines = [": ".join([message.what, *parts]), *_paths(message.files, cells)]
        said = clean("\n".join([*lines, *([message.trouble] if message.trouble else [])]), keep_newlines=True)
        app.notify(said, severity="error" if message.trouble else "information", markup=False)

    def leave(self) -> None:
        """Leave once everything is written; at once if asked again."""
        if self._n_writing and not self._leaving:
            self._leaving = True
            text = "still writing: the dashboard closes when it is done. Press q again to close it now"
            self._app.notify(text, timeout=_ANNOUNCED, markup=False)
        else:
            self._app.exit()


def _named(name: str, block: Table | MatrixBlock, scope: str) -> str:
    """Return the name of a copy's file: what is copied, whether it is of differences, and which part of it."""
    from xlbias.report.document import MatrixBlock
    from xlbias.report.documents.matrices import DELTA

    parts = [name[:_NAME]]
    if isinstance(block, MatrixBlock):
        parts += ["diff"] if block.label.startswith(DELTA) else []
        parts += {"cell": ["cell", *block.rows, *block.columns], "row": ["row", *block.rows]}.get(scope, [])
    elif scope != "all":
        parts.append(scope)
    return "-".join(parts)


def counted(n_rows: int, n_columns: int) -> str:
    """Return how much a copy holds: its rows, or the cells of a matrix."""
    if n_columns > 1:
        return f"{n_rows:,} × {n_columns:,} cells"
    return f"{n_rows:,} row{'s' if n_rows != 1 else ''}"


def made(what: str, texts: list[Text], *, copy: bool, write: bool) -> Exported:
    """Make texts and write them; whatever goes wrong becomes a sentence."""
    import polars as pl

    folder = state_folder()
    last: str | None = None
    files: list[Path] = []
    try:
        for text in texts:
            content = text.make()
            last = content if copy else None
            if write:
                files.append(save(folder, text.name, text.suffix, content))
    except OSError as error:
        return Exported(what, last, files, why_not(error, folder))
    except (Exception, pl.exceptions.PanicException) as error:  # a run that changes while it is read
        return Exported(what, last, files, f"failed: {reason_of(error)}")
    return Exported(what, last, files)


def _paths(files: list[Path], cells: int) -> list[str]:
    """Return the names of files, a line each, and then their folder; whatever is too long is cut in its middle."""
    folders = dict.fromkeys(file.parent for file in files)
    return [
        cut_middle(clean(part), cells) for part in (*(f.name for f in files), *(f"in {_short(p)}" for p in folders))
    ]


def _short(path: Path) -> str:
    """Return a path as short as a shell takes it."""
    home = Path.home()
    return f"~/{path.relative_to(home)}" if path.is_relative_to(home) else str(path)
