"""How often tasks and languages are drawn: by temperature, by weights, and in proportion or equally as before."""

from collections import Counter

import numpy as np
import pytest

from xlbias.data.task import RetrievalTask
from xlbias.errors import TrainingError
from xlbias.train.recipe import Recipe, parse_settings, read_recipe
from xlbias.train.sampling.pairs import PairTexts
from xlbias.train.sampling.samplers import LanguageBatchSampler
from xlbias.train.sampling.shares import Shares

BATCHES = 400


@pytest.fixture(scope="module")
def texts(mlqa: RetrievalTask, small: RetrievalTask) -> PairTexts:
    return PairTexts([mlqa.select_languages(["de", "es", "vi", "zh"]), small])


def drawn(texts: PairTexts, sampler: str, shares: Shares | None, size: int = 16) -> tuple[Counter, Counter, Counter]:
    """Batches by task; pairs by query language and by passage language, of the first task."""
    batches = LanguageBatchSampler(texts, size, seed=1, sampler=sampler, shares=shares)
    tasks: Counter = Counter()
    queries: Counter = Counter()
    passages: Counter = Counter()
    for number in range(BATCHES):
        batch = batches.batch(0, number)
        tasks[texts.tasks[batch.task].name] += 1
        if batch.task == 0:
            queries.update(texts.languages[code] for code in batch.query_language)
            passages.update(texts.languages[code] for code in batch.passage_language)
    return tasks, queries, passages


@pytest.mark.parametrize("sampler", ["mono", "cross", "mixed", "hybrid"])
def test_the_defaults_draw_the_batches_that_were_drawn_before(texts: PairTexts, sampler: str) -> None:
    plain, given = (LanguageBatchSampler(texts, 16, seed=3, sampler=sampler, shares=s) for s in (None, Shares()))
    for number in range(20):
        assert np.array_equal(plain.batch(0, number).pairs, given.batch(0, number).pairs)


@pytest.mark.parametrize("exponent", [0.0, 0.5, 1.0])
def test_tasks_are_drawn_by_their_size_to_a_power(texts: PairTexts, exponent: float) -> None:
    tasks, _, _ = drawn(texts, "mono", Shares(task_exponent=exponent))
    sizes = np.array([task.n_ids for task in texts.tasks], dtype=float)
    expected = sizes[1] ** exponent / (sizes**exponent).sum()
    assert tasks["small"] / BATCHES == pytest.approx(expected, abs=4 * np.sqrt(expected * (1 - expected) / BATCHES))


def test_tasks_are_drawn_by_weights_and_not_at_all_with_0(texts: PairTexts) -> None:
    tasks, _, _ = drawn(texts, "mono", Shares(task_weights={"small": 3}))
    assert tasks["small"] / BATCHES == pytest.approx(0.75, abs=0.09)
    tasks, _, _ = drawn(texts, "mono", Shares(task_weights={"small": 0}), size=200)  # it has not even so many ids
    assert set(tasks) == {texts.tasks[0].name}


@pytest.mark.parametrize("sampler", ["mono", "mixed"])
def test_languages_are_drawn_by_their_size_to_a_power(mlqa: RetrievalTask, sampler: str) -> None:
    texts = PairTexts([mlqa.select_languages(["de", "es", "vi"])])
    pairs = texts.tasks[0]
    both = np.array([(pairs.queries.has(slice(None)) & pairs.runs.has(slice(None))).sum(axis=0)]).ravel()
    _, uniform, _ = drawn(texts, sampler, Shares())
    _, sized, _ = drawn(texts, sampler, Shares(language_exponent=1.0))
    smallest, largest = (texts.languages[i] for i in (both.argmin(), both.argmax()))
    assert sized[largest] / sized[smallest] > uniform[largest] / uniform[smallest]
    if sampler == "mono":
        shares = both / both.sum()
        assert [sized[one] / sized.total() for one in texts.languages] == pytest.approx(list(shares), abs=0.1)


