"""`xlbias check` as CI runs it: what passes, what fails and says where, and what is refused."""

import os
import subprocess
import sys

import numpy as np
import pytest
from support import Breaks, make_task, make_vectors

from xlbias.cli import run as xlbias
from xlbias.encode.precomputed import PrecomputedVectors
from xlbias.evaluation import evaluate

pytestmark = pytest.mark.integration

TASK = make_task(10)
HOSTILE = "\x1b]52;c;ZXZpbA==\x07[/][@click=app.quit]\u202e\x9b31m\nok    all"


def parallel_vectors(name="good", task=TASK, seed=0):
    """Vectors that nearly agree in all languages: every answer is found first."""
    rng = np.random.default_rng(seed)
    ids = np.repeat(rng.standard_normal((task.queries["query_id"].n_unique(), 24)), 7, axis=0)
    queries, passages = (ids + 0.05 * rng.standard_normal(ids.shape) for _ in range(2))
    return PrecomputedVectors(queries.astype(np.float32), passages.astype(np.float32), name)


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs")
    evaluate(parallel_vectors(), TASK, folder / "good.parquet")
    evaluate(make_vectors(TASK), TASK, folder / "random.parquet")
    evaluate([parallel_vectors(), make_vectors(TASK)], TASK, folder / "both.parquet")
    return folder


def check(capsys, *arguments):
    code = xlbias(["check", *map(str, arguments)])
    shown = capsys.readouterr()
    return code, shown.out.splitlines(), shown.err


def in_a_shell(command, folder):
    environment = {**os.environ, "XLBIAS": f"{sys.executable} -m xlbias"}
    shell = ["bash", "-o", "pipefail", "-c", command]
    return subprocess.run(shell, capture_output=True, text=True, cwd=folder, env=environment, check=False)


# -- in a real shell ---------------------------------------------------------------------------------------------------


@pytest.mark.e2e
def test_a_gate_that_holds(runs):
    done = in_a_shell("$XLBIAS check good.parquet -r 'map.multilingual >= 0.9' && echo deployed", runs)
    assert (done.returncode, done.stdout) == (0, "ok    good on made: map.multilingual >= 0.9\ndeployed\n")
    assert done.stderr == "1 check, 0 failed\n"


@pytest.mark.e2e
def test_a_gate_that_does_not_hold_names_the_line_and_the_numbers(runs):
    (runs / "gate.txt").write_text("# quality\nmap.multilingual >= 0.01\n\nmap[*,de] >= 0.99  # each\n", "utf-8")
    done = in_a_shell("$XLBIAS check random.parquet --rules gate.txt && echo deployed", runs)
    assert done.returncode == 1
    lines = done.stdout.splitlines()
    assert lines[:2] == [
        "ok    random0 on made: map.multilingual >= 0.01 (gate.txt:2)",
        "FAIL  random0 on made: map[*,de] >= 0.99 (gate.txt:4)",
    ]
    assert len(lines) == 2 + 7
    assert all(line.startswith("        map[") and line.endswith(" (n = 10) is not >= 0.99") for line in lines[2:])
    assert done.stderr == "2 checks, 1 failed\n"


@pytest.mark.e2e
@pytest.mark.parametrize(
    "expression",
    ["mapp.multilingual > 0", "__import__('os').system('touch pwned') == 0", "map.__class__ == 1", "().x > 0",
     "map.multilingual > 0; touch pwned", "[x for x in y] == 1", "lambda: 0", "open('/etc/passwd') > 0"],
)  # fmt: skip
def test_an_unknown_field_and_code_are_refused_and_nothing_is_printed(runs, expression):
    quoted = expression.replace("'", "'\\''")
    done = in_a_shell(f"$XLBIAS check good.parquet -r 'map.multilingual > 0' -r '{quoted}'", runs)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.count("\n") == 1
    assert "Traceback" not in done.stderr
    assert not (runs / "pwned").exists()


@pytest.mark.e2e
def test_a_reader_that_has_left_does_not_turn_a_failure_into_a_success(runs):
    reading, writing = os.pipe()
    os.close(reading)
    command = [sys.executable, "-m", "xlbias", "check", str(runs / "random.parquet"), "-r", "map.multilingual > 0.9"]
    done = subprocess.run(command, stdout=writing, stderr=subprocess.PIPE, text=True, check=False)
    os.close(writing)
    assert (done.returncode, done.stderr) == (1, "1 check, 1 failed\n")


# -- what is checked ---------------------------------------------------------------------------------------------------


