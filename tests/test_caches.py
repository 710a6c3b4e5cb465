"""Checksummed caches: what is not whole, or was made for something else, is not there; and only two modules write."""

import ast
import os
from pathlib import Path

import pytest

import xlbias
from xlbias.caches import read_checked, try_to_keep, write_checked
from xlbias.errors import WriteError

PACKAGE = Path(xlbias.__file__).parent
CONTENT = bytes(range(256)) * 3


@pytest.fixture
def path(tmp_path):
    write_checked(tmp_path / "new" / "kept", CONTENT, "made for this")
    return tmp_path / "new" / "kept"


def test_what_was_kept_is_found_for_what_it_was_made_for_only(path):
    assert read_checked(path, "made for this") == CONTENT
    assert read_checked(path, "made for that") is None
    assert read_checked(path.with_name("other"), "made for this") is None
    write_checked(path, b"", "made for this")
    assert read_checked(path, "made for this") == b""


@pytest.mark.parametrize("at", [0, 1, 767, 768, 799])
def test_any_flipped_bit_and_any_cut_is_a_miss(path, at):
    whole = path.read_bytes()
    path.write_bytes(whole[:at] + bytes([whole[at] ^ 16]) + whole[at + 1 :])
    assert read_checked(path, "made for this") is None
    path.write_bytes(whole[:at])
    assert read_checked(path, "made for this") is None


def test_a_pipe_is_neither_read_nor_written(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    assert read_checked(tmp_path / "pipe", "made for this") is None
    with pytest.raises(WriteError, match=r"pipe: is not a file, so nothing is kept there"):
        write_checked(tmp_path / "pipe", CONTENT, "made for this")
    try_to_keep(tmp_path / "pipe", CONTENT, "made for this")


def test_where_nothing_can_be_kept_trying_is_no_error(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(WriteError, match=r"file: cannot be made: "):
        write_checked(tmp_path / "file" / "kept", CONTENT, "made for this")
    try_to_keep(tmp_path / "file" / "kept", CONTENT, "made for this")


# -- nobody else writes ------------------------------------------------------------------------------------------------

ALLOWED = {
    "files.py": "the one way",
    "caches.py": "opens for reading, without waiting for a pipe",
    "cli/check.py": "/dev/null takes the place of an output whose reader has gone",
    "cli/shells.py": "a line more at the end of the user's own start file, which stays what it is",
    "dashboard/launch.py": "the terminal is no file",
    "data/formats/reading.py": "texts that are not held, into a temporary file without a name",
    "data/public/unpack.py": "copies into a file that is open to be written whole",
    "encode/ragged.py": "into memory",
    "encode/vector_file.py": "vectors block by block, each with a checksum once it is whole",
    "folders.py": "a file that is made to see its mode",
    "train/trainer/saved_encoder.py": "libraries write into a folder that is not in its place yet",
    "train/trainer/checkpoints.py": "the same, of several processes",
    "train/trainer/lora.py": "its tensors, into a checkpoint that is not in its place yet",
    "train/trainer/resume_state.py": "its tensors",
}
NAMES = {
    "write_text", "write_bytes", "touch", "fsync", "mkfifo", "symlink_to", "hardlink_to", "save_file", "savez",
    "save_pretrained", "save_to_json", "tofile", "copyfile", "copyfileobj", "copytree", "copy2", "flock", "mkstemp",
    "NamedTemporaryFile",
}  # fmt: skip
PATHS = {"temporary", "path", "folder", "file", "other"}
OF_OS = {"open", "replace", "rename", "link", "symlink", "truncate"}


def writes(source):
    """Yield the line and the name of every call that writes a file by itself."""
    for call in (node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)):
        name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
        owner = getattr(call.func, "value", None)
        owner = owner.id if isinstance(owner, ast.Name) else None
        of_os = (owner == "os" and name in OF_OS) or (owner == "shutil" and name in {"move", "copy"})
        if name in NAMES or of_os:
            yield call.lineno, name
        elif name in {"write_csv", "write_parquet"} and call.args:
            if isinstance(call.args[0], ast.BinOp) or getattr(call.args[0], "id", "") in PATHS:
                yield call.lineno, name
        elif name == "open" and owner not in {"Journal", "gzip", "bz2", "lzma"}:
            modes = [*call.args[:2], *(one.value for one in call.keywords if one.arg == "mode")]
            text = [one.value for one in modes if isinstance(one, ast.Constant) and isinstance(one.value, str)]
            if any(set(mode) & set("wax+") and len(mode) <= 3 for mode in text):
                yield call.lineno, name
        elif name in {"rename", "replace"} and len(call.args) == 1 and not call.keywords:  # of a path, not of a text
            divided = isinstance(call.args[0], ast.BinOp) and isinstance(call.args[0].op, ast.Div)
            if divided or owner in PATHS:
                yield call.lineno, name


def test_files_are_written_in_one_place():
    found = {
        str(path.relative_to(PACKAGE)): [f"{path.relative_to(PACKAGE)}:{line}: {name}" for line, name in some]
        for path in PACKAGE.rglob("*.py")
        if (some := list(writes(path.read_text("utf-8"))))
    }
    assert [line for name, lines in sorted(found.items()) if name not in ALLOWED for line in lines] == []
    assert set(ALLOWED) == set(found)  # no exception that is not needed any more


@pytest.mark.parametrize(
    "code",
    [
        "open(name, 'w')", "path.open('ab')", "path.open(mode='r+b')", "path.write_text(text)", "os.replace(a, b)",
        "temporary.rename(folder)", "path.replace(other)", "os.open(name, flags)", "fcntl.flock(file, how)",
    ],
)  # fmt: skip
def test_what_writes_is_seen(code):
    assert list(writes(code))


@pytest.mark.parametrize(
    "code",
    ["open(name)", "path.open('rb')", "text.replace('a', 'b')", "frame.rename({'a': 'b'})", "replace(self, a=1)"],
)
def test_what_writes_nothing_is_not(code):
    assert not list(writes(code))
