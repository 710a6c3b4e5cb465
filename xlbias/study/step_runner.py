"""Makes one encoder of a study after another: trains it and evaluates it, or finds that done."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator, Sequence
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

from xlbias.data.catalog import load_task
from xlbias.data.task import RetrievalTask
from xlbias.encode.card import read_card
from xlbias.encode.load import load_pretrained
from xlbias.encode.pretrained import PretrainedEncoder
from xlbias.errors import RunError, UsageError, XlbiasError
from xlbias.evaluation import describe_task, evaluate
from xlbias.narration import Narrator, Telling
from xlbias.progress import Report
from xlbias.runs.parquet import read_metadata
from xlbias.samplers import DEFAULT_ALPHA, UNTRAINED
from xlbias.study.folder import StudyFolder
from xlbias.study.merged_run import check_tasks
from xlbias.study.plan import Plan, PlannedEncoder
from xlbias.study.plan_reader import check_base_of
from xlbias.study.steps import Done, Kind, Step, kinds_of
from xlbias.study.trainings import PlannedTraining, Trainings

if TYPE_CHECKING:
    from xlbias.processes.team import Team


class StepRunner:
    """Trains and evaluates encoders of a plan, each step from where an earlier, killed study left it.

    The tasks are loaded on first use and kept. `tell` is told how far a step is. Where there is a `team`, of which this
    is the first process, all of it train and evaluate together.
    """

    def __init__(
        self,
        plan: Plan,
        folder: StudyFolder,
        device: str | None,
        tell: Callable[[Step, Report], None] = lambda *_: None,
        team: Team | None = None,
    ) -> None:
        self.plan, self.folder, self.device, self.tell, self.team = plan, folder, device, tell, team
        self._trainings = Trainings(team)
        self._sources: dict[str, list[RetrievalTask]] = {}

    def work(self, encoder: PlannedEncoder, kinds: Collection[Kind]) -> Iterator[Step | Done]:
        """Do the steps of one encoder; yield each when it is begun, and again as `Done` when it is finished.

        Raises the step's own error, with the encoder's name before it.
        """
        for kind in kinds_of(encoder, kinds):
            step = Step(kind, encoder.name)
            before, started = self.folder.done(step), time.monotonic()
            if not before:
                yield step
            try:
                narrator = Telling(partial(self.tell, step))
                self._train(encoder, narrator) if kind == "train" else self._evaluate(encoder, narrator)
            except XlbiasError as error:
                raise type(error)(f"{encoder.name}: {error}") from error
            yield Done(step, not before, time.monotonic() - started)

    def load(self, kinds: Collection[Kind]) -> None:
        """Load all tasks that these steps need, so that what is wrong with one is said before anything is trained.

        Raises UsageError too where the base shows that it is no encoder, or the plan has a reference without one.
        """
        check_base_of(self.plan)
        for name in self.plan.sources:
            self._source(name)
        if "evaluate" in kinds:
            _ = self.targets

    @cached_property
    def targets(self) -> list[RetrievalTask]:
        """The tasks of all targets, called as in the plan."""
        return [self._load("targets", name, task).renamed(name) for name, task in self.plan.targets.items()]

    @cached_property
    def _described(self) -> list[dict[str, Any]]:
        return [describe_task(task) for task in self.targets]

    def _source(self, name: str) -> Sequence[RetrievalTask]:
        if name not in self._sources:
            self._sources[name] = [self._load("sources", name, task) for task in self.plan.sources[name]]
        return self._sources[name]

    def _load(self, table: str, name: str, task: str) -> RetrievalTask:
        try:
            return load_task(self.plan.spec(task))
        except XlbiasError as error:
            raise UsageError(f"{self.plan.path}: {table}.{name}: {error}") from error

    def _train(self, encoder: PlannedEncoder, narrator: Narrator) -> None:
        training = PlannedTraining(
            encoder.name,
            encoder.source,
            self.folder.encoder(encoder.name),
            self.plan.recipe.overridden(seed=encoder.seed),
            encoder.sampler,
            encoder.alpha if encoder.alpha is not None else DEFAULT_ALPHA,  # without meaning but for hybrid
            self.device,
        )
        self._trainings.fit(training, self._source(encoder.source), narrator)

    def _evaluate(self, encoder: PlannedEncoder, narrator: Narrator) -> None:
        path, folder = self.folder.run_of(encoder.name), self.folder.encoder(encoder.name)
        if path.is_file():  # finished: what does not fit is said more clearly here than where identities are compared
            there = read_metadata(path)
            check_tasks(path, there, self._described)
            cards = [model.get("card", {}) for model in there["models"]]
            if encoder.is_trained and [card.get("run_id") for card in cards] != [read_card(folder).get("run_id")]:
                raise RunError(
                    f"{path}: is of another training than the encoder in {folder}: remove it to evaluate that one"
                )
        evaluate(
            str(folder) if encoder.is_trained else self._reference(),
            self.targets,
            path,
            top_k=self.plan.top_k,
            top_of=self.plan.top_of,
            device=self.device,
            resume=True,
            narrator=narrator,
            team=self.team,
        )

    def _reference(self) -> PretrainedEncoder:
        """Load the encoder that all others are trained from, with the prompts of their recipe."""
        recipe = self.plan.recipe
        loaded = load_pretrained(
            recipe.base,
            device=self.device,
            query_prompt=recipe.query_prefix,
            passage_prompt=recipe.passage_prefix,
            pooling=recipe.pooling or None,
            max_length=recipe.max_length or None,
        )
        loaded.name = UNTRAINED
        return loaded
