"""One share and one time left over all the work of a command."""

from itertools import pairwise
from random import Random

import pytest

from xlbias.progress import Countdown, Course, Report, Step, percent


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


def course(seconds, **options):
    clock, told = Clock(), []
    steps = [Step(i, kind, of, expected) for i, (kind, of, expected) in enumerate(seconds)]
    return Course(steps, told.append, clock=clock, **options), clock, told


def work(one, clock, key, took, units=10):
    """Do a step in so many equal pieces."""
    with one.stage(key, f"step {key}", units, "texts") as stage:
        for _ in range(units):
            clock.now += took / units
            stage.advance()


def test_the_share_is_that_of_all_the_work_and_never_falls():
    one, clock, told = course([("encode", "a", 10), ("rank", "a", 10), ("encode", "b", 10), ("rank", "b", 10)])
    for key in range(4):
        work(one, clock, key, 10)
    shares = [report.share for report in told]
    assert shares == sorted(shares)
    assert shares[0] == 0
    assert told[10].share == pytest.approx(0.25)
    assert shares[-1] == 1
    assert told[-1].left == 0
    assert [report.phase for report in told[:2]] == ["step 0", "step 0"]


def test_what_is_measured_corrects_the_steps_of_its_kind_and_encoder_most():
    one, clock, _ = course([("encode", "a", 10), ("encode", "b", 10), ("rank", "a", 10)])
    work(one, clock, 0, 1000)  # a hundred times as long as expected
    report = one.report("")
    # The other encoder is believed to be as slow; ranking is another kind, and is believed to be slower, within reason.
    assert one.reckoned() == pytest.approx(1000 + 10 * 10, rel=0.05)
    assert report.share == pytest.approx(1000 / 2100, rel=0.05)
    with one.stage(2, "rank", 10, "queries") as stage:
        clock.now += 5
        stage.advance(5)
        assert one.reckoned() == pytest.approx(1000 + 5 * 10 ** (1 / 6), rel=0.05)  # measured for five seconds


def test_a_share_that_was_told_too_high_waits_until_it_is_true():
    one, clock, told = course([("encode", "a", 90), ("encode", "b", 10)])
    work(one, clock, 0, 90)
    high = told[-1].share
    assert high == pytest.approx(0.9)
    with one.stage(1, "b", 1000, "texts") as stage:
        for _ in range(100):
            clock.now += 90  # b is 9,000 times as slow as thought
            stage.advance(10)
            assert told[-1].share >= high
    assert told[-1].share == 1
    assert told[50].share < 1


def test_what_was_done_before_counts_and_says_nothing_of_the_speed():
    one, clock, told = course([("encode", "a", 10), ("encode", "b", 10)])
    one.skip(0)
    assert one.report("").share == pytest.approx(0.5)
    with one.stage(1, "b", 10, "texts") as stage:
        stage.advance(5, measured=False)  # found in a cache at once
        assert told[-1].share == pytest.approx(0.75)
        assert told[-1].left is None
        clock.now += 50
        stage.advance(4)
        assert told[-1].left == pytest.approx(50 / 4, rel=0.05)


def test_nothing_is_said_of_the_time_left_before_two_seconds_were_measured():
    one, clock, told = course([("encode", "a", 1), ("encode", "a", 100)])
    work(one, clock, 0, 1)
    assert told[-1].left is None
    work(one, clock, 1, 3)
    assert told[-1].left == 0


def test_seconds_in_which_nothing_shows_count_once_something_does():
    one, clock, told = course([("train", "a", 10), ("train", "b", 10)])
    with one.stage(0, "a", 10, "steps") as stage:
        for _ in range(10):
            clock.now += 1
            stage.doing("loading")
            stage.advance(0)
        stage.advance(10)
    assert told[-1].left == pytest.approx(10, rel=0.05)


def test_a_step_with_an_error_is_not_done():
    one, clock, _ = course([("encode", "a", 10)])
    with pytest.raises(KeyError), one.stage(0, "a", 10, "texts") as stage:
        clock.now += 2
        stage.advance(2)
        raise KeyError
    assert one.report("").share == pytest.approx(0.2)


