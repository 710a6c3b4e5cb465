"""Entry point of ``xlbias`` and ``python -m xlbias``."""

from __future__ import annotations

import gc
import sys

from xlbias.interpreter import leave_current_folder, spare_processors
from xlbias.processes.ending import done, leave_with, listen


def main() -> None:
    """Run the command line and exit with its code."""
    listening = listen()
    leave_current_folder()
    spare_processors()
    from xlbias.streams import guard_streams

    replaced = guard_streams()
    from xlbias.cli import run

    code = run()
    gc.freeze()  # as it is: when an interpreter ends it looks through all of it for circles, which takes a second
    if replaced.n and sys.stderr is not None:
        many = f"{replaced.n:,} characters are" if replaced.n > 1 else "a character is"
        sys.stderr.write(
            f"xlbias: {many} shown as ?: the output is {sys.stdout.encoding}; PYTHONIOENCODING=utf-8 shows all\n"
        )
    if listening:
        if code == 0:
            done()
        leave_with(code)
    sys.exit(code)


if __name__ == "__main__":
    main()
