"""What errors of other people's code say, in one line."""

import pytest

from xlbias.errors import reason_of


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (ValueError("\n no such thing\nat line 3"), "no such thing"),
        (ValueError(""), "ValueError"),
        (KeyError(), "KeyError"),
        (SystemExit(" \n"), "SystemExit"),
    ],
)
def test_a_reason_is_the_first_line_or_the_kind(error, said):
    assert reason_of(error) == said
