"""The encoder protocol, and `embed`: unique texts, cached, checked vectors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol, cast

import numpy as np
import numpy.typing as npt

from xlbias.encode.cache import VectorCache
from xlbias.encode.options import Similarity
from xlbias.encode.parts import Batching, Part, parts
from xlbias.encode.similarity import Vectors, unit
from xlbias.errors import EncoderError, reason_of

if TYPE_CHECKING:
    from xlbias.encode.tokens import TokenCounts

Kind = Literal["query", "passage"]


class Encoder(Protocol):
    """Anything that turns texts into vectors: give `xlbias.evaluate` an object with these attributes.

    Attributes:
        name: how reports call it.
        dimension: length of a vector.
        similarity: how vectors are compared: ``"cosine"``, ``"dot"`` or ``"euclidean"``. For cosine, vectors may have
            any length: they are scaled to length 1 before anything is made of them.
        fingerprint: changes whenever the same text could get another vector (weights, tokenizer, prompts, device): the
            cache and ``--resume`` rely on it.

    An encoder that has them is also asked for these, which a run records: ``device``, ``dtype``, ``max_length``,
    ``card`` (what it was trained on), ``prompts`` (`xlbias.encode.prompts.Prompts`) and ``count_tokens(texts, kind)``,
    see `CountsTokens`. ``texts_at_a_time`` says how many texts it is given before they are kept, and so how many of
    them a kill loses at most. ``unrounded`` is the fingerprint of the same encoder whose vectors are not rounded
    afterwards: what one has in the cache serves the other.

    A whole encoder::

        class Mine:
            name, dimension, similarity, fingerprint = "mine", 300, "cosine", "mine-2"

            def encode(self, texts, kind):
                return my_vectors(["question: " + t if kind == "query" else t for t in texts])
    """

    name: str
    dimension: int
    similarity: Similarity

    @property
    def fingerprint(self) -> str:
        """See above."""

    def encode(self, texts: Sequence[str], kind: Kind) -> Vectors:
        """Return the vectors of texts, in their order.

        Args:
            texts: any texts; `embed` gives each only once.
            kind: ``"query"`` or ``"passage"``; an encoder puts its prompt for that before each text.

        Returns [n, dimension] numbers: float32, or anything that becomes float32, such as float16 or lists of lists.
        """


class CountsTokens(Protocol):
    """An encoder that can tell how many tokens its texts have, and which it cuts."""

    def count_tokens(self, texts: Sequence[str], kind: Kind) -> TokenCounts | None:
        """Return the counts of texts with the prompt of `kind`, one per text; None where it cannot tell."""


class Padding(CountsTokens, Protocol):
    """An encoder that pads the texts of a batch to the longest, so that it matters which stand together.

    Attributes:
        batching: how many texts it encodes at a time; None for one that does not pad.
    """

    batching: Batching | None

    def encode_batch(self, texts: Sequence[str], kind: Kind) -> Vectors:
        """Return what `Encoder.encode` returns, of texts that are one batch."""


class Advance(Protocol):
    """Told how far `embed` is."""

    def __call__(self, units: int, *, share: float, measured: bool) -> object:
        """Take in that `units` more texts are done: `share` of the work; `measured` if it was done now."""


def embed(
    encoder: Encoder,
    texts: Sequence[str],
    kind: Kind,
    *,
    cache: VectorCache | None = None,
    advance: Advance = lambda *_, **__: None,
    encoding: Encoding | None = None,
) -> Vectors:
    """Return the vectors of `texts`, float32 [n, dimension]; of length 1 for cosine.

    Every distinct text is encoded once, so equal texts get bit-for-bit equal vectors and tie exactly in a ranking.
    Longest first, in parts (see `parts`), each of which is in the cache once it is done. `advance` is told of
    ``len(texts)`` in all. `encoding` may have several processes make a part each; by default this one does. Raises
    EncoderError naming the text where a vector is not finite or has another shape.
    """
    unique, inverse = _distinct(texts)
    sizes, padding = _sizes(encoder, unique, kind)
    order = sorted(range(len(unique)), key=lambda i: (-sizes[i], unique[i]))
    vectors = np.empty((len(unique), encoder.dimension), dtype=np.float32)
    most: int | None = getattr(encoder, "texts_at_a_time", None)
    found = parts([sizes[i] for i in order], padding.batching if padding else None, most)
    key = f"{getattr(encoder, 'unrounded', encoder.fingerprint)}|{getattr(encoder, 'batching', '')}"
    done, all_work = 0, sum(part.work for part in found)

    def take(part: Part, made: Vectors, *, measured: bool) -> None:
        nonlocal done
        vectors[order[part.rows]] = made
        before, done = done, done + part.work
        ends = [end * len(texts) // all_work for end in (before, done)]
        advance(ends[1] - ends[0], share=done / all_work, measured=measured)

    together = encoding or _Alone(encoder)
    waiting: list[tuple[Part, list[str]]] = []
    for part in found:
        part_texts = [unique[i] for i in order[part.rows]]
        kept = cache.load(key, kind, part_texts) if cache else None
        if kept is None:
            waiting.append((part, part_texts))
        else:
            take(part, kept, measured=False)
        if waiting and (len(waiting) == together.at_a_time or part is found[-1]):
            wanted = [PartTexts.of(*one, padded=padding is not None) for one in waiting]
            for (made_part, made_texts), made in zip(waiting, together.encode(wanted, kind), strict=True):
                if cache:
                    cache.save(key, kind, made_texts, made)
                take(made_part, made, measured=True)
            waiting = []
    return vectors[inverse]


@dataclass(frozen=True)
class PartTexts:
    """The texts of a part, batch by batch.

    Attributes:
        batches: the texts of each.
        padded: whether the encoder is told that each is a batch, as it matters which stand together.
    """

    batches: list[list[str]]
    padded: bool

    @classmethod
    def of(cls, part: Part, texts: Sequence[str], *, padded: bool) -> PartTexts:
        """Return the texts of a part, of which all are given, in its batches."""
        first = part.rows.start
        return cls([list(texts[one.start - first : one.stop - first]) for one in part.batches], padded)

    def encoded(self, encoder: Encoder, kind: Kind) -> Vectors:
        """Return the checked vectors, float32 [n, dimension]."""
        make = cast(Padding, encoder).encode_batch if self.padded else encoder.encode
        return np.concatenate([_checked(encoder, make(some, kind), some, kind) for some in self.batches])


class Encoding(Protocol):
    """What makes the vectors of parts.

    Attributes:
        at_a_time: how many parts are made at a time.
    """

    at_a_time: int

    def encode(self, parts: Sequence[PartTexts], kind: Kind) -> Sequence[Vectors]:
        """Return the checked vectors of up to `at_a_time` parts."""


class _Alone:
    """An encoder in this process."""

    at_a_time = 1

    def __init__(self, encoder: Encoder) -> None:
        self._encoder = encoder

    def encode(self, parts: Sequence[PartTexts], kind: Kind) -> Sequence[Vectors]:
        """See `Encoding`."""
        return [part.encoded(self._encoder, kind) for part in parts]


def _sizes(encoder: Encoder, texts: Sequence[str], kind: Kind) -> tuple[Sequence[int], Padding | None]:
    """Return what each text is for the encoder: tokens that it reads, of one that pads; else characters."""
    pads = getattr(encoder, "batching", None) is not None and hasattr(encoder, "encode_batch")
    padding = cast(Padding, encoder) if pads else None
    counted = padding.count_tokens(texts, kind) if padding and texts else None
    if counted is None:
        return [len(text) for text in texts], None
    read = counted.tokens if counted.limit is None else np.minimum(counted.tokens, counted.limit)
    return read.tolist(), padding


def _distinct(texts: Sequence[str]) -> tuple[list[str], npt.NDArray[np.int64]]:
    index: dict[str, int] = {}
    inverse = np.fromiter((index.setdefault(text, len(index)) for text in texts), dtype=np.int64, count=len(texts))
    return list(index), inverse


def _checked(encoder: Encoder, given: Any, texts: Sequence[str], kind: Kind) -> Vectors:
    rows = as_vectors(given, encoder.name)
    if rows.shape != (len(texts), encoder.dimension):
        raise EncoderError(
            f"{encoder.name}: gave an array of shape {rows.shape} for {len(texts)} texts; "
            f"expected ({len(texts)}, {encoder.dimension})"
        )
    finite = np.isfinite(rows).all(axis=1)
    if not finite.all():
        bad = texts[int(np.flatnonzero(~finite)[0])]
        raise EncoderError(f"{encoder.name}: NaN or infinite vector for the {kind} {bad[:80]!r}")
    return unit(rows) if encoder.similarity == "cosine" else rows


def as_vectors(given: Any, name: str) -> Vectors:
    """Return what an encoder gave as float32 [n, d]: an array, a tensor or lists of numbers. Raises EncoderError."""
    try:
        return np.ascontiguousarray(given, dtype=np.float32)
    except (TypeError, ValueError) as error:
        lengths = {len(row) for row in given} if _is_table(given) else set()
        reason = f"rows of {min(lengths)} to {max(lengths)} numbers" if len(lengths) > 1 else reason_of(error)
        raise EncoderError(f"{name}: gave a {type(given).__name__} that is no array of numbers: {reason}") from error


def _is_table(given: Any) -> bool:
    return isinstance(given, list) and bool(given) and all(isinstance(row, list | tuple) for row in given)
