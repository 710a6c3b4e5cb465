"""Batch samplers: determinism, lengths, what they refuse. What they draw in the long run is in `test_shares`."""

from collections import Counter
from itertools import islice

import numpy as np
import polars as pl
import pytest
from scipy.stats import binomtest, chisquare

from xlbias.cli.train import command
from xlbias.data.task import RetrievalTask
from xlbias.errors import TrainingError
from xlbias.samplers import SAMPLERS
from xlbias.train.sampling.batch import Batch
from xlbias.train.sampling.pairs import PairTexts
from xlbias.train.sampling.pool import Pool, draw_ids
from xlbias.train.sampling.samplers import LanguageBatchSampler

pytestmark = pytest.mark.integration

P = 0.001  # with fixed seeds a test fails always or never; below this, something is wrong with the sampler


def batches(tasks: list[RetrievalTask], n: int, size: int = 256, seed: int = 11, **options: object) -> list[Batch]:
    sampler = LanguageBatchSampler(PairTexts(tasks), size, seed=seed, **options)
    return [sampler.batch(epoch=i // len(sampler), number=i % len(sampler)) for i in range(n)]


def test_the_command_line_offers_every_sampler() -> None:
    option = next(parameter for parameter in command.params if parameter.name == "sampler")
    assert tuple(option.type.choices) == tuple(SAMPLERS)
    assert all(f"{name}: {sampler.about}." in option.help for name, sampler in SAMPLERS.items())


def test_a_language_with_too_few_ids_is_not_drawn(mlqa: RetrievalTask) -> None:
    few = mlqa.passages.filter(pl.col("language") == "vi")["passage_id"][:100]
    others = mlqa.passages.filter(pl.col("language") != "vi")["passage_id"]
    task = mlqa.select_passages(pl.concat([few, others]))
    codes = {int(batch.query_language[0]) for batch in batches([task], 200, sampler="mono")}
    assert {task.languages[code] for code in codes} == {"de", "es", "zh"}


def test_cross_on_fully_parallel_texts_draws_all_language_pairs_as_often(ntrex: RetrievalTask) -> None:
    counts = np.zeros((11, 11), dtype=int)
    for batch in batches([ntrex], 200, sampler="cross"):
        np.add.at(counts, (batch.query_language, batch.passage_language), 1)
    assert (np.diag(counts) == 0).all()
    assert chisquare(counts[~np.eye(11, dtype=bool)]).pvalue > P


@pytest.mark.parametrize("alpha", [0.25, 0.5, 0.9])
def test_hybrid_is_mono_with_probability_alpha(alpha: float, ntrex: RetrievalTask) -> None:
    n = 2_000
    drawn = batches([ntrex], n, size=16, sampler="hybrid", alpha=alpha)
    monolingual = [batch for batch in drawn if (batch.query_language == batch.passage_language).all()]
    assert {batch.kind for batch in monolingual} == {"monolingual"}
    assert all((b.query_language == b.query_language[0]).all() for b in monolingual)
    others = [batch for batch in drawn if batch.kind == "cross-lingual"]
    assert all((batch.query_language != batch.passage_language).all() for batch in others)
    assert len(monolingual) + len(others) == n
    assert binomtest(len(monolingual), n, alpha).pvalue > P


def test_a_batch_depends_on_seed_epoch_and_number_alone(ntrex: RetrievalTask) -> None:
    texts = PairTexts([ntrex])
    first, second = (LanguageBatchSampler(texts, 32, seed=3) for _ in range(2))
    forward = [first.batch(0, i).pairs for i in range(20)]
    backward = [second.batch(0, i).pairs for i in reversed(range(20))][::-1]
    assert all((a == b).all() for a, b in zip(forward, backward, strict=True))
    everything = [*forward, *(first.batch(1, i).pairs for i in range(20))]
    everything += [LanguageBatchSampler(texts, 32, seed=4).batch(0, i).pairs for i in range(20)]
    assert len({pairs.tobytes() for pairs in everything}) == 60


def test_the_order_of_a_tasks_rows_changes_nothing(mlqa: RetrievalTask) -> None:
    shuffled = RetrievalTask(
        "mlqa", "", "", "",
        *(frame.sample(fraction=1, shuffle=True, seed=1) for frame in (mlqa.queries, mlqa.passages, mlqa.qrels)),
    )  # fmt: skip
    drawn = []
    for task in (mlqa, shuffled):
        texts = PairTexts([task])
        drawn.append([texts.__getitems__(batch) for batch in islice(LanguageBatchSampler(texts, 32, seed=3), 5)])
    assert drawn[0] == drawn[1]


def test_iterating_gives_as_many_batches_as_len_says_and_another_epoch_other_ones(ntrex: RetrievalTask) -> None:
    sampler = LanguageBatchSampler(PairTexts([ntrex]), 100, seed=1)
    epochs = []
    for epoch in range(3):
        sampler.set_epoch(epoch)
        epochs.append([tuple(batch) for batch in sampler])
    assert [len(epoch) for epoch in epochs] == [len(sampler)] * 3 == [19] * 3
    assert len({batch for epoch in epochs for batch in epoch}) == 3 * 19


def everyone(n_ids: int) -> Pool:
    return Pool(n_ids, lambda ids: np.ones(len(np.arange(n_ids)[ids]), dtype=bool))


def test_scarce_groups_still_fill_a_batch() -> None:
    group = np.array([0] * 5_000 + list(range(1, 10)))
    for seed in range(50):
        ids = draw_ids(np.random.default_rng(seed), everyone(len(group)), group, 10)
        assert sorted(group[ids].tolist()) == list(range(10))


def test_ids_are_drawn_as_by_a_permutation_that_skips_conflicts() -> None:
    group = np.array([0, 0, 0, 1, 2, 3])
    n = 6_000
    rngs = np.random.default_rng(0), np.random.default_rng(1)
    ours = Counter(tuple(draw_ids(rngs[0], everyone(6), group, 2).tolist()) for _ in range(n))
    theirs: Counter[tuple[int, ...]] = Counter()
    for _ in range(20 * n):
        order = rngs[1].permutation(6)
        theirs[int(order[0]), int(next(i for i in order if group[i] != group[order[0]]))] += 1
    assert set(ours) == set(theirs)
    assert chisquare([ours[pair] for pair in theirs], [count / 20 for count in theirs.values()]).pvalue > P


def question(query_id: str, language: str) -> RetrievalTask:
    return RetrievalTask(
        "one", "", "", "",
        pl.DataFrame({"query_id": [query_id], "language": ["de"], "text": ["Frage"]}),
        pl.DataFrame({"passage_id": ["p"], "language": [language], "text": ["answer"]}),
        pl.DataFrame({"query_id": [query_id], "passage_id": ["p"], "relevance": [1]}),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("sampler", "language", "message"),
    [
        ("cross", "de", "one: no cross-lingual batch can be made: no id has a query and a passage in two languages"),
        ("mono", "en", "one: no monolingual batch can be made: no id has a query and a passage in the same language"),
        ("mono", "de", "one: no monolingual batch of 8 can be made: at most 1 ids in de can meet"),
        ("mixed", "en", "one: no mixed batch can be made: no id has a query and a passage in the same language"),
        ("mixed", "de", "one: no mixed batch of 8 can be made: at most 1 ids can meet"),
        (
            "english",
            "de",
            "one: no monolingual batch in en can be made: no id has a query and a passage in it; the task has both in "
            "de$",
        ),
        ("english", "en", "one: no monolingual batch in en can be made: .*; the task has both in no language$"),
        ("cross", "en", "one: no cross-lingual batch of 8 can be made: at most 1 ids can meet"),
    ],
)
def test_a_sampler_that_cannot_make_a_batch_says_why(sampler: str, language: str, message: str) -> None:
    with pytest.raises(TrainingError, match=message):
        LanguageBatchSampler(PairTexts([question("q", language)]), 8, sampler=sampler)


def test_english_takes_any_pivot_and_names_the_task_that_has_none_of_it(
    mlqa: RetrievalTask, ntrex: RetrievalTask
) -> None:
    drawn = batches([ntrex], 20, size=16, sampler="english")
    assert {ntrex.languages[code] for batch in drawn for code in batch.query_language} == {"en"}
    drawn = batches([ntrex], 20, size=16, sampler="english", pivot="TH")
    assert {ntrex.languages[code] for batch in drawn for code in batch.passage_language} == {"th"}
    assert LanguageBatchSampler(PairTexts([ntrex]), 8, sampler="english").alpha == 1.0
    with pytest.raises(TrainingError, match=r"mlqa: no monolingual batch in en .* both in de, es, vi, zh$"):
        LanguageBatchSampler(PairTexts([ntrex, mlqa]), 8, sampler="english")


def test_a_hybrid_of_one_kind_needs_only_that_kind(mlqa: RetrievalTask) -> None:
    german = mlqa.select_languages(["de"])
    assert LanguageBatchSampler(PairTexts([german]), 8, sampler="hybrid", alpha=1.0).alpha == 1.0
    with pytest.raises(TrainingError, match="no cross-lingual batch"):
        LanguageBatchSampler(PairTexts([german]), 8, sampler="hybrid", alpha=0.9)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"sampler": "monolingual"},
            "unknown sampler 'monolingual': expected one of english, mixed, mono, cross, hybrid",
        ),
        ({"alpha": 1.5}, "alpha is 1.5: expected a probability between 0 and 1"),
        ({"alpha": float("nan")}, "alpha is nan"),
        ({"batch_size": 1}, "a batch of 1 has no negatives"),
        ({"pivot": "klingonish"}, "pivot: unknown language tag 'klingonish': expected a BCP 47 tag"),
        ({"hard_negatives": -1}, "hard negatives for each pair are -1: expected 0 or more"),
    ],
)
def test_wrong_settings_are_named(options: dict[str, object], message: str, small: RetrievalTask) -> None:
    with pytest.raises(TrainingError, match=message):
        LanguageBatchSampler(PairTexts([small]), **{"batch_size": 8, **options})
