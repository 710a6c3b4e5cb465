"""What was trained on travels with an encoder: an evaluation on it says so, whatever the task is called."""

import json
import unicodedata
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from narrators import Listening

from xlbias.data.catalog import load_task
from xlbias.data.split import split_task
from xlbias.data.task import RetrievalTask
from xlbias.encode.load import load_encoder
from xlbias.encode.trained_on import Fingerprints, TrainedOn, read_trained_on, text_fingerprints, trained_on_of
from xlbias.errors import EncoderError
from xlbias.evaluation import evaluate, seen_texts
from xlbias.evaluation.seen_texts import TaskTexts
from xlbias.report.render import render_report
from xlbias.results.caveats import caveats
from xlbias.results.run import Run
from xlbias.train.recipe import Recipe
from xlbias.train.trainer.fit import Training, fit
from xlbias.train.trainer.held_out import without_texts_of

pytestmark = pytest.mark.integration

QUICK = Recipe(
    base="static", steps=24, batch_size=8, learning_rate=3e-2, query_prefix="", passage_prefix="", dimension=16,
    vocabulary=600, seed=7, validation=0.1, monitor="loss",
)  # fmt: skip


@pytest.fixture(scope="module")
def whole() -> RetrievalTask:
    task = load_task("builtin:calendar").select_languages(["de", "en"])
    keep = task.queries["query_id"].unique().sort()[:120]
    qrels = task.qrels.filter(pl.col("query_id").is_in(keep.implode()))
    return task.select_passages(qrels["passage_id"].unique())


@pytest.fixture(scope="module")
def trained(whole: RetrievalTask, tmp_path_factory: pytest.TempPathFactory) -> Training:
    return fit(whole, tmp_path_factory.mktemp("trained") / "leaky", QUICK, sampler="cross")


def counts(run: Run, model: str, language: str | None = None) -> dict[str, tuple[float | None, int]]:
    """Return what a run says was seen: measure → (how many, of how many)."""
    rows = run.summary.filter(
        (pl.col("model") == model)
        & pl.col("measure").str.contains("seen|validated")
        & (pl.col("query_language").is_null() if language is None else pl.col("query_language") == language)
    )
    return {measure: (value, n) for measure, value, n in rows.select("measure", "value", "n").iter_rows()}


def copied(text: str, form: str) -> str:
    return f" {unicodedata.normalize(form, text)}\r\n".replace(" ", "\u00a0 ")


def copies_of(task: RetrievalTask, form: str) -> RetrievalTask:
    """The same task from files that were written in another way."""
    other = pl.col("text").map_elements(lambda text: copied(text, form), pl.String)
    return replace(task, queries=task.queries.with_columns(other), passages=task.passages.with_columns(other))


def texts(*tasks: RetrievalTask) -> set[str]:
    frames = [frame for task in tasks for frame in (task.queries, task.passages)]
    return {" ".join(unicodedata.normalize("NFC", text).split()) for frame in frames for text in frame["text"]}


def test_a_part_of_what_was_trained_on_under_another_name_is_counted_exactly(
    whole: RetrievalTask, trained: Training, tmp_path: Path
) -> None:
    part = split_task(whole, "test").renamed("something else")
    copies = copies_of(part, "NFD")
    told = Listening()
    run = evaluate([str(trained.path)], [copies], tmp_path / "run.parquet", narrator=told)
    # The oracle: texts compared as sets, and what was held out is known by the card's fingerprint of it.
    held = {name["fingerprint"] for name in trained.card["validated_on"]}
    assert len(held) == 1
    seen = TrainedOnTexts(whole, trained)
    for side, frame in (("queries", part.queries), ("passages", part.passages)):
        for language in (None, "de", "en"):
            some = frame if language is None else frame.filter(pl.col("language") == language)
            canonical = [" ".join(unicodedata.normalize("NFC", text).split()) for text in some["text"]]
            found = counts(run, "leaky", language)
            assert found[f"seen_{side}"] == (sum(text in seen.training for text in canonical), len(canonical))
            assert found[f"validated_{side}"] == (sum(text in seen.validation for text in canonical), len(canonical))
    n, of = counts(run, "leaky")["seen_queries"]
    assert 0 < n <= of
    (first, *_) = [one for one in caveats(run) if one.kind == "seen"]
    assert (first.model, first.task) == ("leaky", "something else")
    assert f"trained on {int(n):,} of {of:,} queries" in first.sentence
    assert any(first.sentence in line for line in told.lines), "the log says it"
    assert first.sentence[:30] in " ".join(render_report([run], "text").split())


class TrainedOnTexts:
    """The texts of a training's two sides, found by holding out as it did."""

    def __init__(self, whole: RetrievalTask, trained: Training) -> None:
        from xlbias.train.trainer.held_out import hold_out

        split = hold_out([whole], QUICK.validation, seed=0)
        assert [task.fingerprint for task in split.validation] == [
            one["fingerprint"] for one in trained.card["validated_on"]
        ]
        self.training, self.validation = texts(*split.training), texts(*split.validation)


def test_the_other_side_of_a_split_is_not_marked(whole: RetrievalTask, tmp_path: Path) -> None:
    sides = {part: split_task(whole, part) for part in ("train", "test")}
    assert not texts(sides["train"]) & texts(sides["test"])
    fit(sides["train"], tmp_path / "clean", QUICK, sampler="cross")
    run = evaluate([str(tmp_path / "clean")], [sides["test"]], tmp_path / "run.parquet")
    assert {value for value, _ in counts(run, "clean").values()} == {0.0}
    assert [one for one in caveats(run) if one.kind == "seen"] == []
    assert "clean: trained on no text of" in render_report([run], "text")


