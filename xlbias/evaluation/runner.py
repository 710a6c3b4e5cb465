"""The work of an evaluation: which parts there are, and how each is made."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import cache as cache_of
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import numpy.typing as npt
import polars as pl

from xlbias.cells import TopOf
from xlbias.data.task import RetrievalTask
from xlbias.encode import vector_file
from xlbias.encode.cache import VectorCache
from xlbias.encode.card import TRAINING_FILE
from xlbias.encode.content import libraries
from xlbias.encode.encoder import Encoder, Encoding, Kind, embed
from xlbias.encode.kinds.vectors import VectorsById
from xlbias.encode.loadable import LATE
from xlbias.encode.mitigate import Mitigation
from xlbias.encode.options import Similarity
from xlbias.encode.precomputed import PrecomputedVectors
from xlbias.encode.prompts import Prompts
from xlbias.encode.quantised import as_int8
from xlbias.encode.scored import ScoredEncoder, embed_ragged
from xlbias.encode.similarity import Searchable, Vectors, searchable
from xlbias.encode.vector_file import Stored, as_stored
from xlbias.encode.vector_rows import VectorRows, as_array
from xlbias.errors import EncoderError, RunError
from xlbias.evaluation.alignment import alignments
from xlbias.evaluation.audit_parts import Pieces
from xlbias.evaluation.kept_texts import FoundTexts, Texts
from xlbias.evaluation.seen_texts import TaskTexts
from xlbias.evaluation.steps import alignment_seconds, numbers_seconds
from xlbias.evaluation.together import Load, SharedAlignment, SharedEncoding, SharedPassages
from xlbias.evaluation.token_counts import text_rows
from xlbias.measures.ragged import Floats
from xlbias.narration import Narrator
from xlbias.progress import Course, Stage
from xlbias.results.binding import BOUND, COLUMN, digest_of
from xlbias.results.caveats.leaks import UNKNOWN, seen_sentences
from xlbias.results.run import open_run
from xlbias.results.summary import SummaryRow, as_frame, summarise
from xlbias.retrieve.by_id import RankedById, can_be_ranked_by_id, ranked_parts
from xlbias.retrieve.consistency import rank_consistency, sampled_queries
from xlbias.retrieve.index import PassageIndex, PassageOrder, Queries
from xlbias.retrieve.left_out import left_out_pairs
from xlbias.retrieve.ranks import Asked, rank
from xlbias.retrieve.scorer import ManhattanScorer, MaxSimScorer, ScoredIndex, Scorer, SparseScorer
from xlbias.retrieve.search import in_index_order, pairs_of, relevant_pairs, search
from xlbias.runs.journal import Journal
from xlbias.runs.parts import block_key, query_blocks, slug, task_key, with_columns, write_texts
from xlbias.runs.schema import MULTILINGUAL_POOL

if TYPE_CHECKING:
    from xlbias.processes.team import Team

Loaded = Encoder | PrecomputedVectors | VectorsById | ScoredEncoder
"""What an encoder's name or object becomes."""


@dataclass(frozen=True, eq=False)
class TaskVectors:
    """The vectors of one task: float32 [n, d] of `passages`, in their order, and of the task's queries.

    Those of very many passages lie in a file.

    Attributes:
        texts: what a summary says of the texts themselves; empty where the encoder cannot tell.
        scorer: what scores them where there is no single vector for a text; then there are no vectors.
    """

    passages: pl.DataFrame
    of_passages: Vectors | VectorRows | None
    of_queries: Vectors | None
    texts: Sequence[SummaryRow] = ()
    scorer: Scorer | None = None

    def index(self, name: str, similarity: str, device: str) -> tuple[PassageOrder, Queries, ScoreOf]:
        """Return the index of the passages, what it scores for each query, and what makes a user's scores of that."""
        ids, languages = self.passages["passage_id"], self.passages["language"]
        scorer = self.scorer
        if self.of_queries is not None and self.of_passages is not None:
            if similarity != "manhattan":
                ranked = searchable(self.of_queries, self.of_passages, cast(Similarity, similarity))
                index = PassageIndex(ranked.passages, ids, languages, device=device)
                return index, ranked.queries, partial(_scores, ranked)
            scorer = ManhattanScorer(self.of_queries, as_array(self.of_passages))
        assert scorer is not None
        return ScoredIndex(scorer, ids, languages, encoder=name), np.arange(scorer.n_queries), _as_they_are


