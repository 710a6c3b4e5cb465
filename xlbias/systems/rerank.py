"""The first passages of a run re-ranked by a cross-encoder, as a run of its own to compare with the first."""

from __future__ import annotations

import hashlib
import json
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from xlbias._version import __version__
from xlbias.cells import TopOf
from xlbias.choices import listed, suggestion
from xlbias.errors import RunError, UsageError
from xlbias.narration import Narrator, Silent
from xlbias.progress import Course, Report, Step
from xlbias.results.binding import BOUND, COLUMN, digest_of
from xlbias.results.run import Run, open_run
from xlbias.results.summary import CONFIDENCE, INTERVAL, summarise
from xlbias.runs.journal import Journal
from xlbias.runs.parts import slug, task_key, with_columns
from xlbias.runs.run_info import TaskInfo
from xlbias.runs.schema import COLUMNS, MULTILINGUAL_POOL, OF_RECORD, SCHEMA_VERSION
from xlbias.systems.cross_encoder import CrossEncoderScorer, PairScorer
from xlbias.systems.reordered import reordered, too_short
from xlbias.versions import package_versions

DEFAULT_TOP = 100

QUERIES_A_PART = 64
"""Queries whose lists are re-ranked before they are written: what a killed command repeats."""

_RANKING = {name: COLUMNS[name] for name in OF_RECORD["ranking"]}
_SECONDS_A_PAIR = 0.002


def rerank(
    run: Run | str | Path,
    encoder: str | PairScorer,
    out: str | Path | None = None,
    *,
    top: int = DEFAULT_TOP,
    top_of: TopOf = "all",
    model: str | None = None,
    device: str | None = None,
    batch_size: int = 32,
    resume: bool = False,
    overwrite: bool = False,
    narrator: Narrator | None = None,
) -> Run:
    """Return a run in which a cross-encoder has ordered the first passages of each ranking of `run` anew.

    Passages below them keep their ranks, so that all ranks are exact where those of `run` are. The new system is called
    ``FIRST + CROSS-ENCODER``.

    Args:
        run: what has kept enough passages of each ranking, see ``evaluate(top_k=...)``.
        encoder: folder or hub name of a cross-encoder of sentence-transformers, or what scores pairs.
        out: path of the run file; by default a temporary one that the operating system may remove.
        top: how many passages of each ranking are re-ranked.
        top_of: whether rankings of all pools are, or only of the ``multilingual`` one; then the new run has no others.
        model: whose rankings, where the run has several encoders.
        device: torch device for the cross-encoder; by default the best there is.
        batch_size: pairs scored at a time.
        resume: go on with an unfinished run at `out`.
        overwrite: replace what is at `out`.
        narrator: told about progress.

    Raises RunError where the run keeps too few passages, or is not finished; EncoderError where the cross-encoder
    cannot be used. If the process is killed, what was finished stays in the journal beside `out`.
    """
    first = run if isinstance(run, Run) else open_run(run)
    if top < 1:
        raise UsageError(f"top is {top}; expected at least 1")
    if first.state.status != "finished":
        raise RunError(f"{first.path}: is not finished: finish it with its own command and --resume")
    name = _model(first, model)
    _check_kept(first, name, top, top_of)
    narrator = narrator or Silent()
    if isinstance(encoder, str):
        narrator.say(f"{encoder}: loading")
    scorer = CrossEncoderScorer(encoder, device=device, batch_size=batch_size) if isinstance(encoder, str) else encoder
    path = Path(out) if out is not None else Path(tempfile.mkdtemp(prefix="xlbias-")) / "run.parquet"
    about = _about(first, name, scorer, top)
    content = [SCHEMA_VERSION, about["fingerprint"], top, top_of]
    identity = hashlib.sha256(json.dumps(content).encode()).hexdigest()
    metadata = {
        "created": time.time(),
        "xlbias": __version__,
        "command": [Path(sys.argv[0]).name, *sys.argv[1:]],
        "versions": package_versions(),
        "top_k": top,
        "top_of": top_of,
        "approximate": False,
        "statistics": {"interval": INTERVAL, "confidence": CONFIDENCE, "seed": 0},
        "models": [about],
        "tasks": first.metadata["tasks"],
    }
    opened = Journal.open(path, metadata, identity=identity, resume=resume, overwrite=overwrite)
    with opened as journal, narrator.watch() as show:
        if journal.finished:
            narrator.say(f"{path}: is finished already; nothing is scored again")
        else:
            _Work(journal, first, name, about["name"], scorer, top, top_of, [show, journal.tell]).do()
        journal.finish()
    return open_run(path)


