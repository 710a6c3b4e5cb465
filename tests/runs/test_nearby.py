"""Runs in a folder and below it, and what they say of themselves before any ranking is read."""

import os

import polars as pl
import pytest
from dashboard.made import LiveRun

from xlbias.runs.heads import read_head, version_of
from xlbias.runs.nearby import Search


@pytest.fixture
def tree(tmp_path):
    """Files of some depth; their content does not matter."""
    for name in ("b.parquet", "a/deep.parquet", "a/b/c/d/deepest.parquet", "a/b/c/d/e/too-deep.parquet", "notes.txt"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    for hidden in (".hidden/x.parquet", "node_modules/x.parquet", "a/.x.parquet"):
        (tmp_path / hidden).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / hidden).touch()
    (tmp_path / "going.parquet.live").mkdir()
    os.mkfifo(tmp_path / "pipe.parquet")
    (tmp_path / "a" / "round").symlink_to(tmp_path, target_is_directory=True)
    return tmp_path


def names(search):
    return [str(path.relative_to(search.folder)) for path in search.paths()]


def test_the_nearest_come_first_and_nothing_hidden_linked_or_too_deep(tree):
    search = Search(tree)
    assert names(search) == ["b.parquet", "going.parquet", "a/deep.parquet", "a/b/c/d/deepest.parquet"]
    assert not search.cut_short


def test_a_search_is_bounded_in_depth_number_and_time(tree):
    assert names(Search(tree, depth=1)) == ["b.parquet", "going.parquet", "a/deep.parquet"]
    few = Search(tree, most=2)
    names(few)
    assert few.cut_short
    ticks = iter(range(100))
    slow = Search(tree, seconds=3, clock=lambda: next(ticks))
    names(slow)
    assert slow.cut_short


def test_what_cannot_be_read_is_passed_over(tmp_path):
    assert names(Search(tmp_path / "none")) == []


def test_the_head_of_a_run_and_why_another_file_has_none(tmp_path):
    run = LiveRun(tmp_path / "run.parquet").write_all()
    live = read_head(run.path)
    assert (live.status, live.encoders, live.tasks, live.live) == (
        "running", ("mono", "hybrid"), ("xquad-r", "mlqa"), True,
    )  # fmt: skip
    before = version_of(run.path)
    run.finish()
    assert version_of(run.path) != before
    done = read_head(run.path)
    assert (done.status, done.size, done.live) == ("finished", run.path.stat().st_size, False)

    pl.DataFrame({"a": [1]}).write_parquet(tmp_path / "data.parquet")
    assert read_head(tmp_path / "data.parquet") is None
    assert read_head(tmp_path / "none.parquet") is None
    (tmp_path / "cut.parquet").write_bytes(run.path.read_bytes()[:-100])
    broken = read_head(tmp_path / "cut.parquet")
    assert broken.status == "broken"
    assert "is truncated" in broken.sentence
    (tmp_path / "empty.parquet").touch()
    assert read_head(tmp_path / "empty.parquet").status == "broken"
