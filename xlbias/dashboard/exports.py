"""The part of the application that takes things along: copies, reports, pictures."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from textual.message import Message

from xlbias.dashboard.export_files import (
    CLIPBOARD_LIMIT,
    SUFFIXES,
    comparison_of,
    report_of,
    save,
    state_folder,
    why_not,
)
from xlbias.dashboard.places import TITLES
from xlbias.text import clean, cut_middle

if TYPE_CHECKING:
    from xlbias.dashboard.app import DashboardApp
    from xlbias.dashboard.dialogs.copy import Copy
    from xlbias.report.document import Matrix, Table

_STAYS = 4.0  # seconds that a toast is seen at most
_LONGEST = 600.0  # seconds that "writing …" stays at most; the end takes it back
_NAME = 50  # characters of a copy's name before what tells which part of it
_FRAME = 5  # cells of a toast that are not text


@dataclass(frozen=True)
class Piece:
    """A text that is made in a thread: the name and the suffix of its file, and how it is made."""

    name: str
    suffix: str
    make: Callable[[], str]


class Taken(Message):
    """Texts have been made and written, or not.

    Attributes:
        what: what they are, in our own words.
        text: to go to the clipboard; None where nothing is to.
        files: those that have been written.
        trouble: what went wrong, empty if nothing did.
    """

    def __init__(self, what: str, text: str | None, files: list[Path], trouble: str = "") -> None:
        super().__init__()
        self.what, self.text, self.files, self.trouble = what, text, files, trouble


class Copying:
    """What leaves the dashboard; mixed into the application."""

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self.last_copy: Copy | None = None
        """How much was copied the last time, and in which format."""
        self.last_export = "html"

    @property
    def _dashboard(self) -> DashboardApp:
        return cast("DashboardApp", self)

    # -- toasts ------------------------------------------------------------------------------------------------------

    def notify(self, message: str, *, timeout: float | None = None, **more: Any) -> None:
        """Show a toast for a few seconds."""
        seconds = timeout if timeout == _LONGEST else min(timeout or _STAYS, _STAYS)
        super().notify(message, timeout=seconds, **more)  # type: ignore[misc]

    def on_notify(self) -> None:
        """A new toast takes the place of the one before; the application then takes it in."""
        self._dashboard.clear_notifications()

    # -- copies ------------------------------------------------------------------------------------------------------

    def ask_copy(self) -> None:
        """Ask how much to copy, and in which format."""
        from xlbias.dashboard.dialogs.copy import CopyDialog

        app = self._dashboard
        app.clear_notifications()  # a path that is still being shown would hide the dialog
        app.push_screen(CopyDialog(app.view.scopes, self._last_copy()), self._copy)

    def copy_again(self) -> None:
        """Copy as the last time."""
        self._copy(self._last_copy().within(self._dashboard.view.scopes))

    def _last_copy(self) -> Copy:
        from xlbias.dashboard.dialogs.copy import Copy

        return self.last_copy or Copy("all", "tsv")

    def _copy(self, wanted: Copy | None) -> None:
        from xlbias.dashboard.dialogs.copy import FORMS
        from xlbias.report.render import render_block

        if wanted is None:
            return
        app = self._dashboard
        self.last_copy = wanted
        block, name = app.view.copied(wanted.scope)
        name = _named(name, block, wanted.scope)
        piece = Piece(name, SUFFIXES[wanted.form], partial(render_block, block, wanted.form))
        self._carry(f"{wanted.scope} as {FORMS[wanted.form].name}", [piece], copy=True)

    # -- reports -----------------------------------------------------------------------------------------------------

    def ask_export(self) -> None:
        """Ask for a format, and save the report of the run."""
        from xlbias.dashboard.dialogs.export import ExportDialog

        app = self._dashboard
        also = "and beside it the comparison with the baseline" if app.against else ""
        app.clear_notifications()
        app.push_screen(ExportDialog(self.last_export, also), self._export)

    def _export(self, form: str | None) -> None:
        from xlbias.dashboard.dialogs.export import FORMS

        app = self._dashboard
        if form is None or app.snapshot is None:
            return
        self.last_export = form
        run, stem, what = app.snapshot.run, app.path.stem, f"report as {FORMS[form].name}"
        pieces = [Piece(f"report-{stem}", SUFFIXES[form], partial(report_of, run, form))]
        if app.against is not None and app.chosen is not None:
            model = app.chosen[0]
            make = partial(comparison_of, app.against, run, model, form)
            pieces.append(Piece(f"comparison-{stem}-{model}", SUFFIXES[form], make))
            what = f"report and comparison as {FORMS[form].name}"
        app.notify(f"writing the {what} …", timeout=_LONGEST, markup=False)
        self._carry(what, pieces, copy=False)

    # -- pictures ----------------------------------------------------------------------------------------------------

    def save_picture(self, form: str) -> None:
        """Save the screen as it is seen, without toasts, as SVG or as one HTML file."""
        self._dashboard.clear_notifications()
        self._dashboard.call_later(self._draw_without_toasts, form)

    async def _draw_without_toasts(self, form: str) -> None:
        screen = self._dashboard.screen
        await screen.query("Toast").remove()
        screen.call_after_refresh(self._draw, form)

    def _draw(self, form: str) -> None:
        from xlbias.dashboard.terminal.screenshot import as_html, as_svg

        app = self._dashboard
        title = f"xlbias · {TITLES.get(app.place, 'waiting')}"
        drawn = app.export_screenshot(title=title)
        make = partial(as_svg, drawn, title) if form == "svg" else partial(as_html, drawn, title)
        self._carry("picture", [Piece(f"xlbias-{app.place}", form, make)], copy=False)

    # -- files and clipboard -------------------------------------------------------------------------------------------

    def _carry(self, what: str, pieces: list[Piece], *, copy: bool) -> None:
        """Make texts in a thread and write them, unless files may not be written; the last one may be copied, too."""
        app = self._dashboard
        keep = not app.read_only

        def work() -> None:
            app.post_message(_taken(what, pieces, copy=copy, keep=keep))

        app.run_worker(work, thread=True, group="take", name=what)

    def on_taken(self, message: Taken) -> None:
        """Copy, and say where the files are."""
        app = self._dashboard
        parts = []
        if message.text is not None:
            size = len(message.text.encode("utf-8", "replace"))
            if size <= CLIPBOARD_LIMIT:
                app.copy_to_clipboard(message.text)
                parts.append("sent to the terminal's clipboard")
            else:
                parts.append(f"{size:,} bytes, too many for the clipboard")
        cells = max(20, app.size.width * 9 // 10 - _FRAME)
        lines = [": ".join([message.what, *parts]), *_places(message.files, cells)]
        said = clean("\n".join([*lines, *([message.trouble] if message.trouble else [])]), keep_newlines=True)
        app.notify(said, severity="error" if message.trouble else "information", markup=False)


def _named(name: str, block: Table | Matrix, scope: str) -> str:
    """Return the name of a copy's file: what is copied, whether it is of differences, and which part of it."""
    from xlbias.report.document import Matrix
    from xlbias.report.documents.matrices import DELTA

    parts = [name[:_NAME]]
    if isinstance(block, Matrix):
        parts += ["diff"] if block.label.startswith(DELTA) else []
        parts += {"cell": ["cell", *block.rows, *block.columns], "row": ["row", *block.rows]}.get(scope, [])
    elif scope != "all":
        parts.append(scope)
    return "-".join(parts)


