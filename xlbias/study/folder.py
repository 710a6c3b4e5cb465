"""Where a study keeps what it makes, and which of its steps are done: a look at the files, without any model."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from xlbias.encode.card import TRAINING_FILE, read_card
from xlbias.errors import UsageError, XlbiasError
from xlbias.files import make_folder
from xlbias.results.run import open_run
from xlbias.runs.journal import live_folder
from xlbias.study.steps import Step


@dataclass(frozen=True)
class StudyFolder:
    """The folder of a study, `path`."""

    path: Path

    @property
    def run(self) -> Path:
        """The merged run of all encoders."""
        return self.path / "run.parquet"

    @property
    def report(self) -> Path:
        """The report of the merged run."""
        return self.path / "report.md"

    def encoder(self, name: str) -> Path:
        """The folder of one encoder."""
        return self.path / "encoders" / name

    def run_of(self, name: str) -> Path:
        """The run of one encoder."""
        return self.path / "runs" / f"{name}.parquet"

    def check(self) -> None:
        """Raise UsageError unless the folder is new, empty, or that of a study."""
        if self.path.exists() and not self.path.is_dir():
            raise UsageError(f"{self.path}: is a file; expected the name of a folder")
        ours = (self.path / "encoders", self.path / "runs", self.run, live_folder(self.run))
        if self.path.is_dir() and any(self.path.iterdir()) and not any(one.exists() for one in ours):
            raise UsageError(f"{self.path}: holds something other than a study: choose another folder with --out")

    def make(self) -> None:
        """Make the folders that are not there yet."""
        for name in ("encoders", "runs"):
            make_folder(self.path / name)

    def done(self, step: Step) -> bool:
        """Whether the step is finished, whatever plan it was made with."""
        try:
            if step.kind == "evaluate":
                return open_run(self.run_of(step.encoder)).state.status == "finished"
            folder = self.encoder(step.encoder)
            return bool(read_card(folder)) and open_run(folder / TRAINING_FILE).state.status == "finished"
        except XlbiasError:  # not there, or damaged: the step itself says what is wrong
            return False
