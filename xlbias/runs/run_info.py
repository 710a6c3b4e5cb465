"""What a run says of itself, its tasks and its encoders, as typed records.

A run file is read by versions before and after the one that wrote it: keys that are not known here are passed over, and
all but the fields that make a task or an encoder may be missing or null.
"""

from __future__ import annotations

from typing import Annotated, Any

from msgspec import Meta, Struct, field

from xlbias.samplers import MOST_SEEDS

Count = Annotated[int, Meta(ge=0, description="a count")]
Number = Annotated[int | float, Meta(description="a number")]
Counts = Annotated[dict[str, Count], Meta(description="counts by language")]
Facts = Annotated[dict[str, Any], Meta(description="an object")]
Texts = Annotated[list[str], Meta(description="a list of texts")]


class Parallel(Struct, frozen=True):
    """Which texts of a task are taken for translations of one another: `n_shared` of `n_ids` ids are in two languages.

    `by` says how that is known. With `counters`, ids only count the lines of each file, so that equal ids say little.
    """

    by: str | None = None
    n_ids: Count | None = None
    n_shared: Count | None = None
    counters: bool | None = None


class Selves(Struct, frozen=True):
    """How many queries, of `of`, stand as passages too: as relevant ones, as others; and whether they are left out."""

    n_relevant: Count | None = None
    n_other: Count | None = None
    of: Count | None = None
    left_out: bool | None = None


class TaskInfo(Struct, frozen=True):
    """A task of a run.

    Attributes:
        name: what the run calls it.
        n_queries: queries by language.
        pool_sizes: passages by language.
        domain: empty where it is not said.
        fingerprint: of all its texts and judgements; None in a run that has none.
        selves: which of its queries are passages of their own pool.
        notes: what its reader merged and left out.
    """

    name: str
    n_queries: Counts
    pool_sizes: Counts
    domain: str = ""
    source: str | None = None
    licence: str | None = None
    fingerprint: str | None = None
    n_ids: Count | None = None
    n_pairs: Count | None = None
    parallel: Parallel | None = None
    selves: Selves | None = field(default=None, name="self")
    notes: Facts | None = None


class Source(Struct, frozen=True):
    """A task that an encoder was trained on; only its name is there in any case, and anything may be in the others."""

    name: str
    fingerprint: Any = None
    domain: Any = None
    source: Any = None


class Card(Struct, frozen=True):
    """What is known of how an encoder was trained. Fields of type Any are looked at where they are shown."""

    name: str | None = None
    base: str | None = None
    sampler: str | None = None
    alpha: Number | None = None
    seed: int | None = None
    sources: list[str | Source] | None = None
    recipe: Facts | None = None
    device: str | None = None
    versions: Facts | None = None
    training_seconds: Number | None = None
    pivot: Any = None
    steps: Any = None
    best_step: Any = None
    batches: Any = None

    @property
    def trained_on(self) -> list[Source]:
        """The tasks that it was trained on; of those of early cards only the names are known."""
        return [Source(one) if isinstance(one, str) else one for one in self.sources or ()]

    @property
    def saved_step(self) -> int | None:
        """The step whose encoder was saved; None while that is not decided."""
        return self.best_step if type(self.best_step) is int else None


class RankingFile(Struct, frozen=True):
    """A file of rankings that a run was imported from.

    Attributes:
        name: its name, without its folder.
        sha256: of its bytes.
        query: the language of all its queries; None where ids say it.
        pool: the language whose passages it ranks; None for the multilingual pool.
        depth: how long its lists can be.
        n_lists: how many lists it has.
        n_missing: queries without a list, which count as not retrieved.
        n_ignored: rows that were left out, as their query or passage is not in the task.
        n_tied: passages that score the same as the one before them in their list.
    """

    name: str
    sha256: str | None = None
    query: str | None = None
    pool: str | None = None
    depth: Count | None = None
    n_lists: Count | None = None
    n_missing: Count | None = None
    n_ignored: Count | None = None
    n_tied: Count | None = None


class System(Struct, frozen=True):
    """A system that is no encoder here: its rankings were read, or are another's, re-ranked.

    Attributes:
        order: what imported lists are ordered by, ``score`` or ``rank``.
        files: what was imported.
        first: of a re-ranking, whose lists were re-ranked.
        reranked: how many passages of each list were.
        reranker: by which encoder.
    """

    order: str | None = None
    files: list[RankingFile] = []
    first: str | None = None
    reranked: Count | None = None
    reranker: str | None = None


class ModelInfo(Struct, frozen=True):
    """An encoder of a run.

    Attributes:
        name: what the run calls it.
        fingerprint: changes whenever a text could get another vector; of it are made `content` (its files), `options`,
            `prompts`, `similarity`, `dtype`, `precision`, `max_length`, `device` and `libraries`.
        own_similarity: what it asks for itself.
        own_dimension: how long its vectors are by themselves, of which `dimension` are used; None for as long.
        representation: ``sparse`` or ``late interaction`` where it has no single vector for a text; else None.
        mitigation: what was done to its vectors.
        card: how it was trained.
        system: what it is where it is no encoder; None for one.
        from_run: of a study, the run that its numbers are from.
    """

    name: str
    fingerprint: str | None = None
    dimension: Count | None = None
    similarity: str | None = None
    own_similarity: Any = None
    device: str | None = None
    mitigation: str | None = None
    card: Card = Card()
    system: System | None = None
    from_run: str | None = None
    prompts: Any = None
    dtype: Any = None
    representation: Any = None
    precision: Any = None
    own_dimension: Any = None
    max_length: Any = None
    content: Any = None
    options: Any = None
    libraries: Any = None


class Contrast(Struct, frozen=True):
    """A comparison that a study was planned for."""

    base: str
    new: str
    measure: str
    setting: str | None = None
    over: str | None = None
    cells: str | None = None
    margin: Number | None = None


class StudyPlan(Struct, frozen=True):
    """The plan of a study, as a run keeps it."""

    samplers: Annotated[list[str], Meta(min_length=1, description="a list of texts")]
    alphas: list[Number]
    seeds: Annotated[
        Annotated[int, Meta(ge=0, le=MOST_SEEDS)] | list[int], Meta(description="a number of seeds, or a list of them")
    ]
    sources: Annotated[dict[str, Texts], Meta(description="texts by name")]
    title: str | None = None
    targets: Facts | None = None
    in_domain: Facts | None = None
    baseline: str | None = None
    primary: list[Contrast] | None = None


class RunInfo(Struct, frozen=True):
    """The metadata of a run."""

    models: list[ModelInfo]
    tasks: list[TaskInfo]
    run_id: str | None = None
    identity: str | None = None
    created: Number | None = None
    finished: Number | None = None
    xlbias: str | None = None
    command: Texts | None = None
    versions: Facts | None = None
    device: str | None = None
    top_k: Count | None = None
    top_of: str | None = None
    statistics: Facts | None = None
    study: StudyPlan | None = None
