"""Rankings of other programs as runs: numbers against pytrec_eval, and what is wrong with a file."""

import gzip
import hashlib
import json

import numpy as np
import polars as pl
import pytest
import pytrec_eval
from narrators import Listening
from support import make_task, make_vectors

import xlbias
from xlbias.data.convert import beir_query_id
from xlbias.errors import RunError, UsageError, XlbiasError
from xlbias.export.trec import export_run
from xlbias.results.caveats import caveats
from xlbias.runs.schema import MULTILINGUAL_POOL

TREC = {"recall@1": "recall_1", "recall@10": "recall_10", "precision@10": "P_10", "ndcg@10": "ndcg_cut_10",
        "success@10": "success_10", "map": "map", "rr": "recip_rank"}  # fmt: skip
REQUESTED = {"map", "recip_rank", "recall.1,10", "P.10", "ndcg_cut.10", "success.10"}
DEPTH = 40


@pytest.fixture(scope="module")
def task():
    return make_task(12).select_languages(["de", "en", "th"])


@pytest.fixture(scope="module")
def lists(task):
    """Scores of every query, some of them equal; one query has found three passages, one none."""
    rng = np.random.default_rng(3)
    ids = task.queries.select(beir_query_id(task)).to_series().to_list()
    passages = task.passages["passage_id"].to_list()
    found = {}
    for i, query in enumerate(ids[:-1]):
        scores = np.round(rng.random(len(passages)) * 8, 1)
        best = np.argsort(-scores, kind="stable")[: 3 if i == 4 else 30]
        found[query] = {passages[p]: float(scores[p]) for p in best}
    return found


def trec(lists, tag="bm25"):
    rows = (
        f"{query} Q0 {passage} {rank} {score!r} {tag}"
        for query, found in lists.items()
        for rank, (passage, score) in enumerate(found.items(), 1)
    )
    return "\n".join(rows) + "\n"


def per_query(run, measure):
    from xlbias.results.per_query import Ranked, quality_values

    frame = run.rankings.collect()
    table = next(iter(quality_values(Ranked(frame, run.pool_sizes[run.tasks[0].name]), [measure])))
    most = table.values if table.most is None else table.most
    return {
        (query_id, key.query_language, key.passage_language): (table.values[r, c], most[r, c])
        for r, query_id in enumerate(table.ids)
        for c, key in enumerate(table.columns)
    }


def oracle(task, lists, pool=MULTILINGUAL_POOL):
    languages = dict(task.passages.select("passage_id", "language").iter_rows())
    here = [one for one in languages if pool in (MULTILINGUAL_POOL, languages[one])]
    qrels, run = {}, {}
    for query, query_id in zip(
        task.queries.select(beir_query_id(task)).to_series(), task.queries["query_id"], strict=True
    ):
        judged = task.qrels.filter((pl.col("query_id") == query_id) & pl.col("passage_id").is_in(here))
        qrels[query] = dict(judged.select("passage_id", pl.col("relevance").cast(pl.Int64)).iter_rows())
        run[query] = {p: s for p, s in lists.get(query, {}).items() if p in here} or {"none": 0.0}
    return pytrec_eval.RelevanceEvaluator(qrels, REQUESTED).evaluate(run)


def test_measures_with_cut_offs_equal_pytrec_eval_and_others_have_bounds_that_hold_it(task, lists, tmp_path):
    file = tmp_path / "bm25.trec"
    file.write_text(trec(lists))
    heard = Listening()
    run = xlbias.import_run(file, task, tmp_path / "run.parquet", narrator=heard)
    theirs = oracle(task, lists)
    for measure, name in TREC.items():
        for (query_id, language, pool), (low, high) in per_query(run, measure).items():
            if pool == MULTILINGUAL_POOL:
                value = theirs[f"{language}/{query_id}"][name]
                if measure in ("map", "rr"):
                    assert low - 1e-6 <= high <= 1 and value <= high + 1e-6
                    assert low >= value - 1e-6  # trec_eval adds nothing for what is not found
                else:
                    assert (low, high) == pytest.approx((value, value), abs=1e-6), (measure, query_id, language)
    assert [model.name for model in run.models] == ["bm25"]
    file_of = run.models[0].system.files[0]
    assert file_of.sha256 == hashlib.sha256(file.read_bytes()).hexdigest()
    assert (file_of.depth, file_of.n_lists, file_of.n_missing) == (30, 35, 1)
    assert any("queries without a list, which count as not retrieved: 1" in line for line in heard.lines)
    assert any("score the same as the one before them: ordered by falling passage id" in line for line in heard.lines)
    assert [one.kind for one in caveats(run) if one.kind == "censored"] == ["censored"]


