"""`xlbias encoders`: what can be given as an encoder."""

from __future__ import annotations

import shutil

import click

from xlbias.cli.groups import Command

EXAMPLE = """\b
Examples:
  xlbias encoders
  xlbias evaluate python:./mine.py:Mine --task lareqa:xquad-r --out mine.parquet
  xlbias evaluate openai:http://localhost:8000/v1#bge-m3 --query-prompt 'query: '
"""

_OWN = (
    ("FOLDER", "a sentence-transformers folder, such as `xlbias train` writes", "out/hybrid"),
    ("NAME", "an encoder on the hub, loaded through sentence-transformers", "intfloat/multilingual-e5-small"),
)


@click.command(cls=Command, epilog=EXAMPLE)
def command() -> None:
    """List the kinds of encoders, with an example of each."""
    from xlbias.encode.kinds import describe_kinds
    from xlbias.packaged import packaged_encoders
    from xlbias.report.formats.columns import wrapped

    columns = max(60, min(100, shutil.get_terminal_size((80, 24)).columns))
    rows = list(_OWN)
    rows += [(name, "comes with xlbias", name) for name in packaged_encoders()]
    rows += [(f"{kind.name}:", kind.summary, kind.example) for kind in describe_kinds()]
    for name, summary, example in rows:
        first, *rest = wrapped(f"{summary}; for example {example}" if example != name else summary, columns - 16)
        click.echo(f"{name:<16}{first.strip()}")
        for line in rest:
            click.echo(f"{'':<16}{line.strip()}")
