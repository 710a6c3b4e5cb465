"""Ten thousand batches of every sampler, drawn from a partly and a fully parallel task: shares, and no false negative.

What is expected is read off the tasks' frames by other means than the sampler's.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
import pytest
from scipy.stats import binomtest, chisquare

from xlbias.data.task import RetrievalTask
from xlbias.samplers import SAMPLERS
from xlbias.train.sampling.pairs import PairTexts
from xlbias.train.sampling.samplers import LanguageBatchSampler

pytestmark = pytest.mark.integration

P = 0.001  # with fixed seeds a test fails always or never; below this, something is wrong with the sampler
N, SIZE = 10_000, 32
PIVOT = "de"  # MLQA here has no English passages
ALPHA = 0.3
KIND = {"english": "monolingual", "mono": "monolingual", "mixed": "mixed", "cross": "cross-lingual"}


@dataclass(frozen=True)
class Drawn:
    """All that was drawn: arrays over batches."""

    tasks: Sequence[RetrievalTask]
    texts: PairTexts
    task: np.ndarray  # [N]
    kind: np.ndarray  # [N]
    pairs: np.ndarray  # [N, SIZE]
    query_language: np.ndarray  # [N, SIZE], codes
    passage_language: np.ndarray

    @classmethod
    def of(cls, tasks: Sequence[RetrievalTask], texts: PairTexts, sampler: str, alpha: float) -> "Drawn":
        batches = LanguageBatchSampler(texts, SIZE, seed=17, sampler=sampler, alpha=alpha, pivot=PIVOT)
        drawn = [batches.batch(*divmod(i, len(batches))) for i in range(N)]
        return cls(
            tasks,
            texts,
            np.array([batch.task for batch in drawn]),
            np.array([batch.kind for batch in drawn]),
            np.stack([batch.pairs for batch in drawn]),
            np.stack([batch.query_language for batch in drawn]),
            np.stack([batch.passage_language for batch in drawn]),
        )


class TextsOf:
    """For each row of texts, numbers of what its text is or does in the task: ids, or languages."""

    def __init__(self, rows: pl.Series, frame: pl.DataFrame, column: str, numbers: Mapping[str, int]) -> None:
        pairs = frame.select("text", column).unique()
        by_text = dict(pairs.group_by("text").agg(column).iter_rows())
        values = [[numbers[value] for value in by_text[text]] for text in rows]
        self.counts = np.array([len(of_row) for of_row in values])
        self.first = np.cumsum(self.counts) - self.counts
        self.values = np.array([value for of_row in values for value in of_row])

    def expand(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return (position in `rows`, number) of everything that is said of each of them."""
        counts = self.counts[rows]
        place = np.repeat(np.arange(len(rows)), counts)
        within = np.arange(len(place)) - np.repeat(np.cumsum(counts) - counts, counts)
        return place, self.values[self.first[rows][place] + within]


class Judge:
    """What the frames of one task say of the rows that were drawn from it."""

    def __init__(self, task: RetrievalTask, languages: Sequence[str], queries: pl.Series, passages: pl.Series) -> None:
        ids = {query_id: i for i, query_id in enumerate(task.queries["query_id"].unique().sort())}
        codes = {language: code for code, language in enumerate(languages)}
        relevant = task.qrels.join(task.passages, on="passage_id")
        self.n_ids, self.n_languages = len(ids), len(codes)
        self.asks = TextsOf(queries, task.queries, "query_id", ids)
        self.answers = TextsOf(passages, relevant, "query_id", ids)
        self.query_languages = TextsOf(queries, task.queries, "language", codes)
        self.passage_languages = TextsOf(passages, relevant, "language", codes)
        self.text = passages.rank("dense").to_numpy()


@pytest.fixture(scope="module")
def tasks(mlqa: RetrievalTask, ntrex: RetrievalTask) -> list[RetrievalTask]:
    return [mlqa, ntrex]


@pytest.fixture(scope="module")
def texts(tasks: list[RetrievalTask]) -> PairTexts:
    return PairTexts(tasks)


@pytest.fixture(scope="module")
def judges(tasks: list[RetrievalTask], texts: PairTexts) -> list[Judge]:
    return [
        Judge(task, texts.languages, *rows) for task, *rows in zip(tasks, texts.queries, texts.passages, strict=True)
    ]


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_ten_thousand_batches(sampler: str, tasks: list[RetrievalTask], texts: PairTexts, judges: list[Judge]) -> None:
    """One test, as drawing is what takes the time; each line is a property of its own."""
    drawn = Drawn.of(tasks, texts, sampler, ALPHA)
    no_batch_has_an_id_twice_or_equal_passages_or_a_false_negative(drawn, judges)
    tasks_are_drawn_in_proportion_to_their_ids_and_never_mixed(drawn)
    kinds_are_drawn_as_often_as_the_sampler_says(drawn, sampler)
    language_pairs_are_drawn_as_often_as_the_frames_say(drawn, sampler)
    if sampler == "mixed":
        a_mixed_batch_mixes_its_languages(drawn)
    if sampler in ("mono", "cross"):
        batch_for_batch_the_same(drawn, Drawn.of(tasks, texts, "hybrid", alpha={"mono": 1.0, "cross": 0.0}[sampler]))


