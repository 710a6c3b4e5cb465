"""The model-index block of a card: huggingface_hub reads our numbers back out of it."""

from collections.abc import Callable

import pytest
import yaml
from huggingface_hub import ModelCard

import xlbias
from xlbias.export.model_index import MEASURES
from xlbias.results.run import Run
from xlbias.results.summary import OVERALL

pytestmark = pytest.mark.integration


@pytest.mark.parametrize("name", ["parallel", "judged"])
def test_a_card_with_the_block_holds_the_numbers_of_the_report(name: str, run_of: Callable[[str], Run]) -> None:
    run = run_of(name)
    block = xlbias.export_model_index(run, name="me/mine")
    card = ModelCard(f"---\nlicense: mit\n{block}---\n\n# Mine\n")
    assert card.data.model_name == "me/mine"
    assert card.data.license == "mit"
    found = {(one.dataset_config, one.metric_type): one for one in card.data.eval_results}
    rows = run.summary.filter(OVERALL).drop_nulls(["value", "setting"])
    expected = {
        (row["setting"], row["measure"]): row for row in rows.iter_rows(named=True) if row["measure"] in MEASURES
    }
    assert found.keys() == expected.keys()
    assert len(found) >= 10
    for key, one in found.items():
        row = expected[key]
        assert one.metric_value == pytest.approx(row["value"])
        assert one.dataset_revision == run.tasks[0].fingerprint
        interval = {name: row[name] for name in ("low", "high", "n_ids") if row[name] is not None}
        assert one.metric_args == pytest.approx(interval)
    again = ModelCard(str(card))
    assert again.data.to_dict() == card.data.to_dict()


def test_a_hostile_name_stays_a_value_of_its_key(run_of: Callable[[str], Run]) -> None:
    name = "a: b\n--- !!python/object \x1b[2J 'x' # \u202e"
    (entry,) = yaml.safe_load(xlbias.export_model_index(run_of("judged"), name=name))["model-index"]
    assert entry["name"] == "a: b --- !!python/object ␛[2J 'x' # ⟨U+202E⟩"
