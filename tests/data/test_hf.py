"""Data sets of the library `datasets`: what it saves, what is pushed to the hub, and what must not be followed."""

import json

import pytest

from xlbias.data.catalog import load_task
from xlbias.data.convert import write_beir
from xlbias.data.formats.dataset_files import configurations, subsets
from xlbias.errors import TaskError

pytestmark = pytest.mark.integration

datasets = pytest.importorskip("datasets")

WORDS = {"ar": "كتاب", "en": "book", "sw": "kitabu"}


def tables(language, part="dev"):
    """Corpus, queries and judgements of a language, with ids that look like numbers and dates."""
    word = WORDS[language]
    corpus = {"_id": ["007", "2020-01-01", "3"], "title": ["t", "", ""], "text": [f"{word} {n}" for n in range(3)]}
    queries = {"_id": ["01", "02"], "text": [f"{word} one?", f"{word} two?"]}
    qrels = {"query-id": ["01", "02", "02"], "corpus-id": ["007", "2020-01-01", "3"], "score": [1, 2, 0]}
    return {"corpus": corpus, "queries": queries, "qrels": qrels}


def check(task):
    """What `tables` hold is there, in every language that the task has."""
    assert set(task.queries["query_id"]) >= {f"{tag}/01" for tag in task.languages}
    assert sorted(task.qrels.rows())[0] == (f"{task.languages[0]}/01", f"{task.languages[0]}/007", 1)
    assert {row[:2] for row in task.negatives.rows()} == {(f"{tag}/02", f"{tag}/3") for tag in task.languages}
    assert task.passages.row(0, named=True)["text"] == f"t {WORDS[task.languages[0]]} 0"


def saved(folder, language):
    """As `save_to_disk` writes a dictionary for each table; judgements have splits."""
    for kind, rows in tables(language).items():
        table = datasets.Dataset.from_dict(rows)
        if kind == "qrels":
            datasets.DatasetDict({"dev": table, "train": table.select([0])}).save_to_disk(folder / f"{language}-{kind}")
        else:
            table.save_to_disk(folder / f"{language}-{kind}", num_shards=2)


def test_what_save_to_disk_writes_is_read(tmp_path):
    for language in WORDS:
        saved(tmp_path, language)
    task = load_task(f"hf:{tmp_path}")
    check(task)
    assert task.languages == ["ar", "en", "sw"]
    some = load_task(f"hf:{tmp_path}[subsets=sw,en]")
    assert some.languages == ["en", "sw"]
    check(some)
    with pytest.raises(TaskError, match=r"no subset 'sww' \(did you mean sw\?\); it has ar, en, sw"):
        load_task(f"hf:{tmp_path}[subsets=sww]")
    with pytest.raises(TaskError, match=r"qrels: no part 'test'; it has dev, train: give it as \[part=...\]"):
        load_task(f"hf:{tmp_path}[part=test]")
    assert load_task(f"hf:{tmp_path}[part=train]").n_pairs == 3


def test_one_dictionary_of_the_three_tables_is_read(tmp_path):
    parts = {kind: datasets.Dataset.from_dict(rows) for kind, rows in tables("en").items()}
    datasets.DatasetDict(parts).save_to_disk(tmp_path / "books")
    task = load_task(f"hf:{tmp_path}/books[language=en]")
    assert task.name.startswith("books")
    assert sorted(task.qrels.rows()) == [("01", "007", 1), ("02", "2020-01-01", 2)]
    with pytest.raises(TaskError, match=r"row 1: the line does not say its language; .*\[language=en\]"):
        load_task(f"hf:{tmp_path}/books")


def pushed(folder, languages, ending="parquet"):
    """The folder that `push_to_hub` makes: Parquet in a folder for each configuration, sorted by the head of README."""
    configs = []
    for language in languages:
        for kind, rows in tables(language).items():
            config, split = f"{language}-{kind}", "dev" if kind == "qrels" else kind
            table = datasets.Dataset.from_dict(rows)
            (folder / config).mkdir(parents=True)
            if ending == "parquet":
                table.to_parquet(folder / config / f"{split}-00000-of-00001.parquet")
            else:
                table.to_json(folder / config / f"{split}-00000-of-00001.jsonl")
            files = {"split": split, "path": f"{config}/{split}-*"}
            configs.append({"config_name": config, "data_files": [files]})
    head = json.dumps({"license": "cc-by-4.0", "configs": configs})  # JSON is YAML
    (folder / "README.md").write_text(f"---\n{head}\n---\n# Books\n")
    return folder


