"""Where a study keeps what it makes, and which of its steps are done: a look at the files, without any model."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from xlbias.encode.card import TRAINING_FILE, read_card
from xlbias.errors import UsageError, XlbiasError
from xlbias.results.run import open_run
from xlbias.runs.journal import live_folder
from xlbias.study.plan import Plan

Kind = Literal["train", "evaluate"]
KINDS: tuple[Kind, ...] = ("train", "evaluate")


@dataclass(frozen=True)
class Step:
    """One step of a study: an encoder trained, or evaluated."""

    kind: Kind
    encoder: str


@dataclass(frozen=True)
class Layout:
    """The folder of a study."""

    folder: Path

    @property
    def run(self) -> Path:
        """The merged run of all encoders."""
        return self.folder / "run.parquet"

    @property
    def report(self) -> Path:
        """The report of the merged run."""
        return self.folder / "report.md"

    def encoder(self, name: str) -> Path:
        """The folder of one encoder."""
        return self.folder / "encoders" / name

    def run_of(self, name: str) -> Path:
        """The run of one encoder."""
        return self.folder / "runs" / f"{name}.parquet"

    def check(self) -> None:
        """Raise UsageError unless the folder is new, empty, or that of a study."""
        if self.folder.exists() and not self.folder.is_dir():
            raise UsageError(f"{self.folder}: is a file; expected the name of a folder")
        ours = (self.folder / "encoders", self.folder / "runs", self.run, live_folder(self.run))
        if self.folder.is_dir() and any(self.folder.iterdir()) and not any(path.exists() for path in ours):
            raise UsageError(f"{self.folder}: holds something else than a study: choose another folder with --out")

    def make(self) -> None:
        """Make the folders that are not there yet."""
        for name in ("encoders", "runs"):
            (self.folder / name).mkdir(parents=True, exist_ok=True)

    def done(self, step: Step) -> bool:
        """Whether the step is finished, whatever plan it was made with."""
        try:
            if step.kind == "evaluate":
                return open_run(self.run_of(step.encoder)).state.status == "finished"
            folder = self.encoder(step.encoder)
            return bool(read_card(folder)) and open_run(folder / TRAINING_FILE).state.status == "finished"
        except XlbiasError:  # not there, or damaged: the step itself says what is wrong
            return False


def steps_of(plan: Plan, kinds: Collection[Kind] = KINDS) -> list[Step]:
    """Return the steps of a study in their order: every encoder is evaluated as soon as it is trained."""
    return [Step(kind, encoder.name) for encoder in plan.encoders() for kind in KINDS if kind in kinds]
