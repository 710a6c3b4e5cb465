"""The command line as a whole: light, lazy, and one clear sentence for what goes wrong."""

import os
import subprocess
import sys

import click
import pytest

from xlbias.cli import COMMANDS, main, run

HEAVY = {"torch", "polars", "textual", "numpy", "transformers", "sentence_transformers", "faiss", "numba", "rich"}


def imported_by(*arguments: str) -> set[str]:
    code = (
        f"import sys; from xlbias.cli import run; code = run({list(arguments)!r});"
        "print(*sys.modules, file=sys.stderr); sys.exit(code)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stderr.split())


@pytest.mark.e2e
@pytest.mark.parametrize("arguments", [["--help"], *([name, "--help"] for name in COMMANDS)])
def test_help_imports_nothing_heavy(arguments):
    assert not HEAVY & imported_by(*arguments)


def test_help_names_every_command_and_every_command_has_an_example(capsys):
    assert run(["--help"]) == 0
    shown = capsys.readouterr().out
    for name in COMMANDS:
        assert f"  {name} " in shown
        command = main.get_command(click.Context(main), name)
        assert command is not None
        described = (command.epilog or "") + (command.help or "")
        assert f"xlbias {name}" in described, f"{name} has no example"


def test_an_unknown_command_or_option_is_wrong_usage(capsys):
    assert run(["evalute"]) == 2
    assert "No such command 'evalute'" in capsys.readouterr().err
    assert run(["report", "--nonsense"]) == 2


@pytest.mark.parametrize(
    ("line", "usage", "said"),
    [
        ("evalute", "xlbias [OPTIONS] COMMAND [ARGS]...", "No such command 'evalute' (did you mean evaluate?)"),
        ("data shw", "xlbias data [OPTIONS] COMMAND [ARGS]...", "No such command 'shw' (did you mean show?)"),
        (
            "report --fromat html a",
            "xlbias report [OPTIONS] RUN...",
            "No such option '--fromat' (did you mean --format",
        ),
        ("report", "xlbias report [OPTIONS] RUN...", "Missing argument 'RUN...'."),
        (
            "report a --format htm",
            "xlbias report [OPTIONS] RUN...",
            "'htm' (did you mean html?); choose from text, json,",
        ),
        (
            "report a --section bais",
            "xlbias report [OPTIONS] RUN...",
            "'bais' (did you mean bias?); choose from overview",
        ),
        ("findings", "xlbias findings [OPTIONS] [RUN] [BASE]", "name a run, such as: xlbias findings run.parquet"),
        ("train --sampler monno -o x", "xlbias train [OPTIONS]", "'monno' (did you mean mono?)"),
        ("train", "xlbias train [OPTIONS]", "Missing option '--out' / '-o'."),
    ],
)
def test_wrong_usage_shows_the_usage_and_what_was_meant(capsys, line, usage, said):
    assert run(line.split()) == 2
    shown = capsys.readouterr()
    first, hint, blank, sentence = shown.err.splitlines()
    assert (shown.out, first, blank) == ("", f"Usage: {usage}", "")
    assert hint == f"Try '{usage.partition(' [')[0].partition(' RUN')[0]} --help' for help."
    assert sentence.startswith("xlbias: ")
    assert said in sentence


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("train --set batchsize=5 --out x", "unknown key 'batchsize' (did you mean batch_size"),
        ("train --recipe xlmr --out x", "unknown recipe 'xlmr' (did you mean xlm-r?)"),
        ("evaluate static-small --task bultin:money", "(did you mean builtin?)"),
        ("evaluate static-small --task builtin:mony", "(did you mean money?)"),
        ("evaluate static-small --task mony", "did you mean builtin:money?"),
        ("data pull xqad-r", "(did you mean xquad-r"),
        ("report a --matrix mapp", "unknown measure 'mapp' (did you mean map"),
        ("findings a --kind qualty", "no kind of finding 'qualty' (did you mean quality?)"),
        ("measures mapp", "no measure 'mapp' (did you mean map"),
    ],
)
def test_a_name_that_is_not_there_is_answered_with_the_one_that_is(capsys, tmp_path, monkeypatch, line, said):
    monkeypatch.chdir(tmp_path)
    assert run(line.split()) == 2
    err = capsys.readouterr().err
    assert said in err
    assert err.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("group", [[], ["data"], ["export"], ["import"], ["completion"]])
