"""Numbers that papers printed, as facts to show a run next to.

``published.csv`` has a row per printed number: source (arXiv id), table (of the paper, or README of its repository),
encoder, dataset, sampler, setting, query_language (or ``mean``, the printed macro average over the query languages),
measure and value. AP is mean average precision without a cut-off; rank_distance is in ranks. Sampler names are those of
LAReQA, see `HOUSE_SAMPLERS`; ``hybrid`` is what 2408.10536 calls "Proposed", with alpha = beta = 0.5.

Values stand as printed. Two things are odd there. R@1 of the multilingual setting (table 3, 36 rows) cannot be recall@1
by the definition here, whose ceiling is 1/11 with a relevant passage in each of 11 languages; the paper's text speaks
of R@10. `published` has these rows, `rows_for` leaves them out, as they can stand beside no number of a run. And one
printed mean disagrees with its own rows: 2408.10536, table 5, LaBSE, hybrid, monolingual is .8167, while its rows
average .8184.

Sources: Roy et al. 2020 (arXiv 2004.05484 and its repository), arXiv 2408.10536.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import polars as pl

from xlbias.choices import suggestion
from xlbias.errors import UsageError
from xlbias.runs.run_info import TaskInfo
from xlbias.samplers import SAMPLERS

MEAN = "mean"
"""The query language of a printed macro average."""

HOUSE_SAMPLERS = {sampler.paper: name for name, sampler in SAMPLERS.items()}
"""The name of a printed sampler in `xlbias train --sampler`."""

_HOUSE_MEASURES = {
    "AP": "map",
    "R@1": "recall@1",
    "R@100": "recall@100",
    "nDCG@10": "ndcg@10",
    "rank_distance": "rank_distance",
}
_COLUMNS = ("source", "table", "encoder", "dataset", "sampler", "setting", "query_language", "measure", "value")
_SCHEMA: dict[str, pl.DataType] = {name: pl.Float64() if name == "value" else pl.String() for name in _COLUMNS}

# Names of tasks as letters and digits only; mlqa-dev-r is the folder that MLQA-R is published in.
_DATASETS = {"xquadr": "XQuAD-R", "mlqar": "MLQA-R", "mlqadevr": "MLQA-R", "miracldev": "MIRACL-dev"}

# Passages per language, as the READMEs of google-research-datasets/lareqa and project-miracl/miracl state them. MIRACL
# has English too, which the paper leaves out.
_POOL_SIZES = {
    "XQuAD-R": {
        "ar": 1222, "de": 1276, "el": 1234, "en": 1180, "es": 1215, "hi": 1244,
        "ru": 1219, "th": 852, "tr": 1167, "vi": 1209, "zh": 1196,
    },
    "MLQA-R": {"ar": 2545, "de": 2362, "en": 6264, "es": 1787, "hi": 2426, "vi": 2828, "zh": 2322},
    "MIRACL-dev": {
        "ar": 2_061_414, "bn": 297_265, "es": 10_373_953, "fa": 2_207_172, "fi": 1_883_509, "fr": 14_636_953,
        "hi": 506_264, "id": 1_446_315, "ja": 6_953_614, "ko": 1_486_752, "ru": 9_543_918, "sw": 131_924,
        "te": 518_079, "th": 542_166, "zh": 4_934_368,
    },
}  # fmt: skip


def sources() -> list[str]:
    """Return the arXiv ids of the papers whose numbers there are, in the order of the file."""
    return _all()["source"].unique(maintain_order=True).to_list()


def published(source: str) -> pl.DataFrame:
    """Return the printed numbers of one paper, with the columns of the file and xlbias' names of measures.

    All columns are strings but `value`, which is float64: in ranks for ``rank_distance``, in [0, 1] for the others.
    Raises UsageError for an id that is not in `sources`.
    """
    known = sources()
    if source not in known:
        raise UsageError(
            f"no published results of {source!r}{suggestion(source, known)}: choose from {', '.join(known)}"
        )
    return _all().filter(pl.col("source") == source)


def rows_for(source: str, task: TaskInfo) -> pl.DataFrame:
    """Return the numbers that a paper printed for the dataset that a task of a run is, by the task's name.

    Args:
        source: arXiv id, one of `sources`.
        task: what a run says of a task: ``name``, ``n_queries`` and ``pool_sizes`` (by language) are looked at.

    Returns the columns ``encoder, sampler, setting, query_language, measure, value, table, same_pools``, in the order
    of the file, without what is printed under another name than it is (see above); no rows where the paper has none of
    that dataset, or the task is none of the papers' datasets.
    `same_pools` is one answer for all rows: whether the task is in exactly the languages of the dataset and has its
    published number of passages in each, so that ranks mean the same. Raises UsageError for an id that is not in
    `sources`.
    """
    rows = published(source)
    dataset = dataset_of(task.name)
    same = dataset is not None and _same_pools(dataset, task)
    misnamed = (pl.col("measure") == "recall@1") & (pl.col("setting") == "multilingual")
    return rows.filter((pl.col("dataset") == pl.lit(dataset, dtype=pl.String)) & ~misnamed).select(
        "encoder", "sampler", "setting", "query_language", "measure", "value", "table", same_pools=pl.lit(same)
    )


def dataset_of(task_name: str) -> str | None:
    """Return the papers' dataset that a task is by its name, or None: ``XQuAD_R[languages=en,de]`` → ``XQuAD-R``.

    Case, punctuation and a selection in brackets make no difference.
    """
    name = task_name.partition("[")[0]
    return _DATASETS.get(re.sub(r"[\W_]", "", name).casefold())


def _same_pools(dataset: str, task: TaskInfo) -> bool:
    expected = _POOL_SIZES[dataset]
    return set(task.n_queries) == set(expected) and dict(task.pool_sizes) == expected


@cache
def _all() -> pl.DataFrame:
    raw = pl.read_csv(Path(__file__).with_name("published.csv"), schema=_SCHEMA)
    return raw.with_columns(pl.col("measure").replace_strict(_HOUSE_MEASURES, return_dtype=pl.String))
