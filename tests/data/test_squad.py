"""SQuAD-style files: a paragraph is relevant to the questions asked about it, in every language."""

import bz2
import gzip
import json
import lzma

import pytest

from xlbias.data.catalog import load_task
from xlbias.errors import TaskError


def squad_file(*articles):
    """Each article is a list of (context, {question id: question})."""
    return {
        "version": "1.1",
        "data": [
            {
                "title": f"T{number}",
                "paragraphs": [
                    {"context": context, "qas": [{"id": key, "question": text} for key, text in asked.items()]}
                    for context, asked in paragraphs
                ],
            }
            for number, paragraphs in enumerate(articles)
        ],
    }


def test_question_to_paragraph_on_xquad(corpora):
    task = corpora("squad:{}/xquad-r")
    assert task.pool_sizes == dict.fromkeys(("ar", "de", "el", "en", "es", "hi", "ru", "th", "tr", "vi", "zh"), 240)
    assert task.n_pairs == 143_990
    assert task.passages["document"].n_unique() == 48
    english = task.passages.filter(task.passages["passage_id"] == "en-0001")["text"][0]
    assert english.startswith("The Panthers defense gave up just 308 points")


def test_articles_that_share_a_question_are_one_document_whatever_their_place_and_title(folder):
    english = squad_file([("Cats.", {"c": "Cats?"})], [("Dogs.", {"d": "Dogs?"})], [("No one asks.", {})])
    german = squad_file([("Hunde.", {"d": "Hunde?"})], [("Katzen.", {"c": "Katzen?"})])
    task = load_task(f"squad:{folder({'x.en.json': english, 'x.de.json': german})}")
    by_text = dict(task.passages.select("text", "document").iter_rows())
    assert by_text["Cats."] == by_text["Katzen."]
    assert by_text["Dogs."] == by_text["Hunde."]
    assert len(set(by_text.values())) == 3
    assert sorted(task.qrels.rows())[0] == ("c", "de-0002", 1)


def repeated(*articles):
    """The same, with a paragraph for every question, as annotation tools and converters write it."""
    file = squad_file(*articles)
    for article in file["data"]:
        article["paragraphs"] = [
            {"context": paragraph["context"], "qas": [question]}
            for paragraph in article["paragraphs"]
            for question in paragraph["qas"]
        ]
    return file


def test_a_context_that_is_repeated_for_every_question_is_one_passage(folder):
    english = [("Cats purr.", {"a": "Who?", "b": "What?"}), ("Dogs bark.", {"c": "Who?", "d": "What?"})]
    german = [("Katzen schnurren.", {"a": "Wer?", "b": "Was?"}), ("Hunde bellen.", {"c": "Wer?", "d": "Was?"})]

    def relevant(make):
        task = load_task(f"squad:{folder({'en.json': make(english), 'de.json': make(german)})}")
        texts = task.qrels.join(task.passages, on="passage_id").select("query_id", "text")
        return task.pool_sizes, sorted(texts.rows()), task.notes.n_copies

    pools, pairs, _ = relevant(squad_file)
    assert pools == {"de": 2, "en": 2}
    assert relevant(repeated) == (pools, pairs, 4)


def test_a_context_that_stands_in_two_articles_is_one_passage_of_both(folder):
    path = folder({"en.json": squad_file([("Cats.", {"a": "Cats?"})], [("Cats.\r\n", {"b": "Who?"})])})
    task = load_task(f"squad:{path}")
    assert task.passages.select("passage_id", "text", "document").rows() == [("en-0001", "Cats.", "001 T0")]
    assert task.more_documents.rows() == [("en-0001", "002 T1")]
    assert (task.notes.n_copies, task.notes.n_copies_elsewhere) == (1, 1)


@pytest.mark.parametrize(
    "said",
    [
        {"is_impossible": True},
        {"is_impossible": "True"},
        {"is_impossible": 1},
        {"answers": []},
        {"answers": {"text": [], "answer_start": []}},  # as data-set hubs write it
        {"answers": [{"text": "", "answer_start": 0}]},
        {"answers": [{"text": " "}, {"text": ""}]},
        {"answers": [{"text": "Cats", "answer_start": -1}]},
        {"answers": {"text": [""], "answer_start": [-1]}},
        {"answers": [{"text": "CANNOTANSWER", "answer_start": 6}]},  # QuAC
        {"answers": [], "plausible_answers": [{"text": "Cats", "answer_start": 0}], "is_impossible": True},
    ],
)
def test_questions_without_an_answer_are_left_out_however_they_say_so(folder, said):
    file = squad_file([("Cats.", {"c": "Cats?", "x": "Dogs?"})])
    file["data"][0]["paragraphs"][0]["qas"][1] |= said
    task = load_task(f"squad:{folder({'en.json': file})}")
    assert task.queries["query_id"].to_list() == ["c"]
    assert task.notes.n_unanswerable == 1
    file["data"][0]["paragraphs"][0]["qas"][0] |= said
    with pytest.raises(TaskError, match="corpus: none of the 2 questions has an answer"):
        load_task(f"squad:{folder({'en.json': file})}")


