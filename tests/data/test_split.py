"""A split leaks nothing, is the same whatever order rows come in, and takes about the share asked for."""

from collections import Counter
from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from xlbias.data.catalog import load_task
from xlbias.data.components import connected_components
from xlbias.data.split import groups, split_task
from xlbias.data.task import RetrievalTask
from xlbias.errors import TaskError, UsageError

pytestmark = pytest.mark.integration


def make(pairs, texts=None, documents=None, parallel=None, languages=None):
    """Build a task of (query id, passage id) pairs, a text and document per passage id."""
    passage_ids = list(dict.fromkeys(passage for _, passage in pairs if passage))
    query_ids = list(dict.fromkeys(query for query, _ in pairs if query))
    passages = pl.DataFrame(
        {
            "passage_id": passage_ids,
            "language": [(languages or {}).get(one, "en") for one in passage_ids],
            "text": [(texts or {}).get(one, f"text of {one}") for one in passage_ids],
            "document": [(documents or {}).get(one) for one in passage_ids],
            "parallel_id": [(parallel or {}).get(one) for one in passage_ids],
        },
        schema_overrides={"document": pl.String, "parallel_id": pl.String},
    )
    queries = pl.DataFrame({"query_id": query_ids, "language": "en", "text": query_ids})
    qrels = pl.DataFrame([pair for pair in pairs if all(pair)], schema=["query_id", "passage_id"], orient="row")
    return RetrievalTask("made", "d", "s", "l", queries, passages, qrels.with_columns(relevance=1))


def shared(train, test, *columns, frame="passages"):
    """What the two sides have in common in these columns."""
    sides = [getattr(side, frame).select(columns).drop_nulls() for side in (train, test)]
    return set(sides[0].iter_rows()) & set(sides[1].iter_rows())


TASKS = {
    "xquad-r": "lareqa:{}/xquad-r",
    "xquad paragraphs": "squad:{}/xquad-r",
    "mlqa": "parallel:{}/mlqa/parallel.jsonl.gz",
    "mkqa": "parallel:{}/mkqa/parallel.jsonl",
    "opensource-guide": "parallel:{}/opensource-guide/parallel.jsonl",
    "ntrex sentences": "bitext:{}/ntrex128",
    "ntrex headlines": "bitext:{}/ntrex128[pairs=headline]",
    "tatoeba": "bitext:{}/tatoeba",
    "sib200": "sib200:{}/sib200",
}


@pytest.mark.parametrize("by", ["auto", "id"])
@pytest.mark.parametrize("spec", TASKS.values(), ids=TASKS)
def test_no_leak_on_real_data(corpora, spec, by):
    task = corpora(spec)
    train, test = (split_task(task, part, by=by) for part in ("train", "test"))
    assert not shared(train, test, "query_id", frame="queries")
    assert not shared(train, test, "passage_id")
    assert not shared(train, test, "language", "text")
    assert not shared(train, test, "parallel_id")
    if by == "auto":
        assert not shared(train, test, "document")
    for frame in ("queries", "passages", "qrels"):
        assert getattr(train, frame).height + getattr(test, frame).height == getattr(task, frame).height
    share = test.queries["query_id"].n_unique() / task.queries["query_id"].n_unique()
    assert 0.15 < share <= 0.205


def test_ntrex_articles_are_hardly_tied_to_each_other(corpora):
    task = corpora("bitext:{}/ntrex128")
    _, passages = groups(task, "document")
    documents = passages.group_by("group").agg(pl.col("document").n_unique())["document"]
    assert Counter(documents) == {1: 121, 2: 1}  # two articles hold the same Vietnamese sentence


def test_the_order_of_rows_changes_nothing(corpora):
    task = corpora("bitext:{}/ntrex128")
    frames = ("queries", "passages", "qrels", "more_documents")
    shuffled = task.changed(**{name: getattr(task, name).sample(fraction=1.0, shuffle=True, seed=5) for name in frames})
    for part in ("train", "test"):
        assert split_task(shuffled, part).fingerprint == split_task(task, part).fingerprint


def test_a_seed_gives_a_split_and_another_seed_another(corpora):
    task = corpora("lareqa:{}/xquad-r")
    documents = [set(split_task(task, "test", seed=seed).passages["document"]) for seed in (0, 0, 1)]
    assert documents[0] == documents[1] != documents[2]
    # Written down: a new version of the program must not shuffle what was train into test.
    assert {"002 Warsaw", "003 Normans", "004 Nikola_Tesla"} <= documents[0]


def test_languages_are_selected_after_the_split(shared_data):
    folder = shared_data / "xquad-r"
    english = load_task(f"lareqa:{folder}[languages=en;split=train]")
    german = load_task(f"lareqa:{folder}[languages=de;split=test]")
    assert not shared(english, german, "query_id", frame="queries")
    assert not shared(english, german, "document")


TEN = [(f"q{n}", f"p{n}") for n in range(10)]


def test_what_ties_passages_together():
    task = make(
        [*TEN, ("q0", "p1")],  # q0 and q1 share a relevant passage
        texts={"p2": "same", "p3": "same", "p4": "same"},
        languages={"p4": "de"},  # an equal text in another language is another text
        documents={"p5": "d", "p6": "d"},
        parallel={"p7": "line", "p8": "line"},
    )
    together = {frozenset(ids) for ids in groups(task, "document")[0].group_by("group").agg("query_id")["query_id"]}
    assert together == {frozenset(ids.split()) for ids in ("q0 q1", "q2 q3", "q4", "q5 q6", "q7 q8", "q9")}
    together = {frozenset(ids) for ids in groups(task, "id")[0].group_by("group").agg("query_id")["query_id"]}
    assert {frozenset({"q5"}), frozenset({"q6"})} <= together


