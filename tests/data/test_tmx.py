"""Translation memories: as tools write them, and as nobody should."""

import gzip
import tracemalloc

import pytest

from xlbias.data.catalog import load_task
from xlbias.errors import TaskError

HEAD = """<?xml version="1.0" encoding="{encoding}"?>
<!DOCTYPE tmx SYSTEM "tmx14.dtd">
<tmx version="1.4">
<header creationtool="made" segtype="sentence" adminlang="en" srclang="EN-US" o-tmf="x" datatype="plaintext">
  <prop type="x-project">not of a unit</prop>
</header>
<body>
"""
BODY = """<tu tuid="a1"><prop type="x-document">d1</prop><note>a note</note>
  <tuv xml:lang="EN-US"><seg>Who wrote <bpt i="1">&lt;b&gt;</bpt><hi>Faust</hi><ept i="1">&lt;/b&gt;</ept>?</seg></tuv>
  <tuv xml:lang="de_DE"><seg>Wer schrieb
     Faust?<ph><sub>never</sub></ph></seg></tuv></tu>
<tu tuid="a2"><prop type="x-document">d1</prop>
  <tuv xml:lang="EN-US"><seg>Caf\u00e9 &amp; more</seg></tuv>
  <tuv xml:lang="de-DE"><seg>Caf\u00e9 und mehr</seg></tuv>
  <tuv xml:lang="de_DE"><seg>Caf\u00e9 und noch mehr</seg></tuv>
  <tuv xml:lang="iw"><seg>\u05e7\u05e4\u05d4</seg></tuv></tu>
<tu tuid="a3"><tuv xml:lang="EN-US"><seg>  </seg></tuv><tuv lang="de-de"><seg>Nur deutsch</seg></tuv></tu>
"""
TAIL = "</body></tmx>\n"


def tmx(path, body=BODY, *, encoding="UTF-8", codec=None, head=HEAD, tail=TAIL):
    text = (head.replace("{encoding}", encoding) + body + tail).encode(codec or encoding)
    path.write_bytes(gzip.compress(text) if path.suffix == ".gz" else text)
    return path


def test_units_are_parallel_by_their_ids(tmp_path):
    task = load_task(f"tmx:{tmx(tmp_path / 'memory.tmx')}[document=x-document]")
    assert task.languages == ["de", "en", "he"]
    texts = {(row[0], row[1]): row[2] for row in task.queries.rows()}
    assert texts == {
        ("a1", "en"): "Who wrote Faust?", ("a1", "de"): "Wer schrieb Faust?",
        ("a2", "en"): "Caf\u00e9 & more", ("a2", "de"): "Caf\u00e9 und mehr", ("a2", "he"): "\u05e7\u05e4\u05d4",
        ("a3", "de"): "Nur deutsch",
    }  # fmt: skip
    assert sorted(task.qrels.rows())[:2] == [("a1", "de/a1", 1), ("a1", "en/a1", 1)]
    assert set(task.passages["document"]) == {"d1", None}
    assert task.notes.n_variants == 1
    assert task.notes.parallel_by == "translation unit"


@pytest.mark.parametrize(
    ("encoding", "codec"),
    [("UTF-16", "utf-16"), ("UTF-8", "utf-8-sig"), ("UTF-16", "utf-16-be"), ("windows-1255", "windows-1255")],
)
def test_encodings_that_the_file_declares_are_read(tmp_path, encoding, codec):
    body = BODY if codec != "windows-1255" else BODY.replace("\u00e9", "e")
    file = tmx(tmp_path / "memory.tmx.gz", body, encoding=encoding, codec=codec)
    if codec == "utf-16-be":
        file.write_bytes(gzip.compress(b"\xfe\xff" + gzip.decompress(file.read_bytes())))
    assert "\u05e7\u05e4\u05d4" in set(load_task(f"tmx:{file}").queries["text"])


