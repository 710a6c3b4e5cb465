"""Plans of studies: what they say, what they leave to defaults, and one sentence for whatever is wrong with one."""

import json
from pathlib import Path

import pytest
from conftest import REPOSITORY

from xlbias.data.catalog import parse_spec
from xlbias.errors import UsageError
from xlbias.study.plan import Plan, PrimaryContrast
from xlbias.study.plan_reader import read_plan
from xlbias.study.steps import steps_of
from xlbias.train.recipe import find_recipe

FULL = """\
title = "Whether batches matter"
samplers = ["mono", "cross", "hybrid"]
alphas = [0.25, 0.5]
seeds = 2
recipe = "static"
top_k = 5
top_of = "all"
baseline = "cross"
data = "corpora"
[settings]
batch_size = 64
learning_rate = 1e-3
[sources]
mlqa = "parallel:{data}/mlqa.jsonl[split=train;name=mlqa]"
both = ["builtin:money[split=train]", "builtin:language[split=train]"]
[targets]
xquad-r = "lareqa:{data}/xquad-r"
mlqa-test = "parallel:{data}/mlqa.jsonl[split=test]"
[in_domain]
mlqa-test = "mlqa"
[[primary]]
base = "cross"
new = "hybrid-alpha0.5"
measure = "map"
setting = "cross-lingual"
"""

LEAST = """\
samplers = ["mono"]
[sources]
money = "builtin:money[split=train]"
[targets]
money-test = "builtin:money[split=test]"
"""


def plan_of(folder: Path, text: str, data: Path | None = None) -> Plan:
    path = folder / "plan.toml"
    path.write_text(text, "utf-8")
    return read_plan(path, data)


def test_a_full_plan(tmp_path: Path) -> None:
    (tmp_path / "corpora").mkdir()
    plan = plan_of(tmp_path, FULL)
    assert (plan.title, plan.samplers, plan.alphas) == (
        "Whether batches matter", ("mono", "cross", "hybrid"), (0.25, 0.5),
    )  # fmt: skip
    assert (plan.seeds, plan.top_k, plan.top_of, plan.baseline) == ((0, 1), 5, "all", "cross")
    assert plan.recipe == find_recipe("static").overridden(batch_size=64, learning_rate=1e-3)
    assert plan.spec(plan.targets["xquad-r"]) == f"lareqa:{tmp_path / 'corpora'}/xquad-r"
    assert plan.sources["both"] == ("builtin:money[split=train]", "builtin:language[split=train]")
    assert plan.in_domain == {"mlqa-test": "mlqa"}
    assert plan.primary == (PrimaryContrast("cross", "hybrid-alpha0.5", "map", "cross-lingual"),)
    described = json.loads(json.dumps(plan.as_dict()))
    assert described["targets"]["xquad-r"] == "lareqa:{data}/xquad-r"  # the same wherever the data is
    assert described["seeds"] == [0, 1]
    assert described["primary"] == [
        {"base": "cross", "new": "hybrid-alpha0.5", "measure": "map", "setting": "cross-lingual"}
    ]
    assert described["settings"] == {"batch_size": 64, "learning_rate": 1e-3}


def test_what_a_plan_leaves_out(tmp_path: Path) -> None:
    plan = plan_of(tmp_path, LEAST)
    assert (plan.title, plan.seeds, plan.alphas, plan.baseline) == ("plan", (0,), (), "mono")
    assert (plan.top_k, plan.top_of, plan.recipe, plan.in_domain) == (10, "multilingual", find_recipe("static"), {})
    assert plan_of(tmp_path, LEAST.replace('"mono"', '"hybrid"')).alphas == (0.5,)
    assert "primary" not in plan.as_dict()  # by this dictionary an older study of the same plan is recognised


def test_encoders_are_made_seed_by_seed(tmp_path: Path) -> None:
    (tmp_path / "corpora").mkdir()
    names = [encoder.name for encoder in plan_of(tmp_path, FULL).encoders()]
    of_a_source = ["mono", "cross", "hybrid-alpha0.25", "hybrid-alpha0.5"]
    assert names == [f"{source}-{sampler}-seed{seed}" for seed in (0, 1) for source in ("mlqa", "both")
                     for sampler in of_a_source]  # fmt: skip
    chosen = plan_of(tmp_path, FULL.replace("seeds = 2", "seeds = [7, 3]")).encoders()
    assert [encoder.seed for encoder in chosen] == [7] * 8 + [3] * 8
    assert {encoder.alpha for encoder in chosen if encoder.sampler != "hybrid"} == {None}


