"""All alignment measures at once: which rows there are, over how many ids, and that they agree with the functions."""

import numpy as np
import pytest

from xlbias.measures.alignment import audit, sampling
from xlbias.measures.alignment.alignment import alignment
from xlbias.measures.alignment.audit import alignment_rows
from xlbias.measures.alignment.parallel import ParallelVectors
from xlbias.measures.alignment.parallel_accuracy import csls_accuracy, parallel_accuracy
from xlbias.measures.alignment.similarity import NUMPY, Similarity
from xlbias.measures.alignment.uniformity import uniformity
from xlbias.measures.registry import measures

SYMMETRIC = {"alignment", "cka", "centroid_distance"}
DIRECTED = {"parallel_accuracy", "parallel_accuracy.csls", "hubness"}
SINGLE = {"uniformity", "language_identifiability"}
PER_ID = {"alignment", "parallel_accuracy", "parallel_accuracy.csls", "language_identifiability"}


def made(n_ids, languages, missing=(), noise=1.0, seed=0):
    rng = np.random.default_rng(seed)
    topic = rng.standard_normal((n_ids, 12))
    keys = [(f"q{i:03}", language) for i in range(n_ids) for language in languages if (i, language) not in missing]
    vectors = [topic[int(q[1:])] + noise * rng.standard_normal(12) for q, _ in keys]
    return ParallelVectors.of(*map(list, zip(*keys, strict=True)), np.array(vectors, dtype=np.float32))


def by_key(rows):
    table = {(row.measure, row.language, row.other): row for row in rows}
    assert len(table) == len(rows)
    return table


def test_every_registered_measure_has_its_rows():
    table = by_key(alignment_rows(made(40, ["ar", "de", "th"])))
    assert {measure for measure, _, _ in table} == set(measures("alignment")) == SYMMETRIC | DIRECTED | SINGLE
    pairs = [("ar", "de"), ("ar", "th"), ("de", "th")]
    both = pairs + [(b, a) for a, b in pairs]
    expected = {(measure, *pair) for measure in SYMMETRIC for pair in pairs}
    expected |= {(measure, *pair) for measure in DIRECTED for pair in both}
    expected |= {(measure, language, None) for measure in SINGLE for language in ("ar", "de", "th")}
    expected |= {(measure, None, None) for measure in SYMMETRIC | DIRECTED | SINGLE}
    assert set(table) == expected
    for (measure, _, _), row in table.items():
        declared = measures("alignment")[measure]
        assert declared.low <= row.value <= declared.high
        assert (row.per_id is not None) == (measure in PER_ID)


def test_rows_agree_with_the_functions_and_overall_is_the_mean_of_pairs():
    parallel = made(30, ["ar", "de", "th"])
    table = by_key(alignment_rows(parallel))
    pair = parallel.pair("de", "th")
    similarity = Similarity.of(pair.x, pair.y)
    assert np.array_equal(table["alignment", "de", "th"].per_id, alignment(pair.x, pair.y))
    assert np.array_equal(table["parallel_accuracy", "de", "th"].per_id, parallel_accuracy(similarity))
    assert np.array_equal(table["parallel_accuracy.csls", "th", "de"].per_id, csls_accuracy(similarity.reversed))
    assert table["uniformity", "de", None].value == uniformity(parallel.vectors["de"])
    assert table["uniformity", None, None].value == uniformity(parallel.stacked()[0])
    assert table["uniformity", None, None].n == 90
    for measure in SYMMETRIC | DIRECTED:
        overall = table[measure, None, None]
        of_pairs = [row for (name, a, _), row in table.items() if name == measure and a is not None]
        assert overall.value == pytest.approx(np.mean([row.value for row in of_pairs]))
        assert overall.n == 30
        if overall.per_id is not None:
            assert overall.per_id == pytest.approx(np.mean([row.per_id for row in of_pairs], axis=0))


def test_missing_translations_are_left_out_and_counted():
    parallel = made(20, ["ar", "de", "th"], missing={(0, "ar"), (3, "ar"), (3, "de"), (5, "th")})
    table = by_key(alignment_rows(parallel))
    assert table["alignment", "ar", "de"].n == 18
    assert table["alignment", "de", "th"].n == 18
    assert table["cka", "ar", "th"].n == 17
    overall = table["alignment", None, None]
    assert overall.n == 19  # q003 is in Thai only
    assert 3 not in overall.ids
    pair = table["alignment", "de", "th"]
    assert overall.per_id[0] == pytest.approx(pair.per_id[0] / 18 / 3 * 19)  # q000 has this pair only
    for measure in PER_ID:
        assert table[measure, None, None].per_id.mean() == pytest.approx(table[measure, None, None].value)


