"""Fetches files of data sets from the Hugging Face hub, or from its cache on this machine; runs nothing of them."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from xlbias.errors import TaskError
from xlbias.text import clean

_NAME = re.compile(r"[\w-][\w.-]*/[\w-][\w.-]*")
_ONE_LINE = 160  # characters of a library's error that are quoted


@dataclass(frozen=True)
class Repository:
    """A data set on the hub at one revision.

    Attributes:
        name: ``owner/name``.
        revision: the commit, 40 hexadecimal digits.
        files: all its files, as paths.
    """

    name: str
    revision: str
    files: list[str]

    def fetch(
        self, files: Iterable[str], to: Path | None = None, advance: Callable[[int], None] = lambda _: None
    ) -> Path:
        """Return a folder in which these files are, downloaded where they are not there yet.

        It is that of the hub's cache, or `to`. `advance` is told of each file that is there. Raises TaskError.
        """
        from huggingface_hub import hf_hub_download

        folder = to
        for name in sorted(set(files)):
            try:
                with _quiet():
                    found = hf_hub_download(self.name, name, repo_type="dataset", revision=self.revision, local_dir=to)
            except Exception as error:
                raise _cannot(self.name, error) from error
            if folder is None:
                folder = Path(found).parents[name.count("/")]
            advance(1)
        if folder is None:
            raise TaskError(f"{self.name}: it has no such files")
        return folder


@contextmanager
def _quiet() -> Iterator[None]:
    """Let the hub's library draw no bars and log no retries: what went wrong is said once, at the end."""
    from huggingface_hub.utils.tqdm import (
        are_progress_bars_disabled,
        disable_progress_bars,
        enable_progress_bars,
    )

    logger = logging.getLogger("huggingface_hub")
    level, hidden = logger.level, are_progress_bars_disabled()
    logger.setLevel(logging.CRITICAL)
    disable_progress_bars()
    try:
        yield
    finally:
        logger.setLevel(level)
        if not hidden:
            enable_progress_bars()


def is_name(target: str) -> bool:
    """Whether a text can be the name of a data set on the hub: ``owner/name``."""
    return _NAME.fullmatch(target) is not None and ".." not in target


def repository(name: str, revision: str | None = None) -> Repository:
    """Return what a data set on the hub holds; without the hub, what the cache of this machine has of it.

    Raises TaskError where there is no such data set, or neither hub nor cache can be asked.
    """
    from huggingface_hub import HfApi
    from huggingface_hub.errors import HfHubHTTPError, OfflineModeIsEnabled

    try:
        with _quiet():
            info = HfApi().dataset_info(name, revision=revision, timeout=30)
    except HfHubHTTPError as error:
        raise _cannot(name, error) from error
    except (OfflineModeIsEnabled, OSError, RuntimeError) as error:
        return _cached(name, revision, error)
    except Exception as error:  # whatever the HTTP library calls a lost connection
        return _cached(name, revision, error)
    files = [one.rfilename for one in info.siblings or []]
    return Repository(name, str(info.sha), files)


def card(path: Path) -> dict[str, Any]:
    """Return the head of a data set's README.md; empty where there is none. Raises TaskError for a broken one."""
    from huggingface_hub import metadata_load

    try:
        found = metadata_load(path) if path.is_file() else None
    except Exception as error:  # of the YAML library or of the file
        raise TaskError(f"{path}: its head cannot be read as YAML: {_short(error)}") from error
    return found if isinstance(found, dict) else {}


def _cached(name: str, revision: str | None, why: Exception) -> Repository:
    """Return the newest snapshot of a data set in the cache."""
    from huggingface_hub import constants, scan_cache_dir
    from huggingface_hub.errors import CacheNotFound

    try:
        repos = scan_cache_dir(constants.HF_HUB_CACHE).repos
    except CacheNotFound:
        repos = frozenset()
    revisions = [
        one
        for repo in repos
        if repo.repo_type == "dataset" and repo.repo_id == name
        for one in repo.revisions
        if revision is None or one.commit_hash.startswith(revision) or revision in one.refs
    ]
    if not revisions:
        raise _offline(name, _short(why)) from why
    newest = max(revisions, key=lambda one: (one.last_modified, one.commit_hash))
    folder = newest.snapshot_path
    files = [file.relative_to(folder).as_posix() for file in folder.rglob("*") if file.is_file()]
    return Repository(name, newest.commit_hash, sorted(files))


def _cannot(name: str, error: Exception) -> TaskError:
    status = getattr(getattr(error, "response", None), "status_code", None)
    if status == 404:
        return TaskError(f"{name}: there is no such data set, revision or file on the hub; check the name's spelling")
    if status in (401, 403):
        return TaskError(
            f"{name}: the hub does not give it to this user; check the name, accept its terms on its page, and log in "
            "with `hf auth login`"
        )
    return _offline(name, _short(error))


def _offline(name: str, why: str) -> TaskError:
    return TaskError(f"{name}: not on this machine, and the hub cannot be reached ({why}); a network is needed")


def _short(error: BaseException) -> str:
    """Return what was wrong first, in one line: the library wraps it in advice."""
    while error.__cause__ is not None:
        error = error.__cause__
    return " ".join(clean(str(error) or type(error).__name__).split())[:_ONE_LINE]
