"""A study from plan to merged run: resumed after kills, nothing made twice, and the numbers of the single runs."""

import multiprocessing
import os
import shutil
import signal
from pathlib import Path

import polars as pl
import pyarrow.parquet as pq
import pytest
import torch
from narrators import Listening
from polars.testing import assert_frame_equal
from processes import context, start
from sentence_transformers import SentenceTransformer

from xlbias.data.catalog import load_task
from xlbias.encode.card import read_card
from xlbias.errors import RunError, UsageError
from xlbias.evaluation import evaluate
from xlbias.narration import Silent
from xlbias.progress import Report
from xlbias.results.run import open_run
from xlbias.results.study.design import read_study
from xlbias.runs.journal import live_folder
from xlbias.study.folder import StudyFolder
from xlbias.study.merged_run import MergedRun
from xlbias.study.plan import Plan
from xlbias.study.plan_reader import read_plan
from xlbias.study.progress import duration
from xlbias.study.run_study import run_study
from xlbias.study.steps import steps_of
from xlbias.study.workers import work_in_parallel
from xlbias.train.trainer.fit import fit

pytestmark = pytest.mark.e2e

MONO, HYBRID = "calendar-mono-seed0", "calendar-hybrid-alpha0.5-seed0"
TARGETS = ["calendar-test", "money"]


