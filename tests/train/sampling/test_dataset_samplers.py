"""The public samplers: over an ordinary dataset, in sentence-transformers' own trainer."""

from collections import Counter
from functools import partial

import pytest
from datasets import Dataset
from sentence_transformers import SentenceTransformer, SentenceTransformerTrainer, SentenceTransformerTrainingArguments
from sentence_transformers.sentence_transformer.losses import MultipleNegativesRankingLoss

from xlbias import HybridBatchSampler, MixedBatchSampler
from xlbias.encode.static import assemble, static_parts
from xlbias.errors import TrainingError

LANGUAGES = ("de", "en", "th")


def dataset(n: int = 30) -> Dataset:
    """Fully parallel questions and answers; ids 0 and 1 have one English answer."""
    rows = [
        {"query": f"{q} ask {i}", "passage": f"{p} say {max(i, 1) if p == 'en' else i}", "id": i,
         "query_language": q, "passage_language": p}
        for i in range(n) for q in LANGUAGES for p in LANGUAGES
    ]  # fmt: skip
    return Dataset.from_list(rows)


def kinds(data: Dataset, batches: list[list[int]]) -> Counter:
    plain = data.with_format(None)
    found: Counter = Counter()
    for batch in batches:
        rows = [plain[row] for row in batch]
        assert len({row["id"] for row in rows}) == len(rows)
        assert not {0, 1} <= {row["id"] for row in rows}
        assert len({row["passage"] for row in rows}) == len(rows)
        pairs = {(row["query_language"], row["passage_language"]) for row in rows}
        same = {query == passage for query, passage in pairs}
        found["mono" if len(pairs) == 1 and same == {True} else "cross" if same == {False} else "mixed"] += 1
    return found


def test_a_batch_is_of_one_kind_and_holds_an_id_and_a_text_once() -> None:
    data = dataset()
    hybrid = HybridBatchSampler(data, 8, seed=3)
    found = kinds(data, list(hybrid))
    assert len(hybrid) == found.total() == 270 // 8
    assert set(found) == {"mono", "cross"}
    assert set(kinds(dataset(), list(HybridBatchSampler(dataset(), 8, alpha=1.0)))) == {"mono"}
    assert set(kinds(dataset(), list(HybridBatchSampler(dataset(), 8, alpha=0.0)))) == {"cross"}
    assert set(kinds(dataset(), list(MixedBatchSampler(dataset(), 8)))) == {"mixed"}


def test_one_seed_and_epoch_give_one_sequence_of_batches() -> None:
    one, other = (HybridBatchSampler(dataset(), 8, seed=3) for _ in "ab")
    assert list(one) == list(other)
    other.set_epoch(1)
    assert list(one) != list(other)


def test_languages_and_ids_are_drawn_uniformly() -> None:
    data = dataset()
    sampler, plain = HybridBatchSampler(data, 8, alpha=1.0), data.with_format(None)
    languages = Counter(plain[sampler.batch(0, number)[0]]["query_language"] for number in range(300))
    assert all(70 <= n <= 130 for n in languages.values())
    crossing = HybridBatchSampler(dataset(), 8, alpha=0.0)
    pairs = Counter(row % 9 for number in range(100) for row in crossing.batch(0, number))
    assert len(pairs) == 6
    assert all(95 <= n <= 175 for n in pairs.values())  # 800 pairs over six pairs of languages


def test_the_librarys_own_trainer_sees_the_texts_of_these_batches_and_nothing_else(tmp_path) -> None:
    data = dataset()
    plain = data.with_format(None)
    texts = [("", [*plain["query"], *plain["passage"]])]
    model = assemble(*static_parts(texts, dimension=8, vocabulary=100, scale=0.1, seed=0))
    seen: list[tuple[str, ...]] = []
    arguments = SentenceTransformerTrainingArguments(
        str(tmp_path), batch_sampler=partial(HybridBatchSampler, alpha=0.3), per_device_train_batch_size=8, max_steps=3,
        use_cpu=True, report_to="none", disable_tqdm=True, save_strategy="no", logging_strategy="no", seed=5,
    )  # fmt: skip
    trainer = SentenceTransformerTrainer(model, arguments, data, loss=MultipleNegativesRankingLoss(model))
    look, collator = trainer.data_collator.preprocess_fn, trainer.data_collator
    collator.preprocess_fn = lambda inputs, **options: seen.append(tuple(inputs)) or look(inputs, **options)
    trainer.train()
    expected = HybridBatchSampler(dataset(), 8, seed=5, alpha=0.3)
    wanted = [
        tuple(plain[row][side] for row in expected.batch(0, n)) for n in range(3) for side in ("query", "passage")
    ]
    assert seen[:6] == wanted
    assert isinstance(model, SentenceTransformer)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda d: HybridBatchSampler(d.remove_columns("id"), 8), "has no column 'id' for id: it has query, passage"),
        (lambda d: HybridBatchSampler(d, 8, columns={"ids": "x"}), r"columns: unknown 'ids' \(did you mean id\?\)"),
        (lambda d: HybridBatchSampler(d, 40), "no monolingual batch of 40 can be made: at most 29 ids can meet"),
        (lambda d: HybridBatchSampler(d, 1), "a batch of 1 has no negatives"),
        (lambda d: HybridBatchSampler(d, 8, alpha=1.5), "alpha is 1.5: expected a probability"),
        (lambda d: HybridBatchSampler(d.remove_columns("passage"), 8), "needs two columns of texts beside id"),
    ],
)
def test_what_cannot_be_sampled_is_said(change, message: str) -> None:
    with pytest.raises(TrainingError, match=message):
        change(dataset())


def test_columns_can_have_other_names() -> None:
    data = dataset().rename_column("id", "group")
    assert len(HybridBatchSampler(data, 8, columns={"id": "group"}).batch(0, 0)) == 8
