"""Connected components of a graph given by its edges: what hangs together, in a split and in a batch."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt


def connected_components(
    n_nodes: int, left: npt.NDArray[np.int64], right: npt.NDArray[np.int64]
) -> npt.NDArray[np.int64]:
    """Label the nodes 0 … `n_nodes` − 1 of an undirected graph: int64 [n_nodes], the smallest node of its component.

    `left` and `right` hold the two ends of each edge. Roots are hooked onto smaller neighbours and paths halved until
    no edge joins two labels: a few passes over arrays even for millions of edges.
    """
    labels = np.arange(n_nodes, dtype=np.int64)
    while True:
        one, other = labels[left], labels[right]
        apart = one != other
        if not apart.any():
            return labels
        np.minimum.at(labels, np.maximum(one, other)[apart], np.minimum(one, other)[apart])
        while not np.array_equal(labels, parents := labels[labels]):
            labels = parents
