"""Line-aligned files: line n is the same sentence in every file of a corpus."""

import polars as pl
import pytest

from xlbias.data.catalog import load_task
from xlbias.errors import TaskError

ELEVEN = ["ar", "de", "el", "en", "es", "hi", "ru", "th", "tr", "vi", "zh"]


def test_ntrex_sentences_and_their_translations(shared_data, corpora):
    task = corpora("bitext:{}/ntrex128")
    assert (task.name, task.source, task.licence) == (
        "ntrex128",
        "MicrosoftTranslator/NTREX",
        "CC BY-SA 4.0 (LICENSE.md)",
    )
    assert task.languages == ELEVEN
    assert task.queries.height == 11 * 1_997
    assert task.n_pairs == 1_997 * 11 * 11
    assert task.passages["document"].n_unique() == 123

    files = {
        language: (shared_data / "ntrex128" / name).read_text(encoding="utf-8").split("\n")
        for language, name in (("de", "newstest2019-ref.deu.txt"), ("zh", "newstest2019-ref.zho-CN.txt"))
    }
    pairs = task.queries.filter(language="de").join(task.qrels, on="query_id")
    pairs = pairs.join(task.passages.filter(language="zh"), on="passage_id", maintain_order="left")
    assert pairs.select("text", "text_right").rows() == list(zip(files["de"][:-1], files["zh"][:-1], strict=True))


def test_ntrex_headlines_and_the_sentences_of_their_articles(shared_data, corpora):
    folder = shared_data / "ntrex128"
    task = corpora("bitext:{}/ntrex128[pairs=headline]")
    assert task.name == "ntrex128[pairs=headline]"
    documents = (folder / "DOCUMENT_IDS.tsv").read_text().split()
    english = (folder / "newstest2019-src.eng.txt").read_text(encoding="utf-8").split("\n")[:-1]
    expected = {
        (document, english[documents.index(document)], text)
        for number, (document, text) in enumerate(zip(documents, english, strict=True))
        if number != documents.index(document)
    }
    queries, passages = task.queries.filter(language="en"), task.passages.filter(language="en")
    pairs = queries.join(task.qrels, on="query_id").join(passages, on="passage_id")
    assert set(pairs.select("query_id", "text", "text_right").iter_rows()) == expected
    assert passages.height == 1_997 - 123
    languages = task.passages.group_by("parallel_id").agg(pl.col("language").sort())["language"]
    assert languages.to_list() == [ELEVEN] * (1_997 - 123)


def test_tatoeba_is_ten_corpora_with_english_in_each(corpora):
    task = corpora("bitext:{}/tatoeba")
    assert task.languages == ELEVEN
    assert task.queries["query_id"].n_unique() == 9_548
    assert task.pool_sizes["th"] == 548
    assert task.pool_sizes["en"] == 9_289  # distinct sentences; one that stands in two pairs is one passage
    assert task.n_pairs == 9_548 * 4
    assert task.queries["query_id"].min() == "tatoeba.ara-eng/0001"


def test_moses_files_where_a_line_may_be_missing_in_a_language(folder):
    path = folder({"c.en": "One\n\nThree\n", "c.de": "Eins\r\nZwei\r\n \r\n", "c.th": "หนึ่ง\nสอง\nสาม"})
    task = load_task(f"bitext:{path}")
    assert task.queries.filter(language="en")["query_id"].to_list() == ["c/1", "c/3"]
    assert task.passages.filter(language="de").select("passage_id", "text").rows() == [
        ("de/c/1", "Eins"),
        ("de/c/2", "Zwei"),
    ]
    assert sorted(task.qrels.filter(query_id="c/2")["passage_id"]) == ["de/c/2", "th/c/2"]


def test_separators_of_other_systems_do_not_shift_the_lines(folder):
    path = folder({"c.en": "One\u2028one\nTwo\x0ctwo\x85\n", "c.de": "Eins\nZwei\n"})
    assert load_task(f"bitext:{path}").passages.filter(language="en")["text"].to_list() == [
        "One\u2028one",
        "Two\x0ctwo\x85",
    ]


