"""The registry: every measure says what it is, and keeps to the range it declares."""

from dataclasses import replace
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
from measures.made import Made, on_all_rankings

import xlbias.measures
from xlbias.measures.bias.language_ranks import language_ranks
from xlbias.measures.bias.rank_consistency import mean_spearman
from xlbias.measures.measure import Measure
from xlbias.measures.registry import FAMILIES, all_measures, measures

HELPERS = {
    "alignment.audit": "takes all measures at once",
    "alignment.parallel": "the vectors of parallel texts",
    "alignment.sampling": "which texts of very many a measure is taken over",
    "alignment.similarity": "the similarities of two languages",
}
FOLDER = Path(xlbias.measures.__file__).parent
MODULES = [
    f"{family}.{file.stem}"
    for family in FAMILIES
    for file in sorted((FOLDER / family).glob("*.py"))
    if file.stem != "__init__"
]
IMPORTED = {module: import_module(f"xlbias.measures.{module}") for module in MODULES}
EVERY = [measure for module in IMPORTED.values() for measure in getattr(module, "MEASURES", ())]
PER_RANKING = [measure for measure in EVERY if measure.family in ("quality", "bias")]


def test_every_module_names_its_measures_unless_it_is_a_helper():
    assert {name for name, module in IMPORTED.items() if not hasattr(module, "MEASURES")} == set(HELPERS)


@pytest.mark.parametrize("measure", EVERY, ids=lambda measure: measure.name)
def test_a_measure_says_what_it_is(measure):
    assert measure.definition.strip() == measure.definition != ""
    assert not measure.definition.endswith(".")
    assert measure.source
    assert 0 < len(measure.label) <= 16
    assert measure.undefined
    assert measure.low < measure.high
    assert measure.range
    assert measure.better in ("high", "low", "neither")
    assert callable(measure.compute)


def test_names_are_distinct_and_found_in_their_family():
    assert len({measure.name for measure in EVERY}) == len({measure.label for measure in EVERY}) == len(EVERY)
    assert len(all_measures()) == len(EVERY)
    for measure in EVERY:
        assert all_measures()[measure.name] is measures(measure.family)[measure.name] is measure


@pytest.mark.parametrize("module", [module for module in MODULES if module not in HELPERS])
def test_a_measure_lies_in_the_folder_of_its_family(module):
    assert {measure.family for measure in IMPORTED[module].MEASURES} == {module.split(".")[0]}


def test_the_best_known_come_first():
    assert list(measures("quality"))[:5] == ["map", "rr", "recall@1", "recall@10", "recall@100"]
    assert list(measures("bias"))[:2] == ["rank_distance", "rank_distance.normalised"]


@pytest.mark.parametrize(
    ("low", "high", "text"),
    [
        (0, 1, "0 to 1"), (-1, 1, "-1 to 1"), (0, np.inf, "0 and up"), (1, np.inf, "1 and up"),
        (-np.inf, 0, "up to 0"), (-np.inf, np.inf, "any number"),
    ],
)  # fmt: skip
def test_a_range_as_text(low, high, text):
    measure = Measure("x", "x", "bias", "x", np.mean, "x", low=low, high=high)
    assert measure.range == text
    assert measure.unit_range == (text == "0 to 1")


def values(measure: Measure, case: Made) -> np.ndarray:
    """What a measure says of a case; those that are not taken from rankings as such get what they are taken from."""
    places = language_ranks(case.pooled)
    if measure.name == "kendall_w":
        return np.array(measure.compute(places).w)
    if measure.name in ("friedman_chi2", "friedman_p"):
        return np.array(getattr(measure.compute(places), measure.name.removeprefix("friedman_")))
    if measure.name == "rank_consistency":
        rng = np.random.default_rng(len(case.searches))
        ranks = np.array([rng.permutation(sum(case.pool.values())) + 1 for _ in case.searches])
        return measure.compute(replace(case.pooled, consistency=mean_spearman(ranks)))
    return measure.compute(case.pooled)


@on_all_rankings
def test_values_lie_within_the_declared_range(case):
    for measure in PER_RANKING:
        found = values(measure, case)
        assert found.dtype == np.float64, measure.name
        assert found.shape in ((), (len(case.searches),), (len(case.searches), len(case.languages))), measure.name
        defined = found[~np.isnan(found)]
        assert ((defined >= measure.low - 1e-12) & (defined <= measure.high + 1e-12)).all(), measure.name
