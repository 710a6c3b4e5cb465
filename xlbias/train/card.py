"""The card of a checkpoint: what an encoder was trained on and how, as JSON and as Markdown for people."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from huggingface_hub import EvalResult, ModelCardData
from msgspec import Struct

from xlbias._version import __version__
from xlbias.data.task import RetrievalTask
from xlbias.encode.card import CardSource
from xlbias.encode.licence import licence_of
from xlbias.errors import TrainingError
from xlbias.records import decode
from xlbias.samplers import ENGLISH, PAPER
from xlbias.text import clean
from xlbias.train.recipe import STATIC, Recipe, settings_of_paper
from xlbias.train.sampling.pairs import PairTexts
from xlbias.train.sampling.samplers import LanguageBatchSampler
from xlbias.versions import package_versions

USE = """\
```python
from sentence_transformers import SentenceTransformer

model = SentenceTransformer("path/to/this/folder")
queries = model.encode_query(["..."])
passages = model.encode_document(["..."])
```"""


DID_NOT_HELP = "training did not help: no validation was better than that before the first step, so the base is saved"
"""What is said where the best step is 0."""


def describe(
    name: str,
    tasks: Sequence[RetrievalTask],
    texts: PairTexts,
    recipe: Recipe,
    sampling: Mapping[str, Any],
    batches: LanguageBatchSampler,
    device: str | None,
) -> dict[str, Any]:
    """Return the card of a training as far as it is known before it begins."""
    return {
        "name": name,
        "base": recipe.base,
        **({} if recipe.base == STATIC else {"base_licence": licence_of(recipe.base)}),
        "sampler": sampling["sampler"],
        "alpha": batches.alpha,
        "pivot": sampling["pivot"] if sampling["sampler"] == ENGLISH else None,
        "seed": recipe.seed,
        "sources": [
            {
                "name": task.name,
                "domain": task.domain,
                "source": task.source,
                "licence": task.licence,
                "fingerprint": task.fingerprint,
                "languages": task.languages,
                "n_ids": pairs.n_ids,
            }
            for task, pairs in zip(tasks, texts.tasks, strict=True)
        ],
        "recipe": recipe.as_dict(),
        "device": device or "auto",
        "versions": {
            "xlbias": __version__,
            **package_versions(),
        },
    }


def describe_distilled(name: str, distilled: Mapping[str, Any], seed: int, seconds: float) -> dict[str, Any]:
    """Return the card of an encoder that was distilled and not trained."""
    return {
        "name": name,
        "base": distilled["from"],
        "base_licence": distilled["licence"],
        "seed": seed,
        "seconds": seconds,
        "distilled": dict(distilled),
        "prompts": {"query": "", "passage": ""},
        "versions": {"xlbias": __version__, **package_versions()},
    }


class Batches(Struct, frozen=True):
    """What was drawn in a training: batches by kind and task, pairs by their two languages, hard negatives."""

    by_kind: dict[str, int]
    by_task: dict[str, int]
    pairs: dict[str, dict[str, int]] = {}
    negatives: int = 0


class SeenTexts(Struct, frozen=True):
    """What a card says of the fingerprints beside it, see `xlbias.encode.trained_on`."""

    file: str
    n_texts: int
    n_validation: int
    complete: bool


class DistilledFrom(Struct, frozen=True, rename={"source": "from"}):
    """Where token vectors come from, see `xlbias.encode.distil`."""

    source: str
    tokens: str
    n_tokens: int
    token_prompt: str
    dimension: int
    variance: float | None = None
    licence: str | None = None
    content: str | None = None


class Validated(Struct, frozen=True):
    """One validation on one task."""

    step: int
    task: str
    map_monolingual: float | None = None
    map_cross_lingual: float | None = None
    map_multilingual: float | None = None
    rank_distance_normalised: float | None = None


class EncoderCard(Struct, frozen=True):
    """The card of an encoder that xlbias made, whole: trained, distilled, or both. A card may hold more."""

    name: str
    base: str
    seed: int
    seconds: float
    versions: dict[str, str]
    trained_on: SeenTexts | None = None
    prompts: dict[str, str] = {}
    base_licence: str | None = None
    distilled: DistilledFrom | None = None
    sampler: str | None = None
    alpha: float = 0.0
    sources: tuple[CardSource, ...] = ()
    recipe: dict[str, Any] = {}
    batches: Batches | None = None
    validation: tuple[Validated, ...] = ()
    device: str = "cpu"
    steps: int = 0
    best_step: int | None = None
    loss: float = 0.0

    @property
    def languages(self) -> list[str]:
        """Languages of what it was trained on, sorted."""
        return sorted({language for source in self.sources for language in source.languages or ()})

    @property
    def best(self) -> list[Validated]:
        """The validations of the step that was saved."""
        return [row for row in self.validation if row.step == self.best_step]


def readme(card: Mapping[str, Any]) -> str:
    """Return the README.md of an encoder from its card, as in ``xlbias.json``: Markdown with the hub's YAML head.

    Names and licences come from data: they are kept from leaving their place in a table or a heading.
    """
    of = decode(card, EncoderCard, TrainingError)
    sections = [f"---\n{_head(of).to_yaml()}\n---", f"# {_cell(of.name)}"]
    if of.batches is None:
        sections += [
            f"Distilled by xlbias {of.versions['xlbias']} from `{_cell(of.base)}` in {of.seconds:,.0f} s; not trained."
        ]
    else:
        sections += _trained(of, of.batches)
    if of.distilled:
        sections += ["## Distilled", _distilled(of.distilled)]
    if of.recipe:
        of_paper = settings_of_paper(of.recipe)
        rows = ((key, json.dumps(value), PAPER if key in of_paper else "") for key, value in of.recipe.items())
        sections += [
            "## Recipe",
            _table(("setting", "value", "from"), rows),
            f"Settings without a mark are ours: {PAPER} does not say them, or says otherwise.",
        ]
    return "\n\n".join([*sections, "## Use", _prompts(of), USE]) + "\n"


def _head(card: EncoderCard) -> ModelCardData:
    """Return the YAML head: licence, base, languages, and validation as ``model-index``, as the hub reads them."""
    licence = _licence(card)
    from_hub = card.distilled.source if card.distilled else card.base
    on_hub = from_hub != STATIC and not Path(from_hub).expanduser().exists() and from_hub.count("/") <= 1
    results = [
        EvalResult(
            task_type="text-retrieval",
            dataset_type="xlbias",
            dataset_name=f"held out of {clean(row.task)}",
            dataset_config=clean(row.task),  # without it the hub takes all tasks for one
            metric_type=measure,
            metric_name=label,
            metric_value=round(value, 6),
        )
        for row in card.best
        for measure, label in _VALIDATED.items()
        if (value := getattr(row, measure)) is not None
    ]
    kinds = [f"sampler-{card.sampler}"] if card.sampler else []
    return ModelCardData(
        language=card.languages or None,
        license=licence,
        base_model=clean(from_hub) if on_hub else None,
        library_name="sentence-transformers",
        pipeline_tag="sentence-similarity",
        tags=[
            "sentence-transformers",
            "xlbias",
            *kinds,
            *(["distilled", "static-embedding"] if card.distilled else []),
        ],
        model_name=clean(card.name),
        eval_results=results or None,
    )


_VALIDATED = {
    "map_monolingual": "mAP, monolingual",
    "map_cross_lingual": "mAP, cross-lingual",
    "map_multilingual": "mAP, multilingual pool",
    "rank_distance_normalised": "rank distance, normalised",
}


def _licence(card: EncoderCard) -> str | None:
    """Return the licence, as the hub names it, where base and data state one and the same; else None.

    What a model may be used for where they differ is not for us to say: the card lists them.
    """
    stated = {source.licence for source in card.sources}
    if card.base != STATIC or card.distilled:
        stated.add(card.distilled.licence if card.distilled else card.base_licence)
    known = {licence.strip().casefold().replace(" ", "-") for licence in stated if licence}
    return clean(known.pop()) if len(known) == 1 and None not in stated else None


def _trained(card: EncoderCard, batches: Batches) -> list[str]:
    total = sum(batches.by_kind.values()) or 1
    licence = f" Its licence: {_cell(card.base_licence)}." if card.base_licence else ""
    return [
        f"Trained by xlbias {card.versions['xlbias']} from `{_cell(card.base)}` with the `{card.sampler}` "
        f"batch sampler (share of monolingual batches α = {card.alpha:g}), seed {card.seed}: "
        f"{card.steps:,} steps of {card.recipe['batch_size']:,} pairs in {card.seconds:,.0f} s on "
        f"{_cell(card.device)}; final loss {card.loss:.4f}.{licence}",
        *([f"{DID_NOT_HELP[0].upper()}{DID_NOT_HELP[1:]}."] if card.best_step == 0 else []),
        *(
            [f"Saved is the encoder of step {card.best_step:,}, the best in validation."]
            if card.best_step and card.best_step < card.steps
            else []
        ),
        "## Trained on",
        _table(
            ("task", "domain", "licence", "ids", "share of batches"),
            (
                (
                    s.name,
                    s.domain,
                    s.licence,
                    f"{s.n_ids or 0:,}",
                    f"{batches.by_task.get(s.name, 0) / total:.1%}",
                )
                for s in card.sources
            ),
        ),
        f"Languages: {', '.join(card.languages)}.",
        *([_seen(card.trained_on)] if card.trained_on else []),
        "## Batches drawn",
        _table(
            ("kind", "batches", "share"),
            ((kind, f"{n:,}", f"{n / total:.1%}") for kind, n in sorted(batches.by_kind.items(), reverse=True)),
        ),
        "`xlbias.json` counts the pairs of each language pair; `training.parquet` has the loss curve.",
        *_validation(card),
    ]


def _validation(card: EncoderCard) -> list[str]:
    if not card.best:
        return []
    rows = (
        (row.task, *("" if (value := getattr(row, name)) is None else f"{value:.3f}" for name in _VALIDATED))
        for row in card.best
    )
    return [
        "## Validation",
        f"Step {card.best_step:,}, on what was held out:",
        _table(("task", *_VALIDATED.values()), rows),
    ]


def _distilled(made: DistilledFrom) -> str:
    what = {
        "base": "all its tokens",
        "seen": "those of its tokens that the training texts hold",
        "own": "sub-words learnt from the training texts",
    }.get(made.tokens, made.tokens)
    prompt = f", `{_cell(json.dumps(made.token_prompt, ensure_ascii=False))}` before each," if made.token_prompt else ""
    kept = f" They keep {made.variance:.1%} of the variance." if made.variance is not None else ""
    return (
        f"Token vectors come from `{_cell(made.source)}` "
        f"(licence: {_cell(made.licence or 'not stated in its folder')}): {what}{prompt} were encoded alone, "
        f"{made.n_tokens:,} of them; {made.dimension} principal components, weighted by how rare a token is.{kept} "
        f"No prompt is put before texts: the mean of tokens would hold it in every text."
    )


def _seen(seen: SeenTexts) -> str:
    """Return what the fingerprints beside the card are for, and how far they reach."""
    unknown = "" if seen.complete else " What its base was trained on is not known."
    return (
        f"`{seen.file}` holds fingerprints of the {seen.n_texts:,} texts that it was trained on and of "
        f"the {seen.n_validation:,} that it was validated on: `xlbias evaluate` says how many a task has.{unknown}"
    )


def _prompts(card: EncoderCard) -> str:
    used = {side: text for side, text in card.prompts.items() if text}
    if not used:
        return "It was made without prompts: nothing is put before queries and passages."
    said = " and ".join(
        f"`{_cell(json.dumps(text, ensure_ascii=False))}` before a {side}" for side, text in used.items()
    )
    return f"It was trained with {said}; the functions below put them there."


def _table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    lines = [columns, ["---"] * len(columns), *rows]
    return "\n".join(f"| {' | '.join(_cell(cell) for cell in line)} |" for line in lines)


def _cell(value: object) -> str:
    """Return `value` without control characters, line breaks and what Markdown or HTML would act on."""
    text = clean(str(value))
    for special, harmless in (("&", "&amp;"), ("<", "&lt;"), ("|", "\\|"), ("`", "'"), ("[", "\\[")):
        text = text.replace(special, harmless)
    return text