def test_a_sentence_that_stands_twice_is_one_passage_for_both_lines(folder):
    path = folder({"en.txt": "Yes.\nYes.\n", "de.txt": "Ja.\nDoch.\n"})
    task = load_task(f"bitext:{path}")
    assert task.pool_sizes == {"de": 2, "en": 1}
    assert sorted(task.qrels.select("query_id", "passage_id").rows()) == [
        ("1", "de/1"),
        ("1", "en/1"),
        ("2", "de/2"),
        ("2", "en/1"),
    ]


def test_a_headline_missing_in_a_language_is_no_query_there(folder):
    files = {"n.en": "Head\nOne\nOther\nTwo\n", "n.de": "\nEins\nAnderes\nZwei\n", "ids.txt": "a\na\nb\nb\n"}
    task = load_task(f"bitext:{folder(files)}[pairs=headline;documents=ids.txt]")
    assert task.name == "corpus[pairs=headline;documents=ids.txt]"
    assert sorted(task.queries.rows()) == [("a", "en", "Head"), ("b", "de", "Anderes"), ("b", "en", "Other")]
    assert sorted(task.passages.rows()) == [
        ("de/n/2", "de", "Eins", "a", "n/2"),
        ("de/n/4", "de", "Zwei", "b", "n/4"),
        ("en/n/2", "en", "One", "a", "n/2"),
        ("en/n/4", "en", "Two", "b", "n/4"),
    ]


def test_other_files_in_the_folder_are_let_be(folder):
    files = {
        "c.en": "One\n",
        "c.de": "Eins\n",
        "SOURCE.md": "x",
        "LICENSE": "Free as in air\nx",
        "get.sh": "x\nx",
        "a.tsv": "",
    }
    task = load_task(f"bitext:{folder(files)}")
    assert task.languages == ["de", "en"]
    assert task.licence == "Free as in air"


@pytest.mark.parametrize(
    ("files", "options", "message"),
    [
        ({"c.en": "1\n2\n", "c.de": "1\n"}, "", "corpus/c.en: 2 lines, but c.de has 1; line-aligned files must have"),
        (
            {"c.en": "1\n", "d.de": "1\n"},
            "",
            "corpus: no line-aligned files in this folder; expected names that end in",
        ),
        ({"c.en": "1\n", "c.eng.txt": "1\n"}, "", "c.eng.txt: a second file in language 'en', beside c.en"),
        ({"c.en": "\n", "c.de": " \n"}, "", "corpus: the task is empty: it has no query"),
        ({"c.en": b"1\nK\xfcche\n", "c.de": "1\n2\n"}, "", "c.en, line 2: not valid UTF-8 (byte 0xfc)"),
        (
            {"c.en": "1\n", "c.de": "1\n"},
            "[pairs=headline]",
            "corpus: pairs=headline needs to know the document of each",
        ),
        ({"c.en": "1\n", "c.de": "1\n"}, "[documents=d]", "corpus/d: there is no such file (option 'documents')"),
        (
            {"c.en": "1\n2\n", "c.de": "1\n2\n", "DOCUMENT_IDS.tsv": "a\n"},
            "",
            "DOCUMENT_IDS.tsv: 1 lines, but c.de has 2; expected the document id of every line",
        ),
        (
            {"c.en": "1\n2\n", "c.de": "1\n2\n", "DOCUMENT_IDS.tsv": "a\n\t\n"},
            "",
            "DOCUMENT_IDS.tsv, line 2: no document id",
        ),
        (
            {"c.en": "1\n", "c.de": "1\n", "d.en": "1\n", "d.de": "1\n", "DOCUMENT_IDS.tsv": "a\n"},
            "",
            "DOCUMENT_IDS.tsv: names the documents of one corpus, but the folder holds 2: c, d",
        ),
    ],
)
def test_a_folder_that_cannot_be_read_is_one_sentence(folder, files, options, message):
    with pytest.raises(TaskError) as caught:
        load_task(f"bitext:{folder(files)}{options}")
    assert message in str(caught.value)