def test_the_reference_comes_first_and_samplers_with_fewer_seeds_last(tmp_path: Path) -> None:
    (tmp_path / "corpora").mkdir()
    more = 'reference = true\nfewer_seeds = {"hybrid-alpha0.25" = 1}\n'
    plan = plan_of(tmp_path, more + FULL)
    names = [encoder.name for encoder in plan.encoders()]
    whole = ["mono", "cross", "hybrid-alpha0.5"]
    assert names == [
        "untrained",
        *(f"{source}-{arm}-seed{seed}" for seed in (0, 1) for source in ("mlqa", "both") for arm in whole),
        *(f"{source}-hybrid-alpha0.25-seed0" for source in ("mlqa", "both")),
    ]
    steps = steps_of(plan.encoders())
    assert [(step.kind, step.encoder) for step in steps[:3]] == [
        ("evaluate", "untrained"), ("train", names[1]), ("evaluate", names[1]),
    ]  # fmt: skip
    assert steps_of(plan.encoders(), ("train",))[0].encoder == names[1]
    assert (plan.as_dict()["reference"], plan.as_dict()["fewer_seeds"]) == (True, {"hybrid-alpha0.25": 1})
    assert not {"reference", "fewer_seeds"} & plan_of(tmp_path, FULL).as_dict().keys()  # as of an earlier version


def test_the_base_may_be_given_and_is_no_part_of_the_plan(tmp_path: Path) -> None:
    written = LEAST.replace("[sources]", 'recipe = "static-distilled"\n[sources]')
    (tmp_path / "plan.toml").write_text(written, "utf-8")
    plan = read_plan(tmp_path / "plan.toml", base="./mine")
    assert plan.recipe == find_recipe("static-distilled").overridden(base="./mine", distilled_from="")
    assert plan.as_dict() == read_plan(tmp_path / "plan.toml").as_dict()


