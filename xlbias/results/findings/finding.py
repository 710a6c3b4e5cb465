"""What a finding is: one sentence that a run supports, with the numbers it stands on and where these are shown."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

Question = Literal["good", "for whom", "fair", "real", "survives", "caveat"]
"""What a reader asks, in this order: is it good, for whom is it bad, is it fair, is the difference real, does it
survive a change of domain, and what must I not conclude?"""

ONE_TRAINING = "one training each: not confirmed"
"""What a sentence on a difference says where no other seed was trained."""

QUESTIONS: tuple[Question, ...] = get_args(Question)


@dataclass(frozen=True)
class Number:
    """A number that a finding stands on, with its coordinates: where every table has the same one.

    Attributes:
        measure: what it is, by its name in a summary.
        value: the number; None where undefined.
        low: lower end of its 95% interval, None where there is none.
        high: upper end.
        n: how many values it is over.
        p: of its test, corrected; None where it is not tested.
        encoder: whose it is.
        task: on what.
        setting: of which setting; None for a cell, or where the measure has none.
        query_language: of its cell; None for all.
        passage_language: of its cell, or its pool; None for all.
        base: the encoder that it is a difference from; None where it is no difference.
        role: what it is in the sentence, where its coordinates do not say: ``chance``, ``base``, ``published``,
            ``languages in turns``, ``mean of its cells``, ``mean of other languages``, ``difference from other
            languages``, ``tokens a character``, ``median of tokens a character``, ``better cells``, ``worse cells``,
            ``largest p``, ``relative loss``, ``home``, ``away``, ``lost``, ``excluded``, ``caveat``.
    """

    measure: str
    value: float | None
    low: float | None = None
    high: float | None = None
    n: int | None = None
    p: float | None = None
    encoder: str | None = None
    task: str | None = None
    setting: str | None = None
    query_language: str | None = None
    passage_language: str | None = None
    base: str | None = None
    role: str = ""


@dataclass(frozen=True)
class Destination:
    """Where a finding leads: a screen of the dashboard with what is selected there, and a section of the report.

    Attributes:
        screen: ``overview``, ``matrix``, ``bias``, ``domains``, ``queries`` or ``training``.
        section: of the full report: ``overview``, ``bias``, ``alignment``, ``texts``, ``matrix``, ``by-language``,
            ``caveats``, ``notes`` or ``compare``.
        measure: that is shown there.
        query_language: of the cell under the cursor.
        passage_language: of the cell under the cursor.
    """

    screen: str
    section: str
    measure: str | None = None
    query_language: str | None = None
    passage_language: str | None = None


@dataclass(frozen=True)
class Finding:
    """A sentence on a run, and what supports it.

    Attributes:
        kind: which rule found it: what `xlbias check` writes in ``findings[KIND]``.
        question: what it answers.
        sentence: without the names of encoder and task, cleaned.
        weight: how much it matters among the findings of its question: the greater, the earlier it stands.
        leads_to: where it is shown.
        encoder: whom it is about; None where it is about all encoders.
        task: on what; None where it is about all tasks.
        base: the encoder that is compared with.
        languages: which languages it is about, the gravest first.
        numbers: what it stands on.
        concern: whether it is a reason to act or to doubt: a language that is served badly, an unfair pool, a loss, a
            caveat; not a level of quality or a gain.
        short: the same in a line or so, for where there is little room; empty where the sentence is short enough.
    """

    kind: str
    question: Question
    sentence: str
    weight: float
    leads_to: Destination
    encoder: str | None = None
    task: str | None = None
    base: str | None = None
    languages: tuple[str, ...] = ()
    numbers: tuple[Number, ...] = ()
    concern: bool = True
    short: str = ""

    def concerns(self, encoder: str, task: str) -> bool:
        """Whether it is about an encoder on a task; several seeds are one training, each of which it is about."""
        return (self.encoder is None or encoder in (self.encoder, *self.encoder.split(", "))) and self.task in (
            None,
            task,
        )
