"""All cells of XQuAD-R with the same vectors: sentence-transformers' evaluator, mteb's, and xlbias.

Each cell is given to them as a collection of its own, and vectors are looked up, so that only searching and counting
is timed, on one thread, each in a process of its own. They take quality to a depth, sentence-transformers the first 100
and mteb the first 1,000; xlbias all ranks, and here bias, alignment and intervals as well. nDCG@10, which all have,
must agree; MAP does but for what lies deeper.
"""

from __future__ import annotations

import contextlib
import io
import json
import logging
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parent.parent))

from made import unit_vectors, xquad
from row import Memory, Row, one_thread, spent, unmeasured

from xlbias import evaluate
from xlbias.data.task import RetrievalTask
from xlbias.encode.precomputed import PrecomputedVectors

Vectors = npt.NDArray[np.float32]


class Quality(NamedTuple):
    """Of one cell: nDCG@10 and MAP, to the depth of who computes it."""

    ndcg: float
    map: float


Cells = dict[tuple[str, str], Quality]


class _LookedUp:
    """An encoder of sentence-transformers, or of mteb, that gives the vectors of texts it knows."""

    similarity_fn_name = "cosine"
    mteb_model_meta = None

    def __init__(self, vectors: dict[str, npt.NDArray[np.float32]]) -> None:
        self.vectors = vectors

    def encode_query(self, sentences: list[str], **_: Any) -> Any:
        import torch

        return torch.from_numpy(np.stack([self.vectors[text] for text in sentences]))

    def encode(self, inputs: Any, **_: Any) -> Any:  # of mteb: batches of texts
        return self.encode_query([text for batch in inputs for text in batch["text"]]).numpy()

    def similarity(self, one: Any, other: Any) -> Any:
        import torch

        return torch.as_tensor(one) @ torch.as_tensor(other).T


def _cells(task: RetrievalTask) -> Iterator[tuple[str, str, dict[str, str], dict[str, str], dict[str, dict[str, int]]]]:
    """Yield query language, pool, queries, passages (text by id) and what is relevant, of every cell."""
    relevant = dict(task.qrels.group_by("query_id").agg("passage_id").iter_rows())
    for asked in task.query_languages:
        queries = dict(task.queries.filter(task.queries["language"] == asked).select("query_id", "text").iter_rows())
        for pool in [*task.passage_languages, "multilingual"]:
            chosen = (
                task.passages if pool == "multilingual" else task.passages.filter(task.passages["language"] == pool)
            )
            passages = dict(chosen.select("passage_id", "text").iter_rows())
            found = {query: {one: 1 for one in relevant[query] if one in passages} for query in queries}
            yield asked, pool, queries, passages, found


def of_sentence_transformers(task: RetrievalTask, model: _LookedUp) -> Cells:
    """Return the quality of every cell."""
    from sentence_transformers.sentence_transformer.evaluation import InformationRetrievalEvaluator

    scores: Cells = {}
    for asked, pool, queries, passages, relevant in _cells(task):
        evaluator = InformationRetrievalEvaluator(
            queries, passages, {query: set(some) for query, some in relevant.items()}, write_csv=False,
            score_functions={"cosine": model.similarity},
        )  # fmt: skip
        found: Any = evaluator.compute_all_metrics(model, corpus_embeddings=model.encode_query(list(passages.values())))
        scores[asked, pool] = Quality(float(found["cosine"]["ndcg@k"][10]), float(found["cosine"]["map@k"][100]))
    return scores


def of_mteb(task: RetrievalTask, model: _LookedUp) -> Cells:
    """Return the quality of every cell. Raises ImportError where mteb is not installed."""
    import mteb
    from datasets import Dataset
    from mteb._evaluators.retrieval_evaluator import RetrievalEvaluator
    from mteb.models.search_wrappers import SearchEncoderWrapper
    from mteb.timing import TimingStack

    about = mteb.TaskMetadata(
        name="Made", description="Made up.", reference=None, type="Retrieval", category="t2t", modalities=["text"],
        dataset={"path": "made/up", "revision": "0" * 40}, eval_splits=["test"], eval_langs=["eng-Latn"],
        main_score="ndcg_at_10", license="cc-by-4.0", domains=["Written"],
    )  # fmt: skip
    scores: Cells = {}
    for asked, pool, queries, passages, relevant in _cells(task):
        corpus, asking = (
            Dataset.from_dict({"id": list(some), "text": list(some.values())}) for some in (passages, queries)
        )
        evaluator = RetrievalEvaluator(
            corpus, asking, task_metadata=about, hf_split="test", hf_subset=f"{asked}-{pool}", top_k=1000,
            timer=TimingStack(),
        )  # fmt: skip
        results = evaluator(SearchEncoderWrapper(model), encode_kwargs={"batch_size": 1024, "show_progress_bar": False})
        found: Any = evaluator.evaluate(relevant, results, [10, 100, 1000])
        ndcg, average = found[1:3] if isinstance(found, tuple) else (found.ndcg, found.map)
        lower = {name.lower(): float(value) for name, value in {**ndcg, **average}.items()}
        scores[asked, pool] = Quality(lower["ndcg@10"], lower["map@1000"])
    return scores


