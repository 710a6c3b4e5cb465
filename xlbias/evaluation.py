"""Zero-shot retrieval over all language pairs of all tasks with all encoders, into a run file."""

from __future__ import annotations

import hashlib
import json
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
import torch

from xlbias import __version__
from xlbias.data.task import RetrievalTask
from xlbias.encode.cache import VectorCache
from xlbias.encode.card import TRAINING_FILE, read_card
from xlbias.encode.encoder import Encoder, embed
from xlbias.encode.load import check_encoder, find_encoder, load_encoder
from xlbias.encode.precomputed import PrecomputedVectors
from xlbias.errors import EncoderError, RunError, UsageError, XlbiasError
from xlbias.narration import Counter, Narrator, Silent
from xlbias.retrieve.ranks import PassageIndex
from xlbias.retrieve.search import in_index_order, relevant_pairs, search
from xlbias.runs.journal import Journal
from xlbias.runs.run import Run, open_run
from xlbias.runs.schema import SCHEMA_VERSION
from xlbias.versions import package_versions

BLOCK = 2048
"""Queries per part at most. A part is what a killed evaluation repeats, and what a live dashboard sees at a time."""

TEXT_BLOCK = 65_536
DEFAULT_TOP_K = 10

Model = str | Encoder | PrecomputedVectors
"""An encoder by name (a folder or a hub name), as an object, or as vectors that were computed elsewhere."""


def evaluate(
    models: Model | Sequence[Model],
    tasks: RetrievalTask | Sequence[RetrievalTask],
    out: str | Path | None = None,
    *,
    top_k: int = DEFAULT_TOP_K,
    device: str | None = None,
    batch_size: int = 64,
    trust_remote_code: bool = False,
    cache: VectorCache | None = None,
    resume: bool = False,
    overwrite: bool = False,
    narrator: Narrator | None = None,
) -> Run:
    """Search every query of every task in every language's pool and in their union, and return the run.

    Args:
        models: encoders, by name (a folder, one that comes with xlbias, or a hub name), as objects, or as vectors that
            were computed elsewhere.
        tasks: what to search.
        out: path of the run file; by default a temporary one that the operating system may remove.
        top_k: how many passages to keep of each ranking for browsing; ranks are exact whatever it is.
        device: torch device for encoders loaded by name and for ranking; by default the best there is. Ranking is done
            on the CPU where that is neither CPU nor CUDA.
        batch_size: texts encoded at a time, for encoders loaded by name.
        trust_remote_code: whether an encoder may run code of its own.
        cache: where to keep vectors; None for no cache.
        resume: go on with an unfinished run at `out`.
        overwrite: replace what is at `out`.
        narrator: told about progress.

    Raises a subclass of XlbiasError where an encoder, a task or the path cannot be used. If the process is killed,
    everything that was finished stays in the journal beside `out`.
    """
    models = [models] if isinstance(models, str) or not isinstance(models, Sequence) else list(models)
    models = [find_encoder(model) if isinstance(model, str) else model for model in models]
    tasks = [tasks] if isinstance(tasks, RetrievalTask) else list(tasks)
    names = _check(models, tasks, top_k)
    path = Path(out) if out is not None else Path(tempfile.mkdtemp(prefix="xlbias-")) / "run.parquet"
    metadata = {
        "created": time.time(),
        "xlbias": __version__,
        "command": [Path(sys.argv[0]).name, *sys.argv[1:]],
        "versions": package_versions(),
        "device": _ranking_device(device),
        "top_k": top_k,
        "approximate": False,
        "models": [],
        "tasks": [describe_task(task) for task in tasks],
    }
    identity = _identity(tasks, top_k)
    narrator = narrator or Silent()
    with Journal.open(path, metadata, identity=identity, resume=resume, overwrite=overwrite) as journal:
        _refuse_other_models(journal, names)
        if journal.finished:
            narrator.say(f"{path}: is finished already; nothing is evaluated again")
        else:
            work = _Evaluation(journal, tasks, top_k, _ranking_device(device), cache, narrator)
            work.write_texts()
            for model, name in zip(models, names, strict=True):

                def load(model: Model = model) -> Encoder | PrecomputedVectors:
                    if isinstance(model, str):
                        return load_encoder(
                            model, device=device, trust_remote_code=trust_remote_code, batch_size=batch_size
                        )
                    return model

                try:
                    work.run_model(name, load, Path(model) if isinstance(model, str) else None)
                except XlbiasError:
                    if not journal.has_any("ranking"):
                        journal.discard()  # nothing is lost, and the corrected command need not ask for --resume
                    raise
        journal.finish()
    return open_run(path)


