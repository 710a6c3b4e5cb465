"""Trains encoders: tasks, a sampler and a recipe in; checkpoints with their cards and a journal out."""

from __future__ import annotations

import gc
import hashlib
import sys
import time
from collections.abc import Sequence
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any, TypedDict, Unpack

from xlbias._version import __version__
from xlbias.data.task import RetrievalTask
from xlbias.encode.card import TRAINING_FILE
from xlbias.encode.load import check_encoder
from xlbias.errors import TrainingError
from xlbias.narration import Narrator, Silent
from xlbias.progress import Course, Report
from xlbias.runs.journal import Journal
from xlbias.samplers import DEFAULT_ALPHA, DEFAULT_PIVOT, HYBRID
from xlbias.train.recipe import STATIC, Recipe, check_grid, recipe_for
from xlbias.train.sampling.codeswitch import CodeSwitch
from xlbias.train.sampling.pairs import PairTexts
from xlbias.train.trainer.distributed import Processes
from xlbias.train.trainer.interrupts import StopRequest
from xlbias.train.trainer.output_folder import check_folder
from xlbias.train.trainer.training_job import Data, Place, Training, Work, check_device
from xlbias.train.trainer.validation import hold_out, without_texts_of

__all__ = ["Options", "Training", "fit", "fit_grid"]


class Options(TypedDict, total=False):
    """Options of `fit` and `fit_grid` that have no bearing on what a sampler draws.

    Attributes:
        switch: code-switching of the training texts.
        validation: tasks to validate on, in place of a slice of the training tasks; empty for none.
        device: ``cpu``, ``cuda`` or ``mps``; by default the CPU for ``static``, which has little to compute, and the
            best there is for others.
        trust_remote_code: whether the base may run code of its own.
        overwrite: replace what an earlier training left in the folder.
        resume: go on with what an earlier training left; what is finished is not trained again.
        narrator: told about progress.
    """

    switch: CodeSwitch | None
    validation: Sequence[RetrievalTask] | None
    device: str | None
    trust_remote_code: bool
    overwrite: bool
    resume: bool
    narrator: Narrator | None


def fit(
    tasks: RetrievalTask | Sequence[RetrievalTask],
    out: str | Path,
    recipe: Recipe | None = None,
    *,
    name: str | None = None,
    sampler: str = HYBRID,
    alpha: float = DEFAULT_ALPHA,
    pivot: str = DEFAULT_PIVOT,
    **options: Unpack[Options],
) -> Training:
    """Train an encoder on `tasks` with InfoNCE over in-batch negatives and save it to the folder `out`.

    Args:
        tasks: what to train on; each batch comes from one of them, drawn in proportion to its number of ids.
        out: folder of the checkpoint, with ``xlbias.json``, a model card and ``training.parquet`` beside the weights.
        recipe: the settings; by default those of the ``static`` encoder.
        name: what reports call the encoder; by default the folder's name.
        sampler: one of `xlbias.samplers.SAMPLERS`: ``english``, ``mixed``, ``mono``, ``cross`` or ``hybrid``.
        alpha: probability of a monolingual batch of ``hybrid``.
        pivot: language of ``english``.
        options: see `Options`.

    The same tasks, recipe and sampler give the same weights, bit for bit on one CPU, also where the training was
    killed and resumed. Raises TrainingError if the sampler cannot make a batch, a setting or the folder cannot be used,
    or the loss is not finite; then, and when interrupted, no encoder appears in `out`: the journal of the steps
    made stays in ``training.parquet.live``, and the last good checkpoint in ``checkpoints``.
    """
    out = Path(out)
    members = [(name or out.resolve().name, out, recipe or recipe_for(STATIC), alpha)]
    return _fit(tasks, out, members, sampler, pivot, **options)[0]


def fit_grid(
    tasks: RetrievalTask | Sequence[RetrievalTask],
    out: str | Path,
    recipe: Recipe | None = None,
    *,
    sampler: str = HYBRID,
    alphas: Sequence[float] = (DEFAULT_ALPHA,),
    seeds: int = 1,
    pivot: str = DEFAULT_PIVOT,
    **options: Unpack[Options],
) -> list[Training]:
    """Train an encoder for each α and seed, each to a folder of its own in `out`, with one journal for all.

    Args:
        tasks: as in `fit`.
        out: folder of the grid; ``training.parquet`` in it has the loss curves of all.
        recipe: as in `fit`.
        sampler: as in `fit`.
        alphas: probabilities of a monolingual batch; more than one are for ``hybrid``.
        seeds: how many seeds, from the recipe's on.
        pivot: as in `fit`.
        options: see `Options`.

    All members of the grid see the same tasks and the same held-out slice.
    """
    recipe, out = recipe or recipe_for(STATIC), Path(out)
    check_grid(alphas, seeds)
    members = []
    for alpha, seed in product(alphas, range(recipe.seed, recipe.seed + seeds)):
        of_alpha = f"alpha{alpha:g}-" if sampler == HYBRID else ""
        name = f"{sampler}-{of_alpha}seed{seed}"
        members.append((name, out / name, recipe.overridden(seed=seed), alpha))
    return _fit(tasks, out, members, sampler, pivot, **options)


