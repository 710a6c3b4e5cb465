"""The dashboard on a run of 10 million rankings: how quickly it answers, what it sends, and what memory it takes.

    python benchmarks/dashboard.py [RUN]

Without a run, such as one that was kept of an earlier time, one is made up first, which takes some minutes: two
encoders, one task of twenty languages, through the journal and with its summary, in a temporary folder. The dashboard
runs in a pseudo-terminal of 80×24.
"""

from __future__ import annotations

import os
import re
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pexpect
import polars as pl
import pyarrow as pa
import pyte

from xlbias.results.per_query import RANKED
from xlbias.results.summary import summarise
from xlbias.runs.journal import Journal
from xlbias.runs.schema import MULTILINGUAL_POOL, RELEVANT, TOP, setting_of

LANGUAGES = "ar bn de el en es fi fr he hi id ja ko ru sw ta th tr vi zh".split()
POOLS = [*LANGUAGES, MULTILINGUAL_POOL]
MODELS = ("base", "hybrid")
TASK = "made-up"
N_IDS = 11_905  # 2 encoders × 20 query languages × 21 pools of them: 10,000,200 rankings
TOP_K = 10
BLOCK = 2048

_WORDS = "war peace river война мир река lumière étoile 戦争 平和 युद्ध शांति สงคราม حرب سلام πόλεμος 강 שלום vita".split()


# -- the run ---------------------------------------------------------------------------------------------------------


def make_run(path: Path, n_ids: int = N_IDS) -> None:
    """Write a run of 840 × `n_ids` rankings to `path`."""
    ids = [f"56beb434{i:016x}" for i in range(n_ids)]
    sizes = dict.fromkeys(LANGUAGES, n_ids)
    task = {
        "name": TASK, "domain": "none", "source": "made up", "licence": "none", "fingerprint": "0" * 64,
        "n_ids": n_ids, "n_queries": sizes, "pool_sizes": sizes, "n_pairs": n_ids * len(LANGUAGES) ** 2,
    }  # fmt: skip
    models = [{"name": name, "fingerprint": "0" * 64, "dimension": 384, "card": {}} for name in MODELS]
    about = {"models": models, "tasks": [task], "command": ["benchmarks/dashboard.py"], "versions": {}, "device": "cpu"}
    with Journal.open(path, about, identity="benchmark", overwrite=True) as journal:
        for record, name in (("query", "query_id"), ("passage", "passage_id")):
            journal.write(record, "000-00000", _texts(ids, name))
        for m, model in enumerate(MODELS):
            rng = np.random.default_rng(m)
            keys = []
            for number, language in enumerate(LANGUAGES):
                for block, start in enumerate(range(0, n_ids, BLOCK)):
                    keys.append(f"{m:03d}-000-{number:03d}{block:03d}")
                    frame = _rankings(rng, ids, slice(start, start + BLOCK), language, 1.0 + 0.3 * (1 - m))
                    journal.write("ranking", keys[-1], frame.with_columns(*_about(model)))
            rankings = pl.concat([journal.read("ranking", key, list(RANKED)) for key in keys])
            journal.write(
                "summary", f"{m:03d}-000", summarise(rankings, sizes, intervals=False).with_columns(*_about(model))
            )
        journal.finish()


def _about(model: str) -> tuple[pl.Expr, ...]:
    return pl.lit(model).alias("model"), pl.lit(TASK).alias("task"), pl.lit("none").alias("domain")


def _texts(ids: list[str], name: str) -> pl.DataFrame:
    """Return texts of some ten words for every id in every language."""
    rng = np.random.default_rng(7)
    n = len(ids) * len(LANGUAGES)
    words = pl.DataFrame({f"w{i}": pl.Series(_WORDS)[rng.integers(0, len(_WORDS), n)] for i in range(10)})
    text = words.select(pl.concat_str(pl.all(), separator=" "))["w0"]
    language = pl.Series(LANGUAGES)[np.repeat(np.arange(len(LANGUAGES)), len(ids))]
    names = pl.Series(ids)[np.tile(np.arange(len(ids)), len(LANGUAGES))]
    frame = pl.DataFrame({"language": language, name: names, "text": text})
    if name == "passage_id":
        frame = frame.with_columns(pl.format("{}/{}", "language", name).alias(name))
    return frame.with_columns(pl.lit(TASK).alias("task"), pl.lit("none").alias("domain"))


