"""Numba's cache of compiled code, checked: what is damaged is compiled again, and no failure of it ends anything.

It builds on classes of Numba that are not public; where they are gone, `xlbias.retrieve.compiled` does without.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

from numba.core import caching

from xlbias.caches import read_checked, write_checked


class _CheckedFile(caching.IndexDataCacheFile):  # type: ignore[misc]  # the library is not typed for mypy
    """Numba's files with a checksum after the code: what is damaged in any way is not there, and is made again."""

    def _load_index(self) -> Any:
        try:
            return super()._load_index()
        except Exception:  # unpickling what is damaged can raise anything
            return {}

    def _load_data(self, name: str) -> Any:
        content = read_checked(Path(self._data_path(name)), name)
        if content is None:
            raise OSError(f"{name}: damaged")  # which Numba takes for a file that is gone
        return pickle.loads(content)  # noqa: S301  # written by this user's own process, and whole

    def _save_data(self, name: str, data: Any) -> None:
        write_checked(Path(self._data_path(name)), self._dump(data), name)


class CheckedCache(caching.FunctionCache):  # type: ignore[misc]
    """Numba's cache of a function, without which everything goes on as with it."""

    _cache_file: Any

    def __init__(self, function: Callable[..., Any]) -> None:
        super().__init__(function)
        own = self._cache_file
        self._cache_file = _CheckedFile(own._cache_path, f"checked2-{self._impl.filename_base}", own._source_stamp)

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        """Return what is kept for a signature, None where there is nothing that can be used."""
        try:
            return super().load_overload(sig, target_context)
        except Exception:
            return None

    def save_overload(self, sig: Any, data: Any) -> None:
        """Keep what has been compiled for a signature; where that fails, keep nothing more."""
        try:
            super().save_overload(sig, data)
        except Exception:  # a disk that is full
            self.disable()
