"""Runs whose queries all differ, and the screen that lists them."""

from contextlib import asynccontextmanager
from pathlib import Path

import polars as pl
from dashboard.made import LANGUAGES, N_QUERIES, LiveRun, opened, press, ranking_rows, settled, until

from xlbias.dashboard import places
from xlbias.results.run import open_run

KEY = ("query_id", "query_language", "pool")


def write_texts(run: LiveRun, texts=None) -> None:
    """Give every query a text."""
    texts = texts or {}
    rows = [
        {"query_id": f"q{i}", "language": language, "text": texts.get((i, language), f"text {i} {language}"),
         "task": task["name"], "domain": "test"}
        for task in run.about["tasks"] for i in range(run.n_queries) for language in run.languages
    ]  # fmt: skip
    run.journal.write("query", "000", pl.DataFrame(rows))


def varied(model: str, task: str, language: str, shift: int = 0, n: int = N_QUERIES) -> pl.DataFrame:
    """Return rows of one relevant passage each, at ranks that differ."""
    rows = ranking_rows(model, task, language, n=n).to_dicts()
    for i, row in enumerate(rows):
        rank = i * 7 % 23 + 1 + LANGUAGES.index(language) + shift
        row["relevants"] = [{**row["relevants"][0], "rank": rank}]
        row.update(n_relevant=1, ap=1 / rank, first_rank=rank, last_rank=rank)
    return pl.DataFrame(rows, infer_schema_length=None)


def varied_content(run: LiveRun) -> Path:
    """Two models on one task whose queries all differ, with texts; the second is worse by two ranks."""
    write_texts(run, {(2, "hi"): "Война и мир", (3, "de"): "Straße"})
    for model, name in enumerate(("mono", "hybrid")):
        for number, language in enumerate(LANGUAGES):
            rows = varied(name, "xquad-r", language, 2 * model, run.n_queries)
            run.journal.write("ranking", f"{model:03d}-000-{number:05d}", rows)
    return run.finish()


@asynccontextmanager
async def queries_of(path, filter="", size=(80, 24), **options):
    """The screen of queries, once it shows what a filter leaves."""
    async with opened(path, size=size, **options) as (app, pilot):
        app.navigation.open_queries(filter)
        await listed(app, pilot)
        yield app, pilot, app.get_screen(places.QUERIES)


async def listed(app, pilot):
    """Wait until the screen shows what was asked for."""
    screen = app.get_screen(places.QUERIES)
    await until(pilot, lambda: screen.is_mounted and screen.listing is not None and not screen.reading)
    await settled(pilot)


async def typed(app, pilot, text):
    """Type a filter and wait for what it leaves."""
    await press(pilot, "slash", "ctrl+u")
    app.screen.query_one("Entry").value = text
    await press(pilot, "enter")
    await listed(app, pilot)


def keys_of(screen):
    return screen.table.frame.select(KEY).rows()


def raw(path, model="mono"):
    return open_run(path).rankings.filter(pl.col("model") == model).collect().to_dicts()
