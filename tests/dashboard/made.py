"""Tiny runs whose numbers are known without computing them: one relevant passage at a chosen rank."""

import time
import zlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import polars as pl
from dashboard.idle import PATIENCE, idle
from textual.pilot import Pilot

from xlbias.dashboard.app import DashboardApp
from xlbias.dashboard.workers.follower import Follower
from xlbias.runs.journal import Journal

LANGUAGES = ("ar", "de", "hi", "th")
N_QUERIES = 5
POOL = 100  # passages per language


def rank_of(query_language: str, pool: str) -> int:
    """Rank of the one relevant passage: 1 on the diagonal, worst towards Thai, so that mAP is 1 / rank."""
    if query_language == pool:
        return 1
    return 10 if pool == "th" else 2 if query_language == "de" else 4


def ranking_rows(model: str, task: str, query_language: str, languages=LANGUAGES, n: int = N_QUERIES) -> pl.DataFrame:
    """Return the part that an evaluation writes for one query language: every pool and the multilingual one."""
    rows = []
    for number in range(n):
        for pool in languages:
            rank = rank_of(query_language, pool)
            relevants = [_relevant(pool, number, rank)]
            rows.append(_row(model, task, number, query_language, pool, relevants))
        spread = [_relevant(language, number, 1 + 3 * i) for i, language in enumerate(languages)]
        rows.append(_row(model, task, number, query_language, "multilingual", spread))
    return pl.DataFrame(rows, infer_schema_length=None)


def _relevant(language: str, number: int, rank: int) -> dict:
    return {
        "passage_id": f"{language}-{number}", "language": language, "parallel_id": f"p{number}",
        "relevance": 1, "rank": rank, "score": 1.0 / rank,
    }  # fmt: skip


def row_of(model, task, number, query_language, pool, ranks: dict[str, int]) -> dict:
    """Return a row of one query in one pool whose one answer in each language has a known rank."""
    relevants = [_relevant(language, number, rank) for language, rank in sorted(ranks.items(), key=lambda r: r[1])]
    return _row(model, task, number, query_language, pool, relevants)


def _row(model, task, number, query_language, pool, relevants) -> dict:
    setting = "multilingual" if pool == "multilingual" else "monolingual" if pool == query_language else "cross-lingual"
    ranks = [r["rank"] for r in relevants]
    return {
        "model": model, "task": task, "domain": "test", "query_id": f"q{number}", "query_language": query_language,
        "pool": pool, "setting": setting, "n_relevant": len(relevants),
        "ap": sum((i + 1) / r for i, r in enumerate(ranks)) / len(ranks),
        "first_rank": min(ranks), "last_rank": max(ranks), "relevants": relevants,
        "top": [{"passage_id": "x", "language": "de", "score": 0.5}],
    }  # fmt: skip


def metadata(
    models=("mono", "hybrid"), tasks=("xquad-r", "mlqa"), languages=LANGUAGES, n_queries=N_QUERIES, **more
) -> dict:
    """Return a run's metadata, without dates and versions that would change."""
    return {
        "xlbias": "0.1.0",
        "command": ["xlbias", "evaluate"],
        "versions": {"python": "3.11", "torch": "2.13"},
        "device": "cpu",
        "models": [
            {"name": name, "fingerprint": "f" * 64, "dimension": 24, "similarity": "cosine",
             "card": {"sampler": name[:6], "alpha": 0.5, "seed": 7, "sources": [{"name": "ntrex"}]}}
            for name in models
        ],
        "tasks": [
            {"name": name, "domain": "test", "source": "made by the test", "licence": "none",
             "fingerprint": "e" * 48 + f"{zlib.crc32(name.encode()):016x}",
             "n_ids": n_queries, "n_queries": dict.fromkeys(languages, n_queries),
             "pool_sizes": dict.fromkeys(languages, POOL), "n_pairs": 1}
            for name in tasks
        ],
        **more,
    }  # fmt: skip


class LiveRun:
    """A run that is being written by this process, part by part."""

    def __init__(self, path: Path, *, n_queries: int = N_QUERIES, **about) -> None:
        self.about = metadata(n_queries=n_queries, **about)
        self.n_queries = n_queries
        self.languages = tuple(about.get("languages", LANGUAGES))
        self.path = path
        self.journal = Journal.open(path, self.about, identity="test", overwrite=True)

    def write(self, language: str, model: int = 0, task: int = 0) -> None:
        """Finish one query language of one model on one task."""
        names = self.about["models"][model]["name"], self.about["tasks"][task]["name"]
        number = self.languages.index(language)
        frame = ranking_rows(*names, language, self.languages, self.n_queries)
        self.journal.write("ranking", f"{model:03d}-{task:03d}-{number:05d}", frame)

    def write_all(self) -> "LiveRun":
        """Finish everything."""
        for model in range(len(self.about["models"])):
            for task in range(len(self.about["tasks"])):
                for language in self.languages:
                    self.write(language, model, task)
        return self

    def finish(self) -> Path:
        """Write the run file."""
        return self.journal.finish()


@asynccontextmanager
async def opened(
    path: Path, size=(100, 30), *, notifications=False, **options
) -> AsyncIterator[tuple[DashboardApp, Pilot]]:
    """The dashboard on `path`, once it has something to show."""
    follower = Follower(path, interval=0.02)
    follower.start()
    app = DashboardApp(follower, **options)
    async with app.run_test(size=size, notifications=notifications) as pilot:
        await until(pilot, lambda: app.state.snapshot is not None or app.state.event is not None)
        await settled(pilot)
        yield app, pilot
        await settled(pilot)  # what is still under way would meet screens that are being taken down


async def until(pilot: Pilot, condition: Callable[[], object], seconds: float = PATIENCE) -> None:
    """Wait for a condition that a thread, a process or a timer will bring about; show the screen where it does not."""
    ends = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > ends:
            raise AssertionError(f"it did not happen in {seconds:.0f} s; the screen:\n{text_on(pilot.app)}")
        await pilot.pause(0.01)


async def shows(pilot: Pilot, *texts: str, seconds: float = PATIENCE) -> None:
    """Wait until all texts are on the screen at once."""
    try:
        await until(pilot, lambda: all(text in text_on(pilot.app) for text in texts), seconds)
    except AssertionError as error:
        missing = [text for text in texts if text not in text_on(pilot.app)]
        raise AssertionError(f"not shown: {missing}; {error}") from None


async def settled(pilot: Pilot) -> None:
    """Wait until the application has nothing left to do: no message, no worker, no layout."""
    await idle(pilot.app)


async def press(pilot: Pilot, *keys: str) -> None:
    """Press keys, and let each do all that it does."""
    for key in keys:
        await pilot.press(key)
        await settled(pilot)


def text_on(app: DashboardApp) -> str:
    """The text on the screen."""
    return "\n".join(screen_lines(app))


def screen_lines(app: DashboardApp) -> list[str]:
    """The text on the screen, line by line."""
    return ["".join(segment.text for segment in strip).rstrip() for strip in app.screen._compositor.render_strips()]
