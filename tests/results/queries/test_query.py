"""One query in all its languages: every number against the scores that it was made from, sorted by hand."""

import polars as pl
import pytest
from results import searched
from results.searched import IDS, LANGUAGES, TASK, Searched, answers, passages, ranked

from xlbias.dashboard.views.query_panels import frame, table
from xlbias.results.queries.query import QueryView, beyond, move, query_view, ranks_by_passage
from xlbias.results.run import open_run

POOLS = (*LANGUAGES, "multilingual")


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return open_run(Searched(tmp_path_factory.mktemp("searched") / "run.parquet").finish())


def order_of(model, query_id, language, pool):
    return [name for name, _ in ranked(model, query_id, language, pool)]


@pytest.mark.parametrize("pool", POOLS)
@pytest.mark.parametrize("query_id", IDS)
def test_rankings_marks_and_texts_are_those_of_the_scores(run, query_id, pool):
    for language in LANGUAGES:
        view = query_view(run, "new", TASK, query_id, language, pool)
        order, relevant = ranked("new", query_id, language, pool), answers(query_id)
        top = [(p.passage_id, p.language, p.rank, p.score, p.relevance > 0, p.text) for p in view.top]
        assert top == [
            (name, passages()[name], rank, pytest.approx(score), name in relevant, searched.passage_text(name))
            for rank, (name, score) in enumerate(order[: searched.K], 1)
        ]
        assert [(p.passage_id, p.rank, p.score, p.text) for p in view.relevants] == [
            (name, rank, pytest.approx(score), searched.passage_text(name))
            for rank, (name, score) in enumerate(order, 1)
            if name in relevant
        ]
        assert all(p.relevance == 1 and p.language == passages()[p.passage_id] for p in view.relevants)
        expected = searched.average_precision([name for name, _ in order], relevant)
        assert view.ap == (None if expected is None else pytest.approx(expected))
        assert view.ranked


@pytest.mark.parametrize("query_id", IDS)
def test_languages_and_the_grid_of_ranks(run, query_id):
    view = query_view(run, "old", TASK, query_id, "hi", "ar")
    assert view.passage_languages == (("ar", "hi") if query_id == "q2" else LANGUAGES)
    assert [one.language for one in view.languages] == list(LANGUAGES)
    for one in view.languages:
        union, here = (order_of("old", query_id, one.language, pool) for pool in ("multilingual", "ar"))
        best = {}
        for rank, name in enumerate(union, 1):
            if name in answers(query_id):
                best.setdefault(passages()[name], rank)
        assert dict(zip(view.passage_languages, one.ranks, strict=True)) == best
        assert one.ap_multilingual == pytest.approx(searched.average_precision(union, answers(query_id)))
        assert one.ap == pytest.approx(searched.average_precision(here, answers(query_id)))
        assert one.first_rank == 1 + min(i for i, name in enumerate(here) if name in answers(query_id))
        assert one.text == searched.query_text(query_id, one.language)
    assert view.chosen is view.languages[1]


def test_several_relevant_passages_in_one_language_are_all_listed_and_the_best_one_is_in_the_grid(run):
    view = query_view(run, "new", TASK, "q0", "zh", "multilingual")
    in_hindi = [p.rank for p in view.relevants if p.language == "hi"]
    assert len(in_hindi) == 2
    assert dict(zip(view.passage_languages, view.chosen.ranks, strict=True))["hi"] == min(in_hindi)


def test_a_query_with_nothing_relevant_in_the_pool_has_no_precision_but_a_top_k(run):
    view = query_view(run, "new", TASK, "q2", "ar", "zh")
    assert (view.ranked, view.ap, view.relevants, len(view.top)) == (True, None, (), searched.K)
    assert view.chosen.first_rank is None


