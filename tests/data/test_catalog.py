"""Task names: what they mean, and one clear sentence for those that mean nothing."""

import json
import os
from pathlib import Path

import pytest

from xlbias.data.catalog import builtin_tasks, describe_formats, load_task, parse_spec
from xlbias.errors import TaskError


@pytest.fixture
def ten(json_lines):
    """A task of ten ids in two languages, in a file called ten.jsonl."""
    items = [
        {
            "id": f"{n}",
            "language": language,
            "query": f"{n} {language}?",
            "passage": f"{n} {language}.",
            "document": f"{n}",
        }
        for n in range(10)
        for language in ("de", "en")
    ]
    return json_lines(*items, name="ten.jsonl")


@pytest.mark.parametrize(
    ("options", "name"),
    [
        ("", "ten"),
        ("[]", "ten"),
        ("[ split = test ; seed=3 ]", "ten[split=test;seed=3]"),
        ("[split=train;by=auto;test=0.2;seed=0]", "ten[split=train]"),  # defaults change nothing
        ("[test=0.5;split=train;by=document]", "ten[split=train;by=document;test=0.5]"),
        ("[languages=deu]", "ten[languages=de]"),
        ("[languages=en,de,]", "ten"),  # all there is
        ("[domain=numbers]", "ten"),
        ("[languages=de;name=mine]", "mine"),
    ],
)
def test_a_name_says_what_was_selected(ten, options, name):
    assert load_task(f"parallel:{ten}{options}").name == name


def test_two_selections_have_two_names_and_two_contents(ten):
    tasks = [
        load_task(f"parallel:{ten}{options}")
        for options in ("", "[split=train]", "[split=test]", "[split=test;seed=1]", "[languages=de]", "[languages=en]")
    ]
    assert len({task.name for task in tasks}) == len({task.fingerprint for task in tasks}) == len(tasks)


def test_the_domain_can_be_given(ten):
    assert load_task(f"parallel:{ten}[domain=numbers]").domain == "numbers"


def test_a_bare_file_name_takes_the_name_of_its_folder(tmp_path, ten):
    for folder, file, name in (("mlqa", "parallel.jsonl", "mlqa"), ("faq", "train.jsonl", "faq-train")):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / file).write_bytes(ten.read_bytes())
        assert load_task(f"parallel:{tmp_path / folder / file}").name == name


def test_a_tilde_is_the_home_folder(ten, monkeypatch):
    monkeypatch.setenv("HOME", str(ten.parent))
    assert load_task("parallel:~/ten.jsonl").name == "ten"
    with pytest.raises(TaskError, match="no such file"):
        load_task("parallel:~nobody-of-that-name/ten.jsonl")


@pytest.mark.parametrize(
    "odd", ["a b:c.jsonl", "x[1].jsonl", "x[languages=de]", "-.jsonl", "ü\u202e;=.jsonl", "a\nb.jsonl"]
)
def test_paths_may_hold_any_character(ten, odd):
    path = ten.rename(ten.parent / odd)
    task = load_task(f"parallel:{path}")
    assert task.languages == ["de", "en"]
    assert task.name.isprintable()
    assert load_task(f"parallel:{path}[languages=de]").languages == ["de"]


def test_a_path_that_is_not_unicode(ten):
    path = Path(os.fsdecode(os.fsencode(ten.parent) + b"/\xff.jsonl"))
    ten.rename(path)
    assert load_task(f"parallel:{path}").name == "\ufffd"
    path.write_text(json.dumps({"id": "1", "language": "en", "query": "?"}) + "\n")
    with pytest.raises(TaskError, match="no line has a 'passage'"):
        load_task(f"parallel:{path}")


def test_a_name_longer_than_any_file_name_is_a_name_with_options():
    languages = "xx," * 80 + "en"
    with pytest.raises(TaskError, match=r"^unknown language tag 'xx'"):
        load_task(f"builtin:money[languages={languages}]")
    known = ",".join(["de", "en"] * 150)
    assert parse_spec(f"parallel:x.jsonl[languages={known}]").options == {"languages": known}
    with pytest.raises(TaskError, match=r"x+: there is no such folder; squad reads a folder"):
        load_task(f"squad:{'x' * 300}")


def test_embedded_tasks_take_the_same_options():
    name = next(iter(builtin_tasks()))
    task = load_task(f"builtin:{name}[languages=de,en;split=test]")
    assert task.languages == ["de", "en"]
    assert task.name.endswith("[split=test;languages=de,en]")


