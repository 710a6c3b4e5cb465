"""The whole program in a pseudo-terminal: what bytes reach a terminal, and what never does."""

import os
import pty
import re
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pexpect
import psutil
import pyte
import pytest
from dashboard.idle import PATIENCE
from processes import hang_up

from xlbias.dashboard.terminal.signals import _watch

pytestmark = pytest.mark.e2e

HOSTILE = (
    "\x1b]52;c;aGFja2Vk\x07clip", "\x1b]0;title\x07", "\x1b[31mred\x1b[0m",
    "\x9b31mc1\x9d52;c;eA==\x9c", "[/]", "[bold]x[/bold]",
    "[@click=app.quit]quit[/]", "\u202eevil\u2066", "nul\x00bel\x07",
    "line\nbreak\rreturn\ttab", "x" * 5000, "\ud800lone", "👩‍👩‍👧",
)  # fmt: skip


class Terminal:
    """A dashboard in a pty of its own: all bytes that it wrote, and the screen that they make."""

    def __init__(self, *arguments, size=(80, 24), command=("dashboard",), **environment):
        self.screen = pyte.Screen(*size)
        self.stream = pyte.ByteStream(self.screen)
        self.raw = b""
        env = {**os.environ, "TERM": "xterm-256color", "COLORTERM": "truecolor", **environment}
        env = {name: value for name, value in env.items() if value is not None}
        self.child = pexpect.spawn(
            sys.executable, ["-m", "xlbias", *command, *map(str, arguments)], dimensions=(size[1], size[0]), env=env,
            timeout=PATIENCE,
        )  # fmt: skip

    def __enter__(self):
        return self

    def __exit__(self, *_):
        try:
            self.child.close(force=True)
        except (
            pexpect.ExceptionPexpect
        ):  # it was killed, and a busy machine has not ended it within a tenth of a second
            ends = time.monotonic() + PATIENCE
            while self.child.ptyproc.isalive():
                assert time.monotonic() < ends
                time.sleep(0.05)

    def read(self, seconds):
        """Read for a while; return the bytes that came."""
        got = b""
        ends = time.monotonic() + seconds
        while (left := ends - time.monotonic()) > 0:
            try:
                got += self.child.read_nonblocking(65536, timeout=left)
            except (pexpect.TIMEOUT, pexpect.EOF):
                break
        self._take(got)
        return got

    def until(self, *texts, seconds=PATIENCE):
        """Read until all `texts` are on the screen at once, wherever their lines are broken."""
        ends = time.monotonic() + seconds
        while missing := [text for text in texts if not self.shows(text)]:
            if time.monotonic() > ends:
                raise AssertionError(f"{missing} not on the screen:\n" + "\n".join(self.screen.display))
            self.read(0.02)

    def shows(self, text):
        """Whether `text` is on the screen."""
        return text in "\n".join(self.screen.display) or text in " ".join(self.words())

    def words(self):
        return " ".join(self.screen.display).split()

    def press(self, keys, quiet=0.15, longest=3.0):
        """Press keys; return the bytes that came until nothing more did for a moment."""
        self.child.send(keys)
        got, ends = self.read(0.3), time.monotonic() + longest
        while time.monotonic() < ends and (more := self.read(quiet)):
            got += more
        return got

    def answer(self, keys):
        """Press keys that something comes of; return the bytes of it."""
        self.child.send(keys)
        got, ends = b"", time.monotonic() + PATIENCE
        while not got and time.monotonic() < ends:
            got = self.read(0.05)
        while more := self.read(0.3):
            got += more
        return got

    def still(self):
        """Read until nothing comes and no thread wants the processor for as long as anything is put off."""
        rest, ends = 0, time.monotonic() + 2 * PATIENCE
        while rest < 15:
            assert time.monotonic() < ends, "it never comes to rest"
            rest = 0 if self.read(0.1) or not self._sleeps() else rest + 1

    def _sleeps(self):
        states = [
            file.read_text().rpartition(")")[2].split()[0]
            for file in Path(f"/proc/{self.child.pid}").glob("task/*/stat")
        ]
        return not set(states) & {"R", "D"}

    def leave(self):
        """Close what is open and quit; return the exit code.

        An Escape that is read together with the key after it is another key: a dialog may be open that was closed.
        """
        ends = time.monotonic() + PATIENCE
        while self.child.isalive():
            assert time.monotonic() < ends, "it does not quit:\n" + "\n".join(self.screen.display)
            for key in ("\x1b", "q"):
                if self.child.isalive():
                    self.press(key, quiet=0.3)
        return self.ended()

    def ended(self):
        """Wait for the end of the program; return its exit code."""
        self.child.expect(pexpect.EOF)
        self.raw += self.child.before
        self.child.close()
        return self.child.exitstatus

    def _take(self, got):
        self.raw += got
        # pyte knows neither the kitty protocol nor private pointer shapes
        self.stream.feed(re.sub(rb"\x1b\[[>=<][0-9;]*[a-zA-Z]|\x1b\]22;[^\x07]*\x07|\x1b\[\?[0-9;]*\$p", b"", got))