@pytest.fixture(scope="module")
def done(small_plan: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("study") / "out"
    said = Listening()
    run_study(read_plan(small_plan), out, narrator=said)
    assert [line.split(" in ")[0] for line in said.lines] == [
        f"1 of 4: {MONO} trained", f"2 of 4: {MONO} evaluated", f"3 of 4: {HYBRID} trained",
        f"4 of 4: {HYBRID} evaluated",
    ]  # fmt: skip
    assert said.lines[0].endswith(" left)")
    return out


@pytest.fixture
def copy(done: Path, tmp_path: Path) -> Path:
    return shutil.copytree(done, tmp_path / "out")


def files(out: Path) -> dict[str, int]:
    return {str(path.relative_to(out)): path.stat().st_mtime_ns for path in out.rglob("*") if path.is_file()}


def changed_plan(plan: Path, folder: Path, old: str, new: str) -> Plan:
    text = plan.read_text("utf-8")
    assert old in text
    (folder / "changed.toml").write_text(text.replace(old, new), "utf-8")
    return read_plan(folder / "changed.toml", plan.parent / "corpora")


def by_model(frame: pl.DataFrame) -> list[pl.DataFrame]:
    return frame.partition_by("model", maintain_order=True)


def test_the_merged_run_is_what_the_single_runs_are(done: Path, small_plan: Path) -> None:
    merged = open_run(done / "run.parquet")
    singles = [open_run(done / "runs" / f"{name}.parquet") for name in (MONO, HYBRID)]
    assert merged.state.status == "finished"
    assert merged.summary.equals(pl.concat(single.summary for single in singles))
    for record in ("rankings", "alignments", "training", "validation"):
        together = pl.concat(getattr(single, record).collect() for single in singles)
        assert together.height > 0
        assert getattr(merged, record).collect().equals(together)
    for record in ("queries", "passages"):
        assert getattr(merged, record).collect().equals(getattr(singles[0], record).collect())  # once each
    described = [pq.read_schema(path).field("value").metadata for path in (done / "run.parquet", singles[0].path)]
    assert described[0] == described[1] != {}
    assert [model.name for model in merged.models] == [MONO, HYBRID]
    assert [model.card.sampler for model in merged.models] == ["mono", "hybrid"]
    assert merged.tasks == singles[0].tasks
    assert [task.name for task in merged.tasks] == TARGETS
    assert {"top_k": 3, "top_of": "multilingual", "approximate": False}.items() <= merged.metadata.items()
    assert merged.metadata["device"] == singles[0].metadata["device"]
    assert merged.metadata["study"] == read_plan(small_plan).as_dict()
    assert merged.metadata["study"]["in_domain"] == {"calendar-test": "calendar"}
    assert not live_folder(done / "run.parquet").exists()


def test_a_finished_study_does_nothing_again(copy: Path, small_plan: Path) -> None:
    before, said = files(copy), Listening()
    run = run_study(read_plan(small_plan), copy, narrator=said)
    assert run is not None
    assert run.state.status == "finished"
    assert said.lines == ["4 of 4 steps are done already", "nothing is left to do"]
    assert files(copy) == before


def test_what_train_and_evaluate_have_made_is_done_already(small_plan: Path, tmp_path: Path) -> None:
    plan = changed_plan(small_plan, tmp_path, '["mono", "hybrid"]', '["mono"]')
    out = tmp_path / "out"
    (out / "runs").mkdir(parents=True)
    encoder = out / "encoders" / MONO
    encoder.parent.mkdir()
    fit(load_task(plan.spec(plan.sources["calendar"][0])), encoder, plan.recipe, name=MONO, sampler="mono")
    tasks = [load_task(plan.spec(task)) for task in plan.targets.values()]
    run = evaluate(str(encoder), tasks, out / "runs" / f"{MONO}.parquet", top_k=3, top_of="multilingual")
    before, said = files(out), Listening()
    merged = run_study(plan, out, narrator=said)
    assert said.lines == ["2 of 2 steps are done already", "nothing is left to do"]
    assert before.items() <= files(out).items()
    assert merged is not None
    assert merged.summary.equals(run.summary)


class Killing(Silent):
    """Kills its process after so many units of a phase, or when a line is said."""

    def __init__(self, label: str, after: int = 0) -> None:
        self.label, self.left = label, after

    def say(self, text: str) -> None:
        if self.label in text:
            os.kill(os.getpid(), signal.SIGKILL)

    def tell(self, report: Report) -> None:
        if self.label in report.phase and report.total and report.done > self.left:
            os.kill(os.getpid(), signal.SIGKILL)


def study_killed(plan: str, out: str, label: str, after: int) -> None:
    """Run the study in a process of its own, which is killed in the middle of it."""
    torch.set_num_threads(1)
    run_study(read_plan(Path(plan)), out, narrator=Killing(label, after))


def test_killed_within_and_between_steps_it_goes_on_and_ends_the_same(
    small_plan: Path, done: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    plan = read_plan(small_plan)
    kills = [
        (f"{MONO}: training", 3),  # after the checkpoint of its second step
        (f"{MONO} trained", 0),
        (f"{MONO} · money: ranking", 0),
        (f"{MONO} evaluated", 0),  # before it is merged
    ]
    finished = []
    for kill in kills:
        process = start(study_killed, str(small_plan), str(out), *kill)
        process.join()
        assert process.exitcode == -signal.SIGKILL, kill
        finished.append(sum(map(StudyFolder(out).done, steps_of(plan.encoders()))))
        live = open_run(out / "run.parquet")  # as the dashboard would
        assert live.state.status == "died"
        assert live.summary.is_empty()
        assert live.queries.collect()["task"].unique().sort().to_list() == TARGETS
    assert finished == [0, 1, 1, 2]
    before, said = files(out), Listening()
    run = run_study(plan, out, narrator=said)
    assert said.lines[0] == "2 of 4 steps are done already"
    assert [line.split(" in ")[0] for line in said.lines[1:]] == [
        f"3 of 4: {HYBRID} trained", f"4 of 4: {HYBRID} evaluated",
    ]  # fmt: skip
    assert {name: at for name, at in before.items() if ".live" not in name}.items() <= files(out).items()
    assert run is not None
    assert run.summary.equals(open_run(done / "run.parquet").summary)
    assert not list(out.rglob("*.live"))


def test_the_encoder_that_all_are_trained_from_is_evaluated_as_it_is(
    done: Path, small_plan: Path, tmp_path: Path
) -> None:
    base = StudyFolder(done).encoder(MONO)
    (tmp_path / "plan.toml").write_text("reference = true\n" + small_plan.read_text("utf-8"), "utf-8")
    data = small_plan.parent / "corpora"
    with pytest.raises(UsageError, match=r"plan\.toml: reference: the base 'static' is made of .* a folder or a hub"):
        run_study(read_plan(tmp_path / "plan.toml", data), tmp_path / "out")
    assert not (tmp_path / "out").exists()
    text = (tmp_path / "plan.toml").read_text("utf-8").replace("dimension = 16\nvocabulary = 500\n", "")
    (tmp_path / "plan.toml").write_text(text.replace('["mono", "hybrid"]', '["mono"]'), "utf-8")
    plan = read_plan(tmp_path / "plan.toml", data, str(base))
    run_study(plan, tmp_path / "out")
    made = files(tmp_path / "out")
    run = run_study(plan, tmp_path / "out")  # nothing is made again
    assert run is not None and files(tmp_path / "out") == made
    assert [model.name for model in run.models] == ["untrained", MONO]
    theirs = open_run(StudyFolder(done).run).summary.filter(pl.col("model") == MONO).drop("model")
    ours = run.summary.filter(pl.col("model") == "untrained").drop("model")
    assert_frame_equal(ours, theirs)
    study = read_study(run)
    assert (study.reference, study.n_planned, list(study.members.values())) == ("untrained", 1, [MONO])


def test_a_run_can_be_followed_encoder_by_encoder(done: Path, small_plan: Path, tmp_path: Path) -> None:
    folder = StudyFolder(shutil.copytree(done, tmp_path / "out", ignore=shutil.ignore_patterns("run.parquet")))
    plan = read_plan(small_plan)
    targets = [load_task(plan.spec(task)).renamed(name) for name, task in plan.targets.items()]
    with MergedRun(plan, folder, targets, overwrite=False) as merged:
        assert open_run(folder.run).models == []
        merged.add(HYBRID)
        merged.progress(Report(0.5, None, "study"), 2, 4, "")
        live = open_run(folder.run)
        assert live.state.status == "running"
        assert live.state.progress is not None
        assert (live.state.progress.done, live.state.progress.total) == (2, 4)
        assert [model.name for model in live.models] == [HYBRID]
        assert live.summary.equals(open_run(folder.run_of(HYBRID)).summary)
        merged.add(MONO)
        assert [model.name for model in open_run(folder.run).models] == [MONO, HYBRID]  # in the plan's order
        with pytest.raises(RunError, match="is being written by process"):
            MergedRun(plan, folder, targets, overwrite=False)


def test_a_longer_plan_keeps_what_there_is(copy: Path, small_plan: Path, tmp_path: Path) -> None:
    longer = changed_plan(small_plan, tmp_path, '"hybrid"', '"hybrid", "cross"')
    before = files(copy)
    run = run_study(longer, copy)
    del before["run.parquet"]
    assert before.items() <= files(copy).items()
    assert run is not None
    assert [model.card.sampler for model in run.models] == ["mono", "hybrid", "cross"]
    assert run.summary["model"].n_unique() == 3


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        (
            ("steps = 4", "steps = 5"),
            RunError,
            f"{MONO}: .*training.parquet: a run of other encoders, tasks or",
        ),
        (("top_k = 3", "top_k = 4"), RunError, f"{MONO}: .*{MONO}.parquet: a run of other encoders, tasks or settings"),
        (("languages=de,en,th", "languages=de,en"), RunError, "its task 'money' is not what the plan calls 'money'"),
        (("\nmoney =", "\ncoins ="), RunError, "the name of the target 'coins' is 'money' there"),
        (("de,en,th]", "de,en,th;domain=x]"), RunError, "the domain of the target 'money' is 'unknown' there, but 'x'"),
        (
            ("\nmoney = ", '\nmore = "parallel:{data}/money.jsonl"\nmoney = '),
            RunError,
            "is of 2 tasks, but the plan has 3 targets",
        ),
        (
            ("parallel:{data}/money", "parallel:nowhere"),
            UsageError,
            "targets.money: parallel:nowhere.jsonl: there is no such file",
        ),
    ],
)
def test_a_plan_that_no_longer_fits_is_refused_and_nothing_is_touched(
    change: tuple[str, str], error: type[Exception], message: str, copy: Path, small_plan: Path, tmp_path: Path
) -> None:
    changed = changed_plan(small_plan, tmp_path, *change)
    before = files(copy)
    with pytest.raises(error, match=message):
        run_study(changed, copy)
    assert before.items() <= files(copy).items()


