"""Real passages and questions as vectors whose dot products are exact, so that oracles need no tolerance."""

from pathlib import Path

import polars as pl
import pytest

from xlbias.data.catalog import load_task
from xlbias.data.task import RetrievalTask

LANGUAGES = ["ar", "de", "en", "th", "zh"]


@pytest.fixture(scope="session")
def real_task(shared_data: Path) -> RetrievalTask:
    """The first eight articles of XQuAD-R in five languages, with planted duplicates of relevant passages."""
    task = load_task(f"lareqa:{shared_data / 'xquad-r'}[languages={','.join(LANGUAGES)}]")
    documents = task.passages["document"].unique().sort().head(8)
    small = task.select_passages(task.passages.filter(pl.col("document").is_in(documents.implode()))["passage_id"])
    relevant = small.qrels["passage_id"].unique().sort()
    twins = small.passages.filter(pl.col("passage_id").is_in(relevant.gather_every(3).implode()))
    # One twin sorts before its original, one after it: ties are met on both sides.
    planted = [twins.with_columns(passage_id=pl.lit(prefix) + pl.col("passage_id")) for prefix in ("!", "~")]
    return RetrievalTask(
        "real", "encyclopedia", "XQuAD-R", "CC BY-SA 4.0",
        small.queries, pl.concat([small.passages, *planted]), small.qrels,
    )  # fmt: skip