def _rankings(rng: np.random.Generator, ids: list[str], part: slice, asked: str, hardness: float) -> pl.DataFrame:
    """Return the rankings of a block of queries of one language: one relevant passage a pool, in all pools together
    one of each language, with ranks that lie the further back the further apart the languages stand in the list.
    """
    names, total = pl.Series(ids[part]), len(ids)
    n, k = len(names), len(LANGUAGES)
    apart = np.abs(np.arange(k) - LANGUAGES.index(asked)) / k
    single = np.exp(rng.exponential(hardness * (0.4 + 1.5 * apart), (n, k))).clip(1, total).astype(np.int64)
    united = np.sort(np.cumsum(np.floor(np.exp(rng.exponential(hardness, (n, k)))).clip(1, total), axis=1), axis=1)
    united = united.astype(np.int64)
    order = np.argsort(apart + rng.normal(0, 0.2, (n, k)), axis=1)
    ranks = np.concatenate([single, united], axis=1)  # [n, 2k]: k lists of one, and one of k
    languages = np.concatenate([np.tile(np.arange(k), (n, 1)), order], axis=1)
    flat = pl.DataFrame(
        {"id": np.repeat(np.arange(n), 2 * k), "code": languages.reshape(-1), "rank": ranks.reshape(-1)}
    )
    relevants = flat.select(
        pl.concat_str(pl.Series(LANGUAGES)[flat["code"]], pl.lit("/"), names[flat["id"]]).alias("passage_id"),
        pl.Series(LANGUAGES)[flat["code"]].alias("language"),
        names[flat["id"]].alias("parallel_id"),
        pl.lit(1, pl.Int32).alias("relevance"),
        pl.col("rank").cast(pl.UInt32),
        (1.0 / (pl.col("rank") + 1)).cast(pl.Float32).alias("score"),
        pl.lit(0, pl.UInt32).alias("tied_before"),
        pl.lit(0, pl.UInt32).alias("tied_after"),
    )
    lengths = np.tile([1] * k + [k], n)
    shown = rng.integers(0, k, (n, TOP_K)).reshape(-1)
    first = pl.DataFrame({"language": pl.Series(LANGUAGES)[shown], "id": names[np.repeat(np.arange(n), TOP_K)]})
    tops = first.select(
        pl.format("{}/{}", "language", "id").alias("passage_id"),
        "language",
        pl.Series("score", np.tile(np.linspace(0.9, 0.5, TOP_K, dtype=np.float32), n)),
    )
    precisions = np.arange(1, k + 1) / united
    return pl.DataFrame(
        {
            "query_id": names[np.repeat(np.arange(n), k + 1)],
            "query_language": pl.repeat(asked, n * (k + 1), eager=True),
            "pool": pl.Series(POOLS)[np.tile(np.arange(k + 1), n)],
            "setting": pl.Series([setting_of(asked, pool) for pool in POOLS])[np.tile(np.arange(k + 1), n)],
            "n_relevant": lengths.astype(np.uint32),
            "ap": np.concatenate([1 / single, precisions.mean(axis=1, keepdims=True)], axis=1).reshape(-1),
            "first_rank": np.concatenate([single, united[:, :1]], axis=1).reshape(-1).astype(np.uint32),
            "last_rank": np.concatenate([single, united[:, -1:]], axis=1).reshape(-1).astype(np.uint32),
            "relevants": _lists(relevants, lengths, pl.List(RELEVANT)),
            "top": _lists(tops, np.tile([0] * k + [TOP_K], n), pl.List(TOP)),
        }
    )  # fmt: skip


def _lists(rows: pl.DataFrame, lengths: np.ndarray, dtype: Any) -> pl.Series:
    """Return rows as lists of structs, of these lengths."""
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    structs = rows.to_struct().to_arrow()
    return pl.Series(pl.from_arrow(pa.LargeListArray.from_arrays(pa.array(offsets), structs))).cast(dtype)


# -- the dashboard ---------------------------------------------------------------------------------------------------


