"""`xlbias completion`: what Tab completes in a shell."""

from __future__ import annotations

import os
from pathlib import Path

import click

from xlbias.cli.groups import Group
from xlbias.cli.shells import SHELLS, install, script
from xlbias.cli.values import Choice

EXAMPLE = """\b
Examples:
  xlbias completion install
  xlbias completion install zsh
  xlbias completion show fish > ~/.config/fish/completions/xlbias.fish
"""

_SHELL = click.argument("shell", metavar="[SHELL]", required=False, type=Choice(list(SHELLS)))


@click.group(cls=Group, epilog=EXAMPLE)
def command() -> None:
    """Complete commands, options and values with Tab: tasks, recipes, measures, encoders of a run, runs.

    SHELL is bash, zsh or fish; without one, the shell that you use.
    """


@command.command("install", epilog=EXAMPLE)
@_SHELL
def install_command(shell: str | None) -> None:
    """Install the completion for SHELL in your home folder.

    Writes one script. For bash and zsh, adds the line that reads it to ~/.bashrc or ~/.zshrc, once.
    """
    for sentence in install(shell or _used(), click.get_current_context().find_root().command):
        click.echo(sentence)


@command.command("show", epilog=EXAMPLE)
@_SHELL
def show_command(shell: str | None) -> None:
    """Print the script for SHELL, and install nothing."""
    click.echo(script(shell or _used(), click.get_current_context().find_root().command), nl=False)


def _used() -> str:
    """Return the user's shell. Raises UsageError where it is none that there is completion for."""
    from xlbias.errors import UsageError

    name = Path(os.environ.get("SHELL", "")).name
    if name not in SHELLS:
        used = f"your shell is {name}" if name else "$SHELL is not set"
        raise UsageError(f"{used}: name one of {', '.join(SHELLS)}")
    return name
