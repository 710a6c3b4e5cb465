"""From what stands behind a format's colon to files and folders that are there."""

from __future__ import annotations

import errno
from pathlib import Path

from xlbias.data.formats.filenames import language_of
from xlbias.errors import TaskError, unreadable
from xlbias.languages import normalise_tag


def existing_path(target: str, *, folder: bool, name: str) -> Path:
    """Return the path of a target; TaskError where there is none, or where it is a file and not a `folder`."""
    path = expanded(target)
    wanted = "folder" if folder else "file"
    if not target or not exists(path):
        raise TaskError(f"{name}:{target}: there is no such {wanted}; {name} reads a {wanted}")
    if path.is_dir() != folder:
        raise TaskError(f"{path}: is a {'file' if folder else 'folder'}, but {name} reads a {wanted}")
    return path


def exists(path: Path) -> bool:
    """Tell whether there is such a file or folder; a name that no file system would take is none."""
    try:
        return path.exists()
    except OSError as error:
        if error.errno in (errno.ENAMETOOLONG, errno.EINVAL):
            return False
        raise TaskError(unreadable(path, error)) from error


def expanded(target: str) -> Path:
    """Return a target as a path, with ``~`` as the user's folder."""
    try:
        return Path(target).expanduser()
    except RuntimeError:  # ~nobody: no such user, so a path that begins with a tilde
        return Path(target)


def by_tag(target: str) -> dict[str, str]:
    """Take ``en=X,de=Y`` apart, by normal tags; nothing where the target is not of that form.

    Raises TaskError for a language that is there twice.
    """
    parts = [part.partition("=") for part in target.split(",")]
    if not all(equals and language_of(tag.strip()) for tag, equals, _ in parts):
        return {}
    tags = [normalise_tag(tag.strip()) for tag, _, _ in parts]
    if len(set(tags)) < len(tags):
        raise TaskError(f"{target}: a language is there twice")
    return {tag: what.strip() for tag, (_, _, what) in zip(tags, parts, strict=True)}
