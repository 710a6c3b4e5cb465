"""Kinds and languages in turn: every stretch of a training has its share of each, whatever the seed."""

from collections import Counter

import numpy as np
import pytest

from xlbias.data.task import RetrievalTask
from xlbias.train.sampling.pairs import PairTexts
from xlbias.train.sampling.samplers import LanguageBatchSampler
from xlbias.train.sampling.shares import Shares

LANGUAGES = ["de", "en", "th"]
BALANCED = Shares(balanced=True)


@pytest.fixture(scope="module")
def texts(ntrex: RetrievalTask) -> PairTexts:
    return PairTexts([ntrex.select_languages(LANGUAGES)])


def sampled(texts: PairTexts, sampler: str, seed: int, shares: Shares, alpha: float = 0.5) -> LanguageBatchSampler:
    return LanguageBatchSampler(texts, 16, seed=seed, sampler=sampler, alpha=alpha, shares=shares)


def drawn(batches: LanguageBatchSampler, n: int) -> tuple[list[str], list[int]]:
    """Kinds of the first n batches, over as many epochs as it takes, and the languages of the monolingual ones."""
    some = [batches.batch(*divmod(number, len(batches))) for number in range(n)]
    return [one.kind for one in some], [int(one.query_language[0]) for one in some if one.kind == "monolingual"]


@pytest.mark.parametrize("seed", range(5))
def test_monolingual_batches_have_each_language_once_a_round(texts: PairTexts, seed: int) -> None:
    _, languages = drawn(sampled(texts, "mono", seed, BALANCED), 30)
    assert all(sorted(languages[at : at + 3]) == [0, 1, 2] for at in range(0, 30, 3))
    assert len({tuple(languages[at : at + 3]) for at in range(0, 30, 3)}) > 1  # an order of its own each round
    _, by_chance = drawn(sampled(texts, "mono", seed, Shares()), 30)
    assert set(Counter(by_chance).values()) != {10}


@pytest.mark.parametrize("alpha", [0.25, 0.5, 0.7])
def test_every_stretch_has_its_share_of_monolingual_batches_and_they_of_each_language(
    texts: PairTexts, alpha: float
) -> None:
    kinds, languages = drawn(sampled(texts, "hybrid", 4, BALANCED, alpha), 120)
    mono = np.cumsum([0] + [kind == "monolingual" for kind in kinds])
    for length in (1, 7, 30):
        assert np.abs(mono[length:] - mono[:-length] - alpha * length).max() < 1
    counts = Counter(languages).values()
    assert max(counts) - min(counts) <= 1


def test_hybrid_without_cross_is_mono_and_without_mono_is_cross(texts: PairTexts) -> None:
    for alpha, sampler in ((1.0, "mono"), (0.0, "cross")):
        one, other = sampled(texts, "hybrid", 2, BALANCED, alpha), sampled(texts, sampler, 2, BALANCED)
        assert all(np.array_equal(one.batch(0, number).pairs, other.batch(0, number).pairs) for number in range(12))


def test_seeds_differ_in_their_orders(texts: PairTexts) -> None:
    found = {tuple(drawn(sampled(texts, "hybrid", seed, BALANCED), 12)[1]) for seed in range(6)}
    assert len(found) > 3


def test_the_order_in_which_batches_are_asked_for_does_not_matter(texts: PairTexts) -> None:
    one, other = (sampled(texts, "hybrid", 1, BALANCED) for _ in range(2))
    last = other.batch(1, 5)
    assert drawn(one, len(one) + 6)[0][-1] == last.kind
    assert np.array_equal(one.batch(1, 5).pairs, last.pairs)
