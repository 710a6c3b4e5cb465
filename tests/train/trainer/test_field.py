"""What the field trains with: mined negatives, LoRA, Matryoshka, both directions; each against its definition."""

import signal
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import torch
from narrators import Signalling
from sentence_transformers import SentenceTransformer
from sentence_transformers.util import cos_sim

from xlbias.data.task import RetrievalTask
from xlbias.encode.static import assemble, static_parts
from xlbias.errors import TrainingError
from xlbias.train.recipe import Recipe
from xlbias.train.sampling.pairs import PairTexts
from xlbias.train.sampling.samplers import LanguageBatchSampler
from xlbias.train.trainer import mining
from xlbias.train.trainer.fit import fit
from xlbias.train.trainer.loss import infonce
from xlbias.train.trainer.mining import mined, without_translations

pytestmark = pytest.mark.integration

PROMPTS = {"query": "", "passage": ""}


@pytest.fixture(scope="module")
def lexical(small: RetrievalTask) -> SentenceTransformer:
    """An untrained static encoder: what two texts share counts."""
    return assemble(*static_parts(PairTexts([small]).texts(), dimension=32, vocabulary=900, scale=0.1, seed=0))


def vectors(model: SentenceTransformer, texts: list[str]) -> torch.Tensor:
    return model.encode(texts, convert_to_tensor=True, normalize_embeddings=True)


@pytest.mark.parametrize(("symmetric", "matryoshka"), [(False, ()), (True, ()), (False, (16, 8)), (True, (16,))])
def test_the_loss_is_infonce_in_each_direction_and_length(lexical, small, symmetric, matryoshka) -> None:
    queries, passages = (frame["text"].head(12).to_list() for frame in (small.queries, small.passages))
    features = [lexical.preprocess(texts) for texts in (queries, passages)]
    loss = infonce(lexical, 0.1, mini_batch=0, gather=False, symmetric=symmetric, matryoshka=matryoshka)
    with torch.no_grad():
        found = float(loss(features, torch.arange(0)))
    expected = 0.0
    for length in {32, *matryoshka}:
        scores = cos_sim(*(vectors(lexical, texts)[:, :length] for texts in (queries, passages))) / 0.1
        right = torch.arange(len(scores))
        directions = [scores, scores.T] if symmetric else [scores]
        both = [torch.nn.functional.cross_entropy(one, right) for one in directions]
        expected += float(sum(both)) / len(both)
    assert found == pytest.approx(expected, rel=1e-4)


def test_matryoshka_longer_than_the_vectors_is_refused(lexical) -> None:
    with pytest.raises(TrainingError, match=r"matryoshka is \[64\]: the encoder has vectors of 32"):
        infonce(lexical, 0.1, mini_batch=0, gather=False, matryoshka=(64,))


def test_mined_negatives_are_the_nearest_passages_of_the_language_that_keep_the_margin(lexical, small) -> None:
    found = mined(small, lexical, PROMPTS, 3, 0.1)
    text = dict(small.passages.select("passage_id", "text").iter_rows())
    language = dict(small.passages.select("passage_id", "language").iter_rows())
    asked = {(id_, tag): query for id_, tag, query in small.queries.select("query_id", "language", "text").iter_rows()}
    relevant = small.qrels.group_by("query_id").agg("passage_id")
    answers = {id_: set(passages) for id_, passages in relevant.iter_rows()}
    for id_ in sorted(answers)[:12]:
        for tag in ("de", "en", "th"):
            pool = [p for p in text if language[p] == tag]
            found_of_pool = cos_sim(vectors(lexical, [asked[id_, tag]]), vectors(lexical, [text[p] for p in pool]))
            scores = dict(zip(pool, found_of_pool[0].tolist(), strict=True))
            own = min(scores[p] for p in answers[id_] if language[p] == tag)
            allowed = [p for p in pool if p not in answers[id_] and scores[p] <= own - abs(own) * 0.1]
            best = sorted((scores[p] for p in allowed), reverse=True)[:3]
            mine = found.filter(pl.col("query_id") == id_)["passage_id"].to_list()
            assert sorted((scores[p] for p in mine if language[p] == tag), reverse=True) == pytest.approx(
                best, abs=1e-5
            )


