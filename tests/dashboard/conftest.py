"""Fixtures of the dashboard's tests."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from dashboard.made import LiveRun


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


@pytest.fixture(autouse=True)
def quiet_environment(tmp_path_factory, monkeypatch) -> None:
    """The same colours everywhere, and a state folder of the test's own."""
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setattr("textual.constants.COLOR_SYSTEM", "truecolor")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path_factory.mktemp("state")))
