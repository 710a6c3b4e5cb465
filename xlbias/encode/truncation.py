"""How many tokens texts have, and which texts an encoder cuts: counted from its tokenizer and the texts alone.

A model reads so many tokens of a text and drops the rest. A language that its tokenizer splits into more pieces loses
more of its texts. Vectors do not tell this, so the counts are taken beside them, also where vectors are in the cache.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, get_args

from sentence_transformers import SentenceTransformer
from sentence_transformers.base.modules import Router, Transformer
from sentence_transformers.sentence_transformer.modules import StaticEmbedding
from tokenizers import Tokenizer

from xlbias.encode.prompts import Side
from xlbias.encode.sizes import check_length, longest_of
from xlbias.encode.tokens import TokenCounts, counted, known_limit, of_static
from xlbias.errors import EncoderError


def count_tokens(model: SentenceTransformer, texts: Sequence[str], side: Side, prompt: str) -> TokenCounts | None:
    """Return the tokens of texts as `model` splits them, or None where it has no tokenizer that could tell.

    That are models that begin with a fast tokenizer (of transformers, or of a static encoder), and put prompts before
    texts; a model that reads chat messages has a template around them, and is not counted.
    """
    found = _tokenizer(model, side)
    if found is None:
        return None
    tokenizer, special, unknown, limit = found
    return counted(tokenizer, texts, prompt, special=special, unknown_token=unknown, limit=limit)


def longest(model: SentenceTransformer, side: Side) -> int | None:
    """Return how many tokens of a text `model` reads at most, None where there is no limit or none is known."""
    found = _tokenizer(model, side)
    return found[3] if found else known_limit(getattr(model, "max_seq_length", None))


def shorten_texts(model: SentenceTransformer, most: int, name: str) -> None:
    """Have `model` read `most` tokens of a text. Raises EncoderError where it cannot be told to, or not so many."""
    for side in get_args(Side):
        module = _first(model, side)
        if type(module) is not Transformer or module.tokenizer is None:
            raise EncoderError(f"{name}: cannot be told how much of a text to read, so that --max-length means nothing")
        config = module.model.config
        check_length(most, longest_of(config.to_dict()), name)
        special = module.tokenizer.num_special_tokens_to_add()
        if most <= special:
            raise EncoderError(
                f"{name}: puts {special} tokens of its own around a text; expected --max-length {special + 1:,} or more"
            )
        module.max_seq_length = most
        for length in ("query_length", "document_length"):
            if getattr(module, length) is not None:
                setattr(module, length, most)
        for options in module.processing_kwargs.values():
            if isinstance(options, dict) and "max_length" in options:
                options["max_length"] = most


def _first(model: SentenceTransformer, side: Side) -> Any:
    """Return the module that reads the texts of a side; None where that is not known."""
    module: Any = model[0]
    if not isinstance(module, Router):
        return module
    route = "query" if side == "query" else "document"
    return module.sub_modules[route][0] if route in module.sub_modules else None


def _tokenizer(model: SentenceTransformer, side: Side) -> tuple[Tokenizer, bool, int | None, int | None] | None:
    """Return tokenizer, whether it adds special tokens, its unknown token and the limit; None where it is not known."""
    module = _first(model, side)
    if type(module) is StaticEmbedding:
        own: Tokenizer = module.tokenizer
        return own, False, *of_static(own)
    if type(module) is not Transformer or "message" in module.modality_config:
        return None
    backend = getattr(module.tokenizer, "backend_tokenizer", None)
    if not isinstance(backend, Tokenizer):
        return None
    length = module.query_length if side == "query" else module.document_length
    options = {**module.processing_kwargs.get("common", {}), **module.processing_kwargs.get("text", {})}
    limit = options.get("max_length", length or module.tokenizer.model_max_length)
    if options.get("truncation") is False:
        limit = None
    return backend, bool(options.get("add_special_tokens", True)), module.tokenizer.unk_token_id, known_limit(limit)
