"""Ids and seeds as crossed factors: error rates of one recipe against itself; what either factor alone must give."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import optimize, stats

from xlbias.stats.max_t import flip_tests
from xlbias.stats.paired import paired_t
from xlbias.stats.seeds import Term, crossed, crossed_sum, equivalence, least_detectable

N_PAIRS = 2000
WITHIN_99 = stats.binom(N_PAIRS, 0.05).ppf([0.005, 0.995]) / N_PAIRS


def recipe(rng, of_ids, n_seeds=3, of_seed=0.03, of_both=0.2, shift=0.0):
    """Values [n_seeds, n_ids, N_PAIRS] of one recipe: an id's level, a training's luck, and both together."""
    n_ids = len(of_ids)
    seeds = of_seed * rng.standard_normal((n_seeds, 1, N_PAIRS))
    return of_ids + seeds + of_both * rng.standard_normal((n_seeds, n_ids, N_PAIRS)) + shift


@pytest.fixture(scope="module")
def pairs():
    rng = np.random.default_rng(1)
    of_ids = 0.3 * rng.standard_normal((200, N_PAIRS))
    taste = 0.1 * rng.standard_normal((200, N_PAIRS))  # what the other recipe does better or worse, id by id
    return recipe(rng, of_ids), recipe(rng, of_ids + taste), recipe(rng, of_ids + taste, shift=0.12)


def test_one_recipe_against_itself_is_significant_in_one_of_twenty(pairs):
    p = crossed(*pairs[:2]).p
    assert (p <= 0.05).mean() <= WITHIN_99[1]
    assert (p <= 0.05).mean() > 0.01  # with two or three seeds Satterthwaite's degrees are on the safe side


def test_means_over_seeds_tested_over_ids_alone_reject_far_too_often(pairs):
    by_id = pairs[1].mean(axis=0) - pairs[0].mean(axis=0)
    assert (flip_tests(by_id, np.arange(N_PAIRS), permutations=499).p <= 0.05).mean() > 0.2


def test_a_planted_difference_is_found_and_the_interval_holds_it(pairs):
    found = crossed(pairs[0], pairs[2])
    assert (found.p <= 0.05).mean() > 0.7
    assert 0.94 <= ((found.low <= 0.12) & (found.high >= 0.12)).mean() <= 0.99


def test_without_luck_in_training_it_is_the_paired_t_test_and_without_ids_welchs():
    rng = np.random.default_rng(2)
    base, new = rng.standard_normal((1, 60, 5)), rng.standard_normal((1, 60, 5)) + 0.3
    found = crossed(np.repeat(base, 3, axis=0), np.repeat(new, 4, axis=0))
    assert found.p == pytest.approx(paired_t(new[0] - base[0]).p, rel=1e-9)
    assert found.error_seeds == pytest.approx(0)
    level, other = rng.standard_normal((3, 1, 1)), rng.standard_normal((5, 1, 1)) + 1
    found = crossed(np.repeat(level, 40, axis=1), np.repeat(other, 40, axis=1))
    welch = stats.ttest_ind(other[:, 0, 0], level[:, 0, 0], equal_var=False)
    assert found.p[0] == pytest.approx(welch.pvalue, rel=1e-9)
    assert found.error_ids[0] == pytest.approx(0)
    assert (found.low[0], found.high[0]) == pytest.approx(tuple(welch.confidence_interval()), rel=1e-9)


def test_p_is_where_the_reach_is_the_difference():
    """By hand for one column: each standard error as often as its own Student's t, and the root of that by brentq."""
    rng = np.random.default_rng(7)
    base, new = rng.standard_normal((3, 25, 1)), rng.standard_normal((5, 25, 1)) + 0.3 * rng.standard_normal((5, 1, 1))
    new += 0.9
    found = crossed(base, new)
    by_id = (new.mean(axis=0) - base.mean(axis=0))[:, 0]
    of_ids = by_id.var(ddof=1) / 25
    sides = [side.mean(axis=1)[:, 0].var(ddof=1) / len(side) for side in (base, new)]
    of_seeds = sum(sides)
    welch = of_seeds**2 / (sides[0] ** 2 / 2 + sides[1] ** 2 / 4)

    def reach(p):
        return np.hypot(stats.t.isf(p / 2, 24) * of_ids**0.5, stats.t.isf(p / 2, welch) * of_seeds**0.5)

    assert found.error[0] == pytest.approx(np.hypot(found.error_ids[0], found.error_seeds[0]))
    assert (found.error_ids[0] ** 2, found.error_seeds[0] ** 2) == pytest.approx((of_ids, of_seeds))
    assert found.high[0] - by_id.mean() == pytest.approx(reach(0.05))
    by_root = optimize.brentq(lambda p: reach(p) - abs(by_id.mean()), 1e-9, 1, xtol=1e-14, rtol=1e-12)
    assert found.p[0] == pytest.approx(by_root, rel=1e-8)


