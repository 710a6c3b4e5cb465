"""A search whose every score is known: what a run must say of it can be recomputed by sorting."""

import random
from pathlib import Path

import polars as pl

from xlbias.runs.journal import Journal

LANGUAGES = ("ar", "hi", "zh")
IDS = ("q0", "q1", "q2")
TASK = "qa"
K = 4
EXTRA = "hi-more"
"""A second relevant passage of `q0` in Hindi."""

TEXTS = {"ar": "سؤال", "hi": "नमस्ते दुनिया", "zh": "今天的天气怎么样"}


def passages() -> dict[str, str]:
    """Passage id → language: one answer for each query id, and others."""
    found = {f"{language}-{i}": language for language in LANGUAGES for i in (*IDS, "x", "y", "z")}
    return found | {EXTRA: "hi"}


def answers(query_id: str) -> set[str]:
    """Ids of the passages that are relevant; nothing in Chinese is to `q2`."""
    found = {f"{language}-{query_id}" for language in LANGUAGES if (query_id, language) != ("q2", "zh")}
    return found | ({EXTRA} if query_id == "q0" else set())


def scores(model: str, query_id: str, language: str) -> dict[str, float]:
    """Passage id → score, another order for each model, query and language."""
    chance = random.Random(f"{model} {query_id} {language}")
    names = list(passages())
    drawn = chance.sample(range(1000), len(names))
    return {name: round(score / 1000, 3) for name, score in zip(names, drawn, strict=True)}


def ranked(model: str, query_id: str, language: str, pool: str) -> list[tuple[str, float]]:
    """Passages of a pool by score, best first."""
    of = passages()
    inside = [(n, s) for n, s in scores(model, query_id, language).items() if pool in ("multilingual", of[n])]
    return sorted(inside, key=lambda pair: -pair[1])


def average_precision(order: list[str], relevant: set[str]) -> float | None:
    """By its definition: the mean over relevant passages of the precision at their rank."""
    ranks = [rank for rank, name in enumerate(order, 1) if name in relevant]
    return sum((i + 1) / rank for i, rank in enumerate(ranks)) / len(ranks) if ranks else None


def ranking_rows(model: str, language: str) -> pl.DataFrame:
    """What an evaluation writes for one query language."""
    rows = []
    for query_id in IDS:
        for pool in (*LANGUAGES, "multilingual"):
            order, relevant = ranked(model, query_id, language, pool), answers(query_id)
            found = [
                {
                    "passage_id": name, "language": passages()[name], "parallel_id": query_id, "relevance": 1,
                    "rank": rank, "score": score,
                }
                for rank, (name, score) in enumerate(order, 1)
                if name in relevant
            ]  # fmt: skip
            rows.append(
                {
                    "model": model, "task": TASK, "domain": "test", "query_id": query_id, "query_language": language,
                    "pool": pool, "setting": "multilingual" if pool == "multilingual" else "cross-lingual",
                    "n_relevant": len(found), "ap": average_precision([n for n, _ in order], relevant),
                    "first_rank": min((f["rank"] for f in found), default=None),
                    "last_rank": max((f["rank"] for f in found), default=None),
                    "relevants": found,
                    "top": [{"passage_id": n, "language": passages()[n], "score": s} for n, s in order[:K]],
                }
            )  # fmt: skip
    return pl.DataFrame(rows, infer_schema_length=None)


def query_text(query_id: str, language: str) -> str:
    return f"{TEXTS[language]} {query_id}?"


def passage_text(name: str) -> str:
    return f"{TEXTS[passages()[name]]} ({name})"


class Searched:
    """A run of that search, written part by part."""

    def __init__(self, path: Path, models=("old", "new"), *, texts=True, fingerprint="e" * 64, passage=passage_text):
        of = passages()
        about = {
            "run_id": "searched",
            "models": [{"name": name, "card": {}} for name in models],
            "tasks": [
                {"name": TASK, "domain": "test", "fingerprint": fingerprint, "n_ids": len(IDS),
                 "n_queries": dict.fromkeys(LANGUAGES, len(IDS)),
                 "pool_sizes": {language: list(of.values()).count(language) for language in LANGUAGES}}
            ],
        }  # fmt: skip
        self.path, self.models = path, models
        self.journal = Journal.open(path, about, identity="searched", overwrite=True)
        if texts:
            rows = [(TASK, i, language, query_text(i, language)) for i in IDS for language in LANGUAGES]
            self._texts("query", rows, ["task", "query_id", "language", "text"])
            rows = [(TASK, name, language, passage(name)) for name, language in of.items()]
            self._texts("passage", rows, ["task", "passage_id", "language", "text"])

    def _texts(self, record, rows, columns) -> None:
        self.journal.write(record, "000", pl.DataFrame(rows, schema=columns, orient="row"))

    def write(self, model: str, language: str, change=lambda frame: frame) -> None:
        """Finish one query language of one model."""
        key = f"{self.models.index(model):03d}-000-{LANGUAGES.index(language):05d}"
        self.journal.write("ranking", key, change(ranking_rows(model, language)))

    def finish(self) -> Path:
        """Write what is missing of it, and the run file."""
        for model in self.models:
            for language in LANGUAGES:
                self.write(model, language)
        return self.journal.finish()
