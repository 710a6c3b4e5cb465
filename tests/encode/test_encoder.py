"""Embedding: distinct texts once, equal texts equal vectors, and a cache that is never wrong."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from xlbias.encode import parts as parts_module
from xlbias.encode.cache import VectorCache
from xlbias.encode.encoder import embed
from xlbias.encode.parts import Batching, parts
from xlbias.encode.tokens import TokenCounts
from xlbias.errors import EncoderError

pytestmark = pytest.mark.integration


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
    monkeypatch.setattr(parts_module, "CHUNK", 4)


TEXTS = ["b", "a", "b", "ccc", "dd", "e", "a", "f"]


def test_every_distinct_text_is_encoded_once_and_rows_stand_where_the_texts_do():
    encoder = Counting()
    vectors = embed(encoder, TEXTS, "query")
    assert sorted(encoder.seen) == sorted(set(TEXTS))
    assert (vectors[:, 1] == [ord(t[0]) for t in TEXTS]).all()
    assert (vectors[0] == vectors[2]).all()


def test_progress_adds_up_to_the_number_of_texts():
    told = []
    embed(Counting(), TEXTS, "query", advance=lambda units, **about: told.append((units, about)))
    assert sum(units for units, _ in told) == len(TEXTS)
    assert [about for _, about in told] == [{"share": 7 / 9, "measured": True}, {"share": 1, "measured": True}]


def test_what_is_in_the_cache_is_told_as_found_and_not_made(tmp_path):
    cache, told = VectorCache(tmp_path), []
    embed(Counting(), TEXTS, "query", cache=cache)
    embed(Counting(), TEXTS, "query", cache=cache, advance=lambda units, **about: told.append(about["measured"]))
    assert told == [False, False]


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


class Interrupted(Counting):
    """Is stopped when it has encoded so many parts."""

    def __init__(self, after):
        super().__init__()
        self.left = after

    def encode(self, texts, kind):
        if not self.left:
            raise KeyboardInterrupt
        self.left -= 1
        return super().encode(texts, kind)


def test_a_killed_encoding_keeps_every_part_that_was_done_and_ends_with_the_same_vectors(tmp_path):
    expected = embed(Counting(), TEXTS, "query")
    cache, first, second = VectorCache(tmp_path), Interrupted(1), Counting()
    with pytest.raises(KeyboardInterrupt):
        embed(first, TEXTS, "query", cache=cache)
    assert (embed(second, TEXTS, "query", cache=cache) == expected).all()
    assert sorted(first.seen + second.seen) == sorted(set(TEXTS))


class Padded(Counting):
    """An encoder whose vectors hold the size of their batch and the longest text in it, as padding would."""

    def __init__(self, batching):
        super().__init__()
        self.batching = batching
        self.batches = []

    def count_tokens(self, texts, kind):
        lengths = np.array([len(text.split()) for text in texts])
        return TokenCounts(lengths, np.zeros(len(texts), np.int64), 5)

    def encode_batch(self, texts, kind):
        self.batches.append(list(texts))
        return np.array([[len(t), len(texts), max(len(t.split()) for t in texts)] for t in texts], np.float32)


SENTENCES = ["a", "b b", "c c c", "d d d d", "e e e e e", "f " * 50, "gggggggggggggggggggggg", "h h"]


def test_batches_are_of_so_many_tokens_that_are_read_padding_counted():
    encoder = Padded(Batching(6))
    embed(encoder, SENTENCES, "query")
    assert encoder.batches == [
        ["e e e e e"], ["f " * 50], ["d d d d"], ["c c c", "b b"], ["h h", "a", "gggggggggggggggggggggg"],
    ]  # fmt: skip
    assert encoder.seen == []


def test_batches_are_of_so_many_texts_where_that_is_asked_for():
    encoder = Padded(Batching(6, texts=3))
    embed(encoder, SENTENCES, "query")
    assert [len(batch) for batch in encoder.batches] == [3, 3, 2]


def test_batches_depend_on_the_texts_alone_and_not_on_their_order_or_on_what_was_done_before(tmp_path, monkeypatch):
    monkeypatch.setattr(parts_module, "PART_TOKENS", 6)
    expected = embed(Padded(Batching(6)), SENTENCES, "query")
    backwards = embed(Padded(Batching(6)), SENTENCES[::-1], "query")
    assert (backwards[::-1] == expected).all()
    cache = VectorCache(tmp_path)
    embed(Padded(Batching(6)), SENTENCES, "query", cache=cache)
    for number, file in enumerate(sorted(path for path in tmp_path.rglob("*") if path.is_file())):
        if number % 2:
            file.unlink()
    again = Padded(Batching(6))
    assert (embed(again, SENTENCES, "query", cache=cache) == expected).all()
    assert again.batches


def test_vectors_of_other_batches_are_not_found_in_the_cache(tmp_path):
    cache = VectorCache(tmp_path)
    embed(Padded(Batching(100)), SENTENCES, "query", cache=cache)
    for batching in (Batching(6), Batching(100, texts=8)):
        other = Padded(batching)
        embed(other, SENTENCES, "query", cache=cache)
        assert other.batches


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.integers(0, 600), max_size=300), st.integers(0, 5000), st.integers(0, 70))
def test_parts_hold_every_text_once_in_order_and_no_more_than_they_may(sizes, tokens, texts):
    sizes.sort(reverse=True)
    batching = Batching(tokens, texts or None) if tokens else None
    found = parts(sizes, batching)
    rows = [row for part in found for batch in part.batches for row in range(batch.start, batch.stop)]
    assert rows == list(range(len(sizes)))
    for part in found:
        assert part.rows.stop - part.rows.start < parts_module.CHUNK + 5000
        *others, last = [max(1, sizes[batch.start]) * (batch.stop - batch.start) for batch in part.batches]
        if batching:
            assert part.work == sum(others) + last
            assert sum(others) < parts_module.PART_TOKENS
            assert (
                all(work <= max(batching.tokens, sizes[part.rows.start]) for work in (*others, last)) or batching.texts
            )
