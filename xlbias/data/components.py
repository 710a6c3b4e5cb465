"""Connected components of a graph given by its edges: what hangs together, in a split and in a batch."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt


def connected_components(
    n_nodes: int, left: npt.NDArray[np.int64], right: npt.NDArray[np.int64]
) -> npt.NDArray[np.int64]:
    """Label the nodes 0 … `n_nodes` − 1 of an undirected graph by component: int64 [n_nodes], numbers from 0.

    `left` and `right` hold the two ends of each edge.
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components as labelled

    edges = coo_array((np.ones(len(left), dtype=np.int8), (left, right)), shape=(n_nodes, n_nodes))
    return np.asarray(labelled(edges, directed=False)[1], dtype=np.int64)
