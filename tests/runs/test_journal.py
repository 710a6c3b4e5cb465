"""Beginning, resuming, refusing and finishing a run; full disks, read-only folders, broken files."""

import json
import os
import resource
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest
from processes import start
from support import Breaks, make_task, make_vectors

import xlbias
from xlbias.errors import EncoderError, RunError, UsageError, WriteError
from xlbias.evaluation import evaluate
from xlbias.results.run import open_run
from xlbias.runs.journal import Journal, live_folder
from xlbias.runs.run_file import state_version

pytestmark = pytest.mark.integration

TASK = make_task(12)


def evaluate_to(out, **options):
    return evaluate(make_vectors(TASK), TASK, out, **options)


def test_a_finished_run_is_one_parquet_file_that_anything_opens(tmp_path):
    run = evaluate_to(tmp_path / "run.parquet")
    assert [p.name for p in tmp_path.iterdir()] == ["run.parquet"]
    frame = pl.read_parquet(run.path)
    counts = dict(frame.group_by("record").len().iter_rows())
    assert counts.pop("summary") == run.summary.height
    assert counts.pop("alignment") == run.alignments.collect().height
    assert counts == {"ranking": 12 * 7 * 8, "query": 84, "passage": 84}
    assert run.metadata["schema"] == 2
    assert run.tasks[0].fingerprint == TASK.fingerprint
    assert run.metadata["versions"]["python"].count(".") == 2


def test_each_record_stands_in_row_groups_of_its_own(tmp_path):
    import pyarrow.parquet as pq

    run = evaluate_to(tmp_path / "run.parquet")
    file = pq.ParquetFile(run.path)
    records = [set(file.read_row_group(g, ["record"])["record"].to_pylist()) for g in range(file.num_row_groups)]
    assert all(len(record) == 1 for record in records)
    assert file.metadata.row_group(0).column(0).compression == "ZSTD"


def test_what_is_there_is_never_replaced_unasked(tmp_path):
    out = tmp_path / "run.parquet"
    evaluate_to(out)
    before = out.read_bytes()
    with pytest.raises(RunError, match="is there already: choose another name, or replace it with --overwrite"):
        evaluate_to(out)
    assert out.read_bytes() == before
    evaluate_to(out, overwrite=True)


def test_resuming_a_finished_run_changes_nothing(tmp_path):
    out = tmp_path / "run.parquet"
    evaluate_to(out)
    before = out.read_bytes()
    assert evaluate_to(out, resume=True).state.status == "finished"
    assert out.read_bytes() == before
    assert not live_folder(out).exists()


def test_resuming_with_other_models_or_tasks_is_refused(tmp_path):
    out = tmp_path / "run.parquet"
    with Journal.open(out, {}, identity="these"):
        pass
    with pytest.raises(RunError, match="an unfinished run is there: continue it with --resume"):
        Journal.open(out, {}, identity="these")
    with pytest.raises(RunError, match="made from other encoders, tasks or settings"):
        Journal.open(out, {}, identity="those", resume=True)
    with Journal.open(out, {}, identity="those", overwrite=True):
        pass


def test_an_encoder_that_changed_under_its_name_cannot_finish_another_s_run(tmp_path):
    out = tmp_path / "run.parquet"
    vectors = make_vectors(TASK, seed=0)
    with pytest.raises(ZeroDivisionError):
        evaluate([vectors, Breaks()], TASK, out)
    changed = make_vectors(TASK, seed=1)
    object.__setattr__(changed, "name", vectors.name)
    first = next((live_folder(out) / "parts").glob("ranking-*"))
    first.unlink()
    with pytest.raises(RunError, match="'random0' has changed since it was evaluated there"):
        evaluate([changed, Breaks()], TASK, out, resume=True)