class Evaluation:
    """The work of one evaluation: which parts there are, and how each is made."""

    def __init__(
        self,
        journal: Journal,
        tasks: list[RetrievalTask],
        top_k: int,
        top_of: TopOf,
        mitigations: Sequence[Mitigation],
        device: str,
        cache: VectorCache | None,
        narrator: Narrator,
        options: Mapping[str, Any],
        course: Course,
        texts: Sequence[Texts],
        team: Team | None = None,
    ) -> None:
        self.journal, self.tasks, self.device = journal, tasks, device
        self.top_k, self.top_of, self.mitigations = top_k, top_of, mitigations
        self.cache, self.narrator, self.options, self.course = cache, narrator, options, course
        self.team = team
        self._task_texts = cache_of(lambda t: TaskTexts(tasks[t]))
        self._found = {t: FoundTexts(journal, t, tasks[t]) for t, which in enumerate(texts) if which == "found"}

    def write_texts(self) -> None:
        """Write the texts of all tasks, once each; of what is found, those that finished rankings name."""
        write_texts(self.journal, self.tasks, self._found)
        for t, found in self._found.items():
            for key in self.journal.keys("ranking"):
                if key.split("-")[1] == f"{t:03d}":
                    found.add(self.journal.read("ranking", key, ["relevants", "top"]))

    def run_model(self, name: str, load: Callable[[], Loaded], folder: Path | None, again: Load | None = None) -> None:
        """Make all parts of one encoder, plain and with every mitigation, that are not there yet.

        `again` loads it in the other processes; None where that cannot be done.
        """
        variants = {variant_name(name, mitigation): mitigation for mitigation in (None, *self.mitigations)}
        missing = {t: self._missing(t, list(variants)) for t in range(len(self.tasks))}
        if not any(missing.values()):
            return
        with self.course.stage(("load", name, -1), f"{name}: loading"):
            self.narrator.say(f"{name}: loading")
            encoder = load()
        self._describe(name, encoder, folder, None)
        for t, task in enumerate(self.tasks):
            if missing[t]:
                seen = self._seen(name, encoder, t)
                encoding = SharedEncoding(self.team, again, encoder) if self.team and again else None
                vectors = self._embed(t, name, encoder, encoding)
                for variant in missing[t]:
                    mitigated = self._mitigated(vectors, variants[variant], encoder, task)
                    if variants[variant]:  # described once it is known to be possible
                        self._describe(variant, encoder, folder, variants[variant])
                    self._run_task(t, task, variant, mitigated, encoder, seen)

    def skip_done(self, name: str) -> None:
        """Take what was finished before for done in the course, of one encoder, plain and with every mitigation."""
        variants = [variant_name(name, mitigation) for mitigation in (None, *self.mitigations)]
        anything = False
        for t, task in enumerate(self.tasks):
            missing = self._missing(t, variants)
            anything |= bool(missing)
            for variant in variants:
                blocks = range(len(query_blocks(task)))
                ranked = all(self._has_block(variant, t, b) for b in blocks)
                kinds = ("rank", "consistency") if ranked else ()
                for kind in kinds if variant in missing else ("rank", "consistency", "alignment", "numbers"):
                    self.course.skip((kind, variant, t))
            for kind in () if missing else ("passages", "queries"):
                self.course.skip((kind, name, t))
        if not anything:
            self.course.skip(("load", name, -1))

    def _missing(self, t: int, variants: Sequence[str]) -> list[str]:
        """Return the variants of an encoder that something of task `t` is still to be made for."""
        blocks = range(len(query_blocks(self.tasks[t])))
        return [
            name
            for name in variants
            if not self.journal.has("summary", task_key(name, t))
            or not all(self.journal.has("ranking", block_key(name, t, b)) for b in blocks)
        ]

    def _describe(self, name: str, encoder: Loaded, folder: Path | None, mitigation: Mitigation | None) -> None:
        """Record the encoder in the run's metadata; refuse one that is not what finished parts came from."""
        prompts: Prompts | None = getattr(encoder, "prompts", None)
        if prompts is not None and mitigation is None:
            self.narrator.say(f"{name}: prompts: {prompts}")
            for doubt in prompts.doubts:
                self.narrator.say(f"{name}: {doubt}")
        about = {
            "name": name,
            "fingerprint": encoder.fingerprint,
            "content": getattr(encoder, "content", None),
            "options": dict(self.options) if folder else None,
            "libraries": libraries(),
            "dimension": encoder.dimension,
            "similarity": encoder.similarity,
            "own_similarity": getattr(encoder, "own_similarity", None),
            "prompts": prompts.as_dict() if prompts else None,
            "dtype": getattr(encoder, "dtype", None),
            "representation": getattr(encoder, "representation", None),
            "precision": getattr(encoder, "precision", None),
            "own_dimension": getattr(encoder, "own_dimension", None),
            "max_length": getattr(encoder, "max_length", None),
            "device": getattr(encoder, "device", None),
            "card": getattr(encoder, "card", {}),
            "mitigation": str(mitigation) if mitigation else None,
        }
        models = list(self.journal.metadata["models"])
        before = next((m for m in models if m["name"] == name), None)
        if before and before["fingerprint"] != about["fingerprint"]:
            raise changed(self.journal.path, name)
        if not before:
            self.journal.describe("models", [*models, about])
        if folder is not None and mitigation is None:
            self._copy_curves(name, folder, getattr(encoder, "card", {}))

    def _copy_curves(self, name: str, folder: Path, card: dict[str, Any]) -> None:
        """Copy an encoder's loss and validation curves, from its folder or from that of the grid it belongs to."""
        files = [file for file in (folder / TRAINING_FILE, folder.parent / TRAINING_FILE) if file.is_file()]
        if not files or not card:
            return
        # Only the finished curve: beside it there may be that of a later training which failed.
        training = open_run(files[0], live=False)
        for record, frame in (("training", training.training), ("validation", training.validation)):
            if not self.journal.has(record, slug(name)):
                curve = frame.filter(pl.col("model") == card.get("name")).collect()
                if curve.height:
                    self.journal.write(record, slug(name), curve.with_columns(pl.lit(name).alias("model")))

    def _embed(self, t: int, name: str, encoder: Loaded, encoding: Encoding | None) -> TaskVectors:
        task = self.tasks[t]
        passages = in_index_order(task.passages)
        if isinstance(encoder, VectorsById):
            encoder = encoder.of_task(task)
        if isinstance(encoder, ScoredEncoder):
            return self._scored(t, name, encoder, passages)
        if isinstance(encoder, PrecomputedVectors):
            vectors = np.ascontiguousarray(encoder.queries, dtype=np.float32)
            return TaskVectors(passages, aligned(encoder, task, passages), vectors)
        of_passages = self._encode_passages(t, name, encoder, passages, encoding)
        of_queries = self._encode(t, name, encoder, task.queries, "query", encoding)
        if getattr(encoder, "precision", None) == "int8":
            of_passages, of_queries = as_int8(as_array(of_passages), of_queries, encoder.similarity)
        return TaskVectors(
            passages.drop("text", "document"),
            of_passages,
            of_queries,
            [*text_rows(encoder, passages, "passage"), *text_rows(encoder, task.queries, "query")],
        )

    def _encode_passages(
        self, t: int, name: str, encoder: Encoder, passages: pl.DataFrame, encoding: Encoding | None
    ) -> Vectors | VectorRows:
        """Return the vectors of passages; of more than a block of them, in a file."""
        stored: Stored = "float16" if getattr(encoder, "dtype", None) == "float16" else "float32"
        if passages.height <= vector_file.BLOCK:
            return as_stored(self._encode(t, name, encoder, passages, "passage", encoding), stored, encoder.similarity)
        with self._encoding(t, name, "passage", passages.height) as stage:
            return vector_file.embed_to_file(
                encoder, passages["text"], "passage", cache=self.cache, stored=stored, advance=stage.advance,
                encoding=encoding,
            )  # fmt: skip

    def _scored(self, t: int, name: str, encoder: ScoredEncoder, passages: pl.DataFrame) -> TaskVectors:
        """Return what scores the queries and passages of a task, by an encoder without a vector for each."""
        task, found = self.tasks[t], []
        sides: tuple[tuple[Kind, pl.DataFrame], ...] = (("passage", passages), ("query", task.queries))
        for kind, texts in sides:
            with self._encoding(t, name, kind, texts.height) as stage:
                found.append(
                    embed_ragged(encoder, texts["text"].to_list(), kind, cache=self.cache, advance=stage.advance)
                )
        (of_passages, of_passage), (of_queries, of_query) = found
        scorer: Scorer
        if encoder.representation == LATE:
            mean = encoder.similarity == "meanmaxsim"
            scorer = MaxSimScorer(of_queries, of_query, of_passages, of_passage, mean=mean)
        else:
            scorer = SparseScorer(of_queries, of_query, of_passages, of_passage, encoder.dimension, encoder.similarity)
        texts_said = [*text_rows(encoder, passages, "passage"), *text_rows(encoder, task.queries, "query")]
        return TaskVectors(passages, None, None, texts_said, scorer)

    def _encoding(self, t: int, name: str, kind: Kind, n: int) -> AbstractContextManager[Stage]:
        side = "passages" if kind == "passage" else "queries"
        phase = f"{name} · {self.tasks[t].name}: encoding {side}"
        return self.course.stage((side, name, t), phase, n, "texts")

    def _encode(
        self, t: int, name: str, encoder: Encoder, texts: pl.DataFrame, kind: Kind, encoding: Encoding | None
    ) -> Vectors:
        with self._encoding(t, name, kind, texts.height) as stage:
            return embed(
                encoder, texts["text"].to_list(), kind, cache=self.cache, advance=stage.advance, encoding=encoding
            )

    def _mitigated(
        self,
        vectors: TaskVectors,
        mitigation: Mitigation | None,
        encoder: Loaded,
        task: RetrievalTask,
    ) -> TaskVectors:
        """Return the vectors without what the mitigation takes out, learnt from all texts of the task together."""
        if mitigation is None:
            return vectors
        if vectors.of_passages is None or vectors.of_queries is None:
            raise EncoderError(no_mitigation(str(encoder.name)))
        passage_languages = vectors.passages["language"].to_list()
        query_languages = task.queries["language"].to_list()
        of_passages = as_array(vectors.of_passages)
        both = np.concatenate([of_passages, vectors.of_queries])
        fitted = mitigation.fit(both, [*passage_languages, *query_languages])
        return TaskVectors(
            vectors.passages,
            fitted.apply(of_passages, passage_languages, cast(Similarity, encoder.similarity)),
            fitted.apply(vectors.of_queries, query_languages, cast(Similarity, encoder.similarity)),
            vectors.texts,
        )

    def _seen(self, name: str, encoder: Loaded, t: int) -> list[SummaryRow]:
        """Return how much of a task the encoder has seen in training, and say it."""
        task = self.tasks[t]
        rows = self._task_texts(t).rows(getattr(encoder, "trained_on", None))
        counts = {row.key.measure: (int(row.value), row.n) for row in rows if row.key[1:] == (None,) * 3 and row.n}
        for sentence in seen_sentences(counts):
            self.narrator.say(f"{name} · {task.name}: {sentence}")
        if not counts:
            self.narrator.say(f"{name} · {task.name}: {UNKNOWN}")
        return rows

    def _run_task(
        self,
        t: int,
        task: RetrievalTask,
        name: str,
        vectors: TaskVectors,
        encoder: Loaded,
        seen: Sequence[SummaryRow],
    ) -> None:
        passages = vectors.passages
        index, of_queries, score_of = vectors.index(name, encoder.similarity, self.device)
        about = {"model": name, "task": task.name, "domain": task.domain}
        blocks = {b: rows for b, rows in enumerate(query_blocks(task)) if not self._has_block(name, t, b)}
        if blocks:
            shared = SharedPassages(self.team, index) if self.team and isinstance(index, PassageIndex) else None
            relevant, left_out = relevant_pairs(task, passages), left_out_pairs(task, passages)
            by_id = None
            if not left_out.height and len(blocks) == len(query_blocks(task)):
                by_id = self._ranked_by_id(t, name, index, of_queries, relevant, shared)
            consistency = by_id.consistency if by_id else self._consistency(t, name, index, of_queries, shared)
            phase, total = f"{name} · {task.name}: ranking", task.queries.height
            with self.course.stage(("rank", name, t), phase, total, "queries") as stage:
                stage.advance(total - sum(len(rows) for rows in blocks.values()), measured=False)
                for b, rows in blocks.items():
                    queries = task.queries[rows]
                    frame = search(
                        queries, of_queries[rows], passages, index, relevant, self.top_k,
                        self.top_of, partial(score_of, rows), left_out,
                        by_id.of(rows) if by_id else shared.rank if shared else rank,
                    )  # fmt: skip
                    own = queries.select("query_id", pl.col("language").alias("query_language")).with_columns(
                        pl.lit(MULTILINGUAL_POOL).alias("pool"),
                        pl.Series("consistency", consistency[rows], dtype=pl.Float32, nan_to_null=True),
                    )
                    frame = frame.join(
                        own, on=["query_id", "query_language", "pool"], how="left", maintain_order="left"
                    )
                    self.journal.write("ranking", block_key(name, t, b), with_columns(frame, about))
                    if t in self._found:
                        self._found[t].add(frame)
                    stage.advance(len(rows))
            del by_id  # as large as the rankings
        if not self.journal.has("summary", task_key(name, t)):
            self._summarise(t, task, about, vectors, seen)

    def _has_block(self, name: str, t: int, b: int) -> bool:
        return self.journal.has("ranking", block_key(name, t, b))

    def _ranked_by_id(
        self,
        t: int,
        name: str,
        index: PassageOrder,
        queries: Queries,
        relevant: pl.DataFrame,
        shared: SharedPassages | None,
    ) -> RankedById | None:
        """Return all queries ranked with their translations beside them; None where there are too many, or no others.

        What both steps of the course are for is done in that of the consistency, which is the longer one.
        """
        task = self.tasks[t]
        ids = task.queries["query_id"].to_list()
        query, passage = pairs_of(task.queries, relevant)
        whole = len(sampled_queries(ids, index.n_passages)) == len(ids) > task.queries["query_id"].n_unique()
        if not (whole and can_be_ranked_by_id(index, len(ids), len(query))) or (shared and not shared.in_all):
            return None
        asked = Asked(queries, query, passage, ids, self.top_k, self.top_of)
        phase = f"{name} · {task.name}: ranks and rank consistency"
        with self.course.stage(("consistency", name, t), phase, len(ids), "queries") as stage:
            if shared:
                return shared.by_id(index, asked, stage.advance)
            return RankedById(index, asked, ranked_parts(index, asked, stage.advance))

    def _consistency(
        self, t: int, name: str, index: PassageOrder, queries: Queries, shared: SharedPassages | None
    ) -> Floats:
        """Return the rank consistency of every query of the task; NaN where nothing is parallel.

        Where there are very many queries and passages, it is that of a sample of query ids, and NaN for the others.
        """
        task = self.tasks[t]
        ids = task.queries["query_id"].to_list()
        rows = sampled_queries(ids, index.n_passages)
        found = np.full(len(ids), np.nan)
        phase = f"{name} · {task.name}: rank consistency"
        with self.course.stage(("consistency", name, t), phase, len(rows), "queries") as stage:
            consistency = shared.consistency if shared else rank_consistency
            found[rows] = consistency(index, queries[rows], [ids[row] for row in rows], stage.advance)
        return found

    def _summarise(
        self, t: int, task: RetrievalTask, about: dict[str, str], vectors: TaskVectors, seen: Sequence[SummaryRow]
    ) -> None:
        """Write the alignment of the vectors, and the summary of all rankings with its intervals."""
        name = about["model"]
        key, label = task_key(name, t), f"{name} · {task.name}: audit"
        with self.course.stage(("alignment", name, t), label) as stage:
            pieces = Pieces(self.journal.kept(key), stage, label, alignment_seconds(task))
            rows: list[SummaryRow] = []
            if vectors.of_passages is not None and vectors.of_queries is not None:
                made = {"together": SharedAlignment(self.team, pieces.has).pieces} if self.team else {}
                rows, per_id = alignments(
                    task, vectors.passages, vectors.of_passages, vectors.of_queries, pieces.rows, pieces.frame, **made
                )
                if per_id.height:
                    self.journal.write("alignment", key, with_columns(per_id, about))
        with self.course.stage(("numbers", name, t), f"{label}, reading the rankings") as stage:
            keys = [block_key(name, t, b) for b in range(len(query_blocks(task)))]
            rankings = pl.concat([self.journal.read("ranking", key, list(BOUND)) for key in keys])
            digest = digest_of(rankings)
            pieces = Pieces(self.journal.kept(key), stage, label, numbers_seconds(task))
            numbers = summarise(rankings, task.pool_sizes, do=partial(pieces.frame, digest))
            summary = pl.concat([numbers, as_frame([*rows, *vectors.texts, *seen])])
            bound = summary.with_columns(pl.lit(digest).alias(COLUMN))
            self.journal.write("summary", key, with_columns(bound, about))
            self.journal.forget_kept(key)


