"""Differences: two runs or two models of one, equal to what `xlbias compare` says, cell for cell."""

import threading

import numpy as np
import polars as pl
import pytest
from dashboard.idle import PATIENCE
from dashboard.made import LANGUAGES, metadata, opened, press, row_of, screen_lines, settled, shows, until

from xlbias.dashboard.commands.keys import registry
from xlbias.dashboard.workers.comparisons import Asked, Comparisons
from xlbias.dashboard.workers.follower import Follower
from xlbias.results.run import open_run
from xlbias.runs.journal import Journal

pytestmark = pytest.mark.integration

N = 30
POOLS = (*LANGUAGES, "multilingual")


def random_run(path, models, *, tasks=("t",), seed=0):
    """A finished run whose models differ: each ranks the one answer better by its number, by chance more or less."""
    about = metadata(models=models, tasks=tasks)
    for task in about["tasks"]:
        task |= {"n_ids": N, "n_queries": dict.fromkeys(LANGUAGES, N)}
    rng = np.random.default_rng(seed)
    with Journal.open(path, about, identity="test", overwrite=True) as journal:
        for m, model in enumerate(models):
            for t, task in enumerate(tasks):
                rows = []
                for number in range(N):
                    for ql in LANGUAGES:
                        ranks = {pool: int(rng.integers(1, 40 // (1 + 3 * m))) + (pool == "th") for pool in LANGUAGES}
                        rows += [row_of(model, task, number, ql, pool, {pool: ranks[pool]}) for pool in LANGUAGES]
                        spread = {language: 4 * rank + i for i, (language, rank) in enumerate(ranks.items())}
                        rows.append(row_of(model, task, number, ql, "multilingual", spread))
                frame = pl.DataFrame(rows, infer_schema_length=None)
                journal.write("ranking", f"{m:03d}-{t:03d}-00000", frame)
        return journal.finish()


@pytest.fixture(scope="module")
def two_models(tmp_path_factory):
    return random_run(tmp_path_factory.mktemp("run") / "run.parquet", ("mono", "hybrid"))


@pytest.fixture(scope="module")
def two_runs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs")
    return random_run(folder / "base.parquet", ("old",)), random_run(folder / "new.parquet", ("new",), seed=1)


async def ready(pilot, app):
    await until(pilot, lambda: app.view.matrix is not None and app.view.matrix.differs)
    await settled(pilot)


def assert_equal(matrix, expected, measure):
    """Every number and mark of a matrix is that of the comparison."""
    cells = expected.filter((pl.col("measure") == measure) & pl.col("query_language").is_not_null())
    assert cells.height == len(LANGUAGES) * len(POOLS)
    for row in cells.iter_rows(named=True):
        cell = matrix.at(row["query_language"], row["passage_language"] or "multilingual")
        assert (cell.value, cell.low, cell.high, cell.p, cell.n) == tuple(
            row[name] for name in ("difference", "low", "high", "p_corrected", "n_ids")
        )
        assert (cell.base, cell.new) == (row["base"], row["new"])
        assert cell.significant == (row["p_corrected"] < 0.05)


@pytest.mark.parametrize("measure", ["map", "recall@10"])
async def test_two_runs_show_what_compare_says_cell_for_cell(two_runs, measure):
    base, new = two_runs
    expected = open_run(base).compare(open_run(new))
    follower = Follower(base, interval=0.02)
    follower.start()
    async with opened(new, base=follower) as (app, pilot):
        await until(pilot, lambda: app.state.base is not None)
        await press(pilot, "2")
        while app.state.measure.name != measure:
            await press(pilot, "m")
        await ready(pilot, app)
        await until(pilot, lambda: app.view.matrix.measure.name == measure)
        await ready(pilot, app)
        assert_equal(app.view.matrix, expected, measure)
        text = "\n".join(screen_lines(app))
        assert "new minus old of base.parquet" in text
        real = sum(app.view.matrix.n_significant)
        assert f"{real} of {len(LANGUAGES) * len(POOLS)} significant*: +" in text


async def test_a_baseline_of_the_same_run_is_chosen_and_turned_off_and_on(two_models):
    run = open_run(two_models)
    expected = run.compare(run, base="mono", new="hybrid")
    async with opened(two_models, size=(80, 24)) as (app, pilot):
        await press(pilot, "2", "T", "b")
        await pilot.press(*"mono")
        await press(pilot, "enter")
        await ready(pilot, app)
        matrix = app.view.matrix
        assert_equal(matrix, expected, "map")
        assert 0 < sum(matrix.n_significant) < 20

        text = "\n".join(screen_lines(app))
        cell = expected.filter(
            (pl.col("measure") == "map") & (pl.col("query_language") == "ar") & (pl.col("passage_language") == "ar")
        ).row(0, named=True)
        assert f"ar→ar  {cell['difference']:+.3f}".replace("+0.", "+.").replace("-0.", "-.") in text
        assert "n 30 ids" in text
        heatmap = "\n".join(screen_lines(app)[4:]).partition(" in every cell")[0]  # above its legend
        assert heatmap.count("*") == sum(matrix.n_significant)

        await press(pilot, *registry()["baseline.off"].keys)
        assert not app.view.matrix.differs
        await press(pilot, *registry()["baseline.off"].keys)
        assert app.view.matrix.differs
        await press(pilot, "b")
        await pilot.press(*"none:")
        await press(pilot, "enter")
        assert app.baseline.model is None
        assert not app.view.matrix.differs
        await press(pilot, "B")
        assert [n.message for n in app._notifications][-1] == "B: choose a baseline first (b)"


async def test_the_overview_counts_the_significant_cells(two_models):
    run = open_run(two_models)
    cells = run.compare(run, base="mono", new="hybrid").filter(
        (pl.col("measure") == "map") & pl.col("query_language").is_not_null() & (pl.col("p_corrected") < 0.05)
    )
    better, worse = ((cells["difference"] > 0).sum(), (cells["difference"] < 0).sum())
    assert better
    async with opened(two_models, size=(100, 30)) as (app, pilot):
        await press(pilot, "b")
        await pilot.press(*"mono")
        await press(pilot, "enter")
        await shows(pilot, f"+{better} -{worse}")
        assert app.view.table.frame.filter(pl.col("model") == "mono")["significant"].to_list() == [None]


async def test_a_task_that_the_base_has_not_is_said(tmp_path, two_runs):
    other = random_run(tmp_path / "other.parquet", ("new",), tasks=("u",))
    follower = Follower(two_runs[0], interval=0.02)
    follower.start()
    async with opened(other, base=follower) as (app, pilot):
        await until(pilot, lambda: app.state.base is not None)
        await shows(pilot, "base.parquet has none of the tasks of this run")
        await press(pilot, "2")
        await shows(pilot, "old of base.parquet has not been evaluated on u")


async def test_a_base_that_is_not_there_is_said_and_the_run_is_shown(tmp_path, two_runs):
    follower = Follower(tmp_path / "gone.parquet", interval=0.02)
    follower.start()
    async with opened(two_runs[1], base=follower) as (app, pilot):
        await shows(pilot, "No differences: gone.parquet is not there")
        await press(pilot, "2")
        assert app.view.matrix is not None


async def test_a_measure_without_a_test_says_so(two_models):
    async with opened(two_models) as (app, pilot):
        await press(pilot, "2", "T", "b")
        await pilot.press(*"mono")
        await press(pilot, "enter")
        await ready(pilot, app)
        while app.state.measure.name != "rank_distance.median":
            await press(pilot, "m")
        await shows(pilot, "no differences: this measure is not a mean")


def test_the_newest_wish_is_computed_first_and_nothing_after_stop(two_models, monkeypatch):
    run = open_run(two_models)
    done = []
    compared = "xlbias.dashboard.workers.comparisons.compared"
    monkeypatch.setattr(compared, lambda asked: done.append(asked.measure) or "x")
    ready = threading.Semaphore(0)
    comparisons = Comparisons(ready.release)
    asked = {m: Asked(run, "mono", run, "hybrid", "t", m) for m in ("map", "rr", "recall@1")}
    with comparisons._change:  # the thread begins only when all three wait
        for one in asked.values():
            comparisons.of(one)
    assert all(ready.acquire(timeout=PATIENCE) for _ in asked)
    assert done[0] == "recall@1"
    assert comparisons.of(asked["map"]) == "x"
    comparisons.stop()
    assert comparisons.of(Asked(run, "mono", run, "hybrid", "t", "ndcg@10")) is None
    assert len(done) == 3
