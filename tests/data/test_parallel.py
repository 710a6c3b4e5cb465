"""The plain parallel format: what shares an id belongs together; equal passages are one."""

import gzip
import json
import unicodedata

import pytest

from xlbias.data.catalog import load_task
from xlbias.data.equal_texts import equal_texts
from xlbias.errors import TaskError


def item(key, language, **fields):
    return {"id": key, "language": language, **fields}


def test_an_id_joins_queries_and_passages_of_all_languages(json_lines):
    path = json_lines(
        item("1", "en", query="One?", passage="One.", domain="numbers", document="n"),
        item("1", "deu", query="Eins?"),
        item("2", "th", passage="สอง", document="n"),
    )
    task = load_task(f"parallel:{path}")
    assert (task.name, task.domain) == ("corpus", "numbers")
    assert task.queries.rows() == [("1", "en", "One?"), ("1", "de", "Eins?")]
    assert task.passages.rows() == [("en/1", "en", "One.", "n", None), ("th/2", "th", "สอง", "n", None)]
    assert task.qrels.rows() == [("1", "en/1", 1)]  # nobody asks for 2: it only competes


def test_equal_passages_of_a_language_are_one_relevant_to_all_their_ids_whatever_their_documents(json_lines):
    yes = [item(key, "en", query=f"Is it {key}?", passage="yes", document=key[0]) for key in ("b2", "b1", "a1")]
    task = load_task(f"parallel:{json_lines(*yes, item('b1', 'de', passage='yes', document='b'))}")
    assert task.passages.select("passage_id", "document").rows() == [("en/a1", "a"), ("de/b1", "b")]
    assert task.more_documents.rows() == [("en/a1", "b")]
    assert sorted(task.qrels.select("query_id", "passage_id").rows()) == [
        ("a1", "en/a1"),
        ("b1", "de/b1"),
        ("b1", "en/a1"),
        ("b2", "en/a1"),
    ]
    assert (task.notes.n_copies, task.notes.n_copies_elsewhere) == (2, 2)


def test_equal_texts_that_stay_apart_are_counted(json_lines):
    """A name is its own translation; "yes" answers another question in German than in English; one answers none."""
    said = [("1", "de", "Ada"), ("1", "en", "Ada"), ("2", "de", "ja"), ("2", "en", "yes"), ("3", "de", "yes")]
    named = [item(key, language, query=f"{language} {key}?", passage=text) for key, language, text in said]
    task = load_task(f"parallel:{json_lines(*named, item('3', 'en', query='en 3?', passage='oui'))}")
    found = equal_texts(task)
    assert (found.n, found.n_relevant, found.n_rivals) == (4, 2, 2)
    unasked = load_task(f"parallel:{json_lines(*named[:3], item('9', 'en', passage='ja'))}")
    assert equal_texts(unasked).n_rivals == 2


def test_texts_that_differ_in_normalisation_or_white_space_only_are_one_passage(json_lines):
    text = "Überraschend schöne Äpfel wachsen in Südtirol"
    copies = [text, unicodedata.normalize("NFD", text), f"{text} ", text.replace(" ", "\u00a0"), f"{text}\r"]
    items = [item(f"{n}", "de", query=f"Frage {n}?", passage=copy) for n, copy in enumerate(copies)]
    decoy = item("9", "de", query="Was?", passage="Anders.", negatives=[f" {copies[1]}"])
    task = load_task(f"parallel:{json_lines(*items, decoy)}")
    assert task.passages.select("passage_id", "text").rows() == [("de/0", text), ("de/9", "Anders.")]
    assert set(task.qrels["passage_id"]) == {"de/0", "de/9"}
    assert task.qrels.height == 6
    assert task.negatives.rows() == [("9", "de/0")]
    with pytest.raises(TaskError, match="line 1: field 'negatives': entry 1 is the item's own passage"):
        load_task(f"parallel:{json_lines(item('1', 'de', query='?', passage=copies[0], negatives=[copies[1]]))}")


def test_a_whole_number_is_an_id(json_lines):
    path = json_lines(item(7, "en", query="?", passage="Seven.", document=3), item("7", "de", passage="Sieben."))
    task = load_task(f"parallel:{path}")
    assert task.qrels.rows() == [("7", "en/7", 1), ("7", "de/7", 1)]
    assert task.passages["document"].to_list() == ["3", None]


