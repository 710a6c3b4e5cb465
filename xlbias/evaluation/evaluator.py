"""Zero-shot retrieval over all language pairs of all tasks with all encoders, into a run file."""

from __future__ import annotations

import hashlib
import json
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import torch

from xlbias._version import __version__
from xlbias.cells import TopOf
from xlbias.data.describe import describe_task
from xlbias.data.task import RetrievalTask
from xlbias.encode.cache import VectorCache
from xlbias.encode.card import read_card
from xlbias.encode.content import libraries
from xlbias.encode.contract import check_contract
from xlbias.encode.encoder import Encoder
from xlbias.encode.kinds import kind_of
from xlbias.encode.load import as_encoder, check_encoder, content_of, find_encoder, load_encoder, representation_of
from xlbias.encode.mitigate import Mitigation, parse_mitigation
from xlbias.encode.precomputed import PrecomputedVectors
from xlbias.encode.scored import ScoredEncoder
from xlbias.errors import EncoderError, RunError, UsageError, XlbiasError
from xlbias.evaluation.kept_texts import chosen_texts
from xlbias.evaluation.runner import Evaluation, Loaded, changed, no_mitigation, variant_name
from xlbias.evaluation.steps import steps_of_model
from xlbias.evaluation.together import Load
from xlbias.narration import Narrator, Silent
from xlbias.progress import Course, Report, Step
from xlbias.results.run import Run, open_run
from xlbias.results.summary import CONFIDENCE, INTERVAL
from xlbias.runs.journal import Journal
from xlbias.runs.schema import SCHEMA_VERSION
from xlbias.versions import package_versions

if TYPE_CHECKING:
    from xlbias.processes.team import Team

DEFAULT_TOP_K = 10

Model = str | Encoder | PrecomputedVectors | ScoredEncoder
"""An encoder by name, as an object (a SentenceTransformer, too), or as vectors that were computed elsewhere."""


