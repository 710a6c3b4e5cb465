"""Walks of somebody who has never seen the dashboard: what they want to know, in how many keys, at 80×24.

The run has an encoder that keeps to one language, and one that does not: what is to be found is planted.
"""

import re
import zlib

import numpy as np
import polars as pl
import pytest
from dashboard.made import press, settled, shows, text_on, until
from dashboard.screens.test_picker import picking

from xlbias.dashboard import places
from xlbias.data.task import RetrievalTask
from xlbias.evaluation import evaluate
from xlbias.folders import state_folder

pytestmark = pytest.mark.integration

LANGUAGES = ("de", "en", "th")


def drawn(*words):
    return np.random.default_rng(zlib.crc32(" ".join(words).encode())).standard_normal(24)


class Planted:
    """An encoder that sees what is asked, its language as much as is said, and noise, most of it in Thai."""

    dimension, similarity = 24, "cosine"

    def __init__(self, name, own):
        self.name, self.fingerprint, self.own = name, f"{name}-1", own
        self.card = {"sampler": name, "seed": 0, "base": "static", "sources": [{"name": "somewhere"}]}

    def encode(self, texts, kind):
        return np.array([self.vector(*text.split()) for text in texts], np.float32)

    def vector(self, side, about, language):
        noise = 3.0 if language == "th" and side == "q" else 0.7
        return drawn(about) + noise * drawn(self.name, side, about, language) + self.own * drawn(language)


def task(n_ids=24):
    ids = [f"i{number:03d}" for number in range(n_ids)]
    pairs = [(one, language) for one in ids for language in LANGUAGES]
    return RetrievalTask(
        "home", "home", "made by the test", "none",
        pl.DataFrame([(i, tag, f"q {i} {tag}") for i, tag in pairs], ["query_id", "language", "text"], orient="row"),
        pl.DataFrame([(f"{tag}-{i}", tag, f"p {i} {tag}") for i, tag in pairs], ["passage_id", "language", "text"],
                     orient="row"),
        pl.DataFrame([(i, f"{tag}-{i}", 1) for i, tag in pairs], ["query_id", "passage_id", "relevance"], orient="row"),
    )  # fmt: skip


@pytest.fixture(scope="module")
def content(tmp_path_factory):
    path = tmp_path_factory.mktemp("walks") / "run.parquet"
    evaluate([Planted("mono", 4.0), Planted("hybrid", 0.3)], [task()], path)
    return path.read_bytes()


@pytest.fixture
def folder(tmp_path, content, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("first.parquet", "second.parquet"):
        (tmp_path / name).write_bytes(content)
    return tmp_path


@pytest.fixture
async def walking(folder, says):
    """Begins in the picker, as `xlbias` alone does."""
    async with picking(folder) as (app, pilot):
        yield app, pilot


async def test_which_is_better_and_for_whom_it_is_worst_is_read_without_a_key(walking):
    app, pilot = walking
    await press(pilot, "enter")  # the run
    await shows(pilot, "For whom?", "Real?", "significantly better")
    text = " ".join(text_on(app).split())
    assert "hybrid against mono: mAP" in text  # is the gain real: 0 keys
    assert "cells significantly better" in text
    assert "th" in text.partition("For whom?")[2].partition("have lower mAP")[0]  # for whom is it worst: 0 keys
    table = [line for line in text_on(app).splitlines() if re.match(r"[▸ ] +\.\d{3} ", line)]
    assert sum(line.rstrip().endswith(("home", "home…")) for line in table) == 2


async def test_where_a_gain_is_real_in_two_keys(walking):
    app, pilot = walking
    await press(pilot, "enter")
    await shows(pilot, "significantly better")
    await press(pilot, "tab")
    while app.view.findings.chosen.kind != "difference":
        await press(pilot, "down")
    await press(pilot, "enter")
    assert app.place == places.MATRIX
    await until(pilot, lambda: app.view.matrix is not None and app.view.matrix.differs)
    await settled(pilot)
    assert app.view.matrix.against == "mono"


async def test_for_whom_leads_to_the_cell_in_two_keys(walking):
    app, pilot = walking
    await press(pilot, "enter")
    await shows(pilot, "For whom?")
    await press(pilot, "tab", "enter")
    assert app.place == places.MATRIX
    assert "th" in app.view.view.cursor


async def test_two_runs_are_compared_from_the_picker_in_three_keys(walking):
    app, pilot = walking
    await press(pilot, "space", "space", "enter")
    await until(pilot, lambda: app.state.base is not None)
    await shows(pilot, "against", "Real?")
    assert {app.state.path.name, app.state.base_path.name} == {"first.parquet", "second.parquet"}


async def test_from_a_run_to_another_one_in_two_keys(walking):
    app, pilot = walking
    await press(pilot, "enter")
    await shows(pilot, "Real?")
    before = app.state.path
    await press(pilot, "escape")
    await press(pilot, "down" if app.view.table.cursor == 0 else "up", "enter")
    await shows(pilot, "Real?")
    assert app.state.path != before


async def test_a_figure_for_a_paper_takes_two_keys_from_the_matrix(walking):
    _, pilot = walking
    await press(pilot, "enter")
    await shows(pilot, "Real?")
    await press(pilot, "2", "y", "l")
    await until(pilot, lambda: list(state_folder().glob("*.tex")))
    (copy,) = state_folder().glob("*.tex")
    assert "\\toprule" in copy.read_text("utf-8")
