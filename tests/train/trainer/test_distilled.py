"""Static encoders distilled from a pretrained one: what their token vectors are, and that they train and evaluate."""

import json
from pathlib import Path

import numpy as np
import pytest
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.modules import StaticEmbedding

from xlbias.data.task import RetrievalTask
from xlbias.encode.distil import _of_ids, distil
from xlbias.encode.load import load_encoder
from xlbias.errors import EncoderError, TrainingError
from xlbias.evaluation import evaluate
from xlbias.train.recipe import Recipe
from xlbias.train.sampling.pairs import PairTexts
from xlbias.train.trainer.distilled import distil_encoder
from xlbias.train.trainer.fit import fit

pytestmark = pytest.mark.integration

WORDS = ("house", "water", "government", "seven")


@pytest.fixture(scope="module")
def base(two_layers: str) -> SentenceTransformer:
    return SentenceTransformer(two_layers, device="cpu")


def static(distilled) -> SentenceTransformer:
    from xlbias.encode.static import assemble

    return assemble(distilled.tokenizer, distilled.weights)


@pytest.mark.parametrize("prompt", ["", "query: "])
def test_a_token_is_encoded_as_the_base_encodes_a_text_of_it_with_the_prompt(base: SentenceTransformer, prompt) -> None:
    ids = np.array([base.tokenizer.convert_tokens_to_ids(word) for word in WORDS])
    assert np.allclose(_of_ids(base, ids, prompt, lambda *_: None), base.encode(list(WORDS), prompt=prompt), atol=1e-5)


def test_token_vectors_are_those_of_model2vec_and_special_tokens_have_none(base: SentenceTransformer) -> None:
    """Where the base ends with its pooling and has no prompt, which is what that library knows."""
    distill = pytest.importorskip("model2vec.distill", reason="model2vec is not installed")
    pooled = SentenceTransformer(modules=[base[0], base[1]], device="cpu")
    ours = distil(pooled, name="two layers", dimension=16)
    assert ours.variance is not None and 0 < ours.variance < 1
    for token in ("[CLS]", "[SEP]", "[PAD]", "[UNK]", "[unused3]"):
        assert not ours.weights[base.tokenizer.convert_tokens_to_ids(token)].any()
    embedding = np.asarray(
        (theirs := distill.distill_from_model(
            SentenceTransformer(modules=[base[0], base[1]], device="cpu")[0].auto_model,
            base.tokenizer, pca_dims=16, quantize_to="float32", device="cpu",
        )).embedding
    )  # fmt: skip
    tokens = [base.tokenizer.convert_tokens_to_ids(word) for word in WORDS]
    other = [theirs.tokenizer.token_to_id(word) for word in WORDS]
    assert None not in other

    def cosines(vectors: np.ndarray) -> np.ndarray:  # the signs of components and the weights of tokens cancel
        vectors = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
        return vectors @ vectors.T

    assert np.allclose(cosines(ours.weights[tokens]), cosines(embedding[other]), atol=5e-3)


def test_frequent_tokens_have_a_short_vector(base: SentenceTransformer) -> None:
    texts = [("en", ["the house the water the seven", "the house"])]
    seen = distil(base, name="two layers", dimension=2, tokens="seen", texts=texts)
    tokenizer = static(seen)[0].tokenizer
    length = {word: np.linalg.norm(seen.weights[tokenizer.token_to_id(word)]) for word in ("the", "house", "water")}
    directions = distil(base, name="two layers", dimension=2, tokens="seen", texts=[("en", ["the house water seven"])])
    same = static(directions)[0].tokenizer
    plain = {word: np.linalg.norm(directions.weights[same.token_to_id(word)]) for word in length}
    share = {word: length[word] / plain[word] for word in length}
    counts = {"the": 4, "house": 2, "water": 1}
    rarity = {word: 1e-3 / (1e-3 + n / 8) for word, n in counts.items()}
    assert share["the"] / share["water"] == pytest.approx(rarity["the"] / rarity["water"], rel=1e-4)
    assert share["house"] / share["water"] == pytest.approx(rarity["house"] / rarity["water"], rel=1e-4)


