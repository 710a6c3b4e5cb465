"""Writing files whole: what is at a path is always either as it was or complete, also after a kill or a power cut.

Every writer of xlbias goes through here. A file is written under a temporary name in its folder and renamed; the name
tells host and process, so that the next write of the same file removes what a killed one has left. What is no plain
file is never replaced: a link is followed, a terminal, a pipe and ``/dev/null`` are written to, all else is refused.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import socket
import stat
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from itertools import count
from pathlib import Path
from typing import IO

from xlbias.errors import WriteError

_LONGEST = 120  # bytes of a name that a temporary one repeats: a name has 255 at most
_MOST_LINKS = 40
_DESCRIPTOR = re.compile(r"(?:/dev/fd|/proc/(?:self|thread-self|\d+)/fd)/(\d+)")
_STANDARD = {"/dev/stdin": 0, "/dev/stdout": 1, "/dev/stderr": 2}

_IN_RUST = re.compile(r"\(os error (\d+)\)")

_numbers = count()


def write_whole(path: Path, content: bytes, *, durable: bool = True) -> None:
    """Write `content` to `path`: all of it or nothing, and to a device, a pipe or the target of a link through it.

    `durable` waits until it is on the disk; without, a power cut may lose it. Raises WriteError, and leaves what was
    there, if it cannot be written.
    """
    with replacing(path, durable=durable) as temporary, temporary.open("wb") as file:
        file.write(content)


@contextmanager
def replacing(path: Path, *, durable: bool = True) -> Iterator[Path]:
    """Give a path to write a file to, which becomes `path` when the block ends well, and is removed if not.

    It is beside the file that it becomes. Where `path` is a device or a pipe, what was written is copied to it.
    Raises WriteError if `path` is something that no file can be written to, or if writing fails.
    """
    if is_stream(path):
        with _streaming(path) as temporary:
            yield temporary
        return
    target = _target(path)
    with _removed_afterwards(target) as temporary, saying(path):
        yield temporary
        if durable:
            sync(temporary)
        temporary.replace(target)
        if durable:
            sync(target.parent)


@contextmanager
def replacing_folder(path: Path) -> Iterator[Path]:
    """Give a path to make a folder at, which takes the place of the folder `path` when the block ends well.

    Raises WriteError if `path` is a link or no folder, or if it cannot be written.
    """
    check_plain(path, folder=True)
    with _removed_afterwards(path) as temporary, _removed_afterwards(path) as old, saying(path):
        yield temporary
        if path.exists():
            path.rename(old)
        try:
            temporary.rename(path)
        except OSError:
            if old.exists():
                old.rename(path)
            raise


@contextmanager
def writing(path: Path) -> Iterator[IO[bytes]]:
    """Give a file, open for reading and writing, that becomes `path` as with `replacing`."""
    with replacing(path) as temporary, open_inside(temporary) as file:
        yield file


def open_inside(path: Path) -> IO[bytes]:
    """Open a file for reading and writing that `replacing` gave, or in a folder that `replacing_folder` gave."""
    return path.open("w+b")


def write_inside(path: Path, content: bytes) -> None:
    """Write a file into a folder that is not in its place yet: `replacing_folder` puts all of it there, or nothing."""
    path.write_bytes(content)


def append_alone(path: Path) -> IO[bytes] | None:
    """Open a file to append to, None where another process has it; raises OSError where it cannot be opened.

    The lock is that of the open file, which processes inherit: it ends with the last one that has it.
    """
    import fcntl

    file = path.open("ab")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        return None
    except OSError:
        file.close()
        raise
    return file


def digest_of_file(path: Path) -> str:
    """Return the SHA-256 of a file, in hexadecimal digits. Raises OSError where it cannot be read."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_new(path: Path, content: bytes) -> None:
    """Write `content` to a file that is not there yet. Raises FileExistsError if it is, OSError if it cannot be."""
    _remove_leftovers(path)
    temporary = _temporary(path)
    try:
        with temporary.open("xb") as file:
            file.write(content)
        try:
            os.link(temporary, path, follow_symlinks=False)  # unlike a rename, refuses to replace
        except FileExistsError:
            raise
        except OSError:  # a file system without hard links
            if os.path.lexists(path):
                raise FileExistsError(f"{path}: is there already") from None
            temporary.rename(path)
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


def make_folder(path: Path) -> None:
    """Make a folder and those above it, where they are not there yet. Raises WriteError where that cannot be done."""
    with saying(path):
        path.mkdir(parents=True, exist_ok=True)


def check_parent(path: Path) -> None:
    """Raise WriteError unless the folder is there that a file at `path` would be in."""
    if not path.parent.is_dir():
        raise _nowhere(path)


def check_plain(path: Path, *, folder: bool = False) -> None:
    """Raise WriteError unless `path` is free, or a plain file (a `folder`): for what cannot be written through.

    The folder that a file is in must be there; those above a folder are made.
    """
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        if not folder:
            check_parent(path)
        return
    except OSError as error:
        raise _cannot(path, error) from error
    wanted = "folder" if folder else "file"
    if stat.S_ISLNK(mode):
        raise WriteError(f"{path}: is a link to {os.path.realpath(path)}: name that {wanted} itself")
    if not (stat.S_ISDIR(mode) if folder else stat.S_ISREG(mode)):
        raise WriteError(f"{path}: is {kind_of(mode)}; expected the name of a {wanted}")


def is_stream(path: Path) -> bool:
    """Whether `path` is, or leads to, what takes a stream: a pipe, a terminal, ``/dev/null``, ``/dev/stdout``."""
    if _descriptor(path) is not None:
        return True
    try:
        mode = path.stat().st_mode
    except OSError:
        return False
    return stat.S_ISFIFO(mode) or stat.S_ISCHR(mode)