def evaluate(
    models: Model | Sequence[Model],
    tasks: RetrievalTask | Sequence[RetrievalTask],
    out: str | Path | None = None,
    *,
    top_k: int = DEFAULT_TOP_K,
    top_of: TopOf = "all",
    mitigate: Sequence[str] = (),
    device: str | None = None,
    batch_size: int | None = None,
    query_prompt: str | None = None,
    passage_prompt: str | None = None,
    similarity: str | None = None,
    truncate_dim: int | None = None,
    max_length: int | None = None,
    dtype: str | None = None,
    trust_remote_code: bool = False,
    pooling: str | None = None,
    cache: VectorCache | None = None,
    texts: str | None = None,
    resume: bool = False,
    overwrite: bool = False,
    narrator: Narrator | None = None,
    team: Team | None = None,
) -> Run:
    """Search every query of every task in every language's pool and in their union, and return the run.

    Args:
        models: encoders, by name (a folder, one that comes with xlbias, or a hub name), as objects, or as vectors that
            were computed elsewhere.
        tasks: what to search.
        out: path of the run file; by default a temporary one that the operating system may remove.
        top_k: how many passages to keep of each ranking for browsing; ranks are exact whatever it is.
        top_of: pools of which they are kept: ``all``, or only the ``multilingual`` one, for a smaller run.
        mitigate: what to take out of the vectors, ``mean`` or ``lir:R``, see `xlbias.encode.mitigate`: each encoder is
            evaluated as it is, and once more with each of these.
        device: torch device for encoders loaded by name and for ranking; by default the best there is. Ranking is done
            on the CPU where that is neither CPU nor CUDA.
        batch_size: texts encoded at a time, for encoders loaded by name; by default so many tokens at a time.
        query_prompt: for encoders loaded by name, what stands before queries: a registered name or a text, ``""`` for
            nothing; by default what the encoder registers, see `xlbias.encode.prompts`.
        passage_prompt: the same for passages.
        similarity: for encoders loaded by name, ``cosine``, ``dot`` or ``euclidean``; by default the encoder's own.
        truncate_dim: for encoders loaded by name, how many of a vector's first dimensions are used (Matryoshka).
        max_length: for encoders loaded by name, how many tokens of a text are read.
        dtype: for encoders loaded by name, ``float32``, ``float16``, ``bfloat16`` or ``int8``, see `load_encoder`.
        trust_remote_code: whether an encoder may run code of its own.
        pooling: makes encoders of transformers that have no pooling, see `xlbias.load_encoder`; for those by name.
        cache: where to keep vectors; None for no cache.
        texts: texts of passages that the run keeps: ``all``, or those ``found``, which are relevant to a query or stand
            in a top k; by default all of tasks with up to 100,000 passages.
        resume: go on with an unfinished run at `out`.
        overwrite: replace what is at `out`.
        narrator: told about progress.
        team: processes that do it together, of which this is the first; None where it is the only one. The result is
            the same.

    Raises a subclass of XlbiasError where an encoder, a task or the path cannot be used. If the process is killed,
    everything that was finished stays in the journal beside `out`.
    """
    models = [models] if isinstance(models, str) or not isinstance(models, Sequence) else list(models)
    models = [find_encoder(model) if isinstance(model, str) else as_encoder(model) for model in models]
    tasks = [tasks] if isinstance(tasks, RetrievalTask) else list(tasks)
    of_encoders: dict[str, Any] = {
        "query_prompt": query_prompt,
        "passage_prompt": passage_prompt,
        "similarity": similarity,
        "truncate_dim": truncate_dim,
        "max_length": max_length,
        "dtype": dtype,
        "pooling": pooling,
    }
    names = _check(models, tasks, top_k, of_encoders)
    if mitigate:
        _refuse_mitigation(dict(zip(names, models, strict=True)), pooling)
    _refuse_for_objects(models, of_encoders)
    mitigations = [parse_mitigation(text) for text in mitigate]
    variants = [variant_name(name, mitigation) for name in names for mitigation in (None, *mitigations)]
    which = [chosen_texts(texts, task) for task in tasks]
    path = Path(out) if out is not None else Path(tempfile.mkdtemp(prefix="xlbias-")) / "run.parquet"
    metadata = {
        "created": time.time(),
        "xlbias": __version__,
        "command": [Path(sys.argv[0]).name, *sys.argv[1:]],
        "versions": package_versions(),
        "device": _ranking_device(device),
        "top_k": top_k,
        "top_of": top_of,
        "approximate": False,
        "statistics": {"interval": INTERVAL, "confidence": CONFIDENCE, "seed": 0},
        "models": [],
        "tasks": [describe_task(task) for task in tasks],
    }
    identity = _identity(tasks, top_k, top_of, which)
    narrator = narrator or Silent()
    opened = Journal.open(path, metadata, identity=identity, resume=resume, overwrite=overwrite)
    with opened as journal, narrator.watch() as show:
        for part in journal.damaged:
            narrator.say(f"{path}: the part {part} of the unfinished run was damaged: it is made again")
        _refuse_other_models(journal, variants)
        _refuse_changed(journal, dict(zip(names, models, strict=True)), of_encoders, narrator)
        if journal.finished:
            narrator.say(f"{path}: is finished already; nothing is evaluated again")
        else:
            course = _course(dict(zip(names, models, strict=True)), mitigations, tasks, [show, journal.tell])
            device_of_ranks = _ranking_device(device)
            work = Evaluation(
                journal,
                tasks,
                top_k,
                top_of,
                mitigations,
                device_of_ranks,
                cache,
                narrator,
                of_encoders,
                course,
                which,
                team,
            )
            for name in names:
                work.skip_done(name)
            work.write_texts()
            for model, name in zip(models, names, strict=True):
                again: Load | None = getattr(model, "again", None)
                if isinstance(model, str):
                    again = partial(
                        load_encoder,
                        model,
                        device=device,
                        trust_remote_code=trust_remote_code,
                        batch_size=batch_size,
                        **of_encoders,
                    )

                def load(model: Model = model, again: Load | None = again) -> Loaded:
                    return cast(Load, again)(say=narrator.say) if isinstance(model, str) else cast(Loaded, model)

                try:
                    work.run_model(name, load, Path(model) if isinstance(model, str) else None, again)
                except XlbiasError:
                    if not journal.has_any("ranking"):
                        journal.discard()  # nothing is lost, and the corrected command need not ask for --resume
                    raise
        journal.finish()
    return open_run(path)