ScoreOf = Callable[[npt.NDArray[np.int64], Vectors, npt.NDArray[np.int64]], Vectors]


def _as_they_are(_rows: npt.NDArray[np.int64], scores: Vectors, _of: npt.NDArray[np.int64]) -> Vectors:
    return scores


def _scores(ranked: Searchable, rows: npt.NDArray[np.int64], products: Vectors, of: npt.NDArray[np.int64]) -> Vectors:
    """Return the scores of products with the queries `of` among `rows`."""
    return ranked.scores(products, rows[of])


def no_mitigation(name: str) -> str:
    """Return why an encoder that has no single vector for a text cannot be mitigated."""
    return f"{name}: --mitigate takes something out of the vector of a text, and it has no single one"


def aligned(encoder: PrecomputedVectors, task: RetrievalTask, passages: pl.DataFrame) -> npt.NDArray[np.float32]:
    """Return the passage vectors in the order of `passages`, which is that of the index and not that of the task."""
    if len(encoder.queries) != task.queries.height or len(encoder.passages) != task.passages.height:
        raise EncoderError(
            f"{encoder.name}: {len(encoder.queries)} query and {len(encoder.passages)} passage vectors, but "
            f"{task.name} has {task.queries.height} queries and {task.passages.height} passages"
        )
    given = task.passages.select("passage_id").with_row_index("given")
    order = passages.select("passage_id").join(given, on="passage_id", how="left", maintain_order="left")["given"]
    return np.ascontiguousarray(encoder.passages[order.to_numpy()], dtype=np.float32)


def changed(path: Path, name: str) -> RunError:
    """Return the error of a run that has results of an encoder which is another one by now."""
    return RunError(
        f"{path}: the encoder {name!r} has changed since it was evaluated there (its files, the prompts or settings it "
        "is used with, or a library): start again with --overwrite, or write another run with --out"
    )


def variant_name(model: str, mitigation: Mitigation | None) -> str:
    """Return what reports call an encoder with a mitigation."""
    return f"{model}+{mitigation}" if mitigation else model
