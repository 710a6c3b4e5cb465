"""Rankings written out in full, passage by passage, and the arrays that measures take made from them.

``th: DE en TH1 EN1`` is a search in Thai that found a relevant German passage first, then an English one that is not
relevant, then two relevant ones that are translations of one another (group 1). In ``de: DE=en=TH de`` the first three
score the same.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain, islice, permutations, product

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from xlbias.measures.pooled import PooledRankings

LANGUAGES = ("de", "en", "th", "zh")


@dataclass(frozen=True)
class Passage:
    language: str
    relevant: bool
    group: str = ""


@dataclass(frozen=True, repr=False)
class Search:
    """A query in one language and the whole pool as it was ranked, best first."""

    query_language: str
    ranking: tuple[Passage, ...]
    sizes: tuple[int, ...] = ()
    """How many passages share a score, from the best; nothing where none do."""

    @classmethod
    def parse(cls, text: str) -> Search:
        language, ranked = text.split(":")
        found = [re.fullmatch(r"([a-z]+|[A-Z]+)(\d*)", token) for token in ranked.replace("=", " ").split()]
        sizes = tuple(token.count("=") + 1 for token in ranked.split())
        passages = tuple(Passage(m[1].lower(), m[1].isupper(), m[2]) for m in found)
        return cls(language, passages, sizes if "=" in ranked else ())

    @property
    def blocks(self) -> list[tuple[Passage, ...]]:
        """The ranking in pieces of equal scores."""
        left = iter(self.ranking)
        return [tuple(islice(left, size)) for size in self.sizes or (1,) * len(self.ranking)]

    def orders(self) -> list[Search]:
        """This search with its equal scores in every order."""
        ways = product(*(permutations(block) for block in self.blocks))
        return [Search(self.query_language, tuple(chain.from_iterable(way))) for way in ways]

    def __repr__(self) -> str:
        tokens = [(p.language.upper() if p.relevant else p.language) + p.group for p in self.ranking]
        return f"{self.query_language}: {' '.join(tokens)}"

    @property
    def relevants(self) -> list[tuple[int, Passage]]:
        """Rank and passage of each that is relevant."""
        return [(rank, passage) for rank, passage in enumerate(self.ranking, 1) if passage.relevant]

    def ranks_in(self, language: str) -> list[int]:
        return [rank for rank, passage in self.relevants if passage.language == language]


@dataclass(frozen=True)
class Made:
    """Searches over one pool, as they were written and as measures take them; the first `depth` passages are kept."""

    searches: tuple[Search, ...]
    depth: int = 10

    @cached_property
    def pool(self) -> Counter[str]:
        """Passages by language, the same in every ranking."""
        first, *others = (Counter(p.language for p in search.ranking) for search in self.searches)
        assert all(first == other for other in others), self.searches
        return first

    @property
    def languages(self) -> list[str]:
        return sorted(self.pool)

    @cached_property
    def pooled(self) -> PooledRankings:
        return arrays(self.searches, self.pool, self.depth)


def arrays(searches: Sequence[Search], pool: Counter[str], depth: int = 10) -> PooledRankings:
    languages = sorted(pool)
    pairs = [pair for search in searches for pair in search.relevants]
    groups = {group: code for code, group in enumerate(sorted({p.group for _, p in pairs} - {""}))}
    top = np.full((len(searches), depth), -1, np.int64)
    top_scores = np.full(top.shape, np.nan)
    beyond = np.zeros((len(searches), len(languages)), np.int64)
    tied_before, tied_after = [], []
    for i, search in enumerate(searches):
        codes = [languages.index(p.language) for p in search.ranking]
        scores = [-float(place) for place, block in enumerate(search.blocks) for _ in block]
        first = codes[:depth]
        top[i, : len(first)] = first
        top_scores[i, : len(first)] = scores[:depth]
        for code, score in list(zip(codes, scores, strict=True))[depth:]:
            beyond[i, code] += bool(first) and score == scores[depth - 1]
        for block in search.blocks:
            relevant = [place for place, passage in enumerate(block) if passage.relevant]
            tied_before += relevant
            tied_after += [len(block) - 1 - place for place in relevant]
    return PooledRankings(
        ranks=np.array([rank for rank, _ in pairs], np.int64),
        relevance=np.ones(len(pairs), np.int64),
        lengths=np.array([len(search.relevants) for search in searches], np.int64),
        languages=tuple(languages),
        pool_sizes=np.array([pool[language] for language in languages], np.int64),
        language=np.array([languages.index(p.language) for _, p in pairs], np.int64),
        parallel=np.array([groups.get(p.group, -1) for _, p in pairs], np.int64),
        query_language=np.array(
            [languages.index(s.query_language) if s.query_language in languages else -1 for s in searches], np.int64
        ),
        top=top,
        consistency=np.full(len(searches), np.nan),
        tied_before=np.array(tied_before, np.int64),
        tied_after=np.array(tied_after, np.int64),
        top_scores=top_scores,
        tied_with_last=beyond,
        key=np.arange(len(searches)),
    )


def made(*searches: str, depth: int = 10) -> Made:
    return Made(tuple(map(Search.parse, searches)), depth)


def pooled(*searches: str, depth: int = 10) -> PooledRankings:
    return made(*searches, depth=depth).pooled


def placed(at: dict[int, str], size: int, filler: str = "de") -> PooledRankings:
    """One search in German over `size` passages: relevants at some ranks, elsewhere `filler`."""
    return pooled("de: " + " ".join(at.get(rank, filler) for rank in range(1, size + 1)))


def nothing() -> PooledRankings:
    """No search at all."""
    return arrays([], Counter(de=3, th=2))


CASES = {
    "one language": made("de: de DE de DE", "th: DE DE de de"),
    "one passage": made("de: DE"),
    "no relevant passages": made("de: de th en th", "th: th en th de"),
    "relevant passages for one query only": made("de: th de en TH DE", "th: th de en th de", "en: en de th th de"),
    "all relevants first": made("de: DE EN TH de en th de en th"),
    "all relevants last": made("de: de en th de en th DE EN TH"),
    "several relevants, groups not known": made("de: DE TH de DE th TH DE TH", "th: TH TH TH DE DE DE th de"),
    "several relevants, in groups": made("th: DE1 TH2 de DE2 th TH1", "de: TH1 DE2 TH2 DE1 th de"),
    "groups in some languages": made("th: DE1 EN1 TH2 de DE2 en TH3 EN2", "de: de DE1 en EN1 TH1 th EN de"),
    "a group with two passages in one language": made("de: DE1 en DE1 EN1 DE2 en EN2"),
    "missing translations": made("de: DE de en th TH", "th: en DE th de TH", "en: EN th de th de"),
    "a query language without passages": made("sw: DE en TH de", "de: TH en DE de"),
    "a pool of nothing but relevants": made("de: TH DE EN", "th: DE EN TH"),
    "a short top list": made("de: DE en TH de en th", "th: TH th en en de de", depth=3),
    "no top list": made("de: DE en TH de en th", depth=0),
    "one language has most of the pool": made("th: " + "de " * 30 + "TH DE " + "de " * 30),
}


@st.composite
def searches(draw: st.DrawFn) -> Made:
    """Any searches over any small pool: queries in languages without passages, without relevants, in groups or not."""
    languages = draw(st.lists(st.sampled_from(LANGUAGES), min_size=1, unique=True))
    passages = [language for language in languages for _ in range(draw(st.integers(1, 4)))]
    token = st.tuples(st.booleans(), st.sampled_from(draw(st.sampled_from([("",), ("1", "2"), ("", "1", "2", "3")]))))
    found = []
    for _ in range(draw(st.integers(1, 4))):
        order = draw(st.permutations(passages))
        marks = draw(st.lists(token, min_size=len(order), max_size=len(order)))
        ranking = [
            Passage(language, relevant, group if relevant else "")
            for language, (relevant, group) in zip(order, marks, strict=True)
        ]
        found.append(Search(draw(st.sampled_from([*LANGUAGES, "sw"])), tuple(ranking)))
    return Made(tuple(found), draw(st.integers(0, 2 * len(passages))))


def on_all_rankings(test: Callable[[Made], None]) -> Callable[[], None]:
    """Run a test on each of `CASES` and on many more; numpy must not complain of any."""
    for case in CASES.values():
        test = example(case)(test)
    test = settings(deadline=None, max_examples=200)(given(searches())(test))
    return pytest.mark.filterwarnings("error::RuntimeWarning")(test)  # such as a division by zero


def same(found: np.ndarray, expected: Sequence[object]) -> bool:
    """Whether both have the same shape and values; `None` stands for NaN."""
    wanted = np.array(expected, dtype=np.float64)  # None becomes NaN
    return found.shape == wanted.shape and np.allclose(found, wanted, rtol=1e-9, atol=1e-9, equal_nan=True)
