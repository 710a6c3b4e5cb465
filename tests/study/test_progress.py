"""How far a study is, from what becomes of its steps."""

from narrators import Listening

from xlbias.progress import Report
from xlbias.study.progress import StudyProgress
from xlbias.study.steps import Done, Reached, Step

STEPS = [Step("train", "a"), Step("evaluate", "a"), Step("train", "b"), Step("evaluate", "b")]


def test_a_study_says_each_step_that_is_made_and_how_far_all_of_it_is() -> None:
    narrator, told = Listening(), []
    progress = StudyProgress(STEPS, lambda step: step.encoder == "a", 1, narrator)
    progress.listen(lambda *about: told.append(about))
    assert narrator.lines == ["2 of 4 steps are done already"]
    assert told[-1][1:] == (2, 4, "")
    progress.take(STEPS[2])
    progress.take(Reached(STEPS[2], Report(0.5, None, "b: training", 5, 10, "steps")))
    report, done, total, doing = told[-1]
    assert (done, total, doing) == (2, 4, "b: training")
    assert (report.done, report.total, report.unit) == (5, 10, "steps")
    progress.take(Done(STEPS[2], made=True, seconds=12.0))
    assert told[-1][1:] == (3, 4, "")
    assert narrator.lines[-1].startswith("3 of 4: b trained in 12 s")
    progress.take(STEPS[3])
    progress.take(Done(STEPS[3], made=True, seconds=0.4))
    assert narrator.lines[-1] == "4 of 4: b evaluated in 0.4 s"
    progress.finished()
    assert [report.share for report, *_ in told] == sorted(report.share for report, *_ in told)
    assert len(narrator.lines) == 3


def test_a_study_of_which_all_is_done_says_so() -> None:
    narrator = Listening()
    progress = StudyProgress(STEPS, lambda _: True, 2, narrator)
    progress.take(Done(STEPS[0], made=False, seconds=0.0))
    progress.finished()
    assert narrator.lines == ["4 of 4 steps are done already", "nothing is left to do"]
