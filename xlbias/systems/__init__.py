"""Systems whose rankings exist already: what another program has found, against a task's relevance and languages."""

from xlbias.systems.import_run import import_run

__all__ = ["import_run"]