def test_a_finished_run_is_shown_quits_on_q_and_leaves_the_terminal_as_it_was(finished_run):
    with Terminal(finished_run) as terminal:
        terminal.until("hybrid")
        terminal.press("2")
        terminal.until("mono on xquad-r")
        terminal.press("q")
        assert terminal.ended() == 0
        assert terminal.raw.count(b"\x1b[?1049h") == 1
        assert b"\x1b[?1049l" in terminal.raw


def test_a_terminal_that_does_not_know_its_size_is_drawn_on_and_answers(finished_run):
    with Terminal(finished_run) as terminal:
        terminal.child.setwinsize(0, 0)
        terminal.until("hybrid")
        terminal.press("2")
        terminal.until("mono on xquad-r")
        terminal.press("q")
        assert terminal.ended() == 0


MODES = (b"?1000", b"?1003", b"?1006", b"?1004", b"?2004", b"?1049")  # mouse, focus, paste, the other screen


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_a_signal_gives_the_terminal_back_as_it_was(number, finished_run):
    with Terminal(finished_run) as terminal:
        terminal.until("hybrid")
        terminal.child.kill(number)
        assert terminal.ended() == 128 + number
    sent = terminal.raw
    for mode in MODES:
        assert sent.rfind(b"\x1b[" + mode + b"l") > sent.rfind(b"\x1b[" + mode + b"h"), mode
    assert sent.rfind(b"\x1b[?25h") > sent.rfind(b"\x1b[?25l")  # the cursor
    assert b"Traceback" not in sent


@pytest.mark.parametrize("ignoring", [True, False])
def test_a_terminal_that_is_closed_ends_it_also_where_sighup_is_ignored(ignoring, finished_run):
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN if ignoring else signal.SIG_DFL)
    try:
        terminal = Terminal(finished_run)
    finally:
        signal.signal(signal.SIGHUP, before)
    terminal.until("hybrid")
    process = psutil.Process(terminal.child.pid)
    if ignoring:
        os.kill(process.pid, signal.SIGHUP)  # of which nothing comes
        terminal.press("2")
        assert terminal.child.isalive()
    hang_up(terminal.child)
    assert process.wait(PATIENCE) == 128 + signal.SIGHUP


def test_a_terminal_that_is_closed_before_anything_is_drawn_ends_it_once_it_has_begun():
    ours, theirs = pty.openpty()
    heard, over = [], threading.Event()

    def closed():
        heard.append(len(heard))
        return len(heard) == 2  # at first there is nothing yet that could leave

    os.close(ours)
    _watch(theirs, closed, over)
    assert heard == [0, 1]
    over.set()
    _watch(theirs, closed, over)
    os.close(theirs)
    assert heard == [0, 1]


