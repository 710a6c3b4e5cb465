"""What is taken for parallel, on what evidence, and a task without it."""

import pytest

from xlbias.data.catalog import load_task
from xlbias.data.parallels import parallels
from xlbias.errors import TaskError

ENGLISH = ["Berlin", "Paris", "Rome", "Madrid"]
GERMAN = ["Löwe", "Wal", "Eule", "Bär"]


def independent(ids):
    """Two SQuAD files that have nothing to do with one another, with ids made by `ids(language, place)`."""

    def file(language, subjects):
        paragraphs = [
            {"context": f"{name}: {language}.", "qas": [{"id": ids(language, place), "question": f"{name}?"}]}
            for place, name in enumerate(subjects)
        ]
        return {"data": [{"title": "t", "paragraphs": paragraphs}]}

    return {"en.json": file("en", ENGLISH), "de.json": file("de", GERMAN)}


@pytest.mark.parametrize(
    ("ids", "n_shared", "counters"),
    [
        (lambda _, place: str(place), 4, True),
        (lambda _, place: place + 1, 4, True),  # whole numbers, from 1
        (lambda _, place: f"q{3 * place}", 4, True),  # with a letter, and some left out
        (lambda language, place: f"{language}{place}", 0, False),
        (lambda _, place: f"{place}abc", 4, False),
        (lambda _, place: str(57_281_339 + place * 17), 4, False),
    ],
)
def test_ids_that_only_count_are_weak_evidence(folder, ids, n_shared, counters):
    found = parallels(load_task(f"squad:{folder(independent(ids))}"))
    assert (found.by, found.n_shared, found.counters) == ("question id", n_shared, counters)


def test_without_parallels_each_language_has_ids_and_documents_of_its_own(folder):
    path = folder(independent(lambda _, place: str(place)))
    task = load_task(f"squad:{path}[parallel=no]")
    assert task.name == "corpus[parallel=no]"
    assert parallels(task).by is None
    assert (task.n_pairs, parallels(task).n_shared) == (8, 0)
    pairs = task.qrels.join(task.passages, on="passage_id").select("query_id", "text", "document").rows()
    assert ("en/0", "Berlin: en.", "en/001 t") in pairs
    assert ("de/0", "Löwe: de.", "de/001 t") in pairs
    assert load_task(f"squad:{path}[parallel=yes]").fingerprint == load_task(f"squad:{path}").fingerprint


def test_without_parallels_what_was_relevant_in_another_language_is_no_more(json_lines):
    path = json_lines(
        {"id": "1", "language": "en", "query": "One?", "passage": "One.", "negatives": ["Two."]},
        {"id": "1", "language": "de", "query": "Eins?", "negatives": ["Zwei."]},
    )
    task = load_task(f"parallel:{path}[parallel=no]")
    assert sorted(task.queries["query_id"]) == ["de/1", "en/1"]
    assert task.qrels.rows() == [("en/1", "en/1", 1)]
    assert sorted(task.negatives.rows()) == [("de/1", "de/1#1"), ("en/1", "en/1#1")]
    crossing = json_lines({"id": "1", "language": "en", "query": "?"}, {"id": "1", "language": "de", "passage": "."})
    with pytest.raises(TaskError, match="with parallel=no nothing would be relevant"):
        load_task(f"parallel:{crossing}[parallel=no]")


def test_a_split_of_unrelated_languages_may_part_equal_ids(folder):
    path = folder(independent(lambda _, place: str(place)))
    task = load_task(f"squad:{path}[parallel=no;split=test;by=id;test=0.3]")
    assert task.queries.height == 2


def test_what_formats_go_by(corpora):
    for spec, by in (
        ("bitext:{}/ntrex128", "line number"),
        ("sib200:{}/sib200", "index_id"),
        ("lareqa:{}/xquad-r", "question id"),
        ("parallel:{}/mkqa/parallel.jsonl", "id"),
    ):
        found = parallels(corpora(spec))
        assert (found.by, found.counters) == (by, False)
    assert (found.n_ids, found.n_shared) == (1_758, 1_758)
