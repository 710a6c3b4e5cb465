"""Do tests and intervals err as often as they say, and how long do they take?

Pairs of runs are simulated whose truth is known, as arrays of values per query id, and go through the functions that
`xlbias compare` and `xlbias study` use. "plain" is the textbook way beside it: sign flips of the mean, percentile
intervals, means over seeds tested over ids alone, an uncorrected interval over seeds. Rates stand with their 99 %
binomial intervals; a rate whose interval misses what is claimed makes the exit status 1.

    python benchmarks/significance.py [--quick] [--no-time]
    python benchmarks/significance.py --pair RUN.parquet     two encoders: errors and stars by id, paragraph, document
    python benchmarks/significance.py --seeds RUN.parquet    six seeds of one recipe: all 3-against-3 splits

Time (2 cores): budgets are 10,000 flips of 132 cells × 1,190 ids in 1 s, 10,000 replicates of 1,300 columns with their
intervals in 2 s, and 552 cells compared in 5 s.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import numpy as np
from scipy import stats

from xlbias.stats.bootstrap import bootstrap_intervals, draw_ids
from xlbias.stats.max_t import flip_tests, random_signs
from xlbias.stats.multiplicity import holm
from xlbias.stats.paired import paired_t
from xlbias.stats.seeds import crossed

LEVEL = 0.05
FLIPS = 499
STARRED = ("map", "single_gold", "language_rank")
CHANCE = 0.2  # standard deviation of an id's value between trainings


@dataclass(frozen=True)
class Size:
    """How much is simulated: columns (pairs of runs), families, and the ids of a large task."""

    pairs: int
    families: int
    large: int


FULL, QUICK = Size(4000, 1000, 1190), Size(400, 40, 200)


@dataclass(frozen=True)
class Rate:
    """How often something happened; `claim` is what is promised of it: ``=``, ``<=``, ``>=`` a share, or nothing."""

    what: str
    happened: np.ndarray
    plain: np.ndarray | None = None
    claim: str = ""
    share: float = LEVEL

    @property
    def interval(self) -> tuple[float, float]:
        """99 % binomial interval of the rate (Clopper and Pearson)."""
        found = stats.binomtest(int(self.happened.sum()), len(self.happened)).proportion_ci(0.99)
        return found.low, found.high

    @property
    def kept(self) -> bool:
        """Whether the interval holds what is claimed."""
        low, high = self.interval
        return (low <= self.share or self.claim not in ("=", "<=")) and (
            high >= self.share or self.claim not in ("=", ">=")
        )

    def row(self) -> str:
        """Return a line of a Markdown table."""
        plain = "" if self.plain is None else f"{self.plain.mean():.3f}"
        promised = f"{self.claim} {self.share:g}" if self.claim else "no claim"
        low, high = self.interval
        says = ("yes" if self.kept else "**NO**") if self.claim else ""
        cells = (self.what, plain, f"{self.happened.mean():.3f}", f"{low:.3f} to {high:.3f}", promised, says)
        return f"| {' | '.join(cells)} | {len(self.happened):,} |"


# -- what is simulated -------------------------------------------------------------------------------------------------


def exchangeable(rng: np.random.Generator, n: int, columns: int, shift: float = 0.0) -> np.ndarray:
    """Differences of AP of two runs that are equally good but for `shift` (of the new one's logits): [n, columns]."""
    difficulty = 1.5 * rng.standard_normal((n, columns))
    base, new = (1 / (1 + np.exp(-(difficulty + rng.standard_normal((n, columns)) + by))) for by in (0.0, shift))
    return new - base


def few_gain(rng: np.random.Generator, n: int, columns: int) -> np.ndarray:
    """Differences whose mean is 0 though the runs are not exchangeable: one id in seven gains much, most lose a little.

    Their skewness is 2.4; that of cells of XQuAD-R, an encoder against another, is 1.8 to 3.5 in half of all cells.
    """
    gains = rng.random((n, columns)) < 1 / 7
    return np.where(gains, rng.uniform(0.2, 1.0, gains.shape), 0.0) - rng.uniform(0.0, 1.2 / 7, gains.shape)


def average_precision(rng: np.random.Generator, n: int, columns: int) -> np.ndarray:
    """AP of one relevant passage per query, mean .33: some at rank 1, the rest anywhere."""
    return 1 / np.ceil(np.exp(np.maximum(0.0, rng.normal(1.5, 1.5, (n, columns)))))


def single_gold(rng: np.random.Generator, n: int, columns: int) -> np.ndarray:
    """Reciprocal ranks of an encoder that hardly finds anything, in a pool of all languages."""
    return 1 / np.ceil(np.exp(np.abs(rng.normal(3.0, 2.0, (n, columns)))))


def recipe(
    rng: np.random.Generator, of_ids: np.ndarray, luck: float, n_seeds: int = 3, shift: float = 0.0
) -> np.ndarray:
    """Values [n_seeds, n_ids, n_columns] of trainings of one recipe: an id's level, a training's luck, and chance."""
    n, columns = of_ids.shape
    seeds = luck * rng.standard_normal((n_seeds, 1, columns))
    return of_ids + seeds + CHANCE * rng.standard_normal((n_seeds, n, columns)) + shift


# -- the textbook way --------------------------------------------------------------------------------------------------


def flips_of_means(differences: np.ndarray) -> np.ndarray:
    """P of sign flips of the mean, [columns]."""
    signs = random_signs(np.random.default_rng(0), FLIPS, len(differences)).astype(np.float64)
    observed = np.abs(differences.sum(axis=0)) * (1 - 1e-12)
    return (np.count_nonzero(np.abs(signs @ differences) >= observed, axis=0) + 1) / (FLIPS + 1)


def percentiles(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Ends of percentile bootstrap intervals of means, [columns] each."""
    means = draw_ids(np.random.default_rng(0), 999, len(values)) @ values / len(values)
    low, high = np.percentile(means, [2.5, 97.5], axis=0)
    return low, high


def over_ids_and_uncorrected_seeds(base: np.ndarray, new: np.ndarray, rows: int) -> np.ndarray:
    """Which families have a verdict where p over ids is corrected and the t-interval over seeds is not, [families]."""
    p = paired_t(new.mean(axis=0) - base.mean(axis=0)).p.reshape(-1, rows)
    of_seeds = (new - base).mean(axis=1)
    t = np.abs(of_seeds.mean(axis=0)) / (of_seeds.std(axis=0, ddof=1) / np.sqrt(len(of_seeds)))
    sure = (t > stats.t.ppf(0.975, len(of_seeds) - 1)).reshape(-1, rows)
    return np.array([(holm(one) < LEVEL)[seeds].any() for one, seeds in zip(p, sure, strict=True)])


# -- rates -------------------------------------------------------------------------------------------------------------


def alone(differences: np.ndarray, clusters: np.ndarray | None = None) -> np.ndarray:
    """P of each column, a family of its own."""
    each = np.arange(differences.shape[1])
    return flip_tests(differences, each, clusters=clusters, permutations=FLIPS).p


def nulls(size: Size) -> Iterator[Rate]:
    """How often a true null hypothesis is rejected at p ≤ .05."""
    rng = np.random.default_rng(1)
    for n in (10, 40, size.large):
        found = exchangeable(rng, n, size.pairs)
        what = f"ids: equally good runs, {n:,} ids"
        yield Rate(what, alone(found) <= LEVEL, flips_of_means(found) <= LEVEL, "=")
    for n in (10, 20, 50, size.large):
        found = few_gain(rng, n, size.pairs)
        what = f"ids: a few gain much, most lose a little, mean 0, {n:,} ids"
        yield Rate(what, alone(found) <= LEVEL, flips_of_means(found) <= LEVEL, "<=" if n >= 50 else "")
    documents = np.repeat(np.arange(48), 10)
    found = 0.5 * rng.standard_normal((48, size.pairs))[documents] + rng.standard_normal((480, size.pairs))
    what = "documents: 480 ids in 48 that share what they gain; plain: by id"
    yield Rate(what, alone(found, documents) <= LEVEL, alone(found) <= LEVEL, "=")
    for luck in (0.01, 0.03, 0.1):
        of_ids = 0.3 * rng.standard_normal((100, size.pairs))
        base, new = recipe(rng, of_ids, luck), recipe(rng, of_ids, luck)
        plain = alone(new.mean(axis=0) - base.mean(axis=0)) <= LEVEL
        what = f"seeds: a recipe against itself, luck {luck / (CHANCE / 10):.1f} s.e. of ids; plain: ids alone"
        yield Rate(what, crossed(base, new).p <= LEVEL, plain, "<=")


def families(size: Size) -> Iterator[Rate]:
    """How often a family of true null hypotheses has one that is called significant, or confirmed."""
    rng = np.random.default_rng(2)
    for shared in (0.0, 0.7):
        corrected, uncorrected = [], []
        for _ in range(size.families):
            of_id = rng.standard_normal((60, 1))
            cells = np.sqrt(shared) * of_id + np.sqrt(1 - shared) * rng.standard_normal((60, 132))
            found = flip_tests(cells, np.zeros(132, np.int64), permutations=FLIPS, seed=int(rng.integers(1 << 30)))
            corrected.append((found.p_family <= LEVEL).any())
            uncorrected.append((found.p <= LEVEL).any())
        what = f"132 cells, correlation {shared:g}, max-T; plain: uncorrected"
        yield Rate(what, np.array(corrected), np.array(uncorrected), "<=")
    for rows, n_families in ((28, size.families), (196, max(size.families // 5, 40))):
        for luck in (0.03, 0.1, 0.3):
            of_ids = 0.3 * rng.standard_normal((40, rows * n_families))
            base, new = recipe(rng, of_ids, luck), recipe(rng, of_ids, luck)
            p = crossed(base, new).p.reshape(n_families, rows)
            what = f"study: {rows} contrasts of a recipe with itself, luck {luck:g}; plain: seeds uncorrected"
            plain = over_ids_and_uncorrected_seeds(base, new, rows)
            yield Rate(what, np.array([(holm(one) < LEVEL).any() for one in p]), plain, "<=")


def coverage(size: Size) -> Iterator[Rate]:
    """How often a 95 % interval holds the true mean."""
    rng = np.random.default_rng(3)
    draws = {"AP": average_precision, "single gold": single_gold, "difference of AP": exchangeable}
    for name, draw in draws.items():
        truth = 0.0 if draw is exchangeable else draw(rng, 2_000_000, 1).mean()
        for n, least in ((10, 0.90), (20, 0.92), (50, 0.93)):
            values = draw(rng, n, size.pairs // 2)
            ours, plain = bootstrap_intervals(values, replicates=1999), percentiles(values)
            held = (ours.low <= truth) & (truth <= ours.high)
            what = f"{name}, {n} ids; plain: percentiles"
            yield Rate(what, held, (plain[0] <= truth) & (truth <= plain[1]), ">=", least)


def power(size: Size) -> Iterator[Rate]:
    """How often a difference that is there is found at p ≤ .05."""
    rng = np.random.default_rng(4)
    for n, shift in ((10, 1.5), (40, 0.7), (size.large, 0.7 * np.sqrt(40 / size.large))):
        found = exchangeable(rng, n, size.pairs, shift)
        what = f"ids: {n:,}, difference {found.mean():.3f} of AP"
        yield Rate(what, alone(found) <= LEVEL, flips_of_means(found) <= LEVEL)
    for n_seeds in (2, 3, 5):
        of_ids = 0.3 * rng.standard_normal((100, size.pairs))
        base, new = recipe(rng, of_ids, 0.03, n_seeds), recipe(rng, of_ids, 0.03, n_seeds, shift=0.1)
        what = f"seeds: {n_seeds} and {n_seeds}, difference .1, luck .03"
        p = crossed(base, new).p
        yield Rate(what, p <= LEVEL)
        yield Rate(f"{what}, as one of 28", p <= LEVEL / 28)


SECTIONS: tuple[tuple[str, Callable[[Size], Iterator[Rate]]], ...] = (
    ("True null hypotheses that are rejected", nulls),
    ("Families of true null hypotheses with one that is rejected", families),
    ("Intervals that hold the true mean", coverage),
    ("Differences that are found", power),
)


def calibration(size: Size) -> list[Rate]:
    """Print all rates, and return them."""
    rates: list[Rate] = []
    for title, section in SECTIONS:
        print(f"\n### {title}\n\n| what | plain | xlbias | 99 % interval | claim | kept | n |")
        print("| --- | ---: | ---: | ---: | ---: | --- | ---: |")
        for rate in section(size):
            print(rate.row(), flush=True)
            rates.append(rate)
    return rates


# -- runs --------------------------------------------------------------------------------------------------------------


def pair(path: Path) -> None:
    """Print standard errors and stars of two encoders of a LAReQA run, by query id, paragraph and document."""
    import polars as pl

    from xlbias.results.compare import Side, Sided, compare
    from xlbias.results.run import open_run

    run = open_run(path)
    base, new = (Side(run, (model.name,)) for model in run.models[:2])
    task = run.tasks[0].name
    start, processor = time.perf_counter(), time.process_time()
    frame = compare(base, new, task)
    took, of_processor = time.perf_counter() - start, time.process_time() - processor
    sides = [Sided(side, task, STARRED) for side in (base, new)]
    passages = run.rankings.select("query_id", pl.col("relevants").list.first().struct.field("passage_id"))
    first = dict(passages.unique("query_id", maintain_order=True).collect().iter_rows())
    print(f"\n### {base.models[0]} against {new.models[0]} on {task}")
    print(f"\n{frame.height:,} numbers compared in {took:.1f} s ({of_processor:.1f} s of processor)\n")
    print(f"| unit | units | s.e. of mAP cross | times ids | stars: {' | stars: '.join(STARRED)} |")
    print(f"| --- | ---: | ---: | ---: |{' ---: |' * len(STARRED)}")
    of_ids = None
    for unit in ("query id", "paragraph", "document"):
        stars = []
        for name in STARRED:
            before, after = (side.of_encoders[0][name] for side in sides)
            if unit == "document":
                labels = [str(sides[0].documents[one]) for one in before.ids]
            else:  # the middle of a passage's id is its paragraph
                labels = [first[one].split("-")[1] if unit == "paragraph" else one for one in before.ids]
            clusters = np.unique(labels, return_inverse=True)[1]
            cells = after.values - before.values
            tests = flip_tests(cells, np.zeros(cells.shape[1], np.int64), clusters=clusters)
            stars.append(f"{(tests.p_family < LEVEL).sum()} of {cells.shape[1]}")
            if name == "map":
                crossing = [i for i, key in enumerate(before.columns) if key.setting == "cross-lingual"]
                by_id = cells[:, crossing].mean(axis=1)
                away = np.bincount(clusters, by_id - by_id.mean())
                error = float(np.sqrt(len(away) / (len(away) - 1) * (away**2).sum()) / len(by_id))
        of_ids = of_ids or error
        print(f"| {unit} | {len(away):,} | {error:.5f} | {error / of_ids:.2f} | {' | '.join(stars)} |")


def seeds(path: Path) -> None:
    """Print how often all overall numbers of six seeds of one recipe differ, three against three."""
    import polars as pl

    from xlbias.results.compare import Side, compare
    from xlbias.results.run import open_run

    run = open_run(path)
    names = tuple(model.name for model in run.models)
    task = run.tasks[0].name
    print(f"\n### {len(names)} trainings of one recipe on {task}: all splits, overall numbers\n")
    print("| new side | numbers | p < .05 | corrected | ids alone: p < .05 | ids alone: corrected |")
    print("| --- | ---: | ---: | ---: | ---: | ---: |")
    totals = np.zeros(5, np.int64)
    for new in combinations(names[1:], len(names) // 2):
        base = tuple(name for name in names if name not in new)
        sides = Side(run, base), Side(run, new)
        frame = compare(*sides, task, cells=False).filter(pl.col("p").is_not_null())
        by_ids = frame["p_t"].to_numpy()  # of means over seeds, paired by id
        counts = np.array([
            frame.height, (frame["p"] < LEVEL).sum(), (frame["p_corrected"] < LEVEL).sum(),
            (by_ids < LEVEL).sum(), (holm(by_ids) < LEVEL).sum(),
        ])  # fmt: skip
        totals += counts
        print(f"| {', '.join(name.rpartition('seed')[2] for name in new)} | {' | '.join(map(str, counts.tolist()))} |")
    share = totals[[1, 3]] / totals[0]
    print(f"\nof all numbers p < .05: {share[0]:.3f}; over ids alone {share[1]:.3f}")


# -- time --------------------------------------------------------------------------------------------------------------

N_IDS, N_CELLS, N_COLUMNS, DRAWS = 1190, 132, 1300, 10_000


def seconds(work: Callable[[], object], repeats: int) -> float:
    """Return the median time of `work`, after one call to warm up."""
    work()
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def one_permutation_test(differences: np.ndarray) -> float:
    """Test one column alone, one permutation after the other: how it is written when nobody waits for 132 of them."""
    rng = np.random.default_rng(0)
    observed = abs(differences.sum())
    at_least = sum(abs((rng.choice((-1, 1), len(differences)) * differences).sum()) >= observed for _ in range(DRAWS))
    return (at_least + 1) / (DRAWS + 1)


def times(repeats: int) -> None:
    """Print seconds, and ratios against a matrix product and a loop in the same run; values are random."""
    rng = np.random.default_rng(0)
    cells = rng.standard_normal((N_IDS, N_CELLS))
    many = rng.standard_normal((N_IDS, 552))
    columns = rng.standard_normal((N_IDS, N_COLUMNS))
    gaps = np.where(rng.random((N_IDS, N_COLUMNS)) < 0.2, np.nan, columns)
    signs = rng.choice((-1.0, 1.0), (DRAWS, N_IDS))

    product = seconds(lambda: signs @ cells, repeats)
    wide_product = seconds(lambda: signs @ columns, repeats)
    loop = seconds(lambda: one_permutation_test(cells[:, 0]), 1) * N_CELLS
    rows = [
        ("one float64 matrix product, 132 columns", product, product),
        ("one float64 matrix product, 1,300 columns", wide_product, wide_product),
        ("sign-flip test, 132 cells, corrected by max-T",
         seconds(lambda: flip_tests(cells, np.zeros(N_CELLS, np.int64)), repeats), product),
        ("sign-flip test, 552 cells of 23 languages, corrected by max-T",
         seconds(lambda: flip_tests(many, np.zeros(552, np.int64)), repeats), product),
        ("sign-flip test, a Python loop (one cell × 132)", loop, product),
        ("bootstrap, 132 columns", seconds(lambda: bootstrap_intervals(cells), repeats), product),
        ("bootstrap, 1,300 columns", seconds(lambda: bootstrap_intervals(columns), repeats), wide_product),
        ("bootstrap, 1,300 columns, all with other gaps", seconds(lambda: bootstrap_intervals(gaps), repeats),
         wide_product),
    ]  # fmt: skip
    print(f"\n### Time: {DRAWS:,} permutations or replicates, {N_IDS:,} ids, median of {repeats}\n")
    print("| work | seconds | times the product |\n| --- | ---: | ---: |")
    for name, took, against in rows:
        print(f"| {name} | {took:.3f} | {took / against:.2f} |")
    print(f"\nthe loop takes {loop / rows[2][1]:,.0f} times as long as the matrix product form")


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="small simulations, in seconds")
    parser.add_argument("--no-time", action="store_true", help="rates only")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--pair", type=Path, help="a run of two encoders on a LAReQA task")
    parser.add_argument("--seeds", type=Path, help="a run of six trainings of one recipe")
    given = parser.parse_args(arguments)
    if given.pair or given.seeds:
        for path, show in ((given.pair, pair), (given.seeds, seeds)):
            if path:
                show(path)
        return 0
    rates = calibration(QUICK if given.quick else FULL)
    if not given.no_time:
        times(given.repeats)
    missed = [rate.what for rate in rates if rate.claim and not rate.kept]
    print(f"\n{len(rates)} rates, {len(missed)} not as claimed" + "".join(f"\n- {what}" for what in missed))
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
