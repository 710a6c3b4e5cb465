"""Recipes: those that come with xlbias, the user's own, and what is wrong with a broken one."""

from pathlib import Path

import pytest

from xlbias.errors import TrainingError
from xlbias.train.recipe import Recipe, find_recipe, read_recipe, recipe_for, recipe_names


def test_every_packaged_recipe_can_be_read() -> None:
    assert "static" in recipe_names()
    for name in recipe_names():
        assert find_recipe(name).base


def test_static_has_its_own_recipe_and_other_encoders_get_the_papers_settings() -> None:
    assert recipe_for("static").base == "static"
    paper = recipe_for("some/encoder")
    assert paper == Recipe(base="some/encoder")
    assert (paper.learning_rate, paper.weight_decay, paper.batch_size) == (3e-5, 1e-2, 100)
    assert (paper.query_prefix, paper.passage_prefix) == ("Query: ", "Passage: ")


def test_a_card_shows_only_the_settings_that_were_used() -> None:
    pretrained, static = Recipe(base="some/encoder").as_dict(), Recipe(base="static", steps=300).as_dict()
    assert set(static) - set(pretrained) == {"steps", "dimension", "vocabulary", "initial_scale"}
    assert set(pretrained) - set(static) == {"epochs"}


def test_settings_are_overridden_one_by_one() -> None:
    recipe = Recipe(base="static", steps=300)
    assert recipe.overridden(steps=None, seed=4) == Recipe(base="static", steps=300, seed=4)
    assert recipe.overridden(epochs=2.0).steps == 0
    assert recipe.overridden(steps=7, epochs=None).steps == 7


def test_a_file_is_a_recipe(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text('base = "static"\ntemperature = 1\nseed = 3\n', "utf-8")
    recipe = find_recipe(str(file))
    assert recipe == Recipe(base="static", temperature=1.0, seed=3)
    assert isinstance(recipe.temperature, float)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('base = "static"\nlearning_rat = 1e-2', "unknown key 'learning_rat'; did you mean 'learning_rate'?"),
        ('base = "static"\nxyz = 1', "unknown key 'xyz': expected base, steps, epochs"),
        ("steps = 1", "has no key 'base'"),
        ('base = "static"\nsteps = 1.5', "steps is 1.5: expected a whole number"),
        ('base = "static"\nsteps = true', "steps is True: expected a whole number"),
        ('base = "static"\ntemperature = "low"', "temperature is 'low': expected a number"),
        ('base = "static"\ntemperature = 0', "temperature is 0.0: expected more than 0"),
        ('base = "static"\nlearning_rate = inf', "learning_rate is inf: expected more than 0"),
        ('base = "static"\nwarmup = 1.0', "warmup is 1.0: expected a share of the steps"),
        ('base = "static"\nbatch_size = 1', "batch_size is 1: expected at least 2"),
        ('base = "static"\nseed = -1', "seed is -1: expected from 0"),
        ('base = "static"\nschedule = "step"', "schedule is 'step': expected linear, cosine, constant"),
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
    with pytest.raises(TrainingError, match=r"unknown recipe 'statc': expected .*static.* or a .toml file"):
        find_recipe("statc")
    with pytest.raises(TrainingError, match="cannot be read: No such file"):
        find_recipe(str(tmp_path / "none.toml"))
