"""The untrained static encoder: sub-words of the training texts alone, in scripts with and without spaces."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from xlbias.encode.static import assemble, static_parts
from xlbias.encode.subwords import same_share, train_tokenizer
from xlbias.errors import EncoderError

pytestmark = pytest.mark.integration

TEXTS = [
    ("de", ["Die Straße ist gesperrt.", "Die Straßen sind gesperrt.", "Der ＦＣ spielt auf der Straße."] * 3),
    ("th", ["ประเทศไทยมีประชากรมาก", "ประเทศไทยและประเทศลาว", "ประชากรของประเทศไทย"] * 3),
    ("zh", ["中国的首都是北京。", "北京是中国的首都。", "日本的首都是东京。"] * 3),
]


def news(shared_data: Path) -> list[tuple[str, list[str]]]:
    files = {"en": "src.eng", "de": "ref.deu", "th": "ref.tha", "zh": "ref.zho-CN"}
    folder = shared_data / "ntrex128"
    return [
        (language, (folder / f"newstest2019-{name}.txt").read_text("utf-8").splitlines())
        for language, name in files.items()
    ]


def learn(texts: list[tuple[str, list[str]]], vocabulary: int):
    return train_tokenizer(list(same_share(texts, 0)), vocabulary)


def build(texts: list[tuple[str, list[str]]] = TEXTS, seed: int = 0, dimension: int = 8):
    return assemble(*static_parts(texts, dimension=dimension, vocabulary=200, scale=0.1, seed=seed))


def test_words_are_found_with_and_without_spaces(shared_data: Path) -> None:
    tokenizer = learn(news(shared_data), 12_000)
    for words in (["government", "police"], ["polizei", "regierung"], ["รัฐบาล", "ประเทศ"], ["政府", "警察", "中国"]):
        for word in words:
            assert tokenizer.encode(word).tokens == [word]
    thai = "ประเทศไทยและรัฐบาลของประเทศไทย"
    assert 4 <= len(tokenizer.encode(thai).tokens) <= len(thai) // 2
    assert tokenizer.encode("Police, POLICE；ＰＯＬＩＣＥ").tokens == ["police", ",", "police", ";", "police"]


def test_only_characters_of_the_training_texts_have_tokens() -> None:
    seen = set("".join(text for _, texts in TEXTS for text in texts).lower()) | set("fc")
    tokenizer = learn(TEXTS, 300)
    assert set("".join(tokenizer.get_vocab())) <= seen
    assert tokenizer.encode("Ω").tokens == []


def test_a_text_without_known_characters_gets_the_zero_vector() -> None:
    assert (build().encode(["Ω", ""]) == 0).all()


def test_the_same_texts_and_seed_give_the_same_encoder() -> None:
    one, same, other = build(), build(), build(seed=1)
    assert one.tokenizer.to_str() == same.tokenizer.to_str()
    assert torch.equal(one[0].embedding.weight, same[0].embedding.weight)
    assert not torch.equal(one[0].embedding.weight[:50], other[0].embedding.weight[:50])


def test_sub_words_are_the_same_each_time(shared_data: Path) -> None:
    """Ties between merges must not be settled by the order of a hash map, nor by that of threads."""
    texts = [(language, lines[:500]) for language, lines in news(shared_data)]
    assert len({learn(texts, 6_000).to_str() for _ in range(4)}) == 1


def test_dimension_and_scale_are_as_asked_for() -> None:
    model = build(dimension=64)
    assert model.get_embedding_dimension() == 64
    assert model.encode(["Straße"]).shape == (1, 64)
    assert float(model[0].embedding.weight.detach().std()) == pytest.approx(0.1, rel=0.05)
    assert model.similarity_fn_name == "cosine"


def test_a_long_corpus_in_one_language_does_not_crowd_out_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("xlbias.encode.subwords.CHARACTERS_PER_LANGUAGE", 200)
    rng = np.random.default_rng(0)
    english = ["".join(rng.choice(list("abcdefghij "), 40)) for _ in range(2_000)]
    tokenizer = learn([("en", english), *TEXTS], 300)
    crowd = learn([("en", english)], 300).get_vocab()
    assert len(crowd) < 60
    assert set("".join(tokenizer.get_vocab())) >= set("首都ประเทศ")
    assert max(len(token) for token in tokenizer.get_vocab()) > 4


def test_no_text_is_an_error() -> None:
    with pytest.raises(EncoderError, match="hold no characters"):
        build([("en", [" "])])


def test_an_untrained_encoder_ranks_like_a_lexical_search() -> None:
    texts = ["the cat sat on the mat", "the dog sat on the log", "the bird sang in the tree"] * 3
    encoder = build([("en", texts)], dimension=256)
    weights = encoder[0].embedding.weight.detach()
    length = {word: float(weights[encoder.tokenizer.token_to_id(word)].norm()) for word in ("the", "sat", "cat")}
    assert length["the"] < length["sat"] < length["cat"]
    query, right, wrong = encoder.encode(["the cat", "a cat", "the the on the"], normalize_embeddings=True)
    assert query @ right > query @ wrong


def test_equally_rare_characters_are_chosen_among_in_the_same_way_in_every_process() -> None:
    code = (
        "from xlbias.encode.subwords import train_tokenizer\n"
        "texts = [chr(0x4e00 + i) + chr(0x4e00 + i + 1) for i in range(0, 400, 2)]\n"
        "print(sorted(train_tokenizer(texts, 90).get_vocab().items()))\n"
    )
    seen = {subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout for _ in range(3)}
    assert len(seen) == 1
    assert len(seen.pop()) > 90
