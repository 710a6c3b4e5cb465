"""JSON with a record a line: read back by the library, for every shape and depth."""

import json
import math
import random

import pytest

from xlbias.report.formats.json import finite_in_lines, in_lines


def _made(draw: random.Random, depth: int) -> object:
    kind = draw.randrange(8 if depth else 6)
    if kind >= 6:
        entries = [_made(draw, depth - 1) for _ in range(draw.randrange(4))]
        return entries if kind == 6 else {f"{n} \"'\n\u202e{{[": entry for n, entry in enumerate(entries)}
    texts = ["", 'a "quoted" \\ one', "\x1b[31m\u2028", "हिन्दी 漢字 😀"]
    return [None, True, draw.random() * 1e-300, draw.randrange(-(10**20), 10**20), draw.choice(texts), -0.0][kind]


@pytest.mark.parametrize("levels", range(6))
def test_what_is_written_is_what_is_read(levels: int) -> None:
    draw = random.Random(levels)
    for _ in range(500):
        value = _made(draw, 5)
        text = in_lines(value, levels)
        assert json.loads(text) == value
        assert text.isascii()
        assert levels or "\n" not in text


def test_entries_of_the_first_levels_are_lines_and_a_record_is_one() -> None:
    value = {"schema": 1, "cells": [{"ap": 0.5, "interval": [0.4, 0.6]}, {"ap": None}], "none": [], "nothing": {}}
    assert in_lines(value, 2).splitlines() == [
        "{",
        '  "schema": 1,',
        '  "cells": [',
        '    {"ap": 0.5, "interval": [0.4, 0.6]},',
        '    {"ap": null}',
        "  ],",
        '  "none": [],',
        '  "nothing": {}',
        "}",
    ]
    assert in_lines(value, 9) == json.dumps(value, indent=2)


@pytest.mark.parametrize("wrong", [math.nan, math.inf, [[-math.inf]]])
def test_numbers_that_json_lacks_are_refused(wrong: object) -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        in_lines({"levels": wrong}, 2)


def test_null_stands_for_numbers_that_json_lacks_and_all_else_is_as_it_was() -> None:
    value = {"cells": [{"ap": 0.5, "interval": [math.nan, 0.6]}, {"ap": 0.1}], "loss": math.inf, "text": "NaN"}
    null = {"cells": [{"ap": 0.5, "interval": [None, 0.6]}, {"ap": 0.1}], "loss": None, "text": "NaN"}
    assert [finite_in_lines(value, levels) for levels in range(5)] == [in_lines(null, levels) for levels in range(5)]