def test_every_encoder_on_every_task_unless_some_are_named(runs, capsys):
    both = runs / "both.parquet"
    code, lines, _ = check(capsys, both, "-r", "map.multilingual > 0.9")
    assert code == 1
    assert [line[:6] + line[6:].split(" ")[0] for line in lines if line[0] != " "] == ["ok    good", "FAIL  random0"]
    assert check(capsys, both, "-r", "map.multilingual > 0.9", "--model", "good", "--task", "made")[0] == 0
    code, lines, err = check(capsys, both, "-r", "map.multilingual > 0.9", "--model", "goo")
    assert (code, lines) == (2, [])
    assert "has no encoder 'goo' (did you mean good?): choose from good, random0" in err
    assert "has no task 'x': choose from made" in check(capsys, both, "-r", "1 == 1", "--task", "x")[2]


def test_quiet_tells_what_fails_only(runs, capsys):
    arguments = [runs / "both.parquet", "-r", "map.multilingual > 0.9", "--quiet"]
    code, lines, err = check(capsys, *arguments)
    assert (code, err) == (1, "")
    assert [line[:4] for line in lines] == ["FAIL", "    "]
    assert check(capsys, *arguments, "--model", "good") == (0, [], "")


def test_an_undefined_value_never_passes(runs, capsys):
    # One answer in each language: PEER has no value there.
    for expression in ("peer >= 0", "not peer < 0", "peer < 0 or peer >= 0"):
        code, lines, _ = check(capsys, runs / "good.parquet", "-r", expression)
        assert code == 1
        assert "        peer is undefined (n = 0)" in lines


def test_an_ambiguous_field_is_refused_with_its_names_and_where_it_stands(runs, capsys):
    (runs / "bare.txt").write_text("\nmap >= 0.3", "utf-8")
    code, lines, err = check(capsys, runs / "good.parquet", "--rules", runs / "bare.txt")
    assert (code, lines) == (2, [])
    assert "bare.txt:2: 'map >= 0.3': map is several numbers: write map.monolingual, map.cross_lingual, " in err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["good.parquet"], "nothing to check"),
        (["missing.parquet", "-r", "1 == 1"], "missing.parquet: there is no such run"),
        (["good.parquet", "--rules", "missing.txt"], "missing.txt: there is no such file"),
        (["good.parquet", "-r", "map.multilingual >= "], "column 21"),
        (["good.parquet", "-r", "baseline.map.multilingual > 0"], "needs a run given by --baseline"),
        (["good.parquet", "-r", "map.multilingual"], "expected a comparison"),
        (["good.parquet", "-r", "1 == 1", "--baseline-model", "x"], "--baseline-model needs --baseline"),
        (["good.parquet", "-r", "1 == 1", "--baseline", "missing.parquet"], "missing.parquet: there is no such run"),
    ],
)
def test_wrong_usage_is_one_sentence_with_exit_code_2(runs, capsys, monkeypatch, arguments, message):
    monkeypatch.chdir(runs)
    code, lines, err = check(capsys, *arguments)
    assert (code, lines) == (2, [])
    assert message in err
    assert err.count("\n") == 1


# -- a baseline --------------------------------------------------------------------------------------------------------


def test_thresholds_of_findings_can_be_set(capsys, runs):
    requirement = ["-r", "findings[rank_distance] == 0"]
    path = runs / "random.parquet"
    assert check(capsys, path, *requirement)[0] == 1
    assert check(capsys, path, *requirement, "--set", "rank_distance=1")[0] == 0
    code, lines, err = check(capsys, path, *requirement, "--set", "rankdistance=1")
    assert (code, lines) == (2, [])
    assert "no threshold 'rankdistance' (did you mean rank_distance" in err


REGRESSION = ["-r", "map.multilingual >= baseline.map.multilingual - 0.01", "-r", "map[*,*] >= baseline.map[*,*] * 0.9"]


def test_a_regression_against_a_baseline_fails(runs, capsys):
    assert check(capsys, runs / "good.parquet", "--baseline", runs / "random.parquet", *REGRESSION)[0] == 0
    assert check(capsys, runs / "good.parquet", "--baseline", runs / "good.parquet", *REGRESSION)[0] == 0
    code, lines, _ = check(capsys, runs / "random.parquet", "--baseline", runs / "good.parquet", *REGRESSION)
    assert code == 1
    assert "is not >= baseline.map.multilingual - 0.01 = 0.9" in lines[1]


def test_the_baseline_s_encoder_is_that_of_the_same_name_or_its_only_one_or_named(runs, capsys, tmp_path):
    both, good = runs / "both.parquet", runs / "good.parquet"
    same = ["-r", "map.multilingual == baseline.map.multilingual"]
    assert check(capsys, both, "--baseline", both, *same)[0] == 0
    assert check(capsys, good, "--baseline", both, "--baseline-model", "random0", *same)[0] == 1
    assert "no encoder 'x'" in check(capsys, good, "--baseline", both, "--baseline-model", "x", *same)[2]
    evaluate(parallel_vectors("renamed"), TASK, tmp_path / "renamed.parquet")
    assert check(capsys, tmp_path / "renamed.parquet", "--baseline", good, *same)[0] == 0
    code, _, err = check(capsys, tmp_path / "renamed.parquet", "--baseline", both, *same)
    assert code == 2
    assert "the baseline has no encoder 'renamed': name one with --baseline-model, of good, random0" in err


