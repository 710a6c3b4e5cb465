"""What is looked at, what is known of the run, and the little that the parts may ask of the application."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Protocol, runtime_checkable

from xlbias.dashboard.workers.pace import Pace
from xlbias.results.matrix import MATRIX_MEASURES

if TYPE_CHECKING:
    from textual.geometry import Size
    from textual.screen import Screen

    from xlbias.dashboard.workers.process import WatchedProcess
    from xlbias.dashboard.workers.snapshot import Broken, Cell, Chosen, QueryKey, Snapshot, Waiting
    from xlbias.measures.measure import Measure
    from xlbias.report.document import Matrix, Table

Scope = Literal["cell", "row", "all"]
"""How much of a screen is copied."""


@dataclass
class State:
    """What is looked at, and what is known of the run.

    Attributes:
        path: of the run.
        base_path: of the second run, which differences are taken from; None without one.
        read_only: whether no files may be written.
        snapshot: what is on the screen.
        newest: what has been read last; another than what is on the screen while paused.
        base: the second run, None until it has been read.
        event: why there is no newer snapshot, if that is so.
        problem: the same in a sentence, for the banner.
        base_problem: why there are no differences from the second run.
        process: that which makes the run, where the dashboard was started with one.
        process_trouble: how that has failed, if it has.
        paused: whether the screen is held still.
        following: whether the cursor goes to what was finished last.
        pace: how fast a run in progress is.
        measure: what matrices show.
        chosen: the model and task that are looked at.
        query_key: the query of the drill-down.
    """

    path: Path
    base_path: Path | None = None
    read_only: bool = False
    snapshot: Snapshot | None = None
    newest: Snapshot | None = None
    base: Snapshot | None = None
    event: Waiting | Broken | None = None
    problem: str = ""
    base_problem: str = ""
    process: WatchedProcess | None = None
    process_trouble: str = ""
    paused: bool = False
    following: bool = False
    pace: Pace = field(default_factory=Pace)
    measure: Measure = field(default_factory=lambda: next(iter(MATRIX_MEASURES.values())))
    chosen: Chosen | None = None
    query_key: QueryKey | None = None

    @property
    def n_waiting(self) -> int:
        """Cells that have been finished since the screen was paused."""
        if self.snapshot is None or self.newest is None:
            return 0
        return len(self.newest.cells - self.snapshot.cells)


class SeenScreen(Protocol):
    """What every screen can be asked; `xlbias.dashboard.screens.base` says what each is."""

    PLACE: ClassVar[str]

    @property
    def is_mounted(self) -> bool: ...  # noqa: D102
    @property
    def panel_open(self) -> bool: ...  # noqa: D102
    @property
    def row_chosen(self) -> Chosen | None: ...  # noqa: D102
    def show(self) -> None: ...  # noqa: D102
    def tell(self) -> None: ...  # noqa: D102
    def move(self, where: str) -> None: ...  # noqa: D102
    def close_panel(self) -> None: ...  # noqa: D102
    def saved(self) -> dict[str, Any]: ...  # noqa: D102
    def call_after_refresh(self, callback: Callable[..., Any], *args: Any) -> bool: ...  # noqa: D102


class Openable(Protocol):
    """A screen whose rows or cells lead somewhere."""

    def open(self) -> None:
        """Show what stands behind the row or cell under the cursor."""


class Paneled(Protocol):
    """A screen of several panels."""

    def step_panel(self, step: int) -> None:
        """Show the next panel, or the one before."""


class Measured(Protocol):
    """A screen that shows one measure at a time."""

    def step_measure(self, step: int) -> None:
        """Show the next measure, or the one before."""


class Sortable(Protocol):
    """A screen whose rows come in several orders."""

    def cycle_sort(self) -> None:
        """Next order."""

    def reverse_sort(self) -> None:
        """Turn the order round."""


class Filterable(Protocol):
    """A screen that shows some of its rows."""

    def ask_filter(self) -> None:
        """Ask which rows to show."""

    def clear_filter(self) -> None:
        """Show all rows."""


class Coloured(Protocol):
    """A screen whose colours stand for values."""

    def why_no_range(self) -> str | None:
        """Why the colours can have no other range, None where they can."""

    def toggle_range(self) -> None:
        """Another range of the colours."""


class Detailed(Protocol):
    """A screen that shows where its numbers come from."""

    def toggle_details(self) -> None:
        """Show or hide provenance."""


class Readable(Protocol):
    """A screen of texts."""

    def step_text_view(self) -> None:
        """Show texts in the next way."""


@runtime_checkable
class Followable(Protocol):
    """A screen whose cursor goes to what was finished last."""

    def follow_to(self, cell: Cell) -> None:
        """Put the cursor where this cell is shown."""


class Addressable(Protocol):
    """A screen with a cell for each query language and pool."""

    def go_to_cell(self, cell: tuple[str, str]) -> None:
        """Put the cursor on a query language and pool."""


class Copyable(Protocol):
    """A screen that numbers or texts can be taken from."""

    @property
    def scopes(self) -> tuple[Scope, ...]:
        """What can be copied of the screen."""

    def why_no_copy(self) -> str | None:
        """Why there is nothing to copy, None where there is something."""

    def copied(self, scope: Scope) -> tuple[Table | Matrix, str]:
        """Return what to copy, as a block of a report with its intervals, and a name for its file."""


class QueryListScreen(SeenScreen, Protocol):
    """What navigation asks of the list of queries."""

    def set_filter(self, filter: str) -> None:
        """List what another filter leaves."""

    def step(self, step: int) -> QueryKey | None:
        """Move the cursor, and return the query under it; None where there is none."""


class Application(Protocol):
    """What the parts may ask of the application: Textual's own methods, and a few over its private ones."""

    @property
    def screen(self) -> Screen[Any]:
        """What is on top: a screen of the dashboard, or a dialog."""

    @property
    def screen_stack(self) -> Sequence[Screen[Any]]:
        """All that is open, what is on top last."""

    @property
    def size(self) -> Size:
        """Of the terminal, in cells."""

    def push_screen(self, screen: Any, callback: Callable[[Any], None] | None = None) -> Any:
        """Show a screen or a dialog over the present one."""

    def pop_screen(self) -> Any:
        """Close what is on top."""

    def switch_screen(self, screen: Any) -> Any:
        """Show a screen instead of the one on top."""

    def get_screen(self, screen: Any) -> Any:
        """Return a screen by its name, made when first asked for."""

    def mount_unseen(self, place: str) -> None:
        """Mount a screen without showing it: what takes longest of its first time is done before it is asked for."""

    def made_screens(self) -> list[SeenScreen]:
        """Return the dashboard's screens that have been made so far."""

    def notify(self, message: str, *, severity: Any = ..., timeout: float | None = ..., markup: bool = ...) -> None:
        """Show a toast."""

    def announce(self, message: str) -> None:
        """Show a toast that stays until the next one."""

    def clear_notifications(self) -> None:
        """Take toasts back."""

    def post_message(self, message: Any) -> bool:
        """Send a message, from any thread."""

    def run_worker(self, work: Any, name: str | None = ..., group: str = ..., *, thread: bool = ...) -> Any:
        """Do work in a thread."""

    def call_later(self, callback: Callable[..., Any], *args: Any) -> bool:
        """Call back when there is nothing more urgent."""

    def copy_to_clipboard(self, text: str) -> None:
        """Send a text to the terminal's clipboard."""

    def export_screenshot(self, *, title: str | None = ...) -> str:
        """Draw what is on the screen."""

    def exit(self) -> None:
        """Leave."""