class _Work:
    """The work of one re-ranking: which parts there are, and how each is made."""

    def __init__(
        self,
        journal: Journal,
        first: Run,
        name: str,
        called: str,
        scorer: PairScorer,
        top: int,
        top_of: TopOf,
        listeners: list[Any],
    ) -> None:
        self.journal, self.first, self.name, self.called = journal, first, name, called
        self.scorer, self.top, self.top_of = scorer, top, top_of
        steps: list[Step] = []
        for task in first.tasks:
            n_queries = sum(task.n_queries.values())
            n_pools = len(_pools(task, top_of))
            steps.append(Step(("score", task.name), "score", called, n_queries * n_pools * top * _SECONDS_A_PAIR))
            steps.append(Step(("numbers", task.name), "numbers", called, 1e-4 * n_queries * n_pools + 0.2))

        def tell(report: Report) -> None:
            for listener in listeners:
                listener(report)

        self.course = Course(steps, tell)

    def do(self) -> None:
        """Make all parts that are not there yet."""
        for t, task in enumerate(self.first.tasks):
            for record, rows in (("query", self.first.queries), ("passage", self.first.passages)):
                if not self.journal.has(record, f"{t:03d}"):
                    self.journal.write(record, f"{t:03d}", rows.filter(pl.col("task") == task.name).collect())
            keys = self._score(t, task)
            self._summarise(t, task, keys)

    def _score(self, t: int, task: TaskInfo) -> list[str]:
        of_task = pl.col("task") == task.name
        pools = _pools(task, self.top_of)
        rankings = self.first.rankings.filter(of_task & (pl.col("model") == self.name) & pl.col("pool").is_in(pools))
        queries = self.first.queries.filter(of_task).select("query_id", "language", "text").collect()
        texts = {(query_id, language): text for query_id, language, text in queries.iter_rows()}
        passages = self.first.passages.filter(of_task).select("passage_id", "language", "text").collect()
        text_of = dict(passages.select("passage_id", "text").iter_rows())
        language_of = dict(passages.select("passage_id", "language").iter_rows())
        keys = []
        phase = f"{self.called} · {task.name}: scoring"
        with self.course.stage(("score", task.name), phase, queries.height, "queries") as stage:
            for b, part in enumerate(_parts(queries)):
                key = f"{slug(self.called)}-{t:03d}-{b:05d}"
                keys.append(key)
                there = self.journal.has("ranking", key)
                if not there:
                    chosen = part.select("query_id", query_language="language").lazy()
                    found = rankings.join(chosen, on=["query_id", "query_language"], how="semi").collect()
                    self.journal.write("ranking", key, self._reordered(found, texts, text_of, language_of))
                stage.advance(part.height, measured=not there)
        return keys

    def _reordered(
        self,
        found: pl.DataFrame,
        texts: Mapping[tuple[str, str], str],
        text_of: Mapping[str, str],
        language_of: Mapping[str, str],
    ) -> pl.DataFrame:
        rows = found.to_dicts()
        pairs: dict[tuple[str, str, str], float] = {}
        for row in rows:
            for one in (row["top"] or ())[: self.top]:
                pairs[row["query_id"], row["query_language"], one["passage_id"]] = 0.0
        wanted = list(pairs)
        scores: npt.NDArray[np.float32] = np.empty(0, dtype=np.float32)
        if wanted:
            scores = self.scorer.score([(texts[q, language], text_of[p]) for q, language, p in wanted])
        if len(scores) != len(wanted):
            raise RunError(f"{self.scorer.name}: gave {len(scores)} scores for {len(wanted)} pairs")
        for pair, score in zip(wanted, scores, strict=True):
            if not abs(float(score)) < float("inf"):
                raise RunError(f"{self.scorer.name}: the score of query {pair[0]!r} and passage {pair[2]!r} is {score}")
            pairs[pair] = float(score)
        made = []
        for row in rows:
            of_row = {
                one["passage_id"]: pairs[row["query_id"], row["query_language"], one["passage_id"]]
                for one in (row["top"] or ())[: self.top]
            }
            made.append({**reordered(row, of_row, self.top, language_of), "model": self.called})
        return pl.DataFrame(made, schema=_RANKING, orient="row")

    def _summarise(self, t: int, task: TaskInfo, keys: list[str]) -> None:
        key = task_key(self.called, t)
        with self.course.stage(("numbers", task.name), f"{self.called} · {task.name}: every number with its interval"):
            if not self.journal.has("summary", key):
                bound = pl.concat([self.journal.read("ranking", one, list(BOUND)) for one in keys])
                summary = summarise(bound, task.pool_sizes).with_columns(pl.lit(digest_of(bound)).alias(COLUMN))
                about = {"model": self.called, "task": task.name, "domain": task.domain}
                self.journal.write("summary", key, with_columns(summary, about))