@pytest.mark.parametrize(
    ("query_id", "language", "pool", "found", "chosen"),
    [("nope", "hi", "ar", False, False), ("q0", "fr", "ar", True, False), ("q0", "hi", "fr", True, True)],
)
def test_what_is_not_there_is_empty(run, query_id, language, pool, found, chosen):
    view = query_view(run, "new", TASK, query_id, language, pool)
    assert (view.found, view.chosen is not None, view.ranked, view.ap) == (found, chosen, False, None)
    assert (view.top, view.relevants) == ((), ())
    for panel in ("top", "relevant", "languages", "ranks"):
        assert frame(panel, view).height == len(table(panel, view).rows)


def test_a_model_or_a_task_that_the_run_has_not_is_no_query(run):
    assert not query_view(run, "new", "other task", "q0", "hi", "ar").found
    assert not query_view(run, "other model", TASK, "q0", "hi", "ar").ranked


def test_a_run_in_progress_has_what_was_ranked_so_far(tmp_path):
    made = Searched(tmp_path / "run.parquet")
    made.write("new", "hi")
    view = query_view(open_run(made.path), "new", TASK, "q1", "hi", "multilingual")
    assert [(one.language, one.ranked) for one in view.languages] == [("ar", False), ("hi", True), ("zh", False)]
    assert view.languages[0].ranks == (None, None, None)
    assert view.languages[0].text == searched.query_text("q1", "ar")
    made.journal.close()


def test_a_run_without_texts_has_ranks_and_no_texts(tmp_path):
    run = open_run(Searched(tmp_path / "run.parquet", texts=False).finish())
    view = query_view(run, "new", TASK, "q1", "hi", "multilingual")
    assert view.found and view.ranked and view.ap is not None
    assert {p.text for p in (*view.top, *view.relevants)} == {one.text for one in view.languages} == {None}
    assert view.n_characters == 0
    assert "·" in [cell.text for cell in table("top", view).rows[0]]


def test_only_what_is_shown_is_read(run, monkeypatch):
    """Every scan is narrowed to the query, and texts to the passages shown, before it is collected."""
    plans = []
    collect = pl.LazyFrame.collect
    monkeypatch.setattr(pl.LazyFrame, "collect", lambda f, *a, **m: (plans.append(f.explain()), collect(f, *a, **m))[1])
    query_view(run, "new", TASK, "q1", "hi", "multilingual")
    assert len(plans) == 3
    for plan in plans:
        assert "FILTER" not in plan.split("Parquet SCAN")[0]
        assert "SELECTION" in plan
    rankings = next(plan for plan in plans if '"relevants"' in plan or 'col("relevants")' in plan)
    assert '"q1"' in rankings
    assert '"new"' in rankings


# -- two runs ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rank", "before", "said"),
    [(1, 4, "▲3"), (13, 1, "▼12"), (2, 2, "·"), (3, None, "new"), (None, 2, "▼out"), (1, 12_346, "▲12,345")],
)
def test_moves(rank, before, said):
    assert move(rank, before) == said


@pytest.mark.parametrize("query_id", IDS)
@pytest.mark.parametrize("pool", POOLS)
def test_moves_of_the_top_k_and_of_relevant_passages(run, query_id, pool):
    new, old = (query_view(run, model, TASK, query_id, "ar", pool) for model in ("new", "old"))
    order, before = (order_of(model, query_id, "ar", pool) for model in ("new", "old"))
    rows = frame("top", new, old)
    k = searched.K
    dropped = [name for name in before[:k] if name not in order[:k]]
    listed = [*order[:k], *dropped]
    assert rows.height == len(listed)
    for place, (row, name) in enumerate(zip(rows.iter_rows(named=True), listed, strict=True)):
        now, was = order.index(name) + 1, before.index(name) + 1
        relevant = name in answers(query_id)
        assert row["rank"] == (str(now) if now <= k or relevant else f">{k}")
        assert row["was"] == (str(was) if was <= k or relevant else f">{k}")
        known = relevant or (now <= k and was <= k)
        assert row["move"] == (move(now, was) if known else "new" if now <= k else "▼out")
        assert row["mark"] == ("✓" if relevant else "")
        assert row["text"] == searched.passage_text(name)
        if place >= k:
            assert row["base_text"] is None
            continue
        base = before[place]
        there = order.index(base) + 1
        assert row["base_now"] == (str(there) if there <= k or base in answers(query_id) else f">{k}")
        assert (row["base_language"], row["base_text"]) == (passages()[base], searched.passage_text(base))
        assert row["base_mark"] == ("✓" if base in answers(query_id) else "")
    for row in frame("relevant", new, old).iter_rows(named=True):
        now, was = order.index(row["passage_id"]) + 1, before.index(row["passage_id"]) + 1
        assert (row["rank"], row["was"], row["move"]) == (now, str(was), move(now, was))


