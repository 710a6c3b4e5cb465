"""Which passages of a task are translations of one another, and the alignment taken over them."""

from itertools import combinations

import numpy as np
import polars as pl
import pytest
from support import bca_by_the_book

from xlbias.data.catalog import load_task
from xlbias.data.task import RetrievalTask
from xlbias.evaluation.alignment import alignments, parallel_passages
from xlbias.measures.alignment.audit import alignment_rows
from xlbias.measures.alignment.parallel import ParallelVectors
from xlbias.retrieve.search import in_index_order

pytestmark = pytest.mark.integration


def task_of(passages: list[tuple[str, str, str | None]], answers: dict[str, list[str]], languages: list[str]):
    """A task of ``(passage id, language, parallel id)`` and the answers by query id, asked in every language."""
    return RetrievalTask(
        "made", "test", "made by the test", "none",
        pl.DataFrame(
            [(q, language, f"{q} in {language}") for q in answers for language in languages],
            schema=["query_id", "language", "text"], orient="row",
        ),
        pl.DataFrame(
            [(name, language, name, parallel) for name, language, parallel in passages],
            schema={"passage_id": pl.String, "language": pl.String, "text": pl.String, "parallel_id": pl.String},
            orient="row",
        ),
        pl.DataFrame(
            [(q, name, 1) for q, names in answers.items() for name in names],
            schema=["query_id", "passage_id", "relevance"], orient="row",
        ),
    )  # fmt: skip


def groups(task: RetrievalTask) -> dict[str, set[str]]:
    """Passage ids by group, after checking what holds for every task."""
    passages = in_index_order(task.passages)
    found = parallel_passages(task, passages)
    assert found.columns == ["id", "language", "row"]
    assert found["language"].to_list() == passages["language"].gather(found["row"]).to_list()
    assert found["row"].is_unique().all(), "a passage is in two groups"
    assert not found.select("id", "language").is_duplicated().any()
    names = found.with_columns(name=passages["passage_id"].gather(found["row"]))
    by_id = {name: set(ids) for name, ids in names.group_by("id").agg("name").iter_rows()}
    assert all(len(members) > 1 for members in by_id.values())
    return by_id


def test_one_answer_in_each_language_is_a_group():
    names = [(f"{q}-{language}", language, None) for q in "ab" for language in ("de", "en", "th")]
    answers = {q: [f"{q}-{language}" for language in ("de", "en", "th")] for q in "ab"}
    assert groups(task_of(names, answers, ["en"])) == {q: set(members) for q, members in answers.items()}


def test_a_passage_that_answers_several_queries_counts_once():
    names = [(f"{q}-{language}", language, None) for q in "ab" for language in ("de", "en")]
    answers = {"q1": ["a-de", "a-en"], "q2": ["b-de", "b-en"], "q0": ["a-de", "a-en"]}
    assert groups(task_of(names, answers, ["en"])) == {"q0": {"a-de", "a-en"}, "q2": {"b-de", "b-en"}}


def test_queries_that_share_a_part_of_their_answers_share_it_out():
    """As in XQuAD-R, where a sentence of one language is two in another."""
    names = [(name, name[:2], None) for name in ("de-1", "en-1", "th-1", "th-2", "zh-1", "zh-2")]
    answers = {"q1": ["de-1", "en-1", "th-1", "zh-1"], "q2": ["de-1", "en-1", "th-2", "zh-2"]}
    assert groups(task_of(names, answers, ["en"])) == {
        "q1": {"de-1", "en-1", "th-1", "zh-1"},
        "q2": {"th-2", "zh-2"},
    }
    answers = {"q1": ["de-1", "en-1"], "q2": ["de-1", "en-1", "th-2"], "q3": ["de-1", "zh-1"]}
    assert groups(task_of(names, answers, ["en"])) == {"q2": {"de-1", "en-1", "th-2"}}


def test_several_answers_in_a_language_need_a_parallel_id():
    names = [("de-1", "de", None), ("de-2", "de", None), ("en-1", "en", None), ("en-2", "en", None)]
    several, one = ["de-1", "de-2", "en-1"], ["de-2", "en-2"]
    assert groups(task_of(names, {"q1": several}, ["en"])) == {}
    assert groups(task_of(names, {"q1": several, "q2": one}, ["en"])) == {"q2": {"de-2", "en-2"}}
    known = [(name, language, f"p{name[-1]}") for name, language, _ in names]
    both = {"p1": {"de-1", "en-1"}, "p2": {"de-2", "en-2"}}
    assert groups(task_of(known, {"q1": several, "q2": one}, ["en"])) == both


