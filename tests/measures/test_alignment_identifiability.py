"""Language identifiability: chance for vectors that know no language, near 1 for those that do."""

import numpy as np
import pytest

from xlbias.encode.mitigate import parse_mitigation
from xlbias.measures.alignment import language_identifiability as module
from xlbias.measures.alignment.language_identifiability import language_identifiability

N, L, D = 400, 5, 16
LANGUAGES, IDS = np.tile(np.arange(L), N), np.repeat(np.arange(N), L)


def texts(shift, seed=0):
    rng = np.random.default_rng(seed)
    topic, language = rng.standard_normal((N, 1, D)), rng.standard_normal((1, L, D))
    return (topic + 0.5 * rng.standard_normal((N, L, D)) + shift * language).reshape(-1, D).astype(np.float32)


def test_random_vectors_are_at_chance():
    assert language_identifiability(texts(0), LANGUAGES, IDS).mean() == pytest.approx(1 / L, abs=0.04)


def test_a_mean_per_language_gives_it_away():
    assert language_identifiability(texts(2), LANGUAGES, IDS).mean() > 0.97


def test_mitigation_by_means_brings_it_back_to_chance():
    names = [str(code) for code in LANGUAGES]
    fitted = parse_mitigation("mean").fit(texts(2, seed=1), names)  # of other texts in the same languages ...
    shift = texts(2, seed=1).reshape(N, L, D).mean(axis=0) - texts(0, seed=1).reshape(N, L, D).mean(axis=0)
    asked = texts(0, seed=3) + np.tile(shift, (N, 1)).astype(np.float32)
    assert language_identifiability(asked, LANGUAGES, IDS).mean() > 0.97
    mitigated = fitted.apply(asked, names, "dot")  # ... as a mean of these very texts leads the classifier astray
    assert language_identifiability(mitigated, LANGUAGES, IDS).mean() == pytest.approx(1 / L, abs=0.05)
    own = parse_mitigation("mean").fit(asked, names).apply(asked, names, "dot")
    assert language_identifiability(own, LANGUAGES, IDS).mean() < 1 / L


def test_the_seed_decides_and_turning_the_space_does_not_matter():
    vectors = texts(0.2)
    found = language_identifiability(vectors, LANGUAGES, IDS)
    turn = np.linalg.qr(np.random.default_rng(0).standard_normal((D, D)))[0]
    assert np.array_equal(found, language_identifiability(vectors, LANGUAGES, IDS))
    assert not np.array_equal(found, language_identifiability(vectors, LANGUAGES, IDS, seed=1))
    turned = language_identifiability((vectors @ turn).astype(np.float32), LANGUAGES, IDS)
    assert np.mean(found == turned) > 0.99


def test_translations_stand_on_one_side_of_the_split():
    """Each id is a cluster of its own with one language: learnt by heart it would be recognised, held out never."""
    rng = np.random.default_rng(0)
    vectors = (10 * rng.standard_normal((N, 1, D)) + 0.01 * rng.standard_normal((N, L, D))).reshape(-1, D)
    found = language_identifiability(vectors.astype(np.float32), LANGUAGES, IDS)
    assert found.mean() == pytest.approx(1 / L, abs=0.04)


def test_training_rows_are_capped_by_whole_ids(monkeypatch):
    seen = []
    monkeypatch.setattr(module, "TRAINING_ROWS", 53)
    monkeypatch.setattr(module, "_classifier", lambda x, y: seen.append(len(x)) or (lambda asked: np.zeros(len(asked))))
    assert np.isfinite(language_identifiability(texts(0), LANGUAGES, IDS)).all()
    assert seen == [50, 50]


def test_equal_vectors_are_at_chance():
    found = language_identifiability(np.ones((N * L, D), dtype=np.float32), LANGUAGES, IDS)
    assert found.mean() == pytest.approx(1 / L)


def test_a_language_that_cannot_be_learnt_is_undefined():
    languages = np.where(np.arange(N * L) == 3, L, LANGUAGES)  # one text in a language of its own
    found = language_identifiability(texts(2), languages, IDS)
    assert np.flatnonzero(np.isnan(found)).tolist() == [3]
    assert np.isnan(language_identifiability(texts(2), np.zeros(N * L, dtype=np.int64), IDS)).all()
    assert np.isnan(language_identifiability(texts(2)[:2], LANGUAGES[:2], IDS[:2])).all()
    assert language_identifiability(texts(2)[:0], LANGUAGES[:0], IDS[:0]).shape == (0,)


@pytest.mark.parametrize("n_classes", [2, 3, 7])
def test_the_classifier_is_that_of_scikit_learn(n_classes):
    from sklearn.linear_model import LogisticRegression

    rng = np.random.default_rng(n_classes)
    labels = rng.choice(
        np.arange(n_classes) * 10, 200, p=np.arange(1, n_classes + 1) / np.arange(1, n_classes + 1).sum()
    )
    rows = rng.standard_normal((200, 6)) + rng.standard_normal((n_classes, 6))[labels // 10]
    theirs = LogisticRegression(class_weight="balanced", max_iter=1000).fit(rows, labels)
    classes, weights = module._fitted(rows, labels)
    assert np.array_equal(classes, theirs.classes_)
    own = weights if n_classes > 2 else weights[1:]
    assert np.allclose(own[:, :-1], theirs.coef_, rtol=0, atol=1e-6)
    assert np.allclose(own[:, -1], theirs.intercept_, rtol=0, atol=1e-6)
    raw = module._raw(weights, rows.T)
    assert np.array_equal(classes[raw.argmax(axis=0)], theirs.predict(rows))
