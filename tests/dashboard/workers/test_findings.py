"""Findings in a thread: those of a run that was left are given up, and what is looked at comes next."""

import threading

import pytest
from dashboard.idle import PATIENCE
from dashboard.made import LiveRun

from xlbias.dashboard.workers.findings import FindingsWorker
from xlbias.dashboard.workers.snapshot import take_snapshot
from xlbias.results.findings import findings
from xlbias.results.run import open_run

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("says")]


class Looking:
    """Somebody who leaves a run when its first findings are there, for the next one, or for none and comes back."""

    def __init__(self, *runs):
        self.runs, self.told = list(runs), 0
        self.over = threading.Event()
        self.found = None
        self.worker = FindingsWorker(self._ready)

    def look(self):
        self._ask()
        assert self.over.wait(PATIENCE)
        return self.found

    def _ask(self):
        self.found = self.worker.of(*self.runs[0])

    def _ready(self):
        """Called in the thread, as the application is told there."""
        self.told += 1
        if self.told == 1:
            assert self.worker.comparing
            if len(self.runs) > 1:
                self.runs.pop(0)
            else:
                self.worker.give_up()
                assert not self.worker.comparing
                return
        self._ask()
        if self.found is not None and not self.worker.comparing:
            self.over.set()


@pytest.fixture(scope="module")
def two(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs")
    return [LiveRun(folder / name, tasks=("xquad-r",), n_queries=12).write_all().finish()
            for name in ("old.parquet", "new.parquet")]  # fmt: skip


@pytest.fixture
def compared(monkeypatch):
    """The runs whose encoders have been compared: what takes longest."""
    from xlbias.results.findings import context

    seen, real = [], context.compare_sided

    def compare(base, new, *more):
        found = real(base, new, *more)
        seen.append(new.side.run.path)
        return found

    monkeypatch.setattr(context, "compare_sided", compare)
    monkeypatch.setattr(context.ResultCache, "load", lambda _: None)
    return seen


def test_the_findings_of_a_run_that_was_left_are_given_up_for_those_of_the_next(two, compared):
    old, new = (take_snapshot(path) for path in two)
    assert Looking((old, None), (new, None)).look() == findings(open_run(two[1]))
    assert old.run.path not in compared
    assert old.cache == {}  # what was known of it is not all


def test_another_baseline_is_another_question(two, compared):
    old, new = (take_snapshot(path) for path in two)
    assert Looking((new, None), (new, old)).look() == findings(open_run(two[1]), open_run(two[0]))
    assert Looking((new, None)).worker.of(new, None) is None  # the first one is worked out when it is asked again


def test_a_run_that_is_left_and_opened_again_is_worked_out_anew(two):
    assert Looking((take_snapshot(two[0]), None)).look() == findings(open_run(two[0]))