@pytest.mark.parametrize(("of_seed", "n_rows", "n_families"), [(0.3, 28, 300), (1.0, 28, 300), (0.2, 196, 60)])
def test_families_of_one_recipe_against_itself_have_a_false_difference_in_one_of_twenty(of_seed, n_rows, n_families):
    """Three seeds a side, Holm over the rows; an id's own difference has a standard deviation of .24."""
    rng = np.random.default_rng(9)
    shape = (3, 20, n_rows * n_families)
    sides = [of_seed * rng.standard_normal((3, 1, shape[2])) + 0.3 * rng.standard_normal(shape) for _ in range(2)]
    p = crossed(*sides).p.reshape(n_families, n_rows)
    false = p.min(axis=1) * n_rows <= 0.05  # Holm rejects anything where it rejects the smallest
    assert false.sum() <= stats.binom(n_families, 0.05).ppf(0.99)


def test_documents_gaps_and_what_cannot_be_tested():
    rng = np.random.default_rng(3)
    values = rng.standard_normal((3, 30, 4))
    values[:, 5:9, 1], values[:, :, 2], values[:, 1:, 3] = np.nan, np.nan, np.nan
    found = crossed(values, values + 0.1 * rng.standard_normal((3, 30, 1)) + 1.0)
    assert np.isfinite(found.p[:2]).all() and np.isnan(found.p[2:]).all()
    assert np.isnan(found.difference[2]) and np.isfinite(found.difference[3]) and np.isnan(found.low[2:]).all()
    one = crossed(values[:1], values + 1)
    assert np.isnan(one.p).all()
    assert one.difference[0] == pytest.approx((values[:, :, 0].mean(axis=0) + 1 - values[0, :, 0]).mean())
    doubled = np.repeat(values[:, :, :1], 2, axis=1)  # each id twice: as documents they are one unit again
    again = doubled + np.repeat(rng.standard_normal((3, 30, 1)), 2, axis=1)
    by_document = crossed(doubled, again, clusters=np.repeat(np.arange(30), 2))
    assert by_document.p == pytest.approx(crossed(doubled[:, ::2], again[:, ::2]).p, rel=1e-9)
    same = crossed(values[:, :, :1], values[:, :, :1])
    assert same.difference[0] == 0
    few = crossed(values[:, :9, :1], values[:, :9, :1] + rng.standard_normal((3, 9, 1)))
    assert np.isfinite(few.difference[0]) and np.isnan(few.p[0]) and np.isnan(few.low[0])
    with pytest.raises(ValueError, match="some seeds only"):
        crossed(np.where(np.arange(3)[:, None, None] == 1, np.nan, values), values)
    with pytest.raises(ValueError, match="n_seeds, n_ids, n_columns"):
        crossed(values, values[:, :5])


def test_against_one_fixed_encoder_only_the_other_sides_trainings_vary(pairs):
    """An encoder that was no draw, such as the untrained one: level, power, and Student's t without ids."""
    rng = np.random.default_rng(11)
    of_ids = 0.3 * rng.standard_normal((200, N_PAIRS))
    taste = 0.1 * rng.standard_normal((200, N_PAIRS))
    fixed = of_ids[None] + 0.2 * rng.standard_normal((1, 200, N_PAIRS))
    null, gain = recipe(rng, of_ids + taste, n_seeds=8), recipe(rng, of_ids + taste, n_seeds=8, shift=0.08)
    p = crossed(fixed, null, fixed=True).p
    assert 0.01 < (p <= 0.05).mean() <= WITHIN_99[1]
    found = crossed(fixed, gain, fixed=True)
    assert (found.p <= 0.05).mean() > 0.8
    assert 0.94 <= ((found.low <= 0.08) & (found.high >= 0.08)).mean() <= 0.99
    assert (equivalence(crossed(fixed, null, fixed=True), 0.12) <= 0.05).mean() > 0.8
    edge = recipe(rng, of_ids + taste, n_seeds=8, shift=0.12)  # as different as the margin: equal in one of twenty
    assert (equivalence(crossed(fixed, edge, fixed=True), 0.12) <= 0.05).mean() <= WITHIN_99[1]
    level = rng.standard_normal((5, 1, 1))
    found = crossed(np.full((1, 40, 1), 0.4), np.repeat(level, 40, axis=1), fixed=True)
    assert found.p[0] == pytest.approx(stats.ttest_1samp(level[:, 0, 0], 0.4).pvalue, rel=1e-9)
    with pytest.raises(ValueError, match="one encoder, got 3"):
        crossed(pairs[0], pairs[1], fixed=True)