def no_batch_has_an_id_twice_or_equal_passages_or_a_false_negative(drawn: Drawn, judges: list[Judge]) -> None:
    for number, judge in enumerate(judges):
        here = np.flatnonzero(drawn.task == number)
        of_task, queries, passages = drawn.texts.decode(drawn.pairs[here].reshape(-1))
        assert of_task == number
        batch = np.repeat(np.arange(len(here)), SIZE)
        asking, asked = judge.asks.expand(queries)
        answering, answered = judge.answers.expand(passages)

        # Every passage answers its own query, in the languages that the batch says.
        right = np.isin(asking * judge.n_ids + asked, answering * judge.n_ids + answered)
        assert (np.bincount(asking[right], minlength=len(batch)) > 0).all()
        for side, rows, codes in (
            (judge.query_languages, queries, drawn.query_language),
            (judge.passage_languages, passages, drawn.passage_language),
        ):
            place, code = side.expand(rows)
            right = code == codes[here].reshape(-1)[place]
            assert (np.bincount(place[right], minlength=len(batch)) > 0).all()

        # No query, in whatever language, is there twice; no two passages have one text.
        in_batch = batch[asking] * judge.n_ids + asked
        assert len(np.unique(in_batch)) == len(in_batch)
        assert len(np.unique(batch * (judge.text.max() + 1) + judge.text[passages])) == len(batch)
        # No query is answered, in any language, by a passage other than its own.
        keys, times = np.unique(batch[answering] * judge.n_ids + answered, return_counts=True)
        assert (times[np.isin(keys, in_batch)] == 1).all()


def tasks_are_drawn_in_proportion_to_their_ids_and_never_mixed(drawn: Drawn) -> None:
    owner = np.searchsorted(np.cumsum([len(queries) for queries in drawn.texts.queries]), drawn.pairs >> 32, "right")
    assert (owner == drawn.task[:, None]).all()
    ids = np.array([task.qrels["query_id"].n_unique() for task in drawn.tasks])
    assert ids.tolist() == [9677, 1997]
    assert chisquare(np.bincount(drawn.task), N * ids / ids.sum()).pvalue > P


def kinds_are_drawn_as_often_as_the_sampler_says(drawn: Drawn, sampler: str) -> None:
    same = drawn.query_language == drawn.passage_language
    one = (drawn.query_language == drawn.query_language[:, :1]).all(axis=1) & same.all(axis=1)
    assert one[drawn.kind == "monolingual"].all()
    assert not same[drawn.kind == "cross-lingual"].any()
    assert same[drawn.kind == "mixed"].all()
    if sampler == "hybrid":
        assert set(drawn.kind) == {"monolingual", "cross-lingual"}
        assert binomtest(int((drawn.kind == "monolingual").sum()), N, ALPHA).pvalue > P
    else:
        assert set(drawn.kind) == {KIND[sampler]}


def pair_shares(task: RetrievalTask, kind: str) -> pl.DataFrame:
    """Expected share of each language pair among the pairs of one kind: ``query_language, passage_language, share``."""
    relevant = task.qrels.join(task.passages, on="passage_id").select("query_id", passage_language="language").unique()
    pairs = task.queries.select("query_id", query_language="language").join(relevant, on="query_id")
    same = pl.col("query_language") == pl.col("passage_language")
    of = ["query_language", "passage_language"]
    if kind == "monolingual":  # a language is drawn, then ids that have it
        return pairs.filter(same).select(of).unique().with_columns(share=1 / pl.len())
    chosen = pairs.filter(same if kind == "mixed" else ~same)  # an id is drawn, then one of its pairs
    weighted = chosen.with_columns(share=1 / pl.len().over("query_id") / chosen["query_id"].n_unique())
    return weighted.group_by(of).agg(pl.col("share").sum())


def language_pairs_are_drawn_as_often_as_the_frames_say(drawn: Drawn, sampler: str) -> None:
    kinds = {"monolingual": ALPHA, "cross-lingual": 1 - ALPHA} if sampler == "hybrid" else {KIND[sampler]: 1.0}
    ids = [task.qrels["query_id"].n_unique() for task in drawn.tasks]
    expected: Counter[tuple[int, str, str]] = Counter()
    for number, task in enumerate(drawn.tasks):
        for kind, of_kind in kinds.items():
            shares = pair_shares(task, kind)
            if sampler == "english":
                shares = shares.filter(pl.col("query_language") == PIVOT).with_columns(share=pl.lit(1.0))
            for query, passage, share in shares.select("query_language", "passage_language", "share").iter_rows():
                expected[number, query, passage] += N * ids[number] / sum(ids) * of_kind * share
    # Ids are drawn uniformly but for conflicts within the batch, which the first pair cannot have; and first pairs are
    # independent of one another.
    languages = drawn.texts.languages
    first = zip(
        drawn.task.tolist(), drawn.query_language[:, 0].tolist(), drawn.passage_language[:, 0].tolist(), strict=True
    )
    counts = Counter((task, languages[query], languages[passage]) for task, query, passage in first)
    assert set(counts) <= set(expected)
    assert sum(expected.values()) == pytest.approx(N)
    assert min(expected.values()) > 5  # a chi-square needs that
    assert chisquare([counts[key] for key in expected], list(expected.values())).pvalue > P


def a_mixed_batch_mixes_its_languages(drawn: Drawn) -> None:
    different = np.array([len(set(codes)) for codes in drawn.query_language.tolist()])
    parallel = different[drawn.task == 1]  # 32 draws of 11 languages hold 10.5 of them on average
    assert abs(parallel.mean() - 11 * (1 - (10 / 11) ** 32)) < 0.05


def batch_for_batch_the_same(ours: Drawn, theirs: Drawn) -> None:
    for name in ("task", "kind", "pairs", "query_language", "passage_language"):
        assert (getattr(ours, name) == getattr(theirs, name)).all()
