"""The screen in place of a run: it is waited for or cannot be read, and what can be done."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Static

from xlbias.dashboard import places
from xlbias.dashboard.screens.base import View
from xlbias.dashboard.workers.process import WatchedProcess
from xlbias.dashboard.workers.snapshot import Broken, Waiting
from xlbias.text import clean, one_line

_MOST_OTHERS = 6


class NoticeScreen(View):
    """One clear message in the middle of the screen."""

    PLACE = places.NOTICE

    DEFAULT_CSS = """
    NoticeScreen #notice-panel { padding: 1 3; height: 1fr; }
    NoticeScreen.-low #notice-panel { padding: 1 2; }
    """

    def content(self) -> ComposeResult:
        """The message."""
        with VerticalScroll(id="notice-panel", can_focus=False):
            yield Static(id="notice")

    def __init__(self) -> None:
        super().__init__()
        self.event: Waiting | Broken | None = None

    def show(self) -> None:
        """Say why there is no run to see."""
        super().show()
        event = self.dashboard.state.event
        if event is not None and event != self.event:
            self.event = event
            process = self.dashboard.state.process
            waits = isinstance(event, Waiting) and process is not None and process.code is None
            self.query_one("#notice", Static).update(beginning(process) if waits and process else notice(event))


def beginning(process: WatchedProcess) -> Content:
    """Return what is said while the process that makes the run has not written anything yet."""
    return Content("\n\n").join(
        [
            Content.styled(f"◌ {process.name} is starting …", "bold $text-primary"),
            Content("It loads tasks and libraries first. The run appears here as soon as it is written."),
            Content(f"Its output is written to {clean(str(process.log))}"),
        ]
    )


_AGAIN = "It is read again when it changes; press r to read it now."


def advice(event: Broken) -> list[str]:
    """Return what can be done about a run that cannot be shown, a sentence each, by what is wrong with it."""
    said = event.sentence.partition(f"{event.path}: ")[2] or event.sentence
    if said.startswith("is a folder"):
        inside = _runs_in(event.path)
        return [
            "Name the run file itself: a training's is FOLDER/training.parquet, a study's FOLDER/run.parquet.",
            *([f"In this folder: {', '.join(inside)}."] if inside else ["There is no Parquet file in this folder."]),
        ]
    if "a newer xlbias" in said:
        return ["Upgrade xlbias here, or open the run with the version that wrote it.", _AGAIN]
    if "expected Parquet" in said or "not a run of xlbias" in said or "no schema version" in said:
        return [
            "Name a run written by `xlbias evaluate`, `audit`, `train` or `study`; data sets and reports "
            "cannot be shown.",
            _AGAIN,
        ]
    if "damaged journal" in said:
        return ["The run is unfinished: start it again with the same command and --overwrite.", _AGAIN]
    if "is truncated" in said or "damaged" in said:
        return [
            "If it is still being copied, wait: it is read again when it changes.",
            "Press r to read it now.",
            "A truncated or damaged file cannot be repaired: copy it again, or run the same `xlbias evaluate` command "
            "with --overwrite.",
        ]
    return ["Check that you may read the file, and that its disk is there.", _AGAIN]


def _runs_in(folder: Path) -> list[str]:
    """Return the names of some Parquet files in a folder, cleaned."""
    try:
        return sorted(one_line(file.name, 70) for file in islice(folder.glob("*.parquet"), _MOST_OTHERS))
    except OSError:
        return []


def notice(event: Waiting | Broken) -> Content:
    """Return what is said of a run that cannot be shown; whatever comes from data in it is cleaned."""
    if isinstance(event, Broken):
        return Content("\n\n").join(
            [
                Content.styled("✖ This run cannot be shown", "bold $text-error"),
                Content(clean(event.sentence[:2000])),
                Content.styled("What you can do", "bold"),
                Content("\n".join(f"·  {line}" for line in advice(event))),
            ]
        )
    name = one_line(event.path.name, 200)
    parts = [Content.styled(f"◌ waiting for {name} …", "bold $text-primary")]
    if event.others is None:
        parts.append(Content(f"There is no folder {clean(str(event.path.parent))} yet."))
    else:
        parts.append(Content("There is no such file yet. The run appears here as soon as an evaluation writes it."))
        if event.others:
            others = [one_line(other, 70) for other in event.others[:_MOST_OTHERS]]
            more = len(event.others) - len(others)
            lines = [Content.styled("Other runs in this folder:", "bold")]
            lines += [Content(f"·  {other}") for other in others]
            lines += [Content(f"·  and {more} more")] if more else []
            parts.append(Content("\n").join(lines))
    return Content("\n\n").join(parts)
