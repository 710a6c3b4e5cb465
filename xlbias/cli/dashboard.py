"""`xlbias dashboard`: a run in the terminal, finished or in progress, or the differences of two."""

from __future__ import annotations

from pathlib import Path

import click

from xlbias.cli.groups import Command
from xlbias.cli.terminal import in_a_browser, on_a_terminal
from xlbias.cli.values import RunOrFolder

EXAMPLE = """\b
Examples:
  xlbias dashboard
  xlbias dashboard run.parquet
  xlbias dashboard out/
  xlbias dashboard out/hybrid/training.parquet
  xlbias dashboard base.parquet new.parquet
  xlbias dashboard run.parquet --theme xlbias-light
  xlbias dashboard run.parquet --ascii
  xlbias dashboard run.parquet --serve --port 8000
"""


@click.command(cls=Command, epilog=EXAMPLE)
@click.argument("runs", nargs=-1, type=RunOrFolder(), metavar="[[BASE] RUN]")
@click.option("--theme", help="A colour theme, e.g. xlbias-light; all of them are in the palette (ctrl+p).")
@click.option("--ascii", is_flag=True, help="Use ASCII only.  [default: where the locale is C or not UTF-8]")
@click.option("--read-only", is_flag=True, help="Write no files: no copies, exports, pictures or settings.")
@click.option("--serve", is_flag=True, help="Show it in a browser on this machine, read-only, until Ctrl-C.")
@click.option(
    "--port", type=click.IntRange(1, 65535), metavar="N", help="Port for --serve.  [default: 8000]"
)  # fmt: skip
@click.pass_context
def command(
    ctx: click.Context,
    runs: tuple[str, ...],
    theme: str | None,
    ascii: bool,
    read_only: bool,
    serve: bool,
    port: int | None,
) -> int:
    """Browse RUN in the terminal: finished, in progress, or about to begin.

    Without RUN, a picker shows the runs in this folder and below it, and those that you looked at last. If RUN is a
    folder, the one run in it is shown, or the picker over it. With two runs, RUN is shown with its differences from
    BASE. Without a terminal the report is printed instead, or the comparison of the two. Press ? for the keys.
    """
    from xlbias.errors import UsageError

    if len(runs) > 2:
        raise UsageError(f"{len(runs)} runs are too many: expected one, or two to see the differences")
    if port is not None and not serve:
        raise UsageError("--port is for --serve")
    paths = tuple(map(Path, runs))
    if serve:
        return _serve(paths, theme, port or 8000, ascii=ascii)
    if not (on_a_terminal() or in_a_browser()):
        if not runs:
            raise UsageError("name a run, such as: xlbias dashboard run.parquet (the picker needs a terminal)")
        if theme is not None:
            from xlbias.dashboard.terminal.theme import check_theme

            check_theme(theme)
        return _print(ctx, paths)
    from xlbias.dashboard.launch import run_dashboard
    from xlbias.runs.folder import run_of, runs_in

    path = paths[-1] if paths else None
    folder = None
    if len(paths) == 2:
        base, path = map(run_of, paths)
        return run_dashboard(path, theme=theme, base=base, read_only=read_only, ascii=True if ascii else None)
    if path is not None and path.is_dir() and not path.name.endswith(".live"):
        found = runs_in(path)
        folder, path = path, found[0] if len(found) == 1 else None
    return run_dashboard(path, theme=theme, read_only=read_only, ascii=True if ascii else None, folder=folder)


def _print(ctx: click.Context, runs: tuple[Path, ...]) -> int:
    """Print the report of a run, or the comparison of two."""
    from xlbias.runs.folder import run_of

    runs = tuple(map(run_of, runs))
    if len(runs) == 2:
        from xlbias.cli.compare import command as compare

        ctx.invoke(compare, base_run=str(runs[0]), new_run=str(runs[1]))
    else:
        from xlbias.cli.report import command as report

        ctx.invoke(report, runs=(str(runs[0]),))
    return 0


def _serve(runs: tuple[Path, ...], theme: str | None, port: int, *, ascii: bool) -> int:
    from xlbias.errors import UsageError

    try:
        from xlbias.dashboard.serve import LocalServer, command_line
    except ImportError as error:
        raise UsageError(f"--serve needs the package textual-serve ({error}): pip install 'xlbias[serve]'") from error
    from xlbias.text import clean

    options = [*(["--theme", theme] if theme is not None else []), *(["--ascii"] if ascii else [])]
    title = clean(f"xlbias: {runs[-1].name}" if runs else "xlbias")
    server = LocalServer(command_line([str(run) for run in runs], options), port, title)
    click.echo(f"dashboard, read-only, in a browser on this machine: {server.address}", err=True)
    click.echo(f"from another machine, forward the port first: ssh -L {port}:127.0.0.1:{port} HOST", err=True)
    click.echo("Ctrl-C ends it", err=True)
    server.serve()
    return 0
