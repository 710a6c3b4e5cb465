"""A folder in place of the run that it holds."""

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from support import make_task, make_vectors

from xlbias.cli import run as xlbias
from xlbias.errors import RunError
from xlbias.evaluation import evaluate
from xlbias.runs.folder import run_of, runs_in


@pytest.fixture(scope="module")
def run_bytes(tmp_path_factory):
    path = tmp_path_factory.mktemp("made") / "run.parquet"
    task = make_task(4)
    evaluate([make_vectors(task)], [task], path, cache=None)
    return path.read_bytes()


@pytest.fixture
def folder(tmp_path, run_bytes):
    """A folder with a run, and with what is none."""
    (tmp_path / "run.parquet").write_bytes(run_bytes)
    (tmp_path / "notes.txt").write_text("")
    (tmp_path / "empty.parquet").write_bytes(b"")
    (tmp_path / "cut.parquet").write_bytes(run_bytes[:5000])
    pq.write_table(pa.table({"xlbias": ["x"]}), tmp_path / "table.parquet")
    (tmp_path / "below").mkdir()
    (tmp_path / "below" / "other.parquet").write_bytes(run_bytes)
    return tmp_path


def test_the_one_run_of_a_folder_is_found_among_other_files(folder):
    assert runs_in(folder) == [folder / "run.parquet"]
    assert run_of(folder) == folder / "run.parquet"
    assert run_of(folder / "run.parquet") == folder / "run.parquet"
    assert run_of(folder / "missing.parquet") == folder / "missing.parquet"


def test_a_run_in_progress_counts_once_and_its_own_folder_is_the_run(folder):
    for name in ("run.parquet", "going.parquet"):
        live = folder / f"{name}.live"
        live.mkdir()
        assert run_of(live) == live
        (live / "run.json").write_text("{}")
    assert runs_in(folder) == [folder / "going.parquet", folder / "run.parquet"]


def test_several_runs_are_named_and_none_is_said(folder, run_bytes):
    nothing = folder / "nothing"
    nothing.mkdir()
    (folder / "new.parquet").write_bytes(run_bytes)
    with pytest.raises(RunError, match=r"holds 2 runs: name one of .*new\.parquet, .*run\.parquet$"):
        run_of(folder)
    with pytest.raises(RunError, match=r"is a folder without a run; expected a run file, such as run\.parquet$"):
        run_of(nothing)


@pytest.mark.parametrize(
    "line",
    [
        "report {}",
        "findings {}",
        "compare {} {} --base random0 --new random0",
        "check {} -r map.multilingual>=0",
        "check {} -r map.multilingual==baseline.map.multilingual --baseline {}",
        "export qrels {} -o {}/qrels.txt -q",
        "export csv {} -o {}/values.csv -q",
        "dashboard {}",
    ],
)
def test_every_command_that_reads_a_run_takes_its_folder(folder, capsys, line):
    words = line.replace("{}", str(folder)).split()
    code, said = xlbias(words), capsys.readouterr()
    with_file = line.replace("{} ", f"{folder}/run.parquet ").replace("{}/", f"{folder}/")
    with_file = (with_file[:-2] + f"{folder}/run.parquet" if with_file.endswith("{}") else with_file).split()
    assert (code, said) == (xlbias(with_file), capsys.readouterr())
    assert code == (2 if "compare" in line else 0)  # an encoder and itself are no comparison
