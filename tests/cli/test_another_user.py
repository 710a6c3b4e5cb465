"""As a user without a home, on an install that cannot be written to: containers with arbitrary user ids, cron."""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pexpect
import pytest

import xlbias

pytestmark = pytest.mark.slow

USER = "4242"
PACKAGE = Path(xlbias.__file__).parent


@pytest.fixture(scope="module")
def as_another_user():
    """Return how a command of Python begins that has no right to write but what everybody has.

    It may read all, as the interpreter often lies in the home of the user who runs the tests. Nothing names a home.
    """
    if os.geteuid() != 0:
        pytest.skip("only root can run a command as another user")
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        pytest.skip("there is no setpriv (util-linux) to run a command as another user")
    reading = "-all,+dac_read_search"
    begin = [
        setpriv, "--reuid", USER, "--regid", USER, "--clear-groups", "--inh-caps", reading, "--ambient-caps", reading,
        "env", "-i", f"PATH={os.environ.get('PATH', os.defpath)}", f"PYTHONPATH={PACKAGE.parent}", "OMP_NUM_THREADS=1",
        "TERM=xterm-256color", sys.executable,
    ]  # fmt: skip
    tried = subprocess.run([*begin, "-c", "import xlbias"], capture_output=True, text=True, check=False)
    if tried.returncode:
        pytest.skip(f"the interpreter cannot be run as another user here: {tried.stderr[-200:]}")
    return begin


@pytest.fixture
def folder():
    """A folder that everybody may write into; that of pytest lies in one that others must not enter."""
    with tempfile.TemporaryDirectory() as name:
        path = Path(name)
        path.chmod(0o777)
        yield path


def test_it_is_nobody_in_particular_and_can_write_nowhere_but_in_the_folder(as_another_user, folder):
    code = (
        "import os, sys; from pathlib import Path; "
        "print(os.getuid(), os.path.expanduser('~'), *(os.access(path, os.W_OK) for path in sys.argv[1:]))"
    )
    done = subprocess.run(
        [*as_another_user, "-c", code, PACKAGE, PACKAGE / "retrieve" / "__pycache__", Path.home(), folder],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout.split() == [USER, "~", "False", "False", "False", "True"]


@pytest.mark.timeout(600)
def test_evaluate_report_and_dashboard(as_another_user, folder):
    run = folder / "run.parquet"
    command = [*as_another_user, "-P", "-m", "xlbias"]
    for words, said in (
        (["evaluate", "static-small", "--task", "builtin:money[split=test;languages=en,de]", "--out", str(run)], "mAP"),
        (["report", str(run)], "mAP"),
    ):
        done = subprocess.run([*command, *words], cwd=folder, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        assert said in done.stdout
        assert "Traceback" not in done.stderr
        assert "cannot" not in done.stderr
    assert run.stat().st_uid == int(USER)
    child = pexpect.spawn(
        command[0], [*command[1:], "dashboard", str(run)], cwd=str(folder), dimensions=(24, 80), timeout=240
    )
    try:
        child.expect("static-small")
        child.send("q")
        child.expect(pexpect.EOF)
        child.wait()
        assert child.exitstatus == 0
    finally:
        child.close(force=True)
