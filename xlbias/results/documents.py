"""Which query ids share a document, and so are one unit of what is drawn: questions of one text are not independent."""

from __future__ import annotations

import numpy as np
import polars as pl

from xlbias.errors import RunError
from xlbias.results.run_numbers import RunNumbers
from xlbias.runs.schema import MULTILINGUAL_POOL
from xlbias.stats.bootstrap import FEWEST_UNITS


def documents_of_ids(run: RunNumbers, task: str, model: str | None = None) -> dict[str, int]:
    """Return the unit of each query id, numbered from 0: ids whose relevant passages share a document are one.

    Args:
        run: the run.
        task: name of the task.
        model: an encoder whose rankings are read, by default those of all.

    Raises RunError where the passages name no documents.
    """
    of_task = pl.col("task") == task
    ranked = of_task & (pl.col("pool") == MULTILINGUAL_POOL)
    pairs = (
        run.rankings.filter(ranked if model is None else ranked & (pl.col("model") == model))
        .select("query_id", pl.col("relevants").list.eval(pl.element().struct.field("passage_id")).alias("passage_id"))
        .unique()
        .explode("passage_id")
        .join(run.passages.filter(of_task).select("passage_id", "document"), on="passage_id", how="left")
        .select("query_id", "document")
        .unique()
        .sort("query_id", "document")
        .collect()
    )
    from scipy.sparse import coo_array  # slow to import, and not needed to open a run
    from scipy.sparse.csgraph import connected_components

    known = pairs.drop_nulls("document")
    if known.is_empty():
        raise RunError(f"{run.path}: the documents of {task!r} are not known: compare by query id")
    ids = pairs["query_id"].unique(maintain_order=True)
    documents = known["document"].unique(maintain_order=True)
    row = known["query_id"].cast(pl.Enum(ids)).to_physical().cast(pl.Int64).to_numpy()
    column = known["document"].cast(pl.Enum(documents)).to_physical().cast(pl.Int64).to_numpy() + len(ids)
    size = len(ids) + len(documents)
    _, label = connected_components(coo_array((np.ones(len(row)), (row, column)), shape=(size, size)), directed=False)
    _, unit = np.unique(label[: len(ids)], return_inverse=True)
    return dict(zip(ids.to_list(), unit.tolist(), strict=True))


def declared_units(run: RunNumbers, task: str, model: str) -> dict[str, int] | None:
    """Return the unit of each query id where the task itself says that ids belong together; None: ids are the units.

    Args:
        run: the run.
        task: name of the task.
        model: an encoder that was evaluated on it.

    They do where its passages name documents, of which some hold several ids. Documents too few for a test, such as
    seven topics of a collection of sentences, are none to draw from.
    """
    try:
        units = documents_of_ids(run, task, model)
    except RunError:
        return None
    return units if FEWEST_UNITS <= len(set(units.values())) < len(units) else None
