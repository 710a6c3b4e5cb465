"""How the encoders of a run were trained: steps, loss, and a histogram of what was drawn, from their cards.

A card comes out of a file that anyone may have written, so everything in it is looked at before it is believed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import polars as pl

from xlbias.report.documents.curves import throughput
from xlbias.report.documents.validation import validation_curves, validation_lines
from xlbias.report.numbers import blocks, cut_all, table, wrapped
from xlbias.results.run import Run
from xlbias.text import clean, cut, one_line

_BAR = 16  # cells of a bar that stands for all
_EIGHTHS = " ▏▎▍▌▋▊▉"
_MOST_ROWS = 12  # of tasks
_MOST_LANGUAGES = 16  # in a matrix; more are shown by themselves
_TAG = 12  # cells of a language tag; a longer one is no tag


@dataclass(frozen=True)
class Drawn:
    """What a sampler has drawn: batches by kind and by task, pairs by (query language, passage language), negatives."""

    kinds: dict[str, int]
    tasks: dict[str, int]
    pairs: dict[tuple[str, str], int]
    negatives: int
    words: dict[str, int]

    def languages(self, side: int) -> dict[str, int]:
        """Pairs by the language of their query (side 0) or passage (side 1), by tag."""
        counts: Counter[str] = Counter()
        for pair, n in self.pairs.items():
            counts[pair[side]] += n
        return dict(sorted(counts.items()))


@dataclass(frozen=True)
class Trained:
    """One encoder's training: None for what is not known, and `drawn` only where its card says it.

    `pairs_per_second` is that of training steps alone, without validation, see
    `xlbias.report.documents.curves.throughput`.
    `validation` holds a row per validation, `best_step` the step whose encoder was saved.
    """

    model: str
    steps: int | None
    first_loss: float | None
    last_loss: float | None
    pairs_per_second: float | None
    best_step: int | None
    validation: list[dict[str, Any]]
    drawn: Drawn | None


def trained(run: Run) -> list[Trained]:
    """Return the trainings of a run's encoders, as far as it holds their steps or their cards say what was drawn."""
    logged = {
        row["model"]: row
        for row in run.training.sort("step")
        .group_by("model")
        .agg(
            pl.col("step").last().alias("steps"),
            pl.col("loss").first().alias("first_loss"),
            pl.col("loss").last().alias("last_loss"),
        )
        .collect()
        .to_dicts()
    }
    for (name,), steps in run.training.collect().partition_by("model", as_dict=True).items():
        if name in logged:
            logged[name]["pairs_per_second"] = throughput(steps)
    found = []
    curves = validation_curves(run)
    for model in run.models:
        card = model.get("card")
        best = card.get("best_step") if isinstance(card, Mapping) else None
        drawn = _drawn(card.get("batches")) if isinstance(card, Mapping) else None
        row = logged.get(model["name"], {})
        if row or drawn:
            figures = {name: row.get(name) for name in ("steps", "first_loss", "last_loss", "pairs_per_second")}
            found.append(
                Trained(
                    model=model["name"],
                    **figures,
                    best_step=best if type(best) is int else None,
                    validation=curves.get(model["name"], []),
                    drawn=drawn,
                )
            )
    return found


def training_facts(training: Trained) -> dict[str, Any]:
    """Return a training for JSON: its steps, losses and rate, and counts with their shares of all."""
    facts = asdict(training)
    del facts["model"]
    if drawn := training.drawn:
        facts["drawn"] = {
            "batches_by_kind": _shares(drawn.kinds),
            "batches_by_task": _shares(drawn.tasks),
            "pairs_by_query_language": _shares(drawn.languages(0)),
            "pairs_by_passage_language": _shares(drawn.languages(1)),
            "pairs": [
                {"query_language": query, "passage_language": passage, "n": n}
                for (query, passage), n in sorted(drawn.pairs.items())
            ],
            "n_negatives": drawn.negatives,
            "code_switched": drawn.words or None,
        }
    return facts


