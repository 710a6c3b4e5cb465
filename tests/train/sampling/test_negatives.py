"""Hard negatives: what may be drawn beside a batch's passages, against the task's own frames."""

from collections import Counter
from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components
from scipy.stats import chisquare

from xlbias.data.task import RetrievalTask
from xlbias.train.sampling.batch import Batch
from xlbias.train.sampling.pairs import PairTexts
from xlbias.train.sampling.samplers import LanguageBatchSampler

pytestmark = pytest.mark.integration

P = 0.001


def made(queries: str, passages: str, qrels: str) -> RetrievalTask:
    """Build a task from words: ``id:language``, ``id:language=text(parallel id)``, and ``id-id`` for an answer or
    ``id!id`` for none.
    """
    rows = [word.replace("(", "=").replace(")", "").replace(":", "=").split("=") for word in passages.split()]
    frame = pl.DataFrame(
        [[*row, None][:4] for row in rows],
        schema=dict.fromkeys(("passage_id", "language", "text", "parallel_id"), pl.String),
        orient="row",
    )
    pairs = [(*word.replace("!", "-").split("-"), int("-" in word)) for word in qrels.split()]
    asked = [(*word.split(":"), f"{word}?") for word in queries.split()]
    return RetrievalTask(
        "made", "", "", "",
        pl.DataFrame(asked, schema=["query_id", "language", "text"], orient="row"),
        frame,
        pl.DataFrame(pairs, schema=["query_id", "passage_id", "relevance"], orient="row"),
    )  # fmt: skip


def drawn_texts(
    task: RetrievalTask, n: int = 200, size: int = 2, **options: object
) -> list[tuple[set[str], list[str]]]:
    """Return (query ids, texts of the hard negatives) of `n` batches."""
    texts = PairTexts([task])
    sampler = LanguageBatchSampler(texts, size, seed=2, **{"sampler": "mono", "hard_negatives": 9, **options})
    ids = dict(task.queries.select("text", "query_id").iter_rows())
    found = []
    for i in range(n):
        rows = texts.__getitems__(sampler.batch(0, i))
        found.append(({ids[row["query"]] for row in rows[:size]}, [row["negative"] for row in rows[size:]]))
    return found


def test_a_task_without_negatives_yields_none(small: RetrievalTask) -> None:
    assert {tuple(negatives) for _, negatives in drawn_texts(small, 20, size=8)} == {()}


def test_none_is_drawn_unless_asked_for() -> None:
    task = made("a:en b:en", "1:en=A 2:en=B 3:en=C", "a-1 b-2 a!3")
    assert {tuple(negatives) for _, negatives in drawn_texts(task, 5)} == {("C",)}
    assert {tuple(negatives) for _, negatives in drawn_texts(task, 5, hard_negatives=0)} == {()}


@pytest.mark.parametrize(
    ("passages", "qrels"),
    [
        ("1:en=A 2:en=B 3:en=C", "a-1 b-2 c-3 a!3"),  # relevant to c
        ("1:en=A 2:en=B 3:en=C 4:en=C", "a-1 b-2 c-3 a!4"),  # equal to what is
        ("1:en=A 2:en=B 3:en=C 4:de=D 5:en=D", "a-1 b-2 c-3 c-4 a!5"),  # equal to its translation
        ("1:en=A 2:en=B 3:en=C(x) 4:en=E(x)", "a-1 b-2 c-3 a!4"),  # parallel to it
        ("1:en=A 2:en=B 3:en=C(x) 4:de=D(x) 5:en=D", "a-1 b-2 c-3 c-4 a!5"),  # equal to what is parallel to it
    ],
)
def test_a_negative_that_answers_another_id_is_drawn_only_where_that_is_not_in_the_batch(
    passages: str, qrels: str
) -> None:
    task = made("a:en b:en c:en", passages, qrels)
    last = task.negatives.join(task.passages, on="passage_id")["text"].to_list()
    for ids, negatives in drawn_texts(task):
        assert negatives == (last if "a" in ids and "c" not in ids else [])


@pytest.mark.parametrize(
    ("passages", "qrels"),
    [
        ("1:en=A 2:en=B 3:en=A", "a-1 b-2 a!3"),  # the text of its own answer
        ("1:en=A 2:en=B 3:de=D 4:en=D", "a-1 b-2 a-3 a!4"),  # of its answer in another language
        ("1:en=A(x) 2:en=B 3:en=C(x)", "a-1 b-2 a!3"),  # parallel to its answer
    ],
)
def test_a_negative_that_says_what_its_own_answer_says_is_never_drawn(passages: str, qrels: str) -> None:
    task = made("a:en b:en", passages, qrels)
    assert {tuple(negatives) for _, negatives in drawn_texts(task, 40)} == {()}


