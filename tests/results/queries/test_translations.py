"""Translations of passages: what parallel answers tell, and what they do not."""

import polars as pl
import pytest
from results import searched
from results.searched import LANGUAGES, TASK, Searched

from xlbias.results.queries.translations import answers, first_choice, translations
from xlbias.results.run import open_run


def without_parallel_ids(frame):
    """As in LAReQA, where only questions tell what is parallel."""
    element = pl.element().struct.with_fields(pl.lit(None, dtype=pl.String).alias("parallel_id"))
    return frame.with_columns(pl.col("relevants").list.eval(element))


def without_union(frame):
    """As of a system that was run on pools of one language."""
    return frame.filter(pl.col("pool") != "multilingual")


def run_of(folder, change=lambda frame: frame, **more):
    made = Searched(folder / "run.parquet", models=("new",), **more)
    for language in LANGUAGES:
        made.write("new", language, change)
    return open_run(made.journal.finish())


def by_hand(language, *, parallel_ids):
    """Passage id → ids of its translations, from the definition of the search itself."""
    found = {}
    for name, own in searched.passages().items():
        if own == language:
            continue
        others = set()
        for query_id in searched.IDS:
            relevant = searched.answers(query_id)
            there = {other for other in relevant if searched.passages()[other] == language}
            several = query_id == "q0"  # two answers in Hindi: which one is the translation is not known
            if name in relevant and (parallel_ids or not several):
                others |= there
        found[name] = tuple(sorted(others))
    return found


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("parallel_ids", [True, False])
@pytest.mark.parametrize("union", [True, False])
def test_translations_are_those_of_the_search(tmp_path, language, parallel_ids, union):
    def change(frame):
        frame = frame if parallel_ids else without_parallel_ids(frame)
        return frame if union else without_union(frame)

    run = run_of(tmp_path, change)
    pairs = answers(run, "new", TASK)
    assert set(pairs.select("query_id", "passage_id").iter_rows()) == {
        (query_id, name) for query_id in searched.IDS for name in searched.answers(query_id)
    }
    found = translations(run, TASK, pairs, searched.passages(), language)
    assert {name: one.passage_ids for name, one in found.items()} == by_hand(language, parallel_ids=parallel_ids)
    for name, one in found.items():
        texts = [searched.passage_text(other) for other in one.passage_ids]
        assert one.text == (" ".join(texts) or None)
        assert one.answers == any(name in searched.answers(query_id) for query_id in searched.IDS)


def test_texts_that_the_run_does_not_hold_are_no_translations(tmp_path):
    run = run_of(tmp_path, texts=False)
    found = translations(run, TASK, answers(run, "new", TASK), {"ar-q1": "ar"}, "hi")
    assert found["ar-q1"].passage_ids == ("hi-q1",)
    assert found["ar-q1"].text is None


def test_one_passage_may_be_several_in_another_language(tmp_path):
    run = run_of(tmp_path)
    pairs = pl.DataFrame(
        [("q1", "ar-q1", "ar"), ("q1", "hi-q1", "hi"), ("q2", "ar-q1", "ar"), ("q2", "hi-q2", "hi")],
        schema=["query_id", "passage_id", "language"], orient="row",
    ).with_columns(parallel_id=pl.lit(None, dtype=pl.String))  # fmt: skip
    found = translations(run, TASK, pairs, {"ar-q1": "ar", "ar-x": "ar"}, "hi")
    assert found["ar-q1"].passage_ids == ("hi-q1", "hi-q2")
    assert found["ar-q1"].text == f"{searched.passage_text('hi-q1')} {searched.passage_text('hi-q2')}"
    assert not found["ar-x"].answers


def test_english_is_offered_first_where_it_exists():
    assert first_choice(["ar", "en-GB", "zh"]) == "en-GB"
    assert first_choice(["enm", "zh"]) == "enm"  # Middle English is another language, and stands first
    assert first_choice(["zh", "enm"]) == "zh"
    assert first_choice([]) == ""
