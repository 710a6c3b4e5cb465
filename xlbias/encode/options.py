"""What may be asked of an encoder, by name: for commands and recipes, which load no library to offer it."""

from __future__ import annotations

from typing import Literal, get_args

Pooling = Literal["mean", "cls", "max", "lasttoken", "weightedmean", "mean_sqrt_len_tokens"]
POOLINGS: tuple[Pooling, ...] = get_args(Pooling)
"""How the vectors of a text's tokens become one; `sentence_transformers` explains each."""

Dtype = Literal["float32", "float16", "bfloat16", "int8"]
DTYPES: tuple[Dtype, ...] = get_args(Dtype)
"""Types of an encoder's weights; ``int8`` leaves them, and rounds its vectors to 256 steps a dimension."""

Similarity = Literal["cosine", "dot", "euclidean", "manhattan"]
SIMILARITIES: tuple[Similarity, ...] = get_args(Similarity)
"""How two vectors are compared, see `xlbias.encode.similarity`."""

Tokens = Literal["base", "seen", "own"]
"""What a static encoder is distilled into, see `xlbias.encode.distil`."""
