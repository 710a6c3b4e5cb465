"""Downloads a file: goes on where it broke off, checks its checksum, and leaves no half of it under its name."""

from __future__ import annotations

import hashlib
import http.client
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import IO

from xlbias._version import __version__
from xlbias.errors import TaskError
from xlbias.files import append_alone, saying, sync, write_whole
from xlbias.text import clean

_CHUNK = 1 << 20
_TRIES = 5  # in a row without a byte between them
_FIRST_TRIES = 2  # before the first byte: there may be no network at all
_WAIT = 1.0  # seconds before the second try, doubled for each further one
_TIMEOUT = 60.0  # seconds without a byte

Advance = Callable[[int], None]
"""Told of more bytes; of fewer where a download begins anew."""


def download(
    url: str, path: Path, checksum: str = "", *, advance: Advance = lambda _: None, wait: float = _WAIT
) -> str:
    """Download `url` to `path`, and return its SHA-256.

    What has arrived stays in ``PATH.part`` where the connection breaks, so that the next call asks for the rest only. A
    file that is there already is checked and kept.

    Args:
        url: the address.
        path: the file; its folder exists.
        checksum: ``sha256:...`` or ``md5:...`` that it must have; empty where it is not known.
        advance: told of the bytes as they arrive.
        wait: seconds before another try.

    Raises TaskError for an address that gives nothing, or something else; WriteError where it cannot be written.
    """
    if not path.exists():
        part = path.with_name(f"{path.name}.part")
        with saying(path):
            _fetch(url, part, advance, wait)
            _check(url, part, checksum)
            sync(part)
            part.replace(path)
            _keep_tag(part, None)
    else:
        advance(path.stat().st_size)
        _check(url, path, checksum)
    return _digest(path, "sha256")


def _fetch(url: str, part: Path, advance: Advance, wait: float) -> None:
    """Append to `part` until the file is whole."""
    file = append_alone(part)
    if file is None:
        raise TaskError(f"{part}: another process downloads it; wait until that has ended")
    with file:
        advance(file.tell())
        tries = 0
        while True:
            before = file.tell()
            try:
                if _continue(url, part, file, advance):
                    return
                why = "the connection broke"
            except _BrokenError as error:
                why = str(error)
            tries = 1 if file.tell() > before else tries + 1
            if tries >= (_TRIES if file.tell() else _FIRST_TRIES):
                break
            time.sleep(wait * 2 ** (tries - 1))
        if file.tell():
            raise TaskError(f"{url}: {why}; give the command again to go on where it broke off")
        raise TaskError(f"{url}: cannot be reached ({why}); a network is needed")


def _continue(url: str, part: Path, file: IO[bytes], advance: Advance) -> bool:
    """Ask for what is missing of a file and append it; return whether it is whole then."""
    begun = file.tell()
    headers = {"User-Agent": f"xlbias/{__version__}", "Accept-Encoding": "identity"}
    if begun:
        headers["Range"] = f"bytes={begun}-"
        if tag := _tag(part):
            headers["If-Range"] = tag
    try:
        response = urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=_TIMEOUT)
    except urllib.error.HTTPError as error:
        error.close()
        if error.code != 416 or not begun:
            raise _refused(url, error) from error
        size = str(error.headers.get("Content-Range", "")).rpartition("/")[2]
        if size == str(begun):  # nothing is missing
            return True
        _begin_anew(file, advance)
        return False
    except (OSError, http.client.HTTPException) as error:
        raise _BrokenError(_reason(error)) from error
    with response:
        if begun and response.status != 206:  # the server cannot continue, or its file is another one by now
            _begin_anew(file, advance)
        if not file.tell():
            _keep_tag(part, response.headers.get("ETag"))
        length = str(response.headers.get("Content-Length", ""))
        total = file.tell() + int(length) if length.isdigit() else None
        while chunk := _read(response):
            file.write(chunk)
            advance(len(chunk))
        file.flush()
    return total is None or file.tell() >= total


def _read(response: http.client.HTTPResponse) -> bytes:
    try:
        return response.read(_CHUNK)
    except (OSError, http.client.HTTPException) as error:
        raise _BrokenError(_reason(error)) from error


def _begin_anew(file: IO[bytes], advance: Advance) -> None:
    advance(-file.tell())
    file.truncate(0)
    file.seek(0)


class _BrokenError(Exception):
    """The connection broke, or there is none: another try may help."""


def _refused(url: str, error: urllib.error.HTTPError) -> TaskError:
    if error.code in (404, 410):
        return TaskError(f"{url}: is no longer there ({error.code}); look for a newer version of xlbias")
    if error.code in (401, 403):
        return TaskError(f"{url}: may not be read without the publisher's leave ({error.code})")
    return TaskError(f"{url}: the server answers {error.code} {clean(str(error.reason))[:80]}; try again later")


def _check(url: str, path: Path, checksum: str) -> None:
    """Raise TaskError, and remove the file, where it has another checksum."""
    if not checksum:
        return
    kind, _, expected = checksum.partition(":")
    found = _digest(path, kind)
    if found != expected:
        path.unlink()
        _keep_tag(path, None)
        raise TaskError(
            f"{url}: what arrived is not what is expected ({kind} {found[:12]}…, not {expected[:12]}…) and was "
            "removed; try again, and look for a newer version of xlbias if that persists"
        )


def _digest(path: Path, kind: str) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, kind).hexdigest()


def _tag(part: Path) -> str:
    """Return the ETag of what is in `part`, so that the rest of another version is not appended to it."""
    try:
        return part.with_name(f"{part.name}.etag").read_text("ascii").strip()
    except (OSError, ValueError):
        return ""


def _keep_tag(part: Path, tag: str | None) -> None:
    file = part.with_name(f"{part.name}.etag")
    if tag and tag.isascii() and not tag.startswith("W/"):
        write_whole(file, tag.encode("ascii"), durable=False)
    else:
        file.unlink(missing_ok=True)


def _reason(error: Exception) -> str:
    if isinstance(error, http.client.IncompleteRead):
        return "the connection broke"
    return " ".join(clean(str(getattr(error, "reason", error)) or type(error).__name__).split())[:120]
