"""Golden pictures: screens as text, kept beside the tests; rewritten by XLBIAS_UPDATE_GOLDEN=1, and looked at."""

import os
from pathlib import Path

from dashboard.made import screen_lines

from xlbias.dashboard.app import DashboardApp

FOLDER = Path(__file__).parent / "screens" / "golden"


def picture(app: DashboardApp) -> str:
    """What is on the screen below the header, which names a folder of the test's own."""
    return "\n".join(screen_lines(app)[1:]) + "\n"


def assert_golden(shown: dict[str, str], size: tuple[int, int], theme: str = "") -> None:
    """Compare pictures with those that are kept, by name, size and theme.

    Only the theme without colour has its own: colours do not change what is said.
    """
    for name, lines in shown.items():
        golden = FOLDER / f"{name}-{size[0]}x{size[1]}{'-none' if theme == 'none' else ''}.txt"
        if os.environ.get("XLBIAS_UPDATE_GOLDEN"):
            golden.write_text(lines, "utf-8")
        assert lines == golden.read_text("utf-8"), name
