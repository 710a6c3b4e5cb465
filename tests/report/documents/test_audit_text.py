"""The text report: exact lines of a run whose numbers are worked by hand, safe and narrow whatever the names."""

import json
import re

import numpy as np
import polars as pl
import pytest

from xlbias.data.task import RetrievalTask
from xlbias.encode.precomputed import PrecomputedVectors
from xlbias.evaluation import evaluate
from xlbias.report.documents.audit_json import to_json
from xlbias.report.documents.audit_text import number, to_text
from xlbias.results.matrix import matrix
from xlbias.results.overview import overview
from xlbias.results.run import open_run
from xlbias.text import width

pytestmark = pytest.mark.integration

HOSTILE = "\x1b]52;c;ZXZpbA==\x07[/][@click=app.quit]x\u202e\x00\x9b31m"


def small_run(tmp_path, model="planted", task="facts", card=None, languages=None):
    """Two ids in two languages: one German question finds the English passage third."""
    made = RetrievalTask(
        task, "test", "by hand", "none",
        pl.DataFrame({"query_id": ["a", "a", "b"], "language": ["en", "de", "en"], "text": ["x", "y", "z"]}),
        pl.DataFrame({"passage_id": ["1", "2", "3", "4"], "language": ["en", "de", "en", "en"], "text": list("pqrs")}),
        pl.DataFrame({"query_id": ["a", "a", "b"], "passage_id": ["1", "2", "3"], "relevance": [1, 1, 1]}),
    )  # fmt: skip
    if languages:
        made = made.select_languages(languages)
        keep = [i for i, language in enumerate(["en", "de", "en", "en"]) if language in languages]
    passages = np.array([[0.1, 0], [1, 0], [0.5, 1], [0.4, 0.5]], np.float32)
    queries = np.array([[1, 0], [1, 0], [0, 1]], np.float32)
    if languages:
        passages, queries = passages[keep], queries[[0, 2]]
    tmp_path.mkdir(exist_ok=True)
    return evaluate(PrecomputedVectors(queries, passages, model, card or {}), made, tmp_path / "run.parquet")


def test_the_report_says_what_the_ranks_are(tmp_path):
    # en→en: a finds passage 1 third of three (AP 1/3), b its own first (AP 1): mean 2/3. de→en 1/3. en→de, de→de 1.
    # union: a ranks 2 first, then 3, 4, 1: AP (1 + 2/4)/2 = 3/4, rank distance 3; b is alone: undefined.
    run = small_run(tmp_path)
    text = to_text(run, 100)
    assert "facts (test): 2 languages, 3 queries, 4 passages" in text
    row = next(line for line in text.splitlines() if line.endswith("planted") and "→" in line)
    numbers, pairs = [".833", ".667", ".812", "3.0", "1.000"], ["de→en", ".333", "de→de", "1.000"]
    assert row.split() == [*numbers, *pairs, "planted"]
    assert "n: mono 3 queries in 2 cells, cross 2 queries in 2 cells, multi 3 queries in 2 cells" in text
    assert "weighted by queries: mono .778" in text
    assert "planted on facts: 1 of 9 rankings are excluded" in text
    assert "rank distance is undefined for 1 of 3 queries" in text


def test_text_json_and_python_agree(tmp_path):
    run = small_run(tmp_path)
    (result,) = json.loads(to_json(run))["results"]
    (row,) = overview(run).to_dicts()
    assert result["settings"]["monolingual"]["map"] == row["map_mono"] == pytest.approx((1 + 2 / 3) / 2)
    assert result["settings"]["monolingual"]["weighted"]["map"] == pytest.approx((1 + 2 * 2 / 3) / 3)
    assert result["settings"]["cross-lingual"]["n_excluded"] == 1
    assert result["bias"]["rank_distance"]["mean"] == row["rank_distance"] == 3
    assert result["bias"]["rank_distance"]["n"] == 2
    cells = {(c["query_language"], c["pool"]): c["map"] for c in result["cells"]}
    grid = matrix(run, "map", "planted", "facts")
    for i, ql in enumerate(grid.rows):
        for j, pool in enumerate(grid.columns):
            assert grid.cells[i][j].value == cells[ql, pool]
            assert number(cells[ql, pool]) in to_text(run, 100, measures=["map"])


@pytest.mark.parametrize("columns", [60, 80, 140])
def test_no_line_is_wider_than_the_terminal(tmp_path, columns):
    run = small_run(tmp_path, model="a-very-long-name-of-an-encoder-" * 4, task="日本語の課題" * 10)
    too_wide = [line for line in to_text(run, columns, measures=["map"]).splitlines() if width(line) > columns]
    assert too_wide == []


def test_names_from_data_cannot_command_the_terminal(tmp_path):
    run = small_run(tmp_path, model=HOSTILE, task=HOSTILE + "t")
    for text in (to_text(run, 100, measures=["map"]), to_json(run)):
        assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e]", text)
    assert json.loads(to_json(run))["results"][0]["model"] == HOSTILE  # in JSON it is escaped, not lost


def test_language_tags_of_a_tampered_run_cannot_command_the_terminal_either(tmp_path):
    run = small_run(tmp_path)
    tampered = json.loads(json.dumps(run.metadata).replace('"en"', json.dumps(HOSTILE)))
    of_element = pl.element().struct.with_fields(language=pl.field("language").replace("en", HOSTILE))
    frame = pl.read_parquet(run.path).with_columns(
        pl.col("query_language", "pool", "language", "passage_language").replace("en", HOSTILE),
        pl.col("relevants", "top", "tied_with_last").list.eval(of_element),
    )
    path = tmp_path / "tampered.parquet"
    frame.write_parquet(path, metadata={"xlbias": json.dumps(tampered)})
    text = to_text(open_run(path), 100, measures=["map"], by_language=True)
    assert "␛]52" in text
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e]", text)


def test_an_encoder_trained_on_the_task_itself_is_pointed_out(tmp_path):
    fingerprint = small_run(tmp_path / "first").tasks[0].fingerprint
    run = small_run(tmp_path / "second", card={"sources": [{"name": "facts", "fingerprint": fingerprint}]})
    assert "! planted on facts: was trained on this task itself" in to_text(run, 100)


def test_a_setting_without_cells_is_there_and_empty(tmp_path):
    report = json.loads(to_json(small_run(tmp_path, languages=["en"])))
    cross = report["results"][0]["settings"]["cross-lingual"]
    assert (cross["map"], cross["n_cells"], cross["n_queries"]) == (None, 0, 0)


def test_numbers_are_shown_as_in_papers():
    assert [number(v) for v in (0.5734, 1.0, 0.0, None, float("nan"))] == [".573", "1.000", ".000", "·", "·"]
    assert [number(v, unit_range=False) for v in (10917.3, 12.34, 3)] == ["10,917", "12.3", "3.0"]


def test_an_unfinished_run_says_so(tmp_path):
    from xlbias.runs.journal import Journal

    source = small_run(tmp_path)
    out = tmp_path / "live.parquet"
    with Journal.open(out, source.metadata, identity="i") as journal:
        assert "Nothing has been ranked yet" in to_text(open_run(out), 80)
        journal.write("ranking", "0", source.rankings.collect().filter(pl.col("query_language") == "de"))
        text = to_text(open_run(out), 100)
    assert "in progress" in text
    assert "[3 of 6 cells]" in text
