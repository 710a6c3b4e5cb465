"""RetrievalTask: what it holds is checked once, and errors name file, line and field."""

import polars as pl
import pytest

from xlbias.data.task import RetrievalTask
from xlbias.errors import TaskError

QUERIES = {"query_id": ["1", "1", "2"], "language": ["en", "de", "en"], "text": ["one?", "eins?", "two?"]}
PASSAGES = {
    "passage_id": ["en/1", "de/1", "en/2"],
    "language": ["en", "de", "en"],
    "text": ["One.", "Eins.", "Two."],
    "document": ["a", "a", "b"],
}
QRELS = {"query_id": ["1", "1", "2"], "passage_id": ["en/1", "de/1", "en/2"], "relevance": [1, 1, 1]}


NEGATIVES = {"query_id": ["1", "2"], "passage_id": ["en/2", "de/1"]}


def make(queries=QUERIES, passages=PASSAGES, qrels=QRELS, *negatives) -> RetrievalTask:
    given = (queries, passages, qrels, *negatives)
    frames = [frame if isinstance(frame, pl.DataFrame) else pl.DataFrame(frame) for frame in given]
    return RetrievalTask("tiny", "news", "here", "CC0", *frames)


def changed(columns: dict, column: str, row: int, value: object, **more: list) -> dict:
    values = list(columns[column])
    values[row] = value
    return {**columns, column: values, **more}


def test_it_knows_its_languages_pools_and_pairs():
    task = make()
    assert task.query_languages == ["de", "en"]
    assert task.pool_sizes == {"de": 1, "en": 2}
    assert task.n_pairs == 5  # query 1 in two languages with two relevants each, query 2 with one


def test_languages_are_normalised():
    task = make(queries=changed(QUERIES, "language", 1, "deu"), passages=changed(PASSAGES, "language", 1, "DE"))
    assert task.languages == ["de", "en"]


def test_missing_optional_columns_are_null():
    task = make()
    assert task.passages.columns == ["passage_id", "language", "text", "document", "parallel_id"]
    assert task.passages["parallel_id"].null_count() == 3


def test_the_fingerprint_does_not_depend_on_the_order_of_rows_but_on_every_text():
    reversed_task = make(*(pl.DataFrame(frame).reverse() for frame in (QUERIES, PASSAGES, QRELS)))
    assert reversed_task.fingerprint == make().fingerprint
    assert make(passages=changed(PASSAGES, "text", 2, "Two!")).fingerprint != make().fingerprint


ORIGINS = {"origin": ["f.jsonl, line 1", "f.jsonl, line 2", "f.jsonl, line 3"]}


@pytest.mark.parametrize(
    ("frames", "message"),
    [
        (
            {"queries": changed(QUERIES, "text", 1, "  \t", **ORIGINS)},
            "f.jsonl, line 2: the query with query_id '1', language 'de' has no text",
        ),
        (
            {"passages": changed(PASSAGES, "text", 2, None, **ORIGINS)},
            "f.jsonl, line 3: the passage with passage_id 'en/2' has no text",
        ),
        (
            {"queries": changed(QUERIES, "language", 1, "en", **ORIGINS)},
            "f.jsonl, line 2: the query with query_id '1', language 'en' is there twice (same query_id and language), "
            "first at f.jsonl, line 1",
        ),
        (
            {"passages": changed(PASSAGES, "passage_id", 1, "en/1")},
            "tiny: the passage with passage_id 'en/1' is there twice (same passage_id)",
        ),
        (
            {"passages": changed(PASSAGES, "language", 0, "klingonish", **ORIGINS)},
            "f.jsonl, line 1: the passage with passage_id 'en/1' has an unknown language tag 'klingonish': "
            "expected a BCP 47 tag such as 'de', 'zh' or 'pt-BR'",
        ),
        (
            {"qrels": changed(QRELS, "passage_id", 2, "en/3", **ORIGINS)},
            "f.jsonl, line 3: the qrel with query_id '2', passage_id 'en/3' names a passage that is not there",
        ),
        (
            {"qrels": changed(QRELS, "query_id", 0, "0")},
            "tiny: the qrel with query_id '0', passage_id 'en/1' names a query that is not there",
        ),
        ({"qrels": changed(QRELS, "relevance", 0, None)}, "tiny: the qrel with query_id '1', passage_id 'en/1' has no"),
        ({"qrels": {**QRELS, "relevance": [0, 0, 0]}}, "tiny: no query has a relevant passage"),
        ({"qrels": {**QRELS, "relevance": ["yes", "no", "no"]}}, "tiny: column 'relevance' of the qrel frame is not"),
        ({"queries": {"query_id": ["1"], "text": ["one?"]}}, "tiny: the query frame has no column 'language'"),
        ({"queries": pl.DataFrame(QUERIES).clear()}, "tiny: the task is empty: it has no query"),
        ({"passages": pl.DataFrame(PASSAGES).clear()}, "tiny: the task is empty: it has no passage"),
    ],
)
def test_what_is_wrong_is_named_with_its_place(frames, message):
    with pytest.raises(TaskError) as caught:
        make(**frames)
    assert str(caught.value).startswith(message)


