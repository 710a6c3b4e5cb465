"""Takes files out of an archive: those that are asked for, never outside the folder, never more than can be."""

from __future__ import annotations

import re
import shutil
import tarfile
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import IO

from xlbias.errors import TaskError
from xlbias.files import open_inside, saying

_MOST = 100  # times the size of the archive that its members may have together
_SMALL = 1 << 30  # bytes that they may have in any case


def unpack(archive: Path, folder: Path, members: Mapping[str, str]) -> int:
    r"""Take members out of a zip or tar archive, and return how many.

    Args:
        archive: the file.
        folder: where they go.
        members: pattern of a member's whole name → its path below the folder, with ``\1`` for what is in parentheses.
            Links, devices and members that match nothing are left out.

    Raises TaskError for a broken archive, one of which nothing matches, one with a path outside the folder, and one
    that grows beyond all measure; WriteError where it cannot be written.
    """
    patterns = [(re.compile(pattern), path) for pattern, path in members.items()]
    left = max(_SMALL, _MOST * archive.stat().st_size)
    count = 0
    try:
        for name, content in _members(archive):
            match = next(((found, path) for one, path in patterns if (found := one.fullmatch(name))), None)
            if match is None:
                continue
            target = folder / _inside(match[0].expand(match[1]), archive)
            with saying(target):
                target.parent.mkdir(parents=True, exist_ok=True)
                with open_inside(target) as file:
                    left -= _copy(content, file, left, archive)
            count += 1
    except (zipfile.BadZipFile, tarfile.TarError, EOFError, zlib.error, NotImplementedError, RuntimeError) as error:
        raise TaskError(
            f"{archive}: cannot be unpacked ({error or type(error).__name__}); download it again"
        ) from error
    if not count:
        raise TaskError(f"{archive}: holds nothing of what is expected in it; look for a newer version of xlbias")
    return count


def _members(archive: Path) -> Iterator[tuple[str, IO[bytes]]]:
    """Yield (name, content) of the plain files of an archive."""
    if zipfile.is_zipfile(archive):
        with zipfile.ZipFile(archive) as zipped:
            for entry in zipped.infolist():
                is_link = (entry.external_attr >> 16) & 0o170000 == 0o120000
                if not entry.is_dir() and not is_link:
                    with zipped.open(entry) as content:
                        yield entry.filename, content
        return
    with tarfile.open(archive, "r:*") as tar:
        for member in tar:
            file = tar.extractfile(member) if member.isreg() else None
            if file is not None:
                yield member.name, file


def _inside(path: str, archive: Path) -> PurePosixPath:
    found = PurePosixPath(path)
    if found.is_absolute() or ".." in found.parts or "\\" in path or "\0" in path or not found.parts:
        raise TaskError(f"{archive}: holds a path outside its folder ({path[:80]!r}), which is refused as unsafe")
    return found


def _copy(content: IO[bytes], out: IO[bytes], most: int, archive: Path) -> int:
    shutil.copyfileobj(_Limited(content, most, archive), out, 1 << 20)
    return out.tell()


class _Limited:
    """A file of which no more than `most` bytes are read."""

    def __init__(self, content: IO[bytes], most: int, archive: Path) -> None:
        self.content, self.left, self.archive = content, most, archive

    def read(self, size: int = -1, /) -> bytes:
        """Read up to `size` bytes; TaskError where there are more than may be."""
        chunk = self.content.read(size)
        self.left -= len(chunk)
        if self.left < 0:
            raise TaskError(f"{self.archive}: grows to more than {_MOST} times its size, which is refused as unsafe")
        return chunk
