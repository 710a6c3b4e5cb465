"""How long the dashboard waits for what may follow an Escape."""

import os
import subprocess
import sys

import pytest

pytestmark = pytest.mark.integration


@pytest.mark.parametrize(("set_by_the_user", "seconds"), [(None, 0.05), ("200", 0.2)])
def test_textual_waits_half_as_long_for_it_unless_the_user_says_otherwise(set_by_the_user, seconds):
    code = (
        "from xlbias.dashboard.launch import answer_escape_soon\n"
        "answer_escape_soon()\n"
        "from textual.constants import ESCAPE_DELAY\n"
        "print(ESCAPE_DELAY)\n"
    )
    environment = {name: value for name, value in os.environ.items() if name != "ESCDELAY"}
    if set_by_the_user is not None:
        environment["ESCDELAY"] = set_by_the_user
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert float(done.stdout) == seconds
