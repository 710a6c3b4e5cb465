"""The scale: even in lightness, ordered for the colour-blind, readable, and good always at the same end."""

import math
from itertools import pairwise

import pytest

from xlbias.colour import (
    MIN_CONTRAST,
    SHADES,
    STEPS,
    Range,
    colour_at,
    colours,
    contrast,
    diverging_colours,
    shade_at,
    text_on,
)
from xlbias.dashboard.widgets.heatmap.paint import displayed, heat_style

# Machado, Oliveira and Fernandes 2009: what dichromats see, on linear sRGB.
PROTANOPIA = ((0.152286, 1.052583, -0.204868), (0.114503, 0.786281, 0.099216), (-0.003882, -0.048116, 1.051998))
DEUTERANOPIA = ((0.367322, 0.860646, -0.227968), (0.280085, 0.672501, 0.047413), (-0.011820, 0.042940, 0.968881))
TRITANOPIA = ((1.255528, -0.076749, -0.178779), (-0.078411, 0.930809, 0.147602), (0.004733, 0.691367, 0.303900))


def linear(colour):
    return [c / 255 / 12.92 if c / 255 <= 0.04045 else ((c / 255 + 0.055) / 1.055) ** 2.4 for c in colour]


def cielab(rgb_linear):
    """CIE 1976 L*a*b* under D65: another model of perception than the one the scale is made with."""
    matrix = ((0.4124564, 0.3575761, 0.1804375), (0.2126729, 0.7151522, 0.0721750), (0.0193339, 0.1191920, 0.9503041))
    white = (0.95047, 1.0, 1.08883)
    x, y, z = (
        sum(m * c for m, c in zip(row, rgb_linear, strict=True)) / w for row, w in zip(matrix, white, strict=True)
    )
    fx, fy, fz = (v ** (1 / 3) if v > 216 / 24389 else (24389 / 27 * v + 16) / 116 for v in (x, y, z))
    return 116 * fy - 16, 500 * (fx - fy), 200 * (fy - fz)


def seen_by(matrix, colour):
    return [min(1.0, max(0.0, sum(m * c for m, c in zip(row, linear(colour), strict=True)))) for row in matrix]


def test_lightness_rises_evenly_from_bad_to_good():
    lightness = [cielab(linear(colour))[0] for colour in colours()]
    steps = [b - a for a, b in pairwise(lightness)]

    assert all(step > 0 for step in steps)
    assert max(steps) < 2.2 * (sum(steps) / len(steps))


@pytest.mark.parametrize("matrix", [PROTANOPIA, DEUTERANOPIA, TRITANOPIA], ids=["protan", "deutan", "tritan"])
def test_the_colour_blind_see_the_same_order_and_tell_the_steps_apart(matrix):
    seen = [cielab(seen_by(matrix, colour_at(i / 8))) for i in range(9)]

    for darker, lighter in pairwise(seen):
        assert lighter[0] > darker[0]
        assert math.dist(darker, lighter) > 5  # about twice what is just noticeable


@pytest.mark.parametrize("depth", ["true", "256"])
def test_text_has_enough_contrast_on_every_colour_as_the_terminal_shows_it(depth):
    for step in range(STEPS):
        style = heat_style(step, depth)
        text, background = style.color.get_truecolor(), style.bgcolor.get_truecolor()
        assert contrast(tuple(text), tuple(background)) >= 4.5


def test_some_readable_text_exists_for_every_grey():
    for grey in range(256):
        assert contrast(text_on((grey, grey, grey)), (grey, grey, grey)) >= 4.5


def test_contrast_agrees_with_wcag():
    assert contrast((0, 0, 0), (255, 255, 255)) == pytest.approx(21.0)
    assert contrast((119, 119, 119), (255, 255, 255)) == pytest.approx(4.478, abs=0.001)  # the well-known #777
    assert contrast((255, 255, 255), (119, 119, 119)) == contrast((119, 119, 119), (255, 255, 255))


def test_with_256_colours_no_grey_breaks_the_order():
    for colour in colours():
        assert len(set(displayed(colour, "256"))) > 1


def test_good_is_at_the_same_end_whether_high_or_low_values_are_good():
    quality, distance = Range(0.2, 0.8, "high"), Range(10.0, 1000.0, "low")

    assert quality.goodness(0.8) == 1.0 == distance.goodness(10.0)
    assert quality.goodness(0.2) == 0.0 == distance.goodness(1000.0)
    assert (quality.worst, quality.best) == (0.2, 0.8)
    assert (distance.worst, distance.best) == (1000.0, 10.0)


def test_values_outside_the_range_stay_on_the_scale_and_equal_values_stand_in_its_middle():
    assert Range(0.2, 0.8, "high").goodness(0.9) == 1.0
    assert Range(0.5, 0.5, "low").goodness(0.5) == 0.5


def test_shades_are_the_fuller_the_better():
    assert [shade_at(i / 4) for i in range(5)] == list(SHADES)
    assert shade_at(-1.0) == SHADES[0]
    assert shade_at(2.0) == SHADES[-1]


@pytest.mark.parametrize("ground", [(18, 23, 29), (251, 250, 247), (0, 0, 0), (255, 255, 255)])
def test_no_difference_has_the_colour_of_the_background_and_a_larger_one_stands_out_more(ground):
    scale = diverging_colours(ground)
    assert scale[STEPS // 2 - 1] == scale[STEPS // 2] == ground
    for side in (scale[: STEPS // 2][::-1], scale[STEPS // 2 :]):
        seen = [contrast(colour, ground) for colour in side]
        assert seen == sorted(seen)
        assert seen[-1] > 3
    assert all(contrast(text_on(colour), colour) >= MIN_CONTRAST for colour in scale)
