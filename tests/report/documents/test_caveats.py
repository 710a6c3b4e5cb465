"""Caveats: where a number has one, every format marks it and says why, and `check` can require that there is none."""

import csv
import io
import json
from dataclasses import replace

import pytest
from support import make_task, make_vectors

from xlbias.cli import run as xlbias
from xlbias.evaluation import evaluate
from xlbias.report.documents.caveats import entries
from xlbias.report.render import render_report
from xlbias.results.caveats import KINDS, Caveat, caveats
from xlbias.results.run import open_run

pytestmark = pytest.mark.integration

TASK = make_task(60)
HOSTILE = "evil\x1b]52;c;ZXZpbA==\x07\u202e"
SENTENCE = "was trained on this task itself: its numbers there are no zero-shot retrieval."


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    """A run of an encoder that was trained on the task, under a hostile name, and of one that was not."""
    card = {"sources": [{"name": "made", "fingerprint": TASK.fingerprint}]}
    trained = replace(make_vectors(TASK), name=HOSTILE, card=card)
    path = tmp_path_factory.mktemp("run") / "run.parquet"
    evaluate([trained, make_vectors(TASK, seed=1)], TASK, path)
    return path


def of_seen(run):
    return [one for one in caveats(run) if one.kind == "seen"]


def test_an_encoder_that_was_trained_on_its_task_has_a_caveat_and_another_has_none(path):
    run = open_run(path)
    assert [(one.model, one.task) for one in of_seen(run)] == [(HOSTILE, "made")]
    assert "seen" in KINDS


@pytest.mark.parametrize("form", ["text", "markdown", "latex", "html"])
def test_reports_mark_the_row_and_say_why(path, form):
    text = render_report([open_run(path)], form)
    marked = [line for line in text.splitlines() if "! evil" in line or "\\! evil" in line]
    assert len(marked) >= 2, "the row of its numbers, and the caveat"
    assert "trained on this task itself" in " ".join(text.split())
    assert "! random1" not in text
    assert not any(hidden in text for hidden in "\x1b\x07\u202e")


def test_json_lists_caveats_of_the_run_and_their_kinds_with_each_result(path):
    found = json.loads(render_report([open_run(path)], "json"))
    (seen,) = [one for one in found["caveats"] if one["kind"] == "seen"]
    assert (seen["task"], seen["model"]) == ("made", HOSTILE)
    assert [("seen" in one["caveats"]) for one in found["results"]] == [True, False]


def test_csv_has_the_kinds_of_caveats_in_every_row(path):
    rows = list(csv.DictReader(io.StringIO(render_report([open_run(path)], "csv"))))
    assert {("seen" in row["caveats"].split()) == row["model"].startswith("evil") for row in rows} == {True}


def test_a_comparison_says_which_side_has_a_caveat(path, capsys):
    sides = ["compare", str(path), "--base", "random1", "--new", HOSTILE, "--permutations", "2000", "-m", "map"]
    assert xlbias(sides) == 0
    shown = capsys.readouterr().out
    assert "! new evil" in shown
    assert "! base" not in shown
    assert xlbias([*sides, "--format", "json"]) == 0
    (seen,) = [one for one in json.loads(capsys.readouterr().out)["caveats"] if one["kind"] == "seen"]
    assert (seen["side"], seen["task"]) == ("new", "made")
    assert xlbias([*sides, "--format", "csv"]) == 0
    assert {row["caveats"] for row in csv.DictReader(io.StringIO(capsys.readouterr().out))} == {"new:seen"}


@pytest.mark.parametrize(
    ("requirement", "said"),
    [
        ("caveats == 0", "caveats = 1 is not == 0"),
        ("caveats[*] == 0", "caveats[seen] = 1 is not == 0"),
        ("caveats[seen] == 0", "caveats[seen] = 1 is not == 0"),
        ("max(caveats[*]) < 1", "max(caveats[*]) = 1 is not < 1, where caveats[seen] = 1"),
    ],
)
def test_check_fails_for_a_caveat_and_names_it(path, capsys, requirement, said):
    assert xlbias(["check", str(path), "-r", requirement]) == 1
    lines = capsys.readouterr().out.splitlines()
    at = lines.index(f"        {said}")
    assert lines[at - 1].startswith("FAIL  evil")
    assert lines[at + 1].startswith("          evil")
    assert lines[at + 1].endswith(f"on made: {SENTENCE}")
    assert lines[at + 2] == f"ok    random1 on made: {requirement}"


def test_an_unknown_kind_of_caveat_is_refused_with_those_there_are(path, capsys):
    assert xlbias(["check", str(path), "-r", "caveats[sen] == 0"]) == 2
    assert "has no kind 'sen' at place 1 of its brackets (did you mean seen?)" in capsys.readouterr().err


def test_encoders_with_one_sentence_stand_together_and_of_many_sentences_the_gravest_is_told():
    alike = [Caveat("ties", "t", f"m{i}", sentence="ties.") for i in range(5)]
    assert entries(alike) == [("m0, m1, m2 and 2 more on t", "ties.")]
    different = [Caveat("ties", "t", f"m{i}", value=i / 10, sentence=f"{i}0 % tie.") for i in range(5)]
    assert entries(different) == [("5 encoders on t", "40 % tie (the gravest of 5, of m4 on t; --full lists all).")]
    assert entries(different, full=True) == [(f"m{i} on t", f"{i}0 % tie.") for i in range(5)]
    assert entries(different[:3]) == entries(different[:3], full=True)
    tasks = [Caveat("ties", f"t{i}", "m", value=i / 10, sentence=f"{i}0 % tie.") for i in range(9)]
    assert entries(tasks) == [
        ("m on t8, t7, t6 and 6 more", "80 % tie (the gravest of 9, of m on t8; --full lists all).")
    ]
    assert entries([Caveat("few", "t", None, sentence="few.")]) == [("t", "few.")]
