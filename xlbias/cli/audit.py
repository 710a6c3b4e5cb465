"""`xlbias audit`: evaluate and look at the results in the dashboard, the one command for a quick audit over SSH."""

from __future__ import annotations

import os
import re
import tempfile
from pathlib import Path
from typing import Any

import click

from xlbias.cli.evaluate import HEADINGS
from xlbias.cli.evaluate import command as evaluate
from xlbias.cli.groups import Command
from xlbias.cli.several import several
from xlbias.cli.watch import watch_command, watches
from xlbias.text import clean

EXAMPLE = """\b
Examples:
  xlbias audit static-small
  xlbias audit intfloat/multilingual-e5-small --task lareqa:xquad-r
  xlbias audit out/mono out/hybrid --task 'lareqa:xquad-r[languages=en,de,th]' --out audit.parquet
"""

HELP = """Evaluate each ENCODER on the embedded tasks, or on each --task, and show the results in the dashboard.

The work runs in a process of its own: closing the dashboard leaves it running. Without a terminal this is
`xlbias evaluate`: the audit is printed. Options are those of `xlbias evaluate`.
"""

_OWN = {"out", "dashboard"}


@several
def audit(**options: Any) -> int:
    """Evaluate, with the dashboard where there is a terminal."""
    from xlbias.cli.run_out import check_choice
    from xlbias.encode.load import LoadOptions, check_encoder
    from xlbias.errors import UsageError

    ctx = click.get_current_context()
    check_choice(resume=options["resume"], overwrite=options["overwrite"])
    if options["out"] is None and options["resume"]:
        raise UsageError("--resume needs --out, the run to continue")
    for model in options["models"]:
        check_encoder(model, **{key: options[key] for key in LoadOptions.__annotations__ if key in options})
    given = options.pop("out")
    out = Path(given) if given is not None else _free_path(options["models"], overwrite=options["overwrite"])
    if not options["quiet"]:
        click.echo(f"run: {clean(str(out))}", err=True)
    if not watches(quiet=True):
        ctx.invoke(evaluate, out=str(out), dashboard=False, **options)
        return 0
    words: list[str] = list(ctx.find_root().obj["words"])
    at = words.index("audit")
    words[at : at + 1] = ["evaluate", *([] if given is not None else ["--out", str(out)])]
    again = f"What was finished is kept: the same command with --out {out} --resume continues."
    return watch_command(words, out, out, name="xlbias audit", again=again)


def _free_path(models: tuple[str, ...], *, overwrite: bool) -> Path:
    """Return a name for the run after its first encoder: in this folder, or in a temporary one where that is closed."""
    from xlbias.runs.journal import live_folder

    folder = Path()
    if not os.access(folder, os.W_OK):
        folder = Path(tempfile.mkdtemp(prefix="xlbias-"))
    name = re.sub(r"[^A-Za-z0-9._-]+", "-", models[0].rstrip("/").rpartition("/")[2]).strip("-.")[:60] or "encoder"
    more = f"-and-{len(models) - 1}" if len(models) > 1 else ""
    for number in range(1, 1000):
        path = folder / f"audit-{name}{more}{f'-{number}' if number > 1 else ''}.parquet"
        if overwrite or not (path.exists() or live_folder(path).exists()):
            return path
    return Path(tempfile.mkdtemp(prefix="xlbias-")) / "audit.parquet"


command = Command(
    "audit",
    headings={**HEADINGS, "out": "Output"},
    callback=audit,
    params=[
        *(parameter for parameter in evaluate.params if parameter.name not in _OWN),
        click.Option(
            ["--out", "-o"],
            metavar="FILE",
            help="The run file to write.  [default: audit-ENCODER.parquet here]",
        ),
    ],
    help=HELP,
    epilog=EXAMPLE,
)
