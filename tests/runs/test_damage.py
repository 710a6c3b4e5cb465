"""A run that is damaged, forged or too large is refused with a sentence: which file, which record, which column."""

import errno
import fcntl
import json
import os
import random
import shutil
from pathlib import Path

import polars as pl
import pyarrow.parquet as pq
import pytest
from processes import start
from support import make_task, make_vectors

from xlbias.errors import EncoderError, RunError, XlbiasError
from xlbias.evaluation import evaluate
from xlbias.results.run import open_run
from xlbias.runs import limits, parquet
from xlbias.runs.checksums import MARK, verify
from xlbias.runs.journal import Journal, live_folder
from xlbias.runs.writer import describe_self

pytestmark = pytest.mark.integration

TASK = make_task(12)
RECORDS = ("rankings", "queries", "passages", "alignments", "training", "validation")


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("whole") / "run.parquet"
    evaluate(make_vectors(TASK), TASK, out)
    return out


def everything(path: Path) -> tuple[object, ...]:
    """All that a run says."""
    run = open_run(path)
    return (run.metadata, run.summary, *(getattr(run, name).collect() for name in RECORDS))


def same(one: tuple[object, ...], other: tuple[object, ...]) -> bool:
    return one[0] == other[0] and all(a.equals(b) for a, b in zip(one[1:], other[1:], strict=True))


# -- checksums -------------------------------------------------------------------------------------------------------


