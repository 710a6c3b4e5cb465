"""SIB-200: FLORES sentences with a topic, a folder per language."""

import csv
import re

import polars as pl
import pytest

from xlbias.data.catalog import load_task
from xlbias.data.split import split_task
from xlbias.errors import TaskError

ELEVEN = ["ar", "de", "el", "en", "es", "hi", "ru", "th", "tr", "vi", "zh"]
TOPICS = {
    "entertainment": 93,
    "geography": 83,
    "health": 110,
    "politics": 146,
    "science/technology": 252,
    "sports": 122,
    "travel": 198,
}
HEADER = "index_id\tcategory\ttext\n"


@pytest.fixture
def languages(tmp_path):
    """Write {language/part: rows below the header, or bytes} and return the folder."""

    def write(files, header=HEADER):
        path = tmp_path / "corpus"
        for name, content in files.items():
            file = path / f"{name}.tsv"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content if isinstance(content, bytes) else (header + content).encode())
        return path

    return write


def written_by_pandas(folder):
    """Yield (index_id, category, text) as Python's own CSV reader finds them."""
    for part in ("train", "dev", "test"):
        with (folder / f"{part}.tsv").open(encoding="utf-8", newline="") as file:
            header, *rows = csv.reader(file, delimiter="\t")
        assert header == ["index_id", "category", "text"]
        yield from map(tuple, rows)


def test_every_sentence_in_eleven_languages_and_its_topic(shared_data, corpora):
    task = corpora("sib200:{}/sib200")
    assert (task.name, task.domain, task.source) == ("sib200", "mixed", "dadelani/sib-200")
    assert task.licence.startswith("FLORES-200 text CC BY-SA 4.0")
    assert task.languages == ELEVEN
    assert task.queries["query_id"].n_unique() == 1_004
    assert task.queries.height == task.passages.height == 11 * 1_004
    assert task.pool_sizes == dict.fromkeys(ELEVEN, 1_004)
    assert task.n_pairs == 1_004 * 11 * 11
    english = task.passages.filter(language="en")
    assert dict(english.group_by("document").len().iter_rows()) == TOPICS

    chinese = task.queries.filter(language="zh").join(task.qrels, on="query_id")
    chinese = chinese.join(task.passages.filter(language="zh"), on="passage_id")
    assert chinese["text"].to_list() == chinese["text_right"].to_list()
    assert set(chinese.select("query_id", "document", "text").iter_rows()) == set(
        written_by_pandas(shared_data / "sib200" / "zho_Hans")
    )


@pytest.mark.parametrize(("part", "n"), [("train", 701), ("dev", 99), ("test", 204)])
def test_one_part_of_the_real_data(corpora, part, n):
    task = corpora(f"sib200:{{}}/sib200[part={part}]")
    assert task.name == f"sib200[part={part}]"
    assert task.pool_sizes == dict.fromkeys(ELEVEN, n)


def test_by_document_splits_by_topic(corpora):
    sides = [split_task(corpora("sib200:{}/sib200"), part, by="document") for part in ("train", "test")]
    train, test = (set(side.passages["document"]) for side in sides)
    assert train | test == set(TOPICS)
    assert not train & test


def test_the_quotes_that_pandas_added_are_no_part_of_the_text(shared_data, corpora):
    read, folders = corpora("sib200:{}/sib200").queries, {}
    for folder in (shared_data / "sib200").glob("???_????"):
        rows = list(written_by_pandas(folder))
        language = read.filter(query_id=rows[0][0], text=rows[0][2])["language"].item()
        assert dict(read.filter(language=language).select("query_id", "text").iter_rows()) == {
            index_id: text for index_id, _, text in rows
        }
        folders[language] = folder.name
    assert sorted(folders) == ELEVEN