def test_seen_tokens_cut_the_texts_as_the_base_does(base: SentenceTransformer, small: RetrievalTask) -> None:
    texts = small.queries["text"].to_list()
    made = distil(base, name="two layers", dimension=8, tokens="seen", texts=[("", texts)])
    tokenizer = static(made)[0].tokenizer
    assert len(made.weights) == tokenizer.get_vocab_size() < base.tokenizer.backend_tokenizer.get_vocab_size() / 2
    for text in texts[:40]:
        whole = base.tokenizer.backend_tokenizer.encode(text, add_special_tokens=False).tokens
        assert tokenizer.encode(text, add_special_tokens=False).tokens == whole


def test_the_same_base_gives_the_same_vectors_and_own_tokens_come_from_the_texts(
    base: SentenceTransformer, small: RetrievalTask
) -> None:
    texts = [("", small.queries["text"].to_list())]
    first, again = (
        distil(base, name="b", dimension=8, tokens="own", texts=texts, vocabulary=300, prompt="query: ") for _ in "ab"
    )
    assert np.array_equal(first.weights, again.weights)
    assert first.tokenizer == again.tokenizer
    assert len(first.weights) <= 300


def test_a_folder_is_an_ordinary_static_encoder_with_a_card(
    two_layers: str, small: RetrievalTask, tmp_path: Path
) -> None:
    card = distil_encoder(two_layers, tmp_path / "made", dimension=32, tokens="seen", tasks=[small], device="cpu")
    model = SentenceTransformer(str(tmp_path / "made"))
    assert type(model[0]) is StaticEmbedding
    assert model.get_embedding_dimension() == 32
    assert card == json.loads((tmp_path / "made" / "xlbias.json").read_text("utf-8"))
    assert card["distilled"]["tokens"] == "seen" and card["seed"] == 0
    readme = (tmp_path / "made" / "README.md").read_text("utf-8")
    assert "Distilled by xlbias" in readme and "not trained" in readme
    made = load_encoder(str(tmp_path / "made"))
    assert not made.prompts.query.text and not made.prompts.passage.text
    run = evaluate(made, small)
    assert run.matrix("map").height == 3
    recipe = Recipe(base=str(tmp_path / "made"), steps=2, batch_size=8, validation=0.0)
    assert fit(small, tmp_path / "trained", recipe).steps == 2


def test_a_training_distils_its_base_once_for_a_grid_and_says_so_in_the_card(
    two_layers: str, small: RetrievalTask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from xlbias.train.trainer import distilled as module
    from xlbias.train.trainer.fit import fit_grid

    made = []
    monkeypatch.setattr(module, "distil", lambda *a, **k: made.append(1) or distil(*a, **k))
    recipe = Recipe(
        base="static", distilled_from=two_layers, tokens="seen", dimension=16, steps=2, batch_size=8, validation=0.0,
        learning_rate=1e-3,
    )  # fmt: skip
    trained = fit_grid(small, tmp_path / "grid", recipe, seeds=2)
    assert len(trained) == 2 and made == [1]
    card = trained[0].card
    assert card["recipe"]["from"] == two_layers == card["distilled"]["from"]
    assert card["distilled"]["dimension"] == 16
    assert not card["trained_on"]["complete"]  # what the base has seen is not known
    assert "Distilled" in (trained[0].path / "README.md").read_text("utf-8")


def test_what_cannot_be_distilled_is_said(two_layers: str, small: RetrievalTask, tmp_path: Path) -> None:
    with pytest.raises(EncoderError, match=r"dimension is 1000: .* has vectors of 384; choose at most that"):
        distil_encoder(two_layers, tmp_path / "a", dimension=1000, device="cpu")
    with pytest.raises(TrainingError, match="tokens=seen needs texts: name a task that holds them"):
        distil_encoder(two_layers, tmp_path / "a", tokens="seen")
    with pytest.raises(TrainingError, match="tokens=base takes all tokens"):
        distil_encoder(two_layers, tmp_path / "a", tasks=[small])
    with pytest.raises(TrainingError, match=r"tokens is 'sene' .did you mean seen.*: expected base, seen, own"):
        distil_encoder(two_layers, tmp_path / "a", tokens="sene")
    with pytest.raises(EncoderError, match="is a static encoder already: train it with --base static-small"):
        distil_encoder("static-small", tmp_path / "a", dimension=16)
    with pytest.raises(TrainingError, match="from is 'x/y': only the base 'static' is distilled, not 'some/encoder'"):
        Recipe(base="some/encoder", distilled_from="x/y")
    assert not (tmp_path / "a").exists()
    assert PairTexts([small]).languages