def test_no_bit_of_a_run_flips_unnoticed(whole, tmp_path):
    """Of 200 flips anywhere in the file, and some in each part of its end, none gives other values."""
    content, before = whole.read_bytes(), everything(whole)
    chance = random.Random(7)
    size, mark = len(content), content.rfind(MARK)
    places = [chance.randrange(8 * size) for _ in range(140)]
    places += [8 * (mark + chance.randrange(-200, size - mark)) + chance.randrange(8) for _ in range(50)]
    places += [8 * (size - 1 - chance.randrange(8)) + chance.randrange(8) for _ in range(10)]
    damaged = tmp_path / "damaged.parquet"
    for place in places:
        flipped = bytearray(content)
        flipped[place // 8] ^= 1 << place % 8
        damaged.write_bytes(flipped)
        with pytest.raises(RunError, match=str(damaged)):
            everything(damaged)
    assert same(before, everything(whole))


def test_no_bit_of_a_journal_flips_unnoticed(whole, tmp_path):
    source = open_run(whole)
    out = tmp_path / "run.parquet"
    with Journal.open(out, source.metadata, identity="i") as journal:
        journal.write("ranking", "a-0", source.rankings.collect().head(300))
        journal.write("summary", "a-0", source.summary)
    before, chance = everything(out), random.Random(3)
    folder = live_folder(out)
    for file in (folder / "run.json", *(folder / "parts").iterdir()):
        content = file.read_bytes()
        for _ in range(40):
            place = chance.randrange(8 * len(content))
            flipped = bytearray(content)
            flipped[place // 8] ^= 1 << place % 8
            file.write_bytes(flipped)
            try:
                found = everything(out)
            except RunError:
                continue
            assert same(before, (before[0], *found[1:]))
            assert {name: found[0].get(name) for name in before[0]} == before[0]
        file.write_bytes(content)


def test_other_readers_open_a_run_with_checksums_as_ever(whole):
    frame = pl.read_parquet(whole)
    assert pq.read_table(whole, page_checksum_verification=True).num_rows == frame.height
    assert verify(whole)


def test_only_what_is_asked_for_is_compared(whole, tmp_path):
    content = bytearray(whole.read_bytes())
    group = next(
        group
        for group in map(pq.ParquetFile(whole).metadata.row_group, range(pq.ParquetFile(whole).num_row_groups))
        if group.column(0).statistics.min == "passage"
    )
    content[group.column(0).file_offset or group.column(0).data_page_offset] ^= 1
    damaged = tmp_path / "damaged.parquet"
    damaged.write_bytes(content)
    run = open_run(damaged)
    assert run.summary.equals(open_run(whole).summary)
    with pytest.raises(RunError, match="its passage rows are not what was written"):
        _ = run.passages


def test_a_run_without_checksums_opens_and_damage_that_can_be_seen_is_said(whole, tmp_path):
    older = tmp_path / "older.parquet"
    pq.write_table(pq.read_table(whole), older)
    assert not verify(older)
    assert same(everything(whole), everything(older))
    content = older.read_bytes()
    chance = random.Random(5)
    for _ in range(60):
        damaged = bytearray(content)
        at = chance.randrange(len(content) - 64)
        damaged[at : at + 64] = chance.randbytes(64)
        older.write_bytes(damaged)
        try:
            everything(older)
        except XlbiasError as error:
            assert str(older) in str(error)


# -- values ----------------------------------------------------------------------------------------------------------


def forged(whole: Path, out: Path, change, metadata=lambda _: None, seal: bool = False) -> Path:
    """Write the run at `whole` with other rows and metadata to `out`, as a tool that knows no xlbias does."""
    about = open_run(whole).metadata
    metadata(about)
    frame = change(pl.read_parquet(whole))
    if seal:
        parts = []
        for i, rows in enumerate(frame.partition_by("record", maintain_order=True)):
            parts.append(out.with_name(f"{rows['record'][0]}-{i}"))
            parquet.write_part(parts[-1], rows)
        parquet.write_run(out, parts, about)
    else:
        frame.write_parquet(out, metadata={"xlbias": json.dumps(about)})
    return out


def of(record: str, column: str, value: pl.Expr):
    return lambda frame: frame.with_columns(
        pl.when(pl.col("record") == record).then(value).otherwise(column).alias(column)
    )


def inside(column: str, field: str, value: pl.Expr):
    fields = pl.element().struct.with_fields(value.alias(field))
    return lambda frame: frame.with_columns(pl.col(column).list.eval(fields))


@pytest.mark.parametrize("seal", [False, True])
@pytest.mark.parametrize(
    ("change", "said"),
    [
        (of("ranking", "ap", pl.lit(float("inf"))), "in its ranking rows, 'ap' holds something that is not a number"),
        (of("ranking", "ap", pl.lit(-0.25)), "in its ranking rows, 'ap' is not between 0 and 1"),
        (
            of("ranking", "task", pl.lit("other")),
            "in its ranking rows, 'task' is 'other'; the run's metadata has made",
        ),
        (of("ranking", "model", pl.lit(None, dtype=pl.String)), "in its ranking rows, 'model' is missing"),
        (of("ranking", "pool", pl.lit("xx")), "in its ranking rows, 'pool' is 'xx'; expected one of"),
        (of("ranking", "setting", pl.lit("both")), "in its ranking rows, 'setting' is 'both'; expected one of"),
        (of("ranking", "query_id", pl.lit(None, dtype=pl.String)), "in its ranking rows, 'query_id' is missing"),
        (of("ranking", "n_relevant", pl.lit(9, dtype=pl.UInt32)), "'relevants' are not as many as 'n_relevant' says"),
        (of("summary", "n", pl.lit(-3)), "in its summary rows, 'n' is -3; expected a count"),
        (
            of("summary", "value", pl.lit(float("-inf"))),
            "in its summary rows, 'value' holds something that is not a number",
        ),
        (of("summary", "task", pl.lit("other")), "in its summary rows, 'task' is 'other'"),
        (of("passage", "text", pl.lit(None, dtype=pl.String)), "in its passage rows, 'text' is missing"),
        (inside("relevants", "rank", pl.lit(0, dtype=pl.UInt32)), "'relevants.rank' is 0; expected 1 or more"),
        (inside("relevants", "language", pl.lit("xx")), "'relevants.language' is 'xx'; the task has"),
        (
            inside("top", "score", pl.lit(float("nan"), dtype=pl.Float32)),
            "'top.score' holds something that is not a number",
        ),
    ],
)
def test_a_value_that_cannot_be_is_said_with_file_record_and_column(whole, tmp_path, change, said, seal):
    path = forged(whole, tmp_path / "forged.parquet", change, seal=seal)
    with pytest.raises(RunError) as caught:
        everything(path)
    assert str(path) in str(caught.value)
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda f: f.with_columns(pl.col("ap").cast(pl.String)), "its column 'ap' holds String; expected Float64"),
        (lambda f: f.with_columns(pl.col("n_relevant").cast(pl.Int64)), "'n_relevant' holds Int64; expected UInt32"),
        (lambda f: f.drop("record"), "it has no column 'record'"),
        (lambda f: f.with_columns(pl.lit(7).alias("relevants")), "its column 'relevants' holds Int32; expected List"),
    ],
)
def test_a_column_of_another_type_is_said(whole, tmp_path, change, said):
    with pytest.raises(RunError, match=said):
        everything(forged(whole, tmp_path / "forged.parquet", change))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda m: m.update(models=7), "models is 7: expected a list"),
        (lambda m: m["models"][0].update(name=None), r"models\[0\].name is None: expected a string"),
        (lambda m: m["models"][0].update(card=[1]), r"models\[0\].card is \[1\]: expected a table of named values"),
        (lambda m: m["models"][0].update(card={"seed": "x"}), r"models\[0\].card.seed is 'x': expected a whole number"),
        (lambda m: m["models"][0].update(card={"seed": 10**40}), r"card.seed is a whole number of 133 bits"),
        (lambda m: m["models"].append(m["models"][0]), "models has 'random0' twice"),
        (
            lambda m: m["tasks"][0].pop("pool_sizes"),
            r"tasks\[0\]: has no key 'pool_sizes': expected counts",
        ),
        (lambda m: m["tasks"][0]["pool_sizes"].update(de=-1), r"tasks\[0\].pool_sizes.de is -1: expected a count"),
        (lambda m: m["tasks"][0].update(n_ids=True), r"tasks\[0\].n_ids is True: expected a count"),
        (lambda m: m.update(created="today"), "created is 'today': expected a number"),
        (lambda m: m.update(versions="1"), "versions is '1': expected an object"),
        (lambda m: m.update(schema=True), "names no schema version"),
        (lambda m: m.update(command="xlbias"), "command is 'xlbias': expected a list of texts"),
    ],
)
def test_metadata_of_another_kind_is_said_with_its_field(whole, tmp_path, change, said):
    path = forged(whole, tmp_path / "forged.parquet", lambda frame: frame, change)
    with pytest.raises(RunError, match=said):
        open_run(path)