class Terminal:
    """A dashboard in a pseudo-terminal: how soon it answers, and with how many bytes."""

    def __init__(self, run: Path, state: str) -> None:
        self.screen = pyte.Screen(80, 24)
        self.stream = pyte.ByteStream(self.screen)
        env = {**os.environ, "TERM": "xterm-256color", "COLORTERM": "truecolor", "XDG_STATE_HOME": state}
        self.started = time.perf_counter()
        command = ["-m", "xlbias", "dashboard", str(run)]
        self.child = pexpect.spawn(sys.executable, command, dimensions=(24, 80), env=env)

    @property
    def text(self) -> str:
        """What the screen shows."""
        columns, lines = range(self.screen.columns), range(self.screen.lines)
        return "\n".join("".join(self.screen.buffer[y][x].data for x in columns) for y in lines)

    def until(self, shown: Callable[[str], bool], seconds: float = 60.0) -> tuple[float, float, int]:
        """Read until the screen shows something; return seconds to the first change, to that, and the bytes so far.

        Bytes that change nothing on the screen, such as another shape of the mouse pointer, are no answer.
        """
        begun, first, sent, before = time.perf_counter(), 0.0, 0, self.text
        while not shown(self.text):
            now = time.perf_counter() - begun
            if now > seconds:
                raise SystemExit(f"the dashboard shows something else:\n{self.text}")
            try:
                got = self.child.read_nonblocking(1 << 16, timeout=0.5)
            except pexpect.TIMEOUT:
                continue
            arrived = time.perf_counter() - begun
            sent += len(got)
            # pyte knows neither the kitty protocol nor private pointer shapes
            self.stream.feed(re.sub(rb"\x1b\[[>=<][0-9;]*[a-zA-Z]|\x1b\]22;[^\x07]*\x07|\x1b\[\?[0-9;]*\$p", b"", got))
            if not first and self.text != before:
                first = arrived
        return first, time.perf_counter() - begun, sent

    def settle(self) -> int:
        """Read until nothing more comes; return the bytes."""
        sent = 0
        while True:
            try:
                sent += len(got := self.child.read_nonblocking(1 << 16, timeout=0.4))
            except pexpect.TIMEOUT:
                return sent
            self.stream.feed(got)

    def ask(self, keys: str, shown: Callable[[str], bool]) -> tuple[float, float, int]:
        """Press keys, and read until the screen shows something and nothing more comes."""
        self.child.send(keys)
        first, whole, sent = self.until(shown)
        return first, whole, sent + self.settle()

    def end(self) -> None:
        """End the dashboard, however long a busy machine takes for it."""
        self.child.kill(signal.SIGKILL)
        self.child.wait()
        self.child.close()

    @property
    def peak(self) -> float:
        """Most memory that the process has held, in MB."""
        status = Path(f"/proc/{self.child.pid}/status").read_text("ascii")
        return int(status.partition("VmHWM:")[2].split()[0]) / 1000

    @property
    def processor(self) -> float:
        """Seconds of processors that the process has taken."""
        fields = Path(f"/proc/{self.child.pid}/stat").read_text("ascii").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def drive(run: Path) -> None:
    """Go through the screens, and print a table."""
    rows = []

    def rest(line: str) -> Callable[[str], bool]:
        return lambda text: line in text and "reading" not in text

    with tempfile.TemporaryDirectory() as state:
        terminal = Terminal(run, state)
        _, seconds, sent = terminal.until(lambda text: MODELS[1] in text)
        rows.append(("first screen", seconds, seconds, sent + terminal.settle(), terminal.peak, 2.0))

        def step(name: str, keys: str, shown: Callable[[str], bool], budget: float = 0.1) -> None:
            rows.append((name, *terminal.ask(keys, shown), terminal.peak, budget))

        def filtered(text: str) -> None:
            """Filter by a line: Enter is what is timed, not the typing."""
            terminal.ask("/", lambda text: "filter" in text)
            terminal.ask("\x15" + text, lambda shown: text in shown)
            step(f"filter {text}", "\r", lambda shown: f" {text} " in line_two(shown) and " rows" in shown)

        def line_two(shown: str) -> str:
            line = shown.split("\n")[1]
            return "" if "reading" in line else line + " "

        def changed(name: str, keys: str) -> None:
            before = terminal.text
            step(name, keys, lambda text: text != before)

        step("matrix (2)", "2", rest("on made-up"))
        step("queries (5)", "5", rest(" rows"))
        found = re.search(r"of ([0-9,]+) rows", terminal.text)
        assert found is not None
        n = int(found[1].replace(",", "")) // len(LANGUAGES)
        terminal.ask("\x04", lambda text: True)
        changed("page down", "\x04")
        changed("last row (G)", "G")
        step("sort (s)", "s", rest("▼first"))
        filtered("q:hi d:en")
        filtered("ap<0.1")
        filtered("set:cross")
        step(f"sort {n * 380:,} rows (S)", "S", rest("▲first"))
        terminal.ask("\x04", lambda text: True)
        changed("page down", "\x04")
        filtered("set:cross ap<0.01 rank>200")
        filtered("set:cross война -мир")
        filtered("q:th set:cross rank>200")
        step("drill-down (Enter)", "\r", lambda text: "6 Query" in text and "score" in text)
        changed("next query (l)", "l")
        step("back (Esc)", "\x1b", rest("5 Queries"))
        terminal.child.sendline("q")
        terminal.end()
    head = ("", "answers s", "there s", "budget s", "bytes", "peak MB")
    print(("| " + " | ".join(head) + " |").replace("|  |", "| step |"))
    print("|---|" + "---:|" * 5)
    for name, first, whole, sent, peak, budget in rows:
        missed = " ✖" if first > budget or sent > 30_000 else ""
        print(f"| {name}{missed} | {first:.3f} | {whole:.3f} | {budget:.1f} | {sent:,} | {peak:,.0f} |")
    print("\nbudgets: answers in that time, at most 30,000 bytes; ✖ where one is missed")


def main() -> None:
    if len(sys.argv) > 1:
        drive(Path(sys.argv[1]))
        return
    with tempfile.TemporaryDirectory() as folder:
        run = Path(folder) / "run.parquet"
        started = time.perf_counter()
        make_run(run)
        n = len(MODELS) * len(LANGUAGES) * len(POOLS) * N_IDS
        seconds = time.perf_counter() - started
        print(f"{n:,} rankings, {run.stat().st_size / 1e6:,.0f} MB, made in {seconds:.0f} s\n", flush=True)
        drive(run)


if __name__ == "__main__":
    main()
