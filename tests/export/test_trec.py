"""Exported runs and qrels give our numbers in other people's tools, whatever they do with equal scores."""

import gzip
import struct
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import xlbias
from xlbias.data.convert import write_beir
from xlbias.data.task import RetrievalTask
from xlbias.errors import RunError
from xlbias.export.trec import export_qrels, export_run
from xlbias.results.run import Run

pytestmark = pytest.mark.integration

TREC_EVAL = {
    "map": "map", "recip_rank": "rr", "ndcg_cut_10": "ndcg@10", "P_10": "precision@10", "success_10": "success@10",
    "recall_1": "recall@1", "recall_10": "recall@10", "recall_100": "recall@100",
}  # fmt: skip
POOLS = ("multilingual", "en", "de")


def read_qrels(path: Path) -> dict[str, dict[str, int]]:
    found: dict[str, dict[str, int]] = {}
    for line in path.read_text("utf-8").splitlines():
        query, _, passage, relevance = line.split()
        found.setdefault(query, {})[passage] = int(relevance)
    return found


def read_run(path: Path) -> dict[str, dict[str, float]]:
    found: dict[str, dict[str, float]] = {}
    for line in path.read_text("utf-8").splitlines():
        query, _, passage, _, score, _ = line.split()
        found.setdefault(query, {})[passage] = float(score)
    return found


def own(run: Run, measure: str, pool: str) -> dict[str, float]:
    """Our values of a measure in a pool by query, as an export says them."""
    path = run.path.with_suffix(".values.parquet")
    xlbias.export_values(run, path, measures=[measure])
    rows = pl.read_parquet(path).filter(passage_language=pool)
    return dict(rows.select("query", "value").iter_rows())


@pytest.mark.parametrize("pool", POOLS)
@pytest.mark.parametrize("name", ["parallel", "judged"])
def test_trec_eval_gives_our_numbers_query_by_query(
    name: str, pool: str, run_of: Callable[[str], Run], tmp_path: Path
) -> None:
    pytrec_eval = pytest.importorskip("pytrec_eval")
    run = run_of(name)
    export_run(run, tmp_path / "run.trec", pool=pool)
    export_qrels(run, tmp_path / "qrels.txt", pool=pool)
    evaluator = pytrec_eval.RelevanceEvaluator(read_qrels(tmp_path / "qrels.txt"), set(TREC_EVAL))
    found = evaluator.evaluate(read_run(tmp_path / "run.trec"))
    for theirs, ours in TREC_EVAL.items():
        expected = {query: values[theirs] for query, values in found.items()}
        assert len(expected) > 20
        assert own(run, ours, pool) == pytest.approx(expected, abs=1e-6), ours


@pytest.mark.parametrize("name", ["parallel", "judged"])
def test_ir_measures_gives_our_numbers_query_by_query(name: str, run_of: Callable[[str], Run], tmp_path: Path) -> None:
    ir_measures = pytest.importorskip("ir_measures")
    from ir_measures import AP, RR, P, R, Success, nDCG

    run = run_of(name)
    export_run(run, tmp_path / "run.trec")
    export_qrels(run, tmp_path / "qrels.txt")
    names = {
        nDCG @ 10: "ndcg@10", AP: "map", RR: "rr", R @ 10: "recall@10", R @ 100: "recall@100", P @ 10: "precision@10",
        Success @ 10: "success@10",
    }  # fmt: skip
    qrels = list(ir_measures.read_trec_qrels(str(tmp_path / "qrels.txt")))
    listed = list(ir_measures.read_trec_run(str(tmp_path / "run.trec")))
    found: dict[object, dict[str, float]] = {measure: {} for measure in names}
    for metric in ir_measures.iter_calc(list(names), qrels, listed):
        found[metric.measure][metric.query_id] = metric.value
    for measure, ours in names.items():
        assert own(run, ours, "multilingual") == pytest.approx(found[measure], abs=1e-6), ours


