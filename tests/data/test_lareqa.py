"""LAReQA's tasks come out with the published counts, and relevance as measures.md defines it."""

import json

import pytest

from xlbias.data.catalog import load_task
from xlbias.errors import TaskError

PUBLISHED = {
    "ar": 1222, "de": 1276, "el": 1234, "en": 1180, "es": 1215, "hi": 1244,
    "ru": 1219, "th": 852, "tr": 1167, "vi": 1209, "zh": 1196,
}  # fmt: skip


@pytest.fixture
def xquad_r(corpora):
    return corpora("lareqa:{}/xquad-r")


def test_the_published_counts(xquad_r):
    assert xquad_r.pool_sizes == PUBLISHED
    assert xquad_r.passages.height == 13_014
    assert dict(xquad_r.queries.group_by("language").len().iter_rows()) == dict.fromkeys(PUBLISHED, 1190)
    per_query = xquad_r.queries.join(xquad_r.qrels, on="query_id").group_by("query_id", "language").len()["len"]
    assert per_query.unique().to_list() == [11]
    assert xquad_r.n_pairs == 143_990


def test_every_text_and_every_relevant_sentence_against_a_plain_reading_of_the_files(xquad_r, shared_data):
    candidates, relevant, run_over = [], set(), 0
    for language in sorted(PUBLISHED):
        data = json.loads((shared_data / "xquad-r" / f"{language}.json").read_text(encoding="utf-8"))
        for paragraph in [p for article in data["data"] for p in article["paragraphs"]]:
            here = len(candidates)
            candidates += [(language, paragraph["context"][s:e]) for s, e in paragraph["sentence_breaks"]]
            for question in paragraph["qas"]:
                answer = question["answers"][0]
                start = answer["answer_start"]
                holds = [i for i, (s, e) in enumerate(paragraph["sentence_breaks"]) if s <= start < e]
                assert len(holds) == 1
                run_over += start + len(answer["text"]) > paragraph["sentence_breaks"][holds[0]][1]
                relevant.add((question["id"], here + holds[0]))
    assert run_over == 112
    assert xquad_r.passages.select("language", "text").rows() == candidates
    position = {passage_id: n for n, passage_id in enumerate(xquad_r.passages["passage_id"])}
    assert {(q, position[p]) for q, p, _ in xquad_r.qrels.iter_rows()} == relevant


def test_ids_are_unique_stable_and_sort_as_the_file_runs(xquad_r):
    ids = xquad_r.passages["passage_id"]
    assert ids[0] == "ar-0001-01"
    assert ids.n_unique() == 13_014
    assert ids.to_list() == sorted(ids.to_list())


def test_an_article_is_one_document_in_all_languages(xquad_r):
    languages = xquad_r.passages.select("document", "language").unique().group_by("document").len()["len"]
    assert languages.to_list() == [11] * 48
    assert "001 Super_Bowl_50" in xquad_r.passages["document"]


def test_the_encoder_can_be_given_the_sentence_with_its_context(xquad_r, shared_data):
    task = load_task(f"lareqa:{shared_data / 'xquad-r'}[passage_text=sentence+context]")
    assert task.name == "xquad-r[passage_text=sentence+context]"
    assert task.passages["passage_id"].equals(xquad_r.passages["passage_id"])
    sentence = xquad_r.passages["text"][0]
    assert task.passages["text"][0].startswith(f"{sentence}\n{sentence}")


def lareqa_file(**paragraph):
    return {
        "data": [
            {
                "title": "T",
                "paragraphs": [
                    {
                        "context": "One. Two.",
                        "sentence_breaks": [[0, 4], [5, 9]],
                        "qas": [{"id": "q1", "question": "Which?", "answers": [{"answer_start": 5, "text": "Two"}]}],
                        **paragraph,
                    }
                ],
            }
        ]
    }


def test_what_the_answer_starts_in_is_half_open(folder):
    task = load_task(f"lareqa:{folder({'en.json': lareqa_file()})}")
    assert task.qrels["passage_id"].to_list() == ["en-0001-02"]


@pytest.mark.parametrize(
    ("paragraph", "message"),
    [
        ({"sentence_breaks": None}, "paragraph 1: field 'sentence_breaks' must be a list of [start, end], not null"),
        ({"sentence_breaks": [[0, 4], [5, "9"]]}, "'sentence_breaks': sentence 2 must be [start, end], two whole"),
        ({"sentence_breaks": [[0, 4], [3, 9]]}, "sentence 2 is [3, 9], which is empty, overlaps the one before"),
        ({"sentence_breaks": [[0, 4], [5, 10]]}, "sentence 2 is [5, 10], which is empty, overlaps the one before"),
        ({"sentence_breaks": [[0, 4], [6, 9]]}, "question 'q1': 'answer_start' 5 is in none of the paragraph's"),
        ({"qas": [{"id": "q1", "question": "?"}]}, "paragraph 1, question 'q1': field 'answers' must"),
        ({"qas": [{"id": "q1", "answers": []}]}, "paragraph 1, question 'q1': no field 'question'"),
        ({"qas": [{"question": "?"}]}, "paragraph 1: a question without the field 'id'"),
        ({"qas": None}, "paragraph 1: no field 'qas'"),
        ({"context": 7}, "paragraph 1: field 'context' must be a string, not a number"),
        ({"context": None}, "paragraph 1: no field 'context'"),
    ],
)
def test_a_broken_structure_is_named_with_file_paragraph_and_field(folder, paragraph, message):
    path = folder({"en.json": lareqa_file(**paragraph)})
    with pytest.raises(TaskError) as caught:
        load_task(f"lareqa:{path}")
    assert str(caught.value).startswith(f"{path / 'en.json'}, paragraph 1")
    assert message in str(caught.value)