@contextmanager
def saying(path: Path) -> Iterator[None]:
    """Turn an OSError of the block into a WriteError that names `path`; also one that a library in Rust only words."""
    try:
        yield
    except OSError as error:
        raise _cannot(path, error) from error
    except Exception as error:
        worded = _IN_RUST.search(str(error))
        if isinstance(error, WriteError) or worded is None:
            raise
        raise WriteError(f"{path}: cannot be written: {os.strerror(int(worded[1]))}") from error


def kind_of(mode: int) -> str:
    """Return what a file is, as ``a folder`` or ``a pipe``, from its mode."""
    kinds = {
        stat.S_IFREG: "a file",
        stat.S_IFDIR: "a folder",
        stat.S_IFLNK: "a link",
        stat.S_IFIFO: "a pipe",
        stat.S_IFSOCK: "a socket",
        stat.S_IFCHR: "a device",
        stat.S_IFBLK: "a disk",
    }
    return kinds.get(stat.S_IFMT(mode), "no plain file")


def sync(path: Path) -> None:
    """Flush a file, or a folder's entries, to disk. A folder where the file system can; a file or OSError."""
    folder = path.is_dir()
    with suppress(OSError) if folder else nullcontext():
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


# -- where it goes ---------------------------------------------------------------------------------------------------


def _target(path: Path) -> Path:
    """Return the plain file that a write to `path` replaces: what a link leads to. WriteError where there is none."""
    target = Path(os.path.realpath(path)) if path.is_symlink() else path
    try:
        mode = target.lstat().st_mode
    except FileNotFoundError:
        return target
    except OSError as error:
        raise _cannot(path, error) from error
    if not stat.S_ISREG(mode):
        raise WriteError(f"{path}: is {kind_of(mode)}; expected the name of a file")
    return target


def _descriptor(path: Path) -> int | None:
    """Return the open file that `path` stands for, as ``/dev/stdout`` and ``/dev/fd/3`` do; None for all others."""
    name = os.path.abspath(path)  # noqa: PTH100  # must not be resolved: the name is what tells
    for _ in range(_MOST_LINKS):
        if name in _STANDARD:
            return _STANDARD[name]
        if found := _DESCRIPTOR.fullmatch(name):
            return int(found[1])
        try:
            name = os.path.normpath(os.path.join(os.path.dirname(name), os.readlink(name)))  # noqa: PTH115, PTH118, PTH120
        except OSError:
            return None
    return None


@contextmanager
def _streaming(path: Path) -> Iterator[Path]:
    """Give a temporary file, and copy it to a device, a pipe or an open file once it is whole."""
    import tempfile

    with tempfile.TemporaryDirectory(prefix="xlbias-") as folder, saying(path):
        temporary = Path(folder) / "content"
        yield temporary
        descriptor = _descriptor(path)  # written to as it is open here: opened anew, it would be cut to nothing
        opened = path.open("ab", buffering=0) if descriptor is None else os.fdopen(os.dup(descriptor), "wb", 0)
        with temporary.open("rb") as whole, opened as out:
            shutil.copyfileobj(whole, out)


# -- what killed processes leave -------------------------------------------------------------------------------------


@contextmanager
def _removed_afterwards(path: Path) -> Iterator[Path]:
    """Give a temporary path beside `path`; remove what is there afterwards, and what dead processes left before."""
    _remove_leftovers(path)
    temporary = _temporary(path)
    try:
        yield temporary
    finally:
        with suppress(OSError):
            remove(temporary)


def _temporary(path: Path) -> Path:
    return path.with_name(f"{_stem(path)}{_host()}-{os.getpid()}-{next(_numbers)}.tmp")


def _stem(path: Path) -> str:
    name = os.fsencode(path.name)
    if len(name) > _LONGEST:  # a name of 255 bytes leaves no room for more
        name = name[: _LONGEST // 2] + b"~" + hashlib.sha256(name).hexdigest()[:16].encode()
    return os.fsdecode(b"." + name + b".")


def _host() -> str:
    """Return a short name of this host: on a shared file system, only its own processes can be seen to be dead."""
    return hashlib.sha256(socket.gethostname().encode("utf-8", "surrogatepass")).hexdigest()[:8]


def _remove_leftovers(path: Path) -> None:
    """Remove temporary files of `path` whose processes on this host are dead; those of earlier versions as well."""
    start = f".{path.name}"[: _LONGEST // 8]  # before anything slower: there may be many files
    ours = re.compile(re.escape(_stem(path)) + _host() + r"-(\d+)-\d+\.tmp")
    earlier = re.compile(re.escape(f".{path.name}.") + r"(\d+)\.(?:tmp|part|old)")
    with suppress(OSError):
        for name in os.listdir(path.parent):  # noqa: PTH208  # much quicker than paths in a folder of many files
            found = name.startswith(start) and (ours.fullmatch(name) or earlier.fullmatch(name))
            if found and not _alive(int(found[1])):
                with suppress(OSError):
                    remove(path.with_name(name))


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except OSError:  # that of another user
        return True
    return True


def remove(path: Path) -> None:
    """Remove a file, a link, or a folder with all in it, where it is there."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _cannot(path: Path, error: OSError) -> WriteError:
    if isinstance(error, (FileNotFoundError, NotADirectoryError)) and not path.parent.is_dir():
        return _nowhere(path)
    return WriteError(f"{path}: cannot be written: {error.strerror or error}")


def _nowhere(path: Path) -> WriteError:
    return WriteError(f"{path.parent}: there is no such folder to write {path.name} into")
