"""Retrieval quality of one ranking, from the ranks of its relevant passages.

All return float64 [n_rankings] in [0, 1], NaN for a ranking without relevant passages: such queries are excluded from
means and counted. They agree with trec_eval.
"""
