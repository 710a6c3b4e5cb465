"""Reference levels: chance over the run's own pools, the base that is in the run, printed results of the same pools."""

import numpy as np
import polars as pl
import pytest
from msgspec import convert

from xlbias.data.task import RetrievalTask
from xlbias.encode.precomputed import PrecomputedVectors
from xlbias.evaluation import evaluate
from xlbias.measures.registry import measures
from xlbias.results.levels import chance_levels, levels, printed
from xlbias.results.published import _POOL_SIZES
from xlbias.runs.run_info import TaskInfo

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """Two queries of graded relevance in one language, one of them also in another; two trainings of `base`."""
    queries = [("a", "en"), ("a", "de"), ("b", "en")]
    passages = [("1", "en"), ("2", "en"), ("3", "en"), ("4", "de"), ("5", "de")]
    qrels = [("a", "1", 2), ("a", "2", 1), ("b", "3", 1), ("a", "4", 1)]
    task = RetrievalTask(
        "graded", "test", "by hand", "none",
        pl.DataFrame([(q, tag, f"{q} {tag}") for q, tag in queries], ["query_id", "language", "text"], orient="row"),
        pl.DataFrame([(p, tag, f"{p} {tag}") for p, tag in passages], ["passage_id", "language", "text"], orient="row"),
        pl.DataFrame(qrels, ["query_id", "passage_id", "relevance"], orient="row"),
    )  # fmt: skip
    rng = np.random.default_rng(0)
    made = [
        PrecomputedVectors(rng.normal(size=(3, 4)), rng.normal(size=(5, 4)), name, card)
        for name, card in (("base", {}), ("tuned", {"base": "somewhere/base", "sampler": "mono"}))
    ]
    return evaluate(made, task, tmp_path_factory.mktemp("levels") / "run.parquet")


def test_chance_is_a_mean_over_the_cells_of_a_setting_and_knows_grades(run):
    found = {(one.measure, one.setting): one.value for one in chance_levels(run, run.tasks[0])}
    for name in ("map", "ndcg@10", "rr"):
        chance = measures("quality")[name].chance
        english = (chance(3, (2, 1)) + chance(3, (1,))) / 2
        assert found[name, "monolingual"] == pytest.approx((english + chance(2, (1,))) / 2)
        assert found[name, "cross-lingual"] == pytest.approx((chance(2, (1,)) + chance(3, (2, 1))) / 2)
        whole = [(chance(5, (2, 1, 1)) + chance(5, (1,))) / 2, chance(5, (2, 1, 1))]
        assert found[name, "multilingual"] == pytest.approx(np.mean(whole))
    assert chance_levels(run, run.tasks[0], ("map",)) == tuple(
        one for one in chance_levels(run, run.tasks[0]) if one.measure == "map"
    )


def test_the_base_of_a_training_is_a_level_where_the_run_has_it(run):
    found = {(one.kind, one.setting): one for one in levels(run, "tuned", "graded", ("map",))}
    base = found["base", "monolingual"]
    of_base = run.settings.filter((pl.col("model") == "base") & (pl.col("setting") == "monolingual"))
    assert (base.name, base.value) == ("base", of_base["map"].item())
    assert not [one for one in levels(run, "base", "graded") if one.kind == "base"]


def test_printed_results_are_levels_of_exactly_the_same_pools():
    pools = _POOL_SIZES["XQuAD-R"]
    about = {"name": "xquad-r", "n_queries": dict.fromkeys(pools, 1190), "pool_sizes": pools}
    found = printed(convert(about, TaskInfo))
    assert {(one.measure, one.setting) for one in found} >= {("map", "monolingual"), ("map", "multilingual")}
    (hybrid,) = (
        one for one in found if (one.name, one.measure, one.setting) == ("XLM-R hybrid", "map", "cross-lingual")
    )
    assert (hybrid.value, hybrid.source) == (0.7053, "arXiv 2408.10536, table 3")
    assert printed(convert({**about, "pool_sizes": {**pools, "th": 851}}, TaskInfo)) == ()