def test_language_pairs_are_drawn_by_the_product_of_their_weights(ntrex: RetrievalTask) -> None:
    """Fully parallel, so that every pair exists everywhere: the histogram must be the closed form."""
    texts = PairTexts([ntrex.select_languages(["de", "en", "th"])])
    weights = {"de": 4.0, "en": 1.0, "th": 2.0}
    batches = LanguageBatchSampler(texts, 64, sampler="cross", shares=Shares(language_weights=weights))
    found: Counter = Counter()
    for number in range(200):
        batch = batches.batch(0, number)
        found.update(
            (texts.languages[q], texts.languages[p])
            for q, p in zip(batch.query_language, batch.passage_language, strict=True)
        )
    products = {(q, p): weights[q] * weights[p] for q in weights for p in weights if q != p}
    total = sum(products.values())
    assert {pair: n / found.total() for pair, n in found.items()} == pytest.approx(
        {pair: product / total for pair, product in products.items()}, abs=0.015
    )


@pytest.mark.parametrize("sampler", ["mono", "cross", "mixed"])
def test_a_language_of_weight_0_is_not_drawn(texts: PairTexts, sampler: str) -> None:
    _, queries, passages = drawn(texts, sampler, Shares(language_weights={"zh": 0}))
    assert "zh" not in queries and "zh" not in passages
    assert len(queries) >= 3


@pytest.mark.parametrize(
    ("shares", "message"),
    [
        (Shares(task_weights={"smal": 1}), r"there is no task 'smal' \(did you mean small\?\): choose from"),
        (Shares(language_weights={"fr": 1}), r"language_weights: there is no language 'fr'.*: choose from de, en"),
        (Shares(task_weights={"small": 0}), "task_weights: all are 0, so that nothing could be drawn"),
    ],
)
def test_weights_of_nothing_are_refused(small: RetrievalTask, shares: Shares, message: str) -> None:
    with pytest.raises(TrainingError, match=message):
        LanguageBatchSampler(PairTexts([small]), 8, shares=shares)


def test_weights_are_settings_of_a_recipe_and_come_back_from_its_file(tmp_path) -> None:
    given = parse_settings(["language_weights={de=2, zh-Hant=1}", "task_exponent=0.3", "matryoshka=[64, 32]"])
    recipe = Recipe(base="static").overridden(**given)
    (tmp_path / "r.toml").write_text(recipe.as_toml(), "utf-8")
    assert read_recipe(tmp_path / "r.toml") == recipe
    assert recipe.as_dict()["language_weights"] == {"de": 2.0, "zh-Hant": 1.0}
    assert "language_weights" not in Recipe(base="static").as_dict()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"language_weights": {"de": -1}}, "language_weights.de is -1: expected a weight, 0 or more"),
        ({"language_weights": {"EN_us": 1}}, "language_weights: 'EN_us': expected 'en-US', as tasks call it"),
        ({"task_exponent": 2.0}, r"task_exponent is 2.0: expected .* from 0 \(each as often\) to 1"),
        (
            {"language_weights": {"de": 1}, "language_exponent": 0.5},
            "language_weights and language_exponent contradict",
        ),
        ({"balanced": True, "language_weights": {"de": 2}}, "balanced and language_weights contradict each other"),
        ({"balanced": True, "language_exponent": 0.5}, "balanced and language_exponent contradict each other"),
        ({"matryoshka": (64, 64)}, r"matryoshka is \[64, 64\]: expected different lengths"),
        ({"matryoshka": (500,)}, r"matryoshka is \[500\]: the encoder has vectors of 384"),
        ({"mine_negatives": 3}, "mine_negatives needs hard_negatives"),
        ({"lora_rank": 8}, "lora_rank is 8: the static encoder has no layers to need it"),
    ],
)
def test_settings_that_cannot_be_are_refused(settings, message: str) -> None:
    with pytest.raises(TrainingError, match=message):
        Recipe(base="static").overridden(**settings)
