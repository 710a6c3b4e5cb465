"""What is looked at, what is known of the run, and what screens can be asked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Protocol

from xlbias.dashboard.workers.pace import Pace
from xlbias.results.matrix import MATRIX_MEASURES

if TYPE_CHECKING:
    from xlbias.dashboard.workers.process import WatchedProcess
    from xlbias.dashboard.workers.snapshot import Broken, Cell, Chosen, QueryKey, Snapshot, Waiting
    from xlbias.measures.measure import Measure
    from xlbias.report.document import MatrixBlock, Table

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
        chosen: the encoder and task that are looked at.
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
    @property
    def scopes(self) -> tuple[Scope, ...]: ...  # noqa: D102
    def show(self) -> None: ...  # noqa: D102
    def tell(self) -> None: ...  # noqa: D102
    def move(self, where: str) -> None: ...  # noqa: D102
    def follow_to(self, cell: Cell) -> None: ...  # noqa: D102
    def close_panel(self) -> None: ...  # noqa: D102
    def why_no_range(self) -> str | None: ...  # noqa: D102
    def why_no_row(self) -> str | None: ...  # noqa: D102
    def why_no_copy(self) -> str | None: ...  # noqa: D102
    @property
    def n_all(self) -> tuple[int, int]: ...  # noqa: D102
    @property
    def copy_waits(self) -> bool: ...  # noqa: D102
    def copied(self, scope: Scope) -> tuple[Table | MatrixBlock, str]: ...  # noqa: D102
    def saved(self) -> dict[str, Any]: ...  # noqa: D102
    def call_after_refresh(self, callback: Callable[..., Any], *args: Any) -> bool: ...  # noqa: D102


class QueryListScreen(SeenScreen, Protocol):
    """What navigation asks of the list of queries."""

    def set_filter(self, filter: str) -> None:
        """List what another filter leaves."""

    def step(self, step: int) -> QueryKey | None:
        """Move the cursor, and return the query under it; None where there is none."""
