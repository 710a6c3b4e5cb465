"""Encoders of sentence-transformers that score a query and a passage without a single vector for each: sparse ones
(SPLADE), with a weight for each word, and those of late interaction (ColBERT), with a vector for each token.

Imports the libraries when one is made, so that it costs nothing to ask whether an encoder is one.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import numpy as np
import numpy.typing as npt

from xlbias.encode.cache import VectorCache
from xlbias.encode.card import read_card
from xlbias.encode.encoder import Advance, Kind
from xlbias.encode.loadable import LATE, SPARSE
from xlbias.encode.options import Similarity
from xlbias.encode.parts import parts
from xlbias.encode.prompts import find_prompts
from xlbias.encode.ragged import Ragged, joined
from xlbias.encode.similarity import chosen_similarity
from xlbias.encode.tokens import TokenCounts
from xlbias.errors import EncoderError

if TYPE_CHECKING:
    import torch
    from sentence_transformers import MultiVectorEncoder, SparseEncoder

_LOGGER = logging.getLogger(__name__)
_USUAL_BATCH = 32


class ScoredEncoder:
    """A SparseEncoder or a MultiVectorEncoder, whose scores are taken in place of its vectors' products.

    Attributes:
        representation: ``sparse`` or ``late interaction``.
        similarity: ``dot``, ``cosine``, ``euclidean`` or ``manhattan`` of a sparse one; ``maxsim`` or ``meanmaxsim`` of
            one of late interaction: the sum, or the mean, over a query's tokens of the best product with a passage's.
        dimension: how many words there are, or the length of a token's vector.

    For the others see `xlbias.encode.pretrained.PretrainedEncoder`.
    """

    def __init__(
        self,
        model: SparseEncoder | MultiVectorEncoder,
        name: str,
        *,
        batch_size: int | None = None,
        card: dict[str, Any] | None = None,
        content: str | None = None,
        query_prompt: str | None = None,
        passage_prompt: str | None = None,
        similarity: str | None = None,
        max_length: int | None = None,
    ) -> None:
        from sentence_transformers import SparseEncoder

        from xlbias.encode.fingerprint import fingerprint as fingerprint_of
        from xlbias.encode.truncation import longest, shorten_texts

        self.model: Any = model
        self.name, self.card, self.content = name, card or {}, content
        self.representation = SPARSE if isinstance(model, SparseEncoder) else LATE
        self._batch_size = batch_size or _USUAL_BATCH
        if max_length is not None:
            shorten_texts(self.model, max_length, name)
        self.own_similarity: str = model.similarity_fn_name
        self.similarity: Similarity | str = (
            chosen_similarity(self.own_similarity, similarity, name)
            if self.representation == SPARSE
            else self.own_similarity
        )
        if self.similarity == "manhattan":
            raise EncoderError(f"{name}: manhattan distance of sparse vectors cannot be ranked by: name a --similarity")
        self.prompts = find_prompts(
            model.prompts, model.default_prompt_name, query=query_prompt, passage=passage_prompt, encoder=name
        )
        self.dimension = int(self.model.encode_query(["dimension"], show_progress_bar=False)[0].shape[-1])
        facts: dict[str, Any] = {"similarity": self.similarity, "representation": self.representation}
        facts |= {kind: self.prompts.text(kind) for kind in get_args(Kind)}
        facts["most"] = getattr(model, "max_active_dims", None)
        self.fingerprint = fingerprint_of(self.model, facts, content)
        self.device = str(model.device)
        self.dtype = next((str(p.dtype).removeprefix("torch.") for p in model.parameters()), None)
        self.max_length = {kind: longest(self.model, kind) for kind in get_args(Kind)}

    @classmethod
    def load(
        cls,
        name: str,
        representation: str,
        *,
        device: str | None = None,
        trust_remote_code: bool = False,
        dtype: str | None = None,
        say: Callable[[str], None] | None = None,
        **options: Any,
    ) -> ScoredEncoder:
        """Load a folder or hub name; see `xlbias.load_encoder`."""
        from sentence_transformers import MultiVectorEncoder, SparseEncoder

        from xlbias.encode.loading import load_model

        loaded = load_model(
            name,
            device=device,
            trust_remote_code=trust_remote_code,
            pooling=None,
            dtype=dtype,
            say=say or _LOGGER.warning,
            of={SPARSE: SparseEncoder, LATE: MultiVectorEncoder}[representation],
        )
        path = Path(name).expanduser()
        card = read_card(path) if path.is_dir() else {}
        label = card.get("name") or (path.resolve().name if path.is_dir() else name)
        taken = {option: value for option, value in options.items() if option not in ("truncate_dim", "pooling")}
        return cls(loaded.model, label, card=card, content=loaded.content, **taken)

    def encode_ragged(self, texts: Sequence[str], kind: Kind) -> Ragged:
        """Return the weights, or the tokens' vectors, of texts. Raises EncoderError where one is not finite."""
        encode = self.model.encode_query if kind == "query" else self.model.encode_document
        how = {"prompt": self.prompts.text(kind), "batch_size": self._batch_size, "show_progress_bar": False}
        if self.representation == SPARSE:
            weights = encode(list(texts), convert_to_sparse_tensor=True, save_to_cpu=True, **how)
            if tuple(weights.shape) != (len(texts), self.dimension):
                raise EncoderError(
                    f"{self.name}: gave {tuple(weights.shape)} weights for {len(texts)} texts; expected "
                    f"({len(texts)}, {self.dimension})"
                )
            found = _of_sparse(weights, len(texts))
        else:
            vectors = [one.detach().float().cpu().numpy() for one in encode(list(texts), **how)]
            found = Ragged(
                np.array([len(one) for one in vectors], dtype=np.int64),
                np.concatenate([np.empty((0, self.dimension), np.float32), *vectors]),
            )
        finite = np.isfinite(found.values).reshape(len(found.values), -1).all(axis=1)
        if not finite.all():
            at = int(np.searchsorted(found.starts, np.flatnonzero(~finite)[0], side="right")) - 1
            raise EncoderError(f"{self.name}: NaN or infinite number for the {kind} {texts[at][:80]!r}")
        return found

    def count_tokens(self, texts: Sequence[str], kind: Kind) -> TokenCounts | None:
        """Return how many tokens texts have with the prompt of `kind`; see `xlbias.encode.truncation`."""
        from xlbias.encode.truncation import count_tokens

        return count_tokens(self.model, texts, kind, self.prompts.text(kind))