def grid(rng, n_targets=3, n_ids=60, n_seeds=4, gain=0.0):
    """Terms of a mean gain over two sources and some targets, of N_PAIRS studies at once: [..., N_PAIRS] values."""
    found = []
    tastes = [0.2 * rng.standard_normal((n_ids, N_PAIRS)) for _ in range(n_targets)]
    for source in "ab":
        luck = {side: 0.05 * rng.standard_normal((n_seeds, 1, N_PAIRS)) for side in ("base", "new")}
        for t, taste in enumerate(tastes):
            for side, sign in (("base", -1), ("new", 1)):
                own = 0.1 * rng.standard_normal((n_seeds, n_ids, N_PAIRS))
                values = luck[side] + own + (taste + gain if side == "new" else 0.0)
                found.append((f"{source} {side}", f"t{t}", sign / (2 * n_targets), values))
    return found


def of_study(terms, i):
    return [Term(who, target, weight, values[..., i]) for who, target, weight, values in terms]


def test_a_sum_of_two_terms_is_crossed():
    rng = np.random.default_rng(5)
    base, new = rng.standard_normal((3, 40, 1)), rng.standard_normal((5, 40, 1)) + 0.5
    base[:, 7], new[:, 7] = np.nan, np.nan
    one = crossed(base, new)
    other = crossed_sum([Term("base", "t", -1, base[..., 0]), Term("new", "t", 1, new[..., 0])])
    for name in ("difference", "error", "error_ids", "error_seeds", "p", "low", "high"):
        assert getattr(other, name) == pytest.approx(getattr(one, name), rel=1e-12), name


def test_a_sum_with_a_fixed_encoder_is_crossed_and_cancels_where_its_weights_do():
    rng = np.random.default_rng(12)
    base, new, other = rng.standard_normal((1, 40)), rng.standard_normal((5, 40)) + 0.5, rng.standard_normal((4, 40))
    one = crossed(base[..., None], new[..., None], fixed=True)
    sum_of_two = crossed_sum([Term("untrained", "t", -1, base, fixed=True), Term("new", "t", 1, new)])
    for name in ("difference", "error", "error_ids", "error_seeds", "p", "low", "high"):
        assert getattr(sum_of_two, name) == pytest.approx(getattr(one, name), rel=1e-12), name
    gains = [Term("untrained", "t", -1, base, fixed=True), Term("new", "t", 1, new),
             Term("untrained", "t", 1, base, fixed=True), Term("other", "t", -1, other)]  # fmt: skip
    assert crossed_sum(gains).p == pytest.approx(crossed_sum([gains[1], gains[3]]).p, rel=1e-9)
    with pytest.raises(ValueError, match="untrained: fixed in some terms only"):
        crossed_sum([gains[0], Term("untrained", "u", 1, base)])
    assert np.isnan(crossed_sum([gains[0]]).p[0])


def test_a_mean_gain_over_a_grid_keeps_its_level_where_trainings_and_ids_are_shared():
    terms = grid(np.random.default_rng(6))
    p = np.array([crossed_sum(of_study(terms, i)).p[0] for i in range(500)])
    assert stats.binom(500, 0.05).ppf(0.0005) / 500 <= (p <= 0.05).mean() <= stats.binom(500, 0.05).ppf(0.9995) / 500


def of_documents(rng, n_targets=2, n_documents=20, n_seeds=4):
    """The same grid, where three ids of a document have most of their differences in common."""
    terms = grid(rng, n_targets=n_targets, n_ids=3 * n_documents, n_seeds=n_seeds)
    shared = {f"t{t}": np.repeat(rng.standard_normal((n_documents, N_PAIRS)), 3, axis=0) for t in range(n_targets)}
    return [(who, target, weight, values + shared[target] * (weight > 0)) for who, target, weight, values in terms]


def test_ids_that_share_documents_keep_the_level_of_a_sum_by_document_and_not_by_id():
    units, by_id, by_document = np.repeat(np.arange(20), 3), 0, 0
    terms = of_documents(np.random.default_rng(13))
    for i in range(400):
        plain = of_study(terms, i)
        by_id += crossed_sum(plain).p[0] <= 0.05
        by_document += crossed_sum([replace(one, clusters=units) for one in plain]).p[0] <= 0.05
    assert by_id / 400 > 0.15
    assert stats.binom(400, 0.05).ppf(0.0005) <= by_document <= stats.binom(400, 0.05).ppf(0.9995)


