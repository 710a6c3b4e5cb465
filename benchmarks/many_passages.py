"""An evaluation whose passages are more than memory holds: from JSON Lines to the dashboard of its run.

    python benchmarks/many_passages.py task OUT.jsonl [--ids 1000000] [--queries 400]
    python benchmarks/many_passages.py run OUT.jsonl [--encoder static-small]

`task` writes a parallel task in three languages, of made-up words, the same for every call: the first of its ids have
a query. `run` evaluates it in a process of its own and prints the seconds of each phase, what was resident at most
(`VmHWM`), and how much of that was no page of a file (`RssAnon`, looked at while it runs); then it opens the run in the
dashboard, in a pseudo-terminal of 80×24. Ranks alone, from a file: `benchmarks/file_ranks.py`.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
from dashboard import Terminal

LANGUAGES = ("de", "en", "es")
_WORDS = 40_000
_PASSAGE, _QUERY = 16, 5  # words
_WRITTEN = 10_000  # ids at a time


def write_task(path: Path, n_ids: int, n_queries: int) -> None:
    """Write ids with a passage in each language, made of that language's words for the same ideas; some share names."""
    rng = np.random.default_rng(0)
    syllables = np.array([a + b for a in "bdfgklmnprstvz" for b in "aeiou"])
    words = {
        tag: np.array(["".join(syllables[w]) for w in rng.integers(0, len(syllables), (_WORDS, 3))])
        for tag in LANGUAGES
    }
    shared = rng.random(_WORDS) < 0.1  # names and numbers, the same in all languages
    for tag in LANGUAGES[1:]:
        words[tag][shared] = words[LANGUAGES[0]][shared]
    with path.open("w", encoding="utf-8") as file:
        for start in range(0, n_ids, _WRITTEN):
            n = min(_WRITTEN, n_ids - start)
            ideas = np.minimum(rng.zipf(1.3, (n, _PASSAGE)) - 1, _WORDS - 1)
            rare = rng.integers(0, _WORDS, (n, _PASSAGE))
            ideas = np.where(rng.random((n, _PASSAGE)) < 0.5, ideas, rare)
            for row in range(n):
                for tag in LANGUAGES:
                    line = {"id": f"{start + row:08d}", "language": tag, "passage": " ".join(words[tag][ideas[row]])}
                    if start + row < n_queries:
                        line["query"] = " ".join(words[tag][ideas[row, -_QUERY:]])
                    file.write(json.dumps(line, ensure_ascii=False) + "\n")


def watched(pid: int) -> dict[str, int]:
    """Return the resident sizes of a process, in MB."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return {}
    return {
        name: int(line.split()[1]) >> 10
        for line in lines
        if (name := line.partition(":")[0]) in ("VmHWM", "RssAnon", "RssFile")
    }


def run_whole(path: Path, encoder: str, folder: Path, extra: list[str]) -> None:
    """Evaluate the task in a process of its own, and print what each phase took."""
    out = folder / "run.parquet"
    command = [
        sys.executable,
        "-P",
        "-m",
        "xlbias",
        "evaluate",
        encoder,
        "--task",
        f"parallel:{path}",
        "--out",
        str(out),
    ]
    began = time.time()
    process = subprocess.Popen([*command, "--overwrite", *extra], env=os.environ | {"XLBIAS_CACHE": str(folder)})
    most: dict[str, int] = {}
    phases: dict[str, list[float]] = {}
    while process.poll() is None:
        for name, size in watched(process.pid).items():
            most[name] = max(most.get(name, 0), size)
        try:
            phase = json.loads((folder / "run.parquet.live" / "progress.json").read_text())["phase"]
        except (OSError, ValueError):
            phase = "reading, or finishing"
        now = time.time() - began
        phases.setdefault(phase, [now, now, 0])[1] = now
        phases[phase][2] = max(phases[phase][2], watched(process.pid).get("RssAnon", 0))
        time.sleep(0.2)
    for phase, (first, last, anon) in phases.items():
        print(f"{first:8.1f} to {last:8.1f} s  RssAnon {anon:5.0f} MB  {phase}")
    cpu = os.times()
    print(f"{time.time() - began:.1f} s, {cpu.children_user + cpu.children_system:.1f} of a processor")
    print(f"at most, MB: {most}; run file {out.stat().st_size >> 20 if out.exists() else None} MB")
    if process.returncode:
        raise SystemExit(f"the evaluation has failed with exit code {process.returncode}")
    screen = Terminal(out, str(folder))
    _, seconds, _ = screen.until(lambda text: Path(encoder).name in text)
    print(f"dashboard: first screen after {seconds:.1f} s, {screen.processor:.1f} of a processor, {screen.peak:.0f} MB")
    screen.end()


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    task = commands.add_parser("task")
    task.add_argument("path", type=Path)
    task.add_argument("--ids", type=int, default=1_000_000)
    task.add_argument("--queries", type=int, default=400)
    run = commands.add_parser("run")
    run.add_argument("path", type=Path)
    run.add_argument("--encoder", default="static-small")
    run.add_argument("--folder", type=Path, help="where the run and the vectors go; by default beside the task")
    run.add_argument("extra", nargs="*")
    options = parser.parse_args()
    if options.command == "task":
        write_task(options.path, options.ids, options.queries)
    else:
        folder = options.folder or options.path.parent
        folder.mkdir(exist_ok=True, parents=True)
        run_whole(options.path, options.encoder, folder, options.extra)


if __name__ == "__main__":
    main()
