"""The card of a checkpoint: what an encoder was trained on and how, as JSON and as Markdown for people."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from xlbias._version import __version__
from xlbias.data.task import RetrievalTask
from xlbias.encode.trained_on import CARD_FIELD
from xlbias.samplers import ENGLISH, PAPER
from xlbias.text import clean
from xlbias.train.recipe import Recipe, settings_of_paper
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


def readme(card: Mapping[str, Any]) -> str:
    """Return the README.md of a checkpoint from its card, as in ``xlbias.json``: Markdown with the hub's YAML head.

    Names and licences come from data: they are kept from leaving their place in a table or a heading.
    """
    recipe, batches, sources = card["recipe"], card["batches"], card["sources"]
    languages = sorted({language for source in sources for language in source["languages"]})
    of_paper = settings_of_paper(recipe)
    total = sum(batches["by_kind"].values())
    head = {
        "library_name": "sentence-transformers",
        "pipeline_tag": "sentence-similarity",
        "tags": ["sentence-transformers", "xlbias", f"sampler-{card['sampler']}"],
        "language": languages,
    }
    sections = [
        "\n".join(["---", *(f"{key}: {json.dumps(value)}" for key, value in head.items()), "---"]),
        f"# {_cell(card['name'])}",
        f"Trained by xlbias {card['versions']['xlbias']} from `{_cell(card['base'])}` with the `{card['sampler']}` "
        f"batch sampler (share of monolingual batches α = {card['alpha']:g}), seed {card['seed']}: "
        f"{card['steps']:,} steps of {recipe['batch_size']:,} pairs in {card['seconds']:,.0f} s on "
        f"{_cell(card['device'])}; final loss {card['loss']:.4f}.",
        *([f"{DID_NOT_HELP[0].upper()}{DID_NOT_HELP[1:]}."] if card["best_step"] == 0 else []),
        "## Trained on",
        _table(
            ("task", "domain", "licence", "ids", "share of batches"),
            (
                (
                    s["name"],
                    s["domain"],
                    s["licence"],
                    f"{s['n_ids']:,}",
                    f"{batches['by_task'].get(s['name'], 0) / total:.1%}",
                )
                for s in sources
            ),
        ),
        f"Languages: {', '.join(languages)}.",
        _seen(card),
        "## Batches drawn",
        _table(
            ("kind", "batches", "share"),
            ((kind, f"{n:,}", f"{n / total:.1%}") for kind, n in sorted(batches["by_kind"].items(), reverse=True)),
        ),
        "`xlbias.json` counts the pairs of each language pair; `training.parquet` has the loss curve.",
        "## Recipe",
        _table(
            ("setting", "value", "from"),
            ((key, json.dumps(value), PAPER if key in of_paper else "") for key, value in recipe.items()),
        ),
        f"Settings without a mark are ours: {PAPER} does not say them, or says otherwise.",
        "## Use",
        _prompts(card),
        USE,
    ]
    return "\n\n".join(sections) + "\n"


def _seen(card: Mapping[str, Any]) -> str:
    """Return what the fingerprints beside the card are for, and how far they reach."""
    seen = card[CARD_FIELD]
    unknown = "" if seen["complete"] else " What its base was trained on is not known."
    return (
        f"`{seen['file']}` holds fingerprints of the {seen['n_texts']:,} texts that it was trained on and of "
        f"the {seen['n_validation']:,} that it was validated on: `xlbias evaluate` says how many a task has.{unknown}"
    )


def _prompts(card: Mapping[str, Any]) -> str:
    used = {side: text for side, text in card.get("prompts", {}).items() if text}
    if not used:
        return "It was trained without prompts: nothing is put before queries and passages."
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
