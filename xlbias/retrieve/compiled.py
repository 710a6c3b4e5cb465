"""Compiling with Numba, with compiled code kept between processes where that can be done safely, and without where not.

Compiling takes seconds, so Numba keeps what it has compiled beside the source or in the user's cache. By itself it ends
the program where neither can be written (an install that is read-only, a user without a home), ends it again where a
kept file is damaged, runs flipped bits of machine code as they are, and takes its settings, the folder of the cache
among them, from a ``.numba_config.yaml`` in the current folder, which may be a downloaded model's. None of this here.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

Function = TypeVar("Function", bound=Callable[..., Any])


@contextmanager
def _no_settings_from_the_current_folder() -> Iterator[None]:
    """Let Numba be imported in the block as if it could not read its settings from a file."""
    import warnings

    before = sys.modules.get("yaml")
    sys.modules["yaml"] = None  # type: ignore[assignment]  # Python's way to say that there is no such module
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="A Numba config file is found")
            yield
    finally:
        del sys.modules["yaml"]
        if before is not None:
            sys.modules["yaml"] = before


with _no_settings_from_the_current_folder():
    import numba
    from numba.core import config

config._config_fname = ""  # it looks again at each compilation


def compiled(signature: str | None = None, **options: Any) -> Callable[[Function], Function]:
    """Compile a function as ``numba.njit`` does with these options, and keep the code where that is possible.

    With a `signature` it is compiled at once and for no other types, else when it is first called.
    """

    def compile_function(function: Function) -> Function:
        dispatcher = numba.njit(**options)(function)
        if config.DISABLE_JIT:
            return function
        try:
            from xlbias.retrieve.code_cache import CheckedCache

            dispatcher._cache = CheckedCache(function)
        except Exception:  # there is no place for it, or this Numba has another cache: then without
            pass
        if signature is not None:
            dispatcher.compile(signature)
            dispatcher.disable_compile()
        result: Function = dispatcher
        return result

    return compile_function
