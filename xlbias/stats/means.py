"""Means over query ids of columns with gaps: a row is one cluster, a column one cell.

A row is a query id, the unit of significance: the translations of one question are not independent. NaN means that the
id has no value in that column (a missing translation); it is excluded and counted, never zero.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]


def column_means(values: Floats) -> tuple[Floats, Ints]:
    """Return the mean of each column over the ids that have a value, and how many have one.

    Args:
        values: float64 [n_ids, n_columns], finite, or NaN where the id is missing.

    Returns float64 [n_columns], NaN where no id has a value, and int64 [n_columns].
    """
    filled, present = without_gaps(values)
    n = present.sum(axis=0, dtype=np.int64)
    return np.where(n > 0, filled.sum(axis=0) / np.maximum(n, 1), np.nan), n


def without_gaps(values: Floats) -> tuple[Floats, Bools]:
    """Return `values` [n_ids, n_columns] with 0 for NaN, and where a value was; ValueError unless 2-D and finite."""
    if values.ndim != 2:
        raise ValueError(f"expected values of shape [n_ids, n_columns], got {list(values.shape)}")
    if np.isinf(values).any():
        raise ValueError("a value is infinite; a missing one is NaN")
    present = ~np.isnan(values)
    return np.where(present, values, 0.0), present