@pytest.mark.parametrize("ending", ["parquet", "jsonl"])
def test_a_folder_as_the_hub_holds_it_is_read_as_datasets_reads_it(tmp_path, ending):
    folder = pushed(tmp_path / "books", WORDS, ending)
    task = load_task(f"hf:{folder}")
    check(task)
    assert task.licence == "cc-by-4.0"
    cache = str(tmp_path / "cache")
    for config, split in (("ar-corpus", "corpus"), ("ar-queries", "queries")):
        theirs = datasets.load_dataset(str(folder), config, split=split, cache_dir=cache)
        ours = task.passages if split == "corpus" else task.queries
        texts = set(ours.filter(ours["language"] == "ar")["text"])
        assert {f"{row.get('title') or ''} {row['text']}".strip() for row in theirs} == texts
    (folder / "README.md").unlink()
    assert load_task(f"hf:{folder}").fingerprint == task.fingerprint  # the names of the files say the same


def test_a_task_that_was_written_comes_back_through_parquet_and_through_disk(tmp_path):
    task = load_task("builtin:calendar[split=test;languages=en,de]")
    write_beir(task, tmp_path / "out")
    assert load_task(f"hf:{tmp_path / 'out'}").fingerprint == task.fingerprint
    for kind, file in (("corpus", "corpus"), ("queries", "queries"), ("qrels", "qrels/test")):
        lines = (tmp_path / "out" / f"{file}.jsonl").read_text("utf-8").splitlines()
        table = datasets.Dataset.from_list([json.loads(line) for line in lines])
        datasets.DatasetDict({"test": table}).save_to_disk(tmp_path / "disk" / kind)
        (tmp_path / "parquet" / kind).mkdir(parents=True)
        table.to_parquet(tmp_path / "parquet" / kind / "test.parquet")
    assert load_task(f"hf:{tmp_path / 'disk'}").fingerprint == task.fingerprint
    assert load_task(f"hf:{tmp_path / 'parquet'}").fingerprint == task.fingerprint


def test_pairs_and_translations_are_read(tmp_path):
    rows = {"anchor": ["Who?", "What?"], "positive": ["Goethe", "Faust"], "negative": ["Schiller", "Wallenstein"]}
    datasets.DatasetDict({"train": datasets.Dataset.from_dict(rows)}).save_to_disk(tmp_path / "pairs")
    pairs = load_task(f"hf:{tmp_path}/pairs[language=en]")
    assert (pairs.n_pairs, pairs.negatives.height) == (2, 2)
    texts = [{"en": "One", "de": "Eins"}, {"en": "Two", "de": "Zwei"}]
    features = datasets.Features({"translation": datasets.Translation(languages=["en", "de"])})
    datasets.Dataset.from_dict({"translation": texts}, features=features).save_to_disk(tmp_path / "bitext")
    bitext = load_task(f"hf:{tmp_path}/bitext")
    assert bitext.languages == ["de", "en"]
    assert bitext.n_pairs == 8
    for language in ("ar", "sw"):  # MIRACL's own layout on the hub: a configuration for each language
        rows = [{"query_id": "1", "query": WORDS[language], "positive_passages": [{"docid": "1", "text": "x"}],
                 "negative_passages": [{"docid": "2", "text": "y"}]}]  # fmt: skip
        (tmp_path / "many" / language).mkdir(parents=True)
        datasets.Dataset.from_list(rows).to_parquet(tmp_path / "many" / language / "train-00000-of-00001.parquet")
    assert load_task(f"hf:{tmp_path}/many").languages == ["ar", "sw"]


def test_a_name_of_two_languages_asks_which_is_which(tmp_path):
    for kind, rows in tables("en").items():
        datasets.Dataset.from_dict(rows).to_json(tmp_path / f"de-en-{kind}.jsonl")
    with pytest.raises(TaskError, match="subset 'de-en' names two languages; say which comes first"):
        load_task(f"hf:{tmp_path}")
    task = load_task(f"hf:{tmp_path}[pairs=corpus-query]")
    assert (task.query_languages, task.passage_languages) == (["en"], ["de"])


