"""A run that has something on every screen: two encoders on two tasks, with texts, intervals and their trainings."""

import math
import random
from pathlib import Path

import polars as pl
from dashboard.made import metadata

from xlbias.results.summary import summarise
from xlbias.runs.journal import Journal

LANGUAGES = ("ar", "de", "en", "th")
MODELS = ("mono", "hybrid")
TASKS = ("houses", "bridges")
N_IDS = 16
SIZES = dict.fromkeys(LANGUAGES, N_IDS)
STEPS = tuple(range(50, 1050, 50))

_ASKED = {
    "ar": "متى بُني البيت رقم {}؟", "de": "Wann wurde das Haus Nr. {} gebaut?",
    "en": "When was house no. {} built?", "th": "บ้านเลขที่ {} สร้างเมื่อใด",
}  # fmt: skip
_ANSWERED = {
    "ar": "البيت رقم {} بُني في عام {}.", "de": "Das Haus Nr. {} wurde im Jahr {} am Ufer des Flusses gebaut.",
    "en": "House no. {} was built on the bank of the river in {}.", "th": "บ้านเลขที่ {} สร้างขึ้นริมแม่น้ำในปี {}",
}  # fmt: skip
_DRAWN_TO_OWN = {"mono": 1.6, "hybrid": 0.4}  # how much nearer a passage in the query's own language is
_LOST = {"ar": 0.5, "de": 0.1, "en": 0.0, "th": 1.0}  # how much nearer to the others its answer is, of a language


def _scores(model: str, task: str, number: int, asked: str) -> list[tuple[float, str, int]]:
    """Score, language and id of every passage, best first."""
    chance = random.Random(f"{model} {task} {number} {asked}")
    away = 0.6 if task == "bridges" else 0.0
    gained = 0.5 * (model == "hybrid")
    found = []
    for language in LANGUAGES:
        hit = 3.0 + gained * (language != asked) - _LOST[language] - _LOST[asked] - away
        for other in range(N_IDS):
            near = hit * (other == number) + _DRAWN_TO_OWN[model] * (language == asked) - 0.5 * _LOST[language]
            found.append((near + chance.gauss(0, 1), language, other))
    return sorted(found, reverse=True)


def _rankings(model: str, task: str) -> pl.DataFrame:
    rows = []
    for number in range(N_IDS):
        for asked in LANGUAGES:
            order = _scores(model, task, number, asked)
            for pool in (*LANGUAGES, "multilingual"):
                inside = [one for one in order if pool in ("multilingual", one[1])]
                hits = [
                    {"passage_id": f"{language}-{other}", "language": language, "parallel_id": f"p{other}",
                     "relevance": 1, "rank": rank, "score": score}
                    for rank, (score, language, other) in enumerate(inside, 1) if other == number
                ]  # fmt: skip
                ranks = [hit["rank"] for hit in hits]
                top = [{"passage_id": f"{code}-{i}", "language": code, "score": s} for s, code, i in inside[:10]]
                rows.append({
                    "model": model, "task": task, "domain": task, "query_id": f"q{number}", "query_language": asked,
                    "pool": pool, "n_relevant": len(hits),
                    "setting": {"multilingual": pool, asked: "monolingual"}.get(pool, "cross-lingual"),
                    "ap": sum((i + 1) / rank for i, rank in enumerate(ranks)) / len(ranks),
                    "first_rank": ranks[0], "last_rank": ranks[-1], "relevants": hits, "top": top,
                })  # fmt: skip
    return pl.DataFrame(rows, infer_schema_length=None)


def _texts(task: str) -> tuple[pl.DataFrame, pl.DataFrame]:
    both = [(code, i) for code in LANGUAGES for i in range(N_IDS)]
    asked = [
        {"task": task, "domain": task, "query_id": f"q{i}", "language": code, "text": _ASKED[code].format(i + 1)}
        for code, i in both
    ]
    answered = [
        {"task": task, "passage_id": f"{code}-{i}", "language": code, "document": f"street {i % 4}",
         "text": _ANSWERED[code].format(i + 1, 1800 + 7 * i)}
        for code, i in both
    ]  # fmt: skip
    return pl.DataFrame(asked), pl.DataFrame(answered)


def _training(model: str) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The curve of a training and its validations: the hybrid one draws batches of both kinds."""
    chance, cross = random.Random(model), model == "hybrid"
    logged, validated = [], []
    for step in STEPS:
        done = 1 - math.exp(-step / 300)
        n_cross = step // 2 if cross else 0
        one, two = (2.5 - 2 * done + chance.gauss(0, 0.04), 3.4 - 2.6 * done + chance.gauss(0, 0.04))
        logged.append({
            "model": model, "step": step, "epoch": step / 200, "loss": (one + two) / 2 if cross else one,
            "learning_rate": 2e-5 * (1 - step / 1000), "pairs_per_second": 900 + chance.gauss(0, 30),
            "tokens_per_second": 40_000.0, "memory_bytes": 1_500_000_000,
            "n_monolingual_batches": step - n_cross, "n_cross_lingual_batches": n_cross, "n_mixed_batches": 0,
            "loss_monolingual": one, "loss_cross_lingual": two if cross else None,
        })  # fmt: skip
        if step % 250 == 0:
            validated.append({
                "model": model, "task": "houses", "domain": "houses", "step": step, "n_queries": 64,
                "loss": 3 - 2 * done,
                "map_monolingual": 0.9 * done, "map_cross_lingual": (0.7 if cross else 0.5) * done,
                "map_multilingual": (0.6 if cross else 0.4) * done,
                "rank_distance": 20 - 12 * done, "rank_distance_normalised": 0.3 - 0.2 * done,
            })  # fmt: skip
    return pl.DataFrame(logged), pl.DataFrame(validated)


def write(path: Path) -> Path:
    """Write the run."""
    about = metadata(models=MODELS, tasks=TASKS, languages=LANGUAGES, n_queries=N_IDS, created=1_700_000_000)
    for model in about["models"]:
        model["card"] |= {
            "steps": STEPS[-1], "best_step": STEPS[-1], "training_seconds": 95.0, "device": "cpu",
            "sources": [{"name": "houses"}],
        }  # fmt: skip
    for task in about["tasks"]:
        task["domain"], task["pool_sizes"] = task["name"], SIZES
    with Journal.open(path, about, identity="test", overwrite=True) as journal:
        for j, task in enumerate(TASKS):
            queries, passages = _texts(task)
            journal.write("query", f"{j:03d}", queries)
            journal.write("passage", f"{j:03d}", passages)
            for i, model in enumerate(MODELS):
                frame = _rankings(model, task)
                journal.write("ranking", f"{i:03d}-{j:03d}", frame)
                who = pl.DataFrame({"model": [model], "task": [task], "domain": [task]})
                journal.write("summary", f"{i:03d}-{j:03d}", who.join(summarise(frame, SIZES), how="cross"))
        for i, model in enumerate(MODELS):
            logged, validated = _training(model)
            journal.write("training", f"{i:03d}", logged)
            journal.write("validation", f"{i:03d}", validated)
        return journal.finish()
