"""Recipes: those that come with xlbias, the user's own, and what is wrong with a broken one."""

import json
from contextlib import suppress
from pathlib import Path

import pytest
from msgspec.structs import fields

from xlbias.errors import TrainingError
from xlbias.packaged import models_folder
from xlbias.train.recipe import Recipe, check_grid, find_recipe, parse_settings, read_recipe, recipe_for, recipe_names


def test_every_packaged_recipe_can_be_read() -> None:
    assert "static" in recipe_names()
    for name in recipe_names():
        assert find_recipe(name).base


def test_static_has_its_own_recipe_and_other_encoders_get_what_the_paper_says_of_settings() -> None:
    assert recipe_for("static").base == "static"
    paper = recipe_for("some/encoder")
    assert paper == Recipe(base="some/encoder")
    assert (paper.learning_rate, paper.weight_decay, paper.batch_size) == (3e-5, 1e-2, 100)
    assert (paper.query_prefix, paper.passage_prefix) == (None, None)  # the base's own


@pytest.mark.parametrize("name", ["intfloat/multilingual-e5-small", "Intfloat/Multilingual-E5-Small"])
def test_a_recipe_is_also_that_of_its_bases_hub_name(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert recipe_for(name) == find_recipe("multilingual-e5-small")
    (tmp_path / name).mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    assert recipe_for(name) == Recipe(base=name)  # a folder here, whatever it holds


def test_a_card_shows_only_the_settings_that_were_used() -> None:
    pretrained, static = Recipe(base="some/encoder").as_dict(), Recipe(base="static", steps=300).as_dict()
    assert set(static) - set(pretrained) == {"steps", "dimension", "vocabulary", "initial_scale"}
    assert set(pretrained) - set(static) == {"epochs", "mini_batch", "gradient_checkpointing", "max_length"}


@pytest.mark.parametrize("name", ["xlm-r", "labse", "multilingual-e5-small", "minilm"])
def test_recipes_of_pretrained_encoders_have_what_the_paper_says_of_settings(name: str) -> None:
    recipe = find_recipe(name)
    assert (recipe.learning_rate, recipe.weight_decay, recipe.batch_size) == (3e-5, 1e-2, 100)
    assert recipe.patience > 0
    assert "/" in recipe.base
    assert recipe_for(name) == recipe
    prefixes = {"xlm-r": "Query: ", "labse": "Query: ", "multilingual-e5-small": "query: ", "minilm": ""}
    assert recipe.query_prefix == prefixes[name]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("static", set()),
        ("xlm-r", {"batch_size", "learning_rate", "weight_decay", "query_prefix", "passage_prefix"}),
        ("labse", {"batch_size", "learning_rate", "weight_decay", "query_prefix", "passage_prefix"}),
        ("minilm", {"batch_size", "learning_rate", "weight_decay"}),
        ("multilingual-e5-small", {"batch_size", "learning_rate", "weight_decay"}),
    ],
)
def test_settings_of_the_paper_are_told_apart_from_ours(name: str, said: set[str]) -> None:
    """The paper does not say temperature, warm-up, schedule, length and epochs."""
    lines = find_recipe(name).as_toml().splitlines()
    assert {line.partition(" = ")[0] for line in lines if line.endswith("  # arXiv 2408.10536")} == said
    comment = (models_folder() / f"{name}.toml").read_text("utf-8").replace("\n# ", " ")
    named = comment.partition("From arXiv 2408.10536: ")[2].partition(".")[0].split(", ")
    words = {"batch size": "batch_size", "learning rate": "learning_rate", "weight decay": "weight_decay"}
    keys = {key: key for key in said} | dict.fromkeys(said & {"query_prefix", "passage_prefix"}, "prefixes")
    assert {words.get(word, word) for word in named if word} == set(keys.values())
    assert ("Epochs, schedule, warm-up, temperature, length and patience are ours" in comment) == bool(said)


