"""Where the tests find real data, how they skip where it is not, and how they share the machine."""

import gc
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from processes import end_started

# A worker a core: threads of the libraries beside that only wait for each other. Set before any of them is imported.
os.environ.setdefault("OMP_NUM_THREADS", "1")

# Ctrl-C means what it does in a terminal, also where the tests were started in the background (nohup, `make test &`).
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# Little of what a test leaves behind is in a circle, and to look for that takes a fifth of the time of a screen.
gc.set_threshold(20_000, 20, 20)

_MOST_WORKERS = 8
_ONLY_NOT = re.compile(r"not \w+( and not \w+)*")
_MODULE_MARK = re.compile(r"^pytestmark = pytest\.mark\.(\w+)$", re.MULTILINE)

REPOSITORY = Path(__file__).resolve().parent.parent
SHARED_DATA = Path(os.environ.get("XLBIAS_TEST_DATA", REPOSITORY.parent / "shared" / "data"))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """`-n auto`: one worker more than cores, as some tests wait; each imports everything, which takes ten seconds."""
    return min((os.cpu_count() or 1) + 1, _MOST_WORKERS)


def pytest_configure(config: pytest.Config) -> None:
    """Compile the kernels once, in a process beside the workers: they are long at importing before they need any."""
    several = getattr(config.option, "numprocesses", None) and not hasattr(config, "workerinput")
    if several and not config.option.collectonly and "not integration" not in config.option.markexpr:
        compiling = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("kernels.py"))], stdout=subprocess.DEVNULL
        )
        config.add_cleanup(compiling.wait)


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Import no test module that `-m 'not ...'` leaves out as a whole: what they import takes longer than the rest."""
    wanted = str(config.option.markexpr)
    if not _ONLY_NOT.fullmatch(wanted) or collection_path.suffix != ".py":
        return None
    marked = _MODULE_MARK.search(collection_path.read_text("utf-8"))
    return True if marked and marked[1] in wanted.replace("not ", "").split(" and ") else None


@pytest.fixture(scope="module", autouse=True)
def _less_garbage_to_look_through() -> None:
    """What has been imported stays: the libraries for training look for garbage at the end of each."""
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def _no_process_outlives_its_test() -> Iterator[None]:
    """A test that fails while it waits for a process leaves none behind to take the cores from the others."""
    yield
    end_started()


@pytest.fixture(scope="session")
def shared_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of all workers: what takes long is made there by the first that needs it, under a lock."""
    base = tmp_path_factory.getbasetemp()
    return base.parent if "PYTEST_XDIST_WORKER" in os.environ else base


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Folder of the real corpora (see README, "Tests"); the test is skipped where it is absent."""
    if not SHARED_DATA.is_dir():
        pytest.skip(f"no corpora at {SHARED_DATA}: set XLBIAS_TEST_DATA to a folder that holds them")
    return SHARED_DATA
