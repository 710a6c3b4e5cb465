"""Encoders with one fault each, and the tasks that they are tried on."""

import zlib
from types import SimpleNamespace

import numpy as np
import polars as pl

from xlbias.data.task import RetrievalTask

LANGUAGES = ("de", "en", "th", "zh")
N_IDS = 30


def task(name: str, domain: str, n_ids: int = N_IDS) -> RetrievalTask:
    ids = [f"{name}{number:03d}" for number in range(n_ids)]
    pairs = [(one, language) for one in ids for language in LANGUAGES]
    return RetrievalTask(
        name, domain, "made by the test", "none",
        pl.DataFrame([(i, tag, f"q {i} {tag}") for i, tag in pairs], ["query_id", "language", "text"], orient="row"),
        pl.DataFrame([(f"{tag}-{i}", tag, f"p {i} {tag}") for i, tag in pairs], ["passage_id", "language", "text"],
                     orient="row"),
        pl.DataFrame([(i, f"{tag}-{i}", 1) for i, tag in pairs], ["query_id", "passage_id", "relevance"], orient="row"),
    )  # fmt: skip


def drawn(*words: str) -> np.ndarray:
    return np.random.default_rng(zlib.crc32(" ".join(words).encode())).standard_normal(24)


class Planted:
    """An encoder with one fault: of a text it sees what is asked, its language and noise, as much as is said."""

    dimension, similarity = 24, "cosine"

    def __init__(self, name, noise=0.5, by_language=None, own=0.0, away=0.0, card=None, tokens=None, pull=None):
        self.name, self.fingerprint = name, f"{name}-1"
        self.noise, self.by_language, self.own, self.away = noise, by_language or {}, own, away
        self.card, self.tokens, self.pull = card or {}, tokens, pull

    def encode(self, texts, kind):
        return np.array([self.vector(*text.split()) for text in texts], np.float32)

    def vector(self, side, about, language):
        if self.noise is None:
            return np.ones(24)
        noise = self.by_language.get((side, language), self.noise) + (self.away if about.startswith("away") else 0.0)
        vector = drawn(about) + noise * drawn(self.name, side, about, language) + self.own * drawn(language)
        if self.pull is not None:  # towards what is in some languages, whatever is asked
            vector = vector + (1.0 if side == "q" else self.pull.get(language, 0.0)) * drawn("pull")
        return vector

    def count_tokens(self, texts, kind):
        if self.tokens is None:
            return None
        length, unknown, cut = np.array([self.tokens.get(text.split()[2], (5, 0, False)) for text in texts]).T
        return SimpleNamespace(tokens=length.astype(int), unknown=unknown.astype(int), cut=cut.astype(bool))


HOME = [{"name": "somewhere", "domain": "home", "fingerprint": "0" * 64}]
