"""Tasks of very many texts: samples with their caveats, an audit that goes on where it was killed, partial numbers."""

import json

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal
from support import make_task, make_vectors, ngram_counts

from xlbias.evaluation import audit_parts as pieces_module
from xlbias.evaluation import evaluate
from xlbias.evaluation import runner as work_module
from xlbias.evaluation.audit_parts import Pieces
from xlbias.measures.alignment import audit, sampling
from xlbias.narration import Telling
from xlbias.progress import Course, Piece, Stage, Step
from xlbias.report.render import render_report
from xlbias.results import summary
from xlbias.results.caveats import caveats, sampled
from xlbias.results.per_query import Key, names_with_values
from xlbias.results.run import open_run
from xlbias.results.summary import OVERALL
from xlbias.retrieve import consistency
from xlbias.retrieve.consistency import sampled_queries
from xlbias.runs.journal import live_folder

pytestmark = pytest.mark.e2e

TASK = make_task(40)
N_QUERIES = 40 * 7


def value(run, measure):
    rows = run.summary.filter(OVERALL, measure=measure)
    return rows.select("value", "n").row(0)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    return evaluate(make_vectors(TASK), TASK, tmp_path_factory.mktemp("run") / "whole.parquet")


# -- samples -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def small_limits(monkeypatch):
    monkeypatch.setattr(sampling, "MOST_CANDIDATES", 15)
    monkeypatch.setattr(sampling, "LEAST_CANDIDATES", 15)
    monkeypatch.setattr(audit, "MOST_TEXTS", 30)
    for module in (consistency, sampled):
        monkeypatch.setattr(module, "MOST_SCORES", 14 * N_QUERIES)


def test_what_is_over_a_sample_says_so_with_its_n_and_a_caveat(small_limits, tmp_path, whole):
    run = evaluate(make_vectors(TASK), TASK, tmp_path / "run.parquet")
    assert value(run, "passages.parallel_accuracy")[1] == 15
    assert value(run, "passages.uniformity")[1] == 30
    found = [one for one in caveats(run) if one.kind == "sampled"]
    assert [(one.n, one.of) for one in found] == [(15, 40), (15, 40), (14, N_QUERIES)]
    assert found[0].sentence == (
        "accuracy and hubness are over 15 of 40 ids, uniformity is over 30 of 280 texts, CKA is over 30 ids of the "
        "passages, a sample with a fixed seed: there are very many."
    )
    assert found[2].sentence == "rank consistency is over 14 of 280 queries, a sample with a fixed seed."
    assert not [one for one in caveats(whole) if one.kind == "sampled"]
    for measure in ("map", "rank_distance", "passages.alignment", "passages.centroid_distance"):
        of = run.summary.filter(measure=measure)
        assert of.height and of.equals(whole.summary.filter(measure=measure))  # these are exact


def test_the_same_queries_are_drawn_again_and_whole_ids(monkeypatch):
    monkeypatch.setattr(consistency, "MOST_SCORES", 100)
    ids = [f"q{i % 10}" for i in range(30)]
    rows = sampled_queries(ids, 10)  # ten rankings of ten passages: three ids of three translations
    assert len(rows) == 9
    assert {ids[row] for row in rows} == {ids[row] for row in rows[:3]} | {ids[row] for row in rows[3:]}
    assert all(sum(ids[row] == name for row in rows) == 3 for name in {ids[row] for row in rows})
    assert np.array_equal(rows, sampled_queries(ids, 10))
    assert len(sampled_queries(ids, 1_000)) == 3  # one id at least
    assert np.array_equal(sampled_queries(ids, 3), np.arange(30))


# -- killed within the audit -------------------------------------------------------------------------------------------


def test_an_audit_goes_on_after_the_last_piece_that_was_finished(tmp_path, monkeypatch, whole):
    monkeypatch.setattr(audit, "_SECONDS", 0.0)
    out, made = tmp_path / "run.parquet", []
    real = audit._piece

    def counted(label, of, about, seconds, make):
        def counting():
            if len(made) == 40:
                raise KeyboardInterrupt
            made.append(label)
            return make()

        return real(label, of, about, seconds, counting)

    with monkeypatch.context() as patch:
        patch.setattr(audit, "_piece", counted)
        with pytest.raises(KeyboardInterrupt):
            evaluate(make_vectors(TASK), TASK, out)
    kept = [path for path in live_folder(out).rglob("kept/*/*") if path.is_file()]
    assert len(kept) == len(made) + 1 == 41  # and the intervals of the passages
    damaged = next(path for path in kept if path.name.startswith("queries"))
    damaged.write_bytes(damaged.read_bytes()[:-9])  # made again
    made.clear()
    with monkeypatch.context() as patch:
        patch.setattr(audit, "_piece", lambda *about: real(*about[:-1], lambda: made.append(1) or about[-1]()))
        run = evaluate(make_vectors(TASK), TASK, out, resume=True)
    pieces_of_a_side = 7 + 1 + 21 + 1
    assert len(made) == 2 * pieces_of_a_side - 40 + 1
    assert run.summary.equals(whole.summary)
    assert run.alignments.collect().equals(whole.alignments.collect())
    assert not live_folder(out).exists()


