"""``vectors:DIR``: vectors that a system computed elsewhere, found by the ids of texts.

A folder with queries and passages, each in one of these forms:

* ``queries.parquet``: columns ``id`` and ``vector`` (a list of numbers), and ``language`` where ids are shared;
* ``queries.npy`` [n, d] and ``queries.ids.txt``, an id a line;
* ``queries.safetensors`` with one tensor [n, d], and ``queries.ids.txt``;
* ``queries.faiss``, an index that FAISS wrote, and ``queries.ids.txt``: line i is the text with the number i, counted
  from 0. Without that file the numbers of an ``IndexIDMap`` are the ids. What the index holds is what is compared:
  of one that compresses vectors, the compressed ones.

The id of a passage is its own; that of a query is its own, or ``LANGUAGE/ID`` where languages share ids, as
`xlbias data convert --format beir` writes them.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from xlbias.data.task import RetrievalTask
from xlbias.encode.encoder import as_vectors
from xlbias.encode.kinds.base import EncoderKind
from xlbias.encode.options import SIMILARITIES, Similarity
from xlbias.encode.precomputed import PrecomputedVectors
from xlbias.encode.shortened import Shortened
from xlbias.encode.similarity import Vectors
from xlbias.errors import EncoderError, reason_of

_SIDES = ("queries", "passages")
_ENDINGS = (".parquet", ".npy", ".safetensors", ".faiss")
_PLACE = re.compile(r"^Error in .* at \S+: ")
_METRICS: dict[int, Similarity] = {0: "dot", 1: "euclidean"}
"""FAISS's numbers of them."""


@dataclass(frozen=True, eq=False)
class VectorsById:
    """Vectors of queries and passages by their ids: of any task that has no others.

    Attributes:
        name: what reports call the encoder.
        queries: row of a vector by the query's id.
        passages: row of a vector by the passage's id.
        of_queries: float32 [n, d].
        of_passages: float32 [m, d].
        similarity: how they are compared.
        fingerprint: SHA-256 of the files and the similarity.
        content: SHA-256 of the files.
    """

    name: str
    queries: Mapping[str, int]
    passages: Mapping[str, int]
    of_queries: Vectors
    of_passages: Vectors
    similarity: Similarity
    fingerprint: str
    content: str

    @property
    def dimension(self) -> int:
        """Length of a vector."""
        return int(self.of_queries.shape[1])

    def of_task(self, task: RetrievalTask) -> PrecomputedVectors:
        """Return the vectors of a task, in the order of its frames. Raises EncoderError where one has none."""
        rows = []
        for own, language in task.queries.select("query_id", "language").iter_rows():
            row = self.queries.get(f"{language}/{own}", self.queries.get(own))
            if row is None:
                raise EncoderError(f"{self.name}: no vector of the query {own!r} in {language!r} of {task.name}")
            rows.append(row)
        passages = [self.passages.get(own) for own in task.passages["passage_id"]]
        for own, row in zip(task.passages["passage_id"], passages, strict=True):
            if row is None:
                raise EncoderError(f"{self.name}: no vector of the passage {own!r} of {task.name}")
        return PrecomputedVectors(
            self.of_queries[rows],
            self.of_passages[[row for row in passages if row is not None]],
            name=self.name,
            similarity=self.similarity,
        )


def _check(target: str) -> None:
    folder = Path(target).expanduser()
    if not folder.is_dir():
        what = "is a file; expected a folder" if folder.exists() else "there is no such folder"
        raise EncoderError(f"vectors:{target}: {what}")
    for side in _SIDES:
        _file(folder, side)


def _load(target: str, options: Mapping[str, Any]) -> VectorsById:
    folder = Path(target).expanduser()
    _check(target)
    found = {side: _read(_file(folder, side), side) for side in _SIDES}
    (queries, of_queries, _), (passages, of_passages, own) = found["queries"], found["passages"]
    if of_queries.shape[1] != of_passages.shape[1]:
        raise EncoderError(
            f"vectors:{target}: vectors of queries have {of_queries.shape[1]} numbers and those of passages "
            f"{of_passages.shape[1]}; expected as many"
        )
    similarity = options.get("similarity") or own or "cosine"
    if similarity not in SIMILARITIES:
        raise EncoderError(f"vectors:{target}: similarity is {similarity!r}; expected {', '.join(SIMILARITIES)}")
    shortened = Shortened(options.get("truncate_dim"))
    shortened.dimension(of_passages.shape[1], _label(target))
    content = _content(target) or ""
    fingerprint = hashlib.sha256(f"{content}|{similarity}{shortened}".encode()).hexdigest()
    of_queries, of_passages = shortened.of(of_queries), shortened.of(of_passages)
    return VectorsById(_label(target), queries, passages, of_queries, of_passages, similarity, fingerprint, content)


def _file(folder: Path, side: str) -> Path:
    there = [folder / f"{side}{ending}" for ending in _ENDINGS if (folder / f"{side}{ending}").is_file()]
    if len(there) != 1:
        what = f"several files of {side}" if there else f"no file {side}{' or '.join(_ENDINGS)}"
        raise EncoderError(f"{folder}: {what}; expected one of {', '.join(side + ending for ending in _ENDINGS)}")
    return there[0]


