"""What must I not conclude? The caveats of the run, the gravest first, and that one training is one draw."""

from __future__ import annotations

from collections.abc import Iterator

from xlbias.results.caveats import KINDS as OF_CAVEATS
from xlbias.results.findings.context import Context, some
from xlbias.results.findings.finding import ONE_TRAINING, Destination, Finding, Number
from xlbias.results.one_training import single_trainings

KINDS = ("caveat", "one_training")

_NAMED = 4
_LONG = 90  # signs
_THEREFORE = (": ", ", so that ")  # before what follows from a caveat


def found(context: Context) -> Iterator[Finding]:
    """Yield the caveats of the run, and which trainings stand there with one seed."""
    for one in context.caveats:
        number = Number(one.kind, one.value, n=one.n, encoder=one.model, task=one.task, role="caveat")
        yield Finding(
            "caveat", "caveat", one.sentence, len(OF_CAVEATS) - OF_CAVEATS.index(one.kind) + one.marks,
            Destination("overview", "caveats"), one.model, one.task,
            numbers=(number,) if one.value is not None or one.n is not None else (),
            short=_short(one.sentence),
        )  # fmt: skip
    if alone := single_trainings(context.run.models):
        sentence = (
            f"one training each: {some(alone, _NAMED)}; another seed may come out otherwise, so that differences are "
            "those of these encoders, not of their samplers."
        )
        yield Finding(
            "one_training", "caveat", sentence, len(OF_CAVEATS) - 1.5, Destination("overview", "notes"),
            short=f"{ONE_TRAINING}, another seed may differ.",
        )  # fmt: skip


def _short(sentence: str) -> str:
    """Return what is so, without what follows from it, where both would be long."""
    what = min((sentence.partition(sign)[0] for sign in _THEREFORE), key=len)
    return f"{what}." if len(what) < len(sentence) and len(sentence) > _LONG else ""
