"""The options `--query-prompt` and `--passage-prompt`, the same for every command that has them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import click

_F = TypeVar("_F", bound=Callable[..., object])


def prompt_options(*sides: str, default: str = "what the encoder registers for them") -> Callable[[_F], _F]:
    """Return a decorator that adds the option of each side; `default` says what stands there without it."""

    def decorate(function: _F) -> _F:
        for side in reversed(sides):
            plural = {"query": "queries", "passage": "passages"}[side]
            function = click.option(
                f"--{side}-prompt",
                metavar="NAME|TEXT",
                help=f"Put this before {plural}: a registered prompt's name, or a text; '' for nothing, and a text of "
                f"one word in double quotes.  [default: {default}]",
            )(function)
        return function

    return decorate