def test_the_translation_of_an_equal_text_is_none_either() -> None:
    # c's answers 3 and 4 are translations of each other, and 3 says what a's answer says
    task = made("a:en b:en c:de", "1:en=A 2:en=B 3:de=A 4:en=C", "a-1 b-2 c-3 c-4 a!4")
    assert {tuple(negatives) for _, negatives in drawn_texts(task, 40)} == {()}


def test_another_answer_of_a_query_that_shares_one_is_a_fine_negative() -> None:
    # b has two answers, of which a has one: a and b never meet, and the other one is judged wrong for a
    task = made("a:en b:en c:en", "1:en=A 2:en=B 3:en=C", "a-1 b-1 b-2 c-3 a!2")
    seen = {(tuple(sorted(ids)), tuple(negatives)) for ids, negatives in drawn_texts(task)}
    assert seen == {(("a", "c"), ("B",)), (("b", "c"), ())}


def test_negatives_are_in_the_language_of_the_passage() -> None:
    task = made("a:en a:de b:en b:de", "1:en=A 2:de=Ä 3:en=B 4:de=Bä 5:en=no 6:de=nein", "a-1 a-2 b-3 b-4 a!5 a!6")
    for options, expected in ({"sampler": "english"}, {"no"}), ({"sampler": "english", "pivot": "de"}, {"nein"}):
        assert {text for _, negatives in drawn_texts(task, 20, **options) for text in negatives} == expected
    texts = PairTexts([task])
    batches = LanguageBatchSampler(texts, 2, sampler="cross", hard_negatives=1)
    for i in range(30):
        rows = texts.__getitems__(batches.batch(0, i))
        asked = next(row for row in rows if row.get("query", "").startswith("a:"))
        assert rows[2] == {"negative": "no" if asked["query"] == "a:de?" else "nein"}


def test_each_choice_is_as_likely_and_none_is_drawn_twice() -> None:
    letters = "PQRSTU"
    passages = " ".join(f"{letter}:en={letter}" for letter in letters)
    task = made("a:en b:en", f"1:en=A 2:en=B {passages} R2:en=R", "a-1 b-2 a!R2 " + " ".join(f"a!{x}" for x in letters))
    counts = Counter("".join(sorted(negatives)) for _, negatives in drawn_texts(task, 1_500, hard_negatives=2))
    assert len(counts) == 6 * 5 / 2  # R is there twice and as likely as the others
    assert chisquare(list(counts.values())).pvalue > P


@pytest.fixture(scope="module")
def mined(mlqa: RetrievalTask) -> RetrievalTask:
    """MLQA with up to twenty random passages judged wrong for each question, some only just not its answer."""
    rng = np.random.default_rng(8)
    ids = mlqa.qrels["query_id"].unique().sort()
    asked = pl.Series(rng.choice(ids.to_numpy(), 20 * len(ids)))
    passages = pl.Series(rng.choice(mlqa.passages["passage_id"].sort().to_numpy(), len(asked)))
    pairs = pl.DataFrame({"query_id": asked, "passage_id": passages}).unique(maintain_order=True)
    return replace(mlqa, negatives=pairs.join(mlqa.qrels, on=["query_id", "passage_id"], how="anti"))


def hanging_together(task: RetrievalTask) -> dict[str, int]:
    """Number for each text what hangs together: questions and their answers in all languages, through equal texts."""
    answers = task.qrels.join(task.passages, on="passage_id").select("query_id", "text")
    links = pl.concat([task.queries.select("query_id", "text"), answers]).unique()
    text, query_id = (links[column].rank("dense").to_numpy() - 1 for column in ("text", "query_id"))
    size = (int(text.max()) + 1, int(query_id.max()) + 1)
    graph = coo_matrix((np.ones(len(text)), (text, query_id + size[0])), shape=(sum(size), sum(size)))
    labels = connected_components(graph, directed=False)[1]
    return dict(zip(links["text"], labels[text].tolist(), strict=True))


