"""Significance of all 132 cells of XQuAD-R: seconds, and ratios against a matrix product and a loop in the same run.

Budget (2 cores): 10,000 permutations of 132 cells × 1,190 ids in 1 s; 10,000 bootstrap replicates of 1,300 columns with
their intervals in 2 s. The values are random: time does not depend on them.

    python benchmarks/significance.py [--repeats 5]
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable

import numpy as np

from xlbias.stats.bootstrap import bootstrap_intervals
from xlbias.stats.max_t import flip_tests

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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=5)
    repeats = parser.parse_args().repeats
    rng = np.random.default_rng(0)
    cells = rng.standard_normal((N_IDS, N_CELLS))
    columns = rng.standard_normal((N_IDS, N_COLUMNS))
    gaps = np.where(rng.random((N_IDS, N_COLUMNS)) < 0.2, np.nan, columns)
    family = np.zeros(N_CELLS, np.int64)
    signs = rng.choice((-1.0, 1.0), (DRAWS, N_IDS))

    product = seconds(lambda: signs @ cells, repeats)
    wide_product = seconds(lambda: signs @ columns, repeats)
    loop = seconds(lambda: one_permutation_test(cells[:, 0]), 1) * N_CELLS
    rows = [
        ("one float64 matrix product, 132 columns", product, product),
        ("one float64 matrix product, 1,300 columns", wide_product, wide_product),
        ("sign-flip test, 132 cells, corrected by max-T", seconds(lambda: flip_tests(cells, family), repeats), product),
        ("sign-flip test, a Python loop (one cell × 132)", loop, product),
        ("bootstrap, 132 columns", seconds(lambda: bootstrap_intervals(cells), repeats), product),
        ("bootstrap, 1,300 columns", seconds(lambda: bootstrap_intervals(columns), repeats), wide_product),
        ("bootstrap, 1,300 columns, all with other gaps", seconds(lambda: bootstrap_intervals(gaps), repeats),
         wide_product),
    ]  # fmt: skip
    print(f"{DRAWS:,} permutations or replicates, {N_IDS:,} ids, median of {repeats}\n")
    print("| work | seconds | times the product |\n| --- | ---: | ---: |")
    for name, took, against in rows:
        print(f"| {name} | {took:.3f} | {took / against:.2f} |")
    print(f"\nthe loop takes {loop / rows[2][1]:,.0f} times as long as the matrix product form")


if __name__ == "__main__":
    main()