def test_what_a_base_was_trained_on_counts_and_an_unknown_base_is_no_clean_one(
    whole: RetrievalTask, trained: Training, two_layers: str, tmp_path: Path
) -> None:
    money = load_task("builtin:money").select_languages(["de", "en"])
    quick = QUICK.overridden(steps=1, validation=0.0, base=str(trained.path))
    again = fit(money, tmp_path / "again", quick, sampler="cross")
    base, both = trained_on_of(str(trained.path)), trained_on_of(str(again.path))
    assert base is not None and both is not None
    assert np.isin(base.texts, both.texts).all() and len(both.texts) > len(base.texts)
    assert both.complete
    unknown = fit(money, tmp_path / "unknown", quick.overridden(base=two_layers), sampler="cross")
    of_unknown = trained_on_of(str(unknown.path))
    assert of_unknown is not None and not of_unknown.complete
    found = {row.key.measure: (row.value, row.n) for row in TaskTexts(whole).rows(of_unknown)}
    assert np.isnan(found["seen_queries"][0]) and found["seen_queries"][1] == 0, "nothing found is not nothing seen"
    found = {row.key.measure: row.value for row in TaskTexts(money).rows(of_unknown) if row.key[1:] == (None,) * 3}
    assert found["seen_queries"] == money.queries.height, "what is found is at least what was seen"


def test_of_an_encoder_without_a_card_nothing_is_known(whole: RetrievalTask, two_layers: str, tmp_path: Path) -> None:
    task = split_task(whole, "test")
    told = Listening()
    run = evaluate([two_layers], [task], tmp_path / "run.parquet", narrator=told)
    name = str(run.models[0].name)
    assert {value for value, _ in counts(run, name).values()} == {None}
    assert [one for one in caveats(run) if one.kind == "seen"] == []
    assert "what it was trained on is not known" in render_report([run], "text")
    assert any("what it was trained on is not known" in line for line in told.lines)
    (result,) = json.loads(render_report([run], "json"))["results"]
    assert result["seen"]["seen_queries"]["n"] is None
    assert result["seen"]["seen_queries"]["of"] == task.queries.height


def test_texts_are_fingerprinted_once_and_only_for_an_encoder_whose_training_is_known(
    whole: RetrievalTask, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[int] = []

    def counted(series: pl.Series) -> Fingerprints:
        made.append(len(series))
        return text_fingerprints(series)

    monkeypatch.setattr(seen_texts, "text_fingerprints", counted)
    of_task = TaskTexts(whole)
    unknown = of_task.rows(None)
    assert made == []
    assert all(np.isnan(row.value) for row in unknown)
    known = TrainedOn(texts=np.sort(text_fingerprints(whole.queries["text"])))
    for _ in range(2):
        found = {row.key.measure: row.value for row in of_task.rows(known) if row.key[1:] == (None,) * 3}
        assert found["seen_queries"] == whole.queries.height
    assert made == [whole.queries.height, whole.passages.height]
    assert [row.key for row in unknown] == [row.key for row in of_task.rows(known)]


def test_only_texts_in_languages_that_were_drawn_count(whole: RetrievalTask, tmp_path: Path) -> None:
    english = fit(whole, tmp_path / "english", QUICK, sampler="english")
    found = read_trained_on(english.path, english.card)
    assert found is not None
    rows = {row.key: row.value for row in TaskTexts(whole).rows(found)}
    by_language = {key.query_language: value for key, value in rows.items() if key.measure == "seen_queries"}
    only = set(whole.queries.filter(pl.col("language") == "de")["text"]) - texts(whole.select_languages(["en"]))
    assert len(only) > 100
    assert by_language["en"] > 100 > by_language["de"]


def test_the_file_of_fingerprints_is_small_and_is_checked_against_the_card(trained: Training, tmp_path: Path) -> None:
    file = trained.path / "trained_on.parquet"
    entry = trained.card["trained_on"]
    assert entry["n_texts"] == len(trained_on_of(str(trained.path)).texts) > 100  # type: ignore[union-attr]
    assert file.stat().st_size < 8 * (entry["n_texts"] + entry["n_validation"] + entry["n_ids"]) + 4_000
    content = file.read_bytes()
    try:
        file.write_bytes(content[:-9] + b"x" + content[-8:])
        with pytest.raises(EncoderError, match=r"trained_on\.parquet: is not the file that the card is about"):
            load_encoder(str(trained.path))
        file.unlink()
        with pytest.raises(EncoderError, match="cannot be read: put the file back"):
            load_encoder(str(trained.path))
    finally:
        file.write_bytes(content)
    assert "fingerprints of the" in (trained.path / "README.md").read_text("utf-8")


def test_fingerprints_tell_texts_apart_and_not_copies() -> None:
    found = text_fingerprints(pl.Series([f"text {i}" for i in range(200_000)]))
    assert found.dtype == np.uint64 and len(np.unique(found)) == 200_000
    assert np.array_equal(
        text_fingerprints(pl.Series(["a  b", "a b ", "a\tb"])), np.repeat(text_fingerprints(pl.Series(["a b"])), 3)
    )
    assert TrainedOn().after(None).complete is False


def test_a_copy_of_a_validation_text_in_another_form_is_not_trained_on(whole: RetrievalTask) -> None:
    held = split_task(whole, "test")
    copies = copies_of(held, "NFD")
    (kept,) = without_texts_of([whole], [copies])
    assert not texts(kept) & texts(held)
    assert kept.queries.height < whole.queries.height