def test_a_sum_of_two_terms_by_document_is_crossed_by_document():
    rng = np.random.default_rng(14)
    base, new, units = rng.standard_normal((3, 40, 1)), rng.standard_normal((5, 40, 1)) + 0.5, np.arange(40) // 3
    base[:, 6:10], new[:, 6:10] = np.nan, np.nan  # a whole document and a part of another
    one = crossed(base, new, clusters=units)
    terms = [Term("base", "t", -1, base[..., 0], clusters=units), Term("new", "t", 1, new[..., 0], clusters=units)]
    for name in ("difference", "error", "error_ids", "error_seeds", "p", "low", "high", "degrees"):
        assert getattr(crossed_sum(terms), name) == pytest.approx(getattr(one, name), rel=1e-12), name
    alone = [replace(term, clusters=np.arange(40)) for term in terms]
    assert crossed_sum(alone).p == pytest.approx(crossed_sum([replace(term, clusters=None) for term in terms]).p)
    with pytest.raises(ValueError, match="t: its terms have other clusters"):
        crossed_sum([terms[0], replace(terms[1], clusters=None)])


def test_cells_taken_for_independent_would_reject_too_often():
    terms = grid(np.random.default_rng(7))
    rejected = 0
    for i in range(300):
        apart = [Term(f"{t.trainings} {t.target}", t.target, t.weight, t.values) for t in of_study(terms, i)]
        rejected += crossed_sum(apart).p[0] <= 0.05
    assert rejected / 300 > 0.1


def test_a_planted_gain_is_found_and_its_loss_away_from_home_too():
    terms = grid(np.random.default_rng(8), gain=0.2)
    found = [crossed_sum(of_study(terms, i)) for i in range(100)]
    assert np.mean([one.p[0] <= 0.05 for one in found]) > 0.95
    assert np.mean([one.difference[0] for one in found]) == pytest.approx(0.2, abs=0.01)
    lost = [
        crossed_sum([Term(t.trainings, t.target, t.weight * (6 if t.target == "t0" else -3), t.values)
                     for t in of_study(terms, i)])
        for i in range(100)
    ]  # fmt: skip
    assert np.mean([one.p[0] <= 0.05 for one in lost]) < 0.15


def test_terms_that_do_not_fit_are_refused():
    ok = np.zeros((3, 20))
    with pytest.raises(ValueError, match="other ids"):
        crossed_sum([Term("a", "t", 1, ok), Term("b", "t", -1, ok[:, :10])])
    with pytest.raises(ValueError, match="other seeds"):
        crossed_sum([Term("a", "t", 1, ok), Term("a", "u", -1, ok[:2])])
    with pytest.raises(ValueError, match="in some seeds only"):
        crossed_sum([Term("a", "t", 1, np.where(np.eye(3, 20) > 0, np.nan, ok))])
    with pytest.raises(ValueError, match="at least one"):
        crossed_sum([])
    assert np.isnan(crossed_sum([Term("a", "t", 1, ok[:1]), Term("b", "t", -1, ok)]).p[0])


def test_equivalence_is_two_one_sided_tests():
    rng = np.random.default_rng(9)
    level, other = rng.standard_normal((3, 1, 1)), rng.standard_normal((5, 1, 1)) + 0.2
    found = crossed(np.repeat(level, 40, axis=1), np.repeat(other, 40, axis=1))
    for margin in (0.1, 1.0, 4.0):
        low = stats.ttest_ind(other[:, 0, 0], level[:, 0, 0] - margin, equal_var=False, alternative="greater").pvalue
        high = stats.ttest_ind(other[:, 0, 0], level[:, 0, 0] + margin, equal_var=False, alternative="less").pvalue
        assert equivalence(found, margin)[0] == pytest.approx(max(low, high), rel=1e-6)
    with pytest.raises(ValueError, match="above 0"):
        equivalence(found, 0.0)


def test_the_least_detectable_difference_is_found_with_the_power_that_it_says(pairs):
    same = crossed(*pairs[:2])
    errors = [np.sqrt(np.mean(part**2, keepdims=True)) for part in (same.error_ids, same.error_seeds)]
    least = float(least_detectable(*errors, np.median(same.degrees, axis=1, keepdims=True))[0])
    rng = np.random.default_rng(10)
    of_ids = 0.3 * rng.standard_normal((200, N_PAIRS))
    taste = 0.1 * rng.standard_normal((200, N_PAIRS))
    found = crossed(recipe(rng, of_ids), recipe(rng, of_ids + taste, shift=least)).p <= 0.05
    assert found.mean() == pytest.approx(0.8, abs=0.08)