@pytest.mark.parametrize("name", ["static", "xlm-r"])
def test_what_is_shown_is_a_recipe_again(name: str, tmp_path: Path) -> None:
    recipe = find_recipe(name).overridden(seed=3, query_prefix='say "ไทย": ')
    file = tmp_path / "shown.toml"
    file.write_text(recipe.as_toml(), "utf-8")
    assert read_recipe(file) == recipe


def test_a_recipe_that_keeps_the_bases_prompts_says_so_and_is_a_recipe_again(tmp_path: Path) -> None:
    recipe = Recipe(base="some/encoder", passage_prefix="")
    assert "# query_prefix: the base's own\n" in recipe.as_toml()
    file = tmp_path / "shown.toml"
    file.write_text(recipe.as_toml(), "utf-8")
    assert read_recipe(file) == recipe


def test_settings_of_the_command_line_have_the_types_of_the_recipe() -> None:
    given = ["precision=bf16", "accumulate=2", "validation=0", "gradient_checkpointing=true", "query_prefix=Q: = "]
    assert parse_settings(given) == {
        "precision": "bf16", "accumulate": 2, "validation": 0.0, "gradient_checkpointing": True, "query_prefix": "Q: =",
    }  # fmt: skip
    assert parse_settings(['query_prefix="Q: "']) == {"query_prefix": "Q: "}


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("accumulate", "the setting 'accumulate' has no value: expected KEY=VALUE"),
        ("acumulate=2", "unknown key 'acumulate' (did you mean accumulate?)"),
        ("accumulate=two", "accumulate is 'two': expected a whole number"),
        ("gradient_checkpointing=1", "gradient_checkpointing is 1: expected true or false"),
    ],
)
def test_a_wrong_setting_is_named(setting: str, message: str) -> None:
    with pytest.raises(TrainingError) as error:
        parse_settings([setting])
    assert message in str(error.value)


def test_settings_are_overridden_one_by_one() -> None:
    recipe = Recipe(base="static", steps=300)
    assert recipe.overridden(steps=None, seed=4) == Recipe(base="static", steps=300, seed=4)
    assert recipe.overridden(epochs=2.0).steps == 0
    assert recipe.overridden(steps=7, epochs=None).steps == 7


def test_another_base_brings_its_pooling_and_settings_override_both() -> None:
    static = find_recipe("static")
    assert static.based_on(None, {"seed": 3}) == static.overridden(seed=3)
    other = static.based_on("xlm-r", {})
    assert (other.base, other.pooling, other.steps) == ("FacebookAI/xlm-roberta-base", "mean", static.steps)
    assert static.based_on("xlm-r", {"pooling": "cls"}).pooling == "cls"
    assert find_recipe("xlm-r").based_on("some/encoder", {}).pooling == ""


