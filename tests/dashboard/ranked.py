"""Runs with random rankings of the pool of all languages, and with a summary, as an evaluation writes them."""

import numpy as np
import polars as pl
from dashboard.made import metadata

from xlbias.results.summary import summarise
from xlbias.runs.journal import Journal

LANGUAGES = ("de", "hi", "th")
SIZES = {"de": 40, "hi": 40, "th": 20}
N_IDS = 12


def rankings(model, task, seed, languages=LANGUAGES):
    """Random rankings of the pool of all languages: one answer in each language, ten passages on top."""
    rng = np.random.default_rng(seed)
    rows = []
    for number in range(N_IDS):
        for asked in languages:
            ranks = sorted(int(rank) + 1 for rank in rng.choice(60, len(languages), replace=False))
            order = rng.permutation(languages)
            relevants = [
                {"passage_id": f"{language}{number}", "language": language, "parallel_id": f"p{number}",
                 "relevance": 1, "rank": rank, "score": 1.0 / rank}
                for language, rank in zip(order, ranks, strict=True)
            ]  # fmt: skip
            top = [{"passage_id": f"t{i}", "language": str(rng.choice(languages)), "score": 0.1} for i in range(10)]
            rows.append({
                "model": model, "task": task, "domain": "d", "query_id": f"q{number}", "query_language": asked,
                "pool": "multilingual", "setting": "multilingual", "n_relevant": len(relevants),
                "ap": 0.5, "first_rank": ranks[0], "last_rank": ranks[-1], "relevants": relevants, "top": top,
                "consistency": float(rng.uniform()),
            })  # fmt: skip
    return pl.DataFrame(rows, infer_schema_length=None)


def write(path, models=("mono", "hybrid"), tasks=("t",), languages=LANGUAGES, n_done=None, **more):
    """A finished run with a summary, as an evaluation writes it; of `n_done` models only."""
    about = metadata(models=models, tasks=tasks, languages=languages, **more)
    sizes = {language: SIZES.get(language, 30) for language in languages}
    for task in about["tasks"]:
        task["n_queries"], task["pool_sizes"], task["n_ids"] = dict.fromkeys(languages, N_IDS), sizes, N_IDS
    with Journal.open(path, about, identity="test", overwrite=True) as journal:
        for i, model in enumerate(models[:n_done]):
            for j, task in enumerate(tasks):
                frame = rankings(model, task, 10 * i + j, languages)
                journal.write("ranking", f"{i:03d}-{j:03d}", frame)
                who = pl.DataFrame({"model": [model], "task": [task], "domain": ["d"]})
                summary = who.join(summarise(frame, sizes), how="cross")
                journal.write("summary", f"{i:03d}-{j:03d}", summary)
        return journal.finish()
