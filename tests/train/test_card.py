"""The model card: its head is what the hub reads, and says of licences and validation what is known."""

import json

import pytest
from huggingface_hub import ModelCard

from xlbias.packaged import models_folder
from xlbias.train.card import readme

FOLDER = models_folder() / "static-small"


@pytest.fixture
def card() -> dict:
    return json.loads((FOLDER / "xlbias.json").read_text("utf-8"))


def head(card: dict):
    return ModelCard(readme(card)).data


def test_the_head_has_languages_licence_and_the_validation_of_the_saved_step(card: dict) -> None:
    data = head(card)
    assert data.language == ["ar", "de", "el", "en", "es", "hi", "ru", "th", "tr", "vi", "zh"]
    assert data.license == "unicode-3.0"
    assert data.base_model is None  # made from nothing
    rows = [row for row in card["validation"] if row["step"] == card["best_step"]]
    found = {(result.dataset_config, result.metric_type): result.metric_value for result in data.eval_results}
    for row in rows:
        for measure in ("map_monolingual", "map_cross_lingual", "map_multilingual", "rank_distance_normalised"):
            assert found[row["task"], measure] == pytest.approx(row[measure], abs=1e-6)
    assert len(found) == 4 * len(rows) == 12


def test_a_licence_is_named_only_where_base_and_data_state_the_same(card: dict) -> None:
    card |= {"base": "org/encoder", "base_licence": None}
    assert head(card).license is None
    assert head(card).base_model == "org/encoder"
    assert head(card | {"base_licence": "mit"}).license is None
    assert head(card | {"base_licence": "Unicode-3.0"}).license == "unicode-3.0"
    assert "Its licence: mit." in readme(card | {"base_licence": "mit"})
    card["sources"][0]["licence"] = "CC BY 4.0"
    assert head(card | {"base_licence": "Unicode-3.0"}).license is None


def test_names_from_data_stay_in_their_place(card: dict) -> None:
    hostile = 'x\n---\nlicense: "evil"\n# <script> | `'
    card |= {"name": hostile}
    card["sources"][0] |= {"name": hostile, "licence": hostile}
    data = head(card)
    assert data.license is None
    assert readme(card).count("\n---\n") == 1
    assert "<script>" not in readme(card).partition("\n---\n")[2]


def test_the_card_of_the_packaged_encoder_says_what_its_record_says(card: dict) -> None:
    """Made from the record; but its loss curve does not come with it, and how it was made does."""
    written = (FOLDER / "README.md").read_text("utf-8")
    made = readme(card).split("\n\n")
    curve = [part for part in made if "has the loss curve" in part]
    assert len(curve) == 1
    assert [part for part in written.split("\n\n") if "Made with" not in part] == [
        part for part in made if part not in curve
    ]
    assert "`xlbias train --sampler hybrid --name static-small --set vocabulary=8000" in written
