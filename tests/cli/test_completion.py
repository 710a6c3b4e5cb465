"""Completion: what real shells get for a line, and where their scripts are installed."""

import os
import shutil
import subprocess
import sys
from dataclasses import replace

import pytest
from support import make_task, make_vectors

from xlbias.cli import run
from xlbias.evaluation import evaluate

SCRIPTS = {"bash": ".local/share/xlbias/completion.bash", "zsh": ".local/share/xlbias/completion.zsh"}
BASH = r"""
source "$1"
while IFS= read -r line; do
    COMP_LINE=$line COMP_POINT=${#line}
    words=${line//:/ : }
    read -ra COMP_WORDS <<< "${words//=/ = }"
    [[ $line == *' ' ]] && COMP_WORDS+=('')
    COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
    _xlbias_completion xlbias
    echo "${COMPREPLY[*]}"
done
"""
"""Lines in, completions out: words are broken as readline breaks them."""


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder with a program `xlbias`, a run of two encoders, and some files."""
    folder = tmp_path_factory.mktemp("shell")
    program = folder / "bin" / "xlbias"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -P -m xlbias "$@"\n')
    program.chmod(0o755)
    task = make_task(3, "second")
    (folder / "here").mkdir()
    encoders = [replace(make_vectors(task), name=name) for name in ("mono", "hybrid x")]
    evaluate(encoders, [task], folder / "here" / "run one.parquet", cache=None)
    (folder / "here" / "notes.txt").write_text("")
    (folder / "here" / "going.parquet.live").mkdir()
    (folder / "here" / "corpus").mkdir()
    return folder


def environment(place):
    return {**os.environ, "PATH": f"{place / 'bin'}:{os.environ['PATH']}", "HOME": str(place)}


def bash(place, *lines):
    """Return what bash completes each line to, as one line each."""
    script = subprocess.run(
        ["xlbias", "completion", "show", "bash"], env=environment(place), capture_output=True, check=True
    )
    (place / "script").write_bytes(script.stdout)
    done = subprocess.run(
        ["bash", "--norc", "-c", BASH, "bash", str(place / "script")], cwd=place / "here", env=environment(place),
        input="".join(f"{line}\n" for line in lines), capture_output=True, text=True, check=True,
    )  # fmt: skip
    return dict(zip(lines, done.stdout.splitlines(), strict=True))


@pytest.mark.e2e
@pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash")
def test_bash_completes_commands_options_and_values(place):
    expected = {
        "xlbias re": "rerank report",
        "xlbias report --fo": "--format",
        "xlbias report --format ": "text json csv markdown latex html",
        "xlbias report --format=h": "html",
        "xlbias report --section over": "overview",
        "xlbias report ": r"corpus/ going.parquet run\ one.parquet",
        "xlbias train --recipe xl": "xlm-r",
        "xlbias train --set batch": "batch_size=",
        "xlbias train --report-to wandb,ml": "wandb,mlflow",
        "xlbias evaluate x --task bui": "builtin:money builtin:language builtin:calendar",
        "xlbias evaluate x --task builtin:mo": "money",
        "xlbias evaluate x --task lareqa:": r"corpus/ notes.txt run\ one.parquet",
        "xlbias evaluate stat": "static-small",
        "xlbias compare run\\ one.parquet --base ": r"mono hybrid\ x",
        "xlbias compare run\\ one.parquet --new mono,": r"mono,mono mono,hybrid\ x",
        "xlbias check run\\ one.parquet --task s": "second",
        "xlbias compare missing.parquet --base ": "",
        "xlbias measures rank_dist": "rank_distance rank_distance.normalised rank_distance.median",
        "xlbias data pull xq": "xquad-r",
        "xlbias export ": "run qrels csv parquet results model-index",
        "xlbias findings --kind own": "own_language",
    }
    assert bash(place, *expected) == expected


@pytest.mark.e2e
@pytest.mark.skipif(shutil.which("fish") is None, reason="there is no fish")
def test_fish_completes_the_same(place):
    lines = ("xlbias report --format=h", "xlbias evaluate x --task builtin:mo", "xlbias train --set batch")
    code = "xlbias completion show fish | source; for line in $argv; complete -C $line; end"
    done = subprocess.run(
        ["fish", "--no-config", "-c", code, *lines], env=environment(place), capture_output=True, text=True, check=True
    )
    words = [line.split("\t")[0] for line in done.stdout.splitlines()]
    assert words == ["--format=html", "builtin:money", "batch_size="]


@pytest.mark.e2e
@pytest.mark.skipif(shutil.which("zsh") is None, reason="there is no zsh")
def test_zsh_completes_the_same(place):
    import pexpect

    child = pexpect.spawn("zsh", ["-f"], env=environment(place), encoding="utf-8", timeout=60, dimensions=(24, 200))
    child.sendline("source <(xlbias completion show zsh); echo there is")
    child.expect("\nthere is")
    for begun, rest in (("repo", "rt"), ("evaluate x --task builtin:mo", "ney"), ("report --format=h", "tml")):
        child.send(f"xlbias {begun}\t")
        child.expect_exact(rest)
        child.send("\x15")
    child.close(force=True)


@pytest.mark.parametrize(
    ("line", "heavy"),
    [
        ("xlbias ", {"numpy", "polars", "torch", "textual", "rich"}),
        ("xlbias evaluate x --task ", {"numpy", "polars", "torch", "textual"}),
        ("xlbias train --recipe ", {"numpy", "polars", "torch", "textual"}),
        ("xlbias measures ", {"polars", "torch", "textual", "scipy"}),
        ("xlbias compare missing.parquet --base ", {"torch", "textual", "scipy", "pyarrow"}),
    ],
)
@pytest.mark.e2e
def test_a_completion_imports_nothing_heavy(line, heavy):
    code = "import sys; from xlbias.cli import run; run([]); print(*sys.modules, file=sys.stderr)"
    env = {**os.environ, "_XLBIAS_COMPLETE": "bash_complete", "COMP_LINE": line, "COMP_WORD": ""}
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True)
    assert not heavy & set(done.stderr.split())


@pytest.fixture
def home(tmp_path, monkeypatch):
    for name in ("XDG_DATA_HOME", "XDG_CONFIG_HOME", "ZDOTDIR", "SHELL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


@pytest.mark.parametrize("shell", ["bash", "zsh"])
def test_installing_writes_a_script_and_adds_one_line_once(home, capsys, shell):
    start = home / f".{shell}rc"
    start.write_text("alias ll='ls -l'")  # without an end of its last line
    start.chmod(0o640)
    assert run(["completion", "install", shell]) == 0
    assert "in every new" in capsys.readouterr().out
    script = home / SCRIPTS[shell]
    lines = start.read_text().splitlines()
    assert lines == ["alias ll='ls -l'", f"[ -r {script} ] && . {script}  # completion of xlbias"]
    assert "_xlbias_completion" in script.read_text()
    assert start.stat().st_mode & 0o777 == 0o640
    assert run(["completion", "install", shell]) == 0
    assert start.read_text().splitlines() == lines


def test_installing_follows_the_link_that_a_start_file_is(home):
    (home / "dotfiles").mkdir()
    (home / "dotfiles" / "bashrc").write_text("")
    (home / ".bashrc").symlink_to(home / "dotfiles" / "bashrc")
    assert run(["completion", "install", "bash"]) == 0
    assert (home / ".bashrc").is_symlink()
    assert "completion of xlbias" in (home / "dotfiles" / "bashrc").read_text()


def test_fish_finds_its_script_by_itself(home):
    assert run(["completion", "install", "fish"]) == 0
    assert "complete --no-files --command xlbias" in (home / ".config/fish/completions/xlbias.fish").read_text()
    assert [path.name for path in home.iterdir()] == [".config"]


def test_without_a_name_it_is_the_shell_that_is_used(home, monkeypatch, capsys):
    monkeypatch.setenv("SHELL", "/usr/bin/fish")
    assert run(["completion", "show"]) == 0
    assert "for fish" in capsys.readouterr().out
    monkeypatch.setenv("SHELL", "/bin/tcsh")
    assert run(["completion", "install"]) == 2
    assert "your shell is tcsh: name one of bash, zsh, fish" in capsys.readouterr().err
    assert run(["completion", "show", "bsh"]) == 2
    assert "'bsh' (did you mean bash or zsh?); choose from bash, zsh, fish" in capsys.readouterr().err
    assert list(home.iterdir()) == []


def test_where_nothing_can_be_written_one_sentence_says_so(home, capsys):
    (home / ".local").write_text("no folder")
    assert run(["completion", "install", "bash"]) == 2
    assert capsys.readouterr().err.count("\n") == 1
    assert not (home / ".bashrc").exists()
