"""TREC's, CLEF's and NeuCLIR's files, as each of them writes topics, judgements and documents."""

import json

import pytest

from xlbias.data.catalog import load_task
from xlbias.errors import TaskError

DOCS = {"zh": {"z1": "浮士德 歌德", "z2": "易北河"}, "de": {"g1": "Faust", "g2": "Elbe"}}


def write(path, text, encoding="utf-8"):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode(encoding))
    return path


@pytest.fixture
def collection(tmp_path):
    """A corpus of two languages, JSON Lines and TSV, and judgements with blanks or tabs between columns."""
    write(tmp_path / "a.jsonl", "".join(json.dumps({"id": i, "text": t}) + "\n" for i, t in DOCS["zh"].items()))
    write(tmp_path / "b.tsv", "".join(f"{i}\t{t}\n" for i, t in DOCS["de"].items()))
    write(tmp_path / "one.qrels", "41 0 z1 1\r\n41\t0\tg1\t3\r\n42 0  z2   0\r\n")
    write(tmp_path / "more.qrels", "42 0 g2 1\n")
    return tmp_path


def load(folder, topics, options="", **files):
    parts = {"corpus.zh": "a.jsonl", "corpus.de": "b.tsv"} | files
    named = [f"queries={topics}", *(f"{kind}={folder / name}" for kind, name in parts.items())]
    named += [f"qrels={folder / 'one.qrels'}", f"qrels={folder / 'more.qrels'}"]
    return load_task(f"trec:{','.join(named)}{options}")


TREC = """
<top>
<num> Number: 41
<title> Faust &amp; Gretchen

<desc> Description:
Who wrote the
tragedy?
<narr> Narrative:
Anything.
</top>
<top>
<num> Number: 42 <title> Topic: the Elbe
</top>
"""
CLEF = """<?xml version="1.0" encoding="ISO-8859-1"?>
<topics>
<topic lang="fr"><identifier>41</identifier><title>Faust, le drame \u00e0 lire</title>
  <description>Qui l'a \u00e9crit?</description></topic>
<topic lang="fr"><identifier>42</identifier><title>L'Elbe</title></topic>
</topics>"""
OLD_CLEF = """<top>
<num> 41 </num>
<FR-title> Faust, le drame \u00e0 lire </FR-title>
<FR-desc> Qui l'a \u00e9crit? </FR-desc>
</top>
<top><num>42</num><FR-title>L'Elbe</FR-title></top>"""
WEB = (
    '<webtrack><topic number="41" type="x"><query>faust</query></topic>'
    '<topic number="42"><query>elbe</query></topic></webtrack>'
)
FAUST = "Faust, le drame \u00e0 lire"


@pytest.mark.parametrize(
    ("text", "encoding", "options", "expected"),
    [
        (TREC, "utf-8", "[language=en]", ("en", "Faust & Gretchen", "the Elbe")),
        (CLEF, "latin-1", "", ("fr", FAUST, "L'Elbe")),
        (CLEF.replace("ISO-8859-1", "UTF-8"), "utf-8-sig", "", ("fr", FAUST, "L'Elbe")),
        (CLEF.replace("ISO-8859-1", "UTF-16"), "utf-16", "", ("fr", FAUST, "L'Elbe")),
        (OLD_CLEF, "latin-1", "[encoding=latin-1]", ("fr", FAUST, "L'Elbe")),
        (OLD_CLEF, "utf-8", "", ("fr", FAUST, "L'Elbe")),
        (WEB, "utf-8", "[language=en]", ("en", "faust", "elbe")),
    ],
)
def test_topics_of_every_age_are_read(collection, text, encoding, options, expected):
    task = load(collection, write(collection / "asked", text, encoding), options)
    language, *titles = expected
    assert (task.query_languages, task.queries["text"].to_list()) == ([language], titles)
    assert task.pool_sizes == {"de": 2, "zh": 2}
    assert sorted(task.qrels.rows()) == [("41", "g1", 3), ("41", "z1", 1), ("42", "g2", 1)]
    assert task.negatives.rows() == [("42", "z2")]


def test_the_fields_of_a_topic_are_chosen(collection):
    topics = write(collection / "asked", TREC)
    assert load(collection, topics, "[language=en;fields=title+description]").queries["text"].to_list() == [
        "Faust & Gretchen Who wrote the tragedy?",
        "the Elbe",
    ]
    with pytest.raises(TaskError, match="topic 2 has no number or no description"):
        load(collection, topics, "[language=en;fields=description]")


def neuclir(number, *topics):
    fields = ("lang", "source", "topic_title", "topic_description")
    return json.dumps({"topic_id": number, "topics": [dict(zip(fields, one, strict=True)) for one in topics]}) + "\n"


