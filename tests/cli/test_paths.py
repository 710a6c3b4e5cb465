"""What is wrong with a path is said in the same words by every command that is given it, and nothing is written."""

from pathlib import Path

import polars as pl
import pytest
from support import make_task, make_vectors

from xlbias.cli import run
from xlbias.evaluation import evaluate
from xlbias.runs.journal import live_folder

pytestmark = pytest.mark.integration

OF_RUNS = {
    "missing.parquet": "there is no such run",
    "nowhere/missing.parquet": "there is no such run",
    "empty": "is a folder without a run; expected a run file, such as run.parquet",
    "text.parquet": "is not a run file: expected Parquet",
    "empty.parquet": "is not a run file: expected Parquet",
    "other.parquet": "is a Parquet file, but not a run of xlbias: it has no 'xlbias' metadata",
    "cut.parquet": "is truncated: the Parquet file breaks off after 2,000 bytes",
}

WITH_RUNS = (
    "report RUN",
    "findings RUN",
    "findings good.parquet RUN",
    "compare RUN good.parquet",
    "compare good.parquet RUN",
    "check RUN -r 1==1",
    "check good.parquet -r 1==1 --baseline RUN",
    "dashboard RUN",
    "dashboard good.parquet RUN",
    "merge RUN good.parquet --out OUT",
    "merge good.parquet RUN --out OUT",
    "export run RUN --out OUT",
    "export qrels RUN --out OUT",
    "export csv RUN --out OUT.csv",
    "export parquet RUN --out OUT.parquet",
    "export results RUN --out OUT",
    "export model-index RUN --out OUT",
    "rerank RUN --encoder ./nothing --out OUT",
)

WITH_FILES = (
    ("check good.parquet --rules PATH", "file"),
    ("study PATH", "file"),
    ("train --recipe PATH.toml --out OUT", "file"),
    ("data show parallel:PATH", "file"),
    ("data show pairs:PATH", "file"),
    ("data show tmx:PATH", "file"),
    ("data show lareqa:PATH", "folder"),
    ("data show trec:PATH", "folder"),
    ("data show hf:./PATH", "folder"),
    ("data convert parallel:PATH OUT.jsonl", "file"),
    ("export qrels parallel:PATH --out OUT", "file"),
    ("evaluate ./PATH --task builtin:money --out OUT", "folder"),
    ("evaluate vectors:PATH --task builtin:money --out OUT", "folder"),
    ("evaluate python:./PATH:Mine --task builtin:money --out OUT", "file"),
    ("distill ./PATH --out OUT", "folder"),
    ("train --code-switch 0.5 --lexicon PATH --out OUT", "lexicon"),
    ("rerank good.parquet --top 10 --encoder ./PATH --out OUT", "folder"),
)

WITH_OUT = (
    "evaluate static-small --task builtin:money --out OUT/x",
    "merge good.parquet good.parquet --out OUT/x",
    "rerank good.parquet --encoder ./nothing --out OUT/x",
    "report good.parquet --out OUT/x",
    "findings good.parquet --out OUT/x",
    "compare good.parquet good.parquet --out OUT/x",
    "export run good.parquet --out OUT/x",
    "export qrels good.parquet --out OUT/x",
    "export parquet good.parquet --out OUT/x.parquet",
    "data convert parallel:items.jsonl OUT/x",
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("paths")
    task = make_task(12)
    evaluate(make_vectors(task), task, folder / "good.parquet")
    (folder / "items.jsonl").write_text('{"id": "1", "language": "en", "query": "Who?", "passage": "Goethe."}\n')
    (folder / "empty").mkdir()
    (folder / "empty.parquet").touch()
    (folder / "text.parquet").write_text("hello\n")
    (folder / "cut.parquet").write_bytes((folder / "good.parquet").read_bytes()[:2000])
    pl.DataFrame({"a": [1]}).write_parquet(folder / "other.parquet")
    return folder


@pytest.fixture
def said(folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    monkeypatch.chdir(folder)

    def said(words: str) -> str:
        before = sorted(folder.rglob("*"))
        assert run(words.split()) == 2
        assert sorted(folder.rglob("*")) == before
        printed = capsys.readouterr()
        assert printed.out == ""
        return printed.err.splitlines()[-1].removeprefix("xlbias: ")

    return said


@pytest.mark.parametrize("command", WITH_RUNS)
def test_of_a_run(command: str, said) -> None:
    for path, sentence in OF_RUNS.items():
        assert said(command.replace("RUN", path).replace("OUT", "out")) == f"{path}: {sentence}"


@pytest.mark.parametrize(("command", "kind"), WITH_FILES)
def test_of_a_file_or_folder(command: str, kind: str, said) -> None:
    for path in ("missing", "nowhere/missing"):
        sentence = said(command.replace("PATH", path).replace("OUT", "out"))
        assert f": there is no such {kind}" in sentence
        assert path in sentence


@pytest.mark.parametrize("command", WITH_OUT)
def test_of_where_something_is_to_be_written(command: str, said) -> None:
    for path in ("nowhere", "text.parquet"):
        sentence = said(command.replace("OUT", path))
        assert f"{path}: there is no such folder to write x" in sentence


def test_what_must_not_be_replaced_is_said_before_a_task_is_read(folder: Path, said) -> None:
    sentence = said("data convert parallel:missing text.parquet")
    assert sentence.endswith("text.parquet: exists already; give --force to replace it")


def test_of_a_run_in_progress_where_a_finished_one_is_needed(folder: Path, said) -> None:
    journal = live_folder(folder / "begun.parquet")
    journal.mkdir()
    (journal / "run.json").write_text("{}")
    assert (
        said("merge good.parquet begun.parquet --out out") == "begun.parquet: is in progress; expected a finished run"
    )
