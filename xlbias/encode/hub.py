"""Models of the hub: whether it answers, and where the files of one are on this machine."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import getproxies

from xlbias.encode.layout import CONFIG_FILES

_ORGANISATION = "sentence-transformers"
"""Where sentence-transformers looks for a name without organisation."""


def hub_answers() -> bool:
    """Whether the hub's name can be resolved; without this the library retries for most of a minute when offline."""
    from huggingface_hub import constants

    if constants.HF_HUB_OFFLINE:
        return False
    if getproxies():  # a proxy resolves names itself
        return True
    host = urlsplit(constants.ENDPOINT).hostname or ""
    try:
        socket.getaddrinfo(host, 443)
    except OSError:
        return False
    return True


def fetch_description(name: str) -> None:
    """Fetch the files that say what the hub's model `name` is, a few kilobytes; without effect where there are none."""
    from huggingface_hub import hf_hub_download
    from huggingface_hub.errors import EntryNotFoundError, HfHubHTTPError, HFValidationError

    for repository in _repositories(name):
        with suppress(HfHubHTTPError, HFValidationError, OSError):  # which loading it will meet, and say
            for file in CONFIG_FILES:
                with suppress(EntryNotFoundError):
                    hf_hub_download(repository, file, cache_dir=_cache())
            return


def snapshot_of(name: str) -> Path | None:
    """Return the folder with the files of the hub's model `name` that are on this machine, None where none are.

    It is that of one commit. Nothing is asked of the hub.
    """
    return next((Path(found).parent for found in _cached(name) if isinstance(found, str)), None)


def is_described_here(name: str) -> bool:
    """Whether it is known on this machine if the hub's model `name` has a ``modules.json``."""
    return next(_cached(name), None) is not None


def _cached(name: str) -> Iterator[object]:
    """Yield what the cache says of each file of CONFIG_FILES: its path, that there is none, or None: not known."""
    from huggingface_hub import try_to_load_from_cache
    from huggingface_hub.errors import HFValidationError

    for repository in _repositories(name):
        try:
            found = [try_to_load_from_cache(repository, file, cache_dir=_cache()) for file in CONFIG_FILES]
        except HFValidationError:
            return
        if any(isinstance(one, str) for one in found):
            yield from found
            return


def _repositories(name: str) -> list[str]:
    return [name] if "/" in name else [f"{_ORGANISATION}/{name}", name]


def _cache() -> str | None:
    return os.environ.get("SENTENCE_TRANSFORMERS_HOME")
