"""What a training has seen: fingerprints of its texts, for the card."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import polars as pl

from xlbias.data.task import RetrievalTask
from xlbias.encode.load import find_encoder
from xlbias.encode.trained_on import TrainedOn, distinct, id_fingerprints, text_fingerprints, trained_on_of
from xlbias.train.recipe import STATIC
from xlbias.train.sampling.pairs import PairTexts


def seen_in_training(
    tasks: Sequence[RetrievalTask],
    texts: PairTexts,
    validation: Sequence[RetrievalTask],
    base: str,
    languages: Collection[str],
) -> TrainedOn:
    """Return what an encoder that was trained from `base` has seen.

    Args:
        tasks: trained on, without what was held out.
        texts: their pairs. Every text that the sampler could draw counts, drawn or not; a text counts as it was before
            code-switching.
        validation: validated on.
        base: name of the encoder that training began from; what that was trained on counts, too.
        languages: drawn at all, on either side of a pair.
    """
    drawn = distinct(text_fingerprints(some) for language, some in texts.texts() if language in languages)
    held = distinct(text_fingerprints(frame["text"]) for task in validation for frame in (task.queries, task.passages))
    ids = distinct(
        id_fingerprints(task.name, task.source, of_task["query_id"].unique())
        for task in tasks
        if (of_task := task.queries.filter(pl.col("language").is_in(list(languages)))).height
    )
    own = TrainedOn(drawn, held, ids)
    return own.after(TrainedOn() if base == STATIC else trained_on_of(find_encoder(base)))