def test_overwrite_begins_anew_and_leaves_other_things(copy: Path, small_plan: Path, tmp_path: Path) -> None:
    plan = changed_plan(small_plan, tmp_path, "steps = 4", "steps = 2")
    shutil.copytree(copy / "encoders" / MONO, copy / "encoders" / "another")
    assert run_study(plan, copy, overwrite=True, only_train=True) is None
    assert [read_card(copy / "encoders" / name)["steps"] for name in (MONO, HYBRID, "another")] == [2, 2, 4]
    assert [StudyFolder(copy).done(step) for step in steps_of(plan.encoders())] == [True, False, True, False]
    assert not any((copy / "runs").iterdir())


def test_an_encoder_trained_again_needs_another_evaluation(copy: Path, small_plan: Path) -> None:
    shutil.rmtree(copy / "encoders" / MONO)
    with pytest.raises(RunError, match=f"{MONO}: .*is of another training than the encoder in .*: remove it"):
        run_study(read_plan(small_plan), copy)
    (copy / "runs" / f"{MONO}.parquet").unlink()
    run = run_study(read_plan(small_plan), copy)
    assert run is not None
    new = open_run(copy / "runs" / f"{MONO}.parquet")
    assert run.models[0].from_run == new.metadata["run_id"]
    assert by_model(run.summary)[0].equals(new.summary)