def _pools(task: TaskInfo, top_of: TopOf) -> list[str]:
    return [MULTILINGUAL_POOL] if top_of == "multilingual" else [*sorted(task.pool_sizes), MULTILINGUAL_POOL]


def _parts(queries: pl.DataFrame) -> Iterator[pl.DataFrame]:
    for language in queries["language"].unique().sort():
        rows = queries.filter(pl.col("language") == language)
        yield from (rows[start : start + QUERIES_A_PART] for start in range(0, rows.height, QUERIES_A_PART))


def _model(run: Run, wanted: str | None) -> str:
    names = [model.name for model in run.models]
    if wanted is None and len(names) == 1:
        return names[0]
    if wanted not in names:
        asked = f"no encoder {wanted!r}{suggestion(wanted, names)}" if wanted else "several encoders"
        raise RunError(f"{run.path}: {asked}; name one with --model, of {listed(names)}")
    return wanted


def _check_kept(run: Run, name: str, top: int, top_of: TopOf) -> None:
    """Raise RunError where a list is shorter than what is to be re-ranked."""
    for task in run.tasks:
        rankings = run.rankings.filter((pl.col("model") == name) & (pl.col("task") == task.name))
        kept = too_short(rankings, task.pool_sizes, top, _pools(task, top_of))
        if kept is not None:
            pools = "the multilingual pool" if top_of == "multilingual" else "every pool"
            raise RunError(
                f"{run.path}: keeps {kept:,} passages of a ranking; to re-rank {top:,} of {pools}, evaluate or "
                f"import with --top-k {top}, or take --top {max(kept, 1)}"
            )


def _about(first: Run, name: str, scorer: PairScorer, top: int) -> dict[str, Any]:
    before = next(model for model in first.metadata["models"] if model["name"] == name)
    system = dict(before.get("system") or {}) | {"first": name, "reranked": top, "reranker": scorer.name}
    content = [before.get("fingerprint"), first.metadata.get("run_id"), scorer.fingerprint, top]
    return {
        "name": f"{name} + {scorer.name}",
        "fingerprint": hashlib.sha256(json.dumps(content).encode()).hexdigest(),
        "similarity": None,
        "card": {},
        "system": system,
    }