def test_no_deep_learning_library_and_no_slow_one_is_in_the_process(finished_run):
    """Findings compare encoders with what is slow to import: in a thread, when the first screen is there."""
    code = (
        "import asyncio, sys, threading\nfrom pathlib import Path\n"
        "from xlbias.dashboard.app import DashboardApp\nfrom xlbias.dashboard.workers import findings as worker\n"
        "from xlbias.dashboard.workers.follower import Follower\n"
        "keys_are_pressed, found = threading.Event(), worker.findings_in_turn\n"
        "worker.findings_in_turn = lambda *runs: keys_are_pressed.wait() and found(*runs)\n"
        "async def main():\n"
        "    follower = Follower(Path(sys.argv[1])); follower.start()\n"
        "    app = DashboardApp(follower)\n"
        "    async with app.run_test() as pilot:\n"
        "        while app.state.snapshot is None: await pilot.pause(0.05)\n"
        "        for key in ('2', 's', 's', 'y', 'p', 'question_mark', 'escape', 'ctrl+p'): await pilot.press(key)\n"
        "        print([name for name in (*never, *slow) if name in sys.modules])\n"
        "        keys_are_pressed.set()\n"
        "        while app.findings.of(app.state.snapshot, None) is None: await pilot.pause(0.05)\n"
        "never = ('torch', 'transformers', 'sentence_transformers', 'faiss', 'pyarrow', 'numba', 'pandas')\n"
        "slow = ('scipy',)\n"
        "asyncio.run(main())\n"
        "print([name for name in never if name in sys.modules])\n"
    )
    done = subprocess.run([sys.executable, "-c", code, finished_run], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n[]\n"


def test_hostile_names_reach_the_terminal_only_as_visible_marks(live_run, tmp_path):
    run = live_run("ho\x1b]52;c;eA==\x07stile.parquet", models=HOSTILE[:11] + HOSTILE[12:], tasks=HOSTILE[:4])
    for i in range(len(run.about["models"])):
        run.write("de", model=i, task=0)
    run.journal.progress("\x1b]52;c;cGhhc2U=\x07 phase [/]", 1, 3, "\x1b[31mqueries", force=True)
    with Terminal(run.path, size=(140, 45)) as terminal:
        terminal.until("␛]52;c;aGFja2Vk")
        for keys in ("j" * 5, "i", "i", "2", "t", "T", "m", "?", "\x1b", "1", "S", "\x10", "matrix of"):
            terminal.press(keys)
        assert_inert(terminal.raw)
        assert terminal.child.isalive()


def test_a_hostile_error_reaches_the_terminal_only_as_visible_marks(tmp_path):
    path = tmp_path / "b\x1b]0;pwned\x07ad[.].parquet"
    path.write_text("nothing")
    with Terminal(path) as terminal:
        terminal.until("cannot be shown")
        assert_inert(terminal.raw)


def assert_inert(raw):
    """No byte from data came out as a control: only sequences of the interface's own are there."""
    known = (
        rb"\x1b\[[?>=<]?[0-9;:]*[a-zA-Z]"  # CSI: colours, cursor, modes
        rb"|\x1b\[\?[0-9;]*\$p"  # mode queries
        rb"|\x1b\]22;[a-z]*\x07"  # pointer shape
        rb"|\x1b[78]"
    )
    rest = re.sub(rb"\x1b[\[\]?0-9;:]*$", b"", re.sub(known, b"", raw))  # the last sequence may be read in part
    assert b"\x1b" not in rest
    assert b"\x07" not in rest
    assert b"\x00" not in rest
    assert b"\x1b]52" not in raw
    assert b"\x1b]0" not in raw
    assert b"\x1b[31m" not in raw
    text = rest.decode("utf-8")
    assert not re.search("[\x80-\x9f\u202a-\u202e\u2066-\u2069]", text)


def test_no_colour_leaves_the_program_under_no_color(finished_run):
    with Terminal(finished_run, NO_COLOR="1") as terminal:
        terminal.until("hybrid")
        for keys in ("j", "2", "l", "m", "?", "\x1b", "f"):
            terminal.press(keys)
        colours = re.findall(rb"\x1b\[([0-9;:]*)m", terminal.raw)
        assert colours
        for code in b";".join(colours).split(b";"):
            assert not re.fullmatch(rb"3[0-8]|4[0-8]|9[0-7]|10[0-7]", code), code
        assert "░" in "".join(terminal.screen.display) or "█" in "".join(terminal.screen.display)


@pytest.mark.parametrize("environment", [{"TERM": "xterm", "COLORTERM": None}, {"COLORTERM": None}])
def test_16_and_256_colours(finished_run, environment):
    with Terminal(finished_run, **environment) as terminal:
        terminal.until("hybrid")
        terminal.press("2")
        terminal.until("on xquad-r")
        assert b"38;2;" not in terminal.raw
        assert b"48;2;" not in terminal.raw


def test_nothing_is_written_while_nothing_happens_and_little_when_the_cursor_moves(finished_run):
    with Terminal(finished_run) as terminal:
        terminal.until("hybrid")
        terminal.press("2")
        terminal.until("on xquad-r")
        terminal.still()
        assert terminal.read(1.5) == b""
        assert 0 < len(terminal.answer("j")) < 1500
        assert 0 < len(terminal.answer("m")) < 30_000
        terminal.answer("1")
        assert 0 < len(terminal.answer("G")) < 30_000


def test_a_writer_that_is_killed_is_announced(tmp_path):
    path = tmp_path / "run.parquet"
    writer = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import sys, time\nfrom pathlib import Path\nfrom dashboard.made import LiveRun\n"
            "run = LiveRun(Path(sys.argv[1]))\nrun.write('de')\nprint('ready', flush=True)\ntime.sleep(600)",
            str(path),
        ],
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
    )
    try:
        assert writer.stdout.readline() == b"ready\n"
        with Terminal(path) as terminal:
            terminal.until("● running")
            writer.kill()
            writer.wait()
            terminal.until("✖ writer died", f"process {writer.pid}")
    finally:
        writer.kill()
        writer.wait()


def test_a_damaged_file_leaves_no_panic_on_the_terminal(finished_run):
    content = bytearray(finished_run.read_bytes())
    content[200:1200:3] = bytes(len(content[200:1200:3]))
    finished_run.write_bytes(content)
    with Terminal(finished_run) as terminal:
        terminal.until("cannot be shown")
        assert b"panic" not in terminal.raw
        assert b"Traceback" not in terminal.raw
