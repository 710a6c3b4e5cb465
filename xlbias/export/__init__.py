"""Writes what a run holds for other tools: TREC runs and qrels, per-query values, mteb's results, a card's model-index.

A format is one file. All of them call a query and a passage the same, see `xlbias.data.outside_ids`.
"""
