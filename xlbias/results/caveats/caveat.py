"""What a caveat is: a reason not to take a number at its face value."""

from __future__ import annotations

from dataclasses import dataclass

from xlbias.text import clean


@dataclass(frozen=True)
class Caveat:
    """A reason not to take the numbers of one encoder on one task, of an encoder, of a task or of a run at face value.

    Attributes:
        kind: which rule found it, a short name such as ``seen``: what `xlbias check` writes in ``caveats[KIND]``.
        task: the task it is about; None where it is about all of them.
        model: the encoder it is about; None where it is about all of them.
        value: the number behind it, such as a share in [0, 1]; None where there is none.
        n: a count behind it, such as the queries that were seen in training; None where there is none.
        of: what `n` is a part of; None where there is nothing.
        sentence: what a reader must know, one sentence without the names of task and encoder.
        marks: whether the rows it is about are marked, and not only listed below: not where it is about how sure
            numbers are, of all encoders of a task alike.
    """

    kind: str
    task: str | None
    model: str | None
    value: float | None = None
    n: int | None = None
    of: int | None = None
    sentence: str = ""
    marks: bool = True

    def concerns(self, model: str, task: str) -> bool:
        """Whether it is about the numbers of an encoder on a task."""
        return self.model in (None, model) and self.task in (None, task)

    @property
    def about(self) -> str:
        """The encoder and the task it is about, cleaned."""
        return clean(" on ".join(name for name in (self.model, self.task) if name is not None)) or "this run"

    @property
    def whole(self) -> str:
        """The sentence with what it is about, cleaned."""
        return f"{self.about}: {clean(self.sentence)}"