class _Evaluation:
    """The work of one evaluation: which parts there are, and how each is made."""

    def __init__(
        self,
        journal: Journal,
        tasks: list[RetrievalTask],
        top_k: int,
        device: str,
        cache: VectorCache | None,
        narrator: Narrator,
    ) -> None:
        self.journal, self.tasks, self.top_k, self.device = journal, tasks, top_k, device
        self.cache, self.narrator = cache, narrator

    def write_texts(self) -> None:
        """Write the texts of all tasks, once each."""
        for t, task in enumerate(self.tasks):
            about = (pl.lit(task.name).alias("task"), pl.lit(task.domain).alias("domain"))
            for record, frame in (("query", task.queries), ("passage", task.passages)):
                for b, start in enumerate(range(0, frame.height, TEXT_BLOCK)):
                    key = f"{t:03d}-{b:05d}"
                    if not self.journal.has(record, key):
                        self.journal.write(record, key, frame[start : start + TEXT_BLOCK].with_columns(*about))

    def run_model(self, name: str, load: Callable[[], Encoder | PrecomputedVectors], folder: Path | None) -> None:
        """Make all parts of one encoder that are not there yet."""
        blocks = {t: _blocks(task) for t, task in enumerate(self.tasks)}
        missing = {
            t: [b for b in range(len(blocks[t])) if not self.journal.has("ranking", _key(name, t, b))] for t in blocks
        }
        if not any(missing.values()):
            return
        self.narrator.say(f"{name}: loading")
        encoder = load()
        self._describe(name, encoder, folder)
        for t, task in enumerate(self.tasks):
            if missing[t]:
                self._run_task(t, task, name, encoder, [(b, blocks[t][b]) for b in missing[t]])

    def _describe(self, name: str, encoder: Encoder | PrecomputedVectors, folder: Path | None) -> None:
        """Record the encoder in the run's metadata; refuse one that is not what finished parts came from."""
        about = {
            "name": name,
            "fingerprint": encoder.fingerprint,
            "dimension": encoder.dimension,
            "similarity": getattr(encoder, "similarity", "dot"),
            "device": getattr(encoder, "device", None),
            "card": getattr(encoder, "card", {}),
        }
        models = list(self.journal.metadata["models"])
        before = next((m for m in models if m["name"] == name), None)
        if before and before["fingerprint"] != about["fingerprint"]:
            raise RunError(
                f"{self.journal.path}: the encoder {name!r} has changed since the unfinished run there was begun: "
                "begin anew with --overwrite"
            )
        if not before:
            self.journal.describe("models", [*models, about])
        if folder is not None:
            self._copy_curves(name, folder, getattr(encoder, "card", {}))

    def _copy_curves(self, name: str, folder: Path, card: dict[str, Any]) -> None:
        """Copy an encoder's loss and validation curves, from its folder or from that of the grid it belongs to."""
        files = [file for file in (folder / TRAINING_FILE, folder.parent / TRAINING_FILE) if file.is_file()]
        if not files or not card:
            return
        # Only the finished curve: beside it there may be that of a later training which failed.
        training = open_run(files[0], live=False)
        for record, frame in (("training", training.training), ("validation", training.validation)):
            if not self.journal.has(record, _slug(name)):
                curve = frame.filter(pl.col("model") == card.get("name")).collect()
                if curve.height:
                    self.journal.write(record, _slug(name), curve.with_columns(pl.lit(name).alias("model")))

    def _run_task(
        self,
        t: int,
        task: RetrievalTask,
        name: str,
        encoder: Encoder | PrecomputedVectors,
        parts: list[tuple[int, npt.NDArray[np.int64]]],
    ) -> None:
        label = f"{name} · {task.name}"
        passages = in_index_order(task.passages)
        if isinstance(encoder, PrecomputedVectors):
            vectors = _aligned(encoder, task, passages)
        else:
            with self.narrator.progress(f"{label}: passages", passages.height, "texts") as bar:
                counted = self._counted(f"{label}: passages", passages.height, "texts", bar)
                vectors = embed(encoder, passages["text"].to_list(), "passage", cache=self.cache, advance=counted)
        index = PassageIndex(
            vectors, passages["passage_id"].to_list(), passages["language"].to_list(), device=self.device
        )
        relevant = relevant_pairs(task, passages)
        total = sum(len(rows) for _, rows in parts)
        with self.narrator.progress(f"{label}: queries", total, "queries") as bar:
            counted = self._counted(f"{label}: queries", total, "queries", bar)
            for b, rows in parts:
                queries = task.queries[rows]
                if isinstance(encoder, PrecomputedVectors):
                    query_vectors = np.ascontiguousarray(encoder.queries[rows], dtype=np.float32)
                else:
                    query_vectors = embed(encoder, queries["text"].to_list(), "query", cache=self.cache)
                frame = search(queries, query_vectors, passages, index, relevant, self.top_k)
                about = (
                    pl.lit(name).alias("model"),
                    pl.lit(task.name).alias("task"),
                    pl.lit(task.domain).alias("domain"),
                )
                self.journal.write("ranking", _key(name, t, b), frame.with_columns(*about))
                counted(len(rows))

    def _counted(self, phase: str, total: int, unit: str, bar: Counter) -> Callable[[int], None]:
        done = 0

        def advance(units: int) -> None:
            nonlocal done
            done += units
            bar.advance(units)
            self.journal.progress(phase, done, total, unit)

        self.journal.progress(phase, 0, total, unit, force=True)
        return advance