def test_negatives_are_passages_of_the_task_and_of_no_use_to_their_query(json_lines):
    path = json_lines(
        item("1", "en", query="One?", passage="One.", document="n", negatives=["Two.", "Ten."]),
        item("1", "de", query="Eins?", negatives=["Zehn."]),
        item("2", "en", query="Two?", passage="Two.", document="m", negatives=["Ten.", "Ten."]),
        item("3", "en", passage="Three.", negatives=["One.", "Six."]),  # no query: nothing can be negative to it
        item("1", "th", negatives=["สิบ"]),  # an id may have negatives alone in a language
    )
    task = load_task(f"parallel:{path}")
    assert task.passages.select("passage_id", "text", "document").rows() == [
        *(("en/1", "One.", "n"), ("en/2", "Two.", "m"), ("en/3", "Three.", None)),
        *(("de/1#1", "Zehn.", None), ("en/1#2", "Ten.", None), ("en/3#2", "Six.", None), ("th/1#1", "สิบ", None)),
    ]
    assert sorted(task.negatives.rows()) == [
        *(("1", "de/1#1"), ("1", "en/1#2"), ("1", "en/2"), ("1", "th/1#1")),
        ("2", "en/1#2"),
    ]
    assert sorted(task.qrels["passage_id"]) == ["en/1", "en/2"]


def test_a_negative_that_stands_in_two_documents_is_the_first_of_them_and_ids_never_clash(json_lines):
    path = json_lines(
        item("b", "en", passage="same", document="2"),
        item("a", "en", passage="same", document="1"),
        item("c#2", "en", passage="other"),
        item("c", "en", query="?", passage="answer", negatives=["same", "new"]),
    )
    task = load_task(f"parallel:{path}")
    assert sorted(task.negatives.rows()) == [("c", "en/a"), ("c", "en/c##2")]
    assert task.passages["passage_id"].is_unique().all()


def test_the_task_does_not_depend_on_the_order_of_lines(json_lines):
    items = [
        item(str(n), language, query=f"{n}?", passage=f"{n % 3}", negatives=[f"{n % 2} {language}", f"{(n + 1) % 3}"])
        for n in range(9)
        for language in ("de", "en")
    ]
    there = load_task(f"parallel:{json_lines(*items, name='a.jsonl')}")
    back = load_task(f"parallel:{json_lines(*reversed(items), name='b.jsonl')}")
    assert there.fingerprint == back.fingerprint


def plain_items(path):
    raw = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    return [json.loads(line) for line in raw.decode().split("\n")[:-1]]


@pytest.mark.parametrize(
    ("file", "name", "domain", "counts"),
    [
        # queries, passages, pairs, (query, passage of the same language) pairs
        ("mlqa/parallel.jsonl.gz", "mlqa", "encyclopedia", (22_724, 14_580, 41_904, 11_907)),
        ("opensource-guide/parallel.jsonl", "opensource-guide", "community", (1_464, 1_464, 14_230, 1_464)),
        ("mkqa/parallel.jsonl", "mkqa", "search", (21_096, 17_554, 253_152, 21_096)),
    ],
)
def test_the_real_files_hold_what_a_plain_reading_finds(shared_data, corpora, file, name, domain, counts):
    task = corpora(f"parallel:{{}}/{file}")
    assert (task.name, task.domain) == (name, domain)
    pairs = task.queries.join(task.qrels, on="query_id").join(task.passages, on="passage_id")
    same = pairs.filter(pairs["language"] == pairs["language_right"]).height
    assert (task.queries.height, task.passages.height, task.n_pairs, same) == counts

    items = plain_items(shared_data / file)
    queries: dict[str, set] = {}
    for one in items:
        if "query" in one:
            queries.setdefault(one["id"], set()).add((one["language"], one["query"]))
    expected = {
        (one["id"], *query, one["language"], one["passage"])
        for one in items
        if "passage" in one
        for query in queries.get(one["id"], ())
    }
    found = pairs.select("query_id", "language", "text", "language_right", "text_right")
    assert set(found.iter_rows()) == expected
    assert found.height == len(expected)


def test_source_and_licence_are_taken_from_the_file_beside(corpora, json_lines):
    task = corpora("parallel:{}/opensource-guide/parallel.jsonl")
    assert task.source == "github/opensource.guide"
    assert task.licence == "CC BY 4.0 (LICENSE, notices.md)"
    task = load_task(f"parallel:{json_lines(item('1', 'en', query='?', passage='.'))}")
    assert (task.source, task.licence, task.domain) == ("unknown", "unknown", "unknown")


def test_several_domains_in_one_file_are_a_mixed_task(json_lines):
    path = json_lines(
        item("1", "en", query="?", passage="a", domain="news"), item("2", "en", query="?", passage="b", domain="law")
    )
    assert load_task(f"parallel:{path}").domain == "mixed"


def test_lone_surrogates_become_replacement_characters(json_lines):
    line = r'{"id": "\udc80", "language": "en", "query": "a\ud800b", "passage": "\ud83d\ude00", "document": "\ud800"}'
    task = load_task(f"parallel:{json_lines(line)}")
    assert task.queries.rows() == [("\ufffd", "en", "a\ufffdb")]
    assert task.passages.rows() == [("en/\ufffd", "en", "😀", "\ufffd", None)]