def of_xlbias(task: RetrievalTask, model: _LookedUp) -> Cells:
    """Return the quality of every cell, by a whole evaluation."""
    queries, passages = (
        np.stack([model.vectors[text] for text in side["text"]]) for side in (task.queries, task.passages)
    )
    with tempfile.TemporaryDirectory() as folder:
        run = evaluate(PrecomputedVectors(queries, passages, "made-up"), task, Path(folder) / "run.parquet")
        summary = run.summary.drop_nulls("query_language")
    found: dict[str, dict[tuple[str, str], float]] = {}
    for measure in ("ndcg@10", "map"):
        rows = summary.filter(summary["measure"] == measure).select("query_language", "passage_language", "value")
        found[measure] = {(asked, pool or "multilingual"): value for asked, pool, value in rows.iter_rows()}
    return {cell: Quality(value, found["map"][cell]) for cell, value in found["ndcg@10"].items()}


TOOLS: dict[str, Callable[[RetrievalTask, _LookedUp], Cells]] = {
    "xlbias": of_xlbias, "sentence-transformers": of_sentence_transformers, "mteb": of_mteb,
}  # fmt: skip


class Taken(NamedTuple):
    """What a tool found, its seconds of processors, and the most memory it held, libraries and all, in MB."""

    cells: Cells
    seconds: float
    peak: float


def measured(name: str, tiny: bool) -> Taken:
    """Have a tool compute all cells, in this process. Raises ImportError where it is not installed."""
    logging.disable(logging.WARNING)
    task = xquad(8, ["de", "en"]) if tiny else xquad()
    queries, passages = unit_vectors(task, 16 if tiny else 384)
    texts = [*task.queries["text"], *task.passages["text"]]
    model = _LookedUp(dict(zip(texts, [*queries, *passages], strict=True)))
    del queries, passages
    quiet, cells = io.StringIO(), {}
    with contextlib.redirect_stdout(quiet), contextlib.redirect_stderr(quiet), one_thread():
        if not tiny:
            few = xquad(2, ["de", "en"])
            TOOLS[name](few, model)  # imports, and compiles
        with Memory() as memory:
            taken = spent(lambda: cells.update(TOOLS[name](task, model)))
    return Taken(cells, taken.processor, memory.peak)


def _apart(name: str) -> Taken | str:
    """Have a tool compute all cells in a process of its own; return why not where it is not installed."""
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    child = subprocess.run([sys.executable, __file__, name], env=env, stdout=subprocess.PIPE, check=True)
    found = json.loads(child.stdout)
    if "missing" in found:
        return str(found["missing"])
    cells = {(asked, pool): Quality(ndcg, average) for asked, pool, ndcg, average in found["cells"]}
    return Taken(cells, found["seconds"], found["peak"])


def rows(tiny: bool) -> Iterator[Row]:
    ours = measured("xlbias", True) if tiny else _apart("xlbias")
    assert isinstance(ours, Taken)
    what = f"all {len(ours.cells)} cells on the same vectors, one thread"
    yield Row(f"{what}: whole evaluation by xlbias", "", f"{ours.seconds:.1f} s of processors, {ours.peak:,.0f} MB")
    for name in [tool for tool in TOOLS if tool != "xlbias"]:
        try:
            theirs = measured(name, True) if tiny else _apart(name)
        except ImportError as error:
            theirs = f"{error}".splitlines()[0]
        if isinstance(theirs, str):
            yield unmeasured(f"{what}: {name}", "≥ 1 ×", theirs)
            continue
        ndcg, average = (
            max(abs(ours.cells[cell][one] - found[one]) for cell, found in theirs.cells.items()) for one in (0, 1)
        )
        ratio = theirs.seconds / ours.seconds
        yield Row(
            f"{what}: {name}",
            "≥ 1 ×; nDCG@10 equal",
            f"{ratio:.1f} × ({theirs.seconds:.1f} s of processors, {theirs.peak:,.0f} MB), {len(theirs.cells)} cells: "
            f"nDCG@10 at most {ndcg:.0e} apart, MAP {average:.0e}",
            ratio >= 1 and ndcg < 1e-5 and len(theirs.cells) == len(ours.cells),  # mteb rounds to five places
        )


def _child(name: str) -> dict[str, Any]:
    try:
        found = measured(name, False)
    except ImportError as error:
        return {"missing": f"{error}".splitlines()[0]}
    cells = [[*cell, *quality] for cell, quality in found.cells.items()]
    return {"cells": cells, "seconds": found.seconds, "peak": found.peak}


if __name__ == "__main__":
    print(json.dumps(_child(sys.argv[1])))
