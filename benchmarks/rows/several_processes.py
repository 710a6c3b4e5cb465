"""Two and four processes under torchrun against one: the same run file, and what sharing costs in processor seconds.

What each process takes to start, import and compile, and what `torchrun` takes itself, is not of the work: it is
measured with a task of a few texts, and taken off. Each process has one thread. The best of three rounds counts.

``XLBIAS_BENCH_ENCODER`` names the folder of a transformer; by default static-small, which has little to encode.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import polars as pl
from made import xquad
from row import Row, command, here, one_thread

from xlbias.data.convert import write_parallel
from xlbias.processes.launched import THREADS

GOAL = "equal results, overhead ≤ 10 %"


def rows(tiny: bool) -> Iterator[Row]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        task, small = (xquad(n, ["de", "en"]) for n in (12, 4)) if tiny else (xquad(), xquad(8))
        write_parallel(task, folder / "whole.jsonl")
        write_parallel(small, folder / "small.jsonl")
        size = f"{task.queries.height:,} queries × {task.passages.height:,} passages"
        if tiny:
            with one_thread():
                here([*_words(folder, "whole"), "--out", str(folder / "whole-1.parquet")])
            _taken(folder, "whole", 2)
            yield Row(f"2 processes against 1, {size}", GOAL, _compared(folder, 2))
            return
        rounds = [{n: _work(folder, n) for n in (1, 2, 4)} for _ in range(3)]
        alone, *several = (min(taken[n] for taken in rounds) for n in (1, 2, 4))
        for n, together in zip((2, 4), several, strict=True):
            overhead = together / alone - 1
            yield Row(
                f"{n} processes (gloo) against 1, one thread each, {size}",
                GOAL,
                f"{_compared(folder, n)}; {overhead:+.0%} of {alone:.0f} s of processors",
                overhead <= 0.1,
            )


def _work(folder: Path, n: int) -> float:
    return _taken(folder, "whole", n) - min(_taken(folder, "small", n) for _ in range(2))


def _taken(folder: Path, task: str, n: int) -> float:
    """Return the processor seconds of all processes of an evaluation, `torchrun` itself included."""
    launcher = ["-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={n}"] if n > 1 else []
    words = [*_words(folder, task), "--out", f"{task}-{n}.parquet", "--overwrite"]
    return command(words, folder, launcher=launcher, **dict.fromkeys(THREADS, "1")).processor


def _words(folder: Path, task: str) -> list[str]:
    encoder = os.environ.get("XLBIAS_BENCH_ENCODER", "static-small")
    return ["evaluate", encoder, "--task", f"parallel:{folder / task}.jsonl", "--no-cache", "--quiet"]


def _compared(folder: Path, n: int) -> str:
    """Return whether the run of so many processes is that of one, row for row. Raises SystemExit where it is not."""
    one, several = (pl.read_parquet(folder / f"whole-{number}.parquet") for number in (1, n))
    if not several.equals(one):
        raise SystemExit(f"{n} processes: the run is not that of one process")
    return "equal"
