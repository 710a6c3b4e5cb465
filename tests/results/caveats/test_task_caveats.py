"""Caveats from the metadata of a task: trivial queries, ids that only count, one language under two tags."""

from types import SimpleNamespace

import pytest
from msgspec import convert

from xlbias.data.catalog import load_task
from xlbias.data.describe import describe_task
from xlbias.errors import RunError
from xlbias.results.caveats import parallel, tags, trivial
from xlbias.runs.run_info import TaskInfo
from xlbias.runs.validation import check_metadata


def found(rule, *tasks):
    whole = [{"n_queries": {}, "pool_sizes": {}, **task} for task in tasks]
    return list(rule.found(SimpleNamespace(tasks=convert(whole, list[TaskInfo]))))


@pytest.fixture
def items(tmp_path):
    """Describe a task made of lines of the plain parallel format."""

    def described(lines, options=""):
        path = tmp_path / "corpus.jsonl"
        path.write_text("\n".join(lines), encoding="utf-8")
        return describe_task(load_task(f"parallel:{path}{options}"))

    return described


def line(key, language, query, passage):
    return f'{{"id": "{key}", "language": "{language}", "query": "{query}", "passage": "{passage}"}}'


def test_queries_that_find_themselves_are_told_unless_they_are_left_out(items):
    lines = [line(key, tag, f"{key} {tag}", f"{key} {tag}") for key in "123" for tag in ("de", "en")]
    (caveat,) = found(trivial, items(lines))
    assert (caveat.kind, caveat.task, caveat.model) == ("trivial", "corpus", None)
    assert (caveat.value, caveat.n, caveat.of) == (1.0, 6, 6)
    assert caveat.sentence.startswith("6 of 6 queries are passages of their own pool and find themselves first")
    assert found(trivial, items(lines, "[self=ignore]")) == []


def test_queries_that_are_rivals_of_their_answers_are_told(items):
    lines = [line("1", "en", "Two", "One"), line("2", "en", "Three", "Two"), line("3", "en", "Four", "Three")]
    (caveat,) = found(trivial, items(lines))
    assert (caveat.n, caveat.of) == (2, 3)
    assert "not relevant, and stand before what is" in caveat.sentence


def test_a_single_text_that_is_question_and_answer_is_nothing_to_tell(items):
    lines = [line(str(key), "en", f"{key}?", f"{key}.") for key in range(200)]
    assert found(trivial, items([*lines, line("x", "en", "Same", "Same")])) == []


def test_ids_that_only_count_are_told():
    known = {"by": "question id", "n_ids": 8, "n_shared": 6, "counters": True}
    (caveat,) = found(parallel, {"name": "t", "parallel": known})
    assert (caveat.kind, caveat.task, caveat.value, caveat.n, caveat.of) == ("counted", "t", 0.75, 6, 8)
    assert "[parallel=no]" in caveat.sentence
    assert found(parallel, {"name": "t", "parallel": {**known, "counters": False}}) == []


def test_a_language_under_two_tags_is_told():
    (caveat,) = found(tags, {"name": "t", "n_queries": {"pt": 3, "de": 3}, "pool_sizes": {"pt-BR": 3, "de": 3}})
    assert caveat.sentence.startswith("queries are in 'pt' and passages in 'pt-BR'")
    assert found(tags, {"name": "t", "n_queries": {"en": 1, "en-GB": 1}, "pool_sizes": {"en": 1, "en-GB": 1}}) == []


def test_runs_of_earlier_versions_have_none():
    for rule in (trivial, parallel, tags):
        assert found(rule, {"name": "t"}) == []


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        ({"self": {"n_relevant": "6"}}, r"tasks\[0\].self.n_relevant is .*: expected a count"),
        ({"self": {"left_out": 1}}, r"tasks\[0\].self.left_out is .*: expected true or false"),
        ({"parallel": [1]}, r"tasks\[0\].parallel is .*: expected a table of named values"),
        ({"parallel": {"by": 3}}, r"tasks\[0\].parallel.by is .*: expected a string"),
    ],
)
def test_damaged_facts_of_a_task_are_named(tmp_path, broken, message):
    task = {"name": "t", "n_queries": {"en": 1}, "pool_sizes": {"en": 1}}
    with pytest.raises(RunError, match=message):
        check_metadata(tmp_path / "run.parquet", {"tasks": [task | broken]})
    whole = {"parallel": {"by": None, "n_ids": 1, "n_shared": 0, "counters": False}, "self": {"left_out": True}}
    check_metadata(tmp_path / "run.parquet", {"tasks": [task | whole]})
