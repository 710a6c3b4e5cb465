"""What reaches stdout and stderr commands nothing, whoever prints it, and what their encoding cannot hold is marked."""

import errno
import io
import logging
import os
import subprocess
import sys
from contextlib import contextmanager

import pytest

from xlbias.streams import DrawingStream, InertStream, drawing_stream, guard_streams
from xlbias.text import inert

HOSTILE = "extra\x1b]52;c;UFdO\x07 \x9b31m \u202e \x00"
MARKED = "extra␛]52;c;UFdO␇ ⟨U+009B⟩31m ⟨U+202E⟩ ␀"


class Gone(io.StringIO):
    """A terminal that has been closed."""

    def write(self, text):
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    def flush(self):
        self.write("")


@contextmanager
def guarded():
    """Put both streams behind `guard_streams` for a while; hand over what says what lies behind one of them."""
    behind = {name: io.TextIOWrapper(io.BytesIO(), encoding="utf-8") for name in ("stdout", "stderr")}

    def written(name):
        behind[name].flush()
        return behind[name].buffer.getvalue().decode()

    with pytest.MonkeyPatch.context() as patched:
        for name, stream in behind.items():
            patched.setattr(sys, name, stream)
        guard_streams()
        yield written


def test_what_libraries_print_raise_and_log_is_marked():
    with guarded() as written:
        print(HOSTILE)
        print(HOSTILE, file=sys.stderr)
        logging.StreamHandler().emit(logging.LogRecord("made", logging.ERROR, "", 0, HOSTILE, None, None))
        sys.excepthook(ValueError, ValueError(HOSTILE), None)
        assert written("stdout") == f"{MARKED}\n"
        assert written("stderr").count(MARKED) == 3
        assert "\x1b" not in written("stderr")


def test_white_space_and_every_script_stay_as_they_are():
    with guarded() as written:
        text = "a\tb\r\nकि न\u200dम  中文 👩‍👩‍👧\n"
        sys.stdout.write(text)
        assert written("stdout") == text
        assert inert(text) == text


def test_a_bar_moves_and_a_name_beside_it_does_not():
    with guarded() as written:
        sys.stderr.write("\n\x1b[A\r")
        sys.stderr.write("\r 45% \x1b[A")
        assert written("stderr") == "\n\x1b[A\r\r 45% ␛[A"


def test_there_is_no_way_past_it():
    with guarded():
        assert not hasattr(sys.stdout, "buffer")
        assert guard_streams().n == 0  # a second time changes nothing
        assert isinstance(sys.stdout, InertStream)
        assert not isinstance(sys.stdout.stream, InertStream)


def test_a_terminal_that_is_gone_does_not_end_what_is_narrated(monkeypatch):
    monkeypatch.setattr(sys, "stdout", Gone())
    monkeypatch.setattr(sys, "stderr", Gone())
    guard_streams()
    print("narrated", file=sys.stderr, flush=True)
    print("drawn", file=drawing_stream(), flush=True)
    with pytest.raises(OSError, match="Input/output error"):
        print("data")


def test_what_draws_may_command_the_terminal():
    with guarded() as written:
        print("\x1b[1m", file=drawing_stream())
        assert written("stderr") == "\x1b[1m\n"
        assert isinstance(drawing_stream(), DrawingStream)


SCRIPT = "from xlbias.__main__ import main; main()"


def run(*words, **environment):
    """Run the command line in an environment; return its exit code and the bytes of both streams."""
    environment = {**os.environ, "LC_ALL": "C.UTF-8", **environment}
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, *words], capture_output=True, check=False, env=environment, timeout=300
    )
    return done.returncode, done.stdout, done.stderr


NOT_UTF8 = {
    "ascii": {"PYTHONIOENCODING": "ascii"},
    "latin-1": {"PYTHONIOENCODING": "latin-1"},
    "the C locale": {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
}


@pytest.mark.e2e
@pytest.mark.parametrize("name", NOT_UTF8)
def test_what_is_no_utf8_gets_question_marks_and_is_told(name):
    as_it_is = run("measures")[1].decode()
    code, out, err = run("measures", **NOT_UTF8[name])
    encoding = "latin-1" if name == "latin-1" else "ascii"
    assert code == 0
    assert out == as_it_is.encode(encoding, "replace")
    lost = sum(1 for character in as_it_is if ord(character) > (255 if encoding == "latin-1" else 127))
    assert lost > 0
    assert f"xlbias: {lost} characters are shown as ?".encode() in err


@pytest.mark.e2e
def test_an_error_is_told_in_any_encoding():
    code, out, err = run("report", "Ελλάδα é.parquet", PYTHONIOENCODING="latin-1")
    assert (code, out) == (2, b"")
    assert err == b"xlbias: ?????? \xe9.parquet: there is no such run\n"