def test_taken_literally_the_quotes_fall_on_some_languages_more_than_on_others(corpora):
    read = corpora("sib200:{}/sib200").passages
    literal = corpora("sib200:{}/sib200[quotes=character]").passages
    both = read.join(literal, on="passage_id", suffix="_literal", validate="1:1")
    assert both.height == 11 * 1_004
    other = both.filter(pl.col("text") != pl.col("text_literal"))
    assert dict(other.group_by("language").len().iter_rows()) == {
        "ar": 108, "de": 25, "en": 53, "ru": 98, "th": 53, "tr": 50, "vi": 29, "zh": 1,
    }  # fmt: skip
    assert other["text_literal"].equals(
        other.select(pl.lit('"') + pl.col("text").str.replace_all('"', '""') + '"').to_series()
    )
    assert other["text"].str.contains('"', literal=True).all()


def test_quotes_in_a_text_that_does_not_begin_with_one_are_left(languages):
    rows = '1\tsports\tThe "goal"\n2\tsports\t"""Goal"" and ""goal"""\n3\tsports\t"Goal"\n'
    path = languages({"en/dev": rows})
    assert load_task(f"sib200:{path}").queries["text"].to_list() == ['The "goal"', '"Goal" and "goal"', "Goal"]
    literal = ['The "goal"', '"""Goal"" and ""goal"""', '"Goal"']
    assert load_task(f"sib200:{path}[quotes=character]").queries["text"].to_list() == literal


def test_partly_parallel_with_parts_that_only_some_languages_have(languages):
    files = {
        "eng_Latn/train": "7\tsports\tGoal\n",
        "eng_Latn/test": '12\ttravel\tA "map"\n\n',
        "zho_Hans/test": "12\ttravel\t地图\r\n",
        "zho_Hant/test": "7\tsports\t進球\n",
    }
    path = languages(files)
    (path / ".git").mkdir()
    (path / "doc").mkdir()
    (path / "SOURCE.md").write_text("domain: encyclopedia\n", encoding="utf-8")
    task = load_task(f"sib200:{path}")
    assert task.domain == "encyclopedia"
    assert sorted(task.queries.rows()) == [
        ("12", "en", 'A "map"'),
        ("12", "zh-Hans", "地图"),
        ("7", "en", "Goal"),
        ("7", "zh-Hant", "進球"),
    ]
    assert sorted(task.passages.select("passage_id", "document").rows()) == [
        ("en/12", "travel"),
        ("en/7", "sports"),
        ("zh-Hans/12", "travel"),
        ("zh-Hant/7", "sports"),
    ]
    assert sorted(task.qrels.select("query_id", "passage_id").rows()) == [
        ("12", "en/12"),
        ("12", "zh-Hans/12"),
        ("7", "en/7"),
        ("7", "zh-Hant/7"),
    ]


def test_equal_sentences_are_one_passage_of_all_their_topics(languages):
    rows = "1\tsports\tYes.\n2\tsports\tYes.\n3\ttravel\tYes.\n"
    task = load_task(f"sib200:{languages({'en/dev': rows})}[part=dev]")
    assert sorted(task.qrels.select("query_id", "passage_id").rows()) == [("1", "en/1"), ("2", "en/1"), ("3", "en/1")]
    assert task.passages["document"].to_list() == ["sports"]
    assert task.more_documents.rows() == [("en/1", "travel")]


def test_a_language_and_its_macro_language_stay_apart(languages):
    """SIB-200 as published has both Akan and Twi, which is one of Akan's languages."""
    rows = {
        f"{code}/dev": f"1\tsports\tSentence in {code}.\n" for code in ("aka_Latn", "twi_Latn", "arb_Arab", "eng_Latn")
    }
    path = languages(rows)
    task = load_task(f"sib200:{path}")
    assert task.languages == ["ak", "ar", "en", "tw"]
    for part in ("[languages=tw]", "[languages=twi]"):
        assert load_task(f"sib200:{path}{part}").passages["text"].to_list() == ["Sentence in twi_Latn."]


def test_columns_in_another_order_and_more_of_them(languages):
    path = languages({"deu_Latn/dev": "Tor\t7\t\tsports\n"}, header="\ufefftext\tindex_id\tnote\tcategory\n")
    task = load_task(f"sib200:{path}")
    assert task.passages.select("passage_id", "text", "document").rows() == [("de/7", "Tor", "sports")]


