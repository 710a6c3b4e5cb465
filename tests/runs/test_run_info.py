"""What a run says of itself: typed, checked at the door, and open to versions before and after this one."""

from pathlib import Path

import pytest

from xlbias.errors import RunError
from xlbias.runs.run_file import RunFile, RunState
from xlbias.runs.validation import check_metadata

TASK = {"name": "t", "n_queries": {"de": 2}, "pool_sizes": {"de": 3}}
MODEL = {"name": "m"}


def opened(**metadata):
    return RunFile(Path("r"), check_metadata(Path("r"), {"schema": 2, **metadata}), RunState("finished"), ())


def test_an_early_run_lacks_most_of_it():
    run = opened(tasks=[TASK], models=[MODEL])
    (task,), (model,) = run.tasks, run.models
    assert (task.name, task.pool_sizes, task.domain, task.fingerprint, task.selves) == ("t", {"de": 3}, "", None, None)
    assert (model.name, model.fingerprint, model.card.sampler, model.card.trained_on) == ("m", None, None, [])
    assert run.task("t") is task and run.model("m") is model and run.task("m") is None


@pytest.mark.parametrize("metadata", [{}, {"tasks": None, "models": None}])
def test_a_run_of_nothing(metadata):
    assert (opened(**metadata).tasks, opened(**metadata).models) == ([], [])


def test_null_is_missing():
    run = opened(
        tasks=[{**TASK, "domain": None, "parallel": None}], models=[{**MODEL, "card": None, "dimension": None}]
    )
    assert run.tasks == opened(tasks=[TASK]).tasks
    assert run.models == opened(models=[MODEL]).models


def test_keys_of_a_later_version_are_passed_over_and_kept_in_the_metadata():
    later = {"later": {"a": [1]}}
    run = opened(tasks=[{**TASK, **later}], models=[{**MODEL, "card": {"sampler": "mono", **later}}], **later)
    assert run.tasks == opened(tasks=[TASK]).tasks
    assert run.models[0].card.sampler == "mono"
    assert run.metadata["later"] == run.metadata["tasks"][0]["later"] == later["later"]


def test_sources_of_early_cards_are_names():
    (model,) = opened(models=[{**MODEL, "card": {"sources": ["a", {"name": "b", "fingerprint": "f"}]}}]).models
    assert [(one.name, one.fingerprint) for one in model.card.trained_on] == [("a", None), ("b", "f")]


@pytest.mark.parametrize(
    ("metadata", "said"),
    [
        ({"tasks": 3}, "tasks is 3: expected a list"),
        ({"tasks": [3]}, r"tasks\[0\] is 3: expected a table of named values"),
        ({"tasks": [{"name": "t"}]}, r"tasks\[0\]: has no key 'n_queries': expected counts by language"),
        ({"tasks": [{**TASK, "name": 3}]}, r"tasks\[0\].name is 3: expected a string"),
        ({"tasks": [{**TASK, "n_queries": {"de": -1}}]}, r"tasks\[0\].n_queries.de is -1: expected a count"),
        ({"tasks": [{**TASK, "pool_sizes": [3]}]}, r"tasks\[0\].pool_sizes is \[3\]: expected counts by language"),
        ({"tasks": [{**TASK, "self": {"of": "x"}}]}, r"tasks\[0\].self.of is 'x': expected a count"),
        ({"tasks": [TASK, TASK]}, "tasks has 't' twice"),
        ({"models": [{**MODEL, "card": {"alpha": "x"}}]}, r"models\[0\].card.alpha is 'x': expected a number"),
        ({"models": [{**MODEL, "card": {"seed": True}}]}, r"models\[0\].card.seed is True: expected a whole number"),
        ({"models": [{**MODEL, "card": {"sources": [{}]}}]}, r"card.sources\[0\]: has no key 'name'"),
        ({"command": ["a", 1]}, r"command\[1\] is 1: expected a string"),
        ({"created": 2**80}, "created is a whole number of 81 bits"),
        ({"study": {"samplers": [], "alphas": [], "seeds": 1, "sources": {}}}, "study.samplers is .*: expected"),
    ],
)
def test_what_has_another_type_is_told_with_file_and_field(metadata, said):
    with pytest.raises(RunError, match=rf"^r: its run metadata is damaged: .*{said}"):
        opened(**metadata)