def test_rankings_of_each_language_are_taken_as_they_are(task, lists, tmp_path):
    sources = []
    languages = dict(task.passages.select("passage_id", "language").iter_rows())
    for pool in ("de", "en"):
        own = {query: {p: s for p, s in found.items() if languages[p] == pool} for query, found in lists.items()}
        with gzip.open(tmp_path / f"{pool}.trec.gz", "wt") as file:
            file.write(trec(own))
        sources.append(f"{tmp_path / f'{pool}.trec.gz'}[pool={pool}]")
    run = xlbias.import_run(sources, task, tmp_path / "run.parquet", name="mine", depth=100)
    assert set(run.cells["pool"]) == {"de", "en"}
    for pool in ("de", "en"):
        theirs = oracle(task, lists, pool)
        for (query_id, language, there), (low, high) in per_query(run, "ndcg@10").items():
            if there == pool:
                value = theirs[f"{language}/{query_id}"]["ndcg_cut_10"]
                assert (low, high) == pytest.approx((value, value), abs=1e-6)


def test_a_ranking_of_all_languages_tells_each_pool_as_far_as_it_goes(task, lists, tmp_path):
    file = tmp_path / "bm25.trec"
    file.write_text(trec(lists))
    frame = xlbias.import_run(file, task).rankings.collect()
    languages = dict(task.passages.select("passage_id", "language").iter_rows())
    of_query = next(query for query in lists if query.startswith("en/") and len(lists[query]) == 30)
    for pool in ("de", "en", "th"):
        row = frame.filter(
            (pl.col("query_id") == of_query[3:]) & (pl.col("query_language") == "en") & (pl.col("pool") == pool)
        ).row(0, named=True)
        assert row["known_to"] == sum(languages[p] == pool for p in lists[of_query])


def test_query_languages_in_files_of_their_own_json_and_trec_give_the_same(task, lists, tmp_path):
    whole = tmp_path / "all.trec"
    whole.write_text(trec(lists))
    sources = []
    for language in ("de", "en", "th"):
        own = {query.partition("/")[2]: found for query, found in lists.items() if query.startswith(f"{language}/")}
        (tmp_path / f"{language}.json").write_text(json.dumps(own))
        sources.append(f"{tmp_path / f'{language}.json'}[query={language}]")
    one, many = xlbias.import_run(whole, task, name="x"), xlbias.import_run(sources, task, name="x", depth=30)
    assert one.rankings.collect().equals(many.rankings.collect())


def test_the_order_is_that_of_scores_or_of_ranks(task, tmp_path):
    ids = task.passages["passage_id"].to_list()[:4]
    file = tmp_path / "distances.trec"
    query = f"de/{task.queries['query_id'][0]}"
    file.write_text("".join(f"{query} Q0 {one} {rank} {rank / 10} d\n" for rank, one in enumerate(ids, 1)))
    heard = Listening()
    by_score = xlbias.import_run(file, task, narrator=heard)
    by_rank = xlbias.import_run(file, task, order="rank")
    first = [
        run.rankings.filter(pl.col("pool") == MULTILINGUAL_POOL, pl.col("top").list.len() > 0)
        .select(pl.col("top").list.first().struct.field("passage_id"))
        .collect()
        .item()
        for run in (by_score, by_rank)
    ]
    assert first == [ids[3], ids[0]]
    assert any("order by rank with --order rank" in line for line in heard.lines)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "the file is empty"),
        ("a Q0 b 1 2.0\n", "line 1: expected 'query Q0 passage rank score tag' (TREC); found 5 columns"),
        ("en/q0000 0 en-q0000 1\n", "four columns are judgements (qrels), not rankings"),
        ("en/q0000 Q0 en-q0000 1 nan t\n", "line 1: the score is 'nan'; expected a finite number"),
        ("en/q0000 Q0 en-q0000 1 high t\n", "line 1: the score is 'high'; expected a finite number"),
        ("en/q0000 Q0 en-q0000 one 1 t\n", "line 1: the rank is 'one'; expected a whole number"),
        ("en/q0000 Q0 en-q0000 1 2 t\nen/q0000 Q0 en-q0000 2 1 t\n", "line 2: passage 'en-q0000' is there twice for "),
        ("en/q0000 Q0 en-q00 1 2 t\n", "line 1: passage 'en-q00' is not in made (did you mean en-q00"),
        ("en/q000 Q0 en-q0000 1 2 t\n", "line 1: query 'en/q000' is not in made (did you mean"),
        ("q0000 Q0 en-q0000 1 2 t\n", "query 'q0000' is asked in 3 languages: say which one the file is of"),
        ("en/q0000 Q0 en-q0000 1 2 t\nen/q0000 Q0 \xff 1 2 t\n", "line 2: is not UTF-8"),
        ("{", "is not JSON"),
        ("[1]", "holds a list; expected {query: {passage: score}}"),
        ('{"en/q0000": 3}', "query 'en/q0000' is 3; expected {query: {passage: score}}"),
        ('{"en/q0000": {"en-q0000": "1"}}', "has the score '1'; expected a number"),
        ('{"en/q0000": {"en-q0000": NaN}}', "expected a finite number"),
        ('{"en/q0000": {"en-q0000": 1, "en-q0000": 2}}', "'en-q0000' is there twice"),
    ],
)  # fmt: skip
def test_a_file_that_is_no_ranking_of_the_task_is_refused_with_one_sentence(task, tmp_path, content, said):
    file = tmp_path / "run.trec"
    file.write_bytes(content.encode("latin-1"))
    with pytest.raises(XlbiasError) as error:
        xlbias.import_run(file, task, tmp_path / "run.parquet")
    assert said in str(error.value) and str(file) in str(error.value) and "\n" not in str(error.value)
    assert [one.name for one in tmp_path.iterdir()] == ["run.trec"]