@pytest.mark.parametrize("most", [1, 3])
def test_thousands_of_negatives_are_wrong_for_the_whole_batch_and_as_many_as_asked_for(
    most: int, mined: RetrievalTask, mlqa_oracle
) -> None:
    texts = PairTexts([mined])
    size = 32
    batches = LanguageBatchSampler(texts, size, seed=4, hard_negatives=most)
    of_id: dict[tuple[str, str], set[str]] = {}
    judged = mined.negatives.join(mined.passages, on="passage_id").select("query_id", "language", "text")
    for query_id, language, text in judged.iter_rows():
        of_id.setdefault((query_id, language), set()).add(text)
    together = hanging_together(mined)
    total = 0
    for i in range(150):
        batch = batches.batch(0, i)
        rows = texts.__getitems__(batch)
        pairs, negatives = rows[:size], [row["negative"] for row in rows[size:]]
        ids = [mlqa_oracle.query_ids[pair["query"]] for pair in pairs]
        passages = {pair["passage"] for pair in pairs}
        everyone = set.union(*ids)
        here = {together[pair["query"]] for pair in pairs}
        assert len(set(negatives)) == len(negatives)
        assert not passages & set(negatives)
        assert not any(mlqa_oracle.answers[text] & everyone for text in negatives if text in mlqa_oracle.answers)
        # In the order of the pairs, each has as many as it can have.
        left = list(negatives)
        given: set[str] = set()
        for pair, query, code in zip(pairs, ids, batch.passage_language.tolist(), strict=True):
            own = set.union(*(of_id.get((query_id, texts.languages[code]), set()) for query_id in query))
            allowed = {text for text in own - given if together.get(text) not in here}
            mine = [text for text in left[:most] if text in own][: min(most, len(allowed))]
            assert len(mine) == min(most, len(allowed)), pair
            given |= set(mine)
            left = left[len(mine) :]
        assert not left
        total += len(negatives)
    assert total > 150 * size * most * 0.9


def test_a_long_list_is_no_slower_than_a_short_one(mlqa: RetrievalTask) -> None:
    """Lists of ten thousand negatives are looked at in a few places only."""
    task = mlqa.select_languages(["de"])
    some = task.qrels["query_id"].unique().sort()[:40].to_frame()
    passages = task.passages.select("passage_id").sort("passage_id")
    pairs = some.join(passages, how="cross").join(task.qrels, on=["query_id", "passage_id"], how="anti")
    texts = PairTexts([replace(task, negatives=pairs)])
    negatives = texts.tasks[0].negatives
    assert len(negatives.entries) > 100_000
    looked_at = []
    described = type(negatives)._described

    def counting(self, places):
        looked_at.append(len(places))
        return described(self, places)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(type(negatives), "_described", counting)
        for seed in range(20):
            ids = np.random.default_rng(seed).permutation(texts.tasks[0].n_ids)[:32]
            negatives.draw(ids, np.zeros(32, int), texts.tasks[0].groups_of(ids), 2, np.random.default_rng(seed))
    assert max(looked_at, default=0) < 20


def test_parts_of_a_batch_are_the_batch_and_know_their_place(mined: RetrievalTask) -> None:
    switched = []

    def switch(text: str, language: str, key: tuple[int, ...]) -> str:
        switched.append((key, language, text))
        return f"{key} {text}"

    texts = PairTexts([mined], switch)
    batch = LanguageBatchSampler(texts, 12, seed=4, hard_negatives=2, sampler="mono").batch(0, 3)
    batch = replace(batch, negatives=batch.negatives[:23])  # 23 do not divide by three: two stay out
    whole = texts.__getitems__(batch)
    assert len(whole) == 12 + 23
    assert len({key for key, *_ in switched}) == len(switched) == 12 + 12 + 23
    codes = {language for key, language, _ in switched if key[2] == 2}
    assert codes == {texts.languages[batch.passage_language[0]]}
    parts = [texts.__getitems__(batch.part(rank, 3)) for rank in range(3)]
    assert [row for part in parts for row in part if "query" in row] == whole[:12]
    assert [row for part in parts for row in part if "negative" in row] == whole[12:33]
    halves = [batch.part(0, 3).part(rank, 2) for rank in range(2)]
    assert [half.first_negative for half in halves] == [0, 3]


def test_a_plain_list_of_pairs_is_pairs_alone(mined: RetrievalTask) -> None:
    texts = PairTexts([mined])
    batch = LanguageBatchSampler(texts, 4, hard_negatives=1).batch(0, 0)
    assert isinstance(batch, Batch)
    assert texts.__getitems__(list(batch)) == texts.__getitems__(batch)[:4]


def test_the_training_texts_include_negatives_that_can_be_drawn_and_no_others() -> None:
    task = made("a:en b:en", "1:en=A 2:en=B 3:en=C 4:de=D 5:en=A 6:en=X", "a-1 b-2 a!3 b!4 a!5")
    found = {(language, text) for language, texts in PairTexts([task]).texts() for text in texts}
    assert found == {("en", "a:en?"), ("en", "b:en?"), ("en", "A"), ("en", "B"), ("en", "C"), ("de", "D")}


def test_the_order_of_rows_changes_nothing(mined: RetrievalTask) -> None:
    frames = {name: getattr(mined, name) for name in ("queries", "passages", "qrels", "negatives")}
    shuffled = replace(mined, **{k: v.sample(fraction=1, shuffle=True, seed=2) for k, v in frames.items()})
    drawn = []
    for task in (mined, shuffled):
        texts = PairTexts([task])
        batches = LanguageBatchSampler(texts, 16, seed=6, hard_negatives=2)
        drawn.append([texts.__getitems__(batches.batch(0, i)) for i in range(20)])
    assert drawn[0] == drawn[1]
