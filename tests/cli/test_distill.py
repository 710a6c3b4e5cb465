"""`xlbias distill` and the settings of training: what cannot be is one sentence, before anything is read or written."""

import json
from pathlib import Path

import pytest

from xlbias.cli import run

DISTILL, TRAIN = ["distill"], ["train", "--task", "parallel:not-there.jsonl"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([*DISTILL, "./nothing"], "./nothing: there is no such folder"),
        ([*DISTILL, "openai:x#m"], "openai:x#m: cannot be distilled; expected a folder or a hub name"),
        ([*DISTILL, "some/encoder", "--tokens", "seen"], "tokens=seen needs texts: name a task"),
        ([*DISTILL, "some/encoder", "--task", "builtin:money"], "tokens=base takes all tokens of the encoder"),
        ([*DISTILL, "some/encoder", "--dimension", "0"], "dimension is 0: expected from 1 to 65536"),
        ([*TRAIN, "--set", "from=./nothing"], "./nothing: there is no such folder"),
        ([*TRAIN, "--base", "some/encoder", "--set", "from=a/b"], "from is 'a/b': only the base 'static' is distilled"),
        ([*TRAIN, "--mine-negatives", "-1"], "mine_negatives is -1: expected 0 or more"),
        ([*TRAIN, "--set", "lora_rank=8"], "lora_rank is 8: the static encoder has no layers to need it"),
        ([*TRAIN, "--set", "symetric=true"], "unknown key 'symetric' (did you mean symmetric?)"),
        ([*TRAIN, "--set", "matryoshka=[0]"], "matryoshka[0] is 0: expected a length of vectors, at least 1"),
    ],
)
def test_what_cannot_be_is_one_sentence_and_writes_nothing(words, said, tmp_path: Path, capsys, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert run([*words, "--out", "made"]) == 2
    error = capsys.readouterr().err
    assert said in error and error.count("\n") == 1
    assert not list(tmp_path.iterdir())


def test_peft_is_asked_for_before_anything_is_read(tmp_path: Path, capsys, monkeypatch) -> None:
    monkeypatch.setattr("xlbias.train.recipe.find_spec", lambda name: None)
    assert run([*TRAIN, "--base", "some/encoder", "--set", "lora_rank=8", "--out", str(tmp_path / "made")]) == 2
    assert "lora_rank needs the package peft" in capsys.readouterr().err


def test_from_brings_the_recipe_of_distilled_encoders_and_mining_a_negative_for_each_pair(capsys) -> None:
    assert run(["train", "--set", "from=some/encoder", "--mine-negatives", "5", "--show"]) == 0
    shown = dict(line.split(" = ") for line in capsys.readouterr().out.splitlines() if " = " in line)
    assert json.loads(shown["from"]) == "some/encoder"
    assert (shown["tokens"], shown["dimension"]) == ('"seen"', "256")
    assert (shown["mine_negatives"], shown["hard_negatives"]) == ("5", "1")


def test_the_help_of_train_lists_every_option_once_under_a_heading(capsys) -> None:
    from xlbias.cli.train import HEADINGS, command

    assert run(["train", "--help"]) == 0
    shown = capsys.readouterr().out
    at = [shown.index(f"\n{heading}:\n") for heading in HEADINGS.values()]
    assert at == sorted(at)
    assert "\nOptions:\n" not in shown
    listed = [line for line in shown[at[0] : shown.index("Examples:")].splitlines() if line.startswith("  -")]
    assert len(listed) == len(command.params) + 1  # and --help
