"""One language under two tags: queries in ``pt`` and passages in ``pt-BR`` never meet in a monolingual cell."""

from __future__ import annotations

from collections.abc import Iterator

from xlbias.languages import divided_tags
from xlbias.results.caveats.caveat import Caveat
from xlbias.results.run_numbers import RunNumbers

KIND = "tags"


def found(run: RunNumbers) -> Iterator[Caveat]:
    """Yield a caveat for queries of a task without a pool under their own tag, where their language has one."""
    for task in run.tasks:
        for asked, searched in divided_tags(task.n_queries, task.pool_sizes):
            sentence = (
                f"queries are in {asked!r} and passages in {searched!r}, which are two languages to every measure: "
                "these queries have no monolingual cell; give both one tag if they are one language."
            )
            yield Caveat(KIND, task.name, None, sentence=sentence)