@pytest.mark.parametrize(
    "said",
    [
        {},
        {"is_impossible": False},
        {"answers": None},
        {"answers": [{"text": "Cats", "answer_start": 0}]},
        {"answers": [{"text": ""}, {"text": "Cats"}]},
        {"answers": {"text": ["Cats"], "answer_start": [0]}},
        {"answers": ["Cats"]},
        {"answers": [{"answer_start": 0}]},
    ],
)
def test_questions_with_an_answer_or_no_word_about_it_stay(folder, said):
    file = squad_file([("Cats.", {"c": "Cats?"})])
    file["data"][0]["paragraphs"][0]["qas"][0] |= said
    task = load_task(f"squad:{folder({'en.json': file})}")
    assert (task.queries.height, task.notes.n_unanswerable) == (1, 0)


def test_a_whole_number_is_an_id(folder):
    english, german = squad_file([("Cats.", {7: "Cats?"})]), squad_file([("Katzen.", {"7": "Katzen?"})])
    task = load_task(f"squad:{folder({'en.json': english, 'de.json': german})}")
    assert task.qrels["query_id"].to_list() == ["7", "7"]


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, lzma.compress])
def test_files_may_be_compressed(folder, pack):
    content = pack(json.dumps(squad_file([("Cats.", {"c": "Cats?"})])).encode())
    for name in ("x.en.json", "x.en.json.gz" if pack is gzip.compress else "x.en.json"):
        path = folder({name: content})
        assert load_task(f"squad:{path}").languages == ["en"]
        (path / name).unlink()


def test_a_question_that_is_there_twice_is_named_with_both_places(folder):
    path = folder({"en.json": squad_file([("Cats.", {"c": "Cats?"}), ("Dogs.", {"c": "Dogs?"})])})
    with pytest.raises(TaskError) as caught:
        load_task(f"squad:{path}")
    assert str(caught.value) == (
        f"{path}/en.json, paragraph 2, question 'c': the query with query_id 'c', language 'en' is there twice "
        f"(same query_id and language), first at {path}/en.json, paragraph 1, question 'c'"
    )


def test_a_question_without_text_is_named(folder):
    path = folder({"en.json": squad_file([("Cats.", {"c": " "})])})
    with pytest.raises(TaskError, match=r"en.json, paragraph 1, question 'c': the query .* has no text$"):
        load_task(f"squad:{path}")


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({}, "corpus: no file LANGUAGE.json in this folder"),
        ({"train.json": "{}"}, "train.json: cannot tell the language; expected a name such as de.json"),
        ({"de.json": "{}", "old.json": "{}"}, "old.json: cannot tell the language; expected a name such as de.json"),
        ({"x.de.bak.json": "{}"}, "x.de.bak.json: cannot tell the language; expected a name such as de.json"),
        ({"a.en.json": "{}", "b.en.json": "{}"}, "b.en.json: a second file in language 'en', beside a.en.json"),
        ({"en.json": "[]"}, "en.json: expected an object with the field 'data', not a list"),
        ({"en.json": "{}"}, "en.json: no field 'data'"),
        ({"en.json": '{"data": [1]}'}, "en.json: field 'data' must hold objects, not a number"),
        ({"en.json": '{"data": [{}]}'}, "en.json, article 1: no field 'paragraphs'"),
        ({"en.json": '{"data": [{"paragraphs": {}}]}'}, "article 1: field 'paragraphs' must be a list, not an object"),
        ({"en.json": '{\n"data": [\n}'}, "en.json, line 3: not valid JSON (Expecting value, column 1)"),
        ({"en.json": b'{"data":\n "\xff"}'}, "en.json, line 2: not valid UTF-8 (byte 0xff); convert the file to UTF-8"),
        ({"en.json": "[" * 100_000}, "en.json: JSON that cannot be read (maximum recursion depth"),
    ],
)
def test_a_folder_that_cannot_be_read_is_one_sentence(folder, files, message):
    with pytest.raises(TaskError) as caught:
        load_task(f"squad:{folder(files)}")
    assert message in str(caught.value)
