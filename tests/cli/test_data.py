"""`xlbias data`: what it prints, what it refuses in one sentence, and that nothing from data escapes to a terminal."""

import json
import re
import subprocess
import sys
import time

import pytest

from xlbias.cli import run

pytestmark = pytest.mark.integration


@pytest.fixture
def xlbias(capfd):
    """Run the command line: (exit code, stdout, stderr)."""

    def call(*words: object) -> tuple[int, str, str]:
        code = run([str(word) for word in words])
        return code, *capfd.readouterr()

    return call


@pytest.fixture
def corpus(tmp_path):
    """Write lines to corpus.jsonl and return its path."""

    def write(*lines: object):
        path = tmp_path / "corpus.jsonl"
        texts = [line if isinstance(line, str) else json.dumps(line) for line in lines]
        path.write_text("\n".join(texts) + "\n", encoding="utf-8")
        return path

    return write


GOOD = {"id": "1", "language": "en", "query": "One?", "passage": "One."}

# -- list, show, convert ---------------------------------------------------------------------------------------------


def test_list_names_every_embedded_task_and_format_with_an_example(xlbias):
    from xlbias.data.catalog import builtin_tasks, describe_formats

    code, out, err = xlbias("data", "list")
    assert (code, err) == (0, "")
    for name, summary in builtin_tasks().items():
        assert re.search(rf"builtin:{name} +{re.escape(summary[:20])}", out)
    for known in describe_formats():
        assert known.example in out
        assert all(f"{option.name}=" in out for option in known.options)
    assert "[train|test]" in out


def test_show_prints_counts_and_examples(xlbias, shared_data):
    code, out, err = xlbias("data", "show", f"lareqa:{shared_data}/xquad-r[domain=encyclopedia]", "--examples", 2)
    assert code == 0
    assert out.startswith("xquad-r\n  domain       encyclopedia\n")
    assert re.search(r"queries +13,090 \(1,190 ids\)\n +passages +13,014\n +pairs +143,990 ", out)
    assert re.search(r"relevants +11 to 11 a query, median 11\n", out)
    assert re.search(r"\n  th +Thai +1,190 +852\n", out)
    assert len(re.findall(r"\n    relevant en ", out)) == 2
    assert re.fullmatch(r"read xquad-r in \d+\.\d\d s\n", err)


def test_show_says_what_was_taken_for_granted(xlbias, shared_data, tmp_path):
    def flat(task):
        return " ".join(xlbias("data", "show", task)[1].split())

    (tmp_path / "en.json").write_text(json.dumps(_questions("en")), encoding="utf-8")
    (tmp_path / "de.json").write_text(json.dumps(_questions("de")), encoding="utf-8")
    text = flat(f"squad:{tmp_path}")
    assert "Translations of one another are texts with the same question id: 2 of 2 ids are in two or more" in text
    assert "! The ids only count from 0 or 1 in the file of each language" in text
    assert "On reading, 2 passages had the text of another one of their language and were merged into it" in text
    assert "2 questions without an answer were left out." in text
    apart = flat(f"squad:{tmp_path}[parallel=no]")
    assert "Nothing is taken for parallel (parallel=no)." in apart
    assert "! The ids" not in apart
    trivial = flat(f"bitext:{shared_data / 'tatoeba'}[languages=en,el]")
    assert "! 10,548 of 10,548 queries are passages of their own pool and find themselves" in trivial
    left_out = flat(f"bitext:{shared_data / 'tatoeba'}[languages=en,el;self=ignore]")
    assert "and left out of it (self=ignore)." in left_out


def _questions(language):
    qas = [
        {"id": 0, "question": "a?", "answers": [{"text": language, "answer_start": 0}]},
        {"id": 1, "question": "b?", "answers": [{"text": language, "answer_start": 0}]},
        {"id": 2, "question": "c?", "answers": []},
    ]
    return {
        "data": [
            {
                "title": "t",
                "paragraphs": [{"context": language, "qas": [one]} for one in qas[:2]]
                + [{"context": f"{language} other", "qas": qas[2:]}],
            }
        ]
    }


def test_show_as_json(xlbias, shared_data):
    task = f"bitext:{shared_data}/ntrex128[pairs=headline]"
    code, out, err = xlbias("data", "show", task, "--json", "--quiet", "--examples", 1)
    facts = json.loads(out)
    assert (code, err) == (0, "")
    assert facts["schema"] == 1
    assert facts["languages"]["zh"] == {"queries": 123, "passages": 1_874}
    assert next(iter(facts["examples"][0]["queries"])) == "en"
    assert out.isascii()


