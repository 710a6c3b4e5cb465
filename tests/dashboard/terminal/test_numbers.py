"""Numbers in narrow cells: never wider than four characters, and what they were before rounding."""

import pytest

from xlbias.dashboard.terminal.numbers import THIN, count, duration, signed, thin


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.5731, ".573"), (0.0, ".000"), (0.9996, "1.00"), (1.0, "1.00"), (None, "·"), (float("nan"), "·")],
)
def test_a_value_between_0_and_1(value, text):
    assert thin(value, unit_range=True) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(3.0, "3.0"), (9.94, "9.9"), (9.96, "10"), (315.4, "315"), (7476.0, "7476"), (10917.2, "11k"), (1.24e6, "1.2M")],
)
def test_a_rank_distance(value, text):
    assert thin(value, unit_range=False) == text


def test_counts_stay_thin_whatever_their_size():
    sizes = [round(1.7**i) for i in range(46)]

    assert max(len(count(size)) for size in sizes) <= THIN
    assert [count(n) for n in (0, 852, 1190, 9999, 10000, 13090, 999_499, 1_240_000)] == [
        "0", "852", "1190", "9999", "10k", "13k", "999k", "1.2M",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.2, "0 s"), (59.4, "59 s"), (80, "1m 20"), (3599.7, "1h 00"), (7500, "2h 05"), (-3, "0 s")]
)
def test_durations(seconds, text):
    assert duration(seconds) == text


@pytest.mark.parametrize(
    ("value", "unit_range", "room", "text"),
    [
        (0.1234, True, 4, "+.12"), (-0.1234, True, 5, "-.123"), (0.0004, True, 5, " .000"), (-0.004, True, 4, " .00"),
        (-1.0, True, 5, "-1.00"), (1.0, True, 4, "+1.0"), (315.2, False, 4, "+315"), (-7531.0, False, 4, "-7531"),
        (-0.04, False, 4, " 0.0"), (None, True, 4, "·"),
    ],
)  # fmt: skip
def test_differences_have_a_sign_unless_they_round_to_nothing(value, unit_range, room, text):
    assert signed(value, unit_range=unit_range, room=room) == text
