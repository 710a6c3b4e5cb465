"""The fourth screen: what a change of domain does to every encoder.

Four panels: values by source and target, the share that is lost away from home, differences from the baseline with the
study's verdict, and each target at home and away. Tab and Shift-Tab step through the panels; m and M
step through the measures, which are the same for all panels.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any, ClassVar

import polars as pl
from textual.message import Message

from xlbias.dashboard import places
from xlbias.dashboard.screens.panels import PanelScreen
from xlbias.dashboard.views.caveats import of_all
from xlbias.dashboard.views.domain_contrasts import baseline_sheet, contrast_sheet, overall_row
from xlbias.dashboard.views.domain_home import home_sheet
from xlbias.dashboard.views.domains import PANELS, SHIFTS, Domains, Shift, drop_sheet, read_domains, values_sheet
from xlbias.dashboard.views.sheet import Sheet, Spot
from xlbias.dashboard.widgets.heatmap.order import OF_GROUPS, OF_ROWS
from xlbias.dashboard.widgets.text.line import Part
from xlbias.dashboard.workers.comparisons import COMPARING
from xlbias.dashboard.workers.disk_cache import folder_of
from xlbias.dashboard.workers.snapshot import Snapshot
from xlbias.dashboard.workers.study_contrasts import StudyContrasts
from xlbias.errors import reason_of
from xlbias.results.run import Run
from xlbias.results.study.design import HEADLINES
from xlbias.results.written import named

_MOST_COMPARED = 64
_SHEETS = {"values": values_sheet, "drop": drop_sheet, "home": home_sheet}


class Read(Message):
    """The numbers of a snapshot have been read, or cannot be."""

    def __init__(self, snapshot: Snapshot, found: Domains | None, trouble: str = "") -> None:
        super().__init__()
        self.snapshot, self.found, self.trouble = snapshot, found, trouble


class Contrasted(Message):
    """The comparison of samplers has come further."""


class DomainsScreen(PanelScreen):
    """Panels of the run's encoders by target."""

    PLACE = places.DOMAINS
    PANELS: ClassVar = PANELS

    def __init__(self) -> None:
        super().__init__()
        self.shift: Shift = SHIFTS[1]
        """The measure and setting that all panels show."""
        self.contrasts: StudyContrasts | None = None
        """The comparison of samplers, once somebody has looked at it."""
        self._contrasted: tuple[Any, ...] = ()
        self._reading: Snapshot | None = None
        self._trouble = ""

    def on_unmount(self) -> None:
        """Let the comparison go."""
        if self.contrasts is not None:
            self.contrasts.stop()

    def sorts(self, panel: str) -> tuple[str, ...]:
        """Orders of rows; samplers stand together in one of a study's."""
        snapshot = self.dashboard.state.snapshot
        return OF_GROUPS if snapshot is not None and "study" in snapshot.run.metadata else OF_ROWS

    def named(self, panel: str) -> str:
        """The measure, and which of how many it is."""
        domains = self.domains
        shifts = domains.shifts if domains else SHIFTS
        return f"{named(*self.shift)} {shifts.index(self.shift) + 1 if self.shift in shifts else 1}/{len(shifts)}"

    def which(self) -> tuple[list[Part], str]:
        """The study's title, or how many encoders there are."""
        domains = self.domains
        if domains is None:
            return [Part(self._trouble or "reading the numbers …", "italic")], ""
        if domains.study is None:
            counts = ((len(domains.members), "encoder"), (len(domains.targets), "task"))
            return [Part(" on ".join(f"{n:,} {word}{'s' * (n != 1)}" for n, word in counts))], ""
        study = domains.study
        size = f"{len(study.members):,} encoders of {len(study.sources)} sources on {len(study.targets)} targets  "
        return [Part(size, "$quiet")], study.title

    def caveats(self) -> list[str]:
        """Those of every encoder on every target."""
        snapshot = self.dashboard.state.snapshot
        return of_all(snapshot) if snapshot is not None else []

    # -- numbers -----------------------------------------------------------------------------------------------------

    @property
    def domains(self) -> Domains | None:
        """The numbers of the present snapshot, None while they are being read."""
        snapshot = self.dashboard.state.snapshot
        return snapshot.cache.get("domains") if snapshot is not None else None

    def show(self) -> None:
        """Show the present snapshot; its numbers are read in a thread."""
        snapshot = self.dashboard.state.snapshot
        if snapshot is not None and self.domains is None and self._reading is not snapshot:
            self._reading = snapshot
            self.run_worker(partial(self._read, snapshot), thread=True, group="domains", exit_on_error=False)
        if self.domains is not None and self.shift not in self.domains.shifts:
            self.shift = self.domains.shifts[0]
        super().show()

    def _read(self, snapshot: Snapshot) -> None:
        try:
            self.post_message(Read(snapshot, read_domains(snapshot.run)))
        except Exception as error:  # a run that changes while it is read, or metadata from elsewhere
            self.post_message(Read(snapshot, None, reason_of(error)))

    def on_read(self, message: Read) -> None:
        """Show what has been read."""
        self._trouble = f"the numbers cannot be read: {message.trouble}" if message.trouble else ""
        if message.found is not None:
            message.snapshot.cache["domains"] = message.found
        if self.is_current:
            self.show()

    def on_contrasted(self) -> None:
        """Show how far the comparison is."""
        if self.is_current and "contrast" in self.visible_panels:
            self.show()

    def sheet(self, panel: str) -> Sheet | None:
        """The sheet of a panel, kept for as long as what it is made of is the same."""
        snapshot, domains = self.dashboard.state.snapshot, self.domains
        if snapshot is None or domains is None:
            return None
        if panel == "contrast":
            return self._contrast(snapshot, domains)
        key = ("domains", panel, self.shift)
        if key not in snapshot.cache:
            snapshot.cache[key] = _SHEETS[panel](domains, self.shift)
        found: Sheet = snapshot.cache[key]
        return found

    def _contrast(self, snapshot: Snapshot, domains: Domains) -> Sheet:
        if domains.study is None:
            return self._against_baseline(snapshot, domains)
        found, remark, going_on = self._verdict(snapshot, domains)
        key, now = ("domains", "contrast", self.shift), (id(found), remark, going_on)
        known, sheet = snapshot.cache.get(key, (None, None))
        if sheet is None or known != now:
            sheet = contrast_sheet(domains, self.shift, found, remark, going_on=going_on)
            snapshot.cache[key] = (now, sheet)
        return sheet  # type: ignore[no-any-return]

    def _verdict(self, snapshot: Snapshot, domains: Domains) -> tuple[pl.DataFrame | None, str, bool]:
        """Return the comparison of samplers, which begins when first looked at, its remark, and whether it goes on."""
        assert domains.study is not None
        if self.shift not in HEADLINES:
            return None, "", False
        if not snapshot.finished:
            return None, "the study is running: verdicts follow when it is finished", False
        version = snapshot.run.state.version
        if self.contrasts is None or self._contrasted != version:
            if self.contrasts is not None:
                self.contrasts.stop()
            self.contrasts, self._contrasted = self._begin_contrast(snapshot.run), version
        now = self.contrasts
        return now.so_far if now.found is None else now.found, now.remark, now.found is None and not now.trouble

    def _begin_contrast(self, run: Run) -> StudyContrasts:
        folder = None if self.dashboard.state.read_only else folder_of("contrasts", run.path, run.state.version)
        return StudyContrasts(run.path, self._tell_of_contrast, folder)

    def wanted(self, panel: str) -> tuple[int, bool]:
        """The width that a panel needs; known of the comparison of samplers without beginning it."""
        if panel != "contrast" or self.panel == panel or self.domains is None or self.domains.study is None:
            return super().wanted(panel)
        return super().wanted("values")[0] + 2 * len(self.domains.targets), False

    def _tell_of_contrast(self) -> None:
        self.post_message(Contrasted())

    def _against_baseline(self, snapshot: Snapshot, domains: Domains) -> Sheet:
        """Return the differences of encoders from the baseline, tested as far as that has been computed."""
        app = self.dashboard
        measure, setting = self.shift
        pairs: dict[Spot, tuple[float | None, float | None]] = {}
        tested: dict[Spot, Mapping[str, Any]] = {}
        waiting, against = 0, ""
        few = len(domains.members) * len(domains.targets) <= _MOST_COMPARED
        cursor = self.widget("contrast").view.cursor
        for one in domains.members:
            base = app.baseline.against_for(one.first)
            if base is None:
                continue
            against = base.label
            for target in domains.targets:
                if base.run is snapshot.run:
                    values = (domains.found.get((name, target, self.shift)) for name in (base.model, one.first))
                    old, new = (found[0] if found else None for found in values)
                    pairs[one.name, target] = (old, new)
                if few or (cursor is not None and cursor[0] == one.name):
                    frame = app.baseline.compared(one.first, target, measure, urgent=False)
                    waiting += frame is None
                    row = overall_row(frame, measure, setting)
                    if row is not None:
                        tested[one.name, target] = row
        key, known = ("domains", "baseline", self.shift), (against, len(tested), waiting, tuple(sorted(tested)))
        before, sheet = snapshot.cache.get(key, (None, None))
        if sheet is None or before != known:
            remark = "choose a baseline first (b)" if not against else COMPARING if waiting else ""
            sheet = baseline_sheet(domains, self.shift, against or "the baseline", pairs, tested, remark)
            snapshot.cache[key] = (known, sheet)
        return sheet  # type: ignore[no-any-return]

    # -- keys --------------------------------------------------------------------------------------------------------

    def move(self, where: str) -> None:
        """Move the cursor of the panel; of a large run the row under it is compared."""
        super().move(where)
        if self.panel == "contrast" and self.domains is not None and self.domains.study is None:
            self.show()

    def step_measure(self, step: int) -> None:
        """Show the next measure in all panels, or the one before."""
        shifts = self.domains.shifts if self.domains else SHIFTS
        at = shifts.index(self.shift) if self.shift in shifts else 0
        self.shift = shifts[(at + step) % len(shifts)]
        self.show()

    def open(self) -> None:
        """Show the matrix behind the cell; of several seeds, that of the first."""
        sheet, cursor = self.view.sheet, self.view.cursor
        if sheet is not None and cursor is not None and cursor in sheet.opens:
            self.dashboard.navigation.open_matrix(sheet.opens[cursor])

    def saved(self) -> dict[str, Any]:
        """Panels, and the measure."""
        found = super().saved()
        return {**found, "shift": list(self.shift)} if found else {}

    def restore(self, saved: dict[str, Any]) -> None:
        """Look at the panels as they were saved."""
        self.shift = next((shift for shift in SHIFTS if list(shift) == saved.get("shift")), self.shift)
        super().restore(saved)
