"""Mitigation without training: centring per language and LIR."""

import numpy as np
import pytest

from xlbias.encode import mitigate
from xlbias.encode.mitigate import Mitigation, parse_mitigation
from xlbias.errors import EncoderError, UsageError

pytestmark = pytest.mark.integration

LANGUAGES = ["de", "th"] * 60


def made(n=120, d=20, seed=0):
    rng = np.random.default_rng(seed)
    shift = np.where(np.arange(n)[:, None] % 2, rng.standard_normal(d) * 2, rng.standard_normal(d) * 2)
    return (rng.standard_normal((n, d)) + shift).astype(np.float32)


def test_names():
    assert parse_mitigation("mean") == Mitigation("mean")
    assert parse_mitigation("lir:12") == Mitigation("lir", 12)
    assert str(parse_mitigation("mean")) == "mean"
    assert str(parse_mitigation("lir:12")) == "lir:12"


@pytest.mark.parametrize("text", ["", "foo", "lir", "lir:", "lir:0", "lir:x", "lir:-1", "lir:1.5", "lir:1 ", "mean:1"])
def test_other_names_are_refused(text):
    with pytest.raises(UsageError, match=r"expected 'mean' or 'lir:R'"):
        parse_mitigation(text)


def test_mean_centres_each_language():
    vectors = made()
    result = Mitigation("mean").fit(vectors, LANGUAGES).apply(vectors, LANGUAGES, "dot")
    assert result[::2] == pytest.approx(vectors[::2] - vectors[::2].mean(axis=0), abs=1e-5)
    assert result[1::2].mean(axis=0) == pytest.approx(np.zeros(20), abs=1e-6)


@pytest.mark.parametrize("directions", [1, 3])
@pytest.mark.parametrize("d", [20, 90])  # fewer and more than the 60 texts of a language
def test_lir_removes_the_first_right_singular_vectors_uncentred(d, directions):
    vectors = made(d=d)
    result = Mitigation("lir", directions).fit(vectors, LANGUAGES).apply(vectors, LANGUAGES, "dot")
    for start in (0, 1):
        own = vectors[start::2].astype(float)
        first = np.linalg.svd(own)[2][:directions]
        assert result[start::2] == pytest.approx(own - own @ first.T @ first, abs=1e-5)


def test_cosine_gives_the_same_directions_at_length_one():
    vectors = made()
    fitted = Mitigation("lir", 2).fit(vectors, LANGUAGES)
    cosine, dot = fitted.apply(vectors, LANGUAGES), fitted.apply(vectors, LANGUAGES, "dot")
    assert cosine.dtype == dot.dtype == np.float32
    assert np.linalg.norm(cosine, axis=1) == pytest.approx(np.ones(120), abs=1e-6)
    assert cosine == pytest.approx(dot / np.linalg.norm(dot, axis=1)[:, None], abs=1e-6)


def test_queries_are_treated_by_what_was_learnt_from_passages():
    passages, queries = made(), made(8, seed=1)
    fitted = Mitigation("mean").fit(passages, LANGUAGES)
    assert fitted.apply(queries, ["th"] * 8, "dot") == pytest.approx(queries - passages[1::2].mean(axis=0), abs=1e-5)


@pytest.mark.parametrize("name", ["mean", "lir:1", "lir:7"])
@pytest.mark.parametrize("d", [1, 2, 20, 384, 1023])
@pytest.mark.parametrize("similarity", ["cosine", "dot"])
def test_equal_vectors_of_a_language_stay_equal_bit_for_bit(name, d, similarity, monkeypatch):
    monkeypatch.setattr(mitigate, "BLOCK", 37)  # the copies stand in blocks of several sizes
    vectors = made(d=d)
    for copy in (2, 4, 16, 52, 110, 118):
        vectors[copy] = vectors[0]
    mitigation = parse_mitigation(name)
    if mitigation.directions >= d:
        with pytest.raises(EncoderError):
            mitigation.fit(vectors, LANGUAGES)
        return
    result = mitigation.fit(vectors, LANGUAGES).apply(vectors, LANGUAGES, similarity)
    for copy in (2, 4, 16, 52, 110, 118):
        assert result[copy].tobytes() == result[0].tobytes()


def test_blocks_change_nothing_but_rounding(monkeypatch):
    vectors = made(d=10)
    whole = Mitigation("lir", 2).fit(vectors, LANGUAGES).apply(vectors, LANGUAGES)
    monkeypatch.setattr(mitigate, "BLOCK", 7)
    assert Mitigation("lir", 2).fit(vectors, LANGUAGES).apply(vectors, LANGUAGES) == pytest.approx(whole, abs=1e-6)


def test_lir_needs_more_texts_than_directions():
    vectors = made(6)
    with pytest.raises(EncoderError, match=r"^lir:2: the 2 texts in 'th' span 2 of 20 directions; expected more than"):
        Mitigation("lir", 2).fit(vectors, ["de", "th", "de", "th", "de", "de"])
    with pytest.raises(EncoderError, match=r"the 5 texts in 'de' span 1 of 3 directions"):  # five times one text
        Mitigation("lir", 1).fit(np.ones((5, 3), dtype=np.float32), ["de"] * 5)
    with pytest.raises(EncoderError, match=r"the 60 texts in 'de' span 4 of 4 directions"):
        Mitigation("lir", 4).fit(made(d=4), LANGUAGES)


def test_a_language_without_texts_when_fitting_is_named():
    vectors = made()
    fitted = Mitigation("mean").fit(vectors, LANGUAGES)
    with pytest.raises(EncoderError, match="fitted without texts in 'zh'"):
        fitted.apply(vectors[:2], ["de", "zh"])


def test_a_vector_of_which_nothing_is_left_is_named_for_cosine():
    vectors = made(5)
    languages = ["de", "de", "th", "de", "de"]  # the one Thai text is its own mean
    fitted = Mitigation("mean").fit(vectors, languages)
    with pytest.raises(EncoderError, match="leaves nothing of vector 2, a text in 'th'"):
        fitted.apply(vectors, languages)
    assert fitted.apply(vectors, languages, "dot")[2].tolist() == [0] * 20


def test_shapes_and_numbers_are_checked():
    vectors = made()
    fitted = Mitigation("mean").fit(vectors, LANGUAGES)
    with pytest.raises(EncoderError, match="do not fit 119 languages"):
        fitted.apply(vectors, LANGUAGES[1:])
    with pytest.raises(EncoderError, match="fitted to vectors of length 20, not 10"):
        fitted.apply(vectors[:, :10], LANGUAGES)
    vectors[3, 0] = np.inf
    with pytest.raises(EncoderError, match="vector 3, a text in 'th'"):
        Mitigation("mean").fit(vectors, LANGUAGES)


def test_input_is_left_alone_and_nothing_stays_nothing():
    vectors = made()
    before = vectors.copy()
    fitted = Mitigation("lir", 1).fit(vectors, LANGUAGES)
    fitted.apply(vectors, LANGUAGES)
    assert np.array_equal(vectors, before)
    assert fitted.apply(vectors[:0], []).shape == (0, 20)