def test_convert_writes_what_show_reads_back(xlbias, shared_data, tmp_path):
    source, out_path = f"parallel:{shared_data}/opensource-guide/parallel.jsonl", tmp_path / "guide.jsonl.gz"
    code, out, err = xlbias("data", "convert", source, out_path)
    assert (code, out) == (0, "")
    assert err.endswith(f"wrote {out_path}: 1,464 items\n")
    facts = [json.loads(xlbias("data", "show", task, "--json")[1]) for task in (source, f"parallel:{out_path}")]
    assert facts[0]["fingerprint"] == facts[1]["fingerprint"]

    assert xlbias("data", "convert", source, out_path, "--quiet")[0] == 2
    assert xlbias("data", "convert", source, out_path, "--quiet", "--force") == (0, "", "")
    code, out, err = xlbias("data", "convert", source, tmp_path / "beir", "--format", "beir")
    assert (code, out) == (0, "")
    assert err.endswith("beir: 14,230 qrels\n")


@pytest.mark.parametrize("words", [[], ["list"], ["show"], ["convert"]])
def test_help_has_an_example_that_names_a_command_that_exists(xlbias, words):
    code, out, _ = xlbias("data", *words, "--help")
    assert code == 0
    examples = re.findall(r"^ +xlbias data (\w+)", out, re.MULTILINE)
    assert examples
    assert set(examples) <= {"list", "show", "convert"}


@pytest.mark.e2e
def test_help_imports_nothing_heavy():
    code = (
        "import sys; from xlbias.cli import run; run(['data', '--help']); run(['data', 'show', '--help']);"
        "print(sorted({'polars', 'numpy', 'torch', 'babel'} & set(sys.modules)), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr == "[]\n"


# -- bad input -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ([GOOD, '{"id": "2", "language": "en", "query": "Two?'], "corpus.jsonl, line 2: not valid JSON (Unterminated"),
        ([GOOD, GOOD], "corpus.jsonl, line 2: id '1' is there twice in language 'en', first on line 1"),
        ([GOOD, {**GOOD, "id": "2", "query": ""}], "corpus.jsonl, line 2: field 'query' is empty"),
        (
            [GOOD, {"id": "2", "language": "en"}],
            "corpus.jsonl, line 2: neither a field 'query' nor a field 'passage'; "
            "the fields there are 'id', 'language'; expected id",
        ),
        ([{**GOOD, "language": "klingonish"}], "corpus.jsonl, line 1: unknown language tag 'klingonish'"),
        ([], "corpus.jsonl: the file holds no items"),
        (
            [{"id": "1", "language": "en", "query": "One?"}],
            "corpus.jsonl: no line has a 'passage'; the fields there "
            "are 'id', 'language', 'query'; expected id, language, query, passage, negatives, domain, document",
        ),
        (
            [{"id": "1", "language": "en", "query": "One?", "text": "1", "Passages": "1"}],
            "the fields there are 'id', 'language', 'query', 'text', 'Passages' (did you mean passage?); expected id, ",
        ),
        (
            [{"id": "1", "language": "en", "query": "One?"}, {"id": "2", "language": "en", "passage": "Two."}],
            "corpus: no query has a relevant passage",
        ),
    ],
)
def test_a_bad_file_is_one_sentence_and_exit_code_2(xlbias, corpus, lines, message):
    assert_refused(xlbias("data", "show", f"parallel:{corpus(*lines)}"), message)


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("lareqa:{}/nowhere", "/nowhere: there is no such folder; lareqa reads a folder"),
        ("parallel:{}/nowhere.jsonl", "/nowhere.jsonl: there is no such file; parallel reads a file"),
        ("parallel:{}", ": is a folder, but parallel reads a file"),
        ("bitext:{}/corpus.jsonl", "corpus.jsonl: is a file, but bitext reads a folder"),
        ("squad:{}", ": no file LANGUAGE.json in this folder"),
        ("parallel:{}/latin1.jsonl", "latin1.jsonl, line 1: not valid UTF-8 (byte 0xfc); convert the file to UTF-8"),
        ("tsv:{}", "unknown format 'tsv' in"),
        ("builtin:nothing", "no embedded task 'nothing'"),
        ("parallel:{}/\x1b]0;x\x07\n\u202e.jsonl", "␛]0;x␇ ⟨U+202E⟩.jsonl: there is no such file"),
    ],
)
@pytest.mark.parametrize("command", [["show"], ["convert", "--quiet"]])
def test_a_bad_task_name_is_one_sentence_and_exit_code_2(xlbias, corpus, spec, message, command):
    folder = corpus(GOOD).parent
    (folder / "latin1.jsonl").write_bytes(b'{"id": "1", "language": "de", "query": "K\xfcche?"}\n')
    out = [folder / "out"] if command[0] == "convert" else []
    assert_refused(xlbias("data", *command, spec.format(folder), *out), message)
    assert not (folder / "out").exists()