def test_a_folder_that_holds_something_else_is_left_alone(small_plan: Path, tmp_path: Path) -> None:
    (tmp_path / "precious.txt").write_text("data")
    with pytest.raises(UsageError, match="holds something other than a study"):
        run_study(read_plan(small_plan), tmp_path)
    with pytest.raises(UsageError, match=r"precious\.txt: is a file"):
        run_study(read_plan(small_plan), tmp_path / "precious.txt")


def test_a_base_that_is_no_encoder_is_refused_before_anything_is_made(small_plan: Path, tmp_path: Path) -> None:
    (tmp_path / "no-encoder").mkdir()
    plan = read_plan(small_plan, base=str(tmp_path / "no-encoder"))
    with pytest.raises(UsageError, match=r"small\.toml: .*no-encoder"):
        run_study(plan, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_run_that_is_no_studys_is_left_alone(copy: Path, small_plan: Path) -> None:
    shutil.copy(copy / "runs" / f"{MONO}.parquet", copy / "run.parquet")
    with pytest.raises(RunError, match=r"run\.parquet: is not the run of a study"):
        run_study(read_plan(small_plan), copy)


@pytest.fixture
def forked(monkeypatch: pytest.MonkeyPatch) -> None:
    """A study's processes are there at once; Ctrl-C of `xlbias study --jobs 2` is tested with new interpreters."""
    monkeypatch.setattr("xlbias.study.workers._CONTEXT", context())


@pytest.mark.usefixtures("forked")
def test_several_processes_make_the_same(small_plan: Path, done: Path, tmp_path: Path) -> None:
    said = Listening()
    run = run_study(read_plan(small_plan), tmp_path / "out", jobs=2, narrator=said)
    assert sorted(line.split(": ")[1].split(" in ")[0] for line in said.lines) == sorted(
        f"{name} {word}" for name in (MONO, HYBRID) for word in ("trained", "evaluated")
    )
    assert run is not None
    assert_frame_equal(run.summary, open_run(done / "run.parquet").summary)  # but for the order of sums in threads
    weights = [
        SentenceTransformer(str(out / "encoders" / MONO), device="cpu")[0].embedding.weight.detach()
        for out in (done, tmp_path / "out")
    ]
    assert torch.equal(*weights)


@pytest.mark.usefixtures("forked")
def test_an_error_in_a_process_is_the_studys(copy: Path, small_plan: Path, tmp_path: Path) -> None:
    changed = changed_plan(small_plan, tmp_path, "steps = 4", "steps = 5")
    one = changed.encoders()[:1]
    with pytest.raises(RunError, match=f"{MONO}: .*a run of other encoders, tasks or settings"):
        list(work_in_parallel(changed, StudyFolder(copy), None, one, ("train",), jobs=2))
    assert not multiprocessing.active_children()


@pytest.mark.parametrize(
    ("seconds", "words"), [(0.44, "0.4 s"), (36.4, "36 s"), (150, "2 min"), (7199, "120 min"), (9000, "2.5 h")]
)
def test_durations(seconds: float, words: str) -> None:
    assert duration(seconds) == words