def test_a_resume_after_an_aborted_overwrite_makes_the_new_run_and_not_the_old_one(tmp_path):
    out = tmp_path / "run.parquet"
    evaluate_to(out)
    with Journal.open(out, {"models": []}, identity="new", overwrite=True):
        pass  # killed before its first part
    with Journal.open(out, {"models": []}, identity="new", resume=True) as journal:
        assert not journal.finished
        assert journal.metadata["identity"] == "new"


def test_a_writer_killed_after_the_last_rename_has_finished(tmp_path):
    out = tmp_path / "run.parquet"
    run = evaluate_to(out)
    shutil.copytree(tmp_path, tmp_path / "copy")
    (live_folder(out) / "parts").mkdir(parents=True)
    (live_folder(out) / "run.json").write_text(json.dumps(run.metadata))
    before = out.read_bytes()
    assert evaluate_to(out, resume=True).state.status == "finished"
    assert out.read_bytes() == before
    assert not live_folder(out).exists()


def test_an_encoder_that_cannot_be_loaded_costs_no_finished_work(tmp_path):
    out = tmp_path / "run.parquet"
    with pytest.raises(EncoderError):
        evaluate([make_vectors(TASK), "nobody/nothing-of-the-kind"], TASK, out)
    parts = {p.name: p.stat().st_mtime_ns for p in (live_folder(out) / "parts").iterdir()}
    assert len(parts) == 2 + 7 + 2
    other = make_vectors(TASK, seed=1)
    run = evaluate([make_vectors(TASK), other], TASK, out, resume=True)  # the name is corrected
    assert [model.name for model in run.models] == ["random0", "random1"]
    with pytest.raises(RunError, match="has results of the encoder 'random1': name it as well"):
        evaluate(make_vectors(TASK), TASK, out, resume=True)


def test_an_evaluation_that_fails_before_any_result_leaves_nothing_behind(tmp_path):
    with pytest.raises(EncoderError):
        evaluate("nobody/nothing-of-the-kind", TASK, tmp_path / "run.parquet")
    assert list(tmp_path.iterdir()) == []


def test_two_models_or_tasks_of_one_name_are_refused_before_any_work(tmp_path):
    with pytest.raises(UsageError, match="'random0' is named twice"):
        evaluate([make_vectors(TASK), make_vectors(TASK)], TASK, tmp_path / "run.parquet")
    with pytest.raises(UsageError, match="two tasks are called 'made'"):
        evaluate(make_vectors(TASK), [TASK, make_task(3)], tmp_path / "run.parquet")
    assert list(tmp_path.iterdir()) == []


