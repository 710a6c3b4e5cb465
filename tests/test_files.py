"""Files appear whole or not at all, and what is no plain file is never replaced."""

import multiprocessing
import os
import stat
import threading
from pathlib import Path

import pytest

from xlbias import files
from xlbias.errors import WriteError
from xlbias.files import check_plain, replacing, replacing_folder, saying, write_new, write_whole


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_write_that_fails_leaves_what_was_there(tmp_path, monkeypatch):
    path = tmp_path / "run.json"
    write_whole(path, b"old")
    monkeypatch.setattr(os, "fsync", lambda _: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    with pytest.raises(WriteError, match=r"run.json: cannot be written: No space left on device"):
        write_whole(path, b"new")
    assert path.read_bytes() == b"old"
    assert names(tmp_path) == ["run.json"]


def leave(path: str, folder: bool) -> None:
    """Begin to write, and end as a killed process does."""
    with (replacing_folder if folder else replacing)(Path(path)) as temporary:
        if folder:
            temporary.mkdir()
        (temporary / "a" if folder else temporary).write_bytes(b"half")
        os._exit(9)


@pytest.mark.parametrize("folder", [False, True])
def test_the_next_write_removes_what_a_killed_process_has_left_and_nothing_else(tmp_path, folder):
    path = tmp_path / "out.html"
    child = multiprocessing.get_context("fork").Process(target=leave, args=(str(path), folder))
    child.start()
    child.join()
    assert len(names(tmp_path)) == 1
    living = tmp_path / f".out.html.{files._host()}-{os.getppid()}-0.tmp"
    elsewhere = tmp_path / f".out.html.{'0' * 8}-{child.pid}-0.tmp"
    other = tmp_path / f".out.html.backup.{files._host()}-{child.pid}-0.tmp"
    for kept in (living, elsewhere, other):
        kept.write_bytes(b"of another")
    earlier = [tmp_path / f".out.html.{child.pid}.{suffix}" for suffix in ("tmp", "part")]
    for gone in earlier:
        gone.write_bytes(b"of an earlier version")
    if folder:
        with replacing_folder(path) as temporary:
            temporary.mkdir()
    else:
        write_whole(path, b"whole")
    assert names(tmp_path) == sorted([living.name, elsewhere.name, other.name, path.name])


def test_a_name_as_long_as_names_may_be_can_be_written(tmp_path):
    path = tmp_path / ("é" * 127)
    child = multiprocessing.get_context("fork").Process(target=leave, args=(str(path), False))
    child.start()
    child.join()
    write_whole(path, b"whole")
    assert names(tmp_path) == [path.name]


def test_a_link_is_written_through(tmp_path):
    (tmp_path / "far").mkdir()
    there, dangling = tmp_path / "there", tmp_path / "dangling"
    (tmp_path / "far" / "report").write_bytes(b"old")
    there.symlink_to("far/report")
    dangling.symlink_to("far/other")
    for link in (there, dangling):
        write_whole(link, b"new")
        assert link.is_symlink()
        assert link.read_bytes() == b"new"
    assert names(tmp_path / "far") == ["other", "report"]


def test_a_pipe_is_written_to(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    read: list[bytes] = []
    reader = threading.Thread(target=lambda: read.append(pipe.read_bytes()))
    reader.start()
    write_whole(pipe, b"x" * 200_000)
    reader.join()
    assert read == [b"x" * 200_000]
    assert stat.S_ISFIFO(pipe.stat().st_mode)


def test_a_device_is_written_to_and_stays_one(tmp_path):
    link = tmp_path / "null"
    link.symlink_to("/dev/null")
    for path in (Path("/dev/null"), link):
        write_whole(path, b"nothing")
    assert stat.S_ISCHR(Path("/dev/null").stat().st_mode)
    assert names(tmp_path) == ["null"]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root makes devices")
@pytest.mark.parametrize("kind", [stat.S_IFCHR, stat.S_IFBLK])
def test_a_device_node_of_one_s_own_is_never_replaced(tmp_path, kind):
    node = tmp_path / "node"
    try:
        os.mknod(node, kind | 0o600, os.makedev(1, 3) if kind == stat.S_IFCHR else os.makedev(1, 0))
    except PermissionError:
        pytest.skip("no devices can be made here")
    if kind == stat.S_IFBLK:
        with pytest.raises(WriteError, match="is a disk; expected the name of a file"):
            write_whole(node, b"x")
    else:
        try:
            write_whole(node, b"x")
        except WriteError as error:
            assert "not permitted" in str(error) or "denied" in str(error).lower()  # a mount without devices
    assert stat.S_IFMT(node.lstat().st_mode) == kind


def test_an_open_file_is_written_on_and_not_cut(tmp_path):
    path = tmp_path / "log"
    with path.open("ab") as file:
        file.write(b"before\n")
        file.flush()
        write_whole(Path(f"/dev/fd/{file.fileno()}"), b"after\n")
    assert path.read_bytes() == b"before\nafter\n"


def test_a_folder_and_a_socket_are_refused(tmp_path):
    import socket

    with pytest.raises(WriteError, match="is a folder; expected the name of a file"):
        write_whole(tmp_path, b"x")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "socket"))
        with pytest.raises(WriteError, match="is a socket; expected the name of a file"):
            write_whole(tmp_path / "socket", b"x")


def test_what_cannot_be_written_through_must_be_a_plain_file(tmp_path):
    check_plain(tmp_path / "free")
    (tmp_path / "link").symlink_to("free")
    with pytest.raises(WriteError, match=r"is a link to .*free: name that file itself"):
        check_plain(tmp_path / "link")
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(WriteError, match="is a pipe; expected the name of a file"):
        check_plain(tmp_path / "pipe")
    with pytest.raises(WriteError, match="is a link"), replacing_folder(tmp_path / "link"):
        pass


@pytest.mark.parametrize("name", ["run-2026-11-25T19:30", "~home", "a*[b]", os.fsdecode(b"caf\xe9")])
def test_any_name_is_a_name(tmp_path, name):
    write_whole(tmp_path / name, b"x")
    assert names(tmp_path) == [name]


def test_a_new_file_never_takes_the_place_of_another(tmp_path):
    write_new(tmp_path / "a", b"first")
    (tmp_path / "dangling").symlink_to("nowhere")
    for name in ("a", "dangling"):
        with pytest.raises(FileExistsError):
            write_new(tmp_path / name, b"second")
    assert (tmp_path / "a").read_bytes() == b"first"
    assert names(tmp_path) == ["a", "dangling"]


def test_a_full_disk_that_a_library_only_words_is_said_with_the_path():
    with (
        pytest.raises(WriteError, match=r"out/model: cannot be written: No space left on device"),
        saying(Path("out/model")),
    ):
        raise RuntimeError("Error while serializing: I/O error: No space left on device (os error 28)")
    with pytest.raises(RuntimeError, match="something else"), saying(Path("out/model")):
        raise RuntimeError("something else")