OUTSIDE = [
    ("../secret.jsonl", r"names files outside the data set \(\.\./secret\.jsonl\)"),
    ("/etc/passwd", r"names files outside the data set \(/etc/passwd\)"),
    ("https://example.org/x.jsonl", "names files outside the data set"),
    ("hf://datasets/a/b/x.jsonl", "names files outside the data set"),
    ("**/**/**/**/**/x.jsonl", "too many stars"),
    ("nothing-*.parquet", "no data set in it"),
]


@pytest.mark.parametrize(("path", "says"), OUTSIDE)
def test_a_card_that_names_files_elsewhere_is_refused(tmp_path, path, says):
    (tmp_path / "secret.jsonl").write_text('{"_id": "1", "text": "secret"}\n')
    folder = tmp_path / "set"
    folder.mkdir()
    (folder / "x.jsonl").write_text("{}\n")
    (folder / "README.md").write_text(f"---\nconfigs:\n- config_name: corpus\n  data_files: '{path}'\n---\n")
    with pytest.raises(TaskError, match=says):
        load_task(f"hf:{folder}")


def test_code_of_a_data_set_is_never_run(tmp_path):
    (tmp_path / "set.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')\nraise SystemExit\n")
    with pytest.raises(TaskError, match=r"has no data files that are known, but Python code .*set\.py.* never runs"):
        load_task(f"hf:{tmp_path}")
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("corpus.parquet", b"PAR1 this is none PAR1", "corpus.parquet: cannot be read as Parquet"),
        ("corpus/state.json", b"{}", "no subset has the three tables|no data set in it"),
        ("README.md", b"---\n{ broken: [\n---\n", "its head cannot be read as YAML"),
    ],
)
def test_broken_files_are_named(tmp_path, name, content, says):
    for kind, rows in tables("en").items():
        if not (tmp_path / name).name.startswith(kind) and not name.startswith(f"{kind}/"):
            datasets.Dataset.from_dict(rows).to_json(tmp_path / f"{kind}.jsonl")
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_bytes(content)
    with pytest.raises(TaskError, match=says):
        load_task(f"hf:{tmp_path}[language=en]")


def test_an_arrow_file_that_points_outside_itself_is_refused(tmp_path):
    parts = {kind: datasets.Dataset.from_dict(rows) for kind, rows in tables("en").items()}
    datasets.DatasetDict(parts).save_to_disk(tmp_path)
    file = next((tmp_path / "queries").glob("data-*.arrow"))
    offsets, broken = (
        b"".join(n.to_bytes(4, "little", signed=True) for n in ends) for ends in ((0, 2, 4), (0, -7, 4))
    )  # where the two ids end
    content = file.read_bytes()
    assert content.count(offsets) == 1
    file.write_bytes(content.replace(offsets, broken))
    with pytest.raises(TaskError, match=r"data-.*\.arrow: cannot be read as Arrow"):
        load_task(f"hf:{tmp_path}[language=en]")


def test_without_a_network_one_sentence_says_so(monkeypatch, tmp_path):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(TaskError, match=r"^owner/name: not on this machine, and the hub cannot be reached"):
        load_task("hf:owner/name")
    with pytest.raises(TaskError, match="hf:nothing: there is no such folder"):
        load_task("hf:nothing")


def test_files_are_sorted_as_their_names_say():
    names = [
        "data/corpus-00000-of-00002.parquet", "data/corpus-00001-of-00002.parquet", "data/queries.parquet",
        "qrels/test.parquet", "qrels/train.parquet", "README.md", ".git/x.json",
    ]  # fmt: skip
    (one,) = subsets(configurations(names, {}), part="")
    assert (one.name, len(one.corpus), one.qrels) == ("", 2, ["qrels/test.parquet"])
    nested = [f"{tag}/{kind}.jsonl.gz" for tag in ("ar", "zh-TW") for kind in ("corpus", "queries", "qrels")]
    assert [one.languages("") for one in subsets(configurations(nested, {}), part="")] == [
        ("ar", "ar"),
        ("zh-TW", "zh-TW"),
    ]
