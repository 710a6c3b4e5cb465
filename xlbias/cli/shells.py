"""Completion in bash, zsh and fish: the scripts that ask `xlbias` for it, and where each shell finds its script."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import click
from click.shell_completion import (
    BashComplete,
    CompletionItem,
    FishComplete,
    ShellComplete,
    ZshComplete,
    split_arg_string,
)

from xlbias.cli.values import BEGINNING

PROGRAM, VARIABLE = "xlbias", "_XLBIAS_COMPLETE"
"""What is completed, and the variable by which a shell asks."""

_BASH = r"""# Completion of %(prog_name)s for bash.
%(complete_func)s() {
    local IFS=$'\n' kind value
    COMPREPLY=()
    while IFS=, read -r kind value; do
        case $kind in
            file) compopt -o default ;;
            dir) compopt -o dirnames ;;
            plain)
                COMPREPLY+=("$value")
                case $value in *[:=/]) compopt -o nospace ;; esac
                ;;
        esac
    done < <(COMP_LINE="${COMP_LINE:0:COMP_POINT}" COMP_WORD="${COMP_WORDS[COMP_CWORD]}" \
        %(complete_var)s=bash_complete "$1" 2>/dev/null)
} 2>/dev/null
complete -o nosort -F %(complete_func)s %(prog_name)s 2>/dev/null || complete -F %(complete_func)s %(prog_name)s
"""

_ZSH = r"""#compdef %(prog_name)s
# Completion of %(prog_name)s for zsh.
%(complete_func)s() {
    local -a plain told open response
    (( $+commands[%(prog_name)s] )) || return 1
    response=("${(@f)$(COMP_WORDS="${words[*]}" COMP_CWORD=$((CURRENT-1)) \
        %(complete_var)s=zsh_complete %(prog_name)s 2>/dev/null)}")
    for kind value about in ${response}; do
        case $kind in
            dir) _path_files -/ ;;
            file) _path_files -f ;;
            plain)
                if [[ "$about" != "_" ]]; then
                    told+=("$value:$about")
                elif [[ "$value" == *[:=/] ]]; then
                    open+=("$value")
                else
                    plain+=("$value")
                fi
                ;;
        esac
    done
    [[ -n "$told" ]] && _describe -V unsorted told -U
    [[ -n "$plain" ]] && compadd -U -V unsorted -a plain
    [[ -n "$open" ]] && compadd -U -V unsorted -S '' -a open
}
if [[ $zsh_eval_context[-1] == loadautofunc ]]; then
    %(complete_func)s "$@"
else
    (( $+functions[compdef] )) || { autoload -Uz compinit && compinit; }
    compdef %(complete_func)s %(prog_name)s
fi
"""

_FISH = r"""# Completion of %(prog_name)s for fish.
function %(complete_func)s
    for completion in (COMP_WORDS=(commandline -cp) COMP_CWORD=(commandline -ct) \
            %(complete_var)s=fish_complete %(prog_name)s 2>/dev/null)
        set -l parts (string split -m 1 "," -- $completion)
        switch $parts[1]
            case dir
                __fish_complete_directories $parts[2]
            case file
                __fish_complete_path $parts[2]
            case plain
                echo $parts[2]
        end
    end
