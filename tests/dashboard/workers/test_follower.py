"""Following a run: what is handed over, when, and what of a writer that dies or a file that cannot be read."""

import json
import subprocess
import sys
import time

import polars as pl
import pytest
from dashboard.idle import PATIENCE

from xlbias.dashboard.views.status import progress_line
from xlbias.dashboard.workers.follower import INTERVAL, Follower
from xlbias.dashboard.workers.pace import Pace
from xlbias.dashboard.workers.snapshot import Broken, Snapshot, Waiting, take_snapshot
from xlbias.runs import run_file
from xlbias.runs.run_file import Progress

WRITER = """
import sys, time
from pathlib import Path
from xlbias.runs.journal import Journal
journal = Journal.open(Path(sys.argv[1]), {"models": [], "tasks": []}, identity="x")
journal.progress("a phase", 1, 10, "queries", force=True)
print("ready", flush=True)
time.sleep(600)
"""


class Seen:
    """What a follower hands over."""

    def __init__(self, path, interval=0.02):
        self.events = []
        self.follower = Follower(path, interval)
        self.follower.attach(self.events.append)

    def __enter__(self):
        self.follower.start()
        return self

    def __exit__(self, *_):
        self.follower.stop()

    def wait_for(self, condition, seconds=PATIENCE):
        ends = time.monotonic() + seconds
        while time.monotonic() < ends:
            if self.events and condition(self.events[-1]):
                return self.events[-1]
            time.sleep(0.01)
        raise AssertionError(f"not seen; last was {self.events[-1:]}")


def test_a_run_is_followed_from_before_it_exists_to_its_end(live_run, tmp_path):
    path = tmp_path / "run.parquet"
    with Seen(path) as seen:
        assert seen.wait_for(lambda e: isinstance(e, Waiting)).others == ()

        run = live_run(models=("m",), tasks=("t",))
        run.write("de")
        first = seen.wait_for(lambda e: isinstance(e, Snapshot) and len(e.cells) == 5)
        assert first.state.status == "running"
        assert first.overview.row(0, named=True)["n_cells"] == 5

        run.write("hi")
        second = seen.wait_for(lambda e: isinstance(e, Snapshot) and len(e.cells) == 10)
        assert second.newest_since(first) == ("m", "t", "hi", "th")

        run.finish()
        last = seen.wait_for(lambda e: isinstance(e, Snapshot) and e.finished)
        assert last.cells == second.cells
        assert last.matrix("map", "m", "t").values == second.matrix("map", "m", "t").values


def test_the_numbers_are_those_that_the_ranks_give(live_run):
    run = live_run(models=("m",), tasks=("t",)).write_all()
    matrix = take_snapshot(run.path).matrix("map", "m", "t")

    found = {(language, pool): matrix.at(language, pool).value for language in matrix.rows for pool in matrix.columns}
    assert found["de", "de"] == 1.0
    assert found["de", "hi"] == 1 / 2
    assert found["ar", "hi"] == 1 / 4
    assert found["hi", "th"] == 1 / 10
    assert found["ar", "multilingual"] == pytest.approx((1 / 1 + 2 / 4 + 3 / 7 + 4 / 10) / 4)


def test_progress_alone_does_not_compute_the_numbers_again(live_run):
    run = live_run()
    run.write("de")
    first = take_snapshot(run.path)
    run.journal.progress("phase", 3, 10, "queries", force=True)
    second = take_snapshot(run.path, first)
    run.write("hi")
    third = take_snapshot(run.path, second)

    assert second.overview is first.overview
    assert second.state.progress.done == 3
    assert third.overview is not first.overview


@pytest.fixture
def looks(monkeypatch):
    """The looks that followers have taken at the files."""
    taken = []
    look = run_file.state_version
    monkeypatch.setattr(run_file, "state_version", lambda path: (taken.append(path), look(path))[1])
    return taken


def test_nothing_is_handed_over_while_nothing_changes(finished_run, looks):
    with Seen(finished_run) as seen:
        seen.wait_for(lambda e: isinstance(e, Snapshot))
        before = len(looks)
        seen.wait_for(lambda _: len(looks) > before + 5)
        assert len(seen.events) == 1

        seen.follower.reload()
        seen.wait_for(lambda _: len(seen.events) == 2)


def test_what_was_seen_before_there_was_a_sink_is_handed_over_then(finished_run):
    follower = Follower(finished_run, interval=0.02)
    follower.start()
    deadline = time.monotonic() + PATIENCE
    while follower.newest is None:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    events = []
    follower.attach(events.append)
    follower.stop()

    assert [type(event) for event in events] == [Snapshot]


def test_the_live_folder_may_be_named_instead_of_the_run(live_run):
    run = live_run()
    follower = Follower(run.journal.folder)

    assert follower.path == run.path


