"""The encoder that comes with xlbias: found by its name, small, and good at what it was trained for."""

import json
from pathlib import Path

import pytest

from xlbias.data.catalog import load_task
from xlbias.encode.load import find_encoder, load_encoder
from xlbias.evaluation import evaluate
from xlbias.packaged import models_folder, packaged_encoders

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


def test_it_finds_held_out_passages_in_every_language() -> None:
    task = load_task("builtin:money[split=test;languages=ar,de,en,th,zh]")
    run = evaluate(NAME, task)
    means = dict(run.settings.select("setting", "map").iter_rows())
    assert means["monolingual"] > 0.95
    assert means["cross-lingual"] > 0.6
    assert run.models[0]["name"] == NAME
    assert load_encoder(NAME, device="cpu").card["name"] == NAME