def _course(
    models: Mapping[str, Model],
    mitigations: Sequence[Mitigation],
    tasks: Sequence[RetrievalTask],
    listeners: Sequence[Callable[[Report], None]],
) -> Course:
    """Return all steps of the evaluation."""

    def tell(report: Report) -> None:
        for listener in listeners:
            listener(report)

    steps: list[Step] = []
    for name, model in models.items():
        variants = [variant_name(name, mitigation) for mitigation in (None, *mitigations)]
        steps += steps_of_model(name, model, variants, tasks)
    return Course(steps, tell)


def _ranking_device(device: str | None) -> str:
    """Return where to rank: exact counting is tested on the CPU and on CUDA."""
    if device is None:
        return "cuda" if torch.cuda.is_available() else "cpu"
    return device if device.startswith("cuda") else "cpu"


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


def _refuse_changed(
    journal: Journal, models: Mapping[str, Model], options: Mapping[str, Any], narrator: Narrator
) -> None:
    """Raise RunError where an encoder that the resumed run has results of is not the same now.

    That is other files (or another fingerprint, of an object), other options, or another version of a library where
    the run is unfinished, whose encoders would not be comparable. This loads nothing: an encoder with all its results
    there is not loaded again, so here is where a change is seen.
    """
    for about in journal.metadata["models"]:
        model = models.get(about["name"])
        if model is None:  # a mitigated one, which has the files of the one it is of
            continue
        before = about.get("content" if isinstance(model, str) else "fingerprint")
        if before is None:
            narrator.say(f"{about['name']}: the run there does not say of what files it was, so no change is seen")
            continue
        now = content_of(model) if isinstance(model, str) else model.fingerprint
        asked = _given(options) if isinstance(model, str) else None
        same_libraries = journal.finished or about.get("libraries") in (None, libraries())
        used = _given(about["options"]) if about.get("options") is not None else None
        if now not in (None, before) or used != asked or not same_libraries:
            raise changed(journal.path, about["name"])


def _given(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options that were given: a run does not know of those that came after it."""
    return {option: value for option, value in options.items() if value is not None}


def _check(models: list[Model], tasks: list[RetrievalTask], top_k: int, options: Mapping[str, Any]) -> list[str]:
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
            check_encoder(model, **options)
        elif not all(hasattr(model, field) for field in ("name", "dimension", "fingerprint")):
            raise UsageError(
                f"an encoder is a {type(model).__name__}; expected a name, an encoder or PrecomputedVectors"
            )
        elif not isinstance(model, PrecomputedVectors | ScoredEncoder):
            check_contract(model)
    full = [model if isinstance(model, str) else model.name for model in models]
    short = [_short_name(model) if isinstance(model, str) else model.name for model in models]
    names = [s if short.count(s) == 1 else f for s, f in zip(short, full, strict=True)]
    for name, called in zip(names, short, strict=True):
        if names.count(name) > 1:
            raise UsageError(f"the encoder {called!r} is named twice")
    return names


def _refuse_mitigation(models: Mapping[str, Model], pooling: str | None) -> None:
    """Raise EncoderError where an encoder has no single vector for a text, out of which something could be taken."""
    for name, model in models.items():
        if isinstance(model, ScoredEncoder) or (isinstance(model, str) and not pooling and representation_of(model)):
            raise EncoderError(no_mitigation(name))


def _refuse_for_objects(models: list[Model], options: Mapping[str, Any]) -> None:
    """Raise UsageError where an option is for encoders loaded by name, and one is given as an object."""
    objects = [model.name for model in models if not isinstance(model, str)]
    for option, value in options.items():
        if value is not None and objects:
            raise UsageError(f"{option} is for encoders given by name: {objects[0]!r} is an object, and brings its own")


def _short_name(model: str) -> str:
    """Return what reports call an encoder given by name: what its card says, else its folder's or its hub name."""
    other = kind_of(model)
    if other:
        kind, target = other
        return kind.label(target)
    path = Path(model).expanduser()
    return str(read_card(path).get("name") or path.resolve().name) if path.is_dir() else model


def _identity(tasks: list[RetrievalTask], top_k: int, top_of: TopOf, texts: Sequence[str]) -> str:
    content: list[Any] = [SCHEMA_VERSION, [(task.name, task.fingerprint) for task in tasks], top_k, top_of]
    if "found" in texts:
        content.append(list(texts))
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()
