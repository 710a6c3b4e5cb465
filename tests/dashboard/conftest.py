"""Fixtures of the dashboard's tests."""

import threading
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from dashboard.idle import gate, wait_for_idle
from dashboard.made import LiveRun, opened
from dashboard.taking import Taker
from textual.css.model import RuleSet
from textual.css.stylesheet import Stylesheet
from textual.notifications import Notification

from xlbias.results.run import open_run


@pytest.fixture
def live_run(tmp_path: Path) -> Iterator[Callable[..., LiveRun]]:
    """Begin live runs; their journals are closed at the end."""
    runs: list[LiveRun] = []

    def begin(name: str = "run.parquet", **about) -> LiveRun:
        runs.append(LiveRun(tmp_path / name, **about))
        return runs[-1]

    yield begin
    for run in runs:
        run.journal.close()


@pytest.fixture(scope="session")
def finished_content(tmp_path_factory) -> bytes:
    """A finished run of two models on two tasks, as the bytes of its file."""
    return LiveRun(tmp_path_factory.mktemp("finished") / "run.parquet").write_all().finish().read_bytes()


@pytest.fixture
def finished_run(finished_content, tmp_path) -> Path:
    """A finished run of two models on two tasks, in a folder of the test's own."""
    path = tmp_path / "run.parquet"
    path.write_bytes(finished_content)
    return path


@pytest.fixture(scope="session", autouse=True)
def style_sheets_are_read_once() -> Iterator[None]:
    """Each application reads the same ones, which is a tenth of the time that it takes to open."""
    read = Stylesheet._parse_rules
    known: dict[tuple[object, ...], list[RuleSet]] = {}

    def remembered(sheet: Stylesheet, *arguments: Any, **named: Any) -> list[RuleSet]:
        key = (arguments, *named.items(), *sheet._variables.items())
        if key not in known:
            known[key] = read(sheet, *arguments, **named)
        return known[key]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Stylesheet, "_parse_rules", remembered)
        yield


@pytest.fixture(autouse=True)
def quiet_environment(tmp_path_factory, monkeypatch) -> None:
    """The same colours everywhere, folders of the test's own, and keys that wait for what they do."""
    for module in ("app", "pilot"):
        monkeypatch.setattr(f"textual.{module}.wait_for_idle", wait_for_idle)
    monkeypatch.setattr(Notification, "has_expired", False)  # what was said is asserted, however late that is
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setattr("textual.constants.COLOR_SYSTEM", "truecolor")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path_factory.mktemp("state")))
    monkeypatch.setenv("XLBIAS_CACHE", str(tmp_path_factory.mktemp("cache")))


@pytest.fixture
def says() -> None:
    """For tests of what a run says: it is worked out, as in use."""


@pytest.fixture(autouse=True)
def says_nothing(request, monkeypatch) -> None:
    """All other tests do without: it takes a third of a second to work out."""
    if "says" not in request.fixturenames:
        monkeypatch.setattr("xlbias.dashboard.workers.findings.FindingsWorker.of", lambda *_: ())


@pytest.fixture
def go() -> Iterator[threading.Event]:
    """What a test lets workers wait for, to look at the screen in the meantime."""
    with gate() as event:
        yield event


@pytest.fixture(scope="session")
def measured_content(tmp_path_factory) -> bytes:
    """The same, whose every number has an interval: 0.05 to either side."""
    run = LiveRun(tmp_path_factory.mktemp("measured") / "run.parquet").write_all()
    summary = open_run(run.path).summary.with_columns(low=pl.col("value") - 0.05, high=pl.col("value") + 0.05)
    for i, (_, part) in enumerate(summary.group_by("model", "task", maintain_order=True)):
        run.journal.write("summary", f"{i:03d}", part)
    return run.finish().read_bytes()


@pytest.fixture
async def taker(measured_content, tmp_path) -> AsyncIterator[Taker]:
    """The dashboard on such a run at 80 × 24."""
    path = tmp_path / "run.parquet"
    path.write_bytes(measured_content)
    async with opened(path, size=(80, 24)) as (app, pilot):
        yield Taker(app, pilot)
