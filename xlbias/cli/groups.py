"""A command with many options lists them under headings in its help."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click


class GroupedCommand(click.Command):
    """A command whose options stand under headings, in the order in which they are declared.

    `headings` is the name of the parameter that a group begins with → its heading.
    """

    def __init__(self, *args: Any, headings: Mapping[str, str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.headings = headings

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write each group with its heading."""
        groups: dict[str, list[tuple[str, str]]] = {}
        heading = "Options"
        for parameter in self.get_params(ctx):
            heading = self.headings.get(parameter.name or "", heading)
            record = parameter.get_help_record(ctx)
            if record is not None:
                groups.setdefault(heading, []).append(record)
        for heading, records in groups.items():
            with formatter.section(heading):
                formatter.write_dl(records)
