"""The encoder that comes with xlbias: found by its name, small, and good at what it was trained for."""

import json
from pathlib import Path

import numpy as np
import pytest

from xlbias.data.catalog import load_task
from xlbias.encode.load import find_encoder, load_encoder
from xlbias.encode.trained_on import distinct, text_fingerprints, trained_on_of
from xlbias.evaluation import evaluate
from xlbias.evaluation.seen_texts import TaskTexts
from xlbias.packaged import models_folder, packaged_encoders
from xlbias.train.trainer.held_out import hold_out

pytestmark = pytest.mark.integration

NAME = "static-small"


def test_it_is_found_by_its_name_unless_a_folder_here_is_called_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert packaged_encoders()[NAME] == models_folder() / NAME
    assert find_encoder(NAME) == str(models_folder() / NAME)
    assert find_encoder("some/encoder") == "some/encoder"
    monkeypatch.chdir(tmp_path)
    (tmp_path / NAME).mkdir()
    assert find_encoder(NAME) == NAME


def test_it_is_small_and_says_what_it_was_trained_on() -> None:
    folder = models_folder() / NAME
    assert sum(file.stat().st_size for file in folder.iterdir()) < 6_000_000
    card = json.loads((folder / "xlbias.json").read_text("utf-8"))
    assert card["sampler"] == "hybrid"
    assert [source["name"] for source in card["sources"]] == [
        f"builtin:{name}[split=train]" for name in ("money", "language", "calendar")
    ]
    assert "Trained by xlbias" in (folder / "README.md").read_text("utf-8")


def test_its_fingerprints_are_those_of_the_texts_that_it_was_trained_on() -> None:
    """They were made from its sources, which its card pins down by their fingerprints."""
    folder = models_folder() / NAME
    card = json.loads((folder / "xlbias.json").read_text("utf-8"))
    found = trained_on_of(str(folder))
    assert found is not None and found.complete
    tasks = [load_task(source["name"]) for source in card["sources"]]
    split = hold_out(tasks, card["recipe"]["validation"], seed=0)
    if [task.fingerprint for task in split.training] != [source["fingerprint"] for source in card["sources"]]:
        pytest.skip("another release of CLDR than the one it was trained on")
    texts = [text_fingerprints(frame["text"]) for task in split.training for frame in (task.queries, task.passages)]
    assert np.array_equal(found.texts, distinct(texts))
    test = TaskTexts(load_task("builtin:money[split=test]")).rows(found)
    assert {row.value for row in test if row.key.measure in ("seen_queries", "seen_ids")} == {0}


def test_it_finds_held_out_passages_in_every_language() -> None:
    task = load_task("builtin:money[split=test;languages=ar,de,en,th,zh]")
    run = evaluate(NAME, task)
    means = dict(run.settings.select("setting", "map").iter_rows())
    assert means["monolingual"] > 0.95
    assert means["cross-lingual"] > 0.6
    assert run.models[0].name == NAME
    assert load_encoder(NAME, device="cpu").card["name"] == NAME
