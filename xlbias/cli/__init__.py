"""The command line: one thin module per command, imported only when that command is used."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Sequence
from importlib import import_module
from keyword import iskeyword
from typing import TYPE_CHECKING

import click

from xlbias._version import __version__
from xlbias.cli.groups import usage
from xlbias.cli.several import begin_together, heard_once
from xlbias.cli.terminal import on_a_terminal
from xlbias.errors import Interrupted, UsageError, XlbiasError
from xlbias.processes import ending
from xlbias.processes.launched import is_first, is_near_first

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

EXIT_BAD_INPUT = 2
EXIT_INTERRUPTED = 130
NO_LIMITS = "--no-limits"
NO_PAGER = "--no-pager"
_LATER = 3.0  # seconds

# name → one line for `xlbias --help`; the module is xlbias.cli.NAME (NAME_ where Python takes the name for itself), the
# command its attribute `command`.
COMMANDS = {
    "demo": "Train and audit three encoders on embedded data.",
    "data": "List, inspect and convert retrieval tasks.",
    "train": "Fine-tune an encoder with a batch sampler.",
    "distill": "Make a static encoder out of a pretrained one.",
    "audit": "Evaluate encoders, and show the results in the dashboard.",
    "evaluate": "Evaluate encoders zero-shot over all language pairs, into a run file.",
    "import": "Import rankings of any system, such as a TREC run, into a run file.",
    "rerank": "Re-rank the first passages of a run with a cross-encoder, into a run file.",
    "merge": "Put the encoders of several runs of the same tasks into one run.",
    "study": "Train and evaluate samplers × sources × seeds × targets from a plan.",
    "findings": "Print what a run says in sentences: quality, bias, real differences, doubts.",
    "report": "Print the report of a run.",
    "compare": "Compare two encoders, with significance tests.",
    "check": "Check a run against thresholds (CI gate).",
    "export": "Write a run for other tools: TREC runs, qrels, mteb, model cards, CSV.",
    "dashboard": "Browse a run in the terminal, finished or in progress.",
    "encoders": "List the kinds of encoders: folders, hub names, endpoints, Python, vectors.",
    "measures": "List all measures with definition, range and source.",
    "completion": "Complete commands, options and values with Tab in bash, zsh and fish.",
}


class LazyGroup(click.Group):
    """A group that knows its commands' one-line helps and imports a command's module only when it is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the commands in the order in which a new user meets them."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import and return one command."""
        if cmd_name not in COMMANDS:
            return None
        module = f"{cmd_name}_" if iskeyword(cmd_name) else cmd_name
        command: click.Command = import_module(f"xlbias.cli.{module}").command
        return command

    def invoke(self, ctx: click.Context) -> object:
        """Run the command. On a terminal click ends the line in which ^C was typed; elsewhere there is none to end."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt as stop:
            if sys.stderr is not None and sys.stderr.isatty():
                raise
            raise click.Abort from stop

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the command of a word and what follows it."""
        name = args[0] if args else ""
        if name and name not in COMMANDS and not name.startswith("-") and not ctx.resilient_parsing:
            raise click.exceptions.NoSuchCommand(name, ctx=ctx)
        return super().resolve_command(ctx, args)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Return the commands that begin with what there is, and options, without importing any of them."""
        from click.shell_completion import CompletionItem

        found = [CompletionItem(name, help=about) for name, about in COMMANDS.items() if name.startswith(incomplete)]
        return found + click.Command.shell_complete(self, ctx, incomplete)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands without importing any of them."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(
    cls=LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Start with `xlbias demo`. Every command has its own --help with an example.",
)
@click.option("--debug", is_flag=True, help="Show the traceback of an error.")
@click.option(NO_LIMITS, is_flag=True, help="Open a run of any size, whatever memory and time that takes.")
@click.option(NO_PAGER, is_flag=True, help="Print what is longer than the screen, too, without a pager.")
@click.version_option(__version__, prog_name="xlbias")
@click.pass_context
def main(ctx: click.Context, debug: bool, no_limits: bool, no_pager: bool) -> None:
    """Find out whether a multilingual encoder treats languages fairly, and whether that survives a change of domain."""
    ctx.obj = {"debug": debug, "words": [], **(ctx.obj or {})}


def run(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code: 0 done, 1 a check failed, 2 bad input, 130 interrupted."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    debug = "--debug" in given or bool(os.environ.get("XLBIAS_DEBUG"))
    words = _without_general_options(given)
    if "_XLBIAS_COMPLETE" in os.environ:  # a shell asks
        from xlbias.cli.shells import answer

        return answer(main)
    if not words and on_a_terminal():
        words = ["dashboard"]
    try:
        return _call(words, given)
    except (click.exceptions.Exit, SystemExit) as stop:  # the latter where a pipe was closed by its reader, as by head
        return stop.exit_code if isinstance(stop, click.exceptions.Exit) else 0
    except (click.Abort, KeyboardInterrupt) as stop:
        if is_first() and not isinstance(stop.__cause__ or stop, Interrupted):
            click.echo("interrupted", err=True)
        return EXIT_INTERRUPTED
    except Exception as error:
        return _say(error, debug=debug)
    except BaseException as error:
        if type(error).__name__ != "PanicException":  # of a library in Rust: no Exception, but no way to leave either
            raise
        click.echo(f"xlbias: {_sentence(RuntimeError(str(error)))}", err=True)
        return EXIT_BAD_INPUT


def _call(words: Sequence[str], given: Sequence[str]) -> int:
    """Run the command of some words; of several processes that cannot share it, only the first one does."""
    if not begin_together(words[0] if words else None):
        return 0
    with heard_once():
        result = main.main(args=list(words), prog_name="xlbias", standalone_mode=False, obj={"words": given})
    return result if isinstance(result, int) else 0


def _without_general_options(given: Sequence[str]) -> list[str]:
    """Return the words without the options that are allowed anywhere on the line, which are for the whole process."""
    if NO_LIMITS in given:
        os.environ["XLBIAS_NO_LIMITS"] = "1"  # for what this starts, too
    if NO_PAGER in given:
        os.environ["XLBIAS_PAGER"] = ""
    return [word for word in given if word not in ("--debug", NO_LIMITS, NO_PAGER)]


def _say(error: Exception, *, debug: bool) -> int:
    """Say what went wrong, on stderr, and return the exit code; of a group without a command, print its help."""
    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        click.echo(error.format_message())
        return 0
    if debug and not isinstance(error, click.ClickException):
        click.echo(_traceback(error), err=True)
    else:
        expected = isinstance(error, XlbiasError | click.ClickException)
        if expected and not is_first():
            time.sleep(_LATER)  # the first process says the same, and is ended as soon as another one has failed
        with ending.turn(otherwise=is_first() or not expected) as mine:
            if mine and (is_near_first() or not isinstance(error, UsageError | click.ClickException)):
                click.echo(f"{_usage(error)}xlbias: {_sentence(error)}", err=True)
    return error.exit_code if isinstance(error, XlbiasError) else EXIT_BAD_INPUT


def _near(error: click.ClickException) -> str:
    """Return the commands or options that are close to one that there is not; nothing for all other errors."""
    from xlbias.choices import suggestion

    if isinstance(error, click.exceptions.NoSuchCommand) and error.ctx is not None:
        group = error.ctx.command
        known = group.list_commands(error.ctx) if isinstance(group, click.Group) else ()
        return suggestion(error.command_name, known)
    if isinstance(error, click.exceptions.NoSuchOption) and error.ctx is not None:
        options = [
            name for one in error.ctx.command.get_params(error.ctx) for name in one.opts if name.startswith("--")
        ]
        return suggestion(error.option_name.lstrip("-"), [name.lstrip("-") for name in options], before="--")
    return ""


def _usage(error: Exception) -> str:
    """Return how the command is used that was used wrongly, above the sentence that says so; nothing for all else."""
    if isinstance(error, click.UsageError) and error.ctx is not None:
        return f"{usage(error.ctx)}\n\n"
    return ""


def _traceback(error: Exception) -> str:
    """Return the traceback of an error, safe to print: it quotes file names and texts, too."""
    import traceback

    from xlbias.text import clean

    return clean("".join(traceback.format_exception(error)).rstrip(), keep_newlines=True)


def _sentence(error: Exception) -> str:
    """Return the error as one line that is safe to print, whatever file name or text it quotes."""
    from xlbias.text import clean

    if isinstance(error, click.ClickException):
        return clean(f"{error.message.rstrip('.')}{near}" if (near := _near(error)) else error.format_message())
    if isinstance(error, OSError) and error.strerror:
        where = f"{error.filename}: " if error.filename else ""
        return clean(f"{where}{error.strerror}")
    if isinstance(error, XlbiasError):
        return clean(str(error))
    # Not foreseen: still no traceback unless it is asked for, and never the exit code of a check that failed.
    return clean(f"unexpected {type(error).__name__}: {error} (--debug shows where)")