def test_a_parallel_id_counts_also_without_a_query_and_alone_it_is_no_group():
    names = [("de-1", "de", "p"), ("en-1", "en", "p"), ("de-2", "de", "alone"), ("de-3", "de", None)]
    assert groups(task_of(names, {"q": ["de-3"]}, ["en"])) == {"p": {"de-1", "en-1"}}


def test_answers_with_and_without_a_parallel_id_are_apart():
    names = [("de-1", "de", "p"), ("en-1", "en", "p"), ("de-2", "de", None), ("th-2", "th", None)]
    found = groups(task_of(names, {"q": ["de-1", "en-1", "de-2", "th-2"]}, ["en"]))
    assert found == {"p": {"de-1", "en-1"}, "q": {"de-2", "th-2"}}


def test_a_task_in_one_language_has_none():
    assert groups(task_of([("1", "en", None), ("2", "en", None)], {"q": ["1"], "r": ["2"]}, ["en"])) == {}


@pytest.mark.parametrize("name", ["xquad-r", "mlqa"])
def test_a_perfect_encoder_finds_every_translation_in_real_data(shared_data, name):
    """Translations have one vector, other passages others: P@1 must be 1, whatever questions share an answer."""
    spec = {
        "xquad-r": "lareqa:{}/xquad-r[languages=de,en,zh]",
        "mlqa": "parallel:{}/mlqa/parallel.jsonl.gz[split=test]",
    }[name]
    task = load_task(spec.format(shared_data))
    passages = in_index_order(task.passages)
    by_id = groups(task)
    assert len(by_id) > 700
    relevant = dict(task.qrels.group_by("query_id").agg("passage_id").iter_rows())
    assert all(members <= set(relevant[q]) for q, members in by_id.items())  # answers to one question
    rng = np.random.default_rng(0)
    vectors = rng.standard_normal((passages.height, 24)).astype(np.float32)
    row_of = {passage_id: row for row, passage_id in enumerate(passages["passage_id"])}
    for members in by_id.values():
        rows = [row_of[member] for member in members]
        vectors[rows] = vectors[rows[0]]
    chosen = parallel_passages(task, passages)
    rows = alignment_rows(ParallelVectors.of(chosen["id"], chosen["language"], vectors[chosen["row"].to_numpy()]))
    accuracy = [row for row in rows if row.measure == "parallel_accuracy"]
    n_languages = chosen["language"].n_unique()
    assert len(accuracy) == n_languages * (n_languages - 1) + 1
    assert [row.value for row in accuracy] == [1.0] * len(accuracy)


# -- rows of the summary -----------------------------------------------------------------------------------------------

LANGUAGES = ("de", "en", "th")


@pytest.fixture(scope="module")
def uneven():
    """Thirty ids; Thai passages for ten, and for one only what English has too; queries in two languages."""
    rng = np.random.default_rng(3)
    answers = {}
    names = []
    for i in range(30):
        there = [language for language in LANGUAGES if language != "th" or i < 10]
        answers[f"q{i:02d}"] = [f"{language}-{i}" for language in there]
        names += [(f"{language}-{i}", language, None) for language in there]
    names.append(("zh-0", "zh", None))
    answers["q00"].append("zh-0")  # Chinese and each other language share one id: too few for any measure
    task = task_of(names, answers, ["de", "sw"])
    passages = in_index_order(task.passages)
    return (
        task,
        passages,
        rng.standard_normal((passages.height, 6)).astype(np.float32),
        rng.standard_normal((task.queries.height, 6)).astype(np.float32),
    )


def unit(vectors):
    return vectors.astype(np.float64) / np.linalg.norm(vectors.astype(np.float64), axis=1, keepdims=True)