def _read(file: Path, side: str) -> tuple[dict[str, int], Vectors, Similarity | None]:
    """Return rows by id, the vectors, and the similarity that the file asks for, None where it names none."""
    similarity = None
    if file.suffix == ".parquet":
        ids, given = _of_table(file, side)
    elif file.suffix == ".faiss":
        ids, given, similarity = _of_index(file)
    else:
        ids, given = _ids_beside(file), _of_array(file)
    vectors = as_vectors(given, str(file))
    if vectors.ndim != 2 or len(vectors) != len(ids):
        raise EncoderError(f"{file}: an array of shape {vectors.shape} for {len(ids):,} ids; expected ({len(ids)}, d)")
    finite = np.isfinite(vectors).all(axis=1)
    if not finite.all():
        raise EncoderError(f"{file}: NaN or infinite vector of {ids[int(np.flatnonzero(~finite)[0])]!r}")
    index = {own: row for row, own in enumerate(ids)}
    if len(index) < len(ids):
        doubled = next(own for row, own in enumerate(ids) if index[own] != row)
        raise EncoderError(f"{file}: the id {doubled!r} is there twice")
    return index, vectors, similarity


def _of_table(file: Path, side: str) -> tuple[list[str], Any]:
    try:
        table = pl.read_parquet(file)
    except (pl.exceptions.PolarsError, OSError) as error:
        raise EncoderError(f"{file}: cannot be read as Parquet: {error}") from error
    missing = [name for name in ("id", "vector") if name not in table.columns]
    if missing:
        raise EncoderError(
            f"{file}: no column {missing[0]!r}; expected id and vector, it has {', '.join(table.columns)}"
        )
    own = pl.col("id").cast(pl.String)
    if "language" in table.columns and side == "queries":
        own = pl.concat_str("language", pl.lit("/"), own)
    lengths = table["vector"].list.len() if table.schema["vector"] == pl.List else None
    if lengths is not None and lengths.n_unique() > 1:
        raise EncoderError(f"{file}: vectors of different lengths: {sorted(set(lengths))[:2]}")
    return table.select(own).to_series().to_list(), np.array(table["vector"].to_list(), dtype=np.float32)


def _of_array(file: Path) -> Any:
    try:
        if file.suffix == ".npy":
            return np.load(file, allow_pickle=False)
        from safetensors.numpy import load_file

        tensors = load_file(str(file))
    except Exception as error:
        if file.suffix == ".npy" and isinstance(error, ValueError) and "pickle" in str(error):
            raise EncoderError(f"{file}: is pickled, or not from numpy.save; expected an array of numbers") from error
        raise EncoderError(f"{file}: cannot be read: {reason_of(error)}") from error
    if len(tensors) != 1:
        raise EncoderError(f"{file}: holds {len(tensors)} tensors; expected one")
    return next(iter(tensors.values()))


def _of_index(file: Path) -> tuple[list[str], Any, Similarity]:
    """Return ids, vectors and the similarity of an index of FAISS."""
    import faiss

    try:
        index: Any = faiss.read_index(str(file))
        outer = index  # one of ids owns the one inside it, so it must live on
        metric = int(index.metric_type)
        numbers = np.arange(index.ntotal)
        mapped = isinstance(index, faiss.IndexIDMap | faiss.IndexIDMap2)
        if mapped:
            numbers, index = faiss.vector_to_array(outer.id_map), faiss.downcast_index(outer.index)
        if isinstance(index, faiss.IndexIVF):
            index.make_direct_map()
        given = index.reconstruct_n(0, index.ntotal)
    except Exception as error:  # FAISS raises RuntimeError, with the place in its own code in front
        reason = _PLACE.sub("", reason_of(error))
        raise EncoderError(f"{file}: cannot be read as an index of FAISS: {reason[:200]}") from error
    if metric not in _METRICS:
        raise EncoderError(f"{file}: compares vectors by FAISS's metric {metric}; expected inner product or L2")
    if mapped and not _ids_path(file).exists():
        return [str(number) for number in numbers], given, _METRICS[metric]
    ids = _ids_beside(file)
    if len(numbers) and not 0 <= numbers.min() <= numbers.max() < len(ids):
        raise EncoderError(
            f"{file}: holds the numbers {numbers.min()} to {numbers.max()}, and {_ids_path(file).name} has "
            f"{len(ids):,} lines; expected a line for each, counted from 0"
        )
    return [ids[number] for number in numbers], given, _METRICS[metric]


def _ids_path(file: Path) -> Path:
    return file.with_name(f"{file.stem}.ids.txt")


def _ids_beside(file: Path) -> list[str]:
    path = _ids_path(file)
    try:
        return path.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise EncoderError(f"{path}: cannot be read; expected the ids of {file.name}, one a line") from error


def _content(target: str) -> str | None:
    digest = hashlib.sha256()
    folder = Path(target).expanduser()
    for file in sorted(path for side in _SIDES for path in folder.glob(f"{side}.*")):
        digest.update(file.name.encode())
        with file.open("rb") as stream:
            digest.update(hashlib.file_digest(stream, "sha256").digest())
    return digest.hexdigest()


def _label(target: str) -> str:
    return Path(target).expanduser().resolve().name


KIND = EncoderKind(
    name="vectors",
    summary="vectors that were made elsewhere, by the ids of queries and passages: a folder with queries and passages "
    "as .parquet, .npy, .safetensors or .faiss",
    example="vectors:DIR",
    encodes=False,
    takes=frozenset({"similarity", "truncate_dim"}),
    means="vectors that are there",
    check=_check,
    load=_load,
    content=_content,
    label=_label,
)
