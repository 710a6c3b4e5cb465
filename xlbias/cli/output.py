"""What goes to stdout: through a pager on a terminal, and escaped where it is no UTF-8."""

from __future__ import annotations

import json
import re
import sys

from xlbias.cli.pager import print_paged

_NOT_ASCII = re.compile(r"[^\x00-\x7f]")


def print_document(text: str, form: str) -> None:
    """Print a report in one of its formats; JSON escapes what stdout cannot encode, as ``?`` would be another text."""
    if form == "json":
        try:
            text.encode(sys.stdout.encoding or "utf-8")
        except UnicodeEncodeError:
            text = _NOT_ASCII.sub(lambda match: json.dumps(match.group())[1:-1], text)
    print_paged(text)