def test_moves_of_the_first_rank_by_language(run):
    new, old = (query_view(run, model, TASK, "q2", "hi", "zh") for model in ("new", "old"))
    assert set(frame("languages", new, old)["move"]) == {None}  # nothing relevant, so nothing to move
    new, old = (query_view(run, model, TASK, "q2", "hi", "ar") for model in ("new", "old"))
    for row in frame("languages", new, old).iter_rows(named=True):
        now, was = (
            1 + min(i for i, n in enumerate(order_of(model, "q2", row["language"], "ar")) if n in answers("q2"))
            for model in ("new", "old")
        )
        assert (row["rank"], row["was"], row["move"]) == (now, was, move(now, was))


def test_a_longer_list_of_the_baseline_is_shown_to_its_end(run):
    old = query_view(run, "old", TASK, "q0", "hi", "multilingual")
    new = QueryView(**{**vars(query_view(run, "new", TASK, "q0", "hi", "multilingual")), "top": ()})
    rows = frame("top", new, old)
    assert rows.height == searched.K
    assert rows["language"].to_list() == [p.language for p in old.top]  # all of them have dropped out
    assert rows["was"].to_list() == ["1", "2", "3", "4"]
    assert rows["base_language"].to_list() == [p.language for p in old.top]
    assert len(table("top", new, old).rows) == searched.K
    assert beyond(new) == ">0"


def test_a_baseline_that_has_not_ranked_the_query_says_nothing_of_moves(run):
    new = query_view(run, "new", TASK, "q0", "hi", "multilingual")
    nothing = query_view(run, "not there", TASK, "q0", "hi", "multilingual")
    assert set(frame("top", new, nothing)["move"]) == {None}
    assert set(frame("relevant", new, nothing)["was"]) == {None}
    assert ranks_by_passage(nothing) == {}


# -- tables ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("compared", [False, True])
def test_tables_hold_numbers_in_full_and_every_cell_has_its_head(run, compared):
    new = query_view(run, "new", TASK, "q0", "hi", "multilingual")
    old = query_view(run, "old", TASK, "q0", "hi", "multilingual") if compared else None
    for panel in ("top", "relevant", "languages", "ranks"):
        whole = table(panel, new, old)
        assert {len(row) for row in whole.rows} == {len(whole.heads)}
        assert table(panel, new, old, [1]).rows == whole.rows[1:2]
        assert "q0, hi in all passages, new on qa" in whole.title
    values = [row[1].value for row in table("ranks", new, old).rows]
    assert values == [one.ap_multilingual for one in new.languages]
    ranks = [[cell.value for cell in row[2:]] for row in table("ranks", new, old).rows]
    assert ranks == [list(one.ranks) for one in new.languages]


def test_texts_from_data_are_whole_and_clean_in_tables(tmp_path):
    hostile = "\x1b]52;c;eA==\x07[/]\u202e" + "x" * 5000 + "\n\tend"
    run = open_run(Searched(tmp_path / "run.parquet", passage=lambda _: hostile).finish())
    view = query_view(run, "new", TASK, "q0", "hi", "multilingual")
    assert view.top[0].text == hostile
    for panel in ("top", "relevant"):
        text = table(panel, view).rows[0][-1].text
        assert text == "␛]52;c;eA==␇[/]⟨U+202E⟩" + "x" * 5000 + " end"
        assert len(frame(panel, view)["text"][0]) < len(hostile)
