"""Retrieval quality per query: AP, RR, Success@k, Recall@k, Precision@k and nDCG@k from the ranks of relevant passages.

All return float64 [n_rankings] in [0, 1], NaN for a ranking without relevant passages (such queries are excluded from
means and counted). They agree with trec_eval; where LAReQA's own code differs (AP@k divided by min(k, |R|)), trec_eval
is followed. Source: Manning, Raghavan and Schütze, Introduction to Information Retrieval, ch. 8; Järvelin and
Kekäläinen 2002 (nDCG).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from xlbias.measures.ragged import Floats, Rankings


def average_precision(rankings: Rankings, k: int | None = None) -> Floats:
    """AP: mean over R of (relevants at rank <= r) / r. With a cut-off k the divisor stays |R|, as in trec_eval."""
    precision = rankings.position / rankings.ranks
    if k is not None:
        precision = np.where(rankings.ranks <= k, precision, 0.0)
    return rankings.undefined_where_empty(rankings.summed(precision) / np.maximum(rankings.lengths, 1))


def reciprocal_rank(rankings: Rankings, k: int | None = None) -> Floats:
    """RR: 1 / rank of the best relevant passage; 0 if that lies beyond k."""
    value = np.full(rankings.n, np.nan)
    some = rankings.lengths > 0
    best = rankings.ranks[rankings.starts[some]]
    value[some] = np.where(best <= (k or np.inf), 1.0 / best, 0.0)
    return value


def success(rankings: Rankings, k: int) -> Floats:
    """Success@k: 1 if any relevant passage is among the first k, else 0."""
    return rankings.undefined_where_empty((_hits(rankings, k) > 0).astype(np.float64))


def recall(rankings: Rankings, k: int) -> Floats:
    """Recall@k: share of the relevant passages that are among the first k."""
    return rankings.undefined_where_empty(_hits(rankings, k) / np.maximum(rankings.lengths, 1))


def precision(rankings: Rankings, k: int) -> Floats:
    """Precision@k: share of the first k that is relevant; k is the divisor also in a smaller pool."""
    return rankings.undefined_where_empty(_hits(rankings, k) / k)


def ndcg(rankings: Rankings, k: int) -> Floats:
    """nDCG@k: sum of relevance / log2(rank + 1) over the first k, against the best that min(k, |R|) passages allow."""
    gain = np.where(rankings.ranks <= k, rankings.relevance / np.log2(rankings.ranks + 1.0), 0.0)
    by_grade = np.lexsort((-rankings.relevance, rankings.owner))  # best grades first within each ranking
    ideal = np.where(rankings.position <= k, rankings.relevance[by_grade] / np.log2(rankings.position + 1.0), 0.0)
    best = rankings.summed(ideal)
    return rankings.undefined_where_empty(rankings.summed(gain) / np.where(best > 0, best, 1.0))


def _hits(rankings: Rankings, k: int) -> Floats:
    return rankings.summed((rankings.ranks <= k).astype(np.float64))


@dataclass(frozen=True)
class Measure:
    """A measure of one ranking.

    Attributes:
        name: as in reports and on the command line, e.g. ``recall@10``.
        label: short, for a column's head.
        definition: one line.
        compute: Rankings → float64 [n_rankings].
    """

    name: str
    label: str
    definition: str
    compute: Callable[[Rankings], Floats]


def _at(function: Callable[[Rankings, int], Floats], k: int) -> Callable[[Rankings], Floats]:
    return lambda rankings: function(rankings, k)


QUALITY: dict[str, Measure] = {
    measure.name: measure
    for measure in (
        Measure("map", "mAP", "mean average precision, without cut-off", average_precision),
        Measure("rr", "MRR", "mean reciprocal rank of the best relevant passage", reciprocal_rank),
        Measure("recall@1", "R@1", "relevant passages found at rank 1, of all relevant", _at(recall, 1)),
        Measure("recall@10", "R@10", "relevant passages found among the first 10, of all relevant", _at(recall, 10)),
        Measure("recall@100", "R@100", "relevant passages found among the first 100, of all", _at(recall, 100)),
        Measure("precision@10", "P@10", "share of the first 10 that is relevant", _at(precision, 10)),
        Measure("ndcg@10", "nDCG@10", "discounted gain of the first 10 against the best possible", _at(ndcg, 10)),
    )
}
"""Measures of retrieval quality by name, higher is better for all."""
