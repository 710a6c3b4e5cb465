"""Pieces of the alignment made by several processes against those that one makes."""

from __future__ import annotations

from collections import Counter
from dataclasses import astuple

import numpy as np
import pytest

from xlbias.evaluation.together import SharedAlignment
from xlbias.measures.alignment import audit
from xlbias.measures.alignment.audit import alignment_rows, pieces
from xlbias.measures.alignment.parallel import ParallelVectors


class Together:
    """Processes that take turns: what the first one asks for the others do when it gathers."""

    def __init__(self, world: int) -> None:
        self.world, self.made = world, Counter()
        self._others = [Other(self, rank) for rank in range(1, world)]
        self._asked = None

    def ask(self, do, *arguments):
        if do.__name__ == "_hold_parallel":
            for other in self._others:
                do(other, *arguments)
        else:
            self._asked = do, arguments

    def gather(self, own):
        do, arguments = self._asked
        self.made[0] += 1
        for other in self._others:
            do(other, *arguments)
        return [own, *(other.told for other in self._others)]


class Other:
    def __init__(self, team: Together, rank: int) -> None:
        self.world, self.rank, self.state, self.team = team.world, rank, {}, team

    def gather(self, own):
        self.told = own
        if own is not None:
            self.team.made[self.rank] += 1


def vectors(seed: int) -> ParallelVectors:
    rng = np.random.default_rng(seed)
    languages = np.repeat(["ar", "de", "en", "th", "zh"], 20)
    return ParallelVectors.of([f"q{i:02d}" for i in range(20)] * 5, languages.tolist(), rng.normal(size=(100, 6)))


def same(one, other) -> bool:
    return all(
        np.array_equal(a, b, equal_nan=isinstance(a, float | np.ndarray)) for a, b in zip(one, other, strict=True)
    )


@pytest.mark.parametrize("world", [2, 3, 30])
def test_the_rows_are_those_of_one_process_and_all_take_part(world, monkeypatch):
    monkeypatch.setattr(audit, "_SECONDS", 0.0)  # a language, or a pair of them, is a piece
    parallel = vectors(world)
    team = Together(world)
    shared = SharedAlignment(team, lambda side, piece: False)
    together = alignment_rows(parallel, together=lambda whole: shared.pieces("passages", parallel, whole))
    alone = alignment_rows(parallel)
    assert len(together) == len(alone) > 50
    assert all(same(astuple(one), astuple(other)) for one, other in zip(together, alone, strict=True))
    n = len(pieces(parallel))
    assert sum(team.made.values()) == n > 15
    assert len(team.made) == min(world, n)


def test_what_was_made_before_is_not_made_again(monkeypatch):
    monkeypatch.setattr(audit, "_SECONDS", 0.0)
    parallel, team = vectors(0), Together(2)
    whole = pieces(parallel)
    before = {piece.name for piece in whole[1::3]}
    shared = SharedAlignment(team, lambda side, piece: side == "queries" and piece.name in before)
    found = list(shared.pieces("queries", parallel, whole))
    assert [piece.name for piece in found] == [piece.name for piece in whole]
    assert sum(team.made.values()) == len(whole) - len(before)
    assert [piece for piece in found if piece.name in before] == whole[1::3]
    for piece, own in zip(found, whole, strict=True):
        assert all(same(astuple(a), astuple(b)) for a, b in zip(piece.make(), own.make(), strict=True))


def test_one_piece_that_is_missing_is_made_by_the_first_alone():
    parallel, team = vectors(0), Together(2)
    whole = pieces(parallel)
    shared = SharedAlignment(team, lambda _, piece: piece is not whole[-1])
    assert list(shared.pieces("passages", parallel, whole)) == whole
    assert team.made == {}
