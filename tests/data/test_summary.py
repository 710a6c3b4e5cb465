"""The facts of a task that `xlbias data show` prints."""

import pytest

from xlbias.data.summary import examples, summarise


def test_the_facts_of_xquad_r(corpora):
    facts = summarise(corpora("lareqa:{}/xquad-r"))
    assert facts["n_query_ids"] == 1_190
    assert (facts["n_queries"], facts["n_passages"], facts["n_pairs"]) == (13_090, 13_014, 143_990)
    assert facts["relevants_per_query"] == {"min": 11, "median": 11, "max": 11}
    assert facts["languages"]["th"] == {"queries": 1_190, "passages": 852}
    assert (facts["n_documents"], facts["n_queries_without_relevant"]) == (48, 0)


def test_a_partly_parallel_task_counts_what_there_is(corpora):
    facts = summarise(corpora("parallel:{}/mlqa/parallel.jsonl.gz").select_languages(["ar", "de"]))
    assert facts["languages"] == {"ar": {"queries": 4_252, "passages": 0}, "de": {"queries": 3_821, "passages": 3_963}}
    answered = facts["n_queries"] - facts["n_queries_without_relevant"]
    assert facts["relevants_per_query"] == {"min": 1, "median": 1, "max": 1}
    assert facts["n_pairs"] == answered < facts["n_queries"]


@pytest.mark.parametrize(("wanted", "shown"), [(0, 0), (3, 3), (200, 123)])
def test_there_are_as_many_examples_as_asked_for_or_as_there_are(corpora, wanted, shown):
    task = corpora("bitext:{}/ntrex128[pairs=headline]")
    ids = [example.query_id for example in examples(task, wanted)]
    assert len(set(ids)) == len(ids) == shown


def test_an_example_is_a_query_with_what_is_relevant_to_it_in_two_languages(corpora):
    task = corpora("lareqa:{}/xquad-r")
    pairs = task.queries.join(task.qrels, on="query_id").join(task.passages, on="passage_id")
    relevant = set(pairs.select("query_id", "text", "text_right").iter_rows())
    other_languages = set()
    for example in examples(task, 12):
        assert [language for language, _ in example.queries] == [language for language, _ in example.passages]
        assert example.queries[0][0] == "en"
        other_languages.add(example.queries[1][0])
        assert {
            (example.query_id, query, text) for _, query in example.queries for _, text in example.passages
        } <= relevant
    assert len(other_languages) == 10