def _fit(
    tasks: RetrievalTask | Sequence[RetrievalTask],
    out: Path,
    members: Sequence[tuple[str, Path, Recipe, float]],
    sampler: str,
    pivot: str,
    *,
    switch: CodeSwitch | None = None,
    validation: Sequence[RetrievalTask] | None = None,
    device: str | None = None,
    trust_remote_code: bool = False,
    overwrite: bool = False,
    resume: bool = False,
    narrator: Narrator | None = None,
) -> list[Training]:
    tasks = [tasks] if isinstance(tasks, RetrievalTask) else list(tasks)
    recipe = members[0][2]
    device = check_device(device, recipe)
    processes = Processes(device)
    narrator = narrator if narrator and processes.main else Silent()
    _check_names(tasks)
    processes.on_main(lambda: check_folder(out, overwrite=overwrite, resume=resume))
    if recipe.base != STATIC:
        check_encoder(recipe.base, pooling=recipe.pooling or None)
    data = _data(tasks, recipe, validation, switch, narrator)
    place = Place(device, processes, trust_remote_code)
    sampling = {"sampler": sampler, "pivot": pivot, "hard_negatives": recipe.hard_negatives}
    works = [
        Work(name, folder, member, {**sampling, "alpha": alpha}, data, place, narrator)
        for name, folder, member, alpha in members
    ]
    if switch:
        switch.check(data.texts.languages)
    narrator.say(
        f"{', '.join(work.name for work in works)}: {sampler} batches of {recipe.batch_size:,} from "
        f"{len(data.texts):,} ids in {len(data.texts.languages)} languages"
    )
    for line in _left_out(works[0]):
        narrator.say(line)
    journal = processes.on_main(lambda: _open_journal(out, works, overwrite, resume))
    for part in journal.damaged if journal else ():
        narrator.say(f"{out}: the part {part} of its loss curve was damaged, and is left out")
    try:
        with StopRequest() as stop, narrator.watch() as show:

            def tell(report: Report) -> None:
                show(report)
                if journal:
                    journal.tell(report)

            course = Course((work.step for work in works), tell)
            trainings = _run_all(works, out, journal, stop, course, resume, narrator)
    finally:
        if journal:
            journal.close()
    return trainings


def _run_all(
    works: Sequence[Work],
    out: Path,
    journal: Journal | None,
    stop: StopRequest,
    course: Course,
    resume: bool,
    narrator: Narrator,
) -> list[Training]:
    processes = works[0].place.processes
    run_id = processes.from_main(journal.metadata["run_id"] if journal else "")
    over = processes.from_main(journal.finished if journal else False)
    trainings: list[Training] = []
    for number, work in enumerate(works):
        if trainings and processes.any(stop.requested)[0]:
            narrator.say(f"stopped before {work.name}; go on with the same command and --resume")
            raise KeyboardInterrupt
        done = processes.shared(partial(work.finished, run_id)) if resume else None
        if done:
            narrator.say(f"{work.name}: is trained already: {work.out}")
            course.skip(work.name)
        elif over:
            raise TrainingError(
                f"{out}: the training there is finished, but {work.out} does not hold its encoder: begin anew with "
                "--overwrite"
            )
        else:
            done = work.run(journal, f"{number:04d}-" if len(works) > 1 else "", stop, course, resume=resume)
        trainings.append(done)
        processes.on_main(lambda: _write_cards(journal, trainings, works))
        gc.collect()  # a trainer and its callbacks hold one another, and the model and optimiser with them
    if journal:
        journal.finish()
    for work in works:
        work.clean_up()
    return trainings


def _write_cards(journal: Journal | None, trainings: Sequence[Training], works: Sequence[Work]) -> None:
    if journal and not journal.finished:
        cards = [training.card for training in trainings] + [work.card for work in works[len(trainings) :]]
        journal.describe("models", [_of_run(card) for card in cards])


def _left_out(work: Work) -> list[str]:
    """Return a line for each task of which a monolingual batch leaves languages out, as they have too few ids."""
    return [
        f"{task}: too few ids for a monolingual batch in {', '.join(languages)}: none is drawn"
        for task, languages in work.card["languages_left_out"].items()
    ]


def _data(
    tasks: list[RetrievalTask],
    recipe: Recipe,
    validation: Sequence[RetrievalTask] | None,
    switch: CodeSwitch | None,
    narrator: Narrator,
) -> Data:
    """Hold out what is validated on: `validation` where given, else the recipe's share of each task."""
    if validation is not None:
        _check_names(validation)
        tasks, held = without_texts_of(tasks, validation), list(validation)
    elif recipe.validation:
        split = hold_out(tasks, recipe.validation, seed=0)  # the same for every seed: seeds are compared
        for note in split.notes:
            narrator.say(note)
        tasks, held = split.training, split.validation
    else:
        held = []
    return Data(tasks, held, PairTexts(tasks), switch)


def _check_names(tasks: Sequence[RetrievalTask]) -> None:
    names = [task.name for task in tasks]
    for name in names:
        if names.count(name) > 1:
            raise TrainingError(f"two tasks are called {name!r}: give one another name with [name=...]")


def _of_run(card: dict[str, Any]) -> dict[str, Any]:
    return {"name": card["name"], "card": card}


def _open_journal(out: Path, works: Sequence[Work], overwrite: bool, resume: bool) -> Journal:
    out.mkdir(parents=True, exist_ok=True)
    for work in works:
        work.out.mkdir(exist_ok=True)
    identity = hashlib.sha256("|".join(work.identity for work in works).encode()).hexdigest()
    metadata = {
        "created": time.time(),
        "xlbias": __version__,
        "command": [Path(sys.argv[0]).name, *sys.argv[1:]],
        "versions": works[0].card["versions"],
        "device": works[0].card["device"],
        "models": [_of_run(work.card) for work in works],
        "tasks": [],
    }
    journal = Journal.open(out / TRAINING_FILE, metadata, identity=identity, overwrite=overwrite, resume=resume)
    if overwrite:
        for work in works:
            work.clean_up()  # of checkpoints that a resumption would take for its own
    return journal
