"""Compiles what an evaluation compiles and keeps it, run as a script while workers start: each would compile it all."""

from pathlib import Path
from tempfile import TemporaryDirectory

from support import make_task, make_vectors

from xlbias.evaluation import evaluate

if __name__ == "__main__":
    task = make_task(n_ids=3)
    with TemporaryDirectory() as folder:
        evaluate(make_vectors(task), task, Path(folder) / "run.parquet")