def test_metadata_that_is_nested_too_deep_is_refused(whole, tmp_path):
    path = tmp_path / "deep.parquet"
    for text in ("[" * 100_000 + "]" * 100_000, '{"schema": 1, "x": ' + "[" * 500 + "]" * 500 + "}"):
        pl.read_parquet(whole).write_parquet(path, metadata={"xlbias": text})
        with pytest.raises(RunError, match=r"is not readable JSON|more than 64 levels deep"):
            open_run(path)


def test_a_pipe_is_no_run_and_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(RunError, match="is a pipe; expected a run file"):
        open_run(tmp_path / "pipe")


# -- what is too large -----------------------------------------------------------------------------------------------


def test_a_small_file_of_many_rows_is_refused_and_opened_on_request(whole, tmp_path, monkeypatch):
    path = tmp_path / "bomb.parquet"
    frame = pl.DataFrame({"record": ["ranking"]}).select(pl.col("record").repeat_by(3_000_000).explode())
    frame.write_parquet(path, metadata={"xlbias": json.dumps(open_run(whole).metadata)})
    with pytest.raises(
        RunError, match=r"it has 3,000,000 rows in .* bytes, which may take 1 GB of memory: if you trust"
    ):
        _ = open_run(path).rankings
    monkeypatch.setenv(limits.VARIABLE, "1")
    assert open_run(path).queries.collect().height == 0