GOOD = {"eng_Latn/train": "1\tsports\tGoal\n"}


@pytest.mark.parametrize(
    ("files", "options", "message"),
    [
        ({"eng_Latn/dev": b""}, "", "eng_Latn/dev.tsv: the file is empty; its first line must name the columns: expec"),
        ({"eng_Latn/dev": ""}, "", "eng_Latn/dev.tsv: the file holds no sentences"),
        (
            {"eng_Latn/dev": b"index_id,category,text\n"},
            "",
            "dev.tsv, line 1: no column 'index_id'; expected index_id, category, text, separated by tabs",
        ),
        ({"eng_Latn/dev": b"index_id\ttext\n1\tGoal\n"}, "", "dev.tsv, line 1: no column 'category'; expected index_"),
        ({"eng_Latn/dev": b"1\tsports\tGoal\n"}, "", "dev.tsv, line 1: no column 'index_id'; expected index_id, cat"),
        (
            {"eng_Latn/dev": b"index_id\tcategory\ttext\ttext\n"},
            "",
            "dev.tsv, line 1: the column 'text' is there twice; expected",
        ),
        ({"eng_Latn/dev": "1\tsports\n"}, "", "dev.tsv, line 2: 2 columns, but the first line names 3"),
        ({"eng_Latn/dev": "1\tsports\ta\tb\n"}, "", "dev.tsv, line 2: 4 columns, but the first line names 3"),
        ({"eng_Latn/dev": "1\tsports\t \n"}, "", "dev.tsv, line 2: column 'text' is empty"),
        ({"eng_Latn/dev": "1\t\tGoal\n"}, "", "dev.tsv, line 2: column 'category' is empty"),
        ({"eng_Latn/dev": "\tsports\tGoal\n"}, "", "dev.tsv, line 2: column 'index_id' is empty"),
        ({"eng_Latn/dev": b"index_id\tcategory\ttext\n1\tsports\tK\xfc\n"}, "", "dev.tsv, line 2: not valid UTF-8 (b"),
        (
            {**GOOD, "eng_Latn/test": "1\tsports\tAgain\n"},
            "",
            r"test.tsv, line 2: index_id '1' is there twice in language 'en', first at .*eng_Latn/train.tsv, line 2",
        ),
        (
            {**GOOD, "tha_Thai/dev": "2\ttravel\tกข\n1\ttravel\tกข\n"},
            "",
            r"tha_Thai/dev.tsv, line 3: category 'travel', but 'sports' for the same index_id '1' at .*train.tsv, line",
        ),
        (
            {**GOOD, "elvish/dev": ""},
            "",
            "corpus/elvish: cannot tell the language; expected a folder name such as eng_",
        ),
        ({**GOOD, "xqx_Qxqx/notes": ""}, "", "corpus/xqx_Qxqx: cannot tell the language"),
        ({**GOOD, "tha_Thai/notes": ""}, "", "tha_Thai: no file train.tsv or dev.tsv or test.tsv in this folder"),
        (GOOD, "[part=test]", "eng_Latn: no file test.tsv in this folder"),
        (GOOD, "[part=valid]", "option part='valid' of sib200: expected all or train or dev or test"),
        ({**GOOD, "en_Latn/dev": "2\tsports\tx\n"}, "", "eng_Latn: a second folder in language 'en', beside en_Latn"),
        (
            {"notes/notes": ""},
            "",
            "corpus: no language in this folder; expected folders such as eng_Latn with train.ts",
        ),
        (
            {"eng_Latn/dev": '1\tsports\t"A" goal\n'},
            "",
            "dev.tsv, line 2: column 'text' begins with a quote but is not quoted as in CSV; choose quotes=character",
        ),
        ({"eng_Latn/dev": '1\tsports\t""\n'}, "", "dev.tsv, line 2: column 'text' is empty"),
    ],
)
def test_a_folder_that_cannot_be_read_is_one_sentence(languages, files, options, message):
    with pytest.raises(TaskError) as caught:
        load_task(f"sib200:{languages(files)}{options}")
    assert re.search(message if ".*" in message else re.escape(message), str(caught.value)), caught.value