def _taken(what: str, pieces: list[Piece], *, copy: bool, keep: bool) -> Taken:
    """Make texts and write them; whatever goes wrong becomes a sentence."""
    import polars as pl

    folder = state_folder()
    text: str | None = None
    files: list[Path] = []
    try:
        for piece in pieces:
            made = piece.make()
            text = made if copy else None
            if keep:
                files.append(save(folder, piece.name, piece.suffix, made))
    except OSError as error:
        return Taken(what, text, files, why_not(error, folder))
    except (Exception, pl.exceptions.PanicException) as error:  # a run that changes while it is read
        reason = str(error).partition("\n")[0] or type(error).__name__
        return Taken(what, text, files, f"not made: {reason}")
    return Taken(what, text, files)


def _places(files: list[Path], cells: int) -> list[str]:
    """Return the names of files, a line each, and then their folder; whatever is too long is cut in its middle."""
    folders = dict.fromkeys(file.parent for file in files)
    return [
        cut_middle(clean(part), cells) for part in (*(f.name for f in files), *(f"in {_shown(p)}" for p in folders))
    ]


def _shown(path: Path) -> str:
    """Return a path as short as a shell takes it."""
    home = Path.home()
    return f"~/{path.relative_to(home)}" if path.is_relative_to(home) else str(path)