def test_thousands_of_tasks_or_languages_are_refused(whole, tmp_path, monkeypatch):
    def many_tasks(metadata):
        metadata["tasks"] = [{**metadata["tasks"][0], "name": f"t{i}"} for i in range(20_000)]

    def many_languages(metadata):
        metadata["tasks"][0]["pool_sizes"] = {f"l{i}": 1 for i in range(5_000)}

    for change, said in ((many_tasks, "1 encoders on 20,000 tasks"), (many_languages, "has 5,000 languages")):
        path = forged(whole, tmp_path / "bomb.parquet", lambda frame: frame, change)
        with pytest.raises(RunError, match=f"{said}.* if you trust it, open it with `xlbias --no-limits"):
            open_run(path)
    monkeypatch.setenv(limits.VARIABLE, "1")
    assert len(open_run(path).tasks) == 1


# -- resuming and locks ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("record", ["ranking", "alignment", "summary", "query"])
def test_a_damaged_part_is_made_again_by_resume(whole, tmp_path, record):
    out = tmp_path / "run.parquet"
    with pytest.raises(EncoderError):
        evaluate([make_vectors(TASK), "nobody/nothing-of-the-kind"], TASK, out)
    part = sorted((live_folder(out) / "parts").glob(f"{record}-*"))[0]
    content = bytearray(part.read_bytes())
    content[len(content) // 3] ^= 4
    part.write_bytes(content)
    with pytest.raises(RunError, match=part.name):
        everything(out)
    run = evaluate(make_vectors(TASK), TASK, out, resume=True)
    assert same((None, *everything(whole)[1:]), (None, *everything(run.path)[1:]))


def no_flock(*_):
    raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))


def hold(out: str, ready: str) -> None:
    """Write a run on a file system without locks until killed."""
    fcntl.flock = no_flock
    with Journal.open(Path(out), {}, identity="i"):
        Path(ready).touch()
        while True:
            pass


def wait_for(path: Path, process) -> None:
    while not path.exists():
        assert process.is_alive()


@pytest.mark.e2e
def test_without_locks_of_the_file_system_a_file_keeps_writers_apart_and_a_dead_one_s_is_taken_over(
    tmp_path, monkeypatch
):
    out, ready = tmp_path / "run.parquet", tmp_path / "ready"
    process = start(hold, str(out), str(ready))
    wait_for(ready, process)
    monkeypatch.setattr(fcntl, "flock", no_flock)
    with pytest.raises(RunError, match=f"is being written by process {process.pid} on .* remove .*lock.held"):
        Journal.open(out, {}, identity="i", resume=True)
    process.kill()
    process.join()
    with Journal.open(out, {"models": []}, identity="i", resume=True) as journal:
        with pytest.raises(RunError, match="is being written by process"):
            Journal.open(out, {}, identity="i", resume=True)
        journal.finish()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["ready", "run.parquet"]


def test_a_lock_of_another_host_is_never_taken_over(tmp_path, monkeypatch):
    out = tmp_path / "run.parquet"
    live_folder(out).mkdir()
    (live_folder(out) / "lock.held").write_text("1\nelsewhere\n")
    (live_folder(out) / "writer.json").write_text(json.dumps({**describe_self(), "host": "elsewhere", "pid": 1}))
    monkeypatch.setattr(fcntl, "flock", no_flock)
    with pytest.raises(RunError, match="is being written by process 1 on elsewhere"):
        Journal.open(out, {}, identity="i", overwrite=True)


def test_a_lock_that_cannot_be_had_leaves_no_folder(tmp_path, monkeypatch):
    def broken(*_):
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(fcntl, "flock", broken)
    with pytest.raises(XlbiasError, match="cannot be locked: Input/output error"):
        Journal.open(tmp_path / "run.parquet", {}, identity="i")
    assert list(tmp_path.iterdir()) == []


def test_a_journal_with_files_of_others_is_none_the_worse(whole, tmp_path):
    source = open_run(whole)
    out = tmp_path / "run.parquet"
    with Journal.open(out, source.metadata, identity="i") as journal:
        journal.write("ranking", "a-0", source.rankings.collect())
        for name in ("ranking.parquet", "x-0.parquet", "ranking-.parquet"):
            shutil.copy(whole, live_folder(out) / "parts" / name)
        assert open_run(out).rankings.collect().height == source.rankings.collect().height
        journal.finish()
    assert open_run(out).rankings.collect().equals(source.rankings.collect())