def test_languages_that_share_fewer_than_two_ids_are_undefined():
    missing = {(i, "th") for i in range(1, 15)} | {(i, "zh") for i in range(15)}
    table = by_key(alignment_rows(made(15, ["ar", "de", "th", "zh"], missing={*missing} - {(14, "zh")})))
    for measure in SYMMETRIC | DIRECTED:
        for pair, n in ((("ar", "th"), 1), (("th", "zh"), 0)):
            row = table[measure, *pair]
            assert np.isnan(row.value)
            assert (row.n, row.per_id) == (n, None)
        assert table[measure, None, None].value == pytest.approx(
            np.mean([table[measure, *p].value for p in [("ar", "de"), ("de", "ar")] if (measure, *p) in table])
        )
    assert np.isnan(table["uniformity", "th", None].value)


def test_two_ids():
    table = by_key(alignment_rows(made(2, ["ar", "de"], noise=0.01)))
    assert table["parallel_accuracy", "ar", "de"].value == 1
    assert table["cka", "ar", "de"].value == pytest.approx(1)
    assert np.isnan(table["hubness", "ar", "de"].value)
    assert np.isnan(table["hubness", None, None].value)


def test_one_language_has_its_uniformity_only():
    (row,) = alignment_rows(made(9, ["th"]))
    assert (row.measure, row.language, row.n) == ("uniformity", "th", 9)
    assert alignment_rows(ParallelVectors.of([], [], np.empty((0, 3)))) == []


def test_an_encoder_that_gives_every_text_one_vector_does_not_look_good():
    keys = [(f"q{i}", language) for i in range(30) for language in ("ar", "de")]
    table = by_key(alignment_rows(ParallelVectors.of(*map(list, zip(*keys, strict=True)), np.ones((60, 7)))))
    assert table["alignment", None, None].value == 0
    assert table["uniformity", None, None].value == pytest.approx(0, abs=1e-6)
    assert table["parallel_accuracy", None, None].value == 0
    assert table["parallel_accuracy.csls", None, None].value == 0
    assert np.isnan(table["cka", None, None].value)
    assert np.isnan(table["hubness", None, None].value)
    assert table["language_identifiability", None, None].value == pytest.approx(1 / 2)


@pytest.fixture
def small_limits(monkeypatch):
    monkeypatch.setattr(sampling, "MOST_CANDIDATES", 15)
    monkeypatch.setattr(sampling, "LEAST_CANDIDATES", 5)
    monkeypatch.setattr(sampling, "SIMILARITIES", 4 * 15 * 15)
    monkeypatch.setattr(audit, "MOST_TEXTS", 30)


def test_what_grows_with_the_square_of_the_texts_is_over_a_seeded_sample(small_limits):
    parallel = made(40, ["ar", "de"])
    table = by_key(alignment_rows(parallel))
    assert {measure: table[measure, "ar", "de"].n for measure in SYMMETRIC | DIRECTED} == {
        "alignment": 40, "centroid_distance": 40, "cka": 30,
        "parallel_accuracy": 15, "parallel_accuracy.csls": 15, "hubness": 15,
    }  # fmt: skip
    assert (table["uniformity", "ar", None].n, table["uniformity", None, None].n) == (30, 30)
    assert table["language_identifiability", "ar", None].n == 40
    chosen = table["parallel_accuracy", "ar", "de"].ids
    assert (np.diff(chosen) > 0).all()
    assert np.array_equal(table["hubness", "de", "ar"].ids, chosen)
    pair = parallel.pair("ar", "de")
    similarity = Similarity.of(pair.x[chosen], pair.y[chosen])
    assert np.array_equal(table["parallel_accuracy", "ar", "de"].per_id, parallel_accuracy(similarity))
    assert np.isin(chosen, table["cka", "ar", "de"].ids).all()  # one order of drawing for all
    again, other = by_key(alignment_rows(parallel)), by_key(alignment_rows(parallel, seed=1))
    assert np.array_equal(again["parallel_accuracy", "ar", "de"].ids, chosen)
    assert not np.array_equal(other["parallel_accuracy", "ar", "de"].ids, chosen)


