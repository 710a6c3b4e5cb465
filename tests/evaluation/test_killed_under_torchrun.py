"""Two processes that torchrun itself has started, of which one is killed again and again; at the end one goes on.

First before they have met, while libraries are imported, and then at work.
"""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import polars as pl
import pytest

from xlbias.processes.launched import THREADS
from xlbias.runs.journal import live_folder, parts_of

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

ROOT = Path(__file__).resolve().parents[2]
TORCHRUN = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT), **dict.fromkeys(THREADS, "1")}


def words(out: Path, *more: str) -> list[str]:
    task = "builtin:calendar[languages=de,en,th,zh]"
    return ["-m", "xlbias", "evaluate", "static-small", "--task", task, "--no-cache", "--out", str(out), *more]


def workers(launcher: int) -> dict[int, int]:
    """Return the processes that a launcher has started, by rank."""
    found = {}
    for pid in Path(f"/proc/{launcher}/task/{launcher}/children").read_text().split():
        try:
            names = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
        except OSError:
            continue
        found |= {int(name[5:]): int(pid) for name in names if name.startswith(b"RANK=")}
    return found


def begun(launcher: int) -> bool:
    """Whether both processes have started the thread that answers their launcher."""
    pids = workers(launcher).values()
    return len(pids) == 2 and all(len(list(Path(f"/proc/{pid}/task").iterdir())) > 1 for pid in pids)


def gone(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


@pytest.mark.skipif(sys.platform != "linux", reason="processes are found in /proc")
def test_killed_at_every_rank_and_resumed_the_run_is_that_of_one_process(tmp_path: Path) -> None:
    whole, out = tmp_path / "whole.parquet", tmp_path / "run.parquet"
    subprocess.run([sys.executable, *words(whole)], env=ENVIRONMENT, check=True, capture_output=True)
    live = live_folder(out)
    for number, rank in enumerate((0, 1, 0, 1)):
        before = len(parts_of(live)) if live.is_dir() else 0
        said = tmp_path / f"said-{number}"
        with said.open("w") as file:
            launcher = subprocess.Popen(
                [sys.executable, *TORCHRUN, *words(out, "--resume")], env=ENVIRONMENT, stdout=file, stderr=file
            )
            while not begun(launcher.pid) if number == 0 else not live.is_dir() or len(parts_of(live)) <= before:
                assert launcher.poll() is None, said.read_text()
                time.sleep(0.01)
            pids = workers(launcher.pid)
            os.kill(pids[rank], signal.SIGKILL)
            killed = time.monotonic()
            while not gone(pids[1 - rank]):
                assert time.monotonic() - killed < 10, said.read_text()
                time.sleep(0.01)
            assert launcher.wait() == 1
        sentences = [line for line in said.read_text().splitlines() if line.startswith("xlbias: ")]
        assert len(sentences) == 1, said.read_text()
        who = rf"process {rank} of 2 \(id {pids[rank]} on .*\)" if number else "another process"
        assert re.match(rf"xlbias: {who} has ended.*: so have the others; what is finished is kept", sentences[0])
    subprocess.run([sys.executable, *words(out, "--resume")], env=ENVIRONMENT, check=True, capture_output=True)
    assert pl.read_parquet(out).equals(pl.read_parquet(whole))
