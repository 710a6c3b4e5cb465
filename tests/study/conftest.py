"""A small study of real questions and passages: two samplers, one source, two targets."""

import json
from pathlib import Path

import pytest

from xlbias.data.catalog import load_task

PLAN = """\
title = "A small study"
samplers = ["mono", "hybrid"]
seeds = 1
top_k = 3
data = "corpora"

[settings]
steps = 4
batch_size = 8
dimension = 16
vocabulary = 500
validation = 0.2
validate_every = 4
checkpoint_every = 2

[sources]
calendar = "parallel:{data}/calendar.jsonl"

[targets]
calendar-test = "parallel:{data}/calendar-test.jsonl"
money = "parallel:{data}/money.jsonl[languages=de,en,th]"

[in_domain]
calendar-test = "calendar"
"""


def write_part(task: str, path: Path, languages: list[str], start: int, n_ids: int) -> None:
    """Write some of the ids of an embedded task as a file, which is read in no time."""
    loaded = load_task(task).select_languages(languages)
    ids = loaded.queries["query_id"].unique().sort()[start : start + n_ids]
    passages = loaded.passages.select("passage_id", "language", passage="text")
    pairs = loaded.queries.join(loaded.qrels, on="query_id").join(passages, on=["passage_id", "language"])
    rows = pairs.filter(pairs["query_id"].is_in(ids.implode())).select(
        "language", "passage", id="query_id", query="text"
    )
    path.write_text("\n".join(map(json.dumps, rows.sort("id", "language").to_dicts())), "utf-8")


@pytest.fixture(scope="session")
def small_plan(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A plan that takes seconds."""
    folder = tmp_path_factory.mktemp("plan")
    (folder / "corpora").mkdir()
    for name, task, languages, start, n_ids in (
        ("calendar", "calendar", ["de", "en"], 0, 60),
        ("calendar-test", "calendar", ["de", "en"], 60, 20),
        ("money", "money", ["de", "en", "th"], 0, 20),
    ):
        write_part(f"builtin:{task}", folder / "corpora" / f"{name}.jsonl", languages, start, n_ids)
    (folder / "small.toml").write_text(PLAN, "utf-8")
    return folder / "small.toml"
