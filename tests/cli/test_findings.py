"""`xlbias findings`: sentences and JSON, chosen by kind, with thresholds of the user's; and the same in a gate."""

import json

import pytest
from dashboard.made import LiveRun

from xlbias.cli import run
from xlbias.results.findings import findings
from xlbias.results.run import open_run

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return str(LiveRun(tmp_path_factory.mktemp("runs") / "run.parquet").write_all().finish())


def asked(capsys, *words, code=0):
    assert run(["findings", *words]) == code
    printed = capsys.readouterr()
    return printed.out if code == 0 else printed.err


def test_text_and_json_say_the_same(path, capsys):
    found = findings(open_run(path))
    text = " ".join(asked(capsys, path).split())
    told = json.loads(asked(capsys, path, "--format", "json"))
    assert told["schema"] == 1
    assert told["thresholds"]["significance"] == 0.05
    assert [one["sentence"] for one in told["findings"]] == [one.sentence for one in found]
    for one in found:
        assert " ".join(one.sentence.split()) in text
    numbers = [number for one in told["findings"] for number in one["numbers"]]
    assert {"measure", "value", "low", "high", "n", "p", "setting", "query_language", "passage_language"} <= set(
        numbers[0]
    )
    assert told["findings"][0]["leads_to"]["screen"] == "overview"


def test_kinds_and_concerns_are_chosen(path, capsys):
    told = json.loads(asked(capsys, path, "--format", "json", "--kind", "quality"))
    assert {one["kind"] for one in told["findings"]} == {"quality"}
    told = json.loads(asked(capsys, path, "--format", "json", "--concerns"))
    assert all(one["concern"] for one in told["findings"])
    assert asked(capsys, path, "--kind", "excluded") == "No findings.\n"


def test_the_report_has_them_in_json_and_levels_beside_the_numbers(path, capsys):
    assert run(["report", path, "--format", "json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert [one["sentence"] for one in told["findings"]] == [one.sentence for one in findings(open_run(path))]
    level = told["results"][0]["levels"][0]
    assert (level["kind"], level["measure"], level["setting"]) == ("chance", "map", "monolingual")
    assert 0 < level["value"] < 1


def test_a_comparison_begins_with_them_and_a_p_stands_in_the_row_of_its_number(path, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    words = ["compare", path, "--base", "mono", "--new", "hybrid", "--task", "mlqa"]
    assert run(words) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[3] == "Findings"
    head = next(line for line in lines if line.startswith("measure"))
    assert head.split() == ["measure", "base", "new", "difference", "p", "(corr.)"]
    assert max(map(len, lines)) <= 80
    assert run([*words, "--format", "json"]) == 0
    assert "difference" in [one["kind"] for one in json.loads(capsys.readouterr().out)["findings"]]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "name a run"),
        (("nowhere.parquet",), "there is no such run"),
        (("{path}", "--kind", "qualty"), "no kind of finding 'qualty' (did you mean quality?)"),
        (("{path}", "--set", "cut=5"), "threshold cut: expected a number from 0 to 1, got 5.0"),
        (("{path}", "--out", "{path}"), "is the name of a run"),
        (("{path}", "nowhere.parquet"), "there is no such run"),
    ],
)
def test_a_wrong_call_is_one_sentence(path, words, said, capsys):
    error = asked(capsys, *(word.replace("{path}", path) for word in words), code=2)
    assert said in error
    assert error.rpartition("\n\n")[2].count("\n") == 1  # after the usage, where there is one


def test_thresholds_are_listed_without_a_run(capsys):
    assert "| `language_gap` | 0.1 |" in asked(capsys, "--thresholds")


def test_a_gate_counts_them_and_names_them(path, capsys):
    assert run(["check", path, "--task", "mlqa", "--model", "mono", "-r", "findings[excluded] == 0"]) == 0
    capsys.readouterr()
    assert run(["check", path, "--task", "mlqa", "--model", "mono", "-r", "findings[quality] == 0"]) == 1
    assert "mAP mono" in capsys.readouterr().out
    assert run(["check", path, "-r", "findings[qualty] == 0"]) == 2
    assert "has no kind 'qualty'" in capsys.readouterr().err


def test_the_report_is_one_screen_and_the_rest_is_asked_for(path, capsys, tmp_path):
    def shown(*words):
        assert run(["report", path, *words]) == 0
        return capsys.readouterr().out

    short = shown()
    assert "Bias (" not in short
    assert short.splitlines()[-1].endswith(" --full")
    with_bias = shown("--section", "bias", "--section", "notes")
    assert with_bias.startswith(short)
    assert "Bias (" in with_bias.removeprefix(short)
    assert "\nNote\n" in with_bias
    assert "fairest for" not in with_bias
    full = shown("--full")
    assert "Bias (" in full
    assert "fairest for" in full
    assert "\nFindings\n" in full
    assert shown("--out", str(tmp_path / "report.txt")) == ""
    assert "fairest for" in (tmp_path / "report.txt").read_text("utf-8")
    assert run(["report", path, "--section", "bais"]) == 2
