"""The embedded tasks: parallel questions and passages about facts from Unicode CLDR, in eleven languages, offline."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from xlbias.errors import TaskError

if TYPE_CHECKING:
    from xlbias.data.task import RetrievalTask

# short name → one line for listings; the module xlbias.data.builtin.NAME makes the facts.
BUILTIN: dict[str, str] = {
    "money": "Which money is used where, was used when, and how it is written and divided.",
    "language": "Where languages are spoken, how they are written, and what their speakers call them.",
    "calendar": "Weeks, dates and clocks in territories; names of months and weekdays in languages.",
}


def load_builtin(name: str) -> RetrievalTask:
    """Return the embedded task `name` (a key of `BUILTIN`); the task itself is called ``builtin:NAME``.

    Every query id has its question in all eleven languages (``xlbias.data.builtin.cldr.LANGUAGES``) and exactly one
    relevant passage per language. The content depends on nothing but the installed Babel. Raises TaskError for an
    unknown name.
    """
    if name not in BUILTIN:
        known = ", ".join(f"builtin:{key}" for key in BUILTIN)
        raise TaskError(f"no embedded task {name!r}; choose from {known}")
    from xlbias.data.builtin.facts import task_from_facts

    return task_from_facts(name, import_module(f"xlbias.data.builtin.{name}").facts())
