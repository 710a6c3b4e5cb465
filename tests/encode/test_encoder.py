"""Embedding: distinct texts once, equal texts equal vectors, and a cache that is never wrong."""

import numpy as np
import pytest

from xlbias.encode import encoder as encoder_module
from xlbias.encode.cache import VectorCache
from xlbias.encode.encoder import embed
from xlbias.errors import EncoderError


class Counting:
    """An encoder whose vectors depend on the batch, as those of a padded transformer do in the last bits."""

    name, dimension, similarity = "counting", 3, "dot"

    def __init__(self, fingerprint="one"):
        self.fingerprint = fingerprint
        self.seen = []

    def encode(self, texts, kind):
        self.seen += texts
        return np.array([[len(t), ord(t[0]), len(texts)] for t in texts], dtype=np.float32)


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch):
    monkeypatch.setattr(encoder_module, "CHUNK", 4)


TEXTS = ["b", "a", "b", "ccc", "dd", "e", "a", "f"]


def test_every_distinct_text_is_encoded_once_and_rows_stand_where_the_texts_do():
    encoder = Counting()
    vectors = embed(encoder, TEXTS, "query")
    assert sorted(encoder.seen) == sorted(set(TEXTS))
    assert (vectors[:, 1] == [ord(t[0]) for t in TEXTS]).all()
    assert (vectors[0] == vectors[2]).all()


def test_progress_adds_up_to_the_number_of_texts():
    told = []
    embed(Counting(), TEXTS, "query", advance=told.append)
    assert sum(told) == len(TEXTS)


def test_the_cache_gives_back_the_very_same_vectors(tmp_path):
    first, second = Counting(), Counting()
    expected = embed(first, TEXTS, "query", cache=VectorCache(tmp_path))
    assert (embed(second, TEXTS, "query", cache=VectorCache(tmp_path)) == expected).all()
    assert second.seen == []


def test_other_weights_kinds_or_texts_are_not_found_in_the_cache(tmp_path):
    cache = VectorCache(tmp_path)
    embed(Counting(), TEXTS, "query", cache=cache)
    for encoder, texts, kind in (
        (Counting("two"), TEXTS, "query"), (Counting(), TEXTS, "passage"), (Counting(), [*TEXTS, "g"], "query"),
    ):  # fmt: skip
        embed(encoder, texts, kind, cache=cache)
        assert encoder.seen


@pytest.mark.parametrize("damage", [lambda b: b[:-5], lambda b: b[:10] + b"x" + b[11:], lambda b: b""])
def test_a_damaged_file_is_a_miss_never_a_wrong_vector(tmp_path, damage):
    expected = embed(Counting(), TEXTS, "query", cache=VectorCache(tmp_path))
    for file in tmp_path.rglob("*"):
        if file.is_file():
            file.write_bytes(damage(file.read_bytes()))
    again = Counting()
    assert (embed(again, TEXTS, "query", cache=VectorCache(tmp_path)) == expected).all()
    assert again.seen


def test_a_cache_that_cannot_be_written_is_only_slower(tmp_path):
    blocked = tmp_path / "file"
    blocked.write_text("in the way")
    assert embed(Counting(), TEXTS, "query", cache=VectorCache(blocked)).shape == (8, 3)


def test_texts_that_only_their_boundaries_tell_apart_have_different_keys(tmp_path):
    cache = VectorCache(tmp_path)
    cache.save("f", "query", ["ab", "c"], np.ones((2, 2), np.float32))
    assert cache.load("f", "query", ["a", "bc"]) is None


def test_vectors_that_are_not_finite_name_their_text():
    class Broken(Counting):
        def encode(self, texts, kind):
            vectors = super().encode(texts, kind)
            vectors[[t == "dd" for t in texts]] = np.nan
            return vectors

    with pytest.raises(EncoderError, match="NaN or infinite vector for the passage 'dd'"):
        embed(Broken(), TEXTS, "passage")


def test_vectors_of_another_shape_are_refused():
    class Flat(Counting):
        def encode(self, texts, kind):
            return np.zeros(len(texts), np.float32)

    with pytest.raises(EncoderError, match=r"expected \(4, 3\)"):
        embed(Flat(), TEXTS, "query")