def test_translations_of_what_answers_are_no_negatives() -> None:
    queries = pl.DataFrame({"query_id": ["a", "b"], "language": ["en", "en"], "text": ["one?", "two?"]})
    passages = pl.DataFrame(
        {
            "passage_id": ["a-en", "a-de", "a2-en", "b-en", "copy"],
            "language": ["en", "de", "en", "en", "en"],
            "text": ["one", "eins", "uno", "two", "one"],
            "parallel_id": ["1", "1", "1", "2", None],
        }
    )
    qrels = pl.DataFrame({"query_id": ["a", "b"], "passage_id": ["a-en", "b-en"], "relevance": [1, 1]})
    task = RetrievalTask("t", "d", "s", "l", queries, passages, qrels)
    every = pl.DataFrame({"query_id": ["a"] * 5 + ["b"] * 5, "passage_id": passages["passage_id"].to_list() * 2})
    kept = set(without_translations(task, every).iter_rows())
    assert kept == {("a", "b-en"), *(("b", passage) for passage in ("a-en", "a-de", "a2-en", "copy"))}


def test_a_training_mines_with_its_base_and_draws_what_it_found(small, tmp_path, monkeypatch) -> None:
    calls = []
    monkeypatch.setattr(mining, "mined", lambda *given: calls.append(given[3:]) or mined(*given))
    recipe = Recipe(
        base="static", steps=3, batch_size=8, validation=0.0, dimension=16, vocabulary=900, mine_negatives=4,
        hard_negatives=1, mine_margin=0.05,
    )  # fmt: skip
    trained = fit(small, tmp_path / "out", recipe)
    assert calls == [(4, 0.05)]
    assert 0 < trained.card["batches"]["negatives"] <= 24
    assert trained.card["recipe"]["mine_negatives"] == 4
    assert trained.card["sources"][0]["fingerprint"] == small.fingerprint


LORA = {"steps": 4, "batch_size": 4, "max_length": 24, "validation": 0.0, "learning_rate": 1e-2, "lora_rank": 2}


def test_lora_changes_linear_layers_by_its_rank_and_saves_an_ordinary_encoder(two_layers, small, tmp_path) -> None:
    pytest.importorskip("peft", reason="peft is not installed")
    trained = fit(small, tmp_path / "out", Recipe(base=two_layers, **LORA), device="cpu")
    assert not (trained.path / "adapter_config.json").exists()
    before, after = (SentenceTransformer(str(path), device="cpu").state_dict() for path in (two_layers, trained.path))
    assert before.keys() == after.keys()
    ranks = {
        name: int(torch.linalg.matrix_rank(after[name] - before[name], rtol=1e-3))
        for name in before
        if before[name].ndim == 2 and not torch.equal(before[name], after[name])
    }
    assert set(ranks.values()) == {2}
    assert all("attention" in name or "dense" in name for name in ranks)
    assert len(ranks) >= 12
    assert all(torch.equal(before[name], after[name]) for name in before if name not in ranks)


def test_lora_goes_on_from_a_checkpoint_with_equal_weights(two_layers, small, tmp_path) -> None:
    pytest.importorskip("peft", reason="peft is not installed")
    recipe = Recipe(base=two_layers, checkpoint_every=2, lora_dropout=0.1, **LORA)
    whole = fit(small, tmp_path / "whole", recipe, device="cpu")
    with pytest.raises(KeyboardInterrupt):
        fit(small, tmp_path / "out", recipe, device="cpu", narrator=Signalling(signal.SIGINT, after=2))
    assert list((tmp_path / "out" / "checkpoints").iterdir())
    resumed = fit(small, tmp_path / "out", recipe, device="cpu", resume=True)
    assert resumed.steps == 4
    one, other = (SentenceTransformer(str(each.path), device="cpu").state_dict() for each in (whole, resumed))
    assert all(np.array_equal(one[name].numpy(), other[name].numpy()) for name in one)


def test_lora_without_peft_is_said_before_anything_is_read(two_layers, small, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr("xlbias.train.recipe.find_spec", lambda name: None)
    with pytest.raises(TrainingError, match="lora_rank needs the package peft"):
        fit(small, tmp_path / "out", Recipe(base=two_layers, **LORA), device="cpu")
    assert LanguageBatchSampler(PairTexts([small]), 8)