def test_a_baseline_on_another_task_is_refused_with_what_differs(runs, capsys, tmp_path):
    smaller = make_task(6)
    evaluate(parallel_vectors(task=smaller), smaller, tmp_path / "smaller.parquet")
    code, lines, err = check(capsys, runs / "good.parquet", "--baseline", tmp_path / "smaller.parquet", *REGRESSION)
    assert (code, lines) == (2, [])
    assert "the task 'made' is not the same in" in err
    assert "4 of 10 query ids only in good.parquet; 28 of 70 passages only in good.parquet" in err
    elsewhere = make_task(6, "elsewhere")
    evaluate(parallel_vectors(task=elsewhere), elsewhere, tmp_path / "elsewhere.parquet")
    code, _, err = check(capsys, runs / "good.parquet", "--baseline", tmp_path / "elsewhere.parquet", *REGRESSION)
    assert code == 2
    assert "the baseline has no task 'made': choose with --task among elsewhere" in err


def test_a_baseline_on_the_same_task_under_another_name_is_that_task(runs, capsys, tmp_path):
    evaluate(parallel_vectors(), make_task(10, "named"), tmp_path / "named.parquet")
    code, _, err = check(capsys, runs / "good.parquet", "--baseline", tmp_path / "named.parquet", *REGRESSION)
    assert code == 0, err


# -- unfinished and hostile runs ---------------------------------------------------------------------------------------


def test_an_unfinished_run_is_refused_unless_partial_numbers_are_asked_for(tmp_path, capsys):
    out = tmp_path / "run.parquet"
    with pytest.raises(ZeroDivisionError):
        evaluate([parallel_vectors(), Breaks()], TASK, out)
    arguments = [out, "-r", "map.multilingual > 0.9"]
    code, lines, err = check(capsys, *arguments)
    assert (code, lines) == (2, [])
    assert "run.parquet: is not finished, so its numbers are partial: finish it, or check them with --partial" in err
    assert check(capsys, *arguments, "--partial", "--model", "good")[0] == 0
    code, _, err = check(capsys, runs_of(tmp_path), "-r", "1 == 1", "--baseline", out)
    assert code == 2
    assert "is not finished" in err


def runs_of(folder):
    evaluate(parallel_vectors(), TASK, folder / "finished.parquet")
    return folder / "finished.parquet"


def test_hostile_names_print_nothing_a_terminal_obeys_and_fake_no_line(tmp_path, capsys):
    task = make_task(10, f"task{HOSTILE}")
    evaluate(parallel_vectors(HOSTILE), task, tmp_path / "run.parquet")
    for expression in ("map.multilingual > 0.9", "map.multilingual > 2", "mapp > 0", "map > 0", "1 == \x1b[31m1"):
        code, lines, err = check(capsys, tmp_path / "run.parquet", "-r", expression)
        shown = "".join(lines) + err.replace("\n", "")
        assert shown
        assert not [c for c in shown if ord(c) < 32 or 127 <= ord(c) < 160 or c == "\u202e"]
        assert len([line for line in lines if line.startswith("ok")]) == (code == 0)
    assert "\x1b" not in check(capsys, tmp_path / "run.parquet", "-r", "1 == 1", "--model", HOSTILE + "x")[2]
    assert check(capsys, tmp_path / "run.parquet", "-r", "1 == 1", "--model", HOSTILE)[0] == 0


def test_a_damaged_run_cannot_be_checked(tmp_path, capsys):
    """Exit code 2 and a sentence, not 1 and a traceback, wherever the damage is, with checksums and without."""
    import random

    import pyarrow.parquet as pq

    task = make_task(6)
    whole = evaluate(make_vectors(task), task, tmp_path / "whole.parquet").path
    older = tmp_path / "older.parquet"
    pq.write_table(pq.read_table(whole), older)
    chance = random.Random(2)
    damaged = tmp_path / "damaged.parquet"
    for source in (whole, older):
        content = source.read_bytes()
        for _ in range(12):
            at = chance.randrange(len(content) - 512)
            damaged.write_bytes(content[:at] + chance.randbytes(512) + content[at + 512 :])
            code = xlbias(["check", str(damaged), "--require", "map.multilingual >= 0"])
            said = capsys.readouterr().err
            assert code in (0, 2)  # what is not read for the numbers does not matter for them
            assert "unexpected" not in said
            assert code == 0 or str(damaged) in said


def test_a_panic_of_a_library_is_no_failed_check(monkeypatch, capsys):
    from polars.exceptions import PanicException

    def panics(*_):
        raise PanicException("index out of bounds")

    monkeypatch.setattr("xlbias.check.gate.open_run", panics)
    assert xlbias(["check", "run.parquet", "--require", "map.multilingual >= 0"]) == 2
    assert "index out of bounds" in capsys.readouterr().err
