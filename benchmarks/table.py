"""What xlbias claims of its speed and memory, in one table: goal, figure, and the load of the machine.

    python benchmarks/table.py [--tiny] [--only NAME ...] [--keep FILE]

Figures are ratios of processor seconds of one process where they can be, as other processes change those least; the
names are those of the modules in `benchmarks/rows`. `--tiny` takes seconds and proves only that each of them runs.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
from collections.abc import Iterator
from dataclasses import asdict, replace
from importlib import import_module
from pathlib import Path

from row import HEAD, Row

from xlbias.interpreter import spare_processors

ROWS = (
    "million_passages", "several_processes", "encoding_rate", "whole_evaluation", "other_tools", "cold_start",
    "large_runs",
)  # fmt: skip


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--tiny", action="store_true", help="small sizes, to see that everything runs")
    parser.add_argument("--only", nargs="+", choices=ROWS, default=ROWS, metavar="NAME", help=", ".join(ROWS))
    parser.add_argument("--keep", type=Path, help="a file of what was measured: added to, not done again")
    options = parser.parse_args(arguments)
    print(f"{platform.machine()}, {os.cpu_count()} cores{', tiny sizes: no figures' if options.tiny else ''}\n\n{HEAD}")
    missed = 0
    for name in options.only:
        for row in _rows(name, options.tiny, options.keep):
            shown = replace(row, met=None) if options.tiny else row
            print(shown, flush=True)
            missed += shown.met is False
    print(f"\n✖ {missed} goals missed" if missed else "\nno goal missed")
    return 0


def _rows(name: str, tiny: bool, keep: Path | None) -> Iterator[Row]:
    """Yield the rows of a module: those that `keep` holds of it, else measured, and kept once all of them are."""
    for line in keep.read_text("utf-8").splitlines() if keep and keep.exists() else []:
        kept = json.loads(line)
        if (kept["name"], kept["tiny"]) == (name, tiny):
            yield from (Row(**row) for row in kept["rows"])
            return
    found = []
    for row in import_module(f"rows.{name}").rows(tiny):
        found.append(row)
        yield row
    if keep:
        with keep.open("a", encoding="utf-8") as file:
            file.write(json.dumps({"name": name, "tiny": tiny, "rows": [asdict(row) for row in found]}) + "\n")


if __name__ == "__main__":
    spare_processors()  # as the program does, before a library is imported
    raise SystemExit(main())