def test_the_data_may_be_elsewhere(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    plan = plan_of(tmp_path, FULL, tmp_path / "other")
    assert plan.spec(plan.targets["xquad-r"]) == f"lareqa:{tmp_path / 'other'}/xquad-r"
    with pytest.raises(UsageError, match=r"plan\.toml: --data: .*nowhere: there is no such folder"):
        plan_of(tmp_path, FULL, tmp_path / "nowhere")


def test_a_recipe_of_its_own_stands_beside_the_plan(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text(find_recipe("static").overridden(steps=5).as_toml(), "utf-8")
    assert plan_of(tmp_path, 'recipe = "mine.toml"\n' + LEAST).recipe.steps == 5


def test_another_base_brings_its_recipe(tmp_path: Path) -> None:
    plan = plan_of(tmp_path, LEAST + '[settings]\nbase = "multilingual-e5-small"\nsteps = 9\n')
    assert plan.recipe == find_recipe("multilingual-e5-small").overridden(steps=9)
    assert plan.recipe_name == "multilingual-e5-small"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("samplers =", "sampler ="), "unknown key 'sampler' (did you mean samplers?)"),
        (
            ("samplers =", "wholly_else = 1\nsamplers ="),
            "unknown key 'wholly_else': expected samplers, sources",
        ),
        (('samplers = ["mono"]', ""), "has no key 'samplers': expected a list"),
        (('["mono"]', '"mono"'), "samplers is 'mono': expected a list"),
        (('["mono"]', "[]"), "samplers is []: expected a list such as"),
        (
            ('["mono"]', '["mono", "hybird"]'),
            "samplers[1] is 'hybird' (did you mean hybrid?): expected",
        ),
        (('["mono"]', '["mono", 3]'), "samplers[1] is 3: expected english, mixed, mono, cross, hybrid"),
        (('["mono"]', '["mono", "mono"]'), "samplers: 'mono' is there twice"),
        (('["mono"]', '["mono"]\nalphas = [0.5]'), "alphas: are for the sampler 'hybrid'"),
        (('["mono"]', '["hybrid"]\nalphas = 0.5'), "alphas is 0.5: expected a list of probabilities"),
        (('["mono"]', '["hybrid"]\nalphas = [1.5]'), "alphas[0] is 1.5: expected a number from 0 to 1"),
        (('["mono"]', '["hybrid"]\nalphas = [true]'), "alphas[0] is True: expected a number from 0 to 1"),
        (('["mono"]', '["hybrid"]\nalphas = [nan]'), "alphas[0] is nan: expected a number from 0 to 1"),
        (('["mono"]', '["hybrid"]\nalphas = []'), "alphas is []: expected a list of probabilities"),
        (('["mono"]', '["hybrid"]\nalphas = [0.5, 0.5]'), "alphas: 0.5 is there twice"),
        (('["mono"]', '["hybrid"]\nalphas = [0.12345671, 0.12345672]'), "'money-hybrid-alpha0.123457-seed0'"),
        (('["mono"]', '["mono"]\nseeds = 0'), "seeds is 0: expected how many"),
        (('["mono"]', '["mono"]\nseeds = 99999999999'), "seeds is 99999999999: expected how many, from 1 to 10,000"),
        (('["mono"]', f'["mono"]\nseeds = {10**400}'), "0…: expected how many, from 1 to 10,000"),
        (('["mono"]', f'["mono"]\ntop_k = {10**30}'), ": expected at least 1 and at most 1,000,000"),
        (('["mono"]', f'["mono"]\nseeds = {"[" * 5000}'), "is not TOML: "),
        (('["mono"]', '["mono"]\nseeds = true'), "seeds is True: expected how many"),
        (('["mono"]', '["mono"]\nseeds = [1, -1]'), "seeds[1] is -1: expected a seed, from 0 to 4294967295"),
        (('["mono"]', '["mono"]\nseeds = [1, 1]'), "seeds: 1 is there twice"),
        (('["mono"]', '["mono"]\nseeds = []'), "seeds is []: expected how many, from 1 to 10,000, or a list of them"),
        (('["mono"]', '["mono"]\ntop_k = 0'), "top_k is 0: expected at least 1"),
        (('["mono"]', '["mono"]\ntop_k = "ten"'), "top_k is 'ten': expected a whole number"),
        (('["mono"]', '["mono"]\ntop_of = "al"'), "top_of is 'al' (did you mean all?): expected all, multilingual"),
        (('["mono"]', '["mono"]\nbaseline = "cross"'), "baseline: unknown sampler 'cross': expected mono"),
        (('["mono"]', '["mono"]\ntitle = 3'), "title is 3: expected a string"),
        (('["mono"]', '["mono"]\nrecipe = "statik"'), "recipe: unknown recipe 'statik'"),
        (('["mono"]', '["mono"]\nrecipe = "nowhere.toml"'), "nowhere.toml: there is no such file"),
        (('["mono"]', '["mono"]\ndata = "nowhere"'), "nowhere: there is no such folder; --data DIR"),
        (('["mono"]', '["mono"]\nsettings = 3'), "settings is 3: expected a table [settings]"),
        (
            ("[sources]", "[settings]\nbatchsize = 3\n[sources]"),
            "settings: unknown key 'batchsize' (did you mean batch_size",
        ),
        (("[sources]", "[settings]\nbatch_size = 1\n[sources]"), "settings.batch_size is 1: expected at least 2"),
        (("[sources]", '[settings]\nsteps = "x"\n[sources]'), "settings.steps is 'x': expected a whole number"),
        (("[sources]", "[settings]\nsteps = [1]\n[sources]"), "settings.steps is [1]: expected a whole number"),
        (("[sources]", "[settings]\nseed = 1\n[sources]"), "settings.seed: the seeds of a study are its key 'seeds'"),
        (
            ("[sources]", "[sources]\n'a/b' = 'builtin:money'"),
            "sources: the name is 'a/b': expected letters",
        ),
        (("[sources]", "[sources]\na = 3"), "sources.a is 3: expected a task, or a list of tasks"),
        (("[sources]", "[sources]\na = []"), "sources.a is []: expected a task, or a list of tasks"),
        (("[sources]", "[sources]\na = 'paralel:x'"), "sources.a: unknown format 'paralel'"),
        (("[sources]", "[sources]\na = 'parallel:{data}/x'"), "sources.a: names {data}: add the key 'data'"),
        (
            ('[sources]\nmoney = "builtin:money[split=train]"', "[sources]"),
            "sources is {}: expected a table [sources]",
        ),
        (('[targets]\nmoney-test = "builtin:money[split=test]"', ""), "has no key 'targets': expected a table"),
        (
            ("[targets]", "[targets]\na = ['builtin:money']"),
            "targets.a is ['builtin:money']: expected a string",
        ),
        (("[targets]", '[targets]\n"\\u001b[2J" = "builtin:money"'), "is not a name: expected one that can be printed"),
        (
            ("[targets]", "[in_domain]\nmoney-tset = 'money'\n[targets]"),
            "unknown target 'money-tset' (did you",
        ),
        (("[targets]", "[in_domain]\nmoney-test = 'mony'\n[targets]"), "in_domain.money-test: unknown source 'mony'"),
        (("[targets]", "[targets"), "is not TOML: "),
        (("[sources]", "reference = 1\n[sources]"), "reference is 1: expected true or false"),
        (("[sources]", "fewer_seeds = {mno = 1}\n[sources]"), "fewer_seeds.mno: unknown sampler 'mno' (did you mean"),
        (("[sources]", "fewer_seeds = {mono = 0}\n[sources]"), "fewer_seeds.mono is 0: expected how many seeds, at"),
        (
            ("[sources]", "fewer_seeds = {mono = 1}\n[sources]"),
            "fewer_seeds.mono is 1: expected fewer than the 1 seeds of the plan",
        ),
    ],
)
def test_a_wrong_plan_is_one_sentence_that_names_file_and_key(
    change: tuple[str, str], message: str, tmp_path: Path
) -> None:
    assert change[0] in LEAST
    with pytest.raises(UsageError) as caught:
        plan_of(tmp_path, LEAST.replace(*change))
    assert str(caught.value).startswith(f"{tmp_path / 'plan.toml'}: ")
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (('base = "cross"', 'base = "mono"'), "primary[0].base: unknown sampler 'mono': expected cross"),
        (("hybrid-alpha0.5", "hybrid-alpha0.75"), "primary[0].new: unknown sampler 'hybrid-alpha0.75'"),
        (('base = "cross"', 'base = "untrained"'), "primary[0].base: unknown sampler 'untrained': expected cross"),
        (('measure = "map"', 'measure = "mao"'), "primary[0].measure: unknown measure 'mao'"),
        (("cross-lingual", "crosslingual"), "primary[0].setting: unknown setting 'crosslingual'"),
        (('setting = "cross-lingual"', ""), "primary[0]: has no key 'setting'"),
        (('setting = "cross-lingual"', 'settings = "cross-lingual"'), "unknown key 'settings'"),
        (("[[primary]]", "[primary]"), "expected tables [[primary]]"),
        (('setting = "cross-lingual"', 'setting = "cross-lingual"\nover = "abroad"'), "primary[0].over"),
        (('setting = "cross-lingual"', 'setting = "cross-lingual"\nmargin = 0'), "primary[0].margin"),
        (('setting = "cross-lingual"', 'setting = "cross-lingual"\ncells = "taught"'), "primary[0].cells"),
        (
            ('measure = "map"', 'measure = "queries.parallel_accuracy"'),
            "primary[0].setting: unknown setting 'cross-lingual': expected none: leave it out",
        ),
    ],
)
def test_a_wrong_primary_contrast(change: tuple[str, str], message: str, tmp_path: Path) -> None:
    (tmp_path / "corpora").mkdir()
    assert change[0] in FULL
    head, tail = FULL.split("[[primary]]")
    with pytest.raises(UsageError) as caught:
        plan_of(tmp_path, head + ("[[primary]]" + tail).replace(*change))
    assert message in str(caught.value) and "\n" not in str(caught.value)


def test_no_plan_at_all(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"nowhere\.toml: there is no such file"):
        read_plan(tmp_path / "nowhere.toml")


@pytest.mark.parametrize("name", ["static", "distilled", "e5"])
def test_the_plans_of_the_studies_that_were_made_can_be_read(name: str, tmp_path: Path) -> None:
    plan = read_plan(REPOSITORY / "docs" / "study" / name / "plan.toml", tmp_path, "./base")
    assert set(plan.in_domain.values()) == set(plan.sources)
    assert plan.primary
    if plan.reference:  # the studies of encoders that were multilingual before: languages and domains apart
        sources = {
            parse_spec(plan.spec(task)).options["languages"] for tasks in plan.sources.values() for task in tasks
        }
        assert len(sources) == 1
        targets = {parse_spec(plan.spec(task)).options["languages"] for task in plan.targets.values()}
        assert all(set(languages.split(",")) <= set(min(sources).split(",")) for languages in targets)
