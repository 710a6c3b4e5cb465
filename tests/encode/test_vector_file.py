"""Vectors in a file: what `embed` makes, each text once, whatever was killed, removed or damaged."""

import errno
import hashlib

import numpy as np
import polars as pl
import pytest

from xlbias.encode import parts as parts_module
from xlbias.encode import vector_file
from xlbias.encode.cache import VectorCache
from xlbias.encode.encoder import embed
from xlbias.encode.vector_file import as_stored, embed_to_file, first_places
from xlbias.errors import WriteError

pytestmark = pytest.mark.integration


class Hashing:
    """An encoder of which a text's vector depends on the text alone; it is killed before its `last` call."""

    name, dimension, similarity, fingerprint = "hashing", 5, "cosine", "hashing-1"

    def __init__(self, last=None):
        self.seen, self.calls, self.last = [], 0, last

    def encode(self, texts, kind):
        if self.calls == self.last:
            raise KeyboardInterrupt
        self.calls += 1
        self.seen += texts
        digests = [hashlib.sha256(f"{kind}{text}".encode()).digest()[: 2 * self.dimension] for text in texts]
        return np.array([np.frombuffer(one, dtype="<i2") for one in digests], dtype=np.float32)


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch):
    monkeypatch.setattr(vector_file, "BLOCK", 7)
    monkeypatch.setattr(parts_module, "CHUNK", 3)


TEXTS = pl.Series([f"{'é' * (i % 5)} text {(i * i) % 23}" for i in range(60)])


def in_memory(stored="float32", texts=TEXTS):
    return as_stored(embed(Hashing(), texts.to_list(), "passage"), stored, "cosine")


def test_the_first_place_of_each_text():
    texts = TEXTS.to_list()
    assert first_places(TEXTS).tolist() == [texts.index(text) for text in texts]
    assert first_places(TEXTS[:0]).tolist() == []


@pytest.mark.parametrize("stored", ["float32", "float16"])
@pytest.mark.parametrize("kept", [True, False])
def test_vectors_in_a_file_are_those_in_memory_and_no_text_is_encoded_twice(tmp_path, stored, kept):
    encoder, told = Hashing(), []
    cache = VectorCache(tmp_path) if kept else None
    found = embed_to_file(
        encoder, TEXTS, "passage", cache=cache, stored=stored, advance=lambda n, **about: told.append((n, about))
    )
    assert (len(found), found.shape) == (60, (60, 5))
    assert found.read(0, 60).tolist() == in_memory(stored).tolist()
    assert found.read(13, 29).tolist() == in_memory(stored)[13:29].tolist()
    assert found.gather(np.array([59, 0, 31, 0])).tolist() == in_memory(stored)[[59, 0, 31, 0]].tolist()
    assert sorted(encoder.seen) == sorted(set(TEXTS))
    assert sum(n for n, _ in told) == 60 and told[-1][1]["share"] == pytest.approx(1.0)


@pytest.mark.parametrize("killed_before", range(0, 20, 3))
def test_a_killed_one_is_gone_on_with_and_no_text_is_encoded_twice(tmp_path, killed_before):
    first, second = Hashing(killed_before), Hashing()
    with pytest.raises(KeyboardInterrupt):
        embed_to_file(first, TEXTS, "passage", cache=VectorCache(tmp_path), stored="float16")
    found = embed_to_file(second, TEXTS, "passage", cache=VectorCache(tmp_path), stored="float16")
    assert sorted(first.seen + second.seen) == sorted(set(TEXTS))
    assert found.read(0, 60).tolist() == in_memory("float16").tolist()
    third = Hashing(0)
    assert embed_to_file(third, TEXTS, "passage", cache=VectorCache(tmp_path), stored="float16").read(0, 60).any()


def test_a_block_that_is_damaged_is_made_again(tmp_path):
    embed_to_file(Hashing(), TEXTS, "passage", cache=VectorCache(tmp_path))
    (file,) = tmp_path.rglob("vectors")
    content = bytearray(file.read_bytes())
    content[20 * 8 + 3] ^= 16  # of row 8, in the second block
    file.write_bytes(content)
    again = Hashing()
    assert embed_to_file(again, TEXTS, "passage", cache=VectorCache(tmp_path)).read(0, 60).tolist() == (
        in_memory().tolist()
    )
    assert 0 < len(again.seen) <= 7
    file.write_bytes(content[:100])
    assert embed_to_file(Hashing(), TEXTS, "passage", cache=VectorCache(tmp_path)).read(0, 60).tolist() == (
        in_memory().tolist()
    )


def test_other_texts_prompts_or_encoders_find_nothing(tmp_path):
    embed_to_file(Hashing(), TEXTS, "passage", cache=VectorCache(tmp_path))
    for texts, kind, fingerprint in (
        (TEXTS[::-1], "passage", "hashing-1"),
        (TEXTS, "query", "hashing-1"),
        (TEXTS, "passage", "hashing-2"),
    ):
        other = Hashing()
        other.fingerprint = fingerprint
        embed_to_file(other, texts, kind, cache=VectorCache(tmp_path))
        assert sorted(other.seen) == sorted(set(TEXTS))


def test_who_reads_a_file_that_is_removed_goes_on(tmp_path):
    found = embed_to_file(Hashing(), TEXTS, "passage", cache=VectorCache(tmp_path))
    (file,) = tmp_path.rglob("vectors")
    file.unlink()
    assert found.read(0, 60).tolist() == in_memory().tolist()


def test_a_full_disk_is_one_sentence(tmp_path, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(vector_file.os, "pwrite", full)
    with pytest.raises(WriteError, match=r"vectors: vectors cannot be kept: No space left on device; free space there"):
        embed_to_file(Hashing(), TEXTS, "passage", cache=VectorCache(tmp_path))