def test_a_command_within_a_step_is_that_step():
    outer, clock, told = course([("train", "a", 30), ("evaluate", "a", 30)])
    with outer.stage(0, "training a") as stage:
        clock.now += 15
        stage.reach(Report(0.5, 15.0, "a: training", 50, 100, "steps"))
        assert told[-1] == Report(pytest.approx(0.25), pytest.approx(45), "a: training", 50, 100, "steps")
        clock.now += 15
    assert told[-1].share == pytest.approx(0.5)


def test_of_several_steps_at_a_time_the_time_left_is_a_part():
    one, clock, _ = course([("train", str(i), 10) for i in range(4)], at_a_time=2)
    work(one, clock, 0, 10)
    assert one.reckoned() == pytest.approx(15)


def test_a_step_that_was_not_foreseen_counts_nothing():
    one, clock, told = course([("encode", "a", 10)])
    with one.stage("other", "something else") as stage:
        clock.now += 5
        stage.advance()
    assert told[-1].phase == "something else"
    assert told[-1].share == 0


def told_left(truth, reckoned, step=1.0):
    """What is told of a time left while `truth` seconds pass, where `reckoned(left, at)` is what is reckoned."""
    countdown = Countdown()
    n = int(truth / step) + 1
    return [countdown.tell(reckoned(max(0.0, truth - i * step), i * step), i * step) for i in range(n)]


def test_a_time_left_that_is_reckoned_well_falls_with_the_clock():
    assert told_left(100, lambda left, _: left) == pytest.approx([100.0 - i for i in range(101)])


@pytest.mark.parametrize("noise", [0.1, 0.25])
@pytest.mark.parametrize("seed", range(5))
def test_a_time_left_never_rises_or_jumps_however_noisy_the_speed_is(noise, seed):
    random = Random(seed)
    told = told_left(600, lambda left, _: left * random.uniform(1 - noise, 1 + noise))
    falls = [before - after for before, after in pairwise(told)]
    assert min(falls) >= 0
    assert max(falls) < 8  # of seconds reckoned hundreds apart
    assert told[0] == pytest.approx(600, rel=noise)
    assert all(abs(one - (600 - i)) <= max(noise * 600 * 0.7, 20) for i, one in enumerate(told[60:], 60))


def test_work_that_turns_out_three_times_as_long_is_told_so_without_a_jump():
    told = told_left(900, lambda left, at: left if at > 100 else left / 3)
    rises = [after - before for before, after in pairwise(told)]
    assert told[0] == 300
    assert max(rises) < 15
    assert told[400] == pytest.approx(500, rel=0.12)
    last = told.index(max(told))
    assert all(after <= before for before, after in pairwise(told[last:]))
    assert told[-1] == 0


def test_a_first_guess_that_is_forty_times_too_long_is_soon_forgotten():
    told = told_left(3600, lambda left, at: left if at > 60 else 40 * left)
    assert told[0] == 40 * 3600
    assert told[600] < 2 * 3000
    assert told[2400] == pytest.approx(1200, rel=0.5)


def test_the_time_left_of_a_command_does_not_jump_from_step_to_step():
    """Encoding is twice as slow as thought, ranking half as slow: what is told falls all the same."""
    one, clock, told = course([("encode", str(i), 60) if i % 2 else ("rank", str(i), 30) for i in range(8)])
    for key in range(8):
        work(one, clock, key, 120 if key % 2 else 15, units=60)
    lefts = [report.left for report in told if report.left is not None]
    assert max(after - before for before, after in pairwise(lefts)) < 15
    assert lefts[-1] == 0


@pytest.mark.parametrize(("share", "shown"), [(0, 0), (0.629, 62), (0.29, 29), (0.9999, 99), (1, 100), (1.2, 100)])
def test_percents_are_rounded_down_so_that_100_means_done(share, shown):
    assert percent(share) == shown