def _of_sparse(tensor: torch.Tensor, n: int) -> Ragged:
    rows = tensor.coalesce()
    text, place = rows.indices().numpy()
    return Ragged(
        np.bincount(text, minlength=n).astype(np.int64), rows.values().float().numpy(), place.astype(np.int64)
    )


def embed_ragged(
    encoder: ScoredEncoder,
    texts: Sequence[str],
    kind: Kind,
    *,
    cache: VectorCache | None = None,
    advance: Advance = lambda *_, **__: None,
) -> tuple[Ragged, npt.NDArray[np.int64]]:
    """Return what distinct texts have, and int64 [n], which of these each of `texts` is.

    Each is encoded once, so that equal texts tie exactly; longest first, in parts, each of which is in the cache once
    it is done.
    """
    unique = sorted(dict.fromkeys(texts), key=lambda text: (-len(text), text))
    found: list[Ragged] = []
    planned = parts([len(text) for text in unique], None)
    done, work = 0, sum(part.work for part in planned)
    for part in planned:
        some = unique[part.rows]
        kept = cache.load_bytes(encoder.fingerprint, kind, some) if cache else None
        of_part = encoder.encode_ragged(some, kind) if kept is None else Ragged.from_bytes(kept)
        if cache and kept is None:
            cache.save_bytes(encoder.fingerprint, kind, some, of_part.to_bytes())
        found.append(of_part)
        before, done = done, done + part.work
        ends = [end * len(texts) // work for end in (before, done)]
        advance(ends[1] - ends[0], share=done / work, measured=kept is None)
    index = {text: at for at, text in enumerate(unique)}
    return joined(found), np.fromiter((index[text] for text in texts), dtype=np.int64, count=len(texts))
