"""`xlbias compare` in a shell: text, tables, bad input."""

import csv
import io
import json
import subprocess
import sys

import pytest
from support import make_task, make_vectors

from xlbias.cli import run as xlbias
from xlbias.encode.precomputed import PrecomputedVectors
from xlbias.evaluation import evaluate
from xlbias.results.compare import Side, compare
from xlbias.results.run import open_run

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("compare")
    task = make_task(30)
    base = make_vectors(task)
    better = PrecomputedVectors(base.queries, base.passages + 0.3 * base.queries, "better")
    evaluate(base, task, folder / "base.parquet")
    evaluate(better, task, folder / "new.parquet")
    evaluate([base, better], task, folder / "both.parquet")
    return folder


def output(capsys, *words):
    code = xlbias(["compare", *map(str, words)])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def test_two_runs_and_two_encoders_of_one_run_give_the_same_differences(folder, capsys):
    code, two, _ = output(capsys, folder / "base.parquet", folder / "new.parquet", "--format", "csv")
    assert code == 0
    _, one, _ = output(capsys, folder / "both.parquet", "--base", "random0", "--new", "better", "--format", "csv")
    assert one == two


def test_every_format_shows_what_the_python_api_gives(folder, capsys):
    paths = folder / "base.parquet", folder / "new.parquet"
    sides = [Side(open_run(path), (name,)) for path, name in zip(paths, ("random0", "better"), strict=True)]
    frame = compare(*sides, "made", measures=["map"])
    arguments = [*paths, "-m", "map"]
    rows = list(csv.DictReader(io.StringIO(output(capsys, *arguments, "--format", "csv")[1])))
    assert [float(row["difference"]) for row in rows] == frame["difference"].to_list()
    assert [float(row["p_holm"]) for row in rows] == frame["p_holm"].to_list()
    differences = json.loads(output(capsys, *arguments, "--format", "json")[1])["differences"]
    assert differences == frame.to_dicts()
    cross = frame.row(index=frame["query_language"].is_null().arg_true()[1], named=True)
    shown = f"+{cross['difference']:.3f}".replace("+0", "+")
    for form in ("text", "markdown", "latex", "html"):
        assert shown in output(capsys, *arguments, "--format", form)[1]


def test_a_file_is_written_and_a_run_is_never_overwritten(folder, capsys, tmp_path):
    paths = folder / "base.parquet", folder / "new.parquet"
    out = tmp_path / "differences.html"
    code, text, _ = output(capsys, *paths, "-m", "map", "--format", "html", "--out", out)
    assert (code, text) == (0, "")
    assert out.read_text().startswith("<!doctype html>")
    code, _, error = output(capsys, *paths, "--out", folder / "base.parquet")
    assert code == 2
    assert "is the name of a run" in error


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["both.parquet"], "name an encoder with --base; choose from random0, better"),
        (["both.parquet", "--base", "random0"], "name an encoder with --new"),
        (["both.parquet", "--base", "better", "--new", "better"], "base and new are the same, better: name another"),
        (["base.parquet", "base.parquet"], "base and new are the same, random0: name another encoder with --new"),
        (["both.parquet", "--base", "random0", "--new", "nobody"], "no encoder 'nobody'"),
        (["both.parquet", "--base", "random0,random0", "--new", "better"], "'random0' is named twice on one side"),
        (["base.parquet", "new.parquet", "-t", "elsewhere"], "both runs must have the task 'elsewhere'"),
        (["base.parquet", "new.parquet", "-m", "mapp"], "unknown measure 'mapp'"),
        (["base.parquet", "nothing.parquet"], "there is no such run"),
    ],
)
def test_bad_input_is_one_sentence(folder, capsys, words, sentence):
    words = [folder / word if word.endswith(".parquet") else word for word in words]
    code, out, error = output(capsys, *words)
    assert (code, out) == (2, "")
    assert sentence in error
    assert error.count("\n") == 1


def test_text_is_findings_settings_and_the_matrix_and_full_adds_all_else(folder, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "100")
    paths = folder / "base.parquet", folder / "new.parquet"
    _, text, _ = output(capsys, *paths)
    _, full, _ = output(capsys, *paths, "--full")
    titles = ("Findings", "Overall", "Difference in mAP, ", "How to read this")
    assert [text.index(f"\n{title}") for title in titles] == sorted(text.index(f"\n{title}") for title in titles)
    table = text[text.index("\nOverall") : text.index("\nDifference in mAP")].strip().splitlines()
    assert table[1].split()[-2:] == ["p", "(corr.)"]
    names = [row[:12].strip() for row in table[2:]]
    assert names == ["mAP mono", "mAP cross", "mAP multi", "rank dist.", "rank dist. n", "own first"]
    rows = [line.split() for line in full.splitlines()]
    assert all(row.split() in rows for row in table[2:])  # the very same numbers
    assert "How large" not in text and "\nHow large" in full
    assert len(text.splitlines()) < 60 < len(full.splitlines())
    assert "more numbers, effect sizes and all findings: --full." in text
    out = folder / "written.txt"
    assert output(capsys, *paths, "--out", out)[0] == 0
    assert "How large" in out.read_text("utf-8")


def test_text_compares_only_the_cells_that_it_shows_and_says_the_same(folder, capsys, monkeypatch):
    from xlbias.results import compare as module

    paths = folder / "base.parquet", folder / "new.parquet"
    for more in ((), ("--full", "--matrix", "rr")):
        seen = []

        def all_cells(*args, cells, seen=seen, **others):
            seen.append(cells)
            return compare(*args, **others)

        _, text, _ = output(capsys, *paths, *more)
        with monkeypatch.context() as patch:
            patch.setattr(module, "compare", all_cells)
            assert output(capsys, *paths, *more)[1] == text
        assert seen == [{"map", *more[2:]}]


def test_in_a_shell(folder):
    done = subprocess.run(
        [sys.executable, "-m", "xlbias", "compare", "base.parquet", "new.parquet", "-m", "map"],
        cwd=folder, capture_output=True, text=True, timeout=600, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "mAP cross" in done.stdout
    assert "significant: p < .05, corrected over this matrix" in done.stdout.replace("\n ", "")


def test_what_was_tested_is_said(folder, capsys):
    paths = [folder / "base.parquet", folder / "new.parquet"]
    _, text, _ = output(capsys, *paths, "-m", "map", "--permutations", "2000")
    text = " ".join(text.split())
    assert "over query ids; p is of 2,000 sign flips, corrected over a whole table by step-down max-T" in text
    assert "another seed" not in text  # nothing was trained
    code, _, error = output(capsys, *paths, "--permutations", "99")
    assert (code, "2000" in error) == (2, True)
    code, _, error = output(capsys, *paths, "--cluster", "document")
    assert code == 2 and "the documents of 'made' are not known" in error
