"""Trains encoders: tasks, a sampler and a recipe in; checkpoints with their cards and a journal out."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from pathlib import Path
from typing import TypedDict, Unpack

from xlbias.data.task import RetrievalTask
from xlbias.narration import Narrator, Silent
from xlbias.samplers import DEFAULT_ALPHA, DEFAULT_PIVOT, HYBRID
from xlbias.train.recipe import STATIC, Recipe, check_base, check_grid, recipe_for
from xlbias.train.sampling.codeswitch import CodeSwitch
from xlbias.train.sampling.shares import Shares
from xlbias.train.trainer.distributed import Processes
from xlbias.train.trainer.grid import Grid
from xlbias.train.trainer.held_out import check_names, training_data
from xlbias.train.trainer.mining import with_mined_negatives
from xlbias.train.trainer.output_folder import check_folder
from xlbias.train.trainer.place import Place, check_device
from xlbias.train.trainer.trackers import check_trackers
from xlbias.train.trainer.training_job import Training, TrainingJob

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
        report_to: trackers that get the loss curve and the validations too: ``tensorboard``, whose files lie in
            ``runs`` of the encoder's folder, ``wandb`` and ``mlflow``, which are set up by their environment variables.
        narrator: told about progress.
    """

    switch: CodeSwitch | None
    validation: Sequence[RetrievalTask] | None
    device: str | None
    trust_remote_code: bool
    overwrite: bool
    resume: bool
    report_to: Sequence[str]
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
    report_to: Sequence[str] = (),
    narrator: Narrator | None = None,
) -> list[Training]:
    tasks = [tasks] if isinstance(tasks, RetrievalTask) else list(tasks)
    recipe = members[0][2]
    device = check_device(device, recipe)
    processes = Processes(device)
    narrator = narrator if narrator and processes.main else Silent()
    check_names(tasks)
    check_trackers(report_to)
    processes.on_main(lambda: check_folder(out, overwrite=overwrite, resume=resume))
    check_base(recipe)
    data = training_data(tasks, recipe.validation, validation, switch, narrator)
    place = Place(device, processes, trust_remote_code, tuple(report_to))
    if recipe.mine_negatives:
        data = with_mined_negatives(data, recipe, place, narrator)
    shares = Shares(
        recipe.task_exponent,
        recipe.language_exponent,
        recipe.task_weights,
        recipe.language_weights,
        recipe.balanced,
    )
    sampling = {"sampler": sampler, "pivot": pivot, "hard_negatives": recipe.hard_negatives, "shares": shares}
    jobs = [
        TrainingJob(name, folder, member, {**sampling, "alpha": alpha}, data, place, narrator)
        for name, folder, member, alpha in members
    ]
    if switch:
        switch.check(data.texts.languages)
    narrator.say(
        f"{', '.join(job.name for job in jobs)}: {sampler} batches of {recipe.batch_size:,} from "
        f"{len(data.texts):,} ids in {len(data.texts.languages)} languages"
    )
    for task, languages in jobs[0].card["languages_left_out"].items():
        narrator.say(f"{task}: too few ids for a monolingual batch in {', '.join(languages)}: none is drawn")
    with Grid(jobs, out, overwrite=overwrite, resume=resume, narrator=narrator) as grid:
        return grid.run()