@pytest.mark.slow
@pytest.mark.parametrize("name", ["parallel", "judged"])
def test_ranx_gives_our_numbers_query_by_query(name: str, run_of: Callable[[str], Run], tmp_path: Path) -> None:
    ranx = pytest.importorskip("ranx", reason="ranx brings matplotlib and twenty packages: pip install ranx")
    run = run_of(name)
    export_run(run, tmp_path / "run.trec")
    export_qrels(run, tmp_path / "qrels.txt")
    qrels = ranx.Qrels.from_file(str(tmp_path / "qrels.txt"), kind="trec")
    listed = ranx.Run.from_file(str(tmp_path / "run.trec"), kind="trec")
    names = {"ndcg@10": "ndcg@10", "map": "map", "mrr": "rr", "recall@10": "recall@10", "precision@10": "precision@10"}
    ranx.evaluate(qrels, listed, list(names))
    for theirs, ours in names.items():
        assert own(run, ours, "multilingual") == pytest.approx(dict(listed.scores[theirs]), abs=1e-6), ours


def test_scores_fall_from_line_to_line_and_stay_as_they_are_where_they_do(
    run_of: Callable[[str], Run], tmp_path: Path
) -> None:
    run = run_of("parallel")
    written = export_run(run, tmp_path / "run.trec")
    found = read_run(tmp_path / "run.trec")
    assert (written.n_queries, written.depth) == (len(found), sum(run.tasks[0].pool_sizes.values()))
    kept = run.rankings.filter(pl.col("pool") == "multilingual").collect()
    n_lowered = 0
    for row, (query, listed) in zip(kept.iter_rows(named=True), found.items(), strict=True):
        assert query == f"{row['query_language']}/{row['query_id']}"
        assert list(listed) == [one["passage_id"] for one in row["top"]]
        scores = list(listed.values())
        assert all(np.float32(a) > np.float32(b) for a, b in pairwise(scores))
        given = [one["score"] for one in row["top"]]
        assert scores == pytest.approx(given, abs=1e-6)
        n_lowered += sum(np.float32(a) != np.float32(b) for a, b in zip(scores, given, strict=True))
        assert len(set(given)) < len(given)  # there are copies
    assert 0 < n_lowered < 0.2 * sum(map(len, found.values()))


@pytest.mark.parametrize("scores", [[1.0, 1.0, 1.0], [0.0, -0.0, 0.0, -1e-45], [-0.5, -0.5, -0.25], [1e-38, 0.0, 0.0]])
def test_equal_scores_are_lowered_to_the_next_float_of_32_bits(scores: list[float]) -> None:
    from xlbias.export.trec import _falling

    expected = [np.float32(scores[0])]
    for score in scores[1:]:
        expected.append(min(np.float32(score), np.nextafter(expected[-1], np.float32(-np.inf))))
    found = _falling(pl.Series(["q"] * len(scores)), pl.Series(scores, dtype=pl.Float32))
    assert [struct.pack("f", x + 0.0) for x in found] == [struct.pack("f", x + 0.0) for x in expected]


def test_a_run_joins_its_own_qrels_and_those_of_the_beir_folder(
    parallel_task: RetrievalTask, run_of: Callable[[str], Run], tmp_path: Path
) -> None:
    """One id scheme: of the run, its qrels, those of the task, and the BEIR folder, which comes back as the task."""
    pytrec_eval = pytest.importorskip("pytrec_eval")
    run = run_of("parallel")
    export_run(run, tmp_path / "run.trec")
    export_qrels(run, tmp_path / "of-run.txt")
    export_qrels(parallel_task, tmp_path / "of-task.txt")
    assert (tmp_path / "of-run.txt").read_text() == (tmp_path / "of-task.txt").read_text()
    write_beir(parallel_task, tmp_path / "beir")
    back = xlbias.load_task(f"beir:{tmp_path / 'beir'}")
    assert back.fingerprint == parallel_task.fingerprint
    of_beir = pl.read_csv(tmp_path / "beir" / "qrels" / "test.tsv", separator="\t").iter_rows()
    judged: dict[str, dict[str, int]] = {}
    for query, passage, relevance in of_beir:
        judged.setdefault(query, {})[passage] = relevance
    assert judged == read_qrels(tmp_path / "of-run.txt")
    found = pytrec_eval.RelevanceEvaluator(judged, {"ndcg_cut_10"}).evaluate(read_run(tmp_path / "run.trec"))
    ours = run.settings.filter(setting="multilingual")["ndcg@10"][0]
    means = [
        np.mean([values["ndcg_cut_10"] for query, values in found.items() if query.startswith(f"{tag}/")])
        for tag in ("de", "en", "th")
    ]
    assert np.mean(means) == pytest.approx(ours, abs=1e-6)
    assert ours > 0.05


