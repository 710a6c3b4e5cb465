"""`xlbias export` as a user runs it: what it says, and one sentence for what cannot be."""

import subprocess
import sys
from pathlib import Path

import pytest

import xlbias
from xlbias.cli import run

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def audited(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("export") / "run.parquet"
    task = xlbias.load_task("builtin:calendar[split=test;languages=en,de]")
    xlbias.evaluate("static-small", task, out=path, top_of="multilingual")
    return str(path)


def test_every_format_is_written_and_said(audited: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    monitored = {}
    for words in (
        ["run", audited, "-o", str(tmp_path / "a.trec.gz")],
        ["qrels", audited, "-o", str(tmp_path / "a.txt")],
        ["qrels", "builtin:calendar[split=test;languages=en,de]", "-o", str(tmp_path / "b.txt")],
        ["csv", audited, "--measure", "map", "-o", str(tmp_path / "a.csv")],
        ["parquet", audited, "-o", str(tmp_path / "a.parquet")],
        ["results", audited, "-o", str(tmp_path / "mteb")],
    ):
        assert run(["export", *words]) == 0
        monitored[words[0]] = capsys.readouterr()
    assert "10 passages of each at most; measures that look deeper need a run of more" in monitored["run"].err
    assert {printed.out for printed in monitored.values()} == {""}
    assert (tmp_path / "a.txt").read_text() == (tmp_path / "b.txt").read_text()
    assert len(list((tmp_path / "mteb" / "results" / "static-small").rglob("*.json"))) == 2
    assert run(["export", "model-index", audited]) == 0
    assert capsys.readouterr().out.startswith("model-index:\n- name: static-small\n")


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["run", "RUN", "-o", "RUN"], "is the run itself; choose another name"),
        (["run", "RUN", "-o", "OUT", "--pool", "fr"], "no pool 'fr'; choose from multilingual, de, en"),
        (["run", "RUN", "-o", "OUT", "--pool", "de"], "it keeps no passages of the rankings of 'static-small'"),
        (
            ["run", "RUN", "-o", "OUT", "--encoder", "static-smal"],
            "no encoder 'static-smal' (did you mean static-small?)",
        ),
        (["run", "RUN", "-o", "OUT", "--task", "x"], "no task 'x'; choose from builtin:calendar"),
        (["run", "gone.parquet", "-o", "OUT"], "gone.parquet: there is no such run"),
        (["qrels", "gone.parquet", "-o", "OUT"], "gone.parquet: there is no such run"),
        (["qrels", "builtin:calender", "-o", "OUT"], "did you mean calendar?"),
        (["qrels", "builtin:calendar", "--task", "x", "-o", "OUT"], "--task is for a run that has several"),
        (["csv", "RUN", "-o", "OUT"], "expected a name that ends in .csv or .csv.gz"),
        (["csv", "RUN", "-o", "OUT.csv", "--measure", "mapp"], "measure 'mapp' (did you mean map"),
        (["parquet", "RUN", "-o", "OUT/a.parquet"], "there is no such folder to write a.parquet into"),
        (["results", "RUN", "-o", "RUN"], "is the run itself"),
        (["model-index", "RUN", "--task", "x"], "no task 'x'"),
        (["runn", "RUN"], "No such command 'runn'"),
    ],
)
def test_what_cannot_be_is_said_in_one_sentence_and_nothing_is_written(
    words: list[str], says: str, audited: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = Path(audited).read_bytes()
    given = [word.replace("RUN", audited).replace("OUT", str(tmp_path / "out")) for word in words]
    assert run(["export", *given]) == 2
    printed = capsys.readouterr()
    assert says in printed.err
    assert printed.err.rpartition("\n\n")[2].count("\n") == 1  # after the usage, where there is one
    assert list(tmp_path.iterdir()) == []
    assert Path(audited).read_bytes() == before


def test_help_is_light() -> None:
    code = (
        "import sys\n"
        "from xlbias.cli import run\n"
        "run(['export', 'run', '--help'])\n"
        "print('heavy:', sorted({'torch', 'numpy', 'polars', 'textual', 'huggingface_hub'} & set(sys.modules)))\n"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "--pool" in result.stdout
    assert "heavy: []" in result.stdout