def assert_refused(result, message):
    code, out, err = result
    assert (code, out) == (2, "")
    assert message in err
    assert err.startswith("xlbias: ")
    assert err.count("\n") == 1
    assert "Traceback" not in err


# -- hostile data ----------------------------------------------------------------------------------------------------

HOSTILE = {
    "OSC 52": "\x1b]52;c;ZXZpbA==\x07",
    "OSC 0": "\x1b]0;owned\x1b\\",
    "CSI": "\x1b[2J\x1b[31;1m\x1b[?1049h",
    "C1": "\x9b2J\x9d0;owned\x9c\x85\x90",
    "markup": "[/] [bold red] [@click=app.quit]click[/] [link=file:///etc/passwd]",
    "bidi": "\u202eabc\u2066def\u2069\u200f\u061c\u200e\u2028\u2029",
    "NUL": "a\x00b\x7fc\x08\x08\x08\rd\ve\ff",
    "tags": "\U000e0041\ufeff\u2060",
    "endless": "x" * 1_000_000,
    "combining": "e" + "\u0301" * 100_000,
    "surrogate": "\ud800 \udfff \ude00\ud83d",
}
FORBIDDEN = re.compile(
    "[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff\U000e0000-\U000e007f]"
)


@pytest.mark.parametrize("options", [[], ["--json"]])
def test_nothing_from_a_hostile_corpus_reaches_the_terminal(xlbias, tmp_path, options):
    everything = "".join(text[:200] for text in HOSTILE.values())
    path = tmp_path / ("evil\x1b]0;owned\x07\u202e[bold]\n.jsonl")
    items = [
        {"id": f"{name} {text}", "language": language, "query": text, "passage": f"{text}.", "document": text}
        for name, text in HOSTILE.items()
        for language in ("en", "ar")
    ]
    items[0]["domain"] = everything
    path.write_text("\n".join(map(json.dumps, items)) + "\n")
    (tmp_path / "SOURCE.md").write_text(
        f"- repository: {everything[:300]}\n- licence: {everything[:300]}\n", "utf-8", "replace"
    )
    started = time.process_time()
    code, out, err = xlbias("data", "show", f"parallel:{path}", "--examples", 50, *options)
    assert code == 0
    assert time.process_time() - started < 5
    assert not FORBIDDEN.search(out)
    assert not FORBIDDEN.search(err)
    if not options:
        assert "␛]52;c;ZXZpbA==␇" in out
        assert "[@click=app.quit]click[/]" in out
        assert max(map(len, out.splitlines())) < 2_000
        assert out.count("\n    query ") == 2 * len(HOSTILE)
    else:
        assert json.loads(out)["examples"][0]["queries"]["en"] in HOSTILE.values()


def test_an_error_about_hostile_data_is_inert_too(xlbias, corpus):
    evil = "".join(text[:50] for text in HOSTILE.values())
    for line in (
        {"id": evil, "language": evil, "query": "?"},
        {"id": evil, "language": "en"},
        {"id": evil, "language": []},
    ):
        code, out, err = xlbias("data", "show", f"parallel:{corpus(GOOD, line)}")
        assert (code, out, err.count("\n")) == (2, "", 1)
        assert not FORBIDDEN.search(err)
    code, _, err = xlbias("data", "show", f"parallel:{corpus(*[{**GOOD, 'id': evil}] * 2)}")
    assert (code, err.count("\n")) == (2, 1)
    assert not FORBIDDEN.search(err)


def test_show_reports_tags_that_were_normalised(xlbias, tmp_path):
    rows = [{**GOOD, "language": tag} for tag in ("en", "zh_CN", "iw")]
    (tmp_path / "x.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    code, out, _ = xlbias("data", "show", f"parallel:{tmp_path / 'x.jsonl'}")
    assert code == 0
    assert "Language tags of the data were normalised: iw is he, zh_CN is zh-CN." in out
    lines = "".join(
        json.dumps({"_id": str(n), "text": "x", "language": tag}) + "\n" for n, tag in enumerate(("eng", "deu"))
    )
    (tmp_path / "b" / "qrels").mkdir(parents=True)
    for name in ("corpus", "queries"):
        (tmp_path / "b" / f"{name}.jsonl").write_text(lines)
    (tmp_path / "b" / "qrels" / "test.tsv").write_text("q\tp\tscore\n0\t0\t1\n1\t1\t1\n")
    assert "deu is de, eng is en." in xlbias("data", "show", f"beir:{tmp_path / 'b'}")[1]