def test_neuclirs_topics_are_one_query_in_several_languages(collection):
    text = neuclir(
        "41", ("eng", "original", "Faust", "Who?"), ("zho", "sockeye2", "machine", "m"),
        ("zho", "human translation", "浮士德", "谁?"),
    ) + neuclir("42", ("eng", "original", "Elbe", "Where?"), ("zho", "sockeye2", "易", "m"))  # fmt: skip
    topics = write(collection / "asked.jsonl", text)
    human, every, none = (load(collection, topics, f"[translations={how}]") for how in ("human", "all", "no"))
    assert sorted(human.queries.rows()) == [("41", "en", "Faust"), ("41", "zh", "浮士德"), ("42", "en", "Elbe")]
    assert human.n_pairs == 2 * 2 + 1
    assert ("42", "zh", "易") in every.queries.rows()
    assert ("41", "zh", "浮士德") in every.queries.rows()
    assert none.query_languages == ["en"]


DOC = """<DOC>
<DOCNO> {} </DOCNO>
<HEADLINE>An &eacute;t&eacute;</HEADLINE>
<TEXT><p>{}</p>
and more</TEXT>
<TEXT>the end</TEXT>
</DOC>
"""


def test_documents_in_sgml_are_read(collection):
    write(collection / "b.tsv", DOC.format("g1", "Faust") + DOC.format("g2", "Elbe"))
    task = load(collection, write(collection / "asked", TREC), "[language=en]")
    assert dict(task.passages.select("passage_id", "text").iter_rows())["g1"] == "An été Faust and more the end"
    bare = load(collection, collection / "asked", "[language=en;title=no]")
    assert dict(bare.passages.select("passage_id", "text").iter_rows())["g2"] == "Elbe and more the end"
    write(collection / "b.tsv", "<DOC><TEXT>x</TEXT></DOC>")
    with pytest.raises(TaskError, match=r"b\.tsv, document 1: no <DOCNO>"):
        load(collection, collection / "asked", "[language=en]")


def test_a_language_that_nothing_says_is_that_of_the_option(tmp_path):
    write(tmp_path / "topics.tsv", "1\tFaust?\n")
    write(tmp_path / "qrels.txt", "1 0 d1 1\n")
    write(tmp_path / "corpus.jsonl", '{"id": "d1", "text": "Goethe"}\n{"id": "d2", "text": "歌德", "lang": "zh"}\n')
    task = load_task(f"trec:{tmp_path}[language=en]")
    assert task.queries["language"].to_list() == ["en"]
    assert dict(task.passages.select("text", "language").iter_rows()) == {"Goethe": "en", "歌德": "zh"}
    with pytest.raises(TaskError, match=r"line 1: the line does not say its language; name the file .*\[language=zh\]"):
        load_task(f"trec:{tmp_path}")


def test_a_kind_of_file_that_is_not_known_gets_a_close_one():
    with pytest.raises(TaskError, match=r"'querys' is none of its files \(did you mean queries\?\); expected queries="):
        load_task("trec:querys=topics.txt,corpus.en=c.jsonl,qrels=q.txt")


@pytest.mark.parametrize(
    ("target", "says"),
    [
        ("queries={0}/asked", "no corpus and no qrels; expected queries=FILE,corpus=FILE,qrels=FILE"),
        ("queries={0}/nothing,corpus={0}/a.jsonl,qrels={0}/one.qrels", r"queries=.*nothing: there is no such file"),
        ("queries={0}/asked,corpus.xx1={0}/a.jsonl,qrels={0}/one.qrels", "unknown language tag 'xx1'"),
        (
            "queries={0}/asked,corpus={0}/a.jsonl,qrels={0}/one.qrels",
            "does not say its language; name the file docs",
        ),
        ("queries={0}/asked,corpus.zh={0}/a.jsonl,qrels={0}/one.qrels", "the topics do not say their language"),
        ("{0}/nothing", "no such folder"),
    ],
)
def test_wrong_files_are_named(collection, target, says):
    write(collection / "asked", TREC)
    with pytest.raises(TaskError, match=says):
        load_task(f"trec:{target.format(collection)}")


@pytest.mark.parametrize(
    ("text", "encoding", "options", "says"),
    [
        (OLD_CLEF, "latin-1", "", r"not valid utf-8 \(byte 0xe0\); give its encoding, such as \[encoding=latin-1\]"),
        (OLD_CLEF, "latin-1", "[encoding=klingon]", "unknown encoding 'klingon'"),
        ("<topics></topics>", "utf-8", "[language=en]", "no <top> or <topic> in it that is closed"),
        ("<top><title>x</title></top>", "utf-8", "[language=en]", "topic 1 has no number or no title"),
    ],
)
def test_topics_that_cannot_be_read_are_named(collection, text, encoding, options, says):
    with pytest.raises(TaskError, match=says):
        load(collection, write(collection / "asked", text, encoding), options)