def training_lines(training: Trained, width: int, *, matrix: bool) -> list[str]:
    """Return a training as text: a line of figures, a histogram of kinds and tasks, and the languages of the pairs.

    With `matrix`, pairs are shown by query and passage language, where there are not too many, and the validations.
    """
    figures = []
    if training.steps is not None:
        figures.append(f"{training.steps:,} steps")
    if training.first_loss is not None and training.last_loss is not None:
        figures.append(f"loss {training.first_loss:.3f} to {training.last_loss:.3f}")
    if training.pairs_per_second is not None:
        figures.append(f"{training.pairs_per_second:,.0f} pairs a second")
    # The name is cut so that the figures have room.
    about = f": {', '.join(figures)}" if figures else ""
    lines = [cut(f"Training of {one_line(training.model, max(8, width - 12 - len(about)))}{about}", width)]
    if matrix:
        lines += cut_all(validation_lines(training.validation, training.best_step), width)
    if training.best_step == 0:
        said = "Training did not help: no validation was better than that before the first step, so the base was saved."
        lines += wrapped(said, width)
    if drawn := training.drawn:
        lines += cut_all(_histogram(drawn), width)
        if matrix and len({language for pair in drawn.pairs for language in pair}) <= _MOST_LANGUAGES:
            lines += cut_all(_pair_matrix(drawn, width), width)
        else:
            lines += _language_lines(drawn, width)
        if words := drawn.words.get("words"):
            replaced, translatable = (drawn.words.get(name, 0) for name in ("replaced", "translatable"))
            switched = f"code-switched: {replaced:,} of {translatable:,} translatable words, of {words:,} words"
            lines += wrapped(switched, width)
    return lines


def _drawn(value: object) -> Drawn | None:
    """Return what a card says was drawn, without what is no count; None where nothing is left."""
    if not isinstance(value, Mapping):
        return None
    pairs = value.get("pairs")
    by_pair = {
        (str(query), passage): n
        for query, of_query in (pairs.items() if isinstance(pairs, Mapping) else ())
        for passage, n in _counts(of_query).items()
    }
    negatives = _counts({"n": value.get("negatives")}).get("n", 0)
    words = _counts(value.get("words"))
    drawn = Drawn(_counts(value.get("by_kind")), _counts(value.get("by_task")), by_pair, negatives, words)
    return drawn if drawn.kinds or drawn.tasks or drawn.pairs else None


def _counts(value: object) -> dict[str, int]:
    if not isinstance(value, Mapping):
        return {}
    return {str(key): n for key, n in value.items() if type(n) is int and 0 < n < 1 << 63}


def _shares(counts: Mapping[str, int]) -> dict[str, dict[str, float]]:
    total = sum(counts.values())
    return {name: {"n": n, "share": n / total} for name, n in _by_count(counts)}


def _by_count(counts: Mapping[str, int]) -> list[tuple[str, int]]:
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))


def _histogram(drawn: Drawn) -> list[str]:
    rows = []
    for what, counts in (("kind", drawn.kinds), ("task", drawn.tasks)):
        total = sum(counts.values())
        ordered = _by_count(counts)
        for name, n in ordered[:_MOST_ROWS]:
            rows.append([f"{n:,}", f"{n / total:.1%}", _bar(n / total), what, one_line(name, 200)])
        if rest := ordered[_MOST_ROWS:]:
            n = sum(n for _, n in rest)
            rows.append([f"{n:,}", f"{n / total:.1%}", _bar(n / total), what, f"and {len(rest):,} more"])
    return table(["batches", "share", " " * _BAR, "of", "drawn"], rows, left=3) if rows else []


def _bar(share: float) -> str:
    whole, part = divmod(round(share * _BAR * 8), 8)
    return ("█" * whole + _EIGHTHS[part].strip()).ljust(_BAR)


def _pair_matrix(drawn: Drawn, width: int) -> list[str]:
    """Return the share of every language pair in percent, a row for each query language."""
    total = sum(drawn.pairs.values())
    queries, passages = drawn.languages(0), drawn.languages(1)
    body = [[_percent(drawn.pairs.get((query, passage), 0), total) for passage in passages] for query in queries]
    rows, columns = ([one_line(tag, _TAG) for tag in side] for side in (queries, passages))
    title = f"{total:,} pairs{_and_negatives(drawn)}, in percent: query language down, passage language across"
    return [*wrapped(title, width), *blocks(rows, columns, body, width)] if total else []


def _percent(n: int, total: int) -> str:
    return f"{100 * n / total:.1f}" if n else "·"


def _language_lines(drawn: Drawn, width: int) -> list[str]:
    """Return the share of every language among queries, and among passages."""
    total = sum(drawn.pairs.values())
    lines = [f"{total:,} pairs{_and_negatives(drawn)}, by language in percent"] if total else []
    for what, side in (("queries", 0), ("passages", 1)):
        shares = [f"{one_line(tag, _TAG)}={_percent(n, total)}" for tag, n in drawn.languages(side).items()]
        if shares:
            lines.append(f"{what}: {', '.join(shares)}")
    return [part for line in lines for part in wrapped(clean(line), width)]


def _and_negatives(drawn: Drawn) -> str:
    return f" and {drawn.negatives:,} hard negatives" if drawn.negatives else ""