def test_an_error_counts_the_others_of_its_kind_and_cuts_endless_ids():
    with pytest.raises(TaskError, match=r"\(3 such in all\)"):
        make(queries={**QUERIES, "text": ["", "", ""]})
    with pytest.raises(TaskError) as caught:
        make(queries=changed(QUERIES, "text", 0, "") | {"query_id": ["x" * 1_000_000, "1", "2"]})
    assert len(str(caught.value)) < 300


def test_judged_but_irrelevant_passages_are_no_qrels_but_negatives():
    task = make(qrels={**QRELS, "relevance": [2, 0, 1]})
    assert task.qrels.rows() == [("1", "en/1", 2), ("2", "en/2", 1)]
    assert task.negatives.rows() == [("1", "de/1")]
    assert make().negatives.schema == {"query_id": pl.String, "passage_id": pl.String}
    assert make().negatives.is_empty()


def test_negatives_may_be_given_and_judged():
    qrels = {name: [*values, more] for (name, values), more in zip(QRELS.items(), ["1", "en/2", -1], strict=True)}
    assert make(QUERIES, PASSAGES, qrels, NEGATIVES).negatives.rows() == [("1", "en/2"), ("2", "de/1")]


@pytest.mark.parametrize(
    ("negatives", "message"),
    [
        (
            {"query_id": ["2", "1"], "passage_id": ["en/1", "de/1"], "origin": ["f, line 1", "f, line 2"]},
            "f, line 2: the negative with query_id '1', passage_id 'de/1' is relevant too: a passage is one or the "
            "other",
        ),
        (
            {"query_id": ["2"], "passage_id": ["en/3"]},
            "tiny: the negative with query_id '2', passage_id 'en/3' names a passage that is not there",
        ),
        (
            {"query_id": ["3"], "passage_id": ["en/1"]},
            "tiny: the negative with query_id '3', passage_id 'en/1' names a query that is not there",
        ),
        ({"query_id": ["1"]}, "tiny: the negative frame has no column 'passage_id'"),
    ],
)
def test_wrong_negatives_are_named(negatives, message):
    with pytest.raises(TaskError) as caught:
        make(QUERIES, PASSAGES, QRELS, negatives)
    assert str(caught.value) == message


def test_the_fingerprint_tells_negatives_apart_and_is_the_old_one_without_them():
    frames = (QUERIES, PASSAGES, QRELS)
    with_negatives = make(*frames, NEGATIVES)
    assert (
        make().fingerprint == "a7d59fcb1242743a7eaa6df8d94219ecc7d9b8f33257aafb24a3f09c3863e51c"
    )  # as before tasks had negatives
    assert with_negatives.fingerprint != make().fingerprint
    assert make(*frames, pl.DataFrame(NEGATIVES).reverse()).fingerprint == with_negatives.fingerprint
    assert make(*frames, pl.DataFrame(NEGATIVES).head(1)).fingerprint not in {
        with_negatives.fingerprint,
        make().fingerprint,
    }


def test_negatives_survive_selections_as_far_as_their_texts_do():
    task = make(QUERIES, PASSAGES, QRELS, NEGATIVES)
    assert task.renamed("other").negatives.rows() == [("1", "en/2"), ("2", "de/1")]
    assert task.select_languages(["en"]).negatives.rows() == [("1", "en/2")]
    assert task.select_languages(["de"]).negatives.is_empty()  # query 2 is English only
    kept = task.select_passages(pl.Series(["en/1", "en/2"]))
    assert kept.negatives.rows() == [("1", "en/2")]


def test_selecting_languages_keeps_what_holds_between_them():
    german = make().select_languages(["deu"])
    assert german.queries.rows() == [("1", "de", "eins?")]
    assert german.qrels.rows() == [("1", "de/1", 1)]
    with pytest.raises(TaskError, match="no texts in language 'th'; it has de, en"):
        make().select_languages(["th"])


def test_selecting_passages_drops_queries_without_a_relevant_one():
    task = make().select_passages(pl.Series(["en/2"]))
    assert task.queries.rows() == [("2", "en", "two?")]
    assert task.passages["passage_id"].to_list() == ["en/2"]