def test_every_pair_s_alignment_and_accuracy_equal_brute_force(uneven):
    task, passages, passage_vectors, query_vectors = uneven
    rows, per_id = alignments(task, passages, passage_vectors, query_vectors)
    found = {row.key: row for row in rows}
    vector = dict(zip(passages["passage_id"], unit(passage_vectors), strict=True))
    relevant = dict(task.qrels.group_by("query_id").agg("passage_id").iter_rows())
    text = {(q, name[:2]): vector[name] for q, names in relevant.items() for name in names}
    shares: dict[str, float] = {}
    means = []
    for a, b in combinations(["de", "en", "th", "zh"], 2):
        ids = [q for q in sorted(relevant) if (q, a) in text and (q, b) in text]
        row = found["passages.alignment", None, a, b]
        if "zh" in (a, b):
            assert len(ids) == 1
            assert np.isnan([row.value, row.low, row.high]).all()
            assert (row.n, row.n_ids, row.n_cells, row.n_cells_empty, row.n_excluded) == (0, 0, 0, 1, 1)
            continue
        squares = {q: float(((text[q, a] - text[q, b]) ** 2).sum()) for q in ids}
        means.append(np.mean(list(squares.values())))
        assert row.value == pytest.approx(means[-1], abs=1e-6)
        assert (row.n, row.n_ids, row.n_cells, row.n_cells_empty, row.n_excluded) == (len(ids), len(ids), 1, 0, 0)
        assert row.low < row.value < row.high
        for q, square in squares.items():
            shares[q] = shares.get(q, 0.0) + square / len(ids)
        for left, right in ((a, b), (b, a)):
            hits = [
                all(text[q, left] @ text[q, right] > text[q, left] @ text[r, right] for r in ids if r != q) for q in ids
            ]
            assert found["passages.parallel_accuracy", None, left, right].value == np.mean(hits)
    overall = found["passages.alignment", None, None, None]
    assert overall.value == pytest.approx(np.mean(means), abs=1e-6)
    assert overall.n == overall.n_ids == 30
    assert overall.low < overall.value < overall.high
    own = dict(per_id.filter(pl.col("measure") == "passages.alignment").select("query_id", "value").iter_rows())
    own = {q: value for q, value in own.items() if np.isfinite(value)}
    assert own == pytest.approx({q: share * 30 / 3 for q, share in shares.items()}, abs=1e-6)  # of three pairs
    assert np.mean(list(own.values())) == pytest.approx(overall.value)


def test_queries_are_parallel_by_their_ids(uneven):
    task, passages, passage_vectors, query_vectors = uneven
    rows, per_id = alignments(task, passages, passage_vectors, query_vectors)
    found = {row.key: row for row in rows}
    de, sw = (unit(query_vectors[(task.queries["language"] == language).to_numpy()]) for language in ("de", "sw"))
    row = found["queries.alignment", None, "de", "sw"]
    assert row.value == pytest.approx(float(((de - sw) ** 2).sum(axis=1).mean()), abs=1e-6)
    assert row.n == row.n_ids == 30
    assert set(per_id["measure"].str.split(".").list.first()) == {"passages", "queries"}


def test_undefined_is_nan_with_n_of_zero_everywhere(uneven):
    rows, per_id = alignments(*uneven)
    undefined = [row for row in rows if np.isnan(row.value)]
    assert {row.key.measure for row in undefined} >= {"passages.alignment", "passages.hubness", "passages.cka"}
    assert all(row.n == row.n_queries == row.n_ids == row.n_cells == 0 for row in undefined)
    assert all(np.isnan([row.low, row.high]).all() for row in undefined)
    assert all(row.n > 0 and row.n_cells == 1 for row in rows if row not in undefined)
    assert per_id["value"].is_not_nan().all()


def test_an_interval_of_the_mean_over_pairs_is_that_of_an_explicit_bootstrap(uneven):
    from xlbias.stats.bootstrap import draw_ids

    task, passages, passage_vectors, query_vectors = uneven
    rows, _ = alignments(task, passages, passage_vectors, query_vectors)
    found = {row.key: row for row in rows}
    chosen = parallel_passages(task, passages)
    text = {
        (q, language): vector
        for q, language, vector in zip(
            chosen["id"], chosen["language"], unit(passage_vectors)[chosen["row"].to_numpy()], strict=True
        )
    }
    ids = sorted({q for q, _ in text})
    pairs = [("de", "en"), ("de", "th"), ("en", "th")]
    values = [
        {i: float(((text[q, a] - text[q, b]) ** 2).sum()) for i, q in enumerate(ids) if {(q, a), (q, b)} <= set(text)}
        for a, b in pairs
    ]

    def macro(drawn):
        cells = []
        for of_pair in values:
            count = sum(drawn[i] for i in of_pair)
            if count:
                cells.append(sum(drawn[i] * value for i, value in of_pair.items()) / count)
        return sum(cells) / len(cells)

    n = len(ids)
    replicates = [macro(drawn) for drawn in draw_ids(np.random.default_rng(0), 10_000, n).tolist()]
    left_out = [macro([int(i != left) for i in range(n)]) for left in range(n)]
    units = len({i for of_pair in values for i in of_pair})
    expected = bca_by_the_book(np.array(replicates), macro([1] * n), np.array(left_out), units)
    overall = found["passages.alignment", None, None, None]
    assert (overall.low, overall.high) == pytest.approx(expected, abs=1e-6)


def test_nothing_parallel_gives_what_can_be_said_of_one_language():
    task = task_of([("1", "en", None), ("2", "en", None)], {"q": ["1"], "r": ["2"]}, ["en"])
    vectors = np.eye(2, dtype=np.float32)
    rows, per_id = alignments(task, in_index_order(task.passages), vectors, vectors)
    assert [row.key for row in rows] == [("queries.uniformity", None, "en", None)]
    assert per_id.is_empty()