def test_a_damaged_journal_is_said_to_be_damaged_and_can_be_replaced(tmp_path):
    out = tmp_path / "run.parquet"
    with Journal.open(out, {}, identity="i"):
        pass
    (live_folder(out) / "run.json").write_text("{half")
    with pytest.raises(RunError, match="is not readable JSON"):
        evaluate_to(out, resume=True)
    assert evaluate_to(out, overwrite=True).state.status == "finished"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_read_only_folder_is_said_to_be_one(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(WriteError, match="cannot be written: Permission denied"):
        evaluate_to(tmp_path / "run.parquet")


@pytest.mark.skipif(not Path("/proc/self").is_dir(), reason="needs a file system that nobody may write to")
def test_a_file_system_that_takes_no_files_is_said_not_to():
    with pytest.raises(WriteError, match=r"/proc/self/run.parquet.live: cannot be written"):
        evaluate_to("/proc/self/run.parquet")


def test_a_folder_that_is_not_there_is_said_not_to_be(tmp_path):
    with pytest.raises(WriteError, match=r"nowhere: there is no such folder to write run\.parquet into"):
        evaluate_to(tmp_path / "nowhere" / "run.parquet")
    with pytest.raises(WriteError, match="is a folder; expected the name of a file"):
        evaluate_to(tmp_path)


@pytest.mark.parametrize("name", ["run-2026-11-25T19:30.parquet", "mono:v1", "file:x", "~run", os.fsdecode(b"caf\xe9")])
def test_any_name_of_a_run_is_a_name(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    run = evaluate_to(name)
    assert [p.name for p in tmp_path.iterdir()] == [name]
    assert open_run(name).rankings.collect().height == 12 * 7 * 8
    assert run.cells.height == 7 * 8
    with Journal.open(Path(f"{name}-live"), run.metadata, identity="i") as journal:
        journal.write("ranking", "a", run.rankings.collect())
        journal.write("ranking", "b", run.rankings.collect())
        assert journal.read("ranking", "a", ["ap"]).height == 12 * 7 * 8
        assert open_run(f"{name}-live").rankings.collect().height == 2 * 12 * 7 * 8
    assert evaluate_to(name, resume=True).state.status == "finished"


def test_a_run_never_takes_the_place_of_a_link_a_pipe_or_a_device(tmp_path):
    out = tmp_path / "run.parquet"
    evaluate_to(out)
    link, pipe = tmp_path / "link", tmp_path / "pipe"
    link.symlink_to(out)
    os.mkfifo(pipe)
    for path, why in ((link, "is a link to"), (pipe, "is a pipe"), (Path("/dev/null"), "is a device")):
        with pytest.raises(WriteError, match=why):
            evaluate_to(path, overwrite=True)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["link", "pipe", "run.parquet"]
    assert open_run(link).cells.height == 7 * 8  # read through it may be


def fill_up(out: str, limit: int) -> None:
    """Evaluate where no file may grow beyond `limit` bytes, as on a disk that fills up."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    _, highest = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, highest))
    try:
        evaluate_to(out)
    except (RunError, WriteError) as error:
        resource.setrlimit(resource.RLIMIT_FSIZE, (highest, highest))
        print(error)


@pytest.mark.e2e
@pytest.mark.parametrize("limit", [100, 5000, 14000])
def test_a_full_disk_is_one_clear_error_and_no_half_file(tmp_path, limit):
    """The limits hit the metadata, a part, and the finished file."""
    out, printed = tmp_path / "run.parquet", tmp_path / "printed"
    process = start(fill_up, str(out), limit, output=printed)
    process.join()
    assert process.exitcode == 0
    said = printed.read_text("utf-8")
    assert "cannot be written" in said
    assert said.count("\n") == 1
    assert not out.exists()
    assert not [p for p in tmp_path.rglob("*") if p.name.endswith(".tmp")]
    for part in (live_folder(out) / "parts").glob("*.parquet"):
        pl.read_parquet(part)
    assert evaluate_to(out, resume=live_folder(out).exists()).cells.height == 7 * 8  # with room again, it goes on


# -- files that are no runs ----------------------------------------------------------------------------------------


def test_a_truncated_run_is_said_to_be_truncated(tmp_path):
    out = tmp_path / "run.parquet"
    evaluate_to(out)
    whole = out.read_bytes()
    for size in (len(whole) - 1, len(whole) // 2, 5):
        out.write_bytes(whole[:size])
        with pytest.raises(RunError, match="is truncated"):
            open_run(out)


def test_other_files_are_said_to_be_none(tmp_path):
    text = tmp_path / "notes.txt"
    text.write_text("not a run")
    with pytest.raises(RunError, match="is not a run file: expected Parquet"):
        open_run(text)
    other = tmp_path / "other.parquet"
    pl.DataFrame({"a": [1]}).write_parquet(other)
    with pytest.raises(RunError, match="is a Parquet file, but not a run of xlbias"):
        open_run(other)
    with pytest.raises(RunError, match="there is no such run"):
        open_run(tmp_path / "missing.parquet")


def test_a_run_of_a_newer_schema_asks_for_an_upgrade(tmp_path):
    newer = tmp_path / "newer.parquet"
    pl.DataFrame({"record": ["ranking"]}).write_parquet(newer, metadata={"xlbias": json.dumps({"schema": 99})})
    with pytest.raises(RunError, match=r"was written by a newer xlbias \(run schema 99"):
        open_run(newer)


def test_a_run_of_an_earlier_version_lacks_columns_and_opens_with_nulls(tmp_path):
    import pyarrow.parquet as pq

    run = evaluate_to(tmp_path / "run.parquet")
    table = pq.read_table(run.path)
    older = table.drop_columns(["tokens_per_second", "map_monolingual", "n_mixed_batches"])
    pq.write_table(older, tmp_path / "older.parquet")
    opened = open_run(tmp_path / "older.parquet")
    assert opened.rankings.collect().equals(run.rankings.collect())
    assert opened.training.collect().schema == run.training.collect().schema
    assert opened.validation.collect().height == 0


def test_parts_can_be_forgotten_by_their_key(tmp_path):
    with Journal.open(tmp_path / "run.parquet", {"models": []}, identity="x") as journal:
        for step in (1, 5, 9):
            journal.write("training", f"a-{step:03d}", pl.DataFrame({"step": [step]}))
        journal.write("validation", "a-009", pl.DataFrame({"step": [9]}))
        journal.forget("training", lambda key: key > "a-004")
        assert open_run(tmp_path / "run.parquet").training.collect()["step"].to_list() == [1]
        assert open_run(tmp_path / "run.parquet").validation.collect()["step"].to_list() == [9]


def test_a_damaged_footer_is_said_to_be_damage(tmp_path):
    out = tmp_path / "run.parquet"
    evaluate_to(out)
    content = bytearray(out.read_bytes())
    content[-200:-8] = b"\xff" * 192
    out.write_bytes(bytes(content))
    with pytest.raises(RunError, match=r"damaged|metadata"):
        open_run(out)


# -- reading while it is written -------------------------------------------------------------------------------------


def test_a_run_in_progress_can_be_opened_by_either_name_and_changes_its_version(tmp_path):
    out = tmp_path / "run.parquet"
    source = evaluate_to(tmp_path / "source.parquet")
    rankings = source.rankings.collect()
    with Journal.open(out, source.metadata, identity="i") as journal:
        journal.write("ranking", "000", rankings.head(80))
        first = open_run(out)
        assert first.state.status == "running"
        assert open_run(live_folder(out)).path == out
        version = state_version(out)
        assert version == first.state.version
        journal.write("ranking", "001", rankings.tail(-80))
        assert state_version(out) != version
        assert first.cells["n"].sum() < open_run(out).cells["n"].sum()
        journal.finish()
    assert open_run(out).state.status == "finished"
    assert open_run(out).cells.equals(source.cells)


@pytest.mark.e2e
def test_opening_a_run_imports_no_deep_learning_library(tmp_path):
    out = tmp_path / "run.parquet"
    evaluate_to(out)
    code = (
        "import sys, xlbias; run = xlbias.open_run(sys.argv[1]); run.matrix('map'); run.bias();"
        "from xlbias.report.documents.audit_text import to_text; to_text(run);"
        "from xlbias.report.documents.audit_json import to_json; to_json(run);"
        "print(sorted({'torch', 'transformers', 'sentence_transformers', 'faiss', 'numba'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code, str(out)], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_python_api_of_the_readme(tmp_path):
    run = xlbias.evaluate(make_vectors(TASK), TASK)
    assert run.matrix("map").shape == (7, 9)
    assert run.matrix("map").columns[-1] == "multilingual"
    assert run.bias().columns[-2:] == ["n", "n_excluded"]
    with pytest.raises(RunError, match="unknown measure 'mrr'"):
        run.matrix("mrr")
    with pytest.raises(RunError, match="no task 'x'"):
        run.matrix("map", task="x")
    shutil.rmtree(run.path.parent)


@pytest.mark.parametrize("name", ["run [a-z]*.parquet", "lauf ü.parquet", "-q.parquet", "run \x1b[31m.parquet"])
def test_odd_file_names_are_names_and_no_patterns(tmp_path, name):
    evaluate_to(tmp_path / name)
    assert open_run(tmp_path / name).cells.height == 7 * 8
