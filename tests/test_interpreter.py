"""The program's own process: how its threads wait and how often it looks for garbage."""

import gc
import os
import subprocess
import sys

import pytest

from xlbias.interpreter import spare_processors

WAITING = "OMP_WAIT_POLICY"


@pytest.fixture(autouse=True)
def _as_before():
    before = gc.get_threshold()
    yield
    gc.set_threshold(*before)


def test_threads_sleep_while_they_wait_unless_the_user_has_said_otherwise(monkeypatch):
    monkeypatch.delenv(WAITING, raising=False)
    spare_processors()
    assert os.environ[WAITING] == "passive"
    monkeypatch.setenv(WAITING, "active")
    spare_processors()
    assert os.environ[WAITING] == "active"


@pytest.mark.e2e
def test_the_program_says_so_before_a_library_is_imported_and_leaves_without_looking_for_garbage():
    code = (
        "import atexit, os, sys\nfrom xlbias.interpreter import gc\n"
        "atexit.register(lambda: print(gc.get_freeze_count() > 0))\n"
        "sys.argv = ['xlbias', '--version']\n"
        "heavy = {'torch', 'numpy', 'polars', 'numba'}\n"
        "gc.set_threshold = lambda *n: print(os.environ['OMP_WAIT_POLICY'], n[0] > 700, heavy & set(sys.modules))\n"
        "from xlbias.__main__ import main\nmain()\n"
    )
    environment = {name: value for name, value in os.environ.items() if name != WAITING}
    command = [sys.executable, "-P", "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=True)
    first, *_, last = done.stdout.splitlines()
    assert (first, last) == ("passive True set()", "True")
