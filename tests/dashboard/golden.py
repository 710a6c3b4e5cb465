"""Golden pictures: screens as SVG, kept beside the tests; renewed by XLBIAS_UPDATE_GOLDEN=1, and looked at."""

import os
from itertools import zip_longest
from pathlib import Path

from dashboard.idle import rested
from dashboard.made import text_on, until
from textual.pilot import Pilot

from xlbias.dashboard.terminal.screenshot import as_svg, lines_of

FOLDER = Path(__file__).parent / "golden"


class Album:
    """Pictures of screens in one theme and size, each compared with the one that is kept."""

    def __init__(self, theme: str, size: tuple[int, int]) -> None:
        self.folder = FOLDER / f"{theme}-{size[0]}x{size[1]}"
        self.taken: set[str] = set()
        self.wrong: list[str] = []

    async def take(self, pilot: Pilot, name: str) -> None:
        """Take a picture of what is on the screen once all is there that it puts off for a moment."""
        await rested(pilot.app)
        await until(pilot, lambda: "comparing …" not in text_on(pilot.app))
        await rested(pilot.app)
        self._compare(f"{name}.svg", as_svg(lines_of(pilot.app), name))

    def _compare(self, name: str, drawn: str) -> None:
        self.taken.add(name)
        golden = self.folder / name
        if os.environ.get("XLBIAS_UPDATE_GOLDEN"):
            golden.parent.mkdir(parents=True, exist_ok=True)
            golden.write_text(drawn, "utf-8")
        kept = golden.read_text("utf-8").splitlines() if golden.exists() else []
        for number, (is_, was) in enumerate(zip_longest(drawn.splitlines(), kept, fillvalue="(nothing)"), 1):
            if is_ != was:
                self.wrong.append(f"{golden}:{number}\n    kept  {was}\n    drawn {is_}")
                return

    def close(self) -> None:
        """Fail if a picture is not as it was kept, or is kept and was not taken."""
        old = [golden for golden in sorted(self.folder.glob("*")) if golden.name not in self.taken]
        if os.environ.get("XLBIAS_UPDATE_GOLDEN"):
            for golden in old:
                golden.unlink()
            old = []
        wrong = [*self.wrong, *(f"{golden}: is not taken any more" for golden in old)]
        assert not wrong, f"{len(wrong)} of {len(self.taken)} pictures:\n" + "\n".join(wrong)