def test_the_formats_describe_themselves():
    formats = {one.name: one for one in describe_formats()}
    assert list(formats) == [
        "lareqa", "squad", "parallel", "bitext", "sib200", "beir", "trec", "miracl", "mrtydi", "mmarco", "pairs",
        "tmx", "hf", "mteb", "ir_datasets",
    ]  # fmt: skip
    for one in formats.values():
        assert parse_spec(one.example).format == one.name
        assert all(option.default in option.choices for option in one.options if option.choices)


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        (
            "money",
            "unknown task 'money' (did you mean builtin:money?): expected builtin:NAME or FORMAT:PATH, see `xlbias",
        ),
        ("", "unknown task '': expected builtin:NAME or FORMAT:PATH"),
        ("paralel:x", "unknown format 'paralel' in 'paralel:x' (did you mean parallel?): expected builtin:NAME or"),
        ("xml:x", "unknown format 'xml' in 'xml:x': expected"),
        ("builtin:mony", "no embedded task 'mony' (did you mean money?): choose from builtin:"),
        (
            "builtin:money[pairs=headline]",
            "builtin has no option 'pairs': it has languages, split, by, test, seed, name",
        ),
        ("parallel:nowhere.jsonl", "parallel:nowhere.jsonl: there is no such file; parallel reads a file"),
        ("lareqa:nowhere", "lareqa:nowhere: there is no such folder; lareqa reads a folder"),
        ("lareqa:", "lareqa:: there is no such folder"),
        ("lareqa:FILE", "ten.jsonl: is a file, but lareqa reads a folder"),
        ("parallel:FOLDER", "is a folder, but parallel reads a file"),
        (
            "parallel:FILE[langages=de]",
            "parallel has no option 'langages' (did you mean languages?): it has languages, ",
        ),
        ("parallel:FILE[pairs=headline]", "parallel has no option 'pairs': it has languages"),
        ("bitext:FOLDER[pairs=title]", "option pairs='title' of bitext: expected translation or headline"),
        ("parallel:FILE[split=dev]", "option split='dev' of parallel: expected train or test"),
        ("parallel:FILE[split=test;by=topic]", "option by='topic' of parallel: expected document or id or auto"),
        ("parallel:FILE[seed=1]", "option 'seed' is about a split: give split=train or split=test with it"),
        ("parallel:FILE[split=test;seed=x]", "options of a split: test must be a number and seed a whole number ("),
        ("parallel:FILE[split=test;test=2]", "ten: the test part of a split must be between 0 and 1 of the query ids"),
        ("parallel:FILE[languages]", "option 'languages' in 'parallel:"),
        ("parallel:FILE[languages=]", "has no value: expected [name=value;name=value]"),
        ("parallel:FILE[seed=1;seed=2]", "option 'seed' is there twice in"),
        ("parallel:FILE[languages=de,th]", "ten: no texts in language 'th'; it has de, en"),
        ("parallel:FILE[languages=klingonish]", "unknown language tag 'klingonish'"),
        ("parallel:FILE[languages=,]", "ten: the task is empty"),
    ],
)
def test_a_name_that_means_nothing_is_one_sentence(ten, spec, message):
    with pytest.raises(TaskError) as caught:
        load_task(spec.replace("FILE", str(ten)).replace("FOLDER", str(ten.parent)))
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("folder", "name"),
    [
        ("xquad-r", "lareqa"),
        ("sib200", "sib200"),
        ("mkqa/parallel.jsonl", "parallel"),
        ("mlqa/parallel.jsonl.gz", "parallel"),
    ],
)
def test_real_data_under_a_wrong_name_gets_the_right_one(shared_data, folder, name):
    for wrong in ("beir", "miracl", "trec", "bitext"):
        with pytest.raises(TaskError, match=f"This looks like {name}: use {name}:"):
            load_task(f"{wrong}:{shared_data / folder}")


def test_a_task_name_of_thousands_of_characters_is_shown_by_its_beginning() -> None:
    for name in ("9" * 5_000, "b" + "[" * 3_000 + ":x"):
        with pytest.raises(TaskError, match=r"unknown (task|format) ") as caught:
            parse_spec(name)
        assert len(str(caught.value)) < 1_500


@pytest.mark.parametrize("spec", ["builtin:money[languages=en", "parallel:{}[split=test;languages=en,de"])
def test_options_without_their_last_bracket_are_named(ten, spec):
    with pytest.raises(TaskError, match=r"its options end without a \]; expected \[name=value;name=value\]"):
        load_task(spec.format(ten))