def _ranking_device(device: str | None) -> str:
    """Return where to rank: exact counting is tested on the CPU and on CUDA."""
    if device is None:
        return "cuda" if torch.cuda.is_available() else "cpu"
    return device if device.startswith("cuda") else "cpu"


def _blocks(task: RetrievalTask) -> list[npt.NDArray[np.int64]]:
    """Return the rows of `task.queries` of each part: one language at a time, in pieces of BLOCK."""
    blocks = []
    languages = task.queries["language"].to_numpy()
    for language in task.query_languages:
        rows = np.flatnonzero(languages == language)
        blocks += [rows[start : start + BLOCK] for start in range(0, len(rows), BLOCK)]
    return blocks


def _aligned(encoder: PrecomputedVectors, task: RetrievalTask, passages: pl.DataFrame) -> npt.NDArray[np.float32]:
    """Return the passage vectors in the order of `passages`, which is that of the index and not that of the task."""
    if len(encoder.queries) != task.queries.height or len(encoder.passages) != task.passages.height:
        raise EncoderError(
            f"{encoder.name}: {len(encoder.queries)} query and {len(encoder.passages)} passage vectors, but "
            f"{task.name} has {task.queries.height} queries and {task.passages.height} passages"
        )
    given = task.passages.select("passage_id").with_row_index("given")
    order = passages.select("passage_id").join(given, on="passage_id", how="left", maintain_order="left")["given"]
    return np.ascontiguousarray(encoder.passages[order.to_numpy()], dtype=np.float32)


def _key(model: str, task: int, block: int) -> str:
    return f"{_slug(model)}-{task:03d}-{block:05d}"


def _slug(model: str) -> str:
    """Return a part's name for an encoder: it does not depend on which others are named beside it."""
    return hashlib.sha256(model.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def _refuse_other_models(journal: Journal, names: list[str]) -> None:
    """Raise RunError where the run that is resumed holds results of an encoder that is not named now."""
    for model in journal.metadata["models"]:
        if model["name"] not in names:
            raise RunError(
                f"{journal.path}: the run there has results of the encoder {model['name']!r}: name it as well"
            )
    known = [model["name"] for model in journal.metadata["models"]]
    missing = [name for name in names if name not in known]
    if journal.finished and missing:
        raise RunError(f"{journal.path}: is finished without the encoder {missing[0]!r}: evaluate it into another run")


def _check(models: list[Model], tasks: list[RetrievalTask], top_k: int) -> list[str]:
    """Return a distinct name for each model. Raises UsageError or EncoderError before any work is done."""
    if not models or not tasks:
        raise UsageError("nothing to evaluate: expected at least one encoder and one task")
    if top_k < 1:
        raise UsageError(f"top k is {top_k}; expected at least 1")
    task_names = [task.name for task in tasks]
    for name in task_names:
        if task_names.count(name) > 1:
            raise UsageError(f"two tasks are called {name!r}: give one another name with [name=...]")
    for model in models:
        if isinstance(model, str):
            check_encoder(model)
        elif not all(hasattr(model, field) for field in ("name", "dimension", "fingerprint")):
            raise UsageError(f"a model is a {type(model).__name__}; expected a name, an encoder or PrecomputedVectors")
    full = [model if isinstance(model, str) else model.name for model in models]
    short = [_short_name(model) if isinstance(model, str) else model.name for model in models]
    names = [s if short.count(s) == 1 else f for s, f in zip(short, full, strict=True)]
    for name in names:
        if names.count(name) > 1:
            raise UsageError(f"the encoder {name!r} is named twice")
    return names


def _short_name(model: str) -> str:
    """Return what reports call an encoder given by name: what its card says, else its folder's or its hub name."""
    path = Path(model).expanduser()
    return str(read_card(path).get("name") or path.resolve().name) if path.is_dir() else model


def describe_task(task: RetrievalTask) -> dict[str, Any]:
    """Return what a run's metadata says of a task."""
    per_language = task.queries.group_by("language").len().sort("language")
    return {
        "name": task.name,
        "domain": task.domain,
        "source": task.source,
        "licence": task.licence,
        "fingerprint": task.fingerprint,
        "n_ids": task.queries["query_id"].n_unique(),
        "n_queries": dict(per_language.iter_rows()),
        "pool_sizes": task.pool_sizes,
        "n_pairs": task.n_pairs,
    }


def _identity(tasks: list[RetrievalTask], top_k: int) -> str:
    content = [SCHEMA_VERSION, [(task.name, task.fingerprint) for task in tasks], top_k]
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()