@pytest.mark.e2e
def test_a_killed_writer_is_recognised_by_its_process_at_the_next_look(tmp_path, looks):
    assert INTERVAL <= 0.5  # seconds: it is said within two of them, however long the machine takes for a look
    path = tmp_path / "run.parquet"
    with subprocess.Popen([sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout.readline() == "ready\n"
        with Seen(path, interval=0.1) as seen:
            seen.wait_for(lambda e: isinstance(e, Snapshot) and e.state.status == "running")
            at = []  # how many looks had been taken when it was said
            seen.follower.attach(lambda e: at.append(len(looks)) if e.state.status == "died" else None)
            writer.kill()
            writer.wait()
            killed = len(looks)
            seen.wait_for(lambda _: at)
            assert at[0] <= killed + 1
            assert seen.follower.newest.state.writer["pid"] == writer.pid


def test_a_writer_on_another_host_is_neither_called_dead_nor_alive(live_run):
    run = live_run()
    writer = run.journal.folder / "writer.json"
    writer.write_text(json.dumps({**json.loads(writer.read_text()), "host": "elsewhere"}))

    assert take_snapshot(run.path).state.status == "elsewhere"


def make_truncated(path, source):
    path.write_bytes(source.read_bytes()[:-100])


def make_damaged(path, source):
    content = bytearray(source.read_bytes())
    content[200:1200:3] = bytes(len(content[200:1200:3]))
    path.write_bytes(content)


def make_newer(path, _):
    pl.DataFrame({"a": [1]}).write_parquet(path, metadata={"xlbias": json.dumps({"schema": 99})})


def make_other(path, _):
    pl.DataFrame({"a": [1]}).write_parquet(path)


def make_columnless(path, _):
    pl.DataFrame({"a": [1]}).write_parquet(path, metadata={"xlbias": json.dumps({"schema": 1})})


def make_nonsense(path, _):
    metadata = {"schema": 1, "models": [3], "tasks": {"a": 1}}
    pl.DataFrame({"a": [1]}).write_parquet(path, metadata={"xlbias": json.dumps(metadata)})


def make_text(path, _):
    path.write_text("not a run")


def make_folder(path, _):
    path.mkdir()


BROKEN = {
    make_truncated: "is truncated",
    make_damaged: "a checksum does not fit",
    make_newer: "newer xlbias",
    make_other: "not a run of xlbias",
    make_columnless: "is damaged: it has no column 'record'",
    make_nonsense: "metadata is damaged",
    make_text: "expected Parquet",
    make_folder: "is a folder",
}


@pytest.mark.parametrize("make", BROKEN, ids=lambda make: make.__name__)
def test_a_broken_run_is_said_in_one_sentence_and_read_again_when_it_is_mended(make, finished_run, tmp_path):
    path = tmp_path / "bad.parquet"
    make(path, finished_run)
    with Seen(path) as seen:
        event = seen.wait_for(lambda e: isinstance(e, Broken))
        assert BROKEN[make] in event.sentence
        assert "\n" not in event.sentence
        assert "Traceback" not in event.sentence

        if path.is_dir():
            path.rmdir()
        path.write_bytes(finished_run.read_bytes())
        seen.wait_for(lambda e: isinstance(e, Snapshot))
        path.unlink()
        seen.wait_for(lambda e: isinstance(e, Waiting))


def test_a_mistyped_name_is_met_with_the_names_that_are_there(finished_run):
    with Seen(finished_run.with_name("rum.parquet")) as seen:
        assert seen.wait_for(lambda e: isinstance(e, Waiting)).others == ("run.parquet",)


def test_a_folder_that_is_not_there_is_waited_for_too(tmp_path):
    with Seen(tmp_path / "later" / "run.parquet") as seen:
        assert seen.wait_for(lambda e: isinstance(e, Waiting)).others is None


def report(at, done, phase="p", total=100):
    return Progress(phase, done, total, "queries", at)


def test_rate_and_time_left_come_from_the_last_half_minute():
    pace = Pace()
    for at in range(100):
        pace = pace.after(report(1000.0 + at, at if at < 60 else 60 + 3 * (at - 60), total=400))

    assert pace.rate == pytest.approx(3.0)
    assert pace.seconds_left(report(1099, 177, total=400)) == pytest.approx((400 - 177) / 3)


def test_a_curve_of_the_speed_stands_before_the_rate(live_run):
    run = live_run(models=("m",), tasks=("t",))
    run.write("de")
    pace = Pace()
    for at, done in ((1000, 0), (1001, 10), (1002, 40), (1004, 80)):
        pace = pace.after(report(at, done))
    assert pace.speeds == [10.0, 30.0, 20.0]
    run.journal.progress("p", 80, 100, "queries", force=True)
    words, _ = progress_line(take_snapshot(run.path), pace, wide=True)
    assert "▁█▅ 20/s" in words
    assert "▁█▅" not in progress_line(take_snapshot(run.path), pace, wide=False)[0]


def test_no_rate_before_two_reports_and_none_carried_into_another_phase():
    pace = Pace().after(report(1000, 0))
    assert pace.rate is None
    assert pace.seconds_left(report(1000, 0)) is None

    pace = pace.after(report(1010, 50))
    assert pace.rate == 5.0
    assert pace.after(report(1010, 50)) == pace
    assert pace.after(report(1011, 1, phase="q")).rate is None
    assert pace.seconds_left(report(1010, 50, total=None)) is None
