"""The matrix: both sides of differences above them on one scale, and colours that mean the same for all encoders."""

import polars as pl
import pytest
from dashboard.made import LANGUAGES, metadata, opened, press, ranking_rows, screen_lines, settled, shows, until

from xlbias.runs.journal import Journal

pytestmark = pytest.mark.integration

N_QUERIES = 12


@pytest.fixture(scope="module")
def content(tmp_path_factory):
    """Two encoders of which the second one ranks every answer that is not first one place higher."""
    path = tmp_path_factory.mktemp("two") / "run.parquet"
    about = metadata(models=("mono", "hybrid"), tasks=("t",), n_queries=N_QUERIES)
    with Journal.open(path, about, identity="x", overwrite=True) as journal:
        for i, model in enumerate(("mono", "hybrid")):
            for j, language in enumerate(LANGUAGES):
                frame = ranking_rows(model, "t", language, n=N_QUERIES)
                if model == "hybrid":
                    better = pl.col("first_rank") - (pl.col("first_rank") > 1).cast(pl.Int64)
                    element = pl.element().struct.with_fields(
                        (pl.field("rank") - (pl.field("rank") > 1).cast(pl.Int64)).alias("rank")
                    )
                    single = pl.col("pool") != "multilingual"
                    frame = frame.with_columns(
                        pl.when(single).then(pl.col("relevants").list.eval(element)).otherwise("relevants"),
                        pl.when(single).then(1 / better).otherwise("ap").alias("ap"),
                        pl.when(single).then(better).otherwise("first_rank").alias("first_rank"),
                        pl.when(single).then(better).otherwise("last_rank").alias("last_rank"),
                    )
                journal.write("ranking", f"{i:03d}-000-{j:05d}", frame)
        return journal.finish().read_bytes()


@pytest.fixture
def run(content, tmp_path):
    path = tmp_path / "run.parquet"
    path.write_bytes(content)
    return path


async def differences(app, pilot):
    await press(pilot, "2")
    app.selection.choose(("hybrid", "t"))
    app.selection.take_baseline("mono")
    await shows(pilot, "hybrid minus mono")
    await settled(pilot)
    return app.view


async def test_differences_have_both_sides_above_them_on_one_scale(run):
    async with opened(run, size=(140, 45)) as (app, pilot):
        screen = await differences(app, pilot)
        await shows(pilot, "── base ", "── new ", "━━ difference ", "both on one scale: all encoders")
        base, new = (screen.query_one(f"#{side}") for side in ("base", "new"))
        assert (base.range.low, base.range.high) == (new.range.low, new.range.high)
        assert (base.range.low, base.range.high) == pytest.approx((0.1, 1.0))
        for row, line in enumerate(screen.matrix.cells):
            for column, cell in enumerate(line):
                assert base.sheet.value(row, column) == cell.base
                assert new.sheet.value(row, column) == cell.new
                assert cell.value == pytest.approx(cell.new - cell.base)
        await press(pilot, "s", "G", "right")
        for side in (base, new):
            assert (side.row_names, side.cursor) == (screen.view.row_names, screen.view.cursor)


@pytest.mark.parametrize("size", [(60, 20), (80, 24), (139, 33), (119, 45)])
async def test_where_there_is_no_room_the_differences_stand_alone(run, size):
    async with opened(run, size=size) as (app, pilot):
        await differences(app, pilot)
        assert "── base " not in "\n".join(screen_lines(app))


async def test_values_are_shown_alone_again(run):
    async with opened(run, size=(140, 45)) as (app, pilot):
        await differences(app, pilot)
        await shows(pilot, "── base ")
        await press(pilot, "B")
        await until(pilot, lambda: "── base " not in "\n".join(screen_lines(app)))


async def test_the_scale_is_that_of_all_encoders_while_one_flips_between_them(run):
    async with opened(run, size=(140, 45)) as (app, pilot):
        await press(pilot, "2")
        app.selection.choose(("hybrid", "t"))
        await until(pilot, lambda: app.view.matrix.model == "hybrid")
        view = app.view.view
        assert min(cell.value for line in app.view.matrix.cells for cell in line) == pytest.approx(1 / 9)
        seen = [(view.range.low, view.range.high)]
        await press(pilot, "T")
        await until(pilot, lambda: app.view.matrix.model == "mono")
        seen.append((view.range.low, view.range.high))
        assert seen == [pytest.approx((0.1, 1.0))] * 2
        await shows(pilot, "all encoders")
        await press(pilot, "T", "c")
        await shows(pilot, "these values alone")
        assert view.range.low == pytest.approx(1 / 9)
        await press(pilot, "c")
        await shows(pilot, "0 to 1")
        assert (view.range.low, view.range.high) == (0.0, 1.0)
        app.session.save(None)
    async with opened(run, size=(140, 45)) as (app, pilot):
        await shows(pilot, "0 to 1")