def with_negatives(task, pairs):
    return replace(task, negatives=pl.DataFrame(pairs, schema=["query_id", "passage_id"], orient="row"))


def test_a_text_that_stands_in_two_documents_ties_them_together():
    pairs = [("q1", "d1a"), ("q2", "d2a"), ("q3", "d2b"), ("q4", "d3a")]
    task = make(pairs, documents={name: name[:2] for _, name in pairs})
    copied = task.changed(more_documents=pl.DataFrame({"passage_id": ["d1a"], "document": ["d2"]}))
    for one, by, n_groups in ((task, "document", 3), (copied, "document", 2), (copied, "id", 4)):
        assert groups(one, by)[0]["group"].n_unique() == n_groups
    for text in ("One  text", "One text ", "One\u00a0text"):
        alike = make(pairs, texts={"d1a": "One text", "d3a": text})
        assert groups(alike, "id")[0]["group"].n_unique() == 3


def test_a_negative_ties_nothing_together_and_stays_where_both_its_ends_do():
    plain = make(TEN)
    everywhere = [(f"q{n}", f"p{m}") for n in range(10) for m in range(10) if n != m]
    task = with_negatives(plain, everywhere)
    for part in ("train", "test"):
        cut, whole = split_task(plain, part), split_task(task, part)
        assert whole.queries.equals(cut.queries)
        assert whole.passages.equals(cut.passages)
        here = {query[1:] for query in cut.queries["query_id"]}
        assert set(whole.negatives.rows()) == {(q, p) for q, p in everywhere if {q[1:], p[1:]} <= here}
    assert split_task(task, "train").negatives.height == 8 * 7


def test_a_passage_that_is_nothing_but_a_negative_goes_with_its_first_query():
    mined = [(query, f"mined {query} {n}") for query, _ in TEN for n in range(5)]
    shared = [(query, "mined by all") for query, _ in TEN]
    task = make([*TEN, *((None, passage) for _, passage in mined), (None, "mined by all")])
    task = with_negatives(task, [*mined, *shared])
    train, test = (split_task(task, part) for part in ("train", "test"))
    assert (train.negatives.height, test.negatives.height) in {(8 * 6, 2 * 5), (8 * 5, 2 * 6)}
    together = groups(task, "id")
    number = dict(together[1].select("passage_id", "group").rows())
    assert number["mined by all"] == dict(together[0].rows())["q0"]


def test_texts_that_nobody_asks_for_are_shared_out_too():
    task = make([*TEN, *((None, f"distractor {n}") for n in range(1000)), ("unanswered", None)])
    train, test = (split_task(task, part) for part in ("train", "test"))
    assert train.passages.height + test.passages.height == 1010
    assert 150 < test.passages.height < 250
    assert test.queries.filter(pl.col("query_id") != "unanswered").height == 2


def test_the_test_part_is_never_larger_than_asked_for():
    documents = {f"p{n}": "big" if n < 7 else f"small {n}" for n in range(10)}
    test = split_task(make(TEN, documents=documents), "test", test_fraction=0.3)
    assert sorted(test.queries["query_id"]) == ["q7", "q8", "q9"]


@pytest.mark.parametrize(
    ("documents", "fraction", "sizes"),
    [
        (dict.fromkeys((f"p{n}" for n in range(10)), "one"), 0.2, "1 groups of 10 to 10 ids"),
        ({f"p{n}": str(n % 2) for n in range(10)}, 0.2, "2 groups of 5 to 5 ids"),
        ({f"p{n}": "big" if n else "small" for n in range(10)}, 0.4, "2 groups of 1 to 9 ids"),
    ],
)
def test_groups_too_large_to_split_are_an_error(documents, fraction, sizes):
    with pytest.raises(TaskError, match=f"made: cannot put .0% of 10 query ids into a test part: .*{sizes}, which"):
        split_task(make(TEN, documents=documents), "train", test_fraction=fraction)


def test_wrong_arguments_are_named():
    task = make(TEN)
    with pytest.raises(TaskError, match="made: cannot split by document: the task names no documents; use by=id"):
        split_task(task, "test", by="document")
    with pytest.raises(UsageError, match="unknown part 'dev'"):
        split_task(task, "dev")
    with pytest.raises(UsageError, match="cannot split by 'topic': expected 'document', 'id' or 'auto'"):
        split_task(task, "test", by="topic")
    for fraction in (0, 1, -0.1, 20, float("nan")):
        with pytest.raises(UsageError, match="must be between 0 and 1"):
            split_task(task, "test", test_fraction=fraction)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])  # nothing of it is about time
@given(st.integers(1, 30).flatmap(lambda n: st.tuples(st.just(n), st.lists(st.tuples(*[st.integers(0, n - 1)] * 2)))))
def test_connected_components_are_those_that_a_walk_along_the_edges_finds(graph):
    n, edges = graph
    left, right = np.array(edges, dtype=np.int64).reshape(-1, 2).T
    reached = np.eye(n, dtype=bool)
    for one, other in edges:
        reached |= np.outer(reached[:, one], reached[other]) | np.outer(reached[:, other], reached[one])
    labels = connected_components(n, left, right)
    assert np.array_equal(labels[:, None] == labels, reached)