def test_the_more_language_pairs_there_are_the_fewer_texts_each_is_over(small_limits):
    assert [sampling.candidates_for(pairs) for pairs in (0, 1, 4, 9, 36, 100)] == [15, 15, 15, 10, 5, 5]
    table = by_key(alignment_rows(made(40, "abcdefghij")))  # 45 pairs
    assert table["parallel_accuracy", "a", "b"].n == 5
    assert table["parallel_accuracy", None, None].n == 5  # the same ids for all pairs


def test_up_to_the_limit_nothing_is_drawn():
    assert sampling.candidates_for(55) >= 1190  # XQuAD-R
    assert sampling.MOST_TEXTS >= 13_090
    assert np.array_equal(sampling.drawn(sampling.drawing_order(9, 0), 9), np.arange(9))


def test_a_sample_says_what_all_texts_say(monkeypatch):
    """The values of a sample lie within what is left to chance of those of all texts."""
    parallel = made(1200, ["ar", "de", "th"], noise=0.5)
    whole = by_key(alignment_rows(parallel))
    monkeypatch.setattr(audit, "MOST_TEXTS", 600)
    table = by_key(alignment_rows(parallel))
    assert table["uniformity", None, None].value == pytest.approx(whole["uniformity", None, None].value, abs=0.05)
    assert table["cka", "ar", "de"].value == pytest.approx(whole["cka", "ar", "de"].value, abs=0.03)


def test_pieces_made_one_by_one_are_the_same_rows(monkeypatch):
    parallel = made(30, ["ar", "de", "th", "zh"], missing={(2, "th")})
    whole = alignment_rows(parallel)
    monkeypatch.setattr(audit, "_SECONDS", 0.0)  # a piece for every language and pair
    names = []

    def do(piece):
        names.append(piece.name)
        return piece.make()

    apart = alignment_rows(parallel, do=do)
    assert len(names) == len(set(names)) == 4 + 1 + 6 + 1
    assert len(apart) == len(whole)
    for one, other in zip(apart, whole, strict=True):
        assert (one.measure, one.language, one.other, one.n) == (other.measure, other.language, other.other, other.n)
        assert np.array_equal([one.value], [other.value], equal_nan=True)


def test_a_piece_of_another_seed_or_sample_has_another_name(monkeypatch):
    parallel = made(30, ["ar", "de"])
    names = [{piece.name for piece in audit.pieces(parallel, seed)} for seed in (0, 0, 1)]
    monkeypatch.setattr(audit, "MOST_TEXTS", 20)
    names.append({piece.name for piece in audit.pieces(parallel)})
    assert names[0] == names[1]
    assert not names[0] & names[2]
    assert not names[0] & names[3]


@pytest.mark.parametrize("languages", [["ar", "de"], ["ar", "de", "th", "zh"]])
def test_what_pairs_of_texts_make_is_put_together_from_language_pairs(languages, monkeypatch):
    """Nothing is multiplied twice, and nothing else changes."""
    parallel = made(30, languages)
    whole = alignment_rows(parallel)
    monkeypatch.setattr(audit, "_of_all", None)
    joined = alignment_rows(parallel, reads=NUMPY)
    assert len(joined) == len(whole)
    for one, other in zip(joined, whole, strict=True):
        assert (one.measure, one.language, one.other, one.n) == (other.measure, other.language, other.other, other.n)
        if (one.measure, one.language) == ("uniformity", None):
            assert one.value == pytest.approx(other.value, abs=1e-6)
        else:
            assert np.array_equal([one.value], [other.value], equal_nan=True)


def test_where_pairs_do_not_hold_all_texts_nothing_is_put_together(monkeypatch):
    for parallel in (made(30, ["ar", "de", "th"], missing={(2, "th")}), made(30, ["ar"]), made(1, ["ar", "de"])):
        for one, other in zip(alignment_rows(parallel, reads=NUMPY), alignment_rows(parallel), strict=True):
            assert (one.measure, one.language, one.other, one.n) == (
                other.measure,
                other.language,
                other.other,
                other.n,
            )
            assert np.array_equal([one.value], [other.value], equal_nan=True)
    parallel = made(40, ["ar", "de"])
    monkeypatch.setattr(audit, "MOST_TEXTS", 60)  # a sample of all texts, of which no language pair knows
    table = by_key(alignment_rows(parallel, reads=NUMPY))
    assert table["uniformity", None, None].value == by_key(alignment_rows(parallel))["uniformity", None, None].value


def test_a_piece_with_what_is_put_together_has_another_name():
    parallel = made(30, ["ar", "de"])
    assert {piece.name for piece in audit.pieces(parallel)} - {piece.name for piece in audit.pieces(parallel, 0, NUMPY)}
