"""How a run was last looked at: kept in the user's state folder, never beside the run."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from xlbias.dashboard import places
from xlbias.errors import WriteError
from xlbias.files import write_whole
from xlbias.folders import state_folder
from xlbias.results.matrix import MATRIX_MEASURES

if TYPE_CHECKING:
    from textual.app import App

    from xlbias.dashboard.baseline import Baseline
    from xlbias.dashboard.navigation import Navigation
    from xlbias.dashboard.state import State

_VERSION = 1
_MOST = 65_536  # bytes; what is longer was not written here


class Session:
    """The view of the last time, read when this is made."""

    def __init__(self, app: App[Any], state: State, baseline: Baseline, navigation: Navigation) -> None:
        self._app, self._state, self._baseline, self._navigation = app, state, baseline, navigation
        self._last = recall(state_folder(), state.path)

    @property
    def theme(self) -> str | None:
        """The theme of the last time."""
        theme = self._last.get("theme")
        return theme if isinstance(theme, str) else None

    def save(self, theme: str | None) -> None:
        """Keep how the run is looked at, unless nothing may be written; `theme` is None where it was not chosen."""
        state = self._state
        if state.snapshot is None or state.read_only:
            return
        screens = {screen.PLACE: screen.saved() for screen in self._navigation.made}
        view = {
            "path": str(state.path.absolute()),
            "place": self._navigation.place,
            "chosen": state.chosen,
            "measure": state.measure.name,
            "baseline": self._baseline.model,
            "theme": theme,
            "screens": {**self._last.get("screens", {}), **screens},
        }
        remember(state_folder(), state.path, view)

    def restore(self) -> None:
        """Look at the run as the last time, as far as it still has what was looked at."""
        state, last = self._state, self._last
        assert state.snapshot is not None
        chosen = last.get("chosen")
        if isinstance(chosen, list) and tuple(chosen) in set(state.snapshot.overview.select("model", "task").rows()):
            state.chosen = (chosen[0], chosen[1])
        measure = last.get("measure")
        state.measure = MATRIX_MEASURES.get(measure, state.measure) if isinstance(measure, str) else state.measure
        baseline = last.get("baseline")
        if isinstance(baseline, str):
            self._baseline.model = baseline
        self._restore_query(last.get("screens"))
        place = last.get("place")
        if place in places.SCREENS and self._navigation.why_not(place) is None:
            self._navigation.switch(place)

    def _restore_query(self, screens: object) -> None:
        from xlbias.dashboard.workers.query_reader import valid_query

        state = self._state
        saved = screens.get(places.QUERY) if isinstance(screens, dict) else None
        if isinstance(saved, dict) and state.snapshot is not None and state.chosen is not None:
            state.query_key = valid_query(saved.get("query"), state.snapshot.run, state.chosen[1])

    def remembers(self, place: str) -> bool:
        """Whether it is known how a screen was looked at the last time, and it has not taken that yet."""
        screens = self._last.get("screens")
        return isinstance(screens, dict) and place in screens

    def of_screen(self, place: str) -> dict[str, Any]:
        """Return how a screen was looked at the last time, once: the screen takes it when it is first shown."""
        screens = self._last.get("screens")
        found = screens.pop(place, {}) if isinstance(screens, dict) else {}
        return found if isinstance(found, dict) else {}


def file_for(folder: Path, run: Path) -> Path:
    """Return where the view of a run is kept below `folder`."""
    name = hashlib.sha256(os.fsencode(run.absolute())).hexdigest()[:24]
    return folder / "views" / f"{name}.json"


def recall(folder: Path, run: Path) -> dict[str, Any]:
    """Return how the run was last looked at; empty where that is not known or not readable."""
    return _recalled(file_for(folder, run))


def _recalled(file: Path) -> dict[str, Any]:
    try:
        if file.stat().st_size > _MOST:
            return {}
        found = json.loads(file.read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) and found.get("version") == _VERSION else {}


def recent(folder: Path, most: int = 30) -> list[Path]:
    """Return the runs that were looked at last, the last one first; empty where nothing is known or readable."""
    try:
        files = sorted((folder / "views").glob("*.json"), key=lambda file: file.stat().st_mtime, reverse=True)
    except OSError:
        return []
    paths = (_recalled(file).get("path") for file in files[:most])
    return [Path(path) for path in paths if isinstance(path, str)]


def last_theme(folder: Path) -> str | None:
    """Return the theme of the run that was looked at last."""
    for path in recent(folder, 1):
        theme = recall(folder, path).get("theme")
        return theme if isinstance(theme, str) else None
    return None


def remember(folder: Path, run: Path, view: dict[str, Any]) -> None:
    """Keep how the run is looked at. Whatever stands in the way, nothing is lost but that."""
    try:
        file = file_for(folder, run)
        file.parent.mkdir(parents=True, exist_ok=True)
        write_whole(file, json.dumps({"version": _VERSION, **view}).encode(), durable=False)
    except (OSError, ValueError, TypeError, WriteError):
        return
