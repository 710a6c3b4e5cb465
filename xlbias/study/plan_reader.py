"""Reads the plan of a study from TOML and checks it before anything runs: every key, type, name and choice."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

from msgspec import Meta, Struct

from xlbias.cells import PAIRS, TopOf
from xlbias.choices import suggestion
from xlbias.data.catalog import parse_spec
from xlbias.errors import UsageError, XlbiasError
from xlbias.records import decode, decode_fields, quoted, read_toml
from xlbias.samplers import DEFAULT_ALPHA, HYBRID, MOST_SEEDS, SamplerName
from xlbias.study.plan import DATA, Plan, PrimaryContrast
from xlbias.text import clean
from xlbias.train.recipe import STATIC, Recipe, Seed, check_base, find_recipe, recipe_for

MOST_TOP_K = 1_000_000

_Probability = Annotated[float, Meta(ge=0, le=1, description="a number from 0 to 1")]
_Folder = Annotated[
    str,
    Meta(
        pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*\Z",
        description="letters, digits and . _ -, as encoders' folders are named so",
    ),
]
_Tasks = Annotated[str | Annotated[tuple[str, ...], Meta(min_length=1)], Meta(description="a task, or a list of tasks")]


class PlanFile(Struct, frozen=True, forbid_unknown_fields=True):
    """A plan as it is written; `xlbias.study.plan.Plan` says what each key is."""

    samplers: Annotated[tuple[SamplerName, ...], Meta(min_length=1, description='a list such as ["mono", "cross"]')]
    sources: Annotated[
        dict[_Folder, _Tasks], Meta(min_length=1, description="a table [sources] with at least one NAME = TASK")
    ]
    targets: Annotated[
        dict[str, Annotated[str, Meta(description="a task")]],
        Meta(min_length=1, description="a table [targets] with at least one NAME = TASK"),
    ]
    title: str = ""
    alphas: Annotated[tuple[_Probability, ...], Meta(min_length=1, description="a list of probabilities")] | None = None
    seeds: Annotated[
        Annotated[int, Meta(ge=1, le=MOST_SEEDS)] | Annotated[tuple[Seed, ...], Meta(min_length=1)],
        Meta(description=f"how many, from 1 to {MOST_SEEDS:,}, or a list of them"),
    ] = 1
    fewer_seeds: Annotated[
        dict[str, Annotated[int, Meta(ge=1, description="how many seeds, at least 1")]],
        Meta(description="a table [fewer_seeds]"),
    ] = {}
    reference: bool = False
    recipe: Annotated[str, Meta(description="a recipe's name or file")] | None = None
    top_k: Annotated[int, Meta(ge=1, le=MOST_TOP_K, description=f"at least 1 and at most {MOST_TOP_K:,}")] = 10
    top_of: TopOf = "multilingual"
    baseline: SamplerName | None = None
    data: Annotated[str, Meta(description="a folder")] | None = None
    settings: Annotated[dict[str, Any], Meta(description="a table [settings]")] = {}
    in_domain: Annotated[
        dict[str, Annotated[str, Meta(description="the name of a source")]], Meta(description="a table [in_domain]")
    ] = {}
    primary: Annotated[tuple[PrimaryContrast, ...], Meta(description="tables [[primary]]")] = ()


def read_plan(path: Path, data: Path | None = None, base: str | None = None) -> Plan:
    """Read a plan; `data` replaces the folder that it says its data is in, `base` the encoder that is trained.

    A recipe's file and the data's folder are looked for from the folder of the plan, paths in tasks from the current
    one. Raises UsageError naming the file and the key if it is no plan.
    """
    written = decode(read_toml(path, UsageError), PlanFile, UsageError, file=path)
    with _about(str(path)):
        return _plan(path, written, data, base)


def _plan(path: Path, written: PlanFile, data: Path | None, base: str | None) -> Plan:
    seeds = tuple(range(written.seeds)) if isinstance(written.seeds, int) else written.seeds
    for key, values in (("samplers", written.samplers), ("alphas", written.alphas or ()), ("seeds", seeds)):
        _check_distinct(key, values)
    hybrid = HYBRID in written.samplers
    if written.alphas is not None and not hybrid:
        raise UsageError(f"alphas: are for the sampler {HYBRID!r}, which is not among samplers")
    baseline = written.baseline or written.samplers[0]
    _check_known("baseline", "sampler", baseline, written.samplers)
    for name in written.targets:
        if not name.strip() or clean(name) != name:
            raise UsageError(f"targets: {name!r} is not a name: expected one that can be printed")
    for target, source in written.in_domain.items():
        _check_known("in_domain", "target", target, written.targets)
        _check_known(f"in_domain.{target}", "source", source, written.sources)
    settings = decode_fields(written.settings, Recipe, UsageError, at="settings")
    plan = Plan(
        path=path,
        title=clean(written.title or path.stem),
        samplers=written.samplers,
        alphas=(written.alphas or (DEFAULT_ALPHA,)) if hybrid else (),
        seeds=seeds,
        fewer_seeds=written.fewer_seeds,
        reference=written.reference,
        recipe=_recipe(path, written.recipe, settings if base is None else {**settings, "base": base}),
        recipe_name=written.recipe or settings.get("base") or STATIC,
        settings=settings,
        top_k=written.top_k,
        top_of=written.top_of,
        baseline=baseline,
        sources={name: (tasks,) if isinstance(tasks, str) else tasks for name, tasks in written.sources.items()},
        targets=written.targets,
        in_domain=written.in_domain,
        primary=written.primary,
        data=_data(path, written.data, data),
    )
    _check_tasks(plan)
    _check_names(plan)
    _check_fewer_seeds(plan)
    _check_primary(plan)
    return plan


def _recipe(path: Path, name: str | None, settings: Mapping[str, Any]) -> Recipe:
    """Return the recipe with what is overridden of it, as `xlbias train` puts them together."""
    if "seed" in settings:
        raise UsageError("settings.seed: the seeds of a study are its key 'seeds'")
    overrides = dict(settings)
    base: str | None = overrides.pop("base", None)
    with _about("recipe"):
        if name is None:
            recipe = recipe_for(base or STATIC)
        else:
            file = Path(name).suffix == ".toml"
            recipe = find_recipe(str(path.parent / Path(name).expanduser()) if file else name)
    with _about("settings"):
        return recipe.based_on(base, overrides)


def _data(path: Path, written: str | None, given: Path | None) -> Path | None:
    if given is None and written is None:
        return None
    folder = given.expanduser() if given is not None else path.parent / Path(written or "").expanduser()
    if not folder.is_dir():
        key, hint = ("data", "; --data DIR names another") if given is None else ("--data", "")
        raise UsageError(f"{key}: {folder}: there is no such folder{hint}")
    return folder.resolve()


def _check_tasks(plan: Plan) -> None:
    for table, name, task in _tasks(plan.sources, plan.targets):
        if DATA in task and plan.data is None:
            raise UsageError(f"{table}.{name}: names {DATA}: add the key 'data', or give --data DIR")
        with _about(f"{table}.{name}"):
            parse_spec(plan.spec(task))


def _check_names(plan: Plan) -> None:
    names = [encoder.name for encoder in plan.encoders()]
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise UsageError(f"alphas: two encoders would be called {twice!r}: choose α with fewer digits")


def _check_fewer_seeds(plan: Plan) -> None:
    from xlbias.results.study.design import arms_of

    arms, _ = arms_of(plan.samplers, plan.alphas, plan.baseline)
    for name, n in plan.fewer_seeds.items():
        _check_known(f"fewer_seeds.{name}", "sampler", name, [arm.slug for arm in arms])
        if n >= len(plan.seeds):
            raise UsageError(f"fewer_seeds.{name} is {n}: expected fewer than the {len(plan.seeds)} seeds of the plan")


def _check_primary(plan: Plan) -> None:
    """Raise UsageError for a primary contrast that the report does not make."""
    from xlbias.results.study.design import HEADLINES, arm_pairs, arms_of

    found = arm_pairs(*arms_of(plan.samplers, plan.alphas, plan.baseline), reference=plan.reference)
    pairs = [(base.slug, new.slug) for base, new in found]
    for i, one in enumerate(plan.primary):
        key = f"primary[{i}]"
        _check_known(f"{key}.base", "sampler", one.base, list(dict.fromkeys(base for base, _ in pairs)))
        _check_known(f"{key}.new", "sampler", one.new, [new for base, new in pairs if base == one.base])
        _check_known(f"{key}.measure", "measure", one.measure, list(dict.fromkeys(name for name, _ in HEADLINES)))
        settings = [setting for name, setting in HEADLINES if name == one.measure and setting]
        if settings and one.setting is None:
            raise UsageError(f"{key}: has no key 'setting': expected {', '.join(settings)}")
        if one.setting is not None:
            _check_known(f"{key}.setting", "setting", one.setting, settings or ["none: leave it out"])
        if one.over != PAIRS and not plan.in_domain:
            raise UsageError(f"{key}.over: {one.over!r} needs a table [in_domain]: without it nothing is at home")
    _check_distinct("primary", plan.primary)


def _check_distinct(key: str, values: Sequence[object]) -> None:
    for i, value in enumerate(values):
        if value in values[:i]:
            raise UsageError(f"{key}: {quoted(value)} is there twice")


def _check_known(key: str, kind: str, name: str, known: Collection[str]) -> None:
    if name not in known:
        raise UsageError(f"{key}: unknown {kind} {quoted(name)}{suggestion(name, known)}: expected {', '.join(known)}")


@contextmanager
def _about(key: str) -> Iterator[None]:
    """Put a key before the message of whatever goes wrong in the block, as UsageError."""
    try:
        yield
    except XlbiasError as error:
        raise UsageError(f"{key}: {error}") from error


def _tasks(sources: Mapping[str, tuple[str, ...]], targets: Mapping[str, str]) -> Iterable[tuple[str, str, str]]:
    """Return table, name and task of all tasks of a plan."""
    yield from (("sources", name, task) for name, tasks in sources.items() for task in tasks)
    yield from (("targets", name, task) for name, task in targets.items())


def check_base_of(plan: Plan) -> None:
    """Raise UsageError where the base shows that it is no encoder, or the plan has a reference without one."""
    if plan.reference and plan.recipe.base == STATIC:
        raise UsageError(
            f"{plan.path}: reference: the base 'static' is made of each source's texts: give a folder or "
            "a hub name as base, such as one that `xlbias distill` has made"
        )
    with _about(str(plan.path)):
        check_base(plan.recipe)
