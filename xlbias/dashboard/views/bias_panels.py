"""Which questions of bias there are to look at, and which numbers answer them."""

from __future__ import annotations

from dataclasses import dataclass

from xlbias.dashboard.workers.comparisons import COMES_WITH
from xlbias.measures.registry import measures

EXCESS = "exposure@10.excess"
"""The share of the first 10 minus that of the pool: no measure of its own."""

LANGUAGES = "exposure@10.languages"
"""The ratio of each passage language, over queries in all languages."""


@dataclass(frozen=True)
class BiasView:
    """One question of bias.

    Attributes:
        name: names it.
        panel: which panel shows it.
        measure: whose numbers it shows.
        shape: ``asked`` one number for each query language; ``answered`` for each passage language; ``pairs`` for
            both; ``numbers`` every overall number.
    """

    name: str
    panel: str
    measure: str
    shape: str = "asked"


PANELS = {
    "rank": "Rank distance", "exposure": "Exposure", "gold": "Single gold", "places": "Places",
    "numbers": "All numbers",
}  # fmt: skip
"""The panels, with their titles."""

VIEWS: tuple[BiasView, ...] = (
    BiasView("rank_distance", "rank", "rank_distance"),
    BiasView("rank_distance.normalised", "rank", "rank_distance.normalised"),
    BiasView("rank_distance.median", "rank", "rank_distance.median"),
    BiasView("max@r", "rank", "max@r"),
    BiasView("exposure@10", "exposure", "exposure@10", "pairs"),
    BiasView("exposure@10.ratio", "exposure", "exposure@10.ratio", "pairs"),
    BiasView(LANGUAGES, "exposure", "exposure@10.ratio", "answered"),
    BiasView(EXCESS, "exposure", "exposure@10", "pairs"),
    BiasView("single_gold", "gold", "single_gold", "pairs"),
    BiasView("single_gold.gap", "gold", "single_gold.gap"),
    BiasView("language_rank.all", "places", "language_rank", "answered"),
    BiasView("language_rank", "places", "language_rank", "pairs"),
    BiasView("kendall_w", "places", "kendall_w"),
    BiasView("numbers", "numbers", "", "numbers"),
    BiasView("same_language@1", "numbers", "same_language@1"),
    BiasView("rank_consistency", "numbers", "rank_consistency"),
    BiasView("peer", "numbers", "peer"),
)
"""Every view, panel by panel, in the order in which a reader steps through them."""


def compared_measures(view: BiasView) -> tuple[str, ...]:
    """Return the measures whose comparisons a view of differences needs; none for what has no mean over query ids."""
    if view.shape == "numbers":
        return tuple(measure.name for measure in measures("bias").values() if measure.statistic == "mean")
    name = COMES_WITH.get(view.measure, view.measure)
    return () if measures("bias")[name].statistic != "mean" else (name,)
