"""All cells of XQuAD-R with the same vectors: sentence-transformers' evaluator, mteb's, and xlbias.

Each cell is given to them as a collection of its own, and vectors are looked up, so that only searching and counting
is timed. They take quality to a depth, sentence-transformers the first 100 and mteb the first 1,000; xlbias all ranks,
and here bias, alignment and intervals as well. Scores of what all have, nDCG@10, must agree.
"""

from __future__ import annotations

import contextlib
import io
import logging
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from made import unit_vectors, xquad
from row import Row, spent, unmeasured

from xlbias import evaluate
from xlbias.data.task import RetrievalTask
from xlbias.encode.precomputed import PrecomputedVectors

Vectors = npt.NDArray[np.float32]
Cells = dict[tuple[str, str], float]


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
    """Return nDCG@10 of every cell."""
    from sentence_transformers.sentence_transformer.evaluation import InformationRetrievalEvaluator

    scores: Cells = {}
    for asked, pool, queries, passages, relevant in _cells(task):
        evaluator = InformationRetrievalEvaluator(
            queries, passages, {query: set(some) for query, some in relevant.items()}, write_csv=False,
            score_functions={"cosine": model.similarity},
        )  # fmt: skip
        found: Any = evaluator.compute_all_metrics(model, corpus_embeddings=model.encode_query(list(passages.values())))
        scores[asked, pool] = float(found["cosine"]["ndcg@k"][10])
    return scores


def of_mteb(task: RetrievalTask, model: _LookedUp) -> Cells:
    """Return nDCG@10 of every cell. Raises ImportError where mteb is not installed."""
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
        ndcg = found[1] if isinstance(found, tuple) else found.ndcg
        scores[asked, pool] = float(next(value for name, value in ndcg.items() if name.lower() == "ndcg@10"))
    return scores


def of_xlbias(task: RetrievalTask, queries: Vectors, passages: Vectors, folder: Path) -> Cells:
    """Return nDCG@10 of every cell, by a whole evaluation."""
    run = evaluate(PrecomputedVectors(queries, passages, "made-up"), task, folder / "run.parquet", overwrite=True)
    rows = run.summary.filter(run.summary["measure"] == "ndcg@10").drop_nulls("query_language")
    return {
        (asked, pool or "multilingual"): value
        for asked, pool, value in rows.select("query_language", "passage_language", "value").iter_rows()
    }


def rows(tiny: bool) -> Iterator[Row]:
    logging.disable(logging.WARNING)
    task = xquad(8, ["de", "en"]) if tiny else xquad()
    queries, passages = unit_vectors(task, 16 if tiny else 384)
    known = dict(zip(task.queries["text"], queries, strict=True)) | dict(
        zip(task.passages["text"], passages, strict=True)
    )
    model = _LookedUp(known)
    cells: dict[str, Cells] = {}
    with tempfile.TemporaryDirectory() as folder:
        of_xlbias(xquad(3), *unit_vectors(xquad(3), 8), Path(folder))  # compiles
        ours = spent(lambda: cells.update(xlbias=of_xlbias(task, queries, passages, Path(folder))))
    for name, do in (("sentence-transformers", of_sentence_transformers), ("mteb", of_mteb)):
        what, goal = f"all {len(cells['xlbias'])} cells on the same vectors: {name} against a whole evaluation", "≥ 1 ×"
        quiet = io.StringIO()
        try:
            with contextlib.redirect_stdout(quiet), contextlib.redirect_stderr(quiet):
                do(xquad(2, ["de", "en"]), model)  # imports
                theirs = spent(lambda name=name, do=do: cells.update({name: do(task, model)}))
        except ImportError as error:
            yield unmeasured(what, goal, f"{error}".splitlines()[0])
            continue
        apart = max(abs(cells["xlbias"][cell] - value) for cell, value in cells[name].items())
        ratio = theirs.processor / ours.processor
        yield Row(
            what,
            f"{goal}; nDCG@10 equal",
            f"{ratio:.1f} × ({theirs.processor:.1f} s against {ours.processor:.1f} s of processors), "
            f"nDCG@10 at most {apart:.0e} apart",
            ratio >= 1 and apart < 1e-5,  # mteb rounds to five places
        )
