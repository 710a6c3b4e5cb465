"""What xlbias claims of its speed and memory, in one table: goal, figure, and the load of the machine.

    python benchmarks/table.py [--tiny] [--only NAME ...]

Figures are ratios of processor seconds of one process where they can be, as other processes change those least; the
names are those of the modules in `benchmarks/rows`. `--tiny` takes a minute and proves only that each of them runs.
"""

from __future__ import annotations

import argparse
import os
import platform
from dataclasses import replace
from importlib import import_module

from row import HEAD

ROWS = (
    "million_passages", "several_processes", "encoding_rate", "whole_evaluation", "other_tools", "cold_start",
    "large_runs",
)  # fmt: skip


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--tiny", action="store_true", help="small sizes, to see that everything runs")
    parser.add_argument("--only", nargs="+", choices=ROWS, default=ROWS, metavar="NAME", help=", ".join(ROWS))
    options = parser.parse_args(arguments)
    print(f"{platform.machine()}, {os.cpu_count()} cores{', tiny sizes: no figures' if options.tiny else ''}\n\n{HEAD}")
    missed = 0
    for name in options.only:
        for row in import_module(f"rows.{name}").rows(options.tiny):
            shown = replace(row, met=None) if options.tiny else row
            print(shown, flush=True)
            missed += shown.met is False
    print(f"\n✖ {missed} goals missed" if missed else "\nno goal missed")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
