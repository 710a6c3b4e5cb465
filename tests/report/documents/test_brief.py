"""The head of the short report: each question that has an answer gets it, however little room there is."""

import pytest

from xlbias.report.documents.audit_text import named_parts
from xlbias.report.documents.findings import HEADS, answers_that_fit, lines
from xlbias.results.findings import Destination, Finding, Number
from xlbias.results.findings.finding import ONE_TRAINING

PLACE = Destination("overview", "overview")
TASKS = ("calendar", "money", "language")


def one(kind, question, sentence, short="", encoder="mono", task="calendar", **fields):
    return Finding(kind, question, sentence, 1.0, PLACE, encoder, task, short=short, **fields)


def quality(encoder, task, cross):
    own = [Number("map", value, encoder=encoder, task=task, setting=setting)
           for setting, value in (("monolingual", 0.9), ("cross-lingual", cross))]  # fmt: skip
    chance = Number("map", 0.01, encoder="chance", task=task, setting="cross-lingual", role="chance")
    return one("quality", "good", f"mAP {'very ' * 30}good.", "mAP.", encoder, task, numbers=(*own, chance))


def difference(task, better, worse):
    of_role = {"better cells": better, "worse cells": worse}
    counts = (Number("map", float(n), n=132, role=role) for role, n in of_role.items())
    sentence = f"{'in many words, ' * 12}{better} better, {worse} worse; {ONE_TRAINING}."
    short = f"{better} better, {worse} worse."
    return one("difference", "real", sentence, short, "hybrid", task, base="mono", numbers=tuple(counts))


@pytest.fixture
def found():
    """As in a run of two encoders on three tasks: much to say of each, and on one task some cells are worse."""
    long = "told at length, " * 15
    return [
        *(quality("mono", task, 0.1 * i) for i, task in enumerate(TASKS)),
        *(quality("hybrid", task, 1 + 0.1 * i) for i, task in enumerate(TASKS)),
        *(one("query_language", "for whom", f"{long}th.", "th .032, 5 more.", task=task) for task in TASKS),
        *(one("own_language", "fair", f"{long}own first.", "own first.", task=task) for task in TASKS),
        difference("language", 121, 0), difference("money", 121, 1), difference("calendar", 120, 10),
        one("shift", "survives", f"{long}lost.", "loses 70 %.", task=None),
        one("one_training", "caveat", f"{long}seed.", f"{ONE_TRAINING}.", None, None),
    ]  # fmt: skip


@pytest.mark.parametrize("room", range(7, 40))
def test_each_question_has_a_line_before_any_has_two(found, room):
    said = answers_that_fit(found, room, 80)
    assert len(lines(said, 80)) <= room
    assert {one.question for one in said} == set(HEADS)


def test_with_no_room_for_all_what_is_real_and_what_makes_it_doubtful_stay(found):
    assert [one.question for one in answers_that_fit(found, 2, 80)] == ["caveat", "real"]


def test_what_is_significantly_worse_stands_first(found):
    real = [one for one in answers_that_fit(found, 7, 80) if one.question == "real"]
    assert [(one.task, one.sentence) for one in real] == [("calendar", "120 better, 10 worse.")]


def test_with_room_sentences_are_whole_and_one_training_is_said_once(found):
    text = "\n".join(lines(answers_that_fit(found, 100, 80), 80))
    assert "th .032, 5 more." not in text
    assert "in many words" in text
    assert text.count("one training each") == 1 + 2  # of what else is real the rest says it where it stands


def test_the_best_encoder_is_told_from_task_to_task(found):
    (good,) = (one for one in answers_that_fit(found, 7, 80) if one.question == "good")
    assert (good.encoder, good.task) == ("hybrid", None)
    assert good.sentence == "mAP mono .900 to .900, cross 1.000 to 1.200, from task to task; chance .010."
    assert {n.encoder for n in good.numbers} == {"hybrid", "chance"}


def test_another_caveat_stands_beside_that_of_one_training(found):
    other = one("caveat", "caveat", "ranks are bounds.", task=None, encoder="bm25")
    said = lines(answers_that_fit([*found, other], 8, 80), 80)
    assert len(said) <= 8
    assert "bm25: ranks are bounds." in said[-2] + said[-1]
    assert f"{ONE_TRAINING}." in said[-2] + said[-1]


def test_of_one_task_the_first_finding_says_how_good_it_is(found):
    some = [one for one in found if one.task == "money"]
    good = [one for one in answers_that_fit(some, 100, 80) if one.question == "good"]
    assert good == some[:2]


def test_a_long_caveat_says_in_short_what_is_so():
    from xlbias.results.findings.rules.caveats import _short

    assert _short(f"half of it is tied: {'what follows ' * 10}.") == "half of it is tied."
    assert _short(f"ranks are bounds, so that {'what follows ' * 10}.") == "ranks are bounds."
    assert _short("few ids: be careful.") == ""


def test_nothing_is_worked_out_that_nobody_named(monkeypatch):
    monkeypatch.setattr("xlbias.report.documents.audit_text._parts", None)
    assert named_parts(None, 80) == ""