def test_a_task_says_what_was_judged_not_relevant_too(
    judged_task: RetrievalTask, run_of: Callable[[str], Run], tmp_path: Path
) -> None:
    export_qrels(judged_task, tmp_path / "of-task.txt", pool="de")
    export_qrels(run_of("judged"), tmp_path / "of-run.txt", pool="de")
    of_task, of_run = read_qrels(tmp_path / "of-task.txt"), read_qrels(tmp_path / "of-run.txt")
    assert {grade for grades in of_task.values() for grade in grades.values()} == {0, 1, 2, 3}
    assert all(query.startswith("de/") for query in of_task)
    relevant = {q: {p: grade for p, grade in grades.items() if grade} for q, grades in of_task.items()}
    assert relevant == of_run


def test_a_name_in_gz_is_gzipped_and_the_same_run_gives_the_same_bytes(
    run_of: Callable[[str], Run], tmp_path: Path
) -> None:
    for name in ("a.trec.gz", "b.trec.gz", "plain.trec"):
        export_run(run_of("judged"), tmp_path / name)
    first, second = ((tmp_path / f"{name}.trec.gz").read_bytes() for name in "ab")
    assert first == second
    assert gzip.decompress(first) == (tmp_path / "plain.trec").read_bytes()


def test_a_hostile_name_of_an_encoder_is_one_harmless_tag(tmp_path: Path) -> None:
    task = xlbias.load_task("builtin:calendar[split=test;languages=en]")
    encoder = xlbias.load_encoder("static-small")
    encoder.name = "my \x1b]52;c\x07\nencoder"
    export_run(xlbias.evaluate(encoder, task, out=tmp_path / "run.parquet"), tmp_path / "run.trec")
    lines = (tmp_path / "run.trec").read_text("utf-8").splitlines()
    assert {len(line.split()) for line in lines} == {6}
    assert {line.split()[-1] for line in lines} == {"my_␛]52;c␇_encoder"}


def test_an_id_with_white_space_is_refused_with_what_to_do(tmp_path: Path) -> None:
    task = xlbias.load_task("builtin:calendar[split=test;languages=en]")
    spaced = pl.format("a {}", "passage_id").alias("passage_id")
    task = task.changed(passages=task.passages.with_columns(spaced), qrels=task.qrels.with_columns(spaced))
    with pytest.raises(RunError, match=r"the passage id 'a .* holds white space, which TREC files cannot hold"):
        export_qrels(task, tmp_path / "qrels.txt")
    assert not (tmp_path / "qrels.txt").exists()


@pytest.mark.parametrize("name", ["parallel", "judged"])
def test_an_exported_run_is_imported_with_equal_numbers(
    name: str, parallel_task: RetrievalTask, judged_task: RetrievalTask, run_of: Callable[[str], Run], tmp_path: Path
) -> None:
    run, task = run_of(name), {"parallel": parallel_task, "judged": judged_task}[name]
    depth = export_run(run, tmp_path / "run.trec").depth
    back = xlbias.import_run(tmp_path / "run.trec", task, tmp_path / "back.parquet", top_k=depth)
    for ours, theirs in zip(*(one.settings.sort("setting").to_dicts() for one in (run, back)), strict=True):
        for measure in TREC_EVAL.values():
            assert theirs[measure] == pytest.approx(ours[measure], abs=1e-12), measure
    export_run(back, tmp_path / "again.trec")
    assert read_run(tmp_path / "again.trec") == read_run(tmp_path / "run.trec")


def test_qrels_without_a_relevant_passage_are_an_error_and_no_file(judged_task: RetrievalTask, tmp_path: Path) -> None:
    only_en = judged_task.changed(qrels=judged_task.qrels.filter(pl.col("passage_id").str.starts_with("en/")))
    with pytest.raises(RunError, match="judged: no query has a relevant passage in the pool 'de'"):
        export_qrels(only_en, tmp_path / "qrels.txt", pool="de")
    assert not (tmp_path / "qrels.txt").exists()
