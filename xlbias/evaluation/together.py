"""What several processes do of an evaluation: encode a part each, rank with a share of the passages each.

The first process plans, as one alone would: parts and batches are the same whoever makes them, so vectors are too. It
has the only cache, and all vectors; the others are sent what they need. Below a block of passages each holds all of
them, and takes some query ids of the rank consistency as well, or of all ranks where these share their scores; above
that each holds its share, and the first process takes the consistency, of a sample, from its file. Pieces of the
alignment are made side by side, with all vectors of parallel texts in each.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from itertools import chain
from typing import IO, TYPE_CHECKING, Any, TypeVar, cast

import numpy as np
import numpy.typing as npt

from xlbias.encode import vector_file
from xlbias.encode.encoder import Encoder, Kind, PartTexts
from xlbias.encode.similarity import Vectors
from xlbias.encode.vector_file import VectorFile
from xlbias.encode.vector_rows import HeldRows, SomeRows, VectorRows
from xlbias.errors import EncoderError
from xlbias.evaluation.alignment import reads_of
from xlbias.measures.alignment.audit import Rows, pieces
from xlbias.measures.alignment.parallel import ParallelVectors
from xlbias.measures.ragged import Floats
from xlbias.progress import Piece
from xlbias.retrieve.by_id import RankedById, ranked_parts
from xlbias.retrieve.consistency import rank_consistency
from xlbias.retrieve.index import PASSAGE_TILE, PassageIndex, PassageOrder, Queries
from xlbias.retrieve.ranks import Asked, PairRanks, rank
from xlbias.retrieve.shares import merged, share_of_tiles
from xlbias.retrieve.topk import Best, TopK

if TYPE_CHECKING:
    from xlbias.processes.team import Team

Array = TypeVar("Array", bound=npt.NDArray[Any])

Load = Callable[..., Any]
"""Loads an encoder, also in another process; given `say` it says what the libraries warn of."""


class SharedEncoding:
    """Makes as many parts at a time as there are processes: `xlbias.encode.encoder.Encoding`.

    Args:
        team: the processes, of which this is the first.
        load: loads the encoder in the others.
        encoder: the encoder here.
    """

    def __init__(self, team: Team, load: Load, encoder: Any) -> None:
        self._team, self._load, self._encoder = team, load, encoder
        self.at_a_time = team.world

    def encode(self, parts: Sequence[PartTexts], kind: Kind) -> Sequence[Vectors]:
        """See `Encoding`."""
        if len(parts) == 1:
            return [parts[0].encoded(self._encoder, kind)]
        self._team.ask(_encode, self._load, self._encoder.fingerprint, kind)
        dealt = [*parts, *[None] * (self._team.world - len(parts))]
        own = self._team.scatter(dealt)
        made = own.encoded(self._encoder, kind) if own else None
        return [vectors for vectors in self._team.gather(made) if vectors is not None]


def _encode(team: Team, load: Load, fingerprint: str, kind: Kind) -> None:
    """Make one part, or none, in a process that does not lead."""
    part = cast("PartTexts | None", team.scatter(()))
    made = None
    if part is not None:
        known, encoder = team.state.get("encoder", (None, None))
        if known != fingerprint:
            encoder = load()
            if encoder.fingerprint != fingerprint:
                raise EncoderError(
                    f"{encoder.name}: is another encoder in process {team.rank} than in the first (its files, a "
                    "library or the kind of device): all processes must see the same"
                )
            team.state["encoder"] = fingerprint, encoder
        made = part.encoded(cast(Encoder, encoder), kind)
    team.gather(made)


class SharedPassages:
    """The passages of a task with their vectors, shared out to all processes.

    Args:
        team: the processes, of which this is the first.
        index: the passages, with all vectors.

    Attributes:
        in_all: whether each process holds all vectors.
    """

    def __init__(self, team: Team, index: PassageIndex) -> None:
        self._team, rows = team, index.rows_of_vectors
        block = vector_file.BLOCK
        self.in_all = isinstance(rows, HeldRows) and len(rows) <= block
        team.ask(_hold, index.of_others(None, range(0)), block, self.in_all)
        if isinstance(rows, HeldRows) and self.in_all:
            team.same(rows.vectors)
        else:
            for other in range(1, team.world):
                first, stop = _columns(index, _tiles(index, other, team))
                for start in range(first, stop, block):
                    team.send(rows.read(start, min(start + block, stop)), other)
        self._own = index.of_others(rows, _tiles(index, 0, team), (0, team.world) if self.in_all else None)

    def rank(self, index: PassageOrder, asked: Asked) -> tuple[PairRanks, list[TopK]]:
        """Return what `xlbias.retrieve.ranks.rank` does of the whole index."""
        index.check(asked.queries, asked.query_ids)
        self._team.ask(_rank, asked)
        return rank(self._own, asked, shares=Together(self._team))

    def consistency(
        self, index: PassageOrder, queries: Queries, query_ids: Sequence[str], advance: Callable[[int], None]
    ) -> Floats:
        """Return what `xlbias.retrieve.consistency.rank_consistency` does; in all processes where each holds all."""
        if not self.in_all:
            return rank_consistency(index, queries, query_ids, advance)
        self._team.ask(_consistency, queries, query_ids)
        own = rank_consistency(index, queries, query_ids, advance, (0, self._team.world))
        found: Floats = np.fmax.reduce(self._team.gather(own))
        return found

    def by_id(self, index: PassageOrder, asked: Asked, advance: Callable[[int], None]) -> RankedById:
        """Return all queries ranked with their translations beside them, of passages that every process holds."""
        index.check(asked.queries, asked.query_ids)
        self._team.ask(_by_id, asked)
        own = list(ranked_parts(index, asked, advance, (0, self._team.world)))
        return RankedById(index, asked, chain.from_iterable(self._team.gather(own)))


class SharedAlignment:
    """Makes as many pieces of the alignment at a time as there are processes.

    Args:
        team: the processes, of which this is the first.
        has: whether a piece of a side has been made before.
    """

    def __init__(self, team: Team, has: Callable[[str, Piece[Rows]], bool]) -> None:
        self._team, self._has = team, has

    def pieces(self, side: str, parallel: ParallelVectors, whole: list[Piece[Rows]]) -> Iterator[Piece[Rows]]:
        """Yield the pieces of a side in their order, those that were not made before with what was found."""
        missing = [number for number, piece in enumerate(whole) if not self._has(side, piece)]
        shared = len(missing) > 1
        if shared:
            self._team.ask(_hold_parallel, parallel)
        found: dict[int, Rows] = {}
        for number, piece in enumerate(whole):
            if shared and number in missing and number not in found:
                dealt = [one for one in missing if one >= number][: self._team.world]
                self._team.ask(_make_pieces, dealt)
                found.update(zip(dealt, self._team.gather(piece.make()), strict=False))
            yield replace(piece, make=partial(found.pop, number)) if number in found else piece


class Together:
    """Puts together what the processes found of the same queries, for the first: `xlbias.retrieve.shares.Shares`."""

    def __init__(self, team: Team) -> None:
        self._team = team

    def sum(self, own: Array) -> Array:
        """See `Shares`."""
        return self._team.sum(own)

    def best(self, own: Best) -> Best | None:
        """See `Shares`."""
        found = self._team.gather(own)
        return merged([own, *found[1:]]) if found else None


def _hold(team: Team, index: PassageIndex, block: int, in_all: bool) -> None:
    """Take vectors of passages, in a process that does not lead: all of them, or a share, so many at a time."""
    tiles, rows = _tiles(index, team.rank, team), cast(VectorRows, None)
    if in_all:
        rows = HeldRows(team.same(np.empty((index.n_passages, index.dimension), dtype=np.float32)))
    else:
        first, stop = _columns(index, tiles)
        rows = SomeRows(
            _received(team, stop - first, index.dimension, block), first, index.n_passages, index.largest_norm
        )
    team.state["index"] = index.of_others(rows, tiles, (team.rank, team.world) if in_all else None)


def _received(team: Team, n: int, dimension: int, block: int) -> VectorRows:
    """Return rows that the first process sends: in memory, or beyond a block in a temporary file."""
    if n <= block:
        held = np.empty((n, dimension), dtype=np.float32)
        if n:
            team.receive(held)
        return HeldRows(held)
    kept = cast(IO[bytes], tempfile.TemporaryFile(prefix="xlbias-share-", buffering=0))  # noqa: SIM115  # with its rows
    file = VectorFile(kept, n, dimension, "float32", cosine=False)
    for start in range(0, n, block):
        part = np.empty((min(block, n - start), dimension), dtype=np.float32)
        team.receive(part)
        file.write(start, part, np.zeros(len(part), dtype=np.bool_), np.empty(0, dtype=np.int64))
    return file


def _rank(team: Team, asked: Asked) -> None:
    rank(team.state["index"], asked, shares=Together(team))


def _consistency(team: Team, queries: Queries, query_ids: Sequence[str]) -> None:
    share = (team.rank, team.world)
    team.gather(rank_consistency(team.state["index"], queries, query_ids, share=share))


def _by_id(team: Team, asked: Asked) -> None:
    index = team.state["index"]
    whole = index.of_others(index.rows_of_vectors, range(index.n_tiles))
    team.gather(list(ranked_parts(whole, asked, share=(team.rank, team.world))))


def _hold_parallel(team: Team, parallel: ParallelVectors) -> None:
    """Take the vectors of a side, in a process that does not lead."""
    for vectors in parallel.vectors.values():
        vectors.flags.writeable = False  # what is made of a language is kept then
    team.state["pieces"] = pieces(parallel, reads=reads_of(parallel))


def _make_pieces(team: Team, dealt: Sequence[int]) -> None:
    own = team.state["pieces"][dealt[team.rank]].make() if team.rank < len(dealt) else None
    team.gather(own)


def _tiles(index: PassageIndex, holder: int, team: Team) -> range:
    return share_of_tiles(index.n_tiles, holder, team.world)


def _columns(index: PassageIndex, tiles: range) -> tuple[int, int]:
    """Return the first column of some tiles, and that behind the last."""
    return tiles.start * PASSAGE_TILE, min(tiles.stop * PASSAGE_TILE, index.n_passages)
