"""Which columns fit, where they stand, and that text from data never shifts what is aligned."""

from itertools import pairwise

import pytest

from xlbias.dashboard.widgets.table.columns import GAP, Column, fit, place
from xlbias.text import width

NUMBERS = (Column("map", "mAP", 5), Column("extra", "extra", 9, rank=2), Column("worst", "worst", 5, rank=1))
TEXTS = (Column("model", "model", 12, text=True), Column("task", "task", 30, text=True))


def names(total, columns=(*NUMBERS, *TEXTS)):
    return [placed.column.name for placed in place(columns, total, margin=2)]


def test_text_columns_stand_last_in_whatever_order_they_are_given():
    assert names(200, (*TEXTS, *NUMBERS)) == ["map", "extra", "worst", "model", "task"]


def test_the_least_important_column_goes_first_and_rank_0_stays():
    assert names(50) == ["map", "worst", "model", "task"]
    assert names(41) == ["map", "model", "task"]
    assert "map" in names(10)


@pytest.mark.parametrize("total", range(12, 200, 7))
def test_columns_neither_overlap_nor_leave_the_panel(total):
    placed = place((*NUMBERS, *TEXTS), total, margin=2)

    for left, right in pairwise(placed):
        assert left.x + left.width + GAP == right.x
    assert placed[-1].x + placed[-1].width <= total


def test_the_last_text_column_gets_all_that_is_left():
    *_, last = place((*NUMBERS, *TEXTS), 150, margin=2)

    assert last.column.name == "task"
    assert last.x + last.width == 150


@pytest.mark.parametrize(
    "text", ["plain", "日本語テキスト", "हिन्दी", "\x1b]52;c;x\x07", "a\nb", "\u202eabc", "👩‍👩‍👧 family", ""]
)
@pytest.mark.parametrize("cells", [1, 4, 9])
def test_fit_gives_exactly_the_cells_asked_for(text, cells):
    assert width(fit(text, cells)) == cells
    assert width(fit(text, cells, "right")) == cells


def test_null_is_a_dot_and_numbers_stand_right():
    column = Column("map", "mAP", 6, lambda value: f"{value:.2f}")

    assert column.cell(None, 6) == "     ·"
    assert column.cell(0.5, 6) == "  0.50"
