"""The screens of the dashboard. Adding one is a file in `screens` and an entry here."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import Any, Literal

OVERVIEW, MATRIX, BIAS, DOMAINS = "overview", "matrix", "bias", "domains"
QUERIES, QUERY, TRAINING = "queries", "query", "training"
NOTICE = "notice"
"""Shown while there is no run to show."""

PICKER = "picker"
"""Shown in place of all screens of a run, to choose one from."""

_ROOM = "xlbias.dashboard.screens"


@dataclass(frozen=True)
class Place:
    """One screen.

    Attributes:
        name: names it in code, in its key's id and in what is kept of the last time.
        title: for the header.
        about: what it shows, in a line: for help and palette.
        view: its module and class, a `xlbias.dashboard.screens.base.View`; with a dot before it, below `screens`.
        keys: the keys that work on it, beside those that work on every screen; see `xlbias.dashboard.commands.keys`.
        needs: what must be there before it can be shown.
        parent: where Escape leads to if it was chosen by its number; empty for the first screen.
        words: what else it may be called: the palette finds it by these, too.
    """

    name: str
    title: str
    about: str
    view: str
    keys: frozenset[str] = frozenset()
    needs: Literal["run", "evaluation", "query", "training"] = "evaluation"
    parent: str = OVERVIEW
    words: str = ""

    def load(self) -> type[Any]:
        """Import the class of the screen."""
        module, _, name = self.view.rpartition(".")
        found: type[Any] = getattr(import_module(module, _ROOM), name)
        return found

    def make(self) -> Any:
        """Return a new screen."""
        return self.load()()


_HEAT_MAP = frozenset({"open", "sideways", "measure", "pick", "baseline", "sort", "range"})

SCREENS: dict[str, Place] = {
    place.name: place
    for place in (
        Place(OVERVIEW, "Overview", "Encoders and tasks of the run", ".overview.OverviewScreen",
              frozenset({"open", "panel", "filter", "baseline", "sort", "info", "follow"}), needs="run", parent="",
              words="findings answers summary start home first screen encoders good chance caveats"),
        Place(MATRIX, "Matrix", "Query language by pool, one measure at a time", ".matrix.MatrixScreen",
              _HEAT_MAP | {"task", "encoder", "follow"},
              words="heat map language pairs cells grid monolingual cross-lingual multilingual quality differences"),
        Place(BIAS, "Bias", "Which languages are preferred, and how strongly", ".bias.BiasScreen",
              _HEAT_MAP | {"task", "encoder", "panel"},
              words="fair fairness unfair preference own-language exposure rank distance translations kendall"),
        Place(DOMAINS, "Domains", "How each encoder does on other domains", ".domains.DomainsScreen",
              _HEAT_MAP | {"panel"},
              words="shift transfer survives home away source target study samplers drop"),
        Place(QUERIES, "Queries", "Queries one by one, with a filter", ".queries.screen.QueriesScreen",
              frozenset({"open", "filter", "task", "encoder", "pick", "baseline", "sort"}), parent=MATRIX,
              words="list examples errors worst single filter"),
        Place(QUERY, "Query", "One query in all its languages", ".query.screen.QueryScreen",
              frozenset({"sideways", "panel", "encoder", "pick", "baseline", "text", "translate"}),
              needs="query", parent=QUERIES,
              words="drill-down passages top ranking answers translations texts"),
        Place(TRAINING, "Training", "Loss and validation of a training", ".training.TrainingScreen",
              frozenset({"panel", "pick"}), needs="training",
              words="loss learning curve validation steps batches throughput memory progress"),
    )
}  # fmt: skip
"""Every screen by its name, in the order of their numbers."""

PICKER_PLACE = Place(
    PICKER, "Runs", "Picker: runs near here and recent ones; Enter opens one, two that are marked are compared",
    ".picker.PickerScreen", frozenset({"open", "filter", "sort", "mark"}), needs="run", parent="",
    words="files folder open another choose compare",
)  # fmt: skip
"""The picker, which has no number: no run is open while it is seen."""