def test_units_without_ids_of_their_own_are_numbered(tmp_path):
    unit = '<tu tuid="x"><tuv xml:lang="en"><seg>E{0}</seg></tuv><tuv xml:lang="pt-BR"><seg>P{0}</seg></tuv></tu>'
    task = load_task(f"tmx:{tmx(tmp_path / 'm.tmx', ''.join(map(unit.format, range(10))))}")
    assert sorted(set(task.queries["query_id"]))[:2] == ["01", "02"]
    assert task.languages == ["en", "pt"]


BOMB = '<!DOCTYPE tmx [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;">]>'
OUTSIDE = '<!DOCTYPE tmx [<!ENTITY a SYSTEM "file:///etc/hostname">]>'
DOCTYPE = '<!DOCTYPE tmx SYSTEM "tmx14.dtd">'


@pytest.mark.parametrize(
    ("head", "body", "says"),
    [
        (HEAD.replace(DOCTYPE, BOMB), BODY, r"line 2: declares an entity \(a\), which is refused as unsafe"),
        (HEAD.replace(DOCTYPE, OUTSIDE), BODY, r"line 2: declares an entity \(a\)"),
        (HEAD, BODY.replace("&amp;", "&eacute;"), "line 1[0-9]: the entity &eacute; is not declared"),
        (HEAD, BODY.replace("</seg>", "", 1), "line 9: not valid XML \\(mismatched tag\\)"),
        (HEAD, BODY.replace("iw", "xx1"), "line 16: unknown language tag 'xx1'"),
        (HEAD, BODY.replace('xml:lang="iw"', ""), "line 16: <tuv> does not say its language"),
        (HEAD.replace("<tmx", "<xliff"), BODY, "line 3: expected <tmx>, found <xliff>"),
        (HEAD, "", "no <tu> with a text in it"),
        (HEAD, '<tu><tuv xml:lang="en"><seg>One</seg></tuv></tu>', "all segments are in 'en'"),
        (HEAD.replace("{encoding}", "klingon"), BODY, "its encoding cannot be read \\(unknown encoding: klingon\\)"),
    ],
)
def test_a_broken_or_hostile_memory_gets_one_sentence(tmp_path, head, body, says):
    with pytest.raises(TaskError, match=says):
        load_task(f"tmx:{tmx(tmp_path / 'm.tmx', body, head=head)}")


def test_a_memory_that_ends_too_early_is_named(tmp_path):
    file = tmx(tmp_path / "m.tmx.gz")
    file.write_bytes(file.read_bytes()[:-30])
    with pytest.raises(TaskError, match=r"not a whole gzip file|no element found|not valid XML"):
        load_task(f"tmx:{file}")


def test_a_large_memory_is_read_as_a_stream(tmp_path):
    unit = '<tu><tuv xml:lang="en"><seg>E{0} {1}</seg></tuv><tuv xml:lang="de"><seg>D{0} {1}</seg></tuv></tu>\n'
    more = '<prop type="x">' + "y" * 20_000 + "</prop>"
    file = tmp_path / "m.tmx.gz"
    with gzip.open(file, "wt", encoding="utf-8", compresslevel=1) as out:
        out.write(HEAD.replace("{encoding}", "UTF-8"))
        for number in range(2_000):  # 40 MB, of which little is text
            out.write(unit.format(number, "text").replace("<tu>", "<tu>" + more))
        out.write(TAIL)
    tracemalloc.start()
    task = load_task(f"tmx:{file}")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert task.queries.height == 4_000
    assert peak < 15e6  # bytes


def test_another_name_is_answered_with_tmx(tmp_path):
    file = tmx(tmp_path / "m.tmx", encoding="UTF-16")
    for name in ("beir", "parallel", "pairs", "trec", "bitext"):
        with pytest.raises(TaskError, match=f"This looks like tmx: use tmx:{file}"):
            load_task(f"{name}:{file}")