def test_pieces_of_another_version_are_made_again(tmp_path, monkeypatch):
    made = []
    piece = Piece("name", "label", 1.0, lambda: made.append(1) or pl.DataFrame({"a": [1.0]}))

    def take():
        with Course([Step("audit", "audit", "e", 1.0)]).stage("audit", "audit") as stage:
            assert Pieces(tmp_path, stage, "audit", 1.0).frame("made", piece)["a"].to_list() == [1.0]
        return len(made)

    assert [take(), take()] == [1, 1]
    monkeypatch.setattr(pieces_module, "__version__", "another")
    assert [take(), take()] == [2, 2]


def test_the_numbers_go_on_after_the_last_part_that_was_finished_and_say_how_far_they_are(tmp_path, monkeypatch, whole):
    """Their intervals are drawn for some measures at a time: whichever stand together, the numbers are the same."""
    monkeypatch.setattr(summary, "_MEANS_HELD", 3 * 7 * 8 * 10_000)  # three measures
    out, made, told = tmp_path / "run.parquet", [], []
    real = summary._numbers

    def killed(ranked, names, *about):
        if len(made) == 3:
            raise KeyboardInterrupt
        made.append(names)
        return real(ranked, names, *about)

    shares, advance = [], Stage.advance

    def moved(stage, *units, **how):
        shares.append((stage.step.kind, how.get("share")))
        advance(stage, *units, **how)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(summary, "_numbers", killed)
        patch.setattr(Stage, "advance", moved)
        evaluate(make_vectors(TASK), TASK, out, narrator=Telling(told.append))
    parts = [one for one in told if "every number with its interval, part" in one.phase]
    n_parts = -(-len(names_with_values()) // 3)
    assert {one.phase.rpartition("part ")[2] for one in parts} == {f"{i} of {n_parts}" for i in range(1, 5)}
    of_step = [share for kind, share in shares if kind == "numbers"]
    assert of_step == pytest.approx([1 / n_parts, 2 / n_parts, 3 / n_parts])  # it moves within the step
    with monkeypatch.context() as patch:
        patch.setattr(summary, "_numbers", lambda *about: made.append(about[1]) or real(*about))
        run = evaluate(make_vectors(TASK), TASK, out, resume=True)
    assert [name for names in made for name in names] == names_with_values()  # nothing twice
    key = list(Key._fields)
    assert_frame_equal(run.summary.sort(key), whole.summary.sort(key), rel_tol=1e-9, abs_tol=1e-9)


class Hashed:
    """An encoder of trigrams."""

    name, dimension, similarity, fingerprint = "hashed", 48, "dot", "hashed"

    def encode(self, texts, kind):
        return ngram_counts(texts)


# -- in progress -------------------------------------------------------------------------------------------------------


def test_numbers_of_a_task_that_is_not_finished_are_marked_as_partial(tmp_path, monkeypatch, whole):
    monkeypatch.setattr("xlbias.runs.parts.BLOCK", 16)
    out, tasks = tmp_path / "run.parquet", [TASK, make_task(8, "other"), make_task(9, "third")]
    real, calls = work_module.search, []

    def stopping(*arguments):
        calls.append(1)
        if len(calls) > 7 * 3 + 3:  # the first task, and three of seven languages of the second
            raise KeyboardInterrupt
        return real(*arguments)

    monkeypatch.setattr(work_module, "search", stopping)
    with pytest.raises(KeyboardInterrupt):
        evaluate(Hashed(), tasks, out)
    run = open_run(out)
    (caveat,) = [one for one in caveats(run) if one.kind == "partial"]
    assert (caveat.model, caveat.task, caveat.n, caveat.of) == ("hashed", "other", 24, 56)
    assert caveat.sentence == "partial: 24 of 56 queries are ranked so far, and these numbers will change."
    text = render_report([run], "text")
    assert "! hashed on other: partial: 24 of 56 queries" in " ".join(text.split())
    assert "! hashed on made: partial" not in " ".join(text.split())
    results = {one["task"]: one for one in json.loads(render_report([run], "json"))["results"]}
    assert "partial" in results["other"]["caveats"]
    assert "partial" not in results["made"]["caveats"]
    assert not [one for one in caveats(whole) if one.kind == "partial"]
