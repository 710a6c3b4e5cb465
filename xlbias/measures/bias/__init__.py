"""Language bias of rankings in the multilingual pool.

Each file answers a question of its own. Most `compute` functions take `PooledRankings` and return float64 [n_rankings]
or [n_rankings, n_languages], NaN where the measure is undefined: such queries are excluded from means and counted.
"""
