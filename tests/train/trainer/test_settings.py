"""Settings of a recipe on a real encoder: each does what it says, and what must not change does not."""

import json
from pathlib import Path

import polars as pl
import pytest
import torch
from safetensors.torch import load_file
from sentence_transformers import SentenceTransformer

from xlbias.data.task import RetrievalTask
from xlbias.encode.load import load_encoder
from xlbias.encode.static import assemble, static_parts
from xlbias.errors import EncoderError, TrainingError
from xlbias.results.run import open_run
from xlbias.train.recipe import Recipe
from xlbias.train.sampling.pairs import PairTexts
from xlbias.train.sampling.samplers import LanguageBatchSampler
from xlbias.train.trainer.collate import PairCollator, TokenCache
from xlbias.train.trainer.fit import fit

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def recipe(two_layers: str) -> Recipe:
    return Recipe(
        base=two_layers, steps=3, batch_size=8, learning_rate=1e-3, warmup=0.0, max_length=24, validation=0.0,
        query_prefix="Query: ", passage_prefix="Passage: ",
    )  # fmt: skip


@pytest.fixture(scope="module")
def plain(small: RetrievalTask, recipe: Recipe, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return fit(small, tmp_path_factory.mktemp("plain") / "out", recipe, device="cpu").path


def losses(out: Path) -> list[float]:
    return open_run(out / "training.parquet").training.collect()["loss"].to_list()


def weights(out: Path | str) -> dict[str, torch.Tensor]:
    return load_file(Path(out) / "model.safetensors")


def far(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> float:
    return max(float((one[name] - other[name]).abs().max()) for name in one)


def test_the_loss_is_infonce_over_the_batchs_passages(
    plain: Path, two_layers: str, recipe: Recipe, small: RetrievalTask
) -> None:
    texts = PairTexts([small])
    rows = texts.__getitems__(LanguageBatchSampler(texts, 8, seed=0).batch(0, 0))
    model = SentenceTransformer(two_layers, device="cpu")
    model.max_seq_length = 24
    queries, passages = (
        model.encode([prefix + row[name] for row in rows], convert_to_tensor=True, normalize_embeddings=True)
        for name, prefix in (("query", "Query: "), ("passage", "Passage: "))
    )
    scores = queries @ passages.T / recipe.temperature
    assert losses(plain)[0] == pytest.approx(float((scores.logsumexp(1) - scores.diagonal()).mean()), rel=1e-4)


def test_the_gradient_cached_loss_changes_nothing(
    plain: Path, recipe: Recipe, small: RetrievalTask, tmp_path: Path
) -> None:
    cached = fit(small, tmp_path / "out", recipe.overridden(mini_batch=3), device="cpu").path
    assert losses(cached) == pytest.approx(losses(plain), rel=1e-4)
    assert far(weights(cached), weights(plain)) < 1e-4


def test_gradient_checkpointing_changes_nothing(
    plain: Path, recipe: Recipe, small: RetrievalTask, tmp_path: Path
) -> None:
    checkpointed = fit(small, tmp_path / "out", recipe.overridden(gradient_checkpointing=True), device="cpu").path
    assert losses(checkpointed) == pytest.approx(losses(plain), rel=1e-5)
    assert far(weights(checkpointed), weights(plain)) < 1e-5


def test_bf16_is_near_and_saves_float32(plain: Path, recipe: Recipe, small: RetrievalTask, tmp_path: Path) -> None:
    mixed = fit(small, tmp_path / "out", recipe.overridden(precision="bf16"), device="cpu").path
    assert losses(mixed) == pytest.approx(losses(plain), rel=0.05)
    assert losses(mixed) != losses(plain)
    assert {tensor.dtype for tensor in weights(mixed).values()} == {torch.float32}


def test_accumulation_takes_several_batches_a_step_and_epochs_keep_their_batches(
    recipe: Recipe, small: RetrievalTask, tmp_path: Path, seen: list[list[int]]
) -> None:
    # 7 batches an epoch: three steps of two batches and one of one.
    trained = fit(small, tmp_path / "out", recipe.overridden(accumulate=2, epochs=2.0), device="cpu")
    sampler = LanguageBatchSampler(PairTexts([small]), 8, seed=0)
    assert (len(sampler), trained.steps) == (7, 8)
    assert seen == [list(sampler.batch(epoch, number)) for epoch in range(2) for number in range(7)]
    assert sum(trained.card["batches"]["by_kind"].values()) == 14
    assert open_run(trained.path / "training.parquet").training.collect()["n_monolingual_batches"][-1] == sum(
        sampler.batch(epoch, number).kind == "monolingual" for epoch in range(2) for number in range(7)
    )


def test_an_accumulated_step_is_the_mean_of_its_batches(
    recipe: Recipe, two_layers: str, small: RetrievalTask, tmp_path: Path
) -> None:
    trained = fit(small, tmp_path / "out", recipe.overridden(accumulate=2, steps=1), device="cpu")
    alone = []
    texts = PairTexts([small])
    sampler = LanguageBatchSampler(texts, 8, seed=0)
    model = SentenceTransformer(two_layers, device="cpu")
    model.max_seq_length = 24
    for number in range(2):
        rows = texts.__getitems__(sampler.batch(0, number))
        vectors = [
            model.encode([prefix + row[name] for row in rows], convert_to_tensor=True, normalize_embeddings=True)
            for name, prefix in (("query", "Query: "), ("passage", "Passage: "))
        ]
        scores = vectors[0] @ vectors[1].T / recipe.temperature
        alone.append(float((scores.logsumexp(1) - scores.diagonal()).mean()))
    assert trained.loss == pytest.approx(sum(alone) / 2, rel=1e-4)


@pytest.fixture(scope="module")
def with_negatives(small: RetrievalTask) -> RetrievalTask:
    """Every German query has a hard negative of its own, which answers nothing."""
    german = small.queries.filter(language="de")
    bad = german.select(
        ("bad-" + pl.col("query_id")).alias("passage_id"),
        "language",
        ("Keine Antwort auf: " + pl.col("text")).alias("text"),
    ).with_columns(pl.lit(None, dtype=pl.String).alias("document"), pl.lit(None, dtype=pl.String).alias("parallel_id"))
    judged = german.select(
        "query_id", ("bad-" + pl.col("query_id")).alias("passage_id"), pl.lit(0, dtype=pl.Int32).alias("relevance")
    )
    return RetrievalTask(
        "judged", "news", "a source", "a licence", small.queries, pl.concat([small.passages, bad]),
        pl.concat([small.qrels, judged]),
    )  # fmt: skip


def test_hard_negatives_are_in_the_denominator(
    with_negatives: RetrievalTask, two_layers: str, recipe: Recipe, tmp_path: Path
) -> None:
    german = with_negatives.select_languages(["de"])
    one = recipe.overridden(steps=1, hard_negatives=1)
    trained = fit(german, tmp_path / "out", one, sampler="mono", device="cpu")
    texts = PairTexts([german])
    batch = LanguageBatchSampler(texts, 8, seed=0, sampler="mono", hard_negatives=1).batch(0, 0)
    rows = texts.__getitems__(batch)
    assert len(batch.negatives) == 8 == trained.card["batches"]["negatives"]
    model = SentenceTransformer(two_layers, device="cpu")
    model.max_seq_length = 24
    queries, passages, negatives = (
        model.encode(
            [prefix + row[name] for row in rows if name in row], convert_to_tensor=True, normalize_embeddings=True
        )
        for name, prefix in (("query", "Query: "), ("passage", "Passage: "), ("negative", "Passage: "))
    )
    scores = queries @ torch.cat([passages, negatives]).T / recipe.temperature
    assert trained.loss == pytest.approx(float((scores.logsumexp(1) - scores.diagonal()).mean()), rel=1e-4)


def test_fewer_negatives_than_pairs_are_no_obstacle(
    with_negatives: RetrievalTask, recipe: Recipe, tmp_path: Path
) -> None:
    """Only German queries have one: batches in other languages have none, mixed ones a few."""
    for extra in ({"validation": 0.2}, {"mini_batch": 3}):
        settings = recipe.overridden(hard_negatives=2, steps=4, **extra)
        out = tmp_path / "".join(extra)
        negatives = fit(with_negatives, out, settings, sampler="mixed", device="cpu").card["batches"]["negatives"]
        assert 0 < negatives < 4 * 8


# -- a step's input ----------------------------------------------------------------------------------------------------


def test_remembered_tokens_are_the_models_own(small: RetrievalTask) -> None:
    model = assemble(*static_parts(PairTexts([small]).texts(), dimension=8, vocabulary=900, scale=0.1, seed=0))
    cache = TokenCache(model[0])
    texts = small.queries["text"].to_list()[:20]
    for some in (texts[:10], texts[5:], ["", texts[0], ""], texts[:1]):
        for prompt in (None, "Query: "):
            ours, theirs = cache.preprocess(some, prompt=prompt), model.preprocess(some, prompt=prompt)
            assert torch.equal(ours["input_ids"], theirs["input_ids"])
            assert torch.equal(ours["offsets"], theirs["offsets"])
    assert set(texts) < set(cache.tokens)


def test_tokens_are_counted_without_padding() -> None:
    def collate(rows: list[dict[str, str]]) -> dict[str, torch.Tensor]:
        (column,) = rows[0]
        lengths = torch.tensor([len(row[column].split()) for row in rows])
        mask = (torch.arange(int(lengths.max())) < lengths[:, None]).long()
        return {f"{column}_input_ids": torch.zeros_like(mask), f"{column}_attention_mask": mask}

    collator = PairCollator(collate)
    features = collator([{"query": "a b", "passage": "c"}, {"query": "d", "passage": "e f g"}, {"negative": "h i"}])
    assert collator.n_tokens == 2 + 1 + 1 + 3 + 2
    assert [len(features[f"{name}_input_ids"]) for name in ("query", "passage", "negative")] == [2, 2, 1]


# -- what is wrong -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("setting", [{"mini_batch": 4}, {"gradient_checkpointing": True}, {"max_length": 9}])
def test_what_needs_layers_is_refused_for_a_table_of_vectors(setting: dict[str, object]) -> None:
    with pytest.raises(TrainingError, match="the static encoder has no layers to need it"):
        Recipe(base="static", **setting)


def test_a_base_in_pickled_form_is_refused(
    two_layers: str, small: RetrievalTask, recipe: Recipe, tmp_path: Path
) -> None:
    folder = tmp_path / "pickled"
    folder.mkdir()
    for file in Path(two_layers).rglob("*"):
        if file.is_file() and file.suffix != ".safetensors":
            (folder / file.relative_to(two_layers)).parent.mkdir(parents=True, exist_ok=True)
            (folder / file.relative_to(two_layers)).write_bytes(file.read_bytes())
    torch.save(weights(two_layers), folder / "pytorch_model.bin")
    with pytest.raises(EncoderError, match="pickled weights are refused, as they can run code"):
        fit(small, tmp_path / "out", recipe.overridden(base=str(folder)), device="cpu")


def test_what_was_fine_tuned_loads_anywhere_with_the_same_vectors(plain: Path) -> None:
    texts = ["Wer?", "ประเทศไทย", "a much longer text " * 30]
    ours = load_encoder(str(plain), device="cpu").encode(texts, "query")
    theirs = SentenceTransformer(str(plain), device="cpu").encode_query(texts, normalize_embeddings=True)
    assert (ours == theirs).all()
    assert json.loads((plain / "xlbias.json").read_text("utf-8"))["recipe"]["max_length"] == 24


def test_a_default_prompt_of_the_base_does_not_outlive_its_prompts(
    two_layers: str, small: RetrievalTask, recipe: Recipe, tmp_path: Path
) -> None:
    model = SentenceTransformer(two_layers, device="cpu", prompts={"passage": "p: "}, default_prompt_name="passage")
    model.save_pretrained(str(tmp_path / "base"), create_model_card=False)
    trained = fit(small, tmp_path / "out", recipe.overridden(base=str(tmp_path / "base"), steps=1), device="cpu")
    assert load_encoder(str(trained.path), device="cpu").encode(["x"], "query").shape == (1, 384)


def test_more_tokens_than_the_base_has_positions_are_refused(
    small: RetrievalTask, recipe: Recipe, tmp_path: Path
) -> None:
    with pytest.raises(TrainingError, match="max_length is 600: the base has positions for 512 tokens"):
        fit(small, tmp_path / "out", recipe.overridden(max_length=600), device="cpu")


def test_a_language_that_no_monolingual_batch_can_be_in_is_named(
    small: RetrievalTask, recipe: Recipe, tmp_path: Path
) -> None:
    few = small.queries.filter((pl.col("language") != "th") | (pl.col("query_id") < "newstest2019/0006"))
    partly = RetrievalTask("partly", "news", "a source", "a licence", few, small.passages, small.qrels)
    trained = fit(partly, tmp_path / "out", recipe.overridden(steps=1), device="cpu", sampler="mono")
    assert trained.card["languages_left_out"] == {"partly": ["th"]}