def test_blank_lines_a_byte_order_mark_and_windows_line_ends_are_no_trouble(tmp_path):
    path = tmp_path / "corpus.jsonl"
    line = json.dumps(item("1", "en", query="?", passage="."))
    path.write_bytes(b"\xef\xbb\xbf\r\n" + line.encode() + b"\r\n\r\n")
    assert load_task(f"parallel:{path}").queries.height == 1


GOOD = item("1", "en", query="One?", passage="One.")


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        ('{"id": "2", "language"', "line 2: not valid JSON (Expecting ':' delimiter, column 23)"),
        ("[1]", "line 2: expected an object with the fields id and language, not a list"),
        (item("2", "en"), "line 2: neither a field 'query' nor a field 'passage'"),
        (item("2", "en", query=None), "line 2: neither a field 'query' nor a field 'passage'"),
        (item("2", "en", query=" "), "line 2: field 'query' is empty; leave the field out where there is no text"),
        (item("2", "en", query="?", document=""), "line 2: field 'document' is empty"),
        (item("2", "en", query=["?"]), "line 2: field 'query' must be a string, not a list"),
        (
            item("2", "en", query="?", negatives="no"),
            "line 2: field 'negatives' must be a list of strings, not a string",
        ),
        (
            item("2", "en", query="?", negatives=["no", {"text": "no"}]),
            "line 2: field 'negatives': entry 2 must be a string, not an object",
        ),
        (
            item("2", "en", query="?", negatives=["no", " "]),
            "line 2: field 'negatives': entry 2 is empty; leave it out",
        ),
        (
            item("2", "en", query="?", passage="yes", negatives=["yes"]),
            "line 2: field 'negatives': entry 1 is the item's own passage, which is relevant",
        ),
        (item("2", "en", negatives=[]), "line 2: neither a field 'query' nor a field 'passage'"),
        (item(2.5, "en", query="?"), "line 2: field 'id' must be a string, not a number"),
        (item(True, "en", query="?"), "line 2: field 'id' must be a string, not true or false"),
        ({"language": "en", "query": "?"}, "line 2: no field 'id'"),
        ({"id": "2", "query": "?"}, "line 2: no field 'language'"),
        (item("2", "klingonish", query="?"), "line 2: unknown language tag 'klingonish': expected a BCP 47 tag"),
        (item("1", "EN", query="?"), "line 2: id '1' is there twice in language 'en', first on line 1"),
    ],
)
def test_a_bad_line_is_named(json_lines, bad, message):
    path = json_lines(GOOD, bad, item("3", "en", query="Three?"))
    with pytest.raises(TaskError) as caught:
        load_task(f"parallel:{path}")
    assert str(caught.value).startswith(f"{path}, {message}")


def test_a_file_that_is_not_what_its_name_says(tmp_path):
    path = tmp_path / "corpus.jsonl.gz"
    whole = gzip.compress((json.dumps(GOOD) + "\n").encode() * 2000)
    for content in (b"{}", whole[:-20], whole[:20] + b"\xff" * 20 + whole[40:]):
        path.write_bytes(content)
        with pytest.raises(TaskError, match=r"corpus.jsonl.gz: not a whole gzip file \(broken after line [0-9,]+\)"):
            load_task(f"parallel:{path}")
    path = tmp_path / "latin1.jsonl"
    path.write_bytes(json.dumps(GOOD).encode() + b'\n{"id": "2", "language": "de", "query": "K\xfcche?"}\n')
    with pytest.raises(TaskError, match=r"latin1.jsonl, line 2: not valid UTF-8 \(byte 0xfc\)"):
        load_task(f"parallel:{path}")
    path.write_bytes(b"\n\n")
    with pytest.raises(TaskError, match=r"latin1.jsonl: the file holds no items"):
        load_task(f"parallel:{path}")


def test_fields_that_nobody_knows_are_allowed_where_there_are_passages_and_told_where_there_are_none(json_lines):
    noted = item("1", "en", query="One?", passage="One.", note="x")
    assert load_task(f"parallel:{json_lines(noted)}").passages.height == 1
    with pytest.raises(TaskError, match=r"'text'; expected id, language, query, passage, negatives, domain, document$"):
        load_task(f"parallel:{json_lines(item('1', 'en', query='One?', text='One.'))}")
    with pytest.raises(TaskError, match=r"'passage_' .did you mean passage"):
        load_task(f"parallel:{json_lines(item('1', 'en', passage_='One.'))}")


def test_a_file_without_queries_is_told_what_fields_it_has(json_lines):
    with pytest.raises(TaskError, match=r"corpus\.jsonl: no line has a 'query'; .*'qury' \(did you mean query\?\)"):
        load_task(f"parallel:{json_lines(item('1', 'en', qury='One?', passage='One.'))}")
