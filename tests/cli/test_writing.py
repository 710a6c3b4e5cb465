"""Where a command writes to: what is no plain file is written through or refused, and never replaced."""

import os
import stat
import threading

import pytest
from support import make_task, make_vectors

from xlbias.cli import run
from xlbias.evaluation import evaluate

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    task = make_task(4)
    return evaluate(make_vectors(task), task, tmp_path_factory.mktemp("run") / "run-2026-11-25T19:30.parquet").path


def test_a_report_goes_into_a_pipe_a_device_and_through_a_link(finished, tmp_path):
    pipe, link = tmp_path / "pipe", tmp_path / "link"
    os.mkfifo(pipe)
    link.symlink_to("report.md")
    read: list[bytes] = []
    reader = threading.Thread(target=lambda: read.append(pipe.read_bytes()))
    reader.start()
    for out in (pipe, link, "/dev/null"):
        assert run(["report", str(finished), "--format", "markdown", "--out", str(out)]) == 0
    reader.join()
    assert stat.S_ISFIFO(pipe.lstat().st_mode)
    assert link.is_symlink()
    assert read == [(tmp_path / "report.md").read_bytes()] != [b""]
    assert stat.S_ISCHR(os.stat("/dev/null").st_mode)  # noqa: PTH116
    assert sorted(path.name for path in tmp_path.iterdir()) == ["link", "pipe", "report.md"]


def test_a_folder_is_no_file_to_write(tmp_path, capsys):
    assert run(["data", "convert", "builtin:money", str(tmp_path), "--force"]) == 2
    assert "is a folder" in capsys.readouterr().err


@pytest.mark.parametrize("options", [["--overwrite"], ["--resume"], []])
@pytest.mark.parametrize("kind", ["pipe", "link", "device"])
def test_a_run_is_refused_there_before_any_work(finished, tmp_path, capsys, options, kind):
    out = tmp_path / "out"
    if kind == "pipe":
        os.mkfifo(out)
    elif kind == "link":
        out.symlink_to(finished)
    else:
        out = "/dev/null"
    before = finished.read_bytes()
    assert run(["evaluate", "no such encoder", *options, "--out", str(out)]) == 2
    assert f"is a {kind}" in capsys.readouterr().err
    assert finished.read_bytes() == before