def test_a_file_is_a_recipe(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text('base = "static"\ntemperature = 1\nseed = 3\n', "utf-8")
    recipe = find_recipe(str(file))
    assert recipe == Recipe(base="static", temperature=1.0, seed=3)
    assert isinstance(recipe.temperature, float)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            'base = "static"\nlearning_rat = 1e-2',
            r"unknown key 'learning_rat' \(did you mean learning_rate\?\)",
        ),
        ('base = "static"\nxyz = 1', "unknown key 'xyz': expected base, steps, epochs"),
        ("steps = 1", "has no key 'base'"),
        ('base = "static"\nsteps = 1.5', "steps is 1.5: expected a whole number"),
        ('base = "static"\nsteps = true', "steps is True: expected a whole number"),
        ('base = "static"\ntemperature = "low"', "temperature is 'low': expected a number"),
        ('base = "static"\ntemperature = 0', "temperature is 0: expected more than 0"),
        ('base = "static"\nlearning_rate = inf', "learning_rate is inf: expected more than 0"),
        ('base = "static"\nwarmup = 1.0', "warmup is 1.0: expected a share of the steps"),
        ('base = "static"\nbatch_size = 1', "batch_size is 1: expected at least 2"),
        ('base = "static"\nseed = -1', "seed is -1: expected a seed, from 0"),
        ('base = "static"\nseed = 4294967296', "seed is 4294967296: expected a seed, from 0 to 4294967295"),
        (f'base = "x"\nsteps = {10**40}', "steps is 1000000000000000000000000000000000000000"),
        (f'base = "x"\nsteps = {10**400}', "0…: expected at least 1, or 0 for whole epochs; at most 4,294,967,296"),
        (f'base = "x"\nepochs = {10**400}', "0…: expected a number"),
        ('base = "x"\nepochs = 1e300', r"epochs is 1e\+300: expected more than 0, and at most a million"),
        (f'base = "x"\nsteps = {"9" * 5000}', "is not TOML: "),
        (f"base = {'[' * 5000}", "is not TOML: "),
        ('base = "x"\npooling = "middle"', "pooling is 'middle': expected mean, cls, max"),
        ('base = "static"\npooling = "cls"', "pooling is cls: the static encoder has no layers to need it"),
        ('base = "static"\nschedule = "step"', "schedule is 'step': expected linear, cosine, constant"),
        ('base = "static"\naccumulate = 0', "accumulate is 0: expected at least 1"),
        ('base = "x"\nprecision = "fp8"', "precision is 'fp8': expected fp32, bf16"),
        ('base = "x"\nmonitor = "map"', "monitor is 'map': expected map_multilingual, map_monolingual"),
        ('base = "x"\nvalidation = 0.9', "validation is 0.9: expected a share of the query ids, from 0 to 0.5"),
        ("base = static", "is not TOML: .*line 1"),
    ],
)
def test_a_broken_recipe_is_named_with_file_key_and_expectation(tmp_path: Path, content: str, message: str) -> None:
    file = tmp_path / "broken.toml"
    file.write_text(content, "utf-8")
    with pytest.raises(TrainingError, match=message) as error:
        read_recipe(file)
    assert str(error.value).startswith(str(file))


def test_a_recipe_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match=r"'statc' \(did you mean static\?\): expected .*static.* or a .toml file"):
        find_recipe("statc")
    with pytest.raises(TrainingError, match="there is no such file"):
        find_recipe(str(tmp_path / "none.toml"))


ODD = (
    10**400,
    10**40,
    2**63,
    -1,
    0,
    1e308,
    float("nan"),
    float("inf"),
    True,
    "",
    "x" * 10_000,
    "\x1b[2J",
    [],
    [[1]],
    {"a": 1},
)


@pytest.mark.parametrize("key", [field.name for field in fields(Recipe)])
def test_no_value_of_any_key_ends_in_another_error(key: str, tmp_path: Path) -> None:
    file = tmp_path / "odd.toml"
    for value in ODD:
        written = "{ a = 1 }" if isinstance(value, dict) else json.dumps(value)
        written = {"NaN": "nan", "Infinity": "inf"}.get(written, written)
        file.write_text(
            "\n".join([*(['base = "some/encoder"'] if key != "base" else []), f"{key} = {written}"]), "utf-8"
        )
        with suppress(TrainingError):
            find_recipe(str(file)).as_toml()


def test_a_recipe_for_a_base_without_pooling_says_how_it_is_pooled() -> None:
    assert find_recipe("xlm-r").pooling == "mean"
    assert find_recipe("xlm-r").as_dict()["pooling"] == "mean"
    assert "pooling" not in Recipe(base="some/encoder").as_dict()


@pytest.mark.parametrize("seeds", [0, -1, 99_999_999_999, 10**400])
def test_a_grid_has_a_number_of_seeds_that_can_be_trained(seeds: int) -> None:
    with pytest.raises(TrainingError, match=r"seeds is .*: expected at least 1 and at most 10,000"):
        check_grid([0.5], seeds)