end
complete --no-files --command %(prog_name)s --arguments "(%(complete_func)s)"
"""

_SAFE = re.compile(r"([^\w./:=,@%+~-])")  # what bash would read otherwise is written with a backslash


class Bash(BashComplete):
    """Bash breaks words at colons and equals signs: it is given what it still lacks of a word."""

    source_template = _BASH

    def source(self) -> str:
        """Return the script, which older versions of bash can read, too."""
        return ShellComplete.source(self)

    def get_completion_args(self) -> tuple[list[str], str]:
        """Return the words before the one that is completed, and what there is of that."""
        line = os.environ["COMP_LINE"]
        words = split_arg_string(line)[1:]
        return (words[:-1], words[-1]) if words and not line.endswith((" ", "\t")) else (words, "")

    def get_completions(self, args: list[str], incomplete: str) -> list[CompletionItem]:
        """Return the ends of words."""
        word = os.environ.get("COMP_WORD", "")
        found = super().get_completions(args, incomplete)
        value = incomplete.partition("=")[2] if incomplete.startswith("-") and "=" in incomplete else incomplete
        cut = len(value) if word in BEGINNING else len(value) - len(word) if value.endswith(word) else 0
        quoted = word.startswith(("'", '"'))
        for item in found:
            ending = item.value[cut:]
            item.value = ending if quoted else _SAFE.sub(r"\\\1", ending)
        return found


class Zsh(ZshComplete):
    """Zsh, with no space after what is the beginning of a word."""

    source_template = _ZSH

    def get_completions(self, args: list[str], incomplete: str) -> list[CompletionItem]:
        """Return whole words."""
        return _with_option(incomplete, super().get_completions(args, incomplete))


class Fish(FishComplete):
    """Fish, with words that have commas."""

    source_template = _FISH

    def get_completions(self, args: list[str], incomplete: str) -> list[CompletionItem]:
        """Return whole words."""
        return _with_option(incomplete, super().get_completions(args, incomplete))


def _with_option(incomplete: str, found: list[CompletionItem]) -> list[CompletionItem]:
    """Return completions of ``--option=value`` as whole words."""
    option, equals, _ = incomplete.partition("=")
    if equals and option.startswith("-"):
        for item in found:
            item.value = f"{option}={item.value}"
    return found


@dataclass(frozen=True)
class Shell:
    """A shell: how it asks, where its script is put, and the start file that reads it; None where the shell does."""

    asks: type[ShellComplete]
    script: Callable[[], Path]
    start: Callable[[], Path] | None


def _folder(variable: str, *usual: str) -> Path:
    """Return the folder that a variable names, or the usual one in the user's home."""
    chosen = os.environ.get(variable)
    return Path(chosen) if chosen and Path(chosen).is_absolute() else Path.home().joinpath(*usual)


def _kept(name: str) -> Path:
    return _folder("XDG_DATA_HOME", ".local", "share") / "xlbias" / name


SHELLS = {
    "bash": Shell(Bash, lambda: _kept("completion.bash"), lambda: Path.home() / ".bashrc"),
    "zsh": Shell(Zsh, lambda: _kept("completion.zsh"), lambda: _folder("ZDOTDIR") / ".zshrc"),
    "fish": Shell(Fish, lambda: _folder("XDG_CONFIG_HOME", ".config") / "fish" / "completions" / "xlbias.fish", None),
}
"""The shells that there is completion for."""


def answer(command: click.Command) -> int:
    """Print what a shell asks for in `VARIABLE`, and return the exit code: what completes a line, or its script."""
    shell, _, asked = os.environ[VARIABLE].partition("_")
    if shell not in SHELLS or asked not in ("complete", "source"):
        return 1
    completion = SHELLS[shell].asks(command, {}, PROGRAM, VARIABLE)
    click.echo(completion.complete() if asked == "complete" else completion.source())
    return 0


def script(name: str, command: click.Command) -> str:
    """Return the script of a shell."""
    return SHELLS[name].asks(command, {}, PROGRAM, VARIABLE).source()


def install(name: str, command: click.Command) -> Sequence[str]:
    """Write the script of a shell where it finds it, and return what was done, a sentence each.

    A start file gets one line more, the first time. Raises WriteError where a file cannot be written.
    """
    from shlex import quote

    from xlbias.files import saying, write_whole

    shell = SHELLS[name]
    path = shell.script()
    with saying(path):
        path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, script(name, command).encode())
    done = [f"wrote {path}"]
    if shell.start is not None:
        start, line = shell.start(), f"[ -r {quote(str(path))} ] && . {quote(str(path))}  # completion of xlbias"
        with saying(start):
            there = start.read_text("utf-8", "replace") if start.exists() else ""
            if line not in there.splitlines():
                with start.open("a", encoding="utf-8") as file:
                    file.write(f"{'' if not there or there.endswith(chr(10)) else chr(10)}{line}\n")
                done.append(f"added a line that reads it to {start}")
    return [*done, f"it works in every new {name}"]