def test_a_group_without_a_command_prints_its_help(capsys, group):
    assert run([*group, "--help"]) == 0
    help_ = capsys.readouterr().out
    assert run(group) == 0
    shown = capsys.readouterr()
    assert (shown.out, shown.err) == (help_, "")


def commands():
    """Yield every command with its words."""
    waiting = [((name,), main.get_command(click.Context(main), name)) for name in COMMANDS]
    for words, command in waiting:
        yield words, command
        if isinstance(command, click.Group):
            waiting += [((*words, name), one) for name, one in command.commands.items()]


def options():
    for words, command in commands():
        yield from ((words, one) for one in command.params if isinstance(one, click.Option))


def test_a_short_flag_is_the_same_option_everywhere():
    meanings = {}
    for words, option in options():
        long = next(name for name in option.opts if name.startswith("--"))
        for short in (name for name in option.opts if not name.startswith("--")):
            assert meanings.setdefault(short, long) == long, words
    assert meanings["-o"] == "--out"
    for words, option in options():
        for short, long in meanings.items():
            if long in option.opts and long in ("--out", "--quiet", "--task", "--measure"):
                assert short in option.opts, (words, long)


def test_every_command_of_many_options_has_them_under_headings():
    for words, command in commands():
        own = [one for one in command.params if isinstance(one, click.Option)]
        if len(own) >= 10:
            names = {one.name for one in command.params}
            assert set(command.headings) <= names, words
            shown = command.get_help(click.Context(command, info_name="x"))
            assert "\nOptions:\n" not in shown, words
            assert all(f"\n{heading}:\n" in shown for heading in command.headings.values()), words


def test_an_error_is_one_sentence_and_a_traceback_only_with_debug(capsys):
    assert run(["report", "missing.parquet"]) == 2
    err = capsys.readouterr().err
    assert err == "xlbias: missing.parquet: there is no such run\n"
    assert run(["report", "missing.parquet", "--debug"]) == 2
    err = capsys.readouterr().err
    assert err.startswith("Traceback (most recent call last):\n")
    assert err.endswith("RunError: missing.parquet: there is no such run\n")


def test_a_traceback_that_quotes_a_hostile_name_prints_nothing_a_terminal_obeys(capsys):
    assert run(["report", "\x1b]52;c;ZXZpbA==\x07.parquet", "--debug"]) == 2
    err = capsys.readouterr().err
    assert "RunError: ␛]52;c;ZXZpbA==␇.parquet" in err
    assert "\x1b" not in err


def test_an_error_that_quotes_a_hostile_name_prints_nothing_a_terminal_obeys(capsys):
    assert run(["report", "\x1b]52;c;ZXZpbA==\x07.parquet"]) == 2
    assert "\x1b" not in capsys.readouterr().err


def test_wrong_usage_that_quotes_a_hostile_word_prints_nothing_a_terminal_obeys(capsys):
    assert run(["report", "a.parquet", "evil\x1b]0;pwn\x07.parquet"]) == 2
    assert "\x1b" not in capsys.readouterr().err


def test_what_nobody_foresaw_is_a_sentence_and_never_the_code_of_a_failed_check(capsys, monkeypatch):
    monkeypatch.setattr("xlbias.results.run.open_run", lambda _: 1 // 0)
    assert run(["report", "a.parquet"]) == 2
    assert "unexpected ZeroDivisionError" in capsys.readouterr().err


def test_a_report_never_replaces_a_run(tmp_path, capsys):
    target = tmp_path / "run.parquet"
    target.write_bytes(b"precious")
    assert run(["report", "a.parquet", "--out", str(target)]) == 2
    assert "is the name of a run" in capsys.readouterr().err
    assert target.read_bytes() == b"precious"


@pytest.mark.e2e
def test_python_dash_m_works_and_a_closed_pipe_is_no_error():
    command = f"set -o pipefail; {sys.executable} -m xlbias data list | true"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False, env={**os.environ})
    assert (done.returncode, done.stderr) == (0, "")


def test_the_version_is_that_of_the_package(capsys):
    import xlbias

    assert run(["--version"]) == 0
    assert xlbias.__version__ in capsys.readouterr().out