def test_sources_that_contradict_each_other_are_refused(task, lists, tmp_path):
    file, again = tmp_path / "a.trec", tmp_path / "b.trec"
    for one in (file, again):
        one.write_text(trec(lists))
    for given, said in (
        ([file, again], "both rank queries in de in the pool de"),
        (f"{file}[pool=fr]", "made has no passages in 'fr'"),
        (f"{file}[pol=de]", "option 'pol=de' (did you mean pool?)"),
        (f"{file}[pool=de]", "the file is given as a ranking of passages in de"),
    ):
        with pytest.raises(
            (RunError, UsageError), match=said.replace("(", r"\(").replace("?", r"\?").replace(")", r"\)")
        ):
            xlbias.import_run(given, task)


def test_unknown_ids_are_left_out_and_counted_where_that_is_asked_for(task, lists, tmp_path):
    file = tmp_path / "run.trec"
    file.write_text(trec(lists) + "xx/q9999 Q0 en-q0000 1 2 bm25\n")
    run = xlbias.import_run(file, task, ignore_unknown=True)
    assert run.models[0].system.files[0].n_ignored == 1


@pytest.mark.parametrize("pool", ["multilingual", "en"])
def test_an_exported_run_comes_back_with_the_same_numbers_where_they_are_known(task, tmp_path, pool):
    top_k = 20
    run = xlbias.evaluate(make_vectors(task), task, top_k=top_k)
    export_run(run, tmp_path / "run.trec.gz", pool=pool)
    source = f"{tmp_path / 'run.trec.gz'}" + ("" if pool == "multilingual" else f"[pool={pool}]")
    back = xlbias.import_run(source, task)
    for measure in ("recall@1", "recall@10", "ndcg@10", "precision@10", "map", "rr"):
        first, again = per_query(run, measure), per_query(back, measure)
        for key, (low, high) in again.items():
            if key[2] == pool:
                (value, _) = first[key]
                assert low - 1e-6 <= value <= high + 1e-6
                if measure not in ("map", "rr"):
                    assert (low, high) == pytest.approx((value, value), abs=1e-6)
    ranks = [
        {(r["query_id"], r["query_language"], r["pool"]): r for r in each.rankings.collect().to_dicts()}
        for each in (run, back)
    ]
    for key in (key for key in ranks[1] if key[2] == pool):
        known = [one["rank"] for one in ranks[0][key]["relevants"] if one["rank"] <= top_k]
        assert [one["rank"] for one in ranks[1][key]["relevants"]][: len(known)] == known


def test_a_file_of_one_pool_stands_above_what_the_ranking_of_all_languages_says_of_it(task, lists, tmp_path):
    (tmp_path / "all.trec").write_text(trec(lists))
    whole = {p: float(i) for i, p in enumerate(task.passages.filter(pl.col("language") == "de")["passage_id"])}
    own = {query: whole for query in lists if query.startswith("en/")}
    (tmp_path / "de.trec").write_text(trec(own))
    run = xlbias.import_run([tmp_path / "all.trec", f"{tmp_path / 'de.trec'}[pool=de]"], task)
    frame = run.rankings.select("query_language", "pool", "known_to").collect()
    of_file = (pl.col("query_language") == "en") & (pl.col("pool") == "de")
    assert frame.filter(of_file)["known_to"].null_count() == frame.filter(of_file).height == 12  # known to its end
    german = (pl.col("query_language") == "th") & (pl.col("pool") == "de")
    assert frame.filter(german)["known_to"].null_count() < 12
    assert frame.height == task.queries.height * 4
